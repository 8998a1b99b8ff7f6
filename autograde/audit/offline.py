"""`counterside audit verify --offline`: checking a bundle where there is neither database nor course.

Every disclosed row is hashed again and must lead to the sealed roots; every
response is scored again by the scorers of this installation, from the items in
the bundle, and must earn what the sealed evidence says. A bundle is somebody's
file: nothing in it is trusted before it is checked, and nothing in it is run.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from autograde.audit.bundle import ABOUT, ITEMS, ROWS
from autograde.audit.heads import HEADS, SCHEMAS, WITNESSED, Head
from autograde.audit.keys import KEYS
from autograde.audit.late import Row, is_after_release, lacks_reason
from autograde.audit.merkle import Tree, leaf_hash
from autograde.audit.rows import FEW, ONLY_ADDED, main_hash, person_hash
from autograde.audit.verify import (
    NOTHING_KNOWN,
    SHOWN,
    Known,
    Report,
    check_folder,
    check_mended,
    say_unexplained,
    say_unnamed,
)
from autograde.engine import Outcome, assess_item
from autograde.place import CourseError
from autograde.submission import scorer
from curriculum.items import TYPES
from curriculum.log import MAX_BYTES, Log, LogError
from curriculum.model import Head as ItemHead
from curriculum.model import Item

MAX_FILE = 4 * 2**30
MAX_LINE = 64 * 2**20
TABLES = frozenset(
    {"assignment", "notebook", "base_cell", "submitted_assignment", "submitted_notebook", "grade", "comment"}
)
Where = tuple[str, str, str]  # learner, chapter, item


@dataclass(slots=True)
class Told:
    """What the disclosed rows of a bundle say: evidence and scores as they stand at the end of the trail."""

    evidence: dict[Where, Mapping[str, Any]] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)  # run to scorer
    last_run: dict[tuple[str, str], str] = field(default_factory=dict)  # learner, chapter
    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    whose: dict[str, str] = field(default_factory=dict)  # submitted assignment to learner
    events: list[tuple[int, str, str, str]] = field(default_factory=list)  # seq, at, actor, row
    reasons: dict[int, str] = field(default_factory=dict)  # by row
    released: dict[tuple[str, str], int] = field(default_factory=dict)  # learner, chapter to row
    changed: list[tuple[int, str, str]] = field(default_factory=list)  # row, table and key of what says no reason
    unnamed: int = 0
    unknown: list[int] = field(default_factory=list)  # rows by somebody who gave no name, the first few
    faults: list[str] = field(default_factory=list)
    sealed: int = 0
    rows: int = 0


def verify_bundle(path: Path, known: Known = NOTHING_KNOWN) -> Report:
    """Check a bundle. Raises CourseError when it is none."""
    try:
        with ZipFile(path) as bundle, tempfile.TemporaryDirectory() as name:
            return _verify(bundle, Path(name), known)
    except (BadZipFile, KeyError, ValueError, TypeError, NotImplementedError, EOFError, RecursionError) as error:
        raise CourseError(f"{path.name} is no bundle that can be read ({type(error).__name__}: {error})") from error


def _verify(bundle: ZipFile, folder: Path, known: Known) -> Report:
    report = Report()
    about = json.loads(read(bundle, ABOUT))
    report.remarks.append(f"made {about['made']} for: {about['purpose']}; keeping: {about['retention']}")
    there = set(bundle.namelist())
    for name in (HEADS, KEYS, WITNESSED):
        if name in there:
            (folder / name).write_bytes(read(bundle, name))
    (folder / SCHEMAS).mkdir()
    for name in there:
        if re.fullmatch(rf"{SCHEMAS}/[0-9a-f]{{64}}\.json", name):
            (folder / name).write_bytes(read(bundle, name))
    heads = check_folder(report, folder, known)
    if not heads:
        report.faults.append("there is no seal in the bundle: nothing in it can be proven")
    told = Told(sealed=report.sealed)
    report.faults += check_trail(bundle, heads, told)
    report.rows = told.rows
    report.faults += told.faults[:SHOWN]
    report.faults += first(check_scores(told))
    check_mended(report, told.events, told.reasons)
    report.remarks += say_unexplained(unexplained(told))
    report.remarks += say_unnamed(told.unnamed, told.unknown)
    if told.rows > told.sealed:
        report.remarks.append(f"rows after row {told.sealed} are not sealed yet; what they say counts for nothing here")
    report.faults += first(check_answers(bundle, folder, told, report))
    return report


def read(bundle: ZipFile, name: str) -> bytes:
    """Return a file of a bundle. Raises ValueError for one that is too large to be what it says."""
    if bundle.getinfo(name).file_size > MAX_LINE:
        raise ValueError(f"{name} is too large")
    return bundle.read(name)


def first(faults: Iterator[str]) -> list[str]:
    found = list(faults)
    return found[:SHOWN] + ([f"… and {len(found) - SHOWN} more of these"] if len(found) > SHOWN else [])


def check_trail(bundle: ZipFile, heads: Sequence[Head], told: Told) -> Iterator[str]:
    """Hash the rows again, compare the roots with the seals, and gather what the rows say."""
    if bundle.getinfo(ROWS).file_size > MAX_FILE:
        raise ValueError(f"{ROWS} is too large")
    tree, stops = Tree(), {head.size: head for head in heads}
    wrong: str | None = None
    with bundle.open(ROWS) as file:
        while line := file.readline(MAX_LINE):
            data = json.loads(line)
            told.rows += 1
            if "leaf" in data:
                tree.add(bytes.fromhex(data["leaf"]))
            else:
                tree.add(leaf_hash(leaf_of(data, told)))
                if told.rows <= told.sealed:
                    gather(data, told)
            head = stops.get(tree.end)
            if head and wrong is None and tree.root.hex() != head.root:
                wrong = f"the rows of the bundle are not those that were sealed in seal {head.number} of {head.at}"
    if wrong:
        yield wrong
    if heads and told.rows < heads[-1].size:
        yield f"the bundle has {told.rows} rows of the trail, and {heads[-1].size} were sealed"


def leaf_of(data: Mapping[str, Any], told: Told) -> bytes:
    """Return the data of a disclosed row's leaf, worked out from what the bundle tells."""
    *head, old, new, salt = data["row"]
    half, person = data.get("person"), ""
    if half:
        person = half["hash"]
        if "salt" in half and person_hash(half["salt"], half["id"], half["old"], half["new"]) != person:
            told.faults.append(f"the names in row {head[0]} are not those that were recorded")
    return json.dumps([*head, main_hash(salt, old, new), person], ensure_ascii=False, separators=(",", ":")).encode()


