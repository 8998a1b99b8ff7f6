"""What was released stays what it was: `course.lock` remembers keys and wordings.

What decides the points of a locked item never changes, or grades already given
would mean something else; its wording may be mended, in both languages, with a
higher revision. The lock holds hashes only; `counterside lock` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import RootModel, ValidationError

from curriculum.load import Course, Loader, Section, Theory
from curriculum.model import LANGUAGES, Item, Language, Model, Rationale, Text, digest, find
from curriculum.source import ContentError, Problem

NAME = "course.lock"
HEX = 12

Wordings = Mapping[str, tuple[str, str]]
"""Hashes of the texts by place, in the order of LANGUAGES."""


class LockedSection(Model):
    texts: Wordings


class LockedItem(Model):
    revision: int
    key: str
    texts: Wordings


class LockFile(RootModel[dict[str, LockedItem | LockedSection]]):
    """Items and sections by id."""


def wording(text: Text) -> tuple[str, str]:
    return digest(text.zh)[:HEX], digest(text.en)[:HEX]


def locked_item(item: Item) -> LockedItem:
    held = {"title": item.head.title, "public": item.public, "key": item.key}
    # Ids, links and numbers of the public part decide points too; the order they are written in does not.
    decides = without_words({"public": item.kind.release(item.public), "key": item.key})
    texts = {".".join(map(str, path)): wording(text) for path, text in find(Text, held)}
    return LockedItem(revision=item.head.revision, key=digest(decides)[:HEX], texts=texts)


def without_words(data: object) -> Any:
    """Return the part of an item that decides points."""
    if isinstance(data, (Text, Rationale)):
        return None
    if isinstance(data, Model):
        return {name: without_words(getattr(data, name)) for name in type(data).model_fields}
    if isinstance(data, Mapping):
        return {name: without_words(value) for name, value in data.items()}
    return [without_words(value) for value in data] if isinstance(data, (list, tuple)) else data


def locked_section(section: Section) -> LockedSection:
    return LockedSection(texts={str(number): wording(part.text) for number, part in enumerate(theory(section))})


def theory(section: Section) -> list[Theory]:
    return [part for part in section.parts if isinstance(part, Theory)]


def read_lock(root: Path) -> dict[str, LockedItem | LockedSection]:
    """Return what was locked. Raises ContentError when the file is not as it was written."""
    path = root / NAME
    try:
        return LockFile.model_validate_json(path.read_bytes()).root if path.exists() else {}
    except (OSError, ValidationError):
        message = "this file is not as “counterside lock” wrote it; take it back from the last commit"
        raise ContentError([Problem(NAME, 1, "broken-lock", message)]) from None


def lockable(course: Course) -> dict[str, LockedItem | LockedSection]:
    """Return what the lock would hold of each graded item and each section, by id."""
    sections = {section.plan.id: locked_section(section) for chapter in course.chapters for section in chapter.sections}
    return sections | {item.id: locked_item(item) for item in course.items.values() if not item.head.practice}


def write_lock(root: Path, course: Course, names: Iterable[str]) -> None:
    """Remember the items and sections `names` as they are now."""
    now = lockable(course)
    lock = read_lock(root) | {name: now[name] for name in names}
    data = {name: locked.model_dump() for name, locked in lock.items()}
    text = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True)
    (root / NAME).write_text(text + "\n", "utf-8")


def check(loader: Loader, course: Course | None) -> Iterator[Problem]:
    """Report locked items that are gone or changed, and wordings mended in one language only."""
    try:
        lock = read_lock(loader.root)
    except ContentError as error:
        yield from error.problems
        return
    heirs = {item.head.replaces for item in loader.items.values()}
    for name, before in lock.items():
        item = loader.items.get(name)
        if isinstance(before, LockedSection):
            continue
        if item is not None:
            yield from check_item(loader, item, before)
        elif name not in heirs and name not in loader.written:
            message = f"“{name}” was released and is gone; let the item that takes its place say `replaces: {name}`"
            yield Problem(NAME, 1, "released-item-gone", message)
    for chapter in course.chapters if course else ():
        for section in chapter.sections:
            if section.plan.id in lock:
                folder = loader.root / "chapters" / chapter.plan.folder
                yield from check_section(loader, folder, section, lock[section.plan.id].texts)


def check_item(loader: Loader, item: Item, before: LockedItem) -> Iterator[Problem]:
    now = locked_item(item)
    if now.key != before.key:
        remedy = f"put it back, or write a new item with `replaces: {item.id}`"
        message = f"what decides the points of “{item.id}” was released and has changed; {remedy}"
        yield loader.problem(item, ("key",), "released-key-changed", message)
    for place, language in half_changed(before.texts, now.texts):
        path = tuple(int(part) if part.isdigit() else part for part in place.split("."))
        message = stale("this text", language, item.id)
        yield loader.problem(item, (*path, language), "stale-translation", message)
    if now.texts != before.texts and item.head.revision <= before.revision:
        message = f"the wording has changed since revision {before.revision} was released; raise `revision`"
        yield loader.problem(item, ("revision",), "same-revision", message)


def check_section(loader: Loader, folder: Path, section: Section, before: Wordings) -> Iterator[Problem]:
    parts = theory(section)
    for place, language in half_changed(before, locked_section(section).texts):
        path = folder / f"{section.plan.id.replace('.', '-')}.{language}.md"
        opening = parts[int(place)].text[language].splitlines()[0]
        lines = loader.text(path).splitlines()
        line = lines.index(opening) + 1 if opening in lines else 1
        message = stale("this part", language, section.plan.id)
        yield Problem(loader.name(path), line, "stale-translation", message)


def half_changed(before: Wordings, now: Wordings) -> Iterator[tuple[str, Language]]:
    """Yield place and stale language of each text that changed in the other language only."""
    for place in before.keys() & now.keys():
        changed = [a != b for a, b in zip(before[place], now[place], strict=True)]
        if any(changed) and not all(changed):
            yield place, LANGUAGES[changed.index(False)]


def stale(what: str, language: Language, name: str) -> str:
    mine, other = ("Chinese", "English") if language == "zh" else ("English", "Chinese")
    remedy = f"mend the {mine}, or run “counterside lock {name}” if it still says the same"
    return f"{what} was mended in {other} only; {remedy}"
