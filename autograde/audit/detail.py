"""One learner's chapter in full: what was answered, what each rule gave, who marked, and what was changed since.

Answers are read from what was collected and judged again while somebody looks,
so that the page can say whether the score still follows from them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograde.audit.book import Book, Change, Evidence, Reader, Standing, reading
from autograde.audit.late import COUNTS, is_first_mark
from autograde.config import CourseConfig
from autograde.engine import Outcome, Verdict, plain
from autograde.marks import CriterionMark
from autograde.submission import handed_in, read
from curriculum.build import criterion_cells, note_id
from curriculum.copying import plain_file
from curriculum.log import Log, LogError
from curriculum.model import Item, Text
from curriculum.verdict import InvalidResponseError, parse

Key = tuple[str, str]  # learner and chapter
FEW = 900  # ids that one query can name
RECEIPTS, MAX_RECEIPTS = "receipts.jsonl", 64 * 2**20
WATCHED = (*COUNTS, "counterside_event", "counterside_submission")
NO_LOG = Text(
    zh="这里读不到收上来的作答，因此只能给出成绩册里的依据。",
    en="What was collected can't be read here, so only the gradebook's evidence is shown.",
)
OTHER_LINE = Text(
    zh="计分时的那条记录已不在作答记录里；下面是现在记录里的作答。",
    en="The record that was scored is not in the response log any more; below stands the answer that is there now.",
)
INVALID = Text(zh="保存的内容不是本题能产生的作答：", en="What was saved is no answer that the exercise can produce: ")
SAME = Text(
    zh="按今天的题目与规则重新计分，结果相同。",
    en="Scored again by today's content and rules, with the same result.",
)
CHANGED = Text(
    zh="计分之后，题目或答案已有新版本；说明文字是今天的，分数是当时的。",
    en="The exercise or its key has changed since; the words are today's, the points are those of then.",
)
DIFFERS = Text(
    zh="按今天的规则重新计分，结果不同：{now}，当时 {then}。",
    en="Scored again by today's rules, the result differs: {now} now, {then} then.",
)


def details(book: Book, wanted: Sequence[Standing]) -> dict[Key, dict[str, Any]]:
    """Return all there is to show of some standings, by learner and chapter, as JSON has it."""
    assert book.config
    keys = {(one.learner, one.chapter) for one in wanted}
    with reading(book.config.db_url) as connection:
        reader = Reader(connection, book.course, book.config)
        history, comments = read_history(reader, book, keys), read_comments(reader, keys)
    receipts = read_receipts(book.config.folder / RECEIPTS, keys)
    return {
        key: Detail(book, one, history[key], comments[key], receipts[key]).told()
        for one in wanted
        if (key := (one.learner, one.chapter))
    }


def read_history(reader: Reader, book: Book, keys: set[Key]) -> dict[Key, list[Change]]:
    """Return everything the trail has of some standings, first writes and runs included."""
    found: dict[Key, list[Change]] = defaultdict(list)
    if book.trail is None:
        return found
    where = f"tbl IN ({', '.join(repr(name) for name in WATCHED)})"
    ids = row_ids(reader, book, keys)
    if len(ids) <= FEW:
        named = {f"id{place}": name for place, name in enumerate(sorted(ids))}
        where += f" AND row_id IN ({', '.join(f':{name}' for name in named)})"
    else:
        named = {}
    for change in reader.trail(where, book.head, **named):
        key = (change.learner or "", change.chapter or "")
        if key in keys:
            found[key].append(change)
    return found


def row_ids(reader: Reader, book: Book, keys: set[Key]) -> set[str]:
    """Return the ids of all rows of some standings: those there are, and those of which a change is known."""
    ids = {change.row_id for change in book.changes if (change.learner, change.chapter) in keys}
    ids |= {"|".join(key) for key in keys}
    if len(keys) > FEW:
        return ids | {str(number) for number in range(FEW + 1)}
    submissions = {
        name for name, (learner, chapter, *_) in reader.names.submissions.items() if (learner, chapter) in keys
    }
    notebooks = [name for name, (submission, _penalty) in reader.names.notebooks.items() if submission in submissions]
    ids |= submissions | set(notebooks)
    for table in ("grade", "comment"):
        ids |= {row.id for row in of_notebooks(reader, f"SELECT id FROM {table}", notebooks)}
    return ids


def of_notebooks(reader: Reader, query: str, notebooks: Sequence[str]) -> list[Any]:
    rows: list[Any] = []
    for start in range(0, len(notebooks), FEW):
        named = {f"id{place}": name for place, name in enumerate(notebooks[start : start + FEW])}
        names = ", ".join(f":{name}" for name in named)
        rows += reader.rows(f"{query} WHERE notebook_id IN ({names})", **named)
    return rows


def read_comments(reader: Reader, keys: set[Key]) -> dict[Key, dict[str, str]]:
    """Return what trainers wrote to learners, by cell."""
    found: dict[Key, dict[str, str]] = defaultdict(dict)
    names = reader.names
    query = "SELECT notebook_id, cell_id, manual_comment FROM comment WHERE manual_comment IS NOT NULL"
    for notebook, cell, words in reader.rows(query):
        learner, chapter = names.of_notebook(notebook)
        if (learner, chapter) in keys and cell in names.cells:
            found[str(learner), str(chapter)][names.cells[cell]] = words
    return found


def read_receipts(path: Path, keys: set[Key]) -> dict[Key, list[Mapping[str, Any]]]:
    """Return what collecting noted of each submission."""
    found: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
    for line in (plain_file(path, MAX_RECEIPTS) or b"").splitlines():
        try:
            row = json.loads(line)
            key = (str(row["learner"]), str(row["chapter"]))
        except (ValueError, KeyError, TypeError):
            continue
        if key in keys:
            found[key].append(row)
    return found


class Detail:
    """Puts together what is known of one standing."""

    def __init__(
        self,
        book: Book,
        standing: Standing,
        history: Sequence[Change],
        comments: Mapping[str, str],
        receipts: Sequence[Mapping[str, Any]],
    ) -> None:
        self.book = book
        self.standing = standing
        self.history = history
        self.comments = comments
        self.receipts = receipts
        self.chapter = book.course.chapter(standing.chapter)
        assert book.config
        self.folder = book.config.submitted / standing.learner / standing.chapter
        self.verdict = self.judged(book.config)
        self.responses = self.records()

    def judged(self, config: CourseConfig) -> Verdict | None:
        """Judge what was collected again, or return None where it can't be read."""
        released = config.released / self.chapter.id / f"{self.chapter.id}.ipynb"
        try:
            return (
                read(self.chapter, released, self.folder, handed_in(self.chapter, self.folder))[0]
                if self.folder.is_dir()
                else None
            )
        except OSError:
            return None

    def records(self) -> dict[str, Any]:
        """Return the responses of the log by the SHA-256 of their line."""
        log = Log(self.folder / "responses" / f"{self.chapter.id}.jsonl")
        try:
            log.refresh()
        except LogError:
            return {}
        return {hashed: record.response for record, hashed in zip(log.records, log.hashes, strict=True)}

    def told(self) -> dict[str, Any]:
        outcomes = {one.item: one for one in self.verdict.outcomes} if self.verdict else {}
        owned = {name: self.cells_of(name) for name in self.standing.cells}
        by_cell: dict[str, list[Change]] = defaultdict(list)
        home = {cell: name for name, cells in owned.items() for cell in cells}
        for change in self.history:
            by_cell[home.get(change.cell or "", "")].append(change)
        return {
            "items": [self.item(name, outcomes.get(name), by_cell[name]) for name in self.standing.cells],
            "changes": self.changes(by_cell[""]),
            "remarks": self.verdict.remarks if self.verdict else [],
            "receipt": self.verdict.receipt if self.verdict else None,
            "collected": list(self.receipts),
        }

    def changes(self, history: Iterable[Change]) -> list[dict[str, Any]]:
        """Return changes as JSON has them, without rows that came to be empty."""
        told = (as_json(change) for change in history)
        return [one for one in told if one["columns"] or one["op"] in ("update", "delete")]

    def cells_of(self, name: str) -> list[str]:
        item = self.book.course.items[name]
        return [name, note_id(name), *(cell.id for cell in criterion_cells(item, self.chapter.points[name]))]

    def item(self, name: str, outcome: Outcome | None, history: Sequence[Change]) -> dict[str, Any]:
        item, cell = self.book.course.items[name], self.standing.cells[name]
        why = cell.evidence
        response, notes = self.response(item, why, outcome)
        rules = json.loads(why.rules) if why else []
        matches = outcome is not None and [row.because for row in outcome.rows] == [rule for rule, *_ in rules]
        if why and outcome and why.state != "unanswered":
            notes.append(compared(why, outcome, matches))
        said = [words for one in self.cells_of(name) if (words := self.comments.get(one))]
        return {
            "item": name,
            "response": response,
            "notes": [note.model_dump() for note in notes],
            "missing": outcome.missing.model_dump() if outcome and outcome.missing else None,
            "rows": [
                {"rule": rule, "earned": earned, "point": point, "law": law}
                | (
                    outcome.rows[place].model_dump(include={"did", "good", "why", "better"})
                    if matches and outcome
                    else {}
                )
                for place, (rule, earned, point, law) in enumerate(rules)
            ],
            "criteria": list(self.criteria(item, cell.criteria, history)),
            "comments": said,
            "evidence": None if why is None else self.evidence(why),
            "changes": self.changes(history),
        }

    def response(self, item: Item, why: Evidence | None, outcome: Outcome | None) -> tuple[Any, list[Text]]:
        """Return the answer that counted as the exercise takes it, or None, and what is to be said of it."""
        if self.verdict is None or self.verdict.refused:
            return None, [NO_LOG]
        line = why.line if why else None
        notes = []
        if line is not None and line not in self.responses:
            notes.append(OTHER_LINE)
            line = outcome.line if outcome else None
        elif line is None and outcome is not None and why is None:
            line = outcome.line
        if line is None or line not in self.responses:
            return None, notes
        raw = self.responses[line]
        try:
            return parse(item.kind, item.public, raw).model_dump(mode="json"), notes
        except InvalidResponseError as error:
            words = plain(str(error))
            return None, [*notes, Text(zh=f"{INVALID.zh}{words}", en=f"{INVALID.en}{words}")]

    def criteria(
        self, item: Item, marks: Mapping[str, float | None], history: Iterable[Change]
    ) -> Iterable[dict[str, Any]]:
        marked = list(history)
        for cell in criterion_cells(item, self.chapter.points[item.id]):
            mark = CriterionMark(cell.criterion, cell.points, marks.get(cell.criterion.id))
            by = [
                change
                for change in marked
                if change.cell == cell.id
                and change.table == "grade"
                and (change.new or {}).get("manual_score") != (change.old or {}).get("manual_score")
            ]
            yield {
                "id": cell.criterion.id,
                "title": cell.criterion.title.model_dump(),
                "points": cell.points,
                "score": mark.score,
                "level": mark.level.model_dump() if mark.level else None,
                "by": by[-1].actor if by else None,
                "at": by[-1].at if by else None,
            }

    def evidence(self, why: Evidence) -> dict[str, Any]:
        run = self.book.runs.get(why.run_id)
        return {
            "item_hash": why.item_hash,
            "key_hash": why.key_hash,
            "seq": why.seq,
            "at": plain(why.at) if why.at else None,
            "line": why.line,
            "run": why.run_id,
            "graded": run.at.isoformat(timespec="seconds") if run and run.at else None,
            "scorer": run.scorer if run else None,
            "earned": why.earned,
            "automatic": why.possible - why.by_hand,
        }