def gather(data: Mapping[str, Any], told: Told) -> None:
    """Take from a sealed row what it says of scores."""
    seq, at, _user, actor, run, reason, tbl, op, row_id, old, new, _salt = data["row"]
    who = data.get("person", {}).get("who", "")
    if tbl in ONLY_ADDED and op in ("update", "delete") and data["row"][9] != new:
        told.faults.append(f"row {seq}: {op} of {tbl}, whose rows are only ever added")
    if actor == "unknown":
        told.unnamed += 1
        told.unknown = [*told.unknown, seq][:FEW]
    if tbl in ("grade", "comment") and not (op == "snapshot" and old is None):
        change = Row(seq, run, reason, tbl, json.loads(old or "null"), json.loads(new or "null"))
        if lacks_reason(replace(change, after_release=is_after_release(change, 0))):
            told.changed.append((seq, tbl, row_id))
    if tbl in TABLES:
        rows = told.tables.setdefault(tbl, {})
        row = json.loads(new or data["row"][9])
        if new is None:
            rows.pop(str(row["id"]), None)
        else:
            rows[str(row["id"])] = row
        if tbl == "submitted_assignment":
            told.whose[str(row["id"])] = who
        return
    if new is None:
        return
    row = json.loads(new)
    if tbl == "counterside_event" and op == "insert":
        told.events.append((seq, at, actor, new))
        if row["kind"] == "feedback":
            told.released.setdefault((who, row["chapter"]), seq)
    elif tbl == "counterside_reason":
        told.reasons[row["seq"]] = row["reason"]
    elif tbl == "counterside_run":
        told.runs[row["id"]] = row["scorer"]
    elif tbl == "counterside_submission":
        told.last_run[who, row["assignment"]] = row["run_id"]
    elif tbl == "counterside_evidence" and op in ("insert", "snapshot"):
        told.evidence[who, row["assignment"], row["item"]] = row


def check_scores(told: Told) -> Iterator[str]:
    """Compare the automatic scores with the evidence."""
    tables = told.tables
    for grade in tables.get("grade", {}).values():
        cell = tables.get("base_cell", {}).get(str(grade["cell_id"]))
        of = learner_and_chapter(told, grade)
        if cell is None or of is None:
            continue
        where = (*of, cell["name"])
        evidence = told.evidence.get(where)
        if evidence is not None and (
            grade["auto_score"] is None or abs(grade["auto_score"] - evidence["earned"]) > 1e-9
        ):
            learner, chapter, item = where
            yield (
                f"the automatic score of {learner} for {item} in {chapter} is {grade['auto_score']}, "
                f"its evidence says {evidence['earned']}"
            )


