"""The gradebook as a table in the terminal."""

from __future__ import annotations

import sys
from textwrap import fill

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table

from autograde.course_data import CourseData
from autograde.engine import course
from autograde.gradebook import Entry, read_gradebook
from curriculum.load import Chapter
from curriculum.verdict import number

STATES = {
    "graded": "graded",
    "warning": "notebook changed",
    "waiting": "to be marked",
    "look": "look at it",
    "refused": "log refused",
}


def print_gradebook(console: Console) -> None:
    """Print the marks of each chapter, and what a person should look at."""
    entries = read_gradebook(CourseData())
    for chapter in course().chapters:
        for group in side_by_side(console, chapter, [entry for entry in entries if entry.chapter == chapter.id]):
            console.print(marks_table(chapter, group))
    for entry in entries:
        if words := remarks(entry):
            console.print(f"{entry.learner}, {entry.chapter}: {'; '.join(words)}", markup=False)


def side_by_side(console: Console, chapter: Chapter, entries: list[Entry]) -> list[list[Entry]]:
    """Return the entries in groups, each as large as the terminal has room for."""
    # Measured as if there were room without end: otherwise rich says of every table that it fits.
    boundless = console.options.update(max_width=sys.maxsize)
    groups: list[list[Entry]] = [[]]
    for entry in entries:
        wider = [*groups[-1], entry]
        if groups[-1] and console.measure(marks_table(chapter, wider), options=boundless).maximum > console.width:
            groups.append([entry])
        else:
            groups[-1] = wider
    return groups


def marks_table(chapter: Chapter, entries: list[Entry]) -> Table:
    """Return marks with a row for each item: a chapter has more items than a terminal has room for columns."""
    title = f"{chapter.id} · {chapter.plan.title.en}\n{chapter.plan.title.zh}"
    table = Table(title=title, box=HORIZONTALS, padding=0, show_footer=True)
    table.add_column("item", footer="total\nstate", no_wrap=True)
    table.add_column("of", footer=number(sum(chapter.points.values())), justify="right")
    for entry in entries:
        name, state = entry.learner.replace("-", "-\n"), fill(STATES[entry.state], width=8)
        table.add_column(name, footer=f"{entry.total:.2f}\n{state}", justify="right")
    for section in chapter.plan.sections:
        for name, points in section.items.items():
            table.add_row(name, number(points), *(mark_in_words(entry, name) for entry in entries))
        table.add_section()
    return table


def mark_in_words(entry: Entry, item: str) -> str:
    """Return the points of an item, or a dash where there was nothing to judge."""
    state = next(outcome.state for outcome in entry.verdict.outcomes if outcome.item == item)
    mark = entry.marks[item]
    return "–" if state == "unanswered" and not mark.by_hand else f"{mark.score:.2f}"


def remarks(entry: Entry) -> list[str]:
    """Return all that a person should know of a submission, in sentences."""
    waiting = [f"{number(entry.waiting)} points are still to be marked by hand"] if entry.waiting else []
    return [*entry.verdict.remarks, *waiting]
