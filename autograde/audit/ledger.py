"""The gradebook as nbgrader counts it: one entry for each chapter and learner, handed in or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from autograde.audit.book import moment, reading


@dataclass(frozen=True, slots=True)
class Person:
    """A learner as nbgrader knows them; `lms` is their number in a learning platform, if any."""

    id: str
    first: str | None = None
    last: str | None = None
    email: str | None = None
    lms: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A chapter in the gradebook; times are UTC without zone."""

    name: str
    due: datetime | None
    possible: float


@dataclass(frozen=True, slots=True)
class Submission:
    """What counts of a submission, in points; `raw` without the penalty for being late."""

    at: datetime | None
    raw: float
    penalty: float

    @property
    def score(self) -> float:
        return max(0.0, self.raw - self.penalty)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All chapters, all learners, and the submissions by (chapter, learner); orders are nbgrader's."""

    assignments: Sequence[Assignment]
    people: Sequence[Person]
    submissions: Mapping[tuple[str, str], Submission]


# Sums are the database's, as nbgrader's are: in another order the last digit could differ.
POSSIBLE = """
    SELECT n.assignment_id, coalesce(sum(c.max_score), 0.0) FROM notebook n
    JOIN base_cell b ON b.notebook_id = n.id JOIN {} c ON c.id = b.id GROUP BY n.assignment_id"""
RAW = """
    SELECT n.assignment_id, coalesce(sum(CASE
        WHEN g.manual_score IS NOT NULL THEN g.manual_score + coalesce(g.extra_credit, 0.0)
        WHEN g.auto_score IS NOT NULL THEN g.auto_score + coalesce(g.extra_credit, 0.0)
        ELSE 0.0 END), 0.0)
    FROM submitted_notebook n JOIN grade g ON g.notebook_id = n.id GROUP BY n.assignment_id"""
PENALTY = "SELECT assignment_id, sum(coalesce(late_submission_penalty, 0.0)) FROM submitted_notebook GROUP BY 1"
SUBMISSIONS = """
    SELECT s.id, a.name, s.student_id, s.timestamp FROM submitted_assignment s
    JOIN assignment a ON a.id = s.assignment_id"""


def read_ledger(db_url: str) -> Ledger:
    """Read the gradebook, and nothing else. Raises CourseError."""
    with reading(db_url) as connection:
        tests, tasks = (pairs(connection, POSSIBLE.format(table)) for table in ("grade_cells", "task_cells"))
        assignments = [
            Assignment(name, moment(due), tests.get(key, 0.0) + tasks.get(key, 0.0))
            for key, name, due in connection.execute(
                text("SELECT id, name, duedate FROM assignment ORDER BY duedate, name")
            )
        ]
        query = "SELECT id, first_name, last_name, email, lms_user_id FROM student ORDER BY last_name, first_name, id"
        people = [Person(*row) for row in connection.execute(text(query))]
        raw, penalty = pairs(connection, RAW), pairs(connection, PENALTY)
        submissions = {
            (chapter, learner): Submission(moment(at), raw.get(key, 0.0), penalty.get(key, 0.0))
            for key, chapter, learner, at in connection.execute(text(SUBMISSIONS))
        }
    return Ledger(assignments, people, submissions)


def pairs(connection: Connection, query: str) -> dict[str, float]:
    return {row[0]: row[1] for row in connection.execute(text(query))}
