"""One submission: from the files that a learner handed in to all that is to be written about it.

Everything here may run in another process or on another machine; nothing here
touches the gradebook. A learner's files are opened as plain files of limited
size, compared and read, and never run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from autograde import feedback
from autograde.engine import VERDICT, Note, Verdict, assess, assess_log
from autograde.place import ROOT
from autograde.tampering import MAX_BYTES, differences
from curriculum.build import criterion_cells, note_id
from curriculum.copying import plain_file
from curriculum.load import Chapter, Course
from curriculum.log import MAX_BYTES as MAX_LOG
from curriculum.log import Log
from curriculum.model import Item

DIGEST = "digest"
TIMESTAMP = "timestamp.txt"
# What nbgrader needs of a submission when feedback is given back.
KEPT = (TIMESTAMP, "submission_secret.txt")
MAX_KEPT = 4096
SCORING = ("curriculum/*.py", "curriculum/items/**/*.py", "autograde/engine.py")


@dataclass(frozen=True, slots=True)
class Job:
    """A submission to be graded. `known` is the digest that it was last graded by, if it was."""

    learner: str
    chapter: str
    submitted: Path
    released: Path
    autograded: Path
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be written; no verdict where all was as before.

    `at` is when it was handed in (UTC, no zone); `staged` a folder to take the place of the autograded one.
    """

    job: Job
    digest: str
    verdict: Verdict | None = None
    at: datetime | None = None
    staged: Path | None = None


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What plain files of sensible size hold, and None for any other: log, notebook, and those that are `KEPT`."""

    log: bytes | None
    notebook: bytes | None
    kept: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """The released notebook as bytes, their SHA-256, and read."""

    data: bytes
    hash: str
    notebook: dict[str, Any]


def judge(course: Course, job: Job, staging: Path) -> Judged:
    """Judge a submission and write its autograded notebook below `staging`. Never raises for a learner's files."""
    chapter = course.chapter(job.chapter)
    files = handed_in(chapter, job.submitted)
    digest = content_digest(chapter, job.released, files)
    if digest == job.known and (job.autograded / f"{chapter.id}.ipynb").is_file():
        return Judged(job, digest)
    verdict, at = read(chapter, job.released, job.submitted, files)
    staged = staging / job.learner / chapter.id
    staged.mkdir(parents=True)
    write_read_only(staged / f"{chapter.id}.ipynb", as_file(graded(course, job.released, digest, verdict), verdict))
    for name, data in zip(KEPT, files.kept, strict=True):
        if data is not None:
            write_read_only(staged / name, data)
    return Judged(job, digest, verdict, at, staged)


def handed_in(chapter: Chapter, submitted: Path) -> HandedIn:
    """Read what a learner handed in, once, so that what is judged is what the digest stands for."""
    return HandedIn(
        plain_file(submitted / "responses" / f"{chapter.id}.jsonl", MAX_LOG),
        plain_file(submitted / f"{chapter.id}.ipynb", MAX_BYTES),
        tuple(plain_file(submitted / name, MAX_KEPT) for name in KEPT),
    )


def read(chapter: Chapter, released: Path, submitted: Path, files: HandedIn) -> tuple[Verdict, datetime | None]:
    """Return the verdict on the folder `submitted`, and when it was handed in.

    Answers come from the log; the notebook is only compared.
    """
    if files.log is None:  # missing, or nothing to be read: why, the log says itself
        verdict = assess(chapter, submitted / "responses" / f"{chapter.id}.jsonl")
    else:
        verdict = assess_log(chapter, Log.holding(files.log))
    as_released = files.notebook is not None and files.notebook == released_file(released).data
    changed = [] if as_released else differences(released, submitted / released.name)
    notes = [Note(about="notebook", text=words) for words in changed]
    at = timestamp(files.kept[KEPT.index(TIMESTAMP)])
    if at is None and os.path.lexists(submitted / TIMESTAMP):
        notes.append(Note(about="exchange", text=f"{TIMESTAMP} holds no time in UTC, so nothing is known of lateness"))
    return verdict.model_copy(update={"notes": (*verdict.notes, *notes)}), at


