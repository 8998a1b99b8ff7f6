"""From a chapter and a response log to a verdict. Runs no code of a learner, needs no kernel."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge

from curriculum.load import Chapter, Course, load_course
from curriculum.log import Log, LogError, Record, Replay
from curriculum.model import Item, Language, Model, Text
from curriculum.verdict import InvalidResponseError, Row, explain, judge, parse

State = Literal["graded", "unanswered", "invalid"]


class Outcome(Model):
    """What one item earned, in points of the gradebook, and why.

    `at` and `seq` name the record of the log that counted; `item_hash` and
    `key_hash` name the content that judged it.
    """

    item: str
    state: State
    earned: Annotated[float, Ge(0)]
    points: Annotated[float, Ge(0)]
    missing: Text | None = None
    flags: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    prose: str | None = None
    note: str = ""
    seq: int | None = None
    at: str | None = None
    item_hash: str
    key_hash: str


class Verdict(Model):
    """What a submission earned, and what a person should know about it.

    `refused` says why the log could not be used at all; `notes` say what in it,
    or in the notebook, is not as it should be.
    """

    language: Language
    receipt: str | None
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    refused: str | None = None

    @property
    def state(self) -> str:
        if self.refused:
            return "refused"
        return "look" if self.notes or any(outcome.state == "invalid" for outcome in self.outcomes) else "graded"

    @property
    def earned(self) -> float:
        return sum(outcome.earned for outcome in self.outcomes)


def assess(chapter: Chapter, log_path: Path) -> Verdict:
    """Judge the log at `log_path`, whatever it holds. Never raises for a learner's file."""
    log, refused = Log(log_path), None
    try:
        log.refresh()
    except LogError as error:
        refused = str(error)
    by_item: dict[str, list[Record]] = defaultdict(list)
    for record in log.records:
        by_item[record.item].append(record)
    known = {item.id for item in chapter.items} | {""}
    notes = [*log.notes, *(f"“{name[:40]}” is no item of this chapter" for name in by_item if name not in known)]
    graded = [item for item in chapter.items if item.id in chapter.points]
    outcomes = []
    for item in graded:
        outcome, remarks = assess_item(item, chapter.points[item.id], by_item[item.id])
        outcomes.append(outcome)
        notes += remarks
    last = log.receipt()
    answers = [record for record in log.records if record.kind == "answer"]
    return Verdict(
        language=answers[-1].lang if answers else "zh",
        receipt=last[1] if last else None,
        outcomes=tuple(outcomes),
        notes=tuple(notes),
        refused=refused,
    )


def assess_item(item: Item, points: float, records: list[Record]) -> tuple[Outcome, list[str]]:
    """Judge the attempt that counts; also return remarks on it."""
    replay = Replay(records)
    empty = Outcome(
        item=item.id, state="unanswered", earned=0, points=points, item_hash=item.hash, key_hash=item.key_hash
    )
    record = replay.scored
    if record is None:
        return empty, []
    origin = {"seq": record.seq, "at": record.at}
    remarks = []
    if record.hash != item.hash:
        remarks.append(f"{item.id}: answered on another revision of the exercise")
    try:
        score, missing = judge(item, record.response)
    except InvalidResponseError as error:
        remarks.append(f"{item.id}: no valid answer ({error})".encode(errors="replace").decode())
        return empty.model_copy(update={"state": "invalid", **origin}), remarks
    response = parse(item.kind, item.public, record.response)
    prose, note = item.kind.prose, item.kind.note
    return empty.model_copy(
        update={
            "state": "graded",
            "earned": min(points, points * score.share),
            "missing": missing,
            "flags": score.flags,
            "rows": tuple(explain(item, score)),
            "prose": prose(item.public, response, record.lang) if prose else None,
            "note": note(response) if note else "",
            **origin,
        }
    ), remarks


@cache
def course() -> Course:
    """Return the course of this checkout. Raises ContentError."""
    return load_course()


def earned(item_id: str) -> float:
    """Return the points an item earned by the log below the current folder.

    This is what the hidden test of a notebook asks, one item at a time.
    """
    chapter = next(chapter for chapter in course().chapters if item_id in chapter.points)
    verdict = assess(chapter, Path.cwd() / "responses" / f"{chapter.id}.jsonl")
    return next(outcome.earned for outcome in verdict.outcomes if outcome.item == item_id)
