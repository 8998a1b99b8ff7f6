"""`counterside bench desk`: how long the auditor's desk takes with many learners.

The gradebook of the demo is copied into a temporary folder and its learners are
multiplied there; what lies in the course folder is only read.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from autograde.audit.book import copied, read_book
from autograde.audit.desk import overview
from autograde.audit.page import write_report
from autograde.bench_browser import CHROMIUM
from autograde.config import CourseConfig
from autograde.place import CourseError

LEARNERS = 5000
# Types a name into the search field and waits until the table is drawn; in milliseconds.
FILTER = """async () => {
  const field = document.querySelector('.ca input[type=search]');
  const before = performance.now();
  field.value = '77';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - before;
}"""
SORT = """async () => {
  const before = performance.now();
  document.querySelector('.ca [data-key="sort:total"]').click();
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - before;
}"""


def desk(console: Console, learners: int = LEARNERS) -> None:
    """Measure and print. Raises CourseError when there is no gradebook to multiply."""
    config = CourseConfig()
    path = Path(config.db_url.removeprefix("sqlite:///"))
    if not path.is_file():
        raise CourseError("this needs the demo's gradebook on SQLite; run “make demo” first")
    table = Table(title=f"The desk with {learners} learners")
    table.add_column("step")
    table.add_column("time", justify="right")

    def timed(step: str, action: Callable[[], Any]) -> Any:
        before = time.perf_counter()
        result = action()
        table.add_row(step, f"{time.perf_counter() - before:.2f} s")
        return result

    with TemporaryDirectory(prefix="counterside-") as folder:
        many = copied(path, Path(folder))
        multiply(many, learners)
        book = timed("reading the gradebook", lambda: read_book(config, db_url=f"sqlite:///{many}"))
        shown = timed("what the desk opens with", lambda: json.dumps(overview(book)))
        page = Path(folder) / "report.html"
        timed("writing the report, with all that deserves a look", lambda: write_report(page, book))
        with opened(page) as (browser_page, opening):
            table.add_row("opening the report in Chromium", f"{opening:.2f} s")
            table.add_row("filtering by name", f"{browser_page.evaluate(FILTER) / 1000:.3f} s")
            table.add_row("sorting by the sum", f"{browser_page.evaluate(SORT) / 1000:.3f} s")
        console.print(table)
        trail = "no trail" if book.trail is None else f"{book.trail} rows of the trail"
        console.print(f"{len(book.standings)} chapters of learners, {trail}; {len(shown) / 1e6:.1f} MB to the browser")


# Each row of a learner once more for each twin; ids get an ending of their own.
COPYING = (
    "INSERT INTO student (id) SELECT new FROM twin",
    "CREATE TEMP TABLE mine AS SELECT s.id, t.new, t.ending FROM submitted_assignment s "
    "JOIN twin t ON t.old = s.student_id",
    "CREATE TEMP TABLE books AS SELECT n.id, m.ending FROM submitted_notebook n JOIN mine m ON m.id = n.assignment_id",
    "INSERT INTO submitted_assignment (id, assignment_id, student_id, timestamp, extension) "
    "SELECT s.id || m.ending, s.assignment_id, m.new, s.timestamp, s.extension "
    "FROM mine m JOIN submitted_assignment s ON s.id = m.id",
    "INSERT INTO submitted_notebook (id, assignment_id, notebook_id, flagged, late_submission_penalty) "
    "SELECT n.id || b.ending, n.assignment_id || b.ending, n.notebook_id, n.flagged, n.late_submission_penalty "
    "FROM books b JOIN submitted_notebook n ON n.id = b.id",
    "INSERT INTO grade (id, notebook_id, cell_id, auto_score, manual_score, extra_credit, needs_manual_grade) "
    "SELECT g.id || b.ending, g.notebook_id || b.ending, g.cell_id, g.auto_score, g.manual_score, g.extra_credit, "
    "g.needs_manual_grade FROM grade g JOIN books b ON b.id = g.notebook_id",
    "INSERT INTO counterside_submission (student_id, assignment, run_id, digest, state) "
    "SELECT t.new, c.assignment, c.run_id, c.digest, c.state FROM counterside_submission c "
    "JOIN twin t ON t.old = c.student_id",
    "INSERT INTO counterside_evidence (run_id, student_id, assignment, item, state, earned, possible, by_hand, flags, "
    "rules, item_hash, key_hash, seq, at, line) SELECT e.run_id, t.new, e.assignment, e.item, e.state, e.earned, "
    "e.possible, e.by_hand, e.flags, e.rules, e.item_hash, e.key_hash, e.seq, e.at, e.line "
    "FROM counterside_evidence e JOIN twin t ON t.old = e.student_id",
)


@contextmanager
def opened(page: Path) -> Iterator[tuple[Any, float]]:
    """Open a report in Chromium; yield its page and the seconds until its table was there."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if not program:
        raise CourseError("this needs Debian's chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        browser_page = chromium.new_page(locale="en-GB")
        before = time.perf_counter()
        browser_page.goto(page.as_uri())
        browser_page.locator(".ca tbody tr").first.wait_for(timeout=60_000)
        yield browser_page, time.perf_counter() - before
        chromium.close()


def multiply(path: Path, learners: int) -> None:
    """Give a gradebook so many learners, each with the work of one of those it had."""
    with closing(sqlite3.connect(path)) as database:
        there = [name for (name,) in database.execute("SELECT student_id FROM submitted_assignment GROUP BY 1")]
        if not there:
            raise CourseError("nothing was graded in the gradebook; run “make demo” first")
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _sql in triggers:  # a trail of how these came to be would be none of the demo's
            database.execute(f'DROP TRIGGER "{name}"')
        twins = [
            (there[number % len(there)], f"{there[number % len(there)]}-{number:04}", f"~{number}")
            for number in range(learners - len(there))
        ]
        database.execute("CREATE TEMP TABLE twin (old TEXT, new TEXT, ending TEXT)")
        database.executemany("INSERT INTO twin VALUES (?, ?, ?)", twins)
        for statement in COPYING:
            database.execute(statement)
        for _name, sql in triggers:
            database.execute(sql)
        database.commit()
