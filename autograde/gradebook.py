"""Reading nbgrader's gradebook. The database is opened read-only; nothing here can change a grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbgrader.api import SubmittedAssignment
from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from autograde.course_data import CourseData, CourseError
from autograde.engine import Verdict
from autograde.nbgrader import read_verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """One learner's chapter: scores by item as the gradebook has them, and the verdict behind them."""

    learner: str
    chapter: str
    at: datetime | None
    scores: Mapping[str, float]
    by_hand: frozenset[str]
    verdict: Verdict

    @property
    def total(self) -> float:
        return sum(self.scores.values())


def read_gradebook(data: CourseData) -> list[Entry]:
    """Return all graded submissions, by learner and chapter. Raises CourseError when there is no gradebook."""
    url = make_url(data.db_url)
    if url.get_backend_name() == "sqlite":
        if not Path(url.database or "").is_file():
            raise CourseError("there is no gradebook yet; run “make demo”, or grade a submission first")
        url = url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})
    engine = create_engine(url)
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
    return Entry(
        learner=learner,
        chapter=chapter,
        at=submission.timestamp,
        scores={grade.name: float(grade.score) for grade in grades},
        by_hand=frozenset(grade.name for grade in grades if grade.manual_score is not None or grade.extra_credit),
        verdict=read_verdict(nbformat.read(notebook, as_version=4)),
    )