def learner_and_chapter(told: Told, row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return of whom and of which chapter a grade or comment is, or None where the bundle does not say."""
    tables = told.tables
    notebook = tables.get("submitted_notebook", {}).get(str(row["notebook_id"]))
    submission = tables.get("submitted_assignment", {}).get(str(notebook["assignment_id"])) if notebook else None
    assignment = tables.get("assignment", {}).get(str(submission["assignment_id"])) if submission else None
    return (told.whose[str(submission["id"])], assignment["name"]) if submission and assignment else None


def unexplained(told: Told) -> list[int]:
    """Return the rows that changed a mark or a comment after its release, and that nobody explained."""
    found = []
    for seq, tbl, row_id in told.changed:
        row = told.tables.get(tbl, {}).get(row_id)
        of = learner_and_chapter(told, row) if row else None
        if of in told.released and seq > told.released[of] and seq not in told.reasons:
            found.append(seq)
    return found


def check_answers(bundle: ZipFile, folder: Path, told: Told, report: Report) -> Iterator[str]:
    """Score every answer again from the log and the item, and compare with the evidence."""
    items: dict[tuple[str, str], tuple[Item, float]] = {}
    for data in json.loads(read(bundle, ITEMS)):
        item = read_item(data)
        items[data["chapter"], item.id] = (item, float(data["points"]))
    logs: dict[tuple[str, str], Log | None] = {}
    learners, scored, answered, other_key, other_scorer = set[str](), 0, 0, 0, set[str]()
    for where, evidence in sorted(told.evidence.items()):
        learner, chapter, name = where
        if (chapter, name) not in items:
            yield f"the bundle has no item {name} of {chapter}, of which there is evidence"
            continue
        item, points = items[chapter, name]
        if (evidence["item_hash"], evidence["key_hash"]) != (item.hash, item.key_hash):
            other_key += 1
            continue
        if (learner, chapter) not in logs:
            logs[learner, chapter] = read_log(bundle, folder, f"responses/{learner}/{chapter}.jsonl")
        log = logs[learner, chapter]
        if log is None:
            if evidence["line"] is not None:
                yield f"the response log of {learner} for {chapter} is not in the bundle, or can't be read"
            continue
        lines = {id(record): line for record, line in zip(log.records, log.hashes, strict=True)}
        mine = [record for record in log.records if record.item == name]
        outcome, _notes = assess_item(item, points, mine, lines)
        scored += 1
        answered += outcome.line is not None
        learners.add(learner)
        different = compare(outcome, evidence)
        if different:
            yield f"{learner}, {name} in {chapter}: {different}"
        run = told.runs.get(evidence["run_id"])
        if run is not None and run != scorer():
            other_scorer.add(run)
    report.remarks.append(f"{scored} exercises of {len(learners)} learners, {answered} answered, scored again")
    if other_key:
        report.remarks.append(f"{other_key} were not: the item or its key is another one now")
    if other_scorer:
        report.remarks.append(
            f"scorers of another version ({', '.join(sorted(other_scorer))}) gave some; here {scorer()}"
        )


def compare(outcome: Outcome, evidence: Mapping[str, Any]) -> str:
    """Say what differs between an answer scored again and its evidence, or nothing."""
    if outcome.line != evidence["line"]:
        return "the answer that was graded is not the one in the response log"
    if outcome.state != evidence["state"]:
        return f"scored again it is {outcome.state}, its evidence says {evidence['state']}"
    if abs(outcome.earned - evidence["earned"]) > 1e-9:
        return f"scored again it earns {outcome.earned}, its evidence says {evidence['earned']}"
    if list(outcome.flags) != json.loads(evidence["flags"]):
        return "scored again it has other flags than its evidence"
    return ""


def read_item(data: Mapping[str, Any]) -> Item:
    """Return an item of a bundle. Raises ValueError, as pydantic's errors are, or KeyError."""
    head = ItemHead.model_validate_json(json.dumps(data["head"]))
    kind = TYPES[head.type]
    public, key = (
        model.model_validate_json(json.dumps(data[name]))
        for name, model in (("public", kind.public), ("key", kind.key))
    )
    return Item(head, kind, public, key)


def read_log(bundle: ZipFile, folder: Path, name: str) -> Log | None:
    """Return a response log of a bundle, or None where there is none that can be read."""
    try:
        if bundle.getinfo(name).file_size > MAX_BYTES:
            return None
    except KeyError:
        return None
    path = folder / f"{sha256(name.encode()).hexdigest()}.jsonl"
    path.write_bytes(bundle.read(name))
    log = Log(path)
    try:
        log.refresh()
    except LogError:
        return None
    finally:
        path.unlink()
    return log
