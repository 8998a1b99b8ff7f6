"""Measurements of grading: nbgrader as it comes, running a kernel for each notebook, beside ours, in one run.

Both grade the same submissions of the same simulated learners, and what they
wrote into the gradebook is compared.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.apps import NbGraderAPI
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import Engine, create_engine, text

from autograde.cohort import hand_in, release
from autograde.course_data import CourseData, quiet, reason
from autograde.place import CourseError
from autograde.workers import course_of_run

LEARNERS = 60
MANY = 1667  # learners of six chapters: 10,002 submissions
BY_STOCK = 5  # of the learners, since it takes seconds for each submission
ROWS = {
    "grades": """
        select s.student_id, a.name, b.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade
        from grade g join base_cell b on b.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id
        join submitted_assignment s on s.id = n.assignment_id join assignment a on a.id = s.assignment_id""",
    "comments": """
        select s.student_id, a.name, b.name, c.auto_comment, c.manual_comment
        from comment c join base_cell b on b.id = c.cell_id join submitted_notebook n on n.id = c.notebook_id
        join submitted_assignment s on s.id = n.assignment_id join assignment a on a.id = s.assignment_id""",
    "submissions": """
        select s.student_id, a.name, s.timestamp, n.late_submission_penalty
        from submitted_notebook n join submitted_assignment s on s.id = n.assignment_id
        join assignment a on a.id = s.assignment_id""",
}
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What a command took: seconds by the clock and of the processor, and MB (10⁶) of its largest process."""

    wall: float
    processor: float
    peak: float


def stock_of(data: CourseData, folder: Path) -> CourseData:
    """Return the same course as nbgrader would grade it by itself, with a copy of the gradebook in `folder`."""
    folder.mkdir()
    shutil.copy(data.folder / "gradebook.db", folder)
    stock = deepcopy(data)
    for section in ("Autograde", "GenerateFeedback"):
        del stock.config[section]
    places = stock.config.CourseDirectory
    stock.autograded, stock.feedback = folder / "autograded", folder / "feedback"
    places.autograded_directory, places.feedback_directory = str(stock.autograded), str(stock.feedback)
    places.db_url = stock.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    stock.config.NbGrader.logfile = str(folder / "nbgrader.log")
    return stock


def step(data: CourseData, name: str, chapter: str, learner: str) -> float:
    """Do one of nbgrader's steps for one submission and return its seconds. Raises CourseError."""
    with quiet() as log:
        api = NbGraderAPI(config=data.config)
        began = time.perf_counter()
        result = getattr(api, name)(chapter, learner, force=True)
        took = time.perf_counter() - began
    if not result["success"]:
        raise CourseError(f"nbgrader {name} {chapter} failed for {learner}: {reason(result, log)}")
    return took


def rows(engine: Engine, table: str, learners: Sequence[str]) -> dict[Row, Row]:
    """Return what a gradebook holds of some learners, by learner, chapter and cell."""
    keys = 2 if table == "submissions" else 3
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(ROWS[table])) if row[0] in learners]
    return {row[:keys]: row[keys:] for row in found}


def differences(ours: CourseData, stock: CourseData, learners: Sequence[str]) -> list[str]:
    """Say where the two gradebooks differ, other than on purpose (ADR 0014).

    On purpose: what a learner wrote is put before a person. Nbgrader by itself sees an untouched cell there.
    """
    said = []
    engines = create_engine(ours.db_url), create_engine(stock.db_url)
    to_mark = {
        key for key, (score, *_more) in rows(engines[0], "grades", learners).items() if score is None
    }  # fmt: skip
    for table in ROWS:
        mine, theirs = (rows(engine, table, learners) for engine in engines)
        for key in sorted(mine.keys() | theirs.keys()):
            expected = theirs.get(key)
            if key in to_mark:
                expected = (None, *expected[1:-1], 1) if table == "grades" and expected else None
                if table == "comments":
                    expected = (None, None)
            if mine.get(key) != expected:
                said.append(f"{table} of {', '.join(key)}: {mine.get(key)}, nbgrader {theirs.get(key)}")
    for engine in engines:
        engine.dispose()
    return said


