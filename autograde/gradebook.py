"""Reading nbgrader's gradebook: on SQLite the file is opened read-only, on PostgreSQL every transaction is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbgrader.api import SubmittedAssignment
from sqlalchemy import select
from sqlalchemy.orm import Session

from autograde.course_data import CourseData
from autograde.engine import Verdict, course, read_verdict
from autograde.marks import Mark, read_marks
from autograde.tables import open_to_read


@dataclass(frozen=True, slots=True)
class Entry:
    """One learner's chapter: marks by item as the gradebook has them, and the verdict behind them."""

    learner: str
    chapter: str
    at: datetime | None
    marks: Mapping[str, Mark]
    penalty: float
    verdict: Verdict

    @property
    def total(self) -> float:
        return max(0.0, sum(mark.score for mark in self.marks.values()) - self.penalty)

    @property
    def waiting(self) -> float:
        """Points that a person has still to give or refuse."""
        return sum(mark.waiting for mark in self.marks.values())

    @property
    def state(self) -> str:
        """Return the verdict's state, or "waiting" where it is good but marks by hand are missing."""
        good = self.verdict.state in ("graded", "warning")
        return "waiting" if good and self.waiting else self.verdict.state


def read_gradebook(data: CourseData) -> list[Entry]:
    """Return all graded submissions, by learner and chapter. Raises CourseError when there is no gradebook."""
    engine = open_to_read(data.db_url)
    try:
        with Session(engine) as session:
            submissions = session.scalars(select(SubmittedAssignment)).unique().all()
            entries = [entry for submission in submissions if (entry := read_entry(data, submission))]
    finally:
        engine.dispose()
    return sorted(entries, key=lambda entry: (entry.chapter, entry.learner))


def read_entry(data: CourseData, submission: SubmittedAssignment) -> Entry | None:
    """Return the entry of a submission, or None when it was not graded yet."""
    learner, chapter = submission.student.id, submission.assignment.name
    folder = Path(data.config.CourseDirectory.autograded_directory) / learner / chapter
    notebook = folder / f"{chapter}.ipynb"
    if not notebook.is_file():
        return None
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    verdict = read_verdict(nbformat.read(notebook, as_version=4))
    return Entry(
        learner=learner,
        chapter=chapter,
        at=submission.timestamp,
        marks=read_marks(course().items, verdict, grades),
        penalty=sum(notebook.late_submission_penalty or 0.0 for notebook in submission.notebooks),
        verdict=verdict,
    )
