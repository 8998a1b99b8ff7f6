"""Writing grades into nbgrader's gradebook, as nbgrader's own preprocessors do, and the evidence beside them.

Many submissions of a chapter are written with a few statements, in the
transaction of the caller and without a savepoint: within one, SQLite pays for
each row's triggers anew with all that the savepoint has seen. Marks that a
person gave stay; every cell of the chapter gets a score,
so that none is left over from an earlier grading; a row that says the same
already is not touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, Select, Table, bindparam, func, insert, select, update

from autograde.audit.who import in_run
from autograde.engine import Outcome, Verdict
from autograde.place import CourseError
from autograde.submission import scorer, scores
from autograde.tables import EVIDENCE, RUN, SUBMISSION, nbgrader_tables
from curriculum.build import criterion_cells, note_id
from curriculum.load import Chapter, Course

NO_RESPONSE = "No response."  # nbgrader's words
EPOCH = datetime(1970, 1, 1)  # SQLite keeps a span as the time that it is after this
# Learner, points so far, and seconds late to points off, or None for none.
Penalty = Callable[[str, float, float], float | None]
Values = dict[str, Any]


@dataclass(frozen=True)
class Cells:
    """What the gradebook knows of a chapter: ids, and by name the cells to be graded and commented, and their items."""

    assignment: str
    notebook: str
    due: datetime | None
    graded: Mapping[str, str]
    commented: Mapping[str, str]
    items: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Graded:
    """What is to be written of one learner's submission; `at` is when it was handed in (UTC, no zone)."""

    learner: str
    verdict: Verdict
    at: datetime | None
    digest: str


@dataclass(frozen=True, slots=True)
class Book:
    """A submitted notebook in the gradebook: its id, the penalty that it has, and how late it came."""

    id: str
    penalty: float | None
    seconds_late: float


