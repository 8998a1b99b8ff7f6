"""Simulated cohorts of any size: submissions as the exchange would have collected them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from autograde.config import CourseConfig
from autograde.course_data import CourseData
from autograde.simulate import abilities, response
from curriculum.load import Chapter

LEFT_OUT = 0.05  # of the exercises
BEGAN = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)


def release(data: CourseData, chapters: Iterable[Chapter]) -> None:
    """Enter chapters into the gradebook and write what learners get. Raises CourseError."""
    for chapter in chapters:
        data.instructor("generate_assignment", chapter.id, force=True)


def hand_in(config: CourseConfig, chapters: Sequence[Chapter], learners: int) -> list[str]:
    """Write submissions of the chapters by so many learners, and return their names.

    Their abilities rise in equal steps. The same number gives the same answers.
    """
    names = [f"learner-{number:05}" for number in range(learners)]
    for chapter in chapters:
        for name, ability in zip(names, abilities(learners), strict=True):
            submit(config, chapter, name, list(answers(chapter, name, ability)))
    return names


def answers(chapter: Chapter, learner: str, ability: float) -> Iterator[tuple[str, str, Any]]:
    """Return id, hash and response of what a learner answers; now and then nothing."""
    random = Random(f"{learner}/{chapter.id}")
    for item in chapter.items:
        if item.id in chapter.points and random.random() >= LEFT_OUT:
            yield item.id, item.hash, response(item, learner, ability)


def submit(config: CourseConfig, chapter: Chapter, learner: str, given: Sequence[tuple[str, str, Any]]) -> Path:
    """Write one submission: the released notebook, the log, the time. Returns its folder."""
    folder = config.submitted / learner / chapter.id
    (folder / "responses").mkdir(parents=True)
    # Linked, as ten thousand copies would fill the disk; nothing here writes into them.
    os.link(notebook(config, chapter), folder / f"{chapter.id}.ipynb")
    lang = "en" if Random(learner).random() < 0.5 else "zh"
    records = [*((*one, "answer") for one in given), ("", "", None, "submit")]
    (folder / "responses" / f"{chapter.id}.jsonl").write_bytes(b"".join(lines(records, lang, learner)))
    (folder / "timestamp.txt").write_text(f"{BEGAN + timedelta(hours=8):%Y-%m-%d %H:%M:%S.%f} UTC")
    (folder / "submission_secret.txt").write_text(hashlib.sha512(learner.encode()).hexdigest())
    return folder


def notebook(config: CourseConfig, chapter: Chapter) -> Path:
    """Return the released notebook, copied beside the submissions once."""
    copy = config.folder / "handed-in" / f"{chapter.id}.ipynb"
    if not copy.exists():
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(config.released / chapter.id / copy.name, copy)
    return copy


def lines(records: Sequence[tuple[str, str, Any, str]], lang: str, learner: str) -> Iterator[bytes]:
    """Return the lines of a response log, each with the hash of the one before."""
    before = ""
    for number, (item, item_hash, given, kind) in enumerate(records, 1):
        at = (BEGAN + timedelta(minutes=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {
            "v": 1, "seq": number, "at": at, "id": f"{learner}-{number}", "item": item, "hash": item_hash, "lang": lang,
            "kind": kind, "response": given, "ms": 60_000, "prev": before,
        }  # fmt: skip
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        before = hashlib.sha256(line).hexdigest()
        yield line + b"\n"
