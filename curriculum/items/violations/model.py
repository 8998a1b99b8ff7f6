"""Violations: mark what goes against the norms in a transcript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from annotated_types import Interval, Len

from curriculum.checks import broken_links, rationales, stranger
from curriculum.model import Choose, Fault, ItemId, Key, Model, Public, Rationale, Response, Text

MAX_SPANS = 60
FALSE_MARK_COST = 1
FLAT_LIMIT = 0.6


class Span(Model):
    """A clause that can be marked as a whole; the author sets its bounds."""

    id: ItemId
    text: Text


class Line(Model):
    speaker: Text
    spans: Annotated[tuple[Span, ...], Len(1)]


class ViolationsPublic(Public):
    """`seeded` is how many faults there are; learners are told, so that they know when to stop."""

    seeded: Annotated[int, Interval(ge=1)]
    lines: Annotated[tuple[Line, ...], Len(1)]

    @property
    def spans(self) -> list[Span]:
        return [span for line in self.lines for span in line.spans]


class ViolationsKey(Key):
    """`faults` maps the spans that break a norm to their severity, 1 to 3; nobody may overlook `red_lines`."""

    faults: Annotated[Mapping[ItemId, Annotated[int, Interval(ge=1, le=3)]], Len(1)]
    red_lines: tuple[ItemId, ...] = ()
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)


class ViolationsResponse(Response):
    marked: Annotated[tuple[str, ...], Len(0, MAX_SPANS)]


def check(public: ViolationsPublic, key: ViolationsKey) -> Iterator[Fault]:
    ids = [span.id for span in public.spans]
    seen: set[str] = set()
    for i, line in enumerate(public.lines):
        for j, span in enumerate(line.spans):
            if span.id in seen:
                where = ("public", "lines", i, "spans", j, "id")
                yield Fault("duplicate-id", where, f"span id “{span.id}” is used twice; give each its own")
            seen.add(span.id)
    if public.seeded != len(key.faults):
        message = f"`seeded` says {public.seeded}, and the key has {len(key.faults)} faults; make them agree"
        yield Fault("contradiction", ("public", "seeded"), message)
    if len(ids) > MAX_SPANS:
        yield Fault("too-large", ("public", "lines"), f"{len(ids)} spans are too many; {MAX_SPANS} is the limit")
    severity = sum(key.faults.values())
    if severity - FALSE_MARK_COST * (len(ids) - len(key.faults)) >= FLAT_LIMIT * severity:
        message = f"marking everything earns {FLAT_LIMIT:.0%} or more; let more spans be fine"
        yield Fault("flat-answer-pays", ("key", "faults"), message)
    yield from broken_links(("key", "faults"), key.faults, ids, "span")
    yield from broken_links(("key", "red_lines"), key.red_lines, key.faults, "fault")
    yield from rationales(key.rationales, ids, "span", key.faults)


def unknown(public: ViolationsPublic, response: ViolationsResponse) -> str | None:
    return stranger(response.marked, {span.id for span in public.spans})


def missing(public: ViolationsPublic, response: ViolationsResponse) -> Text | None:
    left = public.seeded - len(response.marked)
    if left <= 0:
        return None
    return Text(
        zh=f"一共 {public.seeded} 处，还差 {left} 处没有标出。",
        en=f"There are {public.seeded} faults; {left} {'is' if left == 1 else 'are'} still to be marked.",
    )


def release(public: ViolationsPublic) -> ViolationsPublic:
    # A transcript has its own order, and that order says nothing about the faults.
    return public


def labels(public: ViolationsPublic, key: ViolationsKey) -> dict[str, Text]:
    return {span.id: span.text for span in public.spans}


def play(public: ViolationsPublic, key: ViolationsKey, choose: Choose) -> dict[str, list[str]]:
    left, marked = public.spans, list[str]()
    for _fault in range(min(public.seeded, len(left))):
        right = next((i for i, span in enumerate(left) if span.id in key.faults), 0)
        marked.append(left.pop(choose([span.text for span in left], right)).id)
    return {"marked": marked}
