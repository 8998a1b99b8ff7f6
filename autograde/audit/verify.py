"""`counterside audit verify`: whether the gradebook is what was sealed, and its tables what the trail makes them.

Nothing here writes. Memory does not grow with the trail: it is read in
stretches, side by side in processes, and compared as sums (see `rows`).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from autograde.audit.book import TrailReader, readable
from autograde.audit.differences import differences
from autograde.audit.evidence import check_responses, check_scores
from autograde.audit.heads import (
    HEADS,
    WITNESSED,
    Head,
    check_chain,
    log_id,
    read_heads,
    read_leaves,
    read_schema,
)
from autograde.audit.keys import canonical, lost_keys, read_keys
from autograde.audit.merkle import Tree
from autograde.audit.rows import BUCKETS, CHUNK, FEW, MASK, Part, behind, bucket, read_part, weight
from autograde.audit.schema import CONTEXT, HEAD, REASON, WATCHED
from autograde.audit.trail import NO_TRAIL, dialect, kept, live_rows, missing, open_read_only, reading, size
from autograde.audit.witness import check_witnessed, read_seen
from autograde.audit.words import counted
from autograde.place import CourseError
from autograde.tables import cause

MANY = 4 * CHUNK  # rows from which on it pays to read side by side
TOLERANCE = 120.0  # seconds between the clocks of a database and of whoever seals
SHOWN = 5


@dataclass(slots=True)
class Report:
    """What verifying found: `faults` are what must not be, `remarks` what a person should know."""

    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)  # what was asked for, and found to be so
    rows: int = 0
    sealed: int = 0
    heads: int = 0
    last: Head | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of keys and seals from elsewhere.

    `first_key` is the beginning of the id of the first key, `witnessed` are files that witnesses wrote, `sealed` are
    printed seals: number, colon, and at least 16 hex digits of the root.
    """

    first_key: str | None = None
    witnessed: Sequence[Path] = ()
    sealed: Sequence[str] = ()


NOTHING_KNOWN = Known()


def verify(
    db_url: str,
    seals: Path,
    submitted: Path | None = None,
    *,
    known: Known = NOTHING_KNOWN,
    workers: int = 1,
) -> Report:
    """Check all that can be checked. Raises CourseError where there is nothing to check."""
    report = Report()
    heads = check_folder(report, seals, known)
    if not heads:
        report.remarks.append("nothing was sealed yet; run “counterside audit seal”")
    with as_it_can_be_read(db_url) as url:
        check_gradebook(report, url, seals, submitted, heads, workers)
    return report


@contextmanager
def as_it_can_be_read(db_url: str) -> Iterator[str]:
    """Yield the address of a gradebook, or of a private copy: an account that may only read can't open SQLite's log.

    Raises CourseError.
    """
    path = Path(make_url(db_url).database or "") if db_url.startswith("sqlite") else None
    try:
        if path is None or not path.is_file():
            yield db_url
        else:
            with readable(path) as there:
                yield f"sqlite:///{there}"
    except DBAPIError as error:
        raise CourseError(f"the gradebook can't be read: {cause(error)}") from error


def check_gradebook(
    report: Report, db_url: str, seals: Path, submitted: Path | None, heads: Sequence[Head], workers: int
) -> None:
    """Check all that needs the database. Raises CourseError or DBAPIError when it can't be read."""
    engine = open_read_only(db_url)
    try:
        with reading(engine) as connection:
            if not kept(connection):
                if not heads:
                    raise CourseError(NO_TRAIL)
                report.faults.append(f"the trail is gone from the gradebook; {heads[-1].size} of its rows were sealed")
                return
            report.rows = size(connection)
            with to_the_end(report, "the copies of the seals"):
                check_copies(report, connection, heads)
            with to_the_end(report, "triggers and tables"):
                check_triggers(report, connection, seals, heads)
            key = secrets.token_bytes(32)
            with to_the_end(report, "the rows of the trail"), ExitStack() as stack:
                parts = read_parts(stack, db_url, connection, seals, report.rows, heads, key, workers)
                live = live_sums(report, connection, key)  # meanwhile
                check_rows(report, connection, parts, live, heads)
            if submitted is not None and all(inspect(connection).has_table(name) for name in WATCHED):
                with to_the_end(report, "scores and their evidence"):
                    check_scores(report.faults, connection)
                with to_the_end(report, "the response logs"):
                    check_responses(report.faults, connection, submitted)
                with to_the_end(report, "reasons"):
                    check_reasons(report, connection)
    finally:
        engine.dispose()


