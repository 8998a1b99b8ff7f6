"""From a chapter and a response log to a verdict. Runs no code of a learner, needs no kernel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge

from curriculum.build import criterion_cells
from curriculum.load import CONTENT, Chapter, Course, load_course
from curriculum.log import Log, LogError, Record, Replay
from curriculum.model import Item, Language, Model, Score, Text
from curriculum.verdict import InvalidResponseError, Row, explain, follower, parse

VERDICT = "verdict"
CONTENT_SUFFIXES = {".yml", ".md", ".tsv"}
State = Literal["graded", "unanswered", "invalid"]


class Note(Model):
    """What a person should know of a submission.

    "log": the response log is not as the player writes it; "revision": an answer
    was given on another wording; "notebook": the notebook is not as released;
    "exchange": the time of handing in can't be read; "engine": an answer could
    not be judged.
    """

    about: Literal["log", "revision", "notebook", "exchange", "engine"]
    text: str


class Outcome(Model):
    """What one item earned, in points of the gradebook, and why.

    `by_hand` of the points are a person's to give, and not in `earned`. `at`, `seq`
    and `line` (SHA-256 of its line) name the record of the log that counted;
    `item_hash` and `key_hash` name the content that judged it.
    """

    item: str
    state: State
    earned: Annotated[float, Ge(0)]
    points: Annotated[float, Ge(0)]
    by_hand: Annotated[float, Ge(0)] = 0
    missing: Text | None = None
    flags: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    prose: str | None = None
    note: str = ""
    seq: int | None = None
    at: str | None = None
    line: str | None = None
    item_hash: str
    key_hash: str

    @property
    def is_for_a_person(self) -> bool:
        """Whether something was written that a person marks by a rubric."""
        return self.state == "graded" and self.by_hand > 0 and self.prose != ""


class Verdict(Model):
    """What a submission earned, and what a person should know about it.

    `refused` says why the log could not be used at all; `notes` say what else is
    not as it should be.
    """

    language: Language
    receipt: str | None
    outcomes: tuple[Outcome, ...]
    notes: tuple[Note, ...] = ()
    refused: str | None = None

    @property
    def state(self) -> Literal["graded", "warning", "look", "refused"]:
        """Return "warning" for a changed notebook, which bears on no score, and "look" for a person to look at it."""
        if self.refused:
            return "refused"
        if any(note.about != "notebook" for note in self.notes):
            return "look"
        if any(outcome.state == "invalid" for outcome in self.outcomes):
            return "look"
        return "warning" if self.notes else "graded"

    @property
    def remarks(self) -> list[str]:
        """All that a person should know, in sentences."""
        return [*filter(None, [self.refused]), *(note.text for note in self.notes)]

    @property
    def notebook_changed(self) -> bool:
        return any(note.about == "notebook" for note in self.notes)


def read_verdict(notebook: Mapping[str, Any]) -> Verdict:
    """Return the verdict that grading left in an autograded notebook."""
    return Verdict.model_validate(notebook["metadata"]["counterside"][VERDICT])


def assess(chapter: Chapter, log_path: Path) -> Verdict:
    """Judge the log at `log_path`, whatever it holds. Never raises for a learner's file."""
    log = Log(log_path)
    try:
        log.refresh()
    except LogError as error:
        return assess_log(chapter, log, str(error))
    return assess_log(chapter, log)


def assess_log(chapter: Chapter, log: Log, refused: str | None = None) -> Verdict:
    """Judge what a log holds; `refused` says why it could not be read."""
    lines = {id(record): line for record, line in zip(log.records, log.hashes, strict=True)}
    by_item: dict[str, list[Record]] = defaultdict(list)
    for record in log.records:
        by_item[record.item].append(record)
    known = {item.id for item in chapter.items} | {""}
    notes = [Note(about="log", text=words) for words in log.notes]
    strangers = [name for name in by_item if name not in known]
    if strangers:
        words = f"{len(strangers)} names are no items of this chapter, such as “{plain(strangers[0])}”"
        notes.append(Note(about="log", text=words))
    outcomes, items = [], {item.id: item for item in chapter.items}
    for name, points in chapter.points.items():
        outcome, remarks = assess_item(items[name], points, by_item[name], lines)
        outcomes.append(outcome)
        notes += remarks
    last = log.receipt()
    return Verdict(
        language=log.records[-1].lang if log.records else "zh",
        receipt=last[1] if last else None,
        outcomes=tuple(outcomes),
        notes=tuple(notes),
        refused=refused,
    )


