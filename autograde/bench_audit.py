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
from collections.abc import Iterator
from contextlib import closing
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


def audit(console: Console, rows: int) -> None:
    """Print the figures. Raises CourseError when a gradebook that nobody touched does not verify."""
    table = Table(title="A trail: what it costs, and how long it takes to check")
    for heading in ("measure", "goal", "without", "with", "more"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        saves = [saving(folder / f"{kind}.db", kind == "with") for kind in ("without", "with")]
        more = saves[1] - saves[0]
        table.add_row(
            f"a save as formgrader does it, median of {SAVES}", "1 ms more",
            f"{saves[0]:.2f} ms", f"{saves[1]:.2f} ms", f"{more:.2f} ms",
        )  # fmt: skip
        without, kept = grading(folder)
        share = (kept / without - 1) * 100
        table.add_row(
            f"grading {LEARNERS * 6} submissions, with seal", "10 % more",
            f"{without:.1f} s", f"{kept:.1f} s", f"{share:.1f} %",
        )  # fmt: skip
        console.print(table)
        lengthy(console, folder, rows)


def saving(path: Path, kept: bool) -> float:
    """Return the median time of a save in ms: nbgrader finds a grade, changes it, and commits."""
    url = f"sqlite:///{path}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        with Gradebook(url, "counterside") as book:
            book.add_assignment("ch1")
            book.add_notebook("ch1", "ch1")
            book.add_grade_cell("e1", "ch1", "ch1", max_score=5, cell_type="code")
            book.add_student("anna")
            book.add_submission("ch1", "anna")
        if kept:
            with gradebook(url) as engine:
                install(engine)
        took = []
        with closing(sqlite3.connect(path)) as both_alike:
            both_alike.execute("PRAGMA journal_mode=WAL")  # as ours leaves it
        with Gradebook(url, "counterside") as book:
            for number in range(SAVES):
                began = time.perf_counter()
                grade = book.find_grade("e1", "ch1", "ch1", "anna")
                grade.manual_score = float(number)
                book.db.commit()
                took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def grading(folder: Path) -> tuple[float, float]:
    """Return the seconds of the processor that grading a cohort takes, without a trail and with one."""
    os.environ["COUNTERSIDE_COURSE"] = str(folder / "course")
    os.environ.pop("COUNTERSIDE_DB", None)  # people's own gradebook
    data, course = CourseData(), course_of_run()
    release(data, course.chapters)
    hand_in(data, course.chapters, LEARNERS)
    shutil.copytree(data.folder, folder / "kept")
    with gradebook(f"sqlite:///{folder / 'kept' / 'gradebook.db'}") as engine:
        install(engine)
    found = [command(place, "grade", "--all", "--workers", "1") for place in (data.folder, folder / "kept")]
    return found[0].processor, found[1].processor


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
