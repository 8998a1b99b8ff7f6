"""What was released stays what it was: `course.lock` remembers keys and wordings.

The key of a locked item never changes, or grades already given would mean
something else; its wording may be mended, in both languages, with a higher
revision. The lock holds hashes only; `counterside lock` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from curriculum.load import Course, Loader, Section, Theory
from curriculum.model import LANGUAGES, Item, Model, Rationale, Text, digest, find
from curriculum.source import Problem

NAME = "course.lock"
HEX = 12


def wording(text: Text) -> list[str]:
    return [digest(text[language])[:HEX] for language in LANGUAGES]


def locked_item(item: Item) -> dict[str, Any]:
    held = {"title": item.head.title, "public": item.public, "key": item.key}
    return {
        "revision": item.head.revision,
        "key": digest(without_words(item.key))[:HEX],
        "texts": {".".join(map(str, path)): wording(text) for path, text in find(Text, held)},
    }


def without_words(data: object) -> Any:
    """Return the part of a key that decides points."""
    if isinstance(data, (Text, Rationale)):
        return None
    if isinstance(data, Model):
        return {name: without_words(getattr(data, name)) for name in type(data).model_fields}
    if isinstance(data, Mapping):
        return {name: without_words(value) for name, value in data.items()}
    return [without_words(value) for value in data] if isinstance(data, (list, tuple)) else data


def locked_section(section: Section) -> dict[str, Any]:
    lessons = [part.text for part in section.parts if isinstance(part, Theory)]
    return {"texts": {str(number): wording(text) for number, text in enumerate(lessons, start=1)}}


def read_lock(root: Path) -> dict[str, Any]:
    path = root / NAME
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def lockable(course: Course) -> dict[str, dict[str, Any]]:
    """Return what the lock would hold of each graded item and each section, by id."""
    sections = {section.plan.id: locked_section(section) for chapter in course.chapters for section in chapter.sections}
    return sections | {item.id: locked_item(item) for item in course.items.values() if not item.head.practice}


def write_lock(root: Path, course: Course, names: Iterable[str]) -> None:
    """Remember the items and sections `names` as they are now."""
    now = lockable(course)
    lock = read_lock(root) | {name: now[name] for name in names}
    text = json.dumps(lock, ensure_ascii=False, indent=1, sort_keys=True)
    (root / NAME).write_text(text + "\n", "utf-8")


def check(loader: Loader, course: Course | None) -> Iterator[Problem]:
    """Report locked keys that changed, and wordings mended in one language only or without a new revision."""
    lock = read_lock(loader.root)
    heirs = {item.head.replaces for item in loader.items.values()}
    for name, before in lock.items():
        if "key" not in before:
            continue
        item = loader.items.get(name)
        if item is not None:
            yield from check_item(loader, item, before)
        elif name not in heirs and name not in loader.written:
            message = f"“{name}” was released and is gone; let the item that takes its place say `replaces: {name}`"
            yield Problem(NAME, 1, "released-item-gone", message)
    sections = [section for chapter in course.chapters for section in chapter.sections] if course else []
    for section in sections:
        before = lock.get(section.plan.id)
        if before:
            for part, language in half_changed(before["texts"], locked_section(section)["texts"]):
                file = f"part {part} of {section.plan.id}"
                yield Problem(NAME, 1, "stale-translation", stale(file, language, section.plan.id))


def check_item(loader: Loader, item: Item, before: Mapping[str, Any]) -> Iterator[Problem]:
    now = locked_item(item)
    if now["key"] != before["key"]:
        remedy = f"put it back, or write a new item with `replaces: {item.id}`"
        message = f"the key of “{item.id}” was released and has changed; {remedy}"
        yield loader.problem(item, ("key",), "released-key-changed", message)
    for place, language in half_changed(before["texts"], now["texts"]):
        path = tuple(int(part) if part.isdigit() else part for part in place.split("."))
        yield loader.problem(item, (*path, language), "stale-translation", stale("this text", language, item.id))
    if now["texts"] != before["texts"] and item.head.revision <= before["revision"]:
        message = f"the wording has changed since revision {before['revision']} was released; raise `revision`"
        yield loader.problem(item, ("revision",), "same-revision", message)


def half_changed(before: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield place and language of each text that changed in its other language only."""
    for place in before.keys() & now.keys():
        changed = [a != b for a, b in zip(before[place], now[place], strict=True)]
        if any(changed) and not all(changed):
            yield place, LANGUAGES[changed.index(False)]


def stale(what: str, language: str, name: str) -> str:
    mine, other = ("Chinese", "English") if language == "zh" else ("English", "Chinese")
    remedy = f"mend the {mine}, or run “counterside lock {name}” if it still says the same"
    return f"{what} was mended in {other} only; {remedy}"