def assess_item(
    item: Item, points: float, records: list[Record], lines: Mapping[int, str] | None = None
) -> tuple[Outcome, list[Note]]:
    """Judge the attempt that counts; also return notes on it. Never raises.

    `lines` has the SHA-256 of each record's line by `id(record)`: a forged log may number two records alike.
    """
    replay = Replay(records, follower(item.kind, item.public))
    record = replay.scored
    outcome = Outcome(
        item=item.id,
        state="unanswered",
        earned=0,
        points=points,
        by_hand=sum(cell.points for cell in criterion_cells(item, points)),
        item_hash=item.hash,
        key_hash=item.key_hash,
        seq=record.seq if record else None,
        at=plain(record.at) if record else None,
        line=lines.get(id(record)) if lines else None,
    )
    if record is None:
        return outcome, []
    notes = []
    if replay.passed_over:
        at = plain(", ".join(str(record.seq) for record in replay.passed_over))
        text = f"{item.id}: an answer takes back what had been answered before, and was passed over (record {at})"
        notes.append(Note(about="log", text=text))
    if record.hash != item.hash:
        notes.append(Note(about="revision", text=f"{item.id}: answered on another revision of the exercise"))
    invalid = outcome.model_copy(update={"state": "invalid"})
    try:
        return judged(item, outcome, record), notes
    except InvalidResponseError as error:
        return invalid, [*notes, Note(about="log", text=f"{item.id}: no valid answer ({plain(str(error))})")]
    except Exception as error:
        # A fault of ours must cost nobody else the batch; it is said, and a person looks.
        words = f"{item.id}: this answer could not be judged ({type(error).__name__}: {plain(str(error))})"
        return invalid, [*notes, Note(about="engine", text=words)]


def judged(item: Item, outcome: Outcome, record: Record) -> Outcome:
    """Return the outcome of a valid answer. Raises InvalidResponseError."""
    kind, response = item.kind, parse(item.kind, item.public, record.response)
    score: Score = kind.score(item.public, item.key, response)
    automatic = outcome.points - outcome.by_hand
    return outcome.model_copy(
        update={
            "state": "graded",
            "earned": min(automatic, automatic * score.share),
            "missing": kind.missing(item.public, response),
            "flags": score.flags,
            "rows": tuple(explain(item, score)),
            "prose": kind.prose(item.public, response, record.lang) if kind.prose else None,
            "note": kind.note(response) if kind.note else "",
        }
    )


def plain(text: str) -> str:
    """Return a learner's text as one short line that no terminal or page can take for anything else."""
    return "".join(c if c.isprintable() else "?" for c in text[:80])


def course() -> Course:
    """Return the course of this checkout as its files are now. Raises ContentError."""
    files = sorted(path for path in CONTENT.rglob("*") if path.suffix in CONTENT_SUFFIXES)
    return load_once(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files))


@lru_cache(maxsize=1)
def load_once(_state: tuple[tuple[Path, int, int], ...]) -> Course:
    return load_course()


def earned(item_id: str) -> float:
    """Return the points an item earned by the log below the current folder.

    This is what the hidden test of a notebook asks, one item at a time.
    """
    chapter = next(chapter for chapter in course().chapters if item_id in chapter.points)
    verdict = assess(chapter, Path.cwd() / "responses" / f"{chapter.id}.jsonl")
    return next(outcome.earned for outcome in verdict.outcomes if outcome.item == item_id)
