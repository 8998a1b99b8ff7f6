"""Feedback pages for many learners at once, where nbgrader's release and the learner's fetch look for them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, select

from autograde import feedback
from autograde.batch import Result, put_in_place, staging
from autograde.config import CourseConfig
from autograde.engine import read_verdict
from autograde.marks import read_marks
from autograde.submission import KEPT, MAX_KEPT
from autograde.tables import nbgrader_tables
from autograde.workers import course_of_run
from curriculum.copying import plain_file
from curriculum.load import Course


@dataclass(frozen=True, slots=True)
class Grade:
    """A row of the gradebook as `read_marks` reads it."""

    name: str
    auto_score: float | None
    manual_score: float | None
    extra_credit: float | None
    needs_manual_grade: bool

    @property
    def score(self) -> float:
        """What counts, as nbgrader has it: a person's score before the automatic one, and what comes on top."""
        counted = self.auto_score if self.manual_score is None else self.manual_score
        return (counted or 0.0) + (self.extra_credit or 0.0)


@dataclass
class Standing:
    """What the gradebook has of one learner and chapter."""

    penalty: float = 0.0
    grades: list[Grade] = field(default_factory=list)
    comments: dict[str, str | None] = field(default_factory=dict)


def write_feedback(
    config: CourseConfig,
    engine: Engine,
    chapters: Sequence[str],
    learners: str = "*",
    begun: Callable[[int], None] = lambda _total: None,
) -> Iterator[Result]:
    """Write the page of each graded submission and yield what became of it."""
    course = course_of_run()
    tables = nbgrader_tables(engine)
    with engine.begin() as connection:
        standings = {chapter: read_standings(connection, tables, chapter) for chapter in chapters}
    jobs = [
        (chapter, learner, standing)
        for chapter in chapters
        for learner, standing in sorted(standings[chapter].items())
        if fnmatchcase(learner, learners) and (config.autograded / learner / chapter).is_dir()
    ]
    begun(len(jobs))
    with staging(config.feedback) as folder:
        for chapter, learner, standing in jobs:
            yield write_page(config, course, folder, chapter, learner, standing)


def write_page(
    config: CourseConfig, course: Course, folder: Path, chapter: str, learner: str, standing: Standing
) -> Result:
    source, target = config.autograded / learner / chapter, config.feedback / learner / chapter
    try:
        verdict = read_verdict(json.loads((source / f"{chapter}.ipynb").read_bytes()))
    except (OSError, ValueError, KeyError):
        words = f"its autograded notebook can't be read; run “counterside grade {chapter} --learners {learner} --force”"
        return Result(learner, chapter, "look", (words,))
    kept = {name: plain_file(source / name, MAX_KEPT) for name in KEPT}
    unfit = [name for name, data in kept.items() if data is None or not data.isascii()]
    if unfit:
        # One page that nbgrader can't release ends its releasing for everybody.
        words = f"no page was written: its {unfit[0]} is missing or can't be read; let it be handed in again"
        return Result(learner, chapter, "look", (words,))
    marks = read_marks(course.items, verdict, standing.grades)
    page = feedback.page(course, course.chapter(chapter), verdict, marks, standing.comments, standing.penalty)
    staged = folder / learner / chapter
    staged.mkdir(parents=True)
    (staged / f"{chapter}.html").write_text(page, "utf-8", errors="replace")
    for name, data in kept.items():
        assert data is not None
        (staged / name).write_bytes(data)
    put_in_place(staged, target)
    return Result(learner, chapter, "graded")


def read_standings(connection: Connection, tables: Mapping[str, Table], chapter: str) -> Mapping[str, Standing]:
    """Return what the gradebook has of a chapter by learner, in three queries however many there are."""
    assignment, submitted, notebook = (
        tables[name] for name in ("assignment", "submitted_assignment", "submitted_notebook")
    )
    base, grade, comment = tables["base_cell"], tables["grade"], tables["comment"]
    mine = assignment.c.name == chapter
    books = (
        submitted.join(assignment, assignment.c.id == submitted.c.assignment_id)
        .join(notebook, notebook.c.assignment_id == submitted.c.id)
    )  # fmt: skip
    found: dict[str, Standing] = defaultdict(Standing)
    learner = submitted.c.student_id
    for row in connection.execute(select(learner, notebook.c.late_submission_penalty).select_from(books).where(mine)):
        found[row.student_id].penalty = row.late_submission_penalty or 0.0
    columns = (grade.c.auto_score, grade.c.manual_score, grade.c.extra_credit, grade.c.needs_manual_grade)
    grades = books.join(grade, grade.c.notebook_id == notebook.c.id).join(base, base.c.id == grade.c.cell_id)
    for student, *values in connection.execute(select(learner, base.c.name, *columns).select_from(grades).where(mine)):
        found[student].grades.append(Grade(*values))
    comments = books.join(comment, comment.c.notebook_id == notebook.c.id).join(base, base.c.id == comment.c.cell_id)
    query = select(learner, base.c.name, comment.c.manual_comment).select_from(comments).where(mine)
    for student, name, words in connection.execute(query):
        found[student].comments[name] = words
    return found