@contextmanager
def to_the_end(report: Report, what: str) -> Iterator[None]:
    """Name it as a fault when a check stumbles: nobody may end all checks by what they write into the database."""
    try:
        yield
    except CourseError as error:
        report.faults.append(f"{what} can't be checked: {error}")
    except Exception as error:
        why = str(getattr(error, "orig", error)).partition("\n")[0]
        report.faults.append(f"{what} can't be checked, as the gradebook has what nobody here writes: {why}")


def check_folder(report: Report, seals: Path, known: Known) -> Sequence[Head]:
    """Check what needs no database: keys, seals, and what is known of them from elsewhere. Raises CourseError."""
    keys, faults = read_keys(seals)
    report.faults += faults
    heads, faults = read_heads(seals / HEADS)
    report.faults += faults
    report.faults += check_chain(heads, keys)
    report.remarks += lost_keys(keys)
    report.faults += check_witnessed(read_seen(seals / WITNESSED), heads)
    compare_known(report, known, keys[0].id if keys else "missing", heads)
    report.heads, report.sealed = len(heads), heads[-1].size if heads else 0
    report.last = heads[-1] if heads else None
    for before, head in pairwise(heads):
        if before.schema != head.schema:
            old, new = read_schema(seals, before.schema), read_schema(seals, head.schema)
            what = changed(old, new) if old is not None and new is not None else "in a way that nothing tells"
            report.remarks.append(f"between seal {before.number} and {head.number} the database was changed: {what}")
    return heads


def compare_known(report: Report, known: Known, first_key: str, heads: Sequence[Head]) -> None:
    """Compare keys and seals with what is known of them from elsewhere. Raises CourseError for what can't be that."""
    if known.first_key is not None:
        if not known.first_key:
            raise CourseError("--key is empty; give the beginning of the id that the first key must have")
        if first_key.startswith(known.first_key):
            report.compared.append(f"the first key is as asked: {first_key}")
        else:
            report.faults.append(f"the first key is not {known.first_key}, but {first_key}")
    for path in known.witnessed:
        seen = read_seen(path)
        if not seen:
            raise CourseError(f"no witness signed anything in {path}; name a file that “… audit witness” wrote")
        faults = check_witnessed(seen, heads)
        report.faults += faults
        lines = "1 witness line" if len(seen) == 1 else f"{len(seen)} witness lines"
        if not faults:
            report.compared.append(f"compared with {lines}, up to seal {max(entry['number'] for entry in seen)}")
    for said in known.sealed:
        match = re.fullmatch(r"([1-9][0-9]{0,9}):([0-9a-fA-F]{16,64})", said.strip())
        if match is None:
            raise CourseError(f"“{said}” is no seal; write its number, a colon and at least 16 digits of its root")
        number, root = int(match[1]), match[2].lower()
        if number > len(heads):
            words = f"there is no seal {number}, and the last is {len(heads)}"
            report.faults.append(f"{words}: the seals were put back to an earlier state")
        elif heads[number - 1].root.startswith(root):
            report.compared.append(f"seal {number} has the root that begins with {root}")
        else:
            report.faults.append(
                f"seal {number} has another root than {root}: it begins with {heads[number - 1].root[:16]}"
            )


def check_copies(report: Report, connection: Connection, heads: Sequence[Head]) -> None:
    """Compare the seals with the copies that the gradebook has of them."""
    copies = {row.number: row.head.encode() for row in connection.execute(select(HEAD).order_by(HEAD.c.number))}
    for number, line in copies.items():
        if number > len(heads):
            words = f"the gradebook has a copy of seal {number}, and the folder ends with seal {len(heads)}"
            report.faults.append(f"{words}: the seals were put back to an earlier state")
            break
        if heads[number - 1].line != line:
            report.faults.append(f"seal {number} is not the one that the gradebook has a copy of")
            break
    if heads:
        try:
            if log_id(connection) != heads[-1].log:
                report.faults.append("the seals are of another gradebook")
        except CourseError as error:
            report.faults.append(str(error).partition(";")[0])
    absent = [head.number for head in heads if head.number not in copies]
    if absent:
        report.faults.append(f"the gradebook has no copy of seal {absent[0]}: was it put back to an earlier state?")
    if heads and report.rows < heads[-1].size:
        words = f"the trail ends with row {report.rows}, and {heads[-1].size} rows were sealed"
        report.faults.append(f"{words}: its end was cut off, or an older gradebook was put in its place")


