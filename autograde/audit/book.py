"""The gradebook as an auditor reads it: what stands in it, why, and what was changed.

Everything is read at once, in a handful of queries, from a database opened so
that nothing can be written through it. Nothing here needs nbgrader.
"""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from autograde.audit.late import COUNTS, changes_score, is_after_release, lacks_reason
from autograde.config import CourseConfig
from autograde.mastery import RED_LINE, ROUNDING
from autograde.place import CourseError
from autograde.tables import NO_GRADEBOOK
from curriculum.build import criterion_cells
from curriculum.lint.coverage import section_of
from curriculum.load import Chapter, Course, load_course

COHORTS = "cohorts.csv"
EPOCH = datetime(1970, 1, 1)  # SQLite keeps a span as the time that it is after this
TRIES = 5
TRAIL = (
    "SELECT seq, at, db_user, actor, run_id, reason, tbl, op, row_id, old, new, person_old, person_new "
    "FROM counterside_trail"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an item has its automatic points: a row of `counterside_evidence`.

    `rules` is the text of a JSON list of [rule, raw units, handbook point, legal rule]. `seq`, `at` and `line`
    (SHA-256) name the record of the response log that counted.
    """

    run_id: str
    state: str
    earned: float
    possible: float
    by_hand: float
    flags: tuple[str, ...]
    rules: str
    item_hash: str
    key_hash: str
    seq: int | None
    at: str | None
    line: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One item of one learner; all numbers are points of the gradebook.

    `by_hand` is a person's score in place of the automatic one, `extra` what comes on top, `criteria` a person's
    marks by criterion, None where it is not marked yet, and `waiting` the points of those.
    """

    item: str
    possible: float
    automatic: float | None
    by_hand: float | None
    score: float
    waiting: float
    state: str
    flags: tuple[str, ...] = ()
    criteria: Mapping[str, float | None] = field(default_factory=dict)
    evidence: Evidence | None = None
    extra: float = 0.0

    @property
    def given(self) -> float | None:
        """A person's points: in place of the automatic ones, and by criterion. None where nobody gave any."""
        given = [mark for mark in (self.by_hand, *self.criteria.values()) if mark is not None]
        return sum(given) if given else None

    @property
    def stands(self) -> str:
        """The state, with "waiting" where a person has still to mark."""
        return "waiting" if self.waiting and self.state == "graded" else self.state


@dataclass(frozen=True, slots=True)
class Standing:
    """One learner in one chapter.

    `handed_in` and `due` are UTC without zone, `due` with the learner's extension. `state` is as in
    `autograde.gradebook.Entry`, where "waiting" stands before "warning"; `as_graded` has what grading said.
    `mastered` is None as long as points are waiting that decide it; `sealed` says whether a seal covers the
    last change, and is None without a trail.
    """

    learner: str
    chapter: str
    cohort: str | None
    handed_in: datetime | None
    due: datetime | None
    late_seconds: float
    penalty: float
    total: float
    possible: float
    state: str
    mastered: bool | None
    red_lines: tuple[str, ...]
    sealed: bool | None
    cells: Mapping[str, Cell]
    as_graded: str = "graded"

    @property
    def waiting(self) -> float:
        return sum(cell.waiting for cell in self.cells.values())


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the trail, with whose grade it is about as far as that can be told.

    `old` and `new` are the whole row before and after. `reason_by` and `reason_at` are there where the reason was
    given later. `after_release` says that it changed what the learner, or anybody of the chapter, had been told.
    """

    seq: int
    at: str
    db_user: str
    actor: str
    run_id: str | None
    reason: str | None
    table: str
    op: str
    row_id: str
    learner: str | None = None
    chapter: str | None = None
    cell: str | None = None
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    sealed: bool = False
    after_release: bool = False
    reason_by: str | None = None
    reason_at: str | None = None

    @property
    def lacks_reason(self) -> bool:
        return lacks_reason(self)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was changed, said later by whom."""

    words: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Run:
    """A grading run: when (UTC without zone) and by which version of the scoring code."""

    id: str
    at: datetime | None
    scorer: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest seal that the database knows of: how many rows of the trail it covers."""

    at: str
    size: int
    root: str


@dataclass(frozen=True)
class Book:
    """The gradebook, read once.

    `changes` has every change that matters to a score, but not what a grading run wrote first; `trail` is how many
    rows the trail has, None without one.
    """

    course: Course
    standings: Sequence[Standing]
    changes: Sequence[Change]
    runs: Mapping[str, Run] = field(default_factory=dict)
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))
    trail: int | None = None
    head: Head | None = None
    config: CourseConfig | None = None

    def standing(self, learner: str, chapter: str) -> Standing | None:
        """Return a learner's standing in a chapter, or None where nothing was graded."""
        return self._standings.get((learner, chapter))

    @cached_property
    def _standings(self) -> Mapping[tuple[str, str], Standing]:
        return {(one.learner, one.chapter): one for one in self.standings}


# ---- opening so that nothing can be written -------------------------------------------------


@contextmanager
def reading(db_url: str) -> Iterator[Connection]:
    """Open a gradebook for reading and nothing else, in one transaction. Raises CourseError.

    An SQLite database is opened read-only; where SQLite can't do that because this account may not write beside it,
    a private copy is read. On PostgreSQL the transaction is read-only, whatever the account may do.
    """
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url, isolation_level="REPEATABLE READ")
        try:
            with engine.connect().execution_options(postgresql_readonly=True) as connection:
                yield known(connection)
        except DatabaseError as error:
            raise CourseError(f"the gradebook can't be read: {error.orig}") from error
        finally:
            engine.dispose()
        return
    path = Path(url.database or "")
    if not path.is_file():
        raise CourseError(NO_GRADEBOOK)
    with readable(path) as copy:
        engine = create_engine("sqlite://", creator=lambda: opened(copy))
        try:
            with engine.connect() as connection:
                yield known(connection)
        except DatabaseError as error:
            raise CourseError(f"the gradebook can't be read: {error.orig}") from error
        finally:
            engine.dispose()


