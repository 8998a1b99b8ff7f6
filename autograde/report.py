"""The gradebook for people: a table in the terminal, and the auditor's pages."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograde.course_data import CourseData
from autograde.engine import course
from autograde.feedback import WORDS, templates
from autograde.gradebook import Entry, read_gradebook
from curriculum.verdict import number

STATES = {"graded": "graded", "waiting": "to be marked", "look": "look at it", "refused": "log refused"}


def print_gradebook(console: Console) -> None:
    """Print one table a chapter, and what a person should look at."""
    entries = read_gradebook(CourseData())
    for chapter in course().chapters:
        table = Table(title=f"{chapter.id} · {chapter.plan.title.en} · {chapter.plan.title.zh}")
        table.add_column("learner", no_wrap=True)
        for name, points in chapter.points.items():
            table.add_column(f"{name}\nof {number(points)}", justify="right")
        table.add_column(f"total\nof {number(sum(chapter.points.values()))}", justify="right")
        table.add_column("state")
        for entry in (entry for entry in entries if entry.chapter == chapter.id):
            table.add_row(
                entry.learner,
                *(f"{entry.marks[name].score:.2f}" for name in chapter.points),
                f"{entry.total:.2f}",
                STATES[entry.state],
            )
        console.print(table)
    for entry in entries:
        for words in remarks(entry):
            console.print(f"{entry.learner}, {entry.chapter}: {words}", markup=False)


def remarks(entry: Entry) -> list[str]:
    """Return all that a person should know of a submission, in sentences."""
    waiting = [f"{number(entry.waiting)} points are still to be marked by hand"] if entry.waiting else []
    return [*entry.verdict.remarks, *waiting]


def write_pages(target: Path) -> Path:
    """Write the auditor's pages below `target` and return the first of them."""
    entries, here = read_gradebook(CourseData()), course()
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.html"):
        old.unlink()
    common = {"course": here, "words": WORDS, "states": STATES, "lang": "en", "remarks": remarks}
    for entry in entries:
        page = (
            templates()
            .get_template("audit_entry.html")
            .render(entry=entry, chapter=here.chapter(entry.chapter), **common)
        )
        (target / page_name(entry)).write_text(page, "utf-8")
    index = target / "index.html"
    index.write_text(
        templates().get_template("audit.html").render(entries=entries, page_name=page_name, **common), "utf-8"
    )
    return index


def page_name(entry: Entry) -> str:
    return f"{entry.chapter}-{entry.learner}.html"