class GradeWriter:
    """Writes the results of one grading run. `late` says what a late submission costs, if anything."""

    def __init__(self, engine: Engine, course: Course, late: Penalty | None = None) -> None:
        self.tables = nbgrader_tables(engine)
        self.course = course
        self.late = late
        self.run = uuid4().hex
        self._cells: dict[str, Cells] = {}

    def known(self, connection: Connection, chapter: str) -> dict[str, str]:
        """Return by learner what was graded of a chapter before, as a digest."""
        rows = select(SUBMISSION.c.student_id, SUBMISSION.c.digest).where(SUBMISSION.c.assignment == chapter)
        return {row.student_id: row.digest for row in connection.execute(rows)}

    def write(
        self, connection: Connection, learner: str, chapter: str, verdict: Verdict, at: datetime | None, digest: str
    ) -> None:
        """Write grades, comments, the penalty and the evidence of one submission. Raises CourseError."""
        self.write_all(connection, chapter, [Graded(learner, verdict, at, digest)])

    def write_all(self, connection: Connection, chapter: str, some: Sequence[Graded]) -> None:
        """Write submissions of different learners. Raises CourseError; the transaction then has to be rolled back."""
        cells = self.cells(connection, self.course.chapter(chapter))
        self._begin(connection)
        books = self._submissions(connection, cells, some)
        earned = self._grades(connection, chapter, cells, books, some)
        self._penalties(connection, books, earned)
        self._evidence(connection, chapter, some)
        self._digests(connection, chapter, some)

    def cells(self, connection: Connection, chapter: Chapter) -> Cells:
        """Return what the gradebook has of a chapter. Raises CourseError when that isn't what the course has."""
        if chapter.id not in self._cells:
            self._cells[chapter.id] = self._read_cells(connection, chapter)
        return self._cells[chapter.id]

    def _read_cells(self, connection: Connection, chapter: Chapter) -> Cells:
        assignment, notebook, base = (self.tables[name] for name in ("assignment", "notebook", "base_cell"))
        grades, solutions = self.tables["grade_cells"], self.tables["solution_cells"]
        found = connection.execute(
            select(assignment.c.id, notebook.c.id, assignment.c.duedate)
            .join(notebook, notebook.c.assignment_id == assignment.c.id)
            .where(assignment.c.name == chapter.id, notebook.c.name == chapter.id)
        ).first()
        if found is None:
            raise CourseError(f"{chapter.id} was never released; run “nbgrader generate_assignment {chapter.id}”")

        def named(table: Table, *columns: Any) -> Any:
            return connection.execute(
                select(base.c.name, *columns).join(table, table.c.id == base.c.id).where(base.c.notebook_id == found[1])
            )

        graded = {name: (cell, worth) for name, cell, worth in named(grades, grades.c.id, grades.c.max_score)}
        expected = cell_points(self.course, chapter)
        if {name: worth for name, (_cell, worth) in graded.items()} != expected:
            raise CourseError(
                f"{chapter.id} as released is not what the course has now; "
                f"run “counterside build” and “nbgrader generate_assignment {chapter.id} --force”"
            )
        ids = {name: cell for name, (cell, _worth) in graded.items()}
        commented = {row.name: row.id for row in named(solutions, solutions.c.id)}
        return Cells(found[0], found[1], found[2], ids, commented, cell_items(self.course, chapter))

    def _begin(self, connection: Connection) -> None:
        in_run(connection, self.run)
        if connection.execute(select(RUN.c.id).where(RUN.c.id == self.run)).first() is None:
            row = {"id": self.run, "at": datetime.now(UTC).replace(tzinfo=None), "scorer": scorer()}
            connection.execute(insert(RUN), row)

    def _submissions(self, connection: Connection, cells: Cells, some: Sequence[Graded]) -> dict[str, Book]:
        """Return the submitted notebook of each learner, made if need be."""
        student, submitted, notebook = (
            self.tables[name] for name in ("student", "submitted_assignment", "submitted_notebook")
        )
        names = [one.learner for one in some]
        mine = (notebook.c.assignment_id == submitted.c.id) & (notebook.c.notebook_id == cells.notebook)
        query = (
            select(submitted.c.student_id, submitted.c.id, submitted.c.extension, submitted.c.timestamp)
            .add_columns(notebook.c.id.label("book"), notebook.c.late_submission_penalty.label("penalty"))
            .outerjoin(notebook, mine)
            .where(submitted.c.assignment_id == cells.assignment, submitted.c.student_id.in_(names))
        )
        there = {row.student_id: row for row in connection.execute(query)}
        strangers = [name for name in names if name not in there]
        enrolled = set(connection.execute(select(student.c.id).where(student.c.id.in_(strangers))).scalars())
        new, changed, new_books, books = [], [], [], {}
        for one in some:
            row, at = there.get(one.learner), one.at
            if row is None:
                identity, late_from = new_id(), cells.due
                ids = {"id": identity, "assignment_id": cells.assignment, "student_id": one.learner}
                new.append({**ids, "timestamp": at})
            else:
                identity, late_from = row.id, cells.due + as_span(row.extension) if cells.due else None
                if at is None:
                    at = row.timestamp
                elif at != row.timestamp:
                    changed.append({"_id": identity, "timestamp": at})
            seconds_late = max(0.0, (at - late_from).total_seconds()) if at and late_from else 0.0
            if row is None or row.book is None:
                books[one.learner] = Book(new_id(), None, seconds_late)
                ids = {"id": books[one.learner].id, "assignment_id": identity, "notebook_id": cells.notebook}
                new_books.append({**ids, "flagged": False})
            else:
                books[one.learner] = Book(row.book, row.penalty, seconds_late)
        add(connection, student, [{"id": name} for name in strangers if name not in enrolled])
        add(connection, submitted, new)
        change(connection, submitted, changed)
        add(connection, notebook, new_books)
        return books

    def _grades(
        self, connection: Connection, chapter: str, cells: Cells, books: Mapping[str, Book], some: Sequence[Graded]
    ) -> dict[str, float]:
        """Write grades and comments; return what each learner has earned with the marks that a person gave.

        A person is asked to look at a mark again where the answer is another one than was graded before.
        """
        grade, comment = self.tables["grade"], self.tables["comment"]
        ids = [book.id for book in books.values()]
        # Locked where the database can: nobody may mark between our reading and our writing.
        grades = rows_by_cell(connection, select(grade).where(grade.c.notebook_id.in_(ids)).with_for_update())
        comments = rows_by_cell(connection, select(comment).where(comment.c.notebook_id.in_(ids)).with_for_update())
        marked = any(row.manual_score is not None for row in grades.values())
        same = self._same_answers(connection, chapter, some) if marked else set()
        new: list[Values] = []
        changed: list[Values] = []
        new_comments: list[Values] = []
        changed_comments: list[Values] = []
        earned = {}
        for one in some:
            book, automatic, total = books[one.learner].id, scores(one.verdict, self.course.items), 0.0
            for name, cell in cells.graded.items():
                score, row = automatic[name], grades.get((book, cell))
                if row is None:
                    values = {"auto_score": score, "needs_manual_grade": score is None}
                    new.append({"id": new_id(), "cell_id": cell, "notebook_id": book, **values})
                    total += score or 0.0
                    continue
                manual = row.manual_score
                waits = manual is not None or score is None
                if manual is not None and (one.learner, cells.items[name]) in same and row.auto_score == score:
                    waits = row.needs_manual_grade
                if row.auto_score != score or row.needs_manual_grade != waits:
                    changed.append({"_id": row.id, "auto_score": score, "needs_manual_grade": waits})
                total += (manual if manual is not None else score or 0.0) + (row.extra_credit or 0.0)
            earned[one.learner] = total
            for name, cell in cells.commented.items():
                words, row = None if automatic[name] is None else NO_RESPONSE, comments.get((book, cell))
                if row is None:
                    new_comments.append({"id": new_id(), "cell_id": cell, "notebook_id": book, "auto_comment": words})
                elif row.auto_comment != words:
                    changed_comments.append({"_id": row.id, "auto_comment": words})
        add(connection, grade, new)
        change(connection, grade, changed)
        add(connection, comment, new_comments)
        change(connection, comment, changed_comments)
        return earned

    def _same_answers(self, connection: Connection, chapter: str, some: Sequence[Graded]) -> set[tuple[str, str]]:
        """Return learner and item where the answer that counts is the one that was graded last."""
        names = [one.learner for one in some]
        mine = (EVIDENCE.c.assignment == chapter) & EVIDENCE.c.student_id.in_(names)
        last = select(func.max(EVIDENCE.c.id)).where(mine).group_by(EVIDENCE.c.student_id, EVIDENCE.c.item)
        query = select(EVIDENCE.c.student_id, EVIDENCE.c.item, EVIDENCE.c.line).where(EVIDENCE.c.id.in_(last))
        before = {(learner, item): line for learner, item, line in connection.execute(query)}
        now = {(one.learner, outcome.item): outcome.line for one in some for outcome in one.verdict.outcomes}
        return {key for key, line in now.items() if key in before and before[key] == line}

    def _penalties(self, connection: Connection, books: Mapping[str, Book], earned: Mapping[str, float]) -> None:
        changed = []
        for learner, book in books.items():
            late = self.late if book.seconds_late > 0 else None
            off = late(learner, earned[learner], book.seconds_late) if late else None
            if off is not None:
                off = min(max(0.0, off), earned[learner])
            if off != book.penalty:
                changed.append({"_id": book.id, "late_submission_penalty": off})
        change(connection, self.tables["submitted_notebook"], changed)

    def _evidence(self, connection: Connection, chapter: str, some: Sequence[Graded]) -> None:
        add(connection, EVIDENCE, [
            {"run_id": self.run, "student_id": one.learner, "assignment": chapter, **evidence(outcome)}
            for one in some
            for outcome in one.verdict.outcomes
        ])  # fmt: skip

    def _digests(self, connection: Connection, chapter: str, some: Sequence[Graded]) -> None:
        mine, owner = SUBMISSION.c.assignment == chapter, SUBMISSION.c.student_id
        names = [one.learner for one in some]
        before = set(connection.execute(select(owner).where(mine, owner.in_(names))).scalars())
        new, changed = [], []
        for one in some:
            row = {"run_id": self.run, "digest": one.digest, "state": one.verdict.state}
            if one.learner in before:
                changed.append({"_id": one.learner, **row})
            else:
                new.append({"student_id": one.learner, "assignment": chapter, **row})
        add(connection, SUBMISSION, new)
        if changed:
            connection.execute(update(SUBMISSION).where(mine, owner == bindparam("_id")), changed)


