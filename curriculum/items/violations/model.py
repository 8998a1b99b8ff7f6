"""Violations: mark what goes against the norms in a transcript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from annotated_types import Interval, Len

from curriculum.model import Fault, ItemId, Key, Model, Public, Rationale, Response, Text

MAX_SPANS = 60


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
    """`faults` maps the spans that break a norm to their severity, 1 to 3."""

    faults: Annotated[Mapping[ItemId, Annotated[int, Interval(ge=1, le=3)]], Len(1)]
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)


class ViolationsResponse(Response):
    marked: Annotated[tuple[str, ...], Len(0, MAX_SPANS)]


def check(public: ViolationsPublic, key: ViolationsKey) -> Iterator[Fault]:
    seen: set[str] = set()
    for i, line in enumerate(public.lines):
        for j, span in enumerate(line.spans):
            if span.id in seen:
                where = ("public", "lines", i, "spans", j, "id")
                yield Fault(where, f"span id “{span.id}” is used twice; give each its own")
            seen.add(span.id)
            if span.id not in key.rationales:
                yield Fault(("key", "rationales"), f"span “{span.id}” has no rationale; add one")
    if public.seeded != len(key.faults):
        message = f"`seeded` says {public.seeded}, and the key has {len(key.faults)} faults; make them agree"
        yield Fault(("public", "seeded"), message)
    if len(seen) > MAX_SPANS:
        yield Fault(("public", "lines"), f"{len(seen)} spans are too many; {MAX_SPANS} is the limit")
    for ref in key.faults:
        if ref not in seen:
            yield Fault(("key", "faults", ref), f"there is no span “{ref}”; mend the id or take it out")
    for ref, rationale in key.rationales.items():
        if ref not in seen:
            yield Fault(("key", "rationales", ref), f"there is no span “{ref}”; mend the id or take it out")
        if ref in key.faults and rationale.better is None:
            yield Fault(
                ("key", "rationales", ref), f"fault “{ref}” needs `better`: what should be said or done instead"
            )


def unknown(public: ViolationsPublic, response: ViolationsResponse) -> str | None:
    ids = {span.id for span in public.spans}
    seen: set[str] = set()
    for ref in response.marked:
        if ref not in ids or ref in seen:
            return ref
        seen.add(ref)
    return None


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


def labels(public: ViolationsPublic) -> dict[str, Text]:
    return {span.id: span.text for span in public.spans}
