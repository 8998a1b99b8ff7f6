"""From the model to `source/`, one notebook a chapter with public data only, and to schemas for editors.

Nothing of a graded item's key is copied anywhere; what learners get is picked
field by field. The same content gives the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from curriculum.load import Chapter, Course, Term, Theory, address
from curriculum.model import LANGUAGES, Criterion, Item, Language, PointId, Text, find
from curriculum.schema import schema_files

PLAY = 'from curriculum.player import play\nplay("{item}")'
HAND_IN = "from curriculum.player import hand_in\nhand_in()"
HIDDEN_TEST = '### BEGIN HIDDEN TESTS\nfrom autograde.engine import earned\nearned("{item}")\n### END HIDDEN TESTS'
NOTE = "*你写给培训师的话会出现在这里。 · Your note to your trainer will stand here.*"
TO_BE_MARKED = "*这里由培训师评定。 · Your trainer marks here.*"
CONTENTS = Text(zh="本章各节", en="In this chapter")
GLOSSARY = Text(zh="词汇表", en="Glossary")
TRAINER = {"role": "trainer"}
NBGRADER_SCHEMA = 3

Cell = dict[str, Any]


def build(course: Course, root: Path) -> list[Path]:
    """Write `source/` and the schemas below `root` and return the files that changed.

    Files of a chapter that the content no longer has are removed.
    """
    files, changed = built_files(course), []
    for path in outdated(course, root):
        data = files.get(path.relative_to(root).as_posix())
        if data is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        changed.append(path)
    return changed


def outdated(course: Course, root: Path) -> list[Path]:
    """Return the files below `root` that building would write or remove."""
    files = built_files(course)
    folders = [root / "source" / chapter.id for chapter in course.chapters]
    gone = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    gone -= {root / name for name in files}
    return sorted([*gone, *(root / name for name, data in files.items() if not holds(root / name, data))])


def holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def built_files(course: Course) -> dict[str, bytes]:
    """Return all that is made from the content and the types, by path in the project."""
    chapters = {
        f"source/{chapter.id}/{name}": data
        for chapter in course.chapters
        for name, data in chapter_files(course, chapter).items()
    }
    return chapters | schema_files()


def chapter_files(course: Course, chapter: Chapter) -> dict[str, bytes]:
    """Return the files of an assignment: the notebook, the public items, the pictures."""
    return {
        f"{chapter.id}.ipynb": to_json(notebook(course, chapter), indent=1),
        "items.json": to_json(public_items(course, chapter), indent=1),
        **{name: path.read_bytes() for name, path in chapter.pictures.items()},
        **{name: data for item in chapter.items for name, data in item_files(item).items()},
    }


def public_items(course: Course, chapter: Chapter) -> dict[str, Any]:
    """Return what the player needs to know of a chapter: never the key of a graded item."""
    practice = (item for item in chapter.items if item.head.practice)
    points = {found for item in practice for _path, found in find(PointId, item.key)}
    return {
        "course": course.plan.course,
        "chapter": chapter.id,
        "items": [public_item(item) for item in chapter.items],
        "points": {point: course.teaching_points[point].model_dump() for point in sorted(points)},
    }


def item_files(item: Item) -> dict[str, bytes]:
    """Return the files that an item lays beside the notebook."""
    files = item.kind.files(item.public) if item.kind.files else {}
    return {f"data/{item.id}{ending}": data for ending, data in files.items()}


def public_item(item: Item) -> dict[str, Any]:
    data = {
        "id": item.id,
        "type": item.kind.name,
        "practice": item.head.practice,
        "hash": item.hash,
        "title": item.head.title.model_dump(),
        "public": item.kind.release(item.public).model_dump(),
    }
    if item.head.practice:
        data["key"] = item.key.model_dump()
    return data


def notebook(course: Course, chapter: Chapter) -> dict[str, Any]:
    chapters = [{"id": plan.id, "title": plan.title.model_dump()} for plan in course.plan.chapters]
    cells = contents_cells(chapter)
    for section in chapter.sections:
        number = 0
        for part in section.parts:
            if isinstance(part, Theory):
                number += 1
                cells += theory_cells(part, f"s{section.plan.id.replace('.', '-')}-{number:02}")
            else:
                cells += item_cells(part, chapter.points.get(part.id))
    cells.append(code_cell("hand-in", HAND_IN, {}))
    cells += glossary_cells(course, chapter)
    return {
        "cells": cells,
        "metadata": {
            "counterside": {"title": chapter.plan.title.model_dump(), "chapters": chapters},
            "kernelspec": {"display_name": "Counterside", "language": "python", "name": "counterside"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def theory_cells(part: Theory, cell_id: str) -> list[Cell]:
    return [
        markdown_cell(f"{cell_id}-{language}", part.text[language], {"counterside": {"lang": language}})
        for language in LANGUAGES
    ]


def contents_cells(chapter: Chapter) -> list[Cell]:
    """Return the list of the sections, each a link to its heading; nothing if there is one alone."""
    openings = [part for section in chapter.sections for part in section.parts[:1] if isinstance(part, Theory)]
    if len(openings) < 2:
        return []
    cells = []
    for language in LANGUAGES:
        headings = [opening.heading(language) for opening in openings]
        links = (f"- [{heading}]({address(heading)})" for heading in headings)
        text = "\n".join([f"**{CONTENTS[language]}**", "", *links])
        cells.append(markdown_cell(f"contents-{language}", text, {"counterside": {"lang": language}}))
    return cells


def glossary_cells(course: Course, chapter: Chapter) -> list[Cell]:
    """Return what the chapter's terms mean, in the order of each language's alphabet; nothing if it links none."""
    used = {name for section in chapter.sections for name in section.terms}
    if not used:
        return []
    cells = []
    for language in LANGUAGES:
        terms = sorted((course.glossary[name] for name in used), key=lambda term: alphabet(term, language))
        entries = (f"### {term.heading}\n\n{term.meaning[language]}" for term in terms)
        text = "\n\n".join([f"## {GLOSSARY[language]}", *entries])
        cells.append(markdown_cell(f"glossary-{language}", text, {"counterside": {"lang": language}}))
    return cells


def alphabet(term: Term, language: Language) -> bytes:
    """Return a key to sort by. GBK has the common Chinese characters by their pronunciation."""
    return term.name[language].lower().encode("gbk")


def item_cells(item: Item, points: float | None) -> list[Cell]:
    source = PLAY.format(item=item.id)
    if points is None:
        return [code_cell(item.id, source, {})]
    test = f"{source}\n{HIDDEN_TEST.format(item=item.id)}"
    marked = criterion_cells(item, points)
    automatic = points - sum(criterion.points for criterion in marked)
    cells = [code_cell(item.id, test, {"nbgrader": grading(item.id, automatic)})]
    for marked_cell in marked:
        metadata = {"nbgrader": grading(marked_cell.id, marked_cell.points, by_hand=True), "counterside": TRAINER}
        cells.append(markdown_cell(marked_cell.id, TO_BE_MARKED, metadata))
    if item.kind.note:
        name = note_id(item.id)
        # nbgrader has comments only on cells that a person marks; this one is worth nothing.
        metadata = {"nbgrader": grading(name, 0, by_hand=True), "counterside": TRAINER}
        cells.append(markdown_cell(name, NOTE, metadata))
    return cells


class CriterionCell(NamedTuple):
    """The cell in which a person marks one criterion of an item's rubric."""

    id: str
    points: float
    criterion: Criterion


