"""Writing grades into nbgrader's gradebook, as nbgrader's own preprocessors do, and the evidence beside them.

One transaction for many submissions, a savepoint for each. Marks that a person
gave stay; every cell of the chapter gets a score, so that none is left over
from an earlier grading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, Table, bindparam, insert, select, update

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


@dataclass(frozen=True)
class Cells:
    """What the gradebook knows of a chapter: ids, and cells to be graded and commented, by name."""

    assignment: str
    notebook: str
    due: datetime | None
    graded: Mapping[str, str]
    commented: Mapping[str, str]


class GradeWriter:
    """Writes the results of one grading run. `late` says what a late submission costs, if anything."""

    def __init__(self, engine: Engine, course: Course, late: Penalty | None = None) -> None:
        self.tables = nbgrader_tables(engine)
        self.course = course
        self.late = late
        self.run = uuid4().hex
        self._cells: dict[str, Cells] = {}
        self._begun = False

    def known(self, connection: Connection, chapter: str) -> dict[str, str]:
        """Return by learner what was graded of a chapter before, as a digest."""
        rows = select(SUBMISSION.c.student_id, SUBMISSION.c.digest).where(SUBMISSION.c.assignment == chapter)
        return {row.student_id: row.digest for row in connection.execute(rows)}

    def write(
        self, connection: Connection, learner: str, chapter: str, verdict: Verdict, at: datetime | None, digest: str
    ) -> None:
        """Write grades, comments, the penalty and the evidence of one submission. Raises CourseError."""
        cells = self.cells(connection, self.course.chapter(chapter))
        self._begin(connection)
        with connection.begin_nested():
            notebook, seconds_late = self._submission(connection, cells, learner, at)
            earned = self._grades(connection, cells, notebook, scores(verdict, self.course.items))
            self._penalty(connection, notebook, learner, earned, seconds_late)
            self._evidence(connection, learner, chapter, verdict, digest)

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
        return Cells(found[0], found[1], found[2], ids, {row.name: row.id for row in named(solutions, solutions.c.id)})

    def _begin(self, connection: Connection) -> None:
        in_run(connection, self.run)
        if not self._begun:
            row = {"id": self.run, "at": datetime.now(UTC).replace(tzinfo=None), "scorer": scorer()}
            connection.execute(insert(RUN), row)
            self._begun = True

    def _submission(self, connection: Connection, cells: Cells, learner: str, at: datetime | None) -> tuple[str, float]:
        """Return the id of the submitted notebook, made if need be, and the seconds it came late."""
        student, submitted, notebook = (
            self.tables[name] for name in ("student", "submitted_assignment", "submitted_notebook")
        )
        mine = (submitted.c.assignment_id == cells.assignment) & (submitted.c.student_id == learner)
        found = connection.execute(
            select(submitted.c.id, submitted.c.extension, submitted.c.timestamp).where(mine)
        ).first()
        extension = None
        if found is None:
            if connection.execute(select(student.c.id).where(student.c.id == learner)).first() is None:
                connection.execute(insert(student), {"id": learner})
            identity = new_id()
            row = {"id": identity, "assignment_id": cells.assignment, "student_id": learner, "timestamp": at}
            connection.execute(insert(submitted), row)
        else:
            identity, extension, before = found
            if at is None:
                at = before
            else:
                connection.execute(update(submitted).where(submitted.c.id == identity), {"timestamp": at})
        book = connection.execute(
            select(notebook.c.id).where(notebook.c.assignment_id == identity, notebook.c.notebook_id == cells.notebook)
        ).scalar()
        if book is None:
            book = new_id()
            ids = {"id": book, "assignment_id": identity, "notebook_id": cells.notebook}
            connection.execute(insert(notebook), {**ids, "flagged": False})
        if at is None or cells.due is None:
            return book, 0.0
        return book, max(0.0, (at - cells.due - as_span(extension)).total_seconds())

    def _grades(
        self, connection: Connection, cells: Cells, notebook: str, automatic: Mapping[str, float | None]
    ) -> float:
        """Write grades and comments of a notebook; return what it has earned with the marks that a person gave."""
        grade, comment = self.tables["grade"], self.tables["comment"]
        there = {
            row.cell_id: row
            for row in connection.execute(
                select(grade.c.id, grade.c.cell_id, grade.c.manual_score, grade.c.extra_credit).where(
                    grade.c.notebook_id == notebook
                )
            )
        }
        new, changed, earned = [], [], 0.0
        for name, cell in cells.graded.items():
            score, row = automatic[name], there.get(cell)
            manual = row.manual_score if row else None
            values = {"auto_score": score, "needs_manual_grade": manual is not None or score is None}
            if row is None:
                new.append({"id": new_id(), "cell_id": cell, "notebook_id": notebook, **values})
            else:
                changed.append({"_id": row.id, **values})
            earned += (manual if manual is not None else score or 0.0) + ((row.extra_credit or 0.0) if row else 0.0)
        commented = {
            row.cell_id: row.id
            for row in connection.execute(
                select(comment.c.id, comment.c.cell_id).where(comment.c.notebook_id == notebook)
            )
        }
        new_comments, changed_comments = [], []
        for name, cell in cells.commented.items():
            words = {"auto_comment": None if automatic[name] is None else NO_RESPONSE}
            if cell in commented:
                changed_comments.append({"_id": commented[cell], **words})
            else:
                new_comments.append({"id": new_id(), "cell_id": cell, "notebook_id": notebook, **words})
        for table, rows in ((grade, new), (comment, new_comments)):
            if rows:
                connection.execute(insert(table), rows)
        for table, rows in ((grade, changed), (comment, changed_comments)):
            if rows:
                connection.execute(update(table).where(table.c.id == bindparam("_id")), rows)
        return earned

    def _penalty(self, connection: Connection, notebook: str, learner: str, earned: float, seconds_late: float) -> None:
        table = self.tables["submitted_notebook"]
        off = self.late(learner, earned, seconds_late) if self.late and seconds_late > 0 else None
        if off is not None:
            off = min(max(0.0, off), earned)
        connection.execute(update(table).where(table.c.id == notebook), {"late_submission_penalty": off})

    def _evidence(self, connection: Connection, learner: str, chapter: str, verdict: Verdict, digest: str) -> None:
        rows = [
            {"run_id": self.run, "student_id": learner, "assignment": chapter, **evidence(outcome)}
            for outcome in verdict.outcomes
        ]
        connection.execute(insert(EVIDENCE), rows)
        mine = (SUBMISSION.c.student_id == learner) & (SUBMISSION.c.assignment == chapter)
        row = {"run_id": self.run, "digest": digest, "state": verdict.state}
        if not connection.execute(update(SUBMISSION).where(mine), row).rowcount:
            connection.execute(insert(SUBMISSION), {"student_id": learner, "assignment": chapter, **row})


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


def as_span(extension: Any) -> timedelta:
    return extension - EPOCH if isinstance(extension, datetime) else extension or timedelta()


def new_id() -> str:
    return uuid4().hex