def compared(why: Evidence, outcome: Outcome, matches: bool) -> Text:
    """Say whether the answer still earns what it earned."""
    if (why.item_hash, why.key_hash) != (outcome.item_hash, outcome.key_hash):
        return CHANGED
    if matches and why.earned == outcome.earned and why.line == outcome.line:
        return SAME
    values = {"now": f"{outcome.earned:.2f}", "then": f"{why.earned:.2f}"}
    return Text(zh=DIFFERS.zh.format(**values), en=DIFFERS.en.format(**values))


def as_json(change: Change) -> dict[str, Any]:
    """Return a change with no more than what was changed."""
    old, new = change.old or {}, change.new or {}
    columns = [name for name in {**old, **new} if old.get(name) != new.get(name) and not name.endswith("id")]
    return {
        "seq": change.seq,
        "at": change.at,
        "who": change.actor,
        "db": change.db_user,
        "run": change.run_id,
        "reason": change.reason,
        "reason_by": change.reason_by,
        "reason_at": change.reason_at,
        "table": change.table,
        "op": change.op,
        "learner": change.learner,
        "chapter": change.chapter,
        "cell": change.cell,
        "columns": [[name, old.get(name), new.get(name)] for name in columns],
        "sealed": change.sealed,
        "late": change.after_release,
        "first": is_first_mark(change),
        "unexplained": change.lacks_reason,
    }
