"""Measurements of grading: nbgrader as it comes, running a kernel for each notebook, beside ours, in one run.

Both grade the same submissions of the same simulated learners, and what they
wrote into the gradebook is compared.
"""

from __future__ import annotations

import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zlib import crc32

from nbgrader.apps import NbGraderAPI
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import create_engine, text

from autograde.cohort import hand_in, release
from autograde.course_data import CourseData, quiet, reason
from autograde.place import CourseError
from autograde.workers import course_of_run

LEARNERS = 60
MANY = 1667  # learners of six chapters: 10,002 submissions
BY_STOCK = 5  # of the learners, since it takes seconds for each submission
PAGES = 30  # feedback pages by nbgrader
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
    if not folder.exists():
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


def step(data: CourseData, name: str, chapter: str, learner: str) -> Run:
    """Do one of nbgrader's steps for one submission. Raises CourseError."""
    with quiet() as log:
        api = NbGraderAPI(config=data.config)
        began, worked = time.perf_counter(), processor()
        result = getattr(api, name)(chapter, learner, force=True)
        took = Run(time.perf_counter() - began, processor() - worked, 0)
    if not result["success"]:
        raise CourseError(f"nbgrader {name} {chapter} failed for {learner}: {reason(result, log)}")
    return took


def processor() -> float:
    """Return the seconds that this process and those that it has ended worked."""
    return sum(os.times()[:4])


def be_silent() -> None:
    """Keep what each kernel says when it starts from the terminal; why a step failed is told by its error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def stock_step(folder: Path, *words: str) -> Run:
    """Do one step as nbgrader by itself does it, in a process of its own."""
    return step(stock_of(CourseData(), folder), *words)


def by_nbgrader(console: Console, folders: Sequence[Path], jobs: Sequence[tuple[str, str]], name: str) -> Iterator[Run]:
    """Do a step of stock nbgrader for each chapter and learner, side by side with a gradebook in each folder.

    The same learner is always done in the same folder. Raises CourseError.
    """
    with ExitStack() as stack:
        # A kernel costs less to start from a small process.
        pools = [
            stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=be_silent))
            for _folder in folders
        ]
        waiting: list[Future[Run]] = []
        for chapter, learner in jobs:
            place = crc32(learner.encode()) % len(folders)
            waiting.append(pools[place].submit(stock_step, folders[place], name, chapter, learner))
        for one in track(waiting, f"{name}, nbgrader as it comes", console=console):
            yield one.result()


def rows(db_url: str, table: str, learners: Sequence[str]) -> dict[Row, Row]:
    """Return what a gradebook holds of some learners, by learner, chapter and cell."""
    keys = 2 if table == "submissions" else 3
    engine = create_engine(db_url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(ROWS[table])) if row[0] in learners]
    engine.dispose()
    return {row[:keys]: row[keys:] for row in found}


def differences(ours: CourseData, stocks: Sequence[CourseData], learners: Sequence[str]) -> list[str]:
    """Say where the two gradebooks differ, other than on purpose (ADR 0014). The stock one may be in parts.

    On purpose: what a learner wrote is put before a person. Nbgrader by itself sees an untouched cell there.
    """
    said = []
    for table in ROWS:
        mine = rows(ours.db_url, table, learners)
        theirs = {key: row for stock in stocks for key, row in rows(stock.db_url, table, learners).items()}
        if table == "grades":
            to_mark = {key for key, (score, *_more) in mine.items() if score is None}
        for key in sorted(mine.keys() | theirs.keys()):
            expected = theirs.get(key)
            if key in to_mark:
                expected = (None, *expected[1:-1], 1) if table == "grades" and expected else None
                if table == "comments":
                    expected = (None, None)
            if mine.get(key) != expected:
                said.append(f"{table} of {', '.join(key)}: {mine.get(key)}, nbgrader {theirs.get(key)}")
    exported = exports([ours], learners)
    for key, row in exports(stocks, learners).items():
        if exported.get(key) != row:
            said.append(f"the exported CSV of {', '.join(key)}: {exported.get(key)}, nbgrader {row}")
    return said


def exports(some: Sequence[CourseData], learners: Sequence[str]) -> dict[tuple[str, str], dict[str, str]]:
    """Return the lines that “nbgrader export” writes of what was handed in, by learner and chapter."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for data in some:
        target = Path(data.db_url.removeprefix("sqlite:///")).with_name("grades.csv")
        words = ["export", f"--CourseDirectory.db_url={data.db_url}", f"--to={target}"]
        subprocess.run([sys.executable, "-m", "nbgrader", *words], cwd=data.root, check=True, capture_output=True)
        with target.open(encoding="utf-8", newline="") as file:
            lines = [line for line in csv.DictReader(file) if line["student_id"] in learners and line["timestamp"]]
        found |= {(line["student_id"], line["assignment"]): line for line in lines}
    return found


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


def grading(console: Console, learners: int, by_stock: int, many: int, side_by_side: int = 1) -> None:
    """Print the figures, nbgrader's own with so many at work at a time. Raises CourseError when grades differ."""
    table = Table(title="Grading: nbgrader as it comes, and ours")
    for heading in ("measure", "nbgrader", "ours", "ratio"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["COUNTERSIDE_COURSE"] = str(folder / "course")
        os.environ.pop("COUNTERSIDE_DB", None)  # people's own gradebook
        data, course = CourseData(), course_of_run()
        release(data, course.chapters)
        names = hand_in(data, course.chapters, learners)
        chapters, compared = [chapter.id for chapter in course.chapters], names[:: max(1, learners // by_stock)]
        jobs = [(chapter, learner) for learner in compared for chapter in chapters]
        some = jobs[:: -(-len(jobs) // PAGES)]
        places = [folder / f"stock-{number}" for number in range(side_by_side)]
        stocks = [stock_of(data, place) for place in places]
        slow = list(by_nbgrader(console, places, jobs, "autograde"))
        slow_pages = list(by_nbgrader(console, places, some, "generate_feedback"))
        start = command(data.folder, "grade", chapters[0], "--learners", compared[0])
        one = command(data.folder, "grade", "--all", "--force", "--workers", "1")
        found = differences(data, stocks, compared)
        pages = command(data.folder, "feedback", "--all")
        button = [step(data, "autograde", *job) for job in some]
        found += differences(data, stocks, compared)
        count = learners * len(chapters)

        def add(measure: str, theirs: float, mine: float) -> None:
            table.add_row(measure, f"{theirs * 1e3:.0f} ms", f"{mine * 1e3:.1f} ms", f"{theirs / mine:.0f}")

        each, page = (one.wall - start.wall) / count, (pages.wall - start.wall) / count
        worked = (one.processor - start.processor) / count
        add(f"a submission, mean of {len(jobs)} and of {count}", statistics.fmean(run.wall for run in slow), each)
        add("  of the processor", statistics.fmean(run.processor for run in slow), worked)
        add(f"a feedback page, mean of {len(some)} and of {count}", statistics.fmean(r.wall for r in slow_pages), page)
        add("formgrader's button, median", *(statistics.median(run.wall for run in runs) for runs in (slow, button)))
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
    console.print(f"Grades, comments, times and the exported CSV of {len(jobs)} submissions are the same in both.")
