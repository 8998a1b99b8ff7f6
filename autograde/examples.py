"""The example of each item type, and a chapter of them all: every type can be measured, placed in a lesson or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

import curriculum.items
from autograde.engine import course
from curriculum.build import chapter_files
from curriculum.items import TYPES
from curriculum.load import Chapter, ChapterPlan, Section, SectionPlan
from curriculum.model import Head, Item, Text

TITLE = Text(zh="全部题型", en="All item types")


@dataclass(frozen=True)
class Example:
    """An item, and the responses to it that its type accepts, the right one first."""

    item: Item
    responses: tuple[Any, ...]


def example(name: str) -> Example:
    """Return the example of a type."""
    path = Path(curriculum.items.__file__).parent / name / "example.yml"
    data, kind = yaml.safe_load(path.read_text("utf-8")), TYPES[name]
    public, key = (data["item"].pop(part) for part in ("public", "key"))
    item = Item(Head(**data["item"]), kind, kind.public.model_validate(public), kind.key.model_validate(key))
    valid = sorted((case for case in data["responses"] if case["share"] is not None), key=lambda case: -case["share"])
    return Example(item, tuple(case["response"] for case in valid))


def example_chapter() -> Chapter:
    """Return a chapter that has the example of each type as practice."""
    items = [example(name).item for name in TYPES]
    practice = tuple(replace(item, head=item.head.model_copy(update={"practice": True})) for item in items)
    section = SectionPlan(id="1.1", title=TITLE, objectives=(), items={})
    plan = ChapterPlan(id="examples", folder="examples", title=TITLE, sections=(section,))
    return Chapter(plan, (Section(section, practice),), {})


def write_examples(folder: Path) -> Chapter:
    """Write the chapter of examples into a folder as it would be released, and return it."""
    chapter = example_chapter()
    for name, data in chapter_files(course(), chapter).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return chapter
