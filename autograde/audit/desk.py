"""The auditor's desk: a widget that shows the gradebook from group to person to answer to rule.

It takes nothing from the browser but the wish to see something. What it shows
was read from a database opened for reading; it has no way to write.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets
from ipywidgets import Label

from autograde.audit.book import Book, Cell, Standing, read_book
from autograde.audit.detail import as_json, details
from autograde.audit.looks import find
from autograde.audit.marking import marking
from autograde.audit.rules import RULES
from autograde.audit.sample import draw
from autograde.config import CourseConfig
from autograde.place import CourseError
from curriculum.build import public_item
from curriculum.items import TYPES
from curriculum.load import Chapter, Course
from curriculum.player import asset, styles

HERE: Final = Path(__file__).parent
MOST_CHANGES = 5000
MOST_CASES, MAX_SEED = 500, 80


class Desk(anywidget.AnyWidget):
    """The desk in a notebook. `data` is the gradebook as it was read; the browser can't set it."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    def __init__(self, book: Book) -> None:
        self._book = book
        super().__init__(_esm=script(), _css=style(), data=overview(book))
        self.on_msg(lambda _widget, content, _buffers: self.receive(content))

    def set_state(self, sync_data: Any) -> None:
        """Take nothing: what is shown comes from the gradebook, and goes nowhere else."""

    def receive(self, content: Any) -> None:
        """Answer one of the three wishes there are: a learner's chapter, what deserves a look, a sample."""
        wish, reply = content.get("wish") if isinstance(content, dict) else None, None
        try:
            match wish:
                case ["chapter", str(learner), str(chapter)]:
                    reply = self.chapter(learner, chapter)
                case ["looks"]:
                    reply = findings(self._book)
                case ["sample", int(size), str(seed)] if 0 < size <= MOST_CASES and len(seed) <= MAX_SEED:
                    reply = drawn(self._book, size, seed)
                case _:
                    return
            self.send({"wish": wish, "reply": reply})
        except Exception:  # what somebody wrote into the database past all programs; the page says so
            logging.getLogger(__name__).exception("no answer to %s", wish)
            self.send({"wish": wish, "reply": False})

    def chapter(self, learner: str, chapter: str) -> dict[str, Any] | None:
        """Return a learner's chapter in full, or None where nothing was graded of it."""
        standing = self._book.standing(learner, chapter)
        if standing is None:
            return None
        points = self._book.course.chapter(chapter).points
        return {"found": details(self._book, [standing])[learner, chapter], "items": items(self._book.course, points)}


def desk() -> Desk | Label:
    """Return the desk for the course of this checkout, or why there is none."""
    try:
        return Desk(read_book(CourseConfig()))
    except CourseError as error:
        return Label(str(error))
    except Exception as error:  # see Desk.receive
        return Label(
            f"The gradebook has what no program of ours writes ({type(error).__name__}: {error}). "
            "“counterside audit verify” says where."
        )


@cache
def script() -> str:
    """Return the desk's script as one module: shared parts, the views of all types, the desk."""
    return asset("parts.js") + (HERE / "desk.js").read_text("utf-8")


@cache
def style() -> str:
    return styles() + (HERE / "desk.css").read_text("utf-8")


@cache
def views() -> Mapping[str, str]:
    """Return the script of each type's view: an answer is shown as its learner saw it."""
    return {name: asset(f"items/{name}/view.js") for name in TYPES}


def items(course: Course, names: Sequence[str] | Mapping[str, float]) -> dict[str, Any]:
    """Return what the exercises showed, by id, with the key as it stands now."""
    found = {}
    for name in names:
        item = course.items[name]
        public = public_item(item)
        found[name] = {
            "type": public["type"],
            "public": public["public"],
            "key": item.key.model_dump(mode="json", exclude={"rationales"}),
            "hash": item.hash,
            "key_hash": item.key_hash,
        }
    return found