def command(folder: Path, *words: str) -> Run:
    """Run `counterside` on the course in `folder` and return what it took. Raises CourseError."""
    environment = {**os.environ, "COUNTERSIDE_COURSE": str(folder)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "autograde.cli", *words],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr
    with process.stderr as errors:
        said = errors.read().decode()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CourseError(f"counterside {' '.join(words)} failed: {said.strip()}")
    return Run(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def grading(console: Console, learners: int, by_stock: int, many: int) -> None:
    """Print the figures. Raises CourseError when the two gradebooks differ."""
    table = Table(title="Grading: nbgrader as it comes, and ours")
    for heading in ("measure", "nbgrader", "ours", "ratio"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["COUNTERSIDE_COURSE"] = str(folder / "course")
        os.environ.pop("COUNTERSIDE_DB", None)
        data, course = CourseData(), course_of_run()
        release(data, course.chapters)
        names = hand_in(data, course.chapters, learners)
        chapters, compared = [chapter.id for chapter in course.chapters], names[:: max(1, learners // by_stock)]
        jobs = [(chapter, learner) for learner in compared for chapter in chapters]
        stock = stock_of(data, folder / "stock")

        def by_nbgrader(course_data: CourseData, words: str) -> list[float]:
            shown = "nbgrader as it comes" if course_data is stock else "through our plug-ins"
            return [
                step(course_data, words, *job) for job in track(jobs, f"{words}, {shown}", console=console)
            ]  # fmt: skip

        slow = by_nbgrader(stock, "autograde")
        slow_pages = by_nbgrader(stock, "generate_feedback")
        start = command(data.folder, "grade", chapters[0], "--learners", compared[0])
        one = command(data.folder, "grade", "--all", "--force", "--workers", "1")
        found = differences(data, stock, compared)
        pages = command(data.folder, "feedback", "--all")
        button = by_nbgrader(data, "autograde")
        found += differences(data, stock, compared)
        count = learners * len(chapters)

        def add(measure: str, theirs: float, mine: float, unit: str = "ms", scale: float = 1e3) -> None:
            table.add_row(measure, f"{theirs * scale:.0f} {unit}", f"{mine * scale:.1f} {unit}", f"{theirs / mine:.0f}")

        each, page = (one.wall - start.wall) / count, (pages.wall - start.wall) / count
        add(f"a submission, mean of {len(jobs)} and of {count}", statistics.fmean(slow), each)
        add("a feedback page", statistics.fmean(slow_pages), page)
        add(
            "one submission as formgrader's button grades it, median",
            statistics.median(slow),
            statistics.median(button),
        )
        if many:
            shutil.rmtree(data.submitted)
            shutil.rmtree(data.autograded)
            hand_in(data, course.chapters, many)
            alone = command(data.folder, "grade", "--all", "--force", "--workers", "1")
            two = command(data.folder, "grade", "--all", "--force", "--workers", "2")
    console.print(table)
    console.print(f"Start and one submission: {start.wall:.2f} s, of the processor {start.processor:.2f} s.")
    console.print(f"{count} submissions, one worker: {one.wall:.1f} s, largest process {one.peak:.0f} MB.")
    if many:
        console.print(
            f"{many * len(chapters)} submissions: one worker {alone.wall:.0f} s, two {two.wall:.0f} s "
            f"({alone.wall / two.wall:.2f} times as fast); largest process {alone.peak:.0f} and {two.peak:.0f} MB."
        )
    if found:
        raise CourseError(f"the gradebooks differ, {len(found)} times; first: {found[0]}")
    console.print(f"Grades, comments and times of {len(jobs)} submissions are the same in both gradebooks.")
