"""Measurements of judging: one response to the largest item of each type, and the lint of a large course."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograde.examples import example
from autograde.largest import Largest, largest
from curriculum.items import TYPES
from curriculum.lint import lint
from curriculum.load import CONTENT, Course, load_course
from curriculum.model import LANGUAGES
from curriculum.verdict import judge, parse

REPETITIONS = 500
LINTED = 120
LINTS = 3


def items(console: Console) -> None:
    """Print what judging the largest item of each type takes, and what linting many items takes."""
    table = Table(title=f"The largest item of each type: ms of the processor, of {REPETITIONS}")
    table.add_column("type", no_wrap=True)
    for heading in ("characters", "parsed, scored", "95th", "scored", "95th"):
        table.add_column(heading, justify="right")
    for name in track([*TYPES], description="Types", console=console):
        found = largest(example(name))
        table.add_row(name, str(found.size), *(f"{took:.3f}" for took in (*judging(found), *scoring(found))))
    took = [linting() for _turn in range(LINTS)]
    console.print(table)
    console.print(f"Lint of {LINTED} items: {statistics.median(took):.2f} s of the processor, median of {LINTS}.")


def judging(found: Largest) -> tuple[float, float]:
    return timed(lambda: judge(found.item, found.response))


def scoring(found: Largest) -> tuple[float, float]:
    item = found.item
    response = parse(item.kind, item.public, found.response)
    return timed(lambda: item.kind.score(item.public, item.key, response))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return median and 95th percentile in milliseconds that the processor worked: others may use it, too."""
    took = []
    for _turn in range(REPETITIONS):
        began = time.process_time()
        work()
        took.append(1000 * (time.process_time() - began))
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


def linting() -> float:
    """Return the seconds of the processor that lint needs for the course with copies of its items, `LINTED` in all."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        enlarge(load_course(), root)
        began = time.process_time()
        lint(root)
        return time.process_time() - began


def enlarge(course: Course, root: Path) -> None:
    """Write a course into a folder, and copies of its items until there are `LINTED`."""
    for name in ("rules.yml", "points.tsv", "glossary.tsv"):
        shutil.copy(CONTENT / name, root)
    shutil.copytree(CONTENT / "chapters", root / "chapters")
    plan = course.plan.model_dump(mode="json")
    places = [
        (chapter["folder"], planned, item)
        for chapter, read in zip(plan["chapters"], course.chapters, strict=True)
        for planned, section in zip(chapter["sections"], read.sections, strict=True)
        for item in section.items
    ]
    for number, (chapter, section, item) in zip(range(len(places), LINTED), cycle(places), strict=False):
        copy, folder = f"{item.id}-{number}", root / "chapters" / chapter
        text = (folder / "items" / f"{item.id}.yml").read_text("utf-8")
        (folder / "items" / f"{copy}.yml").write_text(text.replace(f"id: {item.id}\n", f"id: {copy}\n", 1), "utf-8")
        for language in LANGUAGES:
            with (folder / f"{section['id'].replace('.', '-')}.{language}.md").open("a", encoding="utf-8") as lesson:
                lesson.write(f"\n{{{{ item {copy} }}}}\n")
        if not item.head.practice:
            section["items"][copy] = section["items"][item.id]
    (root / "course.yml").write_text(yaml.safe_dump(plan, allow_unicode=True), "utf-8")