def add(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def change(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Change rows of which each names its `_id`."""
    if rows:
        connection.execute(update(table).where(table.c.id == bindparam("_id")), rows)


def rows_by_cell(connection: Connection, query: Select[Any]) -> dict[tuple[str, str], Any]:
    return {(row.notebook_id, row.cell_id): row for row in connection.execute(query)}


def evidence(outcome: Outcome) -> dict[str, Any]:
    """Return the record of why an item earned what it did, without the words that the content has."""
    rules = [[row.because, row.earned, row.point, row.rule] for row in outcome.rows]
    kept = ("item", "state", "earned", "by_hand", "item_hash", "key_hash", "seq", "at", "line")
    return {
        **{name: getattr(outcome, name) for name in kept},
        "possible": outcome.points,
        "flags": json.dumps(outcome.flags),
        "rules": json.dumps(rules, ensure_ascii=False),
    }


def cell_points(course: Course, chapter: Chapter) -> dict[str, float]:
    """Return what each of a chapter's graded cells is worth, by its name in the gradebook."""
    points: dict[str, float] = {}
    for name, worth in chapter.points.items():
        item = course.items[name]
        marked = criterion_cells(item, worth)
        points[name] = worth - sum(cell.points for cell in marked)
        points |= {cell.id: cell.points for cell in marked}
        if item.kind.note:
            points[note_id(name)] = 0.0
    return points


def cell_items(course: Course, chapter: Chapter) -> dict[str, str]:
    """Return the item of each of a chapter's graded cells, by the cell's name in the gradebook."""
    found: dict[str, str] = {}
    for name, worth in chapter.points.items():
        item = course.items[name]
        found |= {name: name, **{cell.id: name for cell in criterion_cells(item, worth)}}
        if item.kind.note:
            found[note_id(name)] = name
    return found


def as_span(extension: Any) -> timedelta:
    return extension - EPOCH if isinstance(extension, datetime) else extension or timedelta()


def new_id() -> str:
    return uuid4().hex