def known(connection: Connection) -> Connection:
    """Return the connection. Raises CourseError when it leads to no gradebook."""
    if not connection.dialect.has_table(connection, "submitted_assignment"):
        raise CourseError(NO_GRADEBOOK)
    return connection


def opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA busy_timeout = 30000")
    return connection


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """The database, or a private copy of it where it can't be opened as it lies. Raises CourseError."""
    try:
        connection = opened(path)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.close()
    except sqlite3.OperationalError:
        with TemporaryDirectory(prefix="counterside-") as folder:
            yield copied(path, Path(folder))
        return
    except sqlite3.DatabaseError as error:
        raise CourseError(f"the gradebook can't be read: {error}") from error
    yield path


def copied(path: Path, folder: Path) -> Path:
    """Copy a database that may be in use, with its log of writes. Raises CourseError when it never stands still."""
    parts = [path, path.with_name(f"{path.name}-wal")]
    for _try in range(TRIES):
        before = [stamp(part) for part in parts]
        for part in parts:
            (folder / part.name).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(part, folder / part.name)
        if [stamp(part) for part in parts] == before:
            return folder / path.name
    raise CourseError("somebody is writing the gradebook all the time; try again when they have done")


def stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


# ---- reading --------------------------------------------------------------------------------


def read_book(config: CourseConfig, course: Course | None = None, db_url: str | None = None) -> Book:
    """Return the whole gradebook. Raises CourseError when there is none, or it can't be read."""
    here = course or load_course()
    with reading(db_url or config.db_url) as connection:
        return Reader(connection, here, config).book()


