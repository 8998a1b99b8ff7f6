"""What an author asks for: a new item to fill in, and what the course covers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograde.feedback import templates
from autograde.place import CourseError
from curriculum.items import TYPES
from curriculum.lint.chance import FIXED, PASS, floors
from curriculum.lint.coverage import PointCoverage, coverage
from curriculum.load import CONTENT, Course

ITEM_ID = re.compile(r"^(?P<kind>[ep])(?P<chapter>[1-6])-(?P<section>[0-9])-(?P<number>[0-9]{1,2})$")
PLACE = "‹ID›"


def new_item(type_name: str, item_id: str, course: Course, content: Path = CONTENT) -> Path:
    """Write a commented item to fill in and return its file. Raises CourseError, and then writes nothing."""
    if type_name not in TYPES:
        raise CourseError(f"there is no item type “{type_name}”; use one of {', '.join(TYPES)}")
    found = ITEM_ID.match(item_id)
    if not found:
        remedy = "write e3-2-1 for a graded one of section 3.2, p3-2-1 for practice"
        raise CourseError(f"“{item_id}” is no id of an item; {remedy}")
    section = f"{found['chapter']}.{found['section']}"
    folders = [chapter.plan.folder for chapter in course.chapters if section in {s.plan.id for s in chapter.sections}]
    if not folders:
        raise CourseError(f"there is no section {section} in course.yml; add it there first")
    path = content / "chapters" / folders[0] / "items" / f"{item_id}.yml"
    text = (CONTENT / "items" / type_name / "template.yml").read_text("utf-8")
    practice = "true" if found["kind"] == "p" else "false"
    text = re.sub(r"^practice: \w+", f"practice: {practice}", text.replace(PLACE, item_id), flags=re.MULTILINE)
    schema = f"# yaml-language-server: $schema=../../../items/{type_name}/schema.json\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(schema + text)
    except FileExistsError:
        raise CourseError(f"there is an item {item_id} already: {path}; take the next number") from None
    return path


WAYS = ("random", *FIXED, "same")


def print_coverage(console: Console, course: Course, page: Path | None) -> None:
    """Print what each section covers and what guessing earns; write the page with every point when asked for."""
    points = coverage(course)
    table = Table(title=f"Teaching points, {len(points)} in all")
    for heading in ("section", "points", "taught", "exercised"):
        table.add_column(heading, justify="left" if heading == "section" else "right")
    for section in dict.fromkeys(found.section for found in points):
        add_row(table, section, [found for found in points if found.section == section])
    table.add_section()
    add_row(table, "all", points)
    console.print(table)
    shares = [(item, floors(item)) for item in course.items.values()]
    guesses = Table(title="What guessing earns", caption=f"A graded item whose guessing earns {PASS:.0%} is refused.")
    for heading in ("item", "type", *WAYS):
        guesses.add_column(heading, justify="right" if heading in WAYS else "left")
    for item, share in shares:
        guesses.add_row(item.id, item.kind.name, *(percent(share, way) for way in WAYS))
    console.print(guesses)
    if page:
        template = templates().get_template("coverage.html")
        text = template.render(course=course, points=points, floors=shares, ways=WAYS, **{"pass": PASS})
        page.write_text(text, "utf-8")
        console.print(f"wrote {page}")


def add_row(table: Table, name: str, points: list[PointCoverage]) -> None:
    taught, exercised = sum(bool(found.taught) for found in points), sum(bool(found.exercised) for found in points)
    table.add_row(name, str(len(points)), str(taught), str(exercised))


def percent(shares: Mapping[str, float], way: str) -> str:
    return f"{shares[way]:.0%}" if way in shares else "–"
