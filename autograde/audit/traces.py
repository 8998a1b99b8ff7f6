"""What a response log tells of how somebody worked: in which order, what exactly, how fast.

The log lies with the learner until it is handed in, and its times with it: what
is found here is a reason to look, and proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograde.audit.book import Book
from curriculum.load import Course
from curriculum.log import Log, LogError, Record, Replay
from curriculum.model import Item, Language, Model, Response, Score, Text, digest, find
from curriculum.verdict import InvalidResponseError, follower, parse

# Means of adults: English non-fiction in silence (M. Brysbaert 2019, doi 10.1016/j.jml.2019.104047);
# Chinese read aloud (S. Trauzettel-Klosinski and K. Dietz 2012, doi 10.1167/iovs.11-8284).
WORDS_A_MINUTE = 238
CHARACTERS_A_MINUTE = 255
FASTEST = 3  # times as fast as the mean; in English, most adults stay below 1.3 times


@dataclass(frozen=True, slots=True)
class Trace:
    """One learner's way through a chapter; all mappings are by item.

    `order` has the items as they were first answered. `wrong` has a digest of what
    was judged, where it was not entirely right, and of the words of a free text.
    `pace` is the time that an answer took, as a multiple of the time that the
    fastest reading of it takes. `counted` has the record that counts now: the
    SHA-256 of its line and the content hash of the item that it answers.
    """

    learner: str
    chapter: str
    order: tuple[str, ...]
    wrong: Mapping[str, str]
    pace: Mapping[str, float]
    counted: Mapping[str, tuple[str, str]]


def read_traces(book: Book) -> list[Trace]:
    """Return the traces of all that was graded and whose log can be read; none for a book without its folder."""
    if book.config is None:
        return []
    reader = Reader(book.course)
    traces = []
    for one in book.standings:
        folder = book.config.submitted / one.learner / one.chapter / "responses"
        trace = reader.trace(one.learner, one.chapter, folder)
        if trace is not None:
            traces.append(trace)
    return traces


class Reader:
    """Reads logs; what many learners answered alike is judged once."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.seen: dict[tuple[str, Language, str], Judged | None] = {}
        self.length: dict[tuple[str, Language], float] = {}
        self.named: dict[str, Mapping[str, list[Text]]] = {}

    def trace(self, learner: str, chapter: str, folder: Path) -> Trace | None:
        """Return the trace that a log leaves, or None where there is none to be read. Never raises."""
        log = Log(folder / f"{chapter}.jsonl")
        try:
            log.refresh()
        except LogError:
            return None
        points = self.course.chapter(chapter).points
        line = {id(record): hashed for record, hashed in zip(log.records, log.hashes, strict=True)}
        took = seconds(log.records)
        by_item: dict[str, list[Record]] = {}
        for record in log.records:
            if record.item in points:
                by_item.setdefault(record.item, []).append(record)
        wrong, pace, counted = dict[str, str](), dict[str, float](), dict[str, tuple[str, str]]()
        for name, records in by_item.items():
            item = self.course.items[name]
            scored = Replay(records, follower(item.kind, item.public)).scored
            if scored is None:
                continue
            counted[name] = (line[id(scored)], scored.hash)
            judged = self.judged(item, scored)
            if judged is None:
                continue
            pace[name] = sum(took[id(record)] for record in until(scored, records)) / judged.least
            if judged.fault:
                wrong[name] = judged.fault
        order = tuple(name for name in by_item if name in counted)
        return Trace(learner, chapter, order, wrong, pace, counted) if order else None

    def judged(self, item: Item, record: Record) -> Judged | None:
        """Return what can be said of an answer, or None where it is no valid one."""
        try:
            key = (item.id, record.lang, json.dumps(record.response, ensure_ascii=False, sort_keys=True))
        except (ValueError, RecursionError):
            return None
        if key not in self.seen:
            self.seen[key] = self.judge(item, record)
        return self.seen[key]

    def judge(self, item: Item, record: Record) -> Judged | None:
        try:
            response = parse(item.kind, item.public, record.response)
            fault = fault_of(item, response, record.lang)
        except InvalidResponseError:
            return None
        except Exception:  # grading has said so, and a person looks at it
            return None
        return Judged(fault, self.least(item, response, record.lang))

    def least(self, item: Item, response: Response, language: Language) -> float:
        """Return the seconds that the fastest reading takes.

        Of an exercise that unfolds step by step, only what it asks and what was chosen was surely seen.
        """
        if item.kind.follows is not None:
            if item.id not in self.named:
                self.named[item.id] = texts_by_id(item)
            chosen = {name for _path, name in find(str, response)} & self.named[item.id].keys()
            texts = [text for name in sorted(chosen) for text in self.named[item.id][name]]
            return reading_seconds([item.public.prompt, *texts], language)
        key = (item.id, language)
        if key not in self.length:
            self.length[key] = reading_seconds((text for _path, text in find(Text, item.public)), language)
        return self.length[key]


@dataclass(frozen=True, slots=True)
class Judged:
    """A digest of what is wrong with an answer, None where nothing is; and the seconds that reading takes at least."""

    fault: str | None
    least: float


def fault_of(item: Item, response: Response, language: Language) -> str | None:
    """Return what is wrong, and how; of a free text its words. Two answers that are wrong in the same way are equal."""
    if item.kind.prose is not None:
        words = "".join(item.kind.prose(item.public, response, language).split()).casefold()
        return digest(words) if words else None
    score: Score = item.kind.score(item.public, item.key, response)
    if score.share == 1:
        return None
    # Refs and values name the options; in which order they were clicked bears on nothing.
    return digest(
        [
            (one.rule, one.ref, one.other, {name: plain(value) for name, value in one.values.items()})
            for one in score.evidence
        ]
    )


def plain(value: Text | str | float) -> str | float:
    return value.zh if isinstance(value, Text) else value


def until(last: Record, records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        yield record
        if record is last:
            return


def seconds(records: Iterable[Record]) -> dict[int, float]:
    """Return the seconds before each record, by `id(record)`.

    The shorter of two: what the browser counted since the exercise was last touched,
    and what passed since the record before. Where the clock went back, only the first is there.
    """
    took, before = dict[int, float](), None
    for record in records:
        now = moment(record.at)
        took[id(record)] = record.ms / 1000
        if now is not None and before is not None and now >= before:
            took[id(record)] = min(took[id(record)], now - before)
        before = now if now is not None else before
    return took


def moment(at: str) -> float | None:
    try:
        return datetime.fromisoformat(at).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def reading_seconds(texts: Iterable[Text], language: Language) -> float:
    """Return the seconds in which nobody reads these texts, nor half of them again."""
    minutes = 0.0
    for text in texts:
        if language == "en":
            minutes += len(text.en.split()) / WORDS_A_MINUTE
        else:
            minutes += len("".join(text.zh.split())) / CHARACTERS_A_MINUTE
    return 60 * minutes / FASTEST


def texts_by_id(item: Item) -> Mapping[str, list[Text]]:
    """Return the texts of all parts of an item that have an id."""
    found: dict[str, list[Text]] = {}
    for part in parts(item.public):
        texts = [text for name in type(part).model_fields if isinstance(text := getattr(part, name), Text)]
        found.setdefault(getattr(part, "id", ""), []).extend(texts)
    return found


def parts(data: object) -> Iterator[Model]:
    """Yield all that an item is made of, its texts left out."""
    if isinstance(data, Text):
        return
    if isinstance(data, Model):
        yield data
        for name in type(data).model_fields:
            yield from parts(getattr(data, name))
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from parts(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from parts(value)
