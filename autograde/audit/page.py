"""The auditor's desk as one file: opened from disk without a network, complete without Jupyter."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograde.audit.book import Book, Standing, read_book
from autograde.audit.desk import drawn, findings, items, overview, script, style
from autograde.audit.detail import details
from autograde.audit.newfile import check_new, put
from autograde.audit.pseudonyms import Pseudonyms, pseudonyms
from autograde.audit.words import STATES
from autograde.config import CourseConfig
from autograde.feedback import templates
from autograde.place import CourseError
from curriculum.load import Chapter
from curriculum.model import Text

SAMPLE = 30
MOST_DETAILS = 2000  # chapters of learners; a browser opens a file of some 20 MB
WORDS = {
    "title": Text(zh="成绩册审计报告", en="Report on the gradebook"),
    "plain": Text(
        zh="启用脚本后，可从每个分数看到作答、依据与改动。",
        en="With scripts on, each score leads to its answer, its reasons and its changes.",
    ),
    "learner": Text(zh="学员", en="Learner"),
    "late": Text(zh="迟交", en="late"),
    "red": Text(zh="红线", en="red line"),
    **STATES,
}


def report(target: Path, *, chapter: str | None, learner: str | None, key_file: Path | None) -> None:
    """Read the gradebook, write the report and say what is in it. Raises CourseError."""
    check_new(target)
    book = read_book(CourseConfig())
    there = [one.id for one in book.course.chapters]
    if chapter and chapter not in there:
        raise CourseError(f"there is no chapter “{chapter}”; there are {', '.join(there)}")
    names = pseudonyms(key_file) if key_file else None
    is_complete = write_report(target, book, chapter=chapter, learner=learner, names=names)
    print(f"wrote {target}, readable by you only")
    if names:
        print("It holds the exercises' keys. Learners have other names, but what they wrote stands as it is, and")
        print(f"{key_file} leads back to them: keep that file elsewhere, and both where only auditors can read them.")
    else:
        print("It holds the exercises' keys and personal data: keep it where only auditors can read it.")
    if not is_complete:
        print(f"It has the gradebook only: answers and reasons of more than {MOST_DETAILS} chapters of learners don't")
        print("fit into one file. Name a --chapter or a --learner to have them.")


def write_report(
    target: Path, book: Book, *, chapter: str | None = None, learner: str | None = None, names: Pseudonyms | None = None
) -> bool:
    """Write the report, a new file for its owner alone; return whether it has answers and reasons.

    Of too many learners it has none. With `names` learners have others, which lead back to nobody without the key;
    what they wrote stays as it is.
    Raises CourseError when there is nothing to report, or a file of that name is there.
    """
    chosen = narrowed(book, chapter, learner)
    chapters = [one for one in book.course.chapters if chapter in (None, one.id)]
    is_complete = len(chosen.standings) <= MOST_DETAILS
    full = details(chosen, chosen.standings) if is_complete else {}
    more: dict[str, Any] = {"looks": findings(chosen)}
    if names:
        known = {one.learner for one in book.standings}
        full = {(names.name(who), where): renamed(detail, known, names) for (who, where), detail in full.items()}
        more = renamed(more, known, names)
        chosen = with_names(chosen, names)
    told = overview(chosen, chapters)
    more |= {
        "items": items(book.course, [item for one in chapters for item in one.points]),
        "sample": drawn(chosen, SAMPLE, told["seed"]),
    }
    found = {f"{who}/{where}": packed(detail) for (who, where), detail in full.items()}
    text = templates().get_template("desk.html").render(
        title=f"{WORDS['title'].en} · {book.course.plan.title.en}",
        course=book.course,
        read=f"{book.read_at:%Y-%m-%d %H:%M:%S}",
        chapters=chapters,
        rows=grid(chosen.standings, chapters),
        words=WORDS,
        style=style(),
        script=script().replace("export default", "void"),
        data=json.dumps(packed(told)),
        details=json.dumps({"found": found} | {name: packed(part) for name, part in more.items()}),
    )  # fmt: skip
    put(target, text.encode("utf-8", "replace"))
    return is_complete


def narrowed(book: Book, chapter: str | None, learner: str | None) -> Book:
    """Return the book with one chapter or one learner only. Raises CourseError where there is nothing of them."""
    standings = [one for one in book.standings if chapter in (None, one.chapter) and learner in (None, one.learner)]
    if not standings:
        who = " of ".join(filter(None, [chapter, learner])) or "anybody"
        raise CourseError(f"nothing was graded of {who}; “counterside gradebook” has what was")
    changes = [
        one
        for one in book.changes
        if (chapter is None or one.chapter in (None, chapter)) and (learner is None or one.learner in (None, learner))
    ]
    return replace(book, standings=standings, changes=changes)


def with_names(book: Book, names: Pseudonyms) -> Book:
    """Return the book with other names for its learners, in the order of these."""
    standings = (replace(one, learner=names.name(one.learner)) for one in book.standings)
    changes = [replace(one, learner=one.learner and names.name(one.learner)) for one in book.changes]
    return replace(book, standings=sorted(standings, key=lambda one: one.learner), changes=changes)


def renamed(value: Any, known: set[str], names: Pseudonyms) -> Any:
    """Return what is to be shown with other names for the learners in it, and without their accounts."""
    if isinstance(value, str):
        return names.name(value) if value in known else value
    if isinstance(value, list):
        return [renamed(one, known, names) for one in value]
    if isinstance(value, dict):
        return {key: "–" if key == "owner" else renamed(one, known, names) for key, one in value.items()}
    return value


def grid(standings: Sequence[Standing], chapters: Sequence[Chapter]) -> list[tuple[str, list[Standing | None]]]:
    """Return a row for each learner with a place for each chapter."""
    found: dict[str, dict[str, Standing]] = {}
    for one in standings:
        found.setdefault(one.learner, {})[one.chapter] = one
    return [(learner, [own.get(chapter.id) for chapter in chapters]) for learner, own in found.items()]


def packed(data: Any) -> str:
    """Return data as gzipped JSON in Base64; the same data give the same text."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return base64.b64encode(gzip.compress(text, mtime=0)).decode()