def criterion_cells(item: Item, points: float) -> list[CriterionCell]:
    """Return the cells for an item's rubric; `points` is what the item is worth in all."""
    rubric = item.kind.rubric
    if rubric is None:
        return []
    each = points * rubric.share / len(rubric.criteria)
    return [CriterionCell(f"{item.id}-{criterion.id}", each, criterion) for criterion in rubric.criteria]


def note_id(item_id: str) -> str:
    """Return the id of the cell in which the trainer reads and answers a learner's note."""
    return f"{item_id}-note"


def grading(grade_id: str, points: float, by_hand: bool = False) -> dict[str, Any]:
    """Return nbgrader's metadata of a locked test, or of a cell that a person marks."""
    return {
        "schema_version": NBGRADER_SCHEMA,
        "grade_id": grade_id,
        "grade": True,
        "solution": by_hand,
        "locked": not by_hand,
        "task": False,
        "points": points,
    }


def code_cell(cell_id: str, source: str, metadata: dict[str, Any]) -> Cell:
    return {**markdown_cell(cell_id, source, metadata), "cell_type": "code", "execution_count": None, "outputs": []}


def markdown_cell(cell_id: str, source: str, metadata: dict[str, Any]) -> Cell:
    return {
        "cell_type": "markdown",
        "id": cell_id,
        "metadata": {"deletable": False, "editable": False, **metadata},
        "source": source.splitlines(keepends=True),
    }


def to_json(data: Any, indent: int | None = None) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=indent, sort_keys=True) + "\n").encode()
