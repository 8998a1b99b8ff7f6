"""A small class in chapter 3, handed in, collected and graded for real, with a trail and what persons did to it."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine, text

from autograde.audit.trail import give_reason, install, record_release
from autograde.audit.who import because, name_writers
from autograde.config import CourseConfig
from autograde.course_data import CourseData
from autograde.demo.run import attend, read_cohort
from autograde.grade import grade_and_report
from autograde.tables import gradebook, writing
from curriculum.load import load_course

LEARNERS = ("expert", "average-lin", "tamperer")
GRADE_OF = """(SELECT g.id FROM grade g JOIN base_cell b ON b.id = g.cell_id
  JOIN submitted_notebook n ON n.id = g.notebook_id JOIN submitted_assignment s ON s.id = n.assignment_id
  WHERE s.student_id = '{learner}' AND b.name = '{cell}')"""


@contextmanager
def course_at(folder: Path) -> Iterator[None]:
    """Let all that is done meanwhile be done in the course folder `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        yield


def make(folder: Path) -> Path:
    """Make the course folder and return it."""
    with course_at(folder):
        data = CourseData()
        data.instructor("generate_assignment", "ch3", force=True)
        data.instructor("release_assignment", "ch3")
        cohort = [learner for learner in read_cohort() if learner.name in LEARNERS]
        for learner in cohort:
            attend(data, learner, load_course().chapter("ch3"))
        data.instructor("collect", "ch3", update=True)
        grade_and_report(Console(quiet=True), ["ch3"], "*", workers=1, force=False)
        with gradebook(data.db_url) as engine:
            install(engine)
            touch(engine)
    with closing(sqlite3.connect(folder / "gradebook.db")) as database:
        # A hand past all programs, which nobody is named for.
        grade = GRADE_OF.format(learner="expert", cell="e3-1-4")
        database.execute(f"UPDATE grade SET extra_credit = 0.5 WHERE id = {grade}")
        database.commit()
    (folder / "cohorts.csv").write_text("learner,cohort\nexpert,Hangzhou\naverage-lin,Suzhou\n", "utf-8")
    return folder


def touch(engine: Engine) -> None:
    """Do what trainers do: set scores by hand, mark, move a deadline, release a page, and be sorry."""

    def run(statement: str, **values: object) -> None:
        with writing(engine) as connection:
            connection.execute(text(statement), values)

    name_writers()
    lin = GRADE_OF.format(learner="average-lin", cell="e3-1-1")
    with because("the printer was broken"):
        run(f"UPDATE grade SET manual_score = 6 WHERE id = {lin}")
    truth = GRADE_OF.format(learner="average-lin", cell="e3-3-4-truth")
    run(f"UPDATE grade SET manual_score = 0.5, needs_manual_grade = :open WHERE id = {truth}", open=False)
    record_release(engine, "ch3", {"average-lin": "0" * 64})
    run(f"UPDATE grade SET manual_score = 5 WHERE id = {lin}")
    with engine.connect() as connection:
        last = connection.execute(text("SELECT max(seq) FROM counterside_trail")).scalar_one()
    give_reason(engine, [last], "a slip of the pen")
    # Two hours late, of which the extension forgives one; the penalty is what nbgrader would have taken off.
    at = "UPDATE submitted_assignment SET timestamp = :at WHERE student_id = 'tamperer'"
    run(at, at=str(datetime(2099, 9, 1, 14)))
    run("UPDATE submitted_assignment SET extension = '1970-01-01 01:00:00' WHERE student_id = 'tamperer'")
    run("UPDATE assignment SET duedate = '2099-09-01 12:00:00' WHERE name = 'ch3'")
    run(
        "UPDATE submitted_notebook SET late_submission_penalty = 1.5 WHERE assignment_id = "
        "(SELECT id FROM submitted_assignment WHERE student_id = 'tamperer')"
    )


def config_of(folder: Path) -> CourseConfig:
    with course_at(folder):
        return CourseConfig()