def findings(book: Book) -> dict[str, Any]:
    """Return what deserves a look, by which rules, and how far markers agree."""
    figures, words = marking(book), ("title", "what", "threshold", "chance")
    apart = {name: {"difference": one.difference, "p": one.p} for name, one in figures.apart.items()}
    return {
        "rules": [
            {"id": rule.id} | {name: getattr(rule, name).model_dump() for name in words} for rule in RULES.values()
        ],
        "looks": [
            {"rule": look.rule, "learner": look.learner, "chapter": look.chapter, "item": look.item,
             "others": list(look.others), "sentence": look.sentence.model_dump()}
            for look in find(book)
        ],
        "markers": [{"name": name, "marks": count} | apart.get(name, {}) for name, count in figures.marks.items()],
        "pairs": [{"names": list(names)} | asdict(figure) for names, figure in figures.pairs.items()],
    }  # fmt: skip


def drawn(book: Book, size: int, seed: str) -> dict[str, Any] | None:
    """Return a sample as its file has it, or None where there is nothing to draw."""
    try:
        sample = draw(book, size, seed)
    except CourseError:
        return None
    return {"draw": sample.draw.model_dump(), "cases": [case.model_dump() for case in sample.cases]}


def overview(book: Book, chapters: Sequence[Chapter] | None = None) -> dict[str, Any]:
    """Return what the desk opens with, as JSON has it: everybody's standings, and what was changed."""
    course = book.course
    shown = course.chapters if chapters is None else chapters
    places = {chapter.id: place for place, chapter in enumerate(shown)}
    learners = sorted({one.learner for one in book.standings})
    where = {name: place for place, name in enumerate(learners)}
    changed = Counter((change.learner, change.chapter) for change in book.changes)
    late = Counter((change.learner, change.chapter) for change in book.changes if change.after_release)
    return {
        "title": course.plan.title.model_dump(),
        "read": f"{book.read_at.isoformat(timespec='seconds')}Z",
        "trail": book.trail,
        "head": {"at": book.head.at, "size": book.head.size, "root": book.head.root} if book.head else None,
        "seed": secrets.token_hex(4),
        "views": dict(views()),
        "chapters": [
            {
                "id": chapter.id,
                "title": chapter.plan.title.model_dump(),
                "possible": sum(chapter.points.values()),
                "items": [
                    {"id": name, "title": course.items[name].head.title.model_dump(),
                     "type": course.items[name].kind.name, "points": points}
                    for name, points in chapter.points.items()
                ],
            }
            for chapter in shown
        ],
        "points": {name: title.model_dump() for name, title in course.teaching_points.items()},
        "laws": {name: rule.text.model_dump() for name, rule in course.rules.items()},
        "learners": learners,
        "cohorts": cohorts(book.standings, learners),
        "standings": [
            row(one, where[one.learner], places[one.chapter], changed[one.learner, one.chapter],
                late[one.learner, one.chapter])
            for one in book.standings
        ],
        "changes": [as_json(change) for change in book.changes[-MOST_CHANGES:]],
        "changes_in_all": len(book.changes),
    }  # fmt: skip


def cohorts(standings: Sequence[Standing], learners: Sequence[str]) -> list[str]:
    """Return each learner's cohort, empty where none is known."""
    known = {one.learner: one.cohort or "" for one in standings}
    return [known[name] for name in learners]


def row(one: Standing, learner: int, chapter: int, changed: int, late: int) -> list[Any]:
    """Return a standing as a short list; `desk.js` names its places."""
    return [
        learner,
        chapter,
        round(one.total, 4),
        one.state,
        round(one.late_seconds),
        round(one.penalty, 4),
        one.mastered,
        list(one.red_lines),
        one.sealed,
        one.handed_in.isoformat(timespec="seconds") if one.handed_in else None,
        one.due.isoformat(timespec="seconds") if one.due else None,
        round(one.waiting, 4),
        changed,
        late,
        [short(cell) for cell in one.cells.values()],
    ]  # fmt: skip


def short(cell: Cell) -> float | list[Any]:
    """Return a cell as a number where rules alone gave it and nothing is odd about it: with many learners most are."""
    score = round(cell.score, 4)
    if cell.stands == "graded" and cell.automatic == cell.score and not cell.flags and cell.given is None:
        return score
    flags = list(cell.flags)
    given = None if cell.given is None else round(cell.given, 4)
    return [score, cell.automatic, given, cell.extra, round(cell.waiting, 4), cell.stands, flags]