class TrailReader:
    """Reads what the trail has of changes, and whose they are."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.tables = set(inspect(connection).get_table_names())
        self.names = Names(self)

    def rows(self, query: str, **values: Any) -> Iterable[Any]:
        if values:
            return self.connection.execute(text(query), values)
        # The driver's own rows: with hundreds of thousands, making better ones of them took half of the time.
        cursor: Any = self.connection.exec_driver_sql(query).cursor
        rows: Iterable[Any] = cursor
        return rows

    def trail_size(self) -> int | None:
        if "counterside_trail" not in self.tables:
            return None
        ((size,),) = self.rows("SELECT count(*) FROM counterside_trail")
        return int(size)

    def head(self) -> Head | None:
        if "counterside_head" not in self.tables:
            return None
        found = list(self.rows("SELECT head FROM counterside_head ORDER BY number DESC LIMIT 1"))
        head = parsed(found[0][0]) if found else None
        return Head(str(head.get("at")), int(head.get("size", 0)), str(head.get("root"))) if head else None

    def changes(self, head: Head | None) -> list[Change]:
        """Return what was changed of all that counts."""
        for table in ("submitted_assignment", "submitted_notebook"):  # what is gone can't be looked up any more
            for _gone in self.trail(f"tbl = '{table}' AND op = 'delete'", head):
                pass
        tables = ", ".join(f"'{name}'" for name in COUNTS)
        # What a run writes first is no change of anything; there are a hundred such rows to a submission. A later
        # snapshot says what was changed while nobody watched.
        told = "NOT (op = 'insert' AND run_id IS NOT NULL) AND NOT (op = 'snapshot' AND old IS NULL)"
        return [
            change
            for change in self.trail(f"tbl IN ({tables}) AND {told}", head)
            if not (change.run_id and change.op == "update" and not changes_score(change))
        ]

    @cached_property
    def released(self) -> dict[tuple[str, str], int]:
        """Since which row of the trail a learner has the feedback of a chapter."""
        found: dict[tuple[str, str], int] = {}
        query = "SELECT seq, new, person_new FROM counterside_trail WHERE tbl = 'counterside_event' ORDER BY seq"
        for seq, new, person in self.rows(query):
            row = {**(parsed(new) or {}), **(parsed(person) or {})}
            if row.get("kind") == "feedback":
                found.setdefault((str(row.get("learner")), str(row.get("chapter"))), seq)
        return found

    @cached_property
    def first_released(self) -> dict[str, int]:
        """Since which row of the trail anybody has the feedback of a chapter."""
        first: dict[str, int] = {}
        for (_learner, chapter), seq in self.released.items():
            first[chapter] = min(seq, first.get(chapter, seq))
        return first

    def trail(self, where: str, head: Head | None, **values: Any) -> Iterator[Change]:
        """Yield the rows of the trail that meet a condition, in their order."""
        sealed = head.size if head else 0
        for seq, at, db_user, actor, run, reason, table, op, row_id, *halves in self.rows(
            f"{TRAIL} WHERE {where} ORDER BY seq", **values
        ):
            old, new = whole(halves[0], halves[2]), whole(halves[1], halves[3])
            learner, chapter, cell = self.names.about(table, row_id, new or old or {})
            later = self.reasons.get(seq)
            change = Change(
                seq, at, db_user, actor, run, later.words if later else reason, table, op, row_id,
                learner, chapter, cell, old, new,
                sealed=seq <= sealed,
                reason_by=later.by if later else None,
                reason_at=later.at if later else None,
            )  # fmt: skip
            out = self.released.get((learner, chapter or "")) if learner else self.first_released.get(chapter or "")
            yield replace(change, after_release=True) if is_after_release(change, out) else change

    @cached_property
    def reasons(self) -> dict[int, Reason]:
        """The reasons that were given later, the last one for each row."""
        query = "SELECT new, actor, at FROM counterside_trail WHERE tbl = 'counterside_reason' ORDER BY seq"
        given = [(parsed(new) or {}, actor, at) for new, actor, at in self.rows(query)]
        return {int(row.get("seq", 0)): Reason(str(row.get("reason")), actor, at) for row, actor, at in given}


class Reader(TrailReader):
    """Reads what stands in the tables and puts it together."""

    def __init__(self, connection: Connection, course: Course, config: CourseConfig) -> None:
        super().__init__(connection)
        self.course = course
        self.config = config

    def book(self) -> Book:
        head, trail = self.head(), self.trail_size()
        changes = self.changes(head) if trail is not None else []
        last: dict[tuple[str, str], int] = {}
        for change in changes:
            if change.learner and change.chapter:
                last[change.learner, change.chapter] = change.seq
        return Book(
            course=self.course,
            standings=self.standings(last, head, trail),
            changes=changes,
            runs=self.runs(),
            trail=trail,
            head=head,
            config=self.config,
        )

    def runs(self) -> dict[str, Run]:
        if "counterside_run" not in self.tables:
            return {}
        found = self.rows("SELECT id, at, scorer FROM counterside_run")
        return {name: Run(name, moment(at), scorer) for name, at, scorer in found}

    # ---- standings --------------------------------------------------------------------------

    def standings(self, last: Mapping[tuple[str, str], int], head: Head | None, trail: int | None) -> list[Standing]:
        names, cohorts, states = self.names, read_cohorts(self.config.folder / COHORTS), self.states()
        grades: dict[str, dict[str, Grade]] = defaultdict(dict)
        query = "SELECT notebook_id, cell_id, auto_score, manual_score, extra_credit, needs_manual_grade FROM grade"
        for notebook, cell, *values in self.rows(query):
            if cell in names.cells:
                grades[notebook][names.cells[cell]] = Grade(*values)
        evidence = self.evidence()
        plans = {chapter.id: Plan(self.course, chapter) for chapter in self.course.chapters}
        found = []
        for notebook in names.there:
            submission, penalty = names.notebooks[notebook]
            learner, chapter, handed_in, extension = names.submissions.get(submission, ("", "", None, None))
            if chapter not in plans:
                continue
            plan, due = plans[chapter], names.due.get(chapter)
            due = due + extension if due and extension else due
            cells = plan.cells(grades.get(notebook, {}), evidence.get((learner, chapter), {}))
            waiting = sum(cell.waiting for cell in cells.values())
            state = states.get((learner, chapter), "graded")
            seen = last.get((learner, chapter), 0)
            found.append(
                Standing(
                    learner=learner,
                    chapter=chapter,
                    cohort=cohorts.get(learner),
                    handed_in=handed_in,
                    due=due,
                    late_seconds=max(0.0, (handed_in - due).total_seconds()) if handed_in and due else 0.0,
                    penalty=penalty,
                    total=max(0.0, sum(cell.score for cell in cells.values()) - penalty),
                    possible=plan.possible,
                    state="waiting" if waiting and state in ("graded", "warning") else state,
                    as_graded=state,
                    mastered=plan.mastered(cells),
                    red_lines=tuple(name for name, cell in cells.items() if RED_LINE in cell.flags),
                    sealed=None if trail is None else head is not None and seen <= head.size,
                    cells=cells,
                )
            )
        order = {chapter.id: place for place, chapter in enumerate(self.course.chapters)}
        return sorted(found, key=lambda one: (one.learner, order[one.chapter]))

    def states(self) -> dict[tuple[str, str], str]:
        if "counterside_submission" not in self.tables:
            return {}
        found = self.rows("SELECT student_id, assignment, state FROM counterside_submission")
        return {(learner, chapter): state for learner, chapter, state in found}

    def evidence(self) -> dict[tuple[str, str], dict[str, Evidence]]:
        """Return the newest evidence by learner and chapter, and item."""
        found: dict[tuple[str, str], dict[str, Evidence]] = defaultdict(dict)
        if "counterside_evidence" not in self.tables:
            return found
        one: dict[str, str] = {}  # the same answers give the same texts, which are kept once
        flagged: dict[str, tuple[str, ...]] = {}
        query = (
            "SELECT student_id, assignment, item, run_id, state, earned, possible, by_hand, flags, rules, item_hash, "
            "key_hash, seq, at, line FROM counterside_evidence ORDER BY id"
        )
        for learner, chapter, item, run, state, earned, possible, by_hand, flags, rules, *rest in self.rows(query):
            if flags not in flagged:
                flagged[flags] = tuple(json.loads(flags))
            item_hash, key_hash, seq, at, line = rest
            found[learner, chapter][item] = Evidence(
                run_id=one.setdefault(run, run),
                state=one.setdefault(state, state),
                earned=earned,
                possible=possible,
                by_hand=by_hand,
                flags=flagged[flags],
                rules=one.setdefault(rules, rules),
                item_hash=one.setdefault(item_hash, item_hash),
                key_hash=one.setdefault(key_hash, key_hash),
                seq=seq,
                at=at,
                line=line,
            )
        return found


def whole(row: str | None, person: str | None) -> Mapping[str, Any] | None:
    """Return a row of a watched table, of which the trail keeps a person's part apart."""
    return None if row is None and person is None else {**(parsed(row) or {}), **(parsed(person) or {})}


