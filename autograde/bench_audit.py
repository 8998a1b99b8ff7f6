"""Measurements of the audit: what a trail costs whoever writes, and how long it takes to check a long one."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SAWarning

from autograde.audit.heads import seal
from autograde.audit.trail import install
from autograde.audit.verify import verify
from autograde.bench_grading import command
from autograde.cohort import hand_in, release
from autograde.course_data import CourseData
from autograde.place import CourseError
from autograde.tables import gradebook
from autograde.workers import course_of_run

ROWS = 1_000_000
SAVES = 200
LEARNERS = 100
ROUNDS = 15


def audit(console: Console, rows: int) -> None:
    """Print the figures. Raises CourseError when a gradebook that nobody touched does not verify."""
    table = Table(title="A trail: what it costs, and how long it takes to check")
    for heading in ("measure", "goal", "without", "with", "more", "of single pairs"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = saving(folder)
        table.add_row(f"a save as formgrader does it, ms, {SAVES} pairs", "1 ms", *compared(pairs, 2, in_percent=False))
        count = LEARNERS * 6
        for measure, pairs in grading(folder).items():
            table.add_row(f"{measure} {count}, {ROUNDS} pairs", "10 %", *compared(pairs, 1, in_percent=True))
        console.print(table)
        lengthy(console, folder, rows)


def compared(pairs: list[tuple[float, float]], digits: int, *, in_percent: bool) -> tuple[str, str, str, str]:
    """Return in words both medians, the median of what the second of a pair has more, and its lower and upper decile.

    A pair is measured side by side, so what a busy machine does to one it does to the other.
    """
    more = [(second / first - 1) * 100 if in_percent else second - first for first, second in pairs]
    deciles = statistics.quantiles(more, n=10, method="inclusive")
    unit = " %" if in_percent else " ms"
    without, kept = (f"{statistics.median(values):.{digits}f}" for values in zip(*pairs, strict=True))
    return (
        without, kept,
        f"{statistics.median(more):.{digits}f}{unit}",
        f"{deciles[0]:.{digits}f} to {deciles[-1]:.{digits}f}{unit}",
    )  # fmt: skip


def saving(folder: Path) -> list[tuple[float, float]]:
    """Return pairs of the ms that a save takes, without a trail and with one: nbgrader finds a grade and changes it."""
    urls = [f"sqlite:///{folder / kind}.db" for kind in ("without", "with")]
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore", SAWarning)
        for url in urls:
            with Gradebook(url, "counterside") as book:
                book.add_assignment("ch1")
                book.add_notebook("ch1", "ch1")
                book.add_grade_cell("e1", "ch1", "ch1", max_score=5, cell_type="code")
                book.add_student("anna")
                book.add_submission("ch1", "anna")
            with gradebook(url) as engine:  # which leaves it in WAL mode
                if url == urls[1]:
                    install(engine)
        books = [stack.enter_context(Gradebook(url, "counterside")) for url in urls]
        return list(alternating(SAVES, *(partial(save, book) for book in books)))


def save(book: Gradebook, number: int) -> float:
    """Change a grade as formgrader does, and return the ms that it took."""
    began = time.perf_counter()
    grade = book.find_grade("e1", "ch1", "ch1", "anna")
    grade.manual_score = float(number)
    book.db.commit()
    return (time.perf_counter() - began) * 1e3


def alternating(
    rounds: int, first: Callable[[int], float], second: Callable[[int], float]
) -> Iterator[tuple[float, float]]:
    """Yield what both measure, round by round; every other round the second is measured first."""
    for number in range(rounds):
        if number % 2:
            measured = second(number)
            yield first(number), measured
        else:
            yield first(number), second(number)


def grading(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return pairs of the seconds of the processor that grading takes, without a trail and with one and its seal."""
    os.environ["COUNTERSIDE_COURSE"] = str(folder / "course")
    os.environ.pop("COUNTERSIDE_DB", None)  # people's own gradebook
    data, course = CourseData(), course_of_run()
    release(data, course.chapters)
    hand_in(data, course.chapters, LEARNERS)
    graded = {False: folder / "graded-without", True: folder / "graded-with"}

    def first(kept: bool, _round: int) -> float:
        place = graded[kept]
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(data.folder, place)
        if kept:
            with gradebook(f"sqlite:///{place / 'gradebook.db'}") as engine:
                install(engine)
        return command(place, "grade", "--all", "--workers", "1").processor

    def again(kept: bool, _round: int) -> float:
        return command(graded[kept], "grade", "--all", "--force", "--workers", "1").processor

    return {
        measure: list(alternating(ROUNDS, partial(grade, False), partial(grade, True)))
        for measure, grade in (("grading, s,", first), ("grading anew, s,", again))
    }


def lengthy(console: Console, folder: Path, rows: int) -> None:
    """Check a trail of so many rows, one process and then two, each in a process of its own for its memory."""
    path = folder / "long.db"
    url, seals, key = f"sqlite:///{path}", folder / "seals", folder / "key.pem"
    with Gradebook(url, "counterside") as book:
        book.add_assignment("ch1")
    with gradebook(url) as engine:
        install(engine)
        began = time.perf_counter()
        fill(path, rows)
        console.print(f"{rows} rows written by triggers in {time.perf_counter() - began:.0f} s.")
        began = time.perf_counter()
        seal(engine, seals, key)
        console.print(f"Sealed in {time.perf_counter() - began:.1f} s.")
    code = "import sys; from autograde.bench_audit import one; one(*sys.argv[1:])"
    for workers in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, url, str(seals), workers], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CourseError(f"the trail does not verify: {done.stdout}{done.stderr[-500:]}")
        console.print(done.stdout.strip())


def fill(path: Path, rows: int) -> None:
    """Write marks as raw SQL, until the trail has so many rows: half of them new, half changed once."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (start,) = connection.execute("SELECT max(seq) FROM counterside_trail").fetchone()
        half = (rows - start) // 2
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO grade (id, notebook_id, cell_id, auto_score, needs_manual_grade) VALUES (?, ?, ?, ?, 0)",
            identities(half),
        )
        connection.execute("UPDATE grade SET manual_score = auto_score + 1")
        connection.execute("COMMIT")


def identities(count: int) -> Iterator[tuple[str, str, str, float]]:
    for number in range(count):
        yield f"{number:032x}", f"{number // 12:032x}", f"{number % 12:032x}", number % 7 / 2


def one(url: str, seals: str, workers: str) -> None:
    """Check once, and print what it took."""
    began = time.perf_counter()
    report = verify(url, Path(seals), workers=int(workers))
    took = time.perf_counter() - began
    mine, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    processor = sum(usage.ru_utime + usage.ru_stime for usage in (mine, children))
    # The kernel's other figure, ru_maxrss, begins with what the process was that started this one.
    status = Path("/proc/self/status").read_text("utf-8")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    megabytes = [kibibytes * 1024 / 1e6 for kibibytes in (own, children.ru_maxrss)]
    print(
        f"{report.rows} rows verified by {workers} in {took:.1f} s, of the processors {processor:.1f} s; "
        f"{megabytes[0]:.0f} MB, largest worker {megabytes[1]:.0f} MB"
    )
    if report.faults:
        sys.exit("\n".join(report.faults))