def scores(verdict: Verdict, items: Mapping[str, Item]) -> dict[str, float | None]:
    """Return what nbgrader's cells earn, by name; None where a person is to mark."""
    found: dict[str, float | None] = {}
    for outcome in verdict.outcomes:
        item = items[outcome.item]
        found[item.id] = outcome.earned
        for cell in criterion_cells(item, outcome.points):
            found[cell.id] = None if outcome.is_for_a_person else 0.0
        if item.kind.note:
            found[note_id(item.id)] = None if outcome.note else 0.0
    return found


def graded(course: Course, released: Path, digest: str, verdict: Verdict) -> dict[str, Any]:
    """Return the autograded notebook: the graded cells as released, with the reasons for each score.

    A person who marks needs the answers, not the lesson.
    """
    notebook, items = released_file(released).notebook, course.items
    written: dict[str, Any] = {}
    for outcome in verdict.outcomes:
        item = items[outcome.item]
        written[item.id] = {
            "outputs": outputs(item, outcome.earned, feedback.fragment(item.head.title, outcome, verdict.language))
        }
        if outcome.note:
            written[note_id(item.id)] = {"source": feedback.as_markdown(outcome.note)}
        if outcome.is_for_a_person:
            # nbgrader asks for a mark where the cell is no longer as it was released.
            for cell in criterion_cells(item, outcome.points):
                written[cell.id] = {"source": feedback.criterion(cell, verdict.language)}
    cells = [
        {**cell, **written.get(cell["metadata"]["nbgrader"]["grade_id"], {})}
        for cell in notebook["cells"]
        if "nbgrader" in cell["metadata"]
    ]
    about = {**notebook["metadata"]["counterside"], DIGEST: digest}
    return {**notebook, "cells": cells, "metadata": {**notebook["metadata"], "counterside": about}}


def as_file(notebook: Mapping[str, Any], verdict: Verdict) -> bytes:
    """Return an autograded notebook with its verdict as the bytes of a file."""
    about = notebook["metadata"]["counterside"]
    # Nobody can have written the digest into what it is a digest of.
    here = f'"{DIGEST}":"{about[DIGEST]}"'.encode()
    return as_json(notebook).replace(here, b'%b,"%b":%b' % (here, VERDICT.encode(), as_json(verdict)), 1)


def as_json(data: Any) -> bytes:
    try:
        return to_json(data)
    except PydanticSerializationError:  # half a character, in what a learner wrote
        return json.dumps(to_jsonable_python(data), ensure_ascii=False).encode("utf-8", "replace")


def outputs(item: Item, earned: float, html: str) -> list[dict[str, Any]]:
    """Return what stands where a kernel's output would: the reasons, and the number that nbgrader reads."""
    number = {"text/plain": repr(float(earned))}
    return [
        {"output_type": "display_data", "data": {"text/html": html}, "metadata": {}},
        {"output_type": "execute_result", "data": number, "metadata": {}, "execution_count": None},
    ]


def released_file(path: Path) -> Released:
    """Return the released notebook. It is ours: whatever is wrong with it is a fault to be told."""
    status = path.stat()
    return released_once(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=32)
def released_once(path: Path, _time: int, _size: int) -> Released:
    data = path.read_bytes()
    return Released(data, hashlib.sha256(data).hexdigest(), json.loads(data))


# ---- what makes a submission the same as before ---------------------------------------------


def content_digest(chapter: Chapter, released: Path, files: HandedIn) -> str:
    """Return a hash of all that the result depends on: the files handed in, the release, the keys, the scorers."""
    found = hashlib.sha256(f"{scorer()} {chapter.hash} {released_file(released).hash}".encode())
    for data in (files.log, files.notebook, *files.kept):
        found.update(b"-" if data is None else hashlib.sha256(data).digest())
    return found.hexdigest()


@cache
def scorer() -> str:
    """Return the version of the scoring code: a hash of its files."""
    found = hashlib.sha256()
    for path in sorted({path for pattern in SCORING for path in ROOT.glob(pattern)}):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def timestamp(data: bytes | None) -> datetime | None:
    """Return when something was handed in, in UTC without zone as nbgrader keeps it; None where nothing says so."""
    words = (data or b"").decode("utf-8", "replace").strip()
    for form in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(words.removesuffix(" UTC"), form).replace(tzinfo=UTC).replace(tzinfo=None)
        except ValueError:
            continue
    return None


def write_read_only(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o444)