def parsed(text: str | None) -> Mapping[str, Any] | None:
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # SQLite writes a number without end as Inf, which is no JSON
        return {"?": text}
    return found if isinstance(found, dict) else {"?": text}


class Names:
    """Whose a row is: nbgrader's ids are random, and lead from one table to the next."""

    def __init__(self, reader: TrailReader) -> None:
        rows = reader.rows
        self.due: dict[str, datetime | None] = {}
        self.chapters: dict[str, str] = {}
        for name, chapter, due in rows("SELECT id, name, duedate FROM assignment"):
            self.chapters[name], self.due[chapter] = chapter, moment(due)
        self.cells: dict[str, str] = {}
        self.homes: dict[str, str] = {}  # chapter of a cell
        query = "SELECT b.id, b.name, n.assignment_id FROM base_cell b JOIN notebook n ON n.id = b.notebook_id"
        for name, cell, assignment in rows(query):
            self.cells[name], self.homes[name] = cell, self.chapters.get(assignment, "")
        self.submissions: dict[str, tuple[str, str, datetime | None, timedelta | None]] = {
            name: (learner, self.chapters[assignment], moment(at), span(extension))
            for name, assignment, learner, at, extension in rows(
                "SELECT id, assignment_id, student_id, timestamp, extension FROM submitted_assignment"
            )
            if assignment in self.chapters
        }
        self.notebooks: dict[str, tuple[str, float]] = {
            name: (submission, penalty or 0.0)
            for name, submission, penalty in rows(
                "SELECT id, assignment_id, late_submission_penalty FROM submitted_notebook"
            )
        }
        self.there = tuple(self.notebooks)  # what the trail remembers comes on top

    def about(self, table: str, row_id: str, row: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
        """Return learner, chapter and cell of a row as far as they can be told; rows that are gone are remembered."""
        match table:
            case "grade" | "comment":
                learner, chapter = self.of_notebook(row.get("notebook_id"))
                return learner, chapter, self.cells.get(str(row.get("cell_id")))
            case "submitted_notebook":
                submission = str(row.get("assignment_id"))
                self.notebooks.setdefault(row_id, (submission, 0.0))
                return *self.of_submission(submission), None
            case "submitted_assignment":
                chapter = self.chapters.get(str(row.get("assignment_id")))
                learner = row.get("student_id")
                if chapter and learner and row_id not in self.submissions:
                    self.submissions[row_id] = (str(learner), chapter, None, None)
                return learner, chapter, None
            case "grade_cells":
                return None, self.homes.get(row_id), self.cells.get(row_id)
            case "assignment":
                return None, row.get("name") or self.chapters.get(row_id), None
            case "source_cell":
                return None, None, row.get("name")
            case _:
                chapter = row.get("chapter") or row.get("assignment")
                return row.get("learner") or row.get("student_id"), chapter, row.get("item")

    def of_notebook(self, notebook: Any) -> tuple[str | None, str | None]:
        return self.of_submission(self.notebooks.get(str(notebook), ("", 0.0))[0])

    def of_submission(self, submission: str) -> tuple[str | None, str | None]:
        found = self.submissions.get(submission)
        return (found[0], found[1]) if found else (None, None)


@dataclass(frozen=True, slots=True)
class Grade:
    """What nbgrader has of one cell."""

    automatic: float | None
    by_hand: float | None
    extra: float | None
    needs_mark: bool | int

    @property
    def score(self) -> float:
        """What counts, as nbgrader has it: a person's score before the automatic one, and what comes on top."""
        counted = self.automatic if self.by_hand is None else self.by_hand
        return (counted or 0.0) + (self.extra or 0.0)

    @property
    def is_open(self) -> bool:
        return bool(self.needs_mark) and self.by_hand is None


class Plan:
    """What a chapter asks for, worked out once: items with their criteria, sections, action points."""

    def __init__(self, course: Course, chapter: Chapter) -> None:
        self.passing = course.plan.passing
        self.items = [
            (name, points, [(cell.id, cell.criterion.id, cell.points) for cell in criterion_cells(item, points)])
            for name, points in chapter.points.items()
            if (item := course.items[name])
        ]
        self.possible = sum(chapter.points.values())
        decisive = {name for name in chapter.points if course.items[name].kind.decides}
        points: dict[str, list[str]] = defaultdict(list)  # by action point the items that ask for it
        for name in decisive:
            for point in course.action_points.intersection(course.items[name].head.covers):
                points[point].append(name)
        self.sections = [
            (own, [points[point] for point in points if section_of(point) == section.id])
            for section in chapter.plan.sections
            if (own := [name for name in section.items if name in decisive])
        ]

    def cells(self, grades: Mapping[str, Grade], evidence: Mapping[str, Evidence]) -> dict[str, Cell]:
        """Return an item's points and where they come from, in the chapter's order."""
        found = {}
        for name, possible, marked in self.items:
            grade, why = grades.get(name), evidence.get(name)
            criteria: dict[str, float | None] = {}
            score, waiting = grade.score if grade else 0.0, 0.0
            for cell, criterion, points in marked:
                mark = grades.get(cell)
                criteria[criterion] = None if mark is None or mark.is_open else mark.score
                score += criteria[criterion] or 0.0
                waiting += points if criteria[criterion] is None else 0.0
            found[name] = Cell(
                item=name,
                possible=possible,
                automatic=grade.automatic if grade else None,
                by_hand=grade.by_hand if grade else None,
                score=score,
                waiting=waiting,
                state=why.state if why else "graded" if grade else "unanswered",
                flags=why.flags if why else (),
                criteria=criteria,
                evidence=why,
                extra=(grade.extra or 0.0) if grade else 0.0,
            )
        return found

    def mastered(self, cells: Mapping[str, Cell]) -> bool | None:
        """Return whether every section is mastered by the pass rules, None while waiting points decide it.

        As `autograde.mastery` has it: the section's share of points, no red line, and each action point done well
        enough in one of the chapter's exercises.
        """
        if all(self.section(cells, *section, with_waiting=False) for section in self.sections):
            return True
        could = all(self.section(cells, *section, with_waiting=True) for section in self.sections)
        return None if could and any(cell.waiting for cell in cells.values()) else False

    def section(self, cells: Mapping[str, Cell], own: list[str], points: list[list[str]], with_waiting: bool) -> bool:
        def share(name: str) -> float:
            cell = cells[name]
            return (cell.score + (cell.waiting if with_waiting else 0)) / cell.possible

        earned = sum(share(name) * cells[name].possible for name in own)
        return (
            earned / sum(cells[name].possible for name in own) >= self.passing.section - ROUNDING
            and not any(RED_LINE in cells[name].flags for name in own)
            and all(max(map(share, names)) >= self.passing.point - ROUNDING for names in points)
        )


def read_cohorts(path: Path) -> dict[str, str]:
    """Return the cohort of each learner from a CSV with the columns learner and cohort. Raises CourseError."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"learner", "cohort"} <= set(reader.fieldnames or ()):
            raise CourseError(f"{path.name} needs a first line “learner,cohort”")
        return {row["learner"].strip(): (row["cohort"] or "").strip() for row in reader if row["learner"]}


def moment(value: Any) -> datetime | None:
    """Return a time as a driver gives it: SQLite as text, PostgreSQL as a datetime."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def span(value: Any) -> timedelta | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value) - EPOCH
    found: timedelta | None = value
    return found