def check_triggers(report: Report, connection: Connection, seals: Path, heads: Sequence[Head]) -> None:
    """Compare triggers with what they should be, and the make-up of the database with what was sealed."""
    faults = missing(connection)
    report.faults += [f"trigger {words}" for words in faults[:SHOWN]]
    if connection.execute(select(func.count()).select_from(CONTEXT)).scalar_one():
        report.faults.append("a name was left in counterside_context, and is given to whoever writes next")
    now = dict(dialect(connection).schema(connection))
    if heads and sha256(canonical(now)).hexdigest() != heads[-1].schema:
        sealed = read_schema(seals, heads[-1].schema)
        what = changed(sealed, now) if sealed is not None else "and what it was is no longer in the folder of the seals"
        report.faults.append(f"the database is not made as it was when seal {len(heads)} was set: {what}")


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say what is other than it was."""
    words = [f"{name} is gone" for name in before if name not in now]
    words += [f"{name} was added" for name in now if name not in before]
    words += [f"{name} was changed" for name in now if name in before and now[name] != before[name]]
    return "; ".join(words[:SHOWN]) + ("; …" if len(words) > SHOWN else "")


def check_reasons(report: Report, connection: Connection) -> None:
    """Say what bears on scores and was changed after feedback was released without a word."""
    report.remarks += say_unexplained(unexplained(connection))


def say_unexplained(rows: Sequence[int]) -> Iterator[str]:
    if rows:
        shown = ", ".join(map(str, rows[:SHOWN])) + (", …" if len(rows) > SHOWN else "")
        count = counted(len(rows), "change")
        words = f"{count} of marks, comments or dates after feedback was released, no reason given: rows {shown}"
        yield f"{words} (“counterside audit reason …”)"


def unexplained(connection: Connection) -> list[int]:
    """Return the rows of the trail after a release that need a reason and have none."""
    reader = TrailReader(connection)
    if not reader.released:
        return []
    return [change.seq for change in reader.changes(None) if change.after_release and change.lacks_reason]


# ---- the rows -------------------------------------------------------------------------------


def read_parts(
    stack: ExitStack,
    db_url: str,
    connection: Connection,
    seals: Path,
    rows: int,
    heads: Sequence[Head],
    key: bytes,
    workers: int,
) -> Iterator[Part]:
    """Yield what each stretch of the trail comes to, in order."""
    stops = [head.size for head in heads]
    tasks = [
        (start, min(start + CHUNK, rows), [stop for stop in stops if start < stop <= start + CHUNK])
        for start in range(0, rows, CHUNK)
    ]
    sealed = stops[-1] if stops else 0

    def leaves(start: int, end: int) -> bytes:
        return read_leaves(seals, start, min(end, sealed)) if start < sealed else b""

    if workers > 1 and rows >= MANY:
        pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn")))
        return pool.map(
            read_elsewhere,
            [(db_url, start, end, mine, key, leaves(start, end)) for start, end, mine in tasks],
        )
    return (read_part(connection, start, end, mine, key, leaves(start, end)) for start, end, mine in tasks)


def read_elsewhere(task: tuple[str, int, int, Sequence[int], bytes, bytes]) -> Part:
    db_url, start, end, stops, key, leaves = task
    with reading(own_engine(db_url)) as connection:
        return read_part(connection, start, end, stops, key, leaves)


@cache
def own_engine(db_url: str) -> Engine:
    """Return the engine of a worker."""
    return open_read_only(db_url)


def live_sums(report: Report, connection: Connection, key: bytes) -> list[int]:
    """Return the sums over the tables as they are now."""
    sums = [0] * BUCKETS
    for table in WATCHED:
        try:
            for row_id, main, person in live_rows(connection, table):
                sums[bucket(row_id)] += weight(key, table, row_id, main, person)
        except DBAPIError:
            report.faults.append(f"the table {table} is gone or can't be read")
            return sums
    return sums


def check_rows(
    report: Report, connection: Connection, parts: Iterable[Part], live: Sequence[int], heads: Sequence[Head]
) -> None:
    """Check the rows one by one against the seals, and all of them against the tables."""
    tree, whole = Tree(), True
    sums, gone, unknown, unnamed, snapshots = [0] * BUCKETS, list[int](), list[int](), 0, 0
    events: list[tuple[int, str, str, str]] = []
    roots: dict[int, bytes] = {}
    times: dict[int, str] = {}
    faults: list[tuple[int, str]] = []
    strange: int | None = None
    for part in parts:
        for stop, nodes in part.stops.items():
            at = tree.copy()
            at.add_all(nodes)
            roots[stop] = at.root
        tree.add_all(part.nodes)
        sums = [mine + other for mine, other in zip(sums, part.sums, strict=True)]
        gone += part.gone
        unknown = (unknown + part.unknown)[:FEW]
        unnamed += part.unnamed
        snapshots += part.snapshots
        events += part.events
        times |= part.times
        faults += part.faults
        strange = part.strange if strange is None else strange
        whole = whole and tree.end == part.end
        if not whole:
            break
    report.faults += sealed_rows(heads, roots, strange, report.rows if whole else tree.end)
    report.faults += [words for _seq, words in sorted(faults)[:SHOWN]]
    report.faults += sealed_times(heads, times)
    check_events(report, connection, events, gone, snapshots)
    if whole:
        wrong = {place for place in range(BUCKETS) if (sums[place] - live[place]) & MASK}
        if wrong:
            report.faults += differences(connection, report.rows, wrong)
    report.remarks += say_unnamed(unnamed, unknown)


def say_unnamed(unnamed: int, unknown: Sequence[int]) -> Iterator[str]:
    """Say how many rows nobody is named for; `unknown` are the first of them."""
    if unnamed:
        shown = ", ".join(map(str, unknown)) + (", …" if unnamed > FEW else "")
        were = "row was" if unnamed == 1 else "rows were"
        yield f"{unnamed} {were} written by somebody who gave no name: {shown}"


def sealed_rows(heads: Sequence[Head], roots: Mapping[int, bytes], strange: int | None, rows: int) -> Iterator[str]:
    """Say of the first seal that the rows do not fit which row is wrong."""
    for place, head in enumerate(heads):
        if head.size > rows or roots.get(head.size, Tree().root).hex() == head.root:
            continue
        after = heads[place - 1].size if place else 0
        if strange is not None and strange <= head.size:
            yield f"row {strange} of the trail is not the one that was sealed in seal {head.number} of {head.at}"
        else:
            yield f"one of rows {after + 1} to {head.size} is not the one that was sealed in seal {head.number}"
        return


def sealed_times(heads: Sequence[Head], times: Mapping[int, str]) -> Iterator[str]:
    """Say which rows tell a time that their seal makes impossible."""
    for head in heads:
        at = times.get(head.size)
        if at is not None and behind(at, head.at) > TOLERANCE:
            yield f"row {head.size} says {at}, and was sealed at {head.at}: one of both clocks was wrong"


def check_events(
    report: Report,
    connection: Connection,
    events: Sequence[tuple[int, str, str, str]],
    gone: Sequence[int],
    snapshots: int,
) -> None:
    """Check that what was mended was explained, and what was dropped erased in due form."""
    reasons = {row.seq: row.reason for row in connection.execute(select(REASON.c.seq, REASON.c.reason))}
    said, erased = check_mended(report, events, reasons)
    if said != snapshots:
        report.faults.append(f"{snapshots} rows say that they are of a snapshot, and snapshots took {said}")
    unsaid = [seq for seq in gone if seq not in erased]
    if unsaid:
        report.faults.append(f"the personal half of row {unsaid[0]} was dropped, and no erasure says so")


def check_mended(
    report: Report, events: Sequence[tuple[int, str, str, str]], reasons: Mapping[int, str]
) -> tuple[int, set[int]]:
    """Tell of erasures and of what was mended; return how many rows snapshots took, and which ones were erased."""
    said, erased = 0, set[int]()
    for number, (seq, at, actor, row) in enumerate(events):
        try:
            event = json.loads(row)
            detail = json.loads(event["detail"])
            kind = event["kind"]
        except (ValueError, KeyError, TypeError):
            report.faults.append(f"row {seq} tells of an event that can't be read")
            continue
        if kind == "erase":
            erased |= set(detail["rows"])
            report.remarks.append(f"a learner's personal data were erased at {at} by {actor} (row {seq})")
        if kind == "install":
            said += detail["rows"]
            if number:
                words = f"no trail was kept for a time before {at}, when {actor} mended it (row {seq}): "
                words += f"{'; '.join(detail.get('mended', [])[:SHOWN])}; "
                words += f"{counted(detail['rows'], 'row')} had changed meanwhile"
                if seq in reasons:
                    report.remarks.append(f"{words}. Reason given: {reasons[seq]}")
                else:
                    report.faults.append(f"{words}. No reason given (“counterside audit reason {seq} …”)")
    return said, erased
