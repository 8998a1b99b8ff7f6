"""`counterside audit bundle`: what it takes to check a gradebook elsewhere, in one file.

A zip with these files:

| file | holds |
|---|---|
| about.json | what it is for, how long it may be kept, chapters, whether names are in it |
| heads.jsonl, keys.jsonl, witnessed.jsonl | the seals as they stand in their folder |
| schemas/ | what the database was made of when it was sealed |
| trail.jsonl | a line for each row of the trail: disclosed, or the hash of its leaf |
| items.json | the items of the chapters, with their keys, and what they are worth |
| responses/ | the response logs that were graded, by learner and chapter |

Names are replaced by pseudonyms made for this bundle. Of a personal half only
its hash is in it, so nobody can try names on it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import Connection, Engine

from autograde.audit.heads import HEADS, SCHEMAS, WITNESSED, read_heads, read_schema
from autograde.audit.keys import KEYS, canonical, now
from autograde.audit.merkle import leaf_hash
from autograde.audit.rows import CHUNK, Row, leaf_data, person_hash, read_rows
from autograde.audit.schema import WATCHED
from autograde.audit.trail import NO_TRAIL, kept, reading, size
from autograde.config import CourseConfig
from autograde.place import CourseError
from curriculum.copying import plain_file
from curriculum.load import Chapter
from curriculum.log import MAX_BYTES

PURPOSE = "review of grades by internal audit"
RETENTION = "delete it when the review is closed, at the latest after a year"
ABOUT, ROWS, ITEMS = "about.json", "trail.jsonl", "items.json"
# Where a table says which row of another it belongs to, so that a chapter's rows can be told.
PARENTS = {
    "notebook": ("assignment", "assignment_id"),
    "base_cell": ("notebook", "notebook_id"),
    "source_cell": ("notebook", "notebook_id"),
    "grade_cells": ("base_cell", "id"),
    "solution_cells": ("base_cell", "id"),
    "submitted_assignment": ("assignment", "assignment_id"),
    "submitted_notebook": ("submitted_assignment", "assignment_id"),
    "grade": ("submitted_notebook", "notebook_id"),
    "comment": ("submitted_notebook", "notebook_id"),
}
NAMED = {"assignment": "name", "counterside_submission": "assignment", "counterside_evidence": "assignment",
         "counterside_event": "chapter"}  # fmt: skip
AS_PARENTS = frozenset(parent for parent, _column in PARENTS.values())


@dataclass(slots=True)
class Sorter:
    """Tells of which chapter a row is, reading the trail from its start."""

    chapters: frozenset[str]
    of: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def disclosed(self, row: Row) -> bool:
        """Return whether a row is of the chapters, or of none and for all."""
        tbl, row_id, state = row[6], row[8], json.loads(row[10] or row[9])
        if tbl in ("student", "counterside_run", "counterside_reason"):
            return True
        if tbl in NAMED:
            chapter = state.get(NAMED[tbl])
            if tbl == "counterside_event" and chapter is None:
                return True
        else:
            parent, column = PARENTS[tbl]
            chapter = self.of.get((parent, str(state.get(column))))
        if tbl in AS_PARENTS:
            self.of[tbl, row_id] = chapter
        return chapter in self.chapters


def write_bundle(
    config: CourseConfig,
    engine: Engine,
    chapters: Sequence[Chapter],
    out: Path,
    *,
    named: bool = False,
    purpose: str = PURPOSE,
    retention: str = RETENTION,
) -> Mapping[str, Any]:
    """Write a bundle of some chapters and return what stands in its about.json. Raises CourseError."""
    if out.exists():
        raise CourseError(f"{out} is there already; name another file")
    names = _Names(named)
    about: dict[str, Any] = {
        "v": 1, "made": now(), "chapters": [chapter.id for chapter in chapters], "named": named,
        "purpose": purpose, "retention": retention,
    }  # fmt: skip
    fresh = out.with_name(f"{out.name}.new")
    try:
        with ZipFile(fresh, "w", ZIP_DEFLATED) as bundle, reading(engine) as connection:
            if not kept(connection):
                raise CourseError(NO_TRAIL)
            for name in (HEADS, KEYS, WITNESSED):
                if (config.seals / name).is_file():
                    bundle.write(config.seals / name, name)
            for digest in dict.fromkeys(head.schema for head in read_heads(config.seals / HEADS)[0]):
                parts = read_schema(config.seals, digest)
                if parts is not None:
                    bundle.writestr(f"{SCHEMAS}/{digest}.json", canonical(parts))
            about["rows"] = size(connection)
            with bundle.open(ROWS, "w", force_zip64=True) as file:
                for line in lines(connection, about["rows"], Sorter(frozenset(about["chapters"])), names):
                    file.write(line + b"\n")
            bundle.writestr(ITEMS, json.dumps([*items(chapters)], ensure_ascii=False))
            about["logs"] = 0
            for chapter in chapters:
                for folder in sorted(config.submitted.glob(f"*/{chapter.id}")):
                    data = plain_file(folder / "responses" / f"{chapter.id}.jsonl", MAX_BYTES)
                    if data is not None and folder.parent.name in names.known:
                        bundle.writestr(f"responses/{names(folder.parent.name)}/{chapter.id}.jsonl", data)
                        about["logs"] += 1
            bundle.writestr(ABOUT, json.dumps(about, ensure_ascii=False, indent=1))
        fresh.replace(out)
    finally:
        fresh.unlink(missing_ok=True)
    return about


class _Names:
    """What learners are called in a bundle: by pseudonyms that stand in no other, or by their names."""

    def __init__(self, named: bool) -> None:
        self.named = named
        self.known: dict[str, str] = {}

    def __call__(self, learner: str) -> str:
        if learner not in self.known:
            self.known[learner] = learner if self.named else f"learner-{secrets.token_hex(4)}"
        return self.known[learner]


def lines(connection: Connection, rows: int, sorter: Sorter, names: _Names) -> Iterator[bytes]:
    """Yield the lines of trail.jsonl."""
    for start in range(0, rows, CHUNK):
        for row in read_rows(connection, start, min(start + CHUNK, rows)):
            if sorter.disclosed(row):
                shown = "" if row[14] or row[15] else row[8]  # a key may be a name
                data: object = {"row": [*row[:8], shown, *row[9:12]], **person(row, names)}
            else:
                data = {"leaf": leaf_hash(leaf_data(row)).hex()}
            yield json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def person(row: Row, names: _Names) -> dict[str, Any]:
    """Return what a bundle tells of a row's personal half: its hash, and whom it is about."""
    tbl, row_id, p_old, p_new, p_salt, p_hash = row[6], row[8], *row[12:16]
    if not (p_salt or p_hash):
        return {}
    column = WATCHED[tbl].person[0]
    learner = json.loads(p_new or p_old)[column]
    told: dict[str, Any] = {"hash": p_hash or person_hash(p_salt, row_id, p_old, p_new)}
    if learner is not None:
        told["who"] = names(learner)
    if names.named and p_salt:
        told |= {"id": row_id, "old": p_old, "new": p_new, "salt": p_salt}
    return {"person": told}


def items(chapters: Sequence[Chapter]) -> Iterator[Mapping[str, Any]]:
    """Yield the graded items of the chapters, with all that scoring needs.

    What an author left out is left out here: a default written as a number may be read as another kind of number,
    and the hashes would differ.
    """
    for chapter in chapters:
        for item in chapter.items:
            if item.id in chapter.points:
                yield {
                    "chapter": chapter.id,
                    "points": chapter.points[item.id],
                    "head": item.head.model_dump(mode="json", exclude_unset=True),
                    "public": item.public.model_dump(mode="json", exclude_unset=True),
                    "key": item.key.model_dump(mode="json", exclude_unset=True),
                }
