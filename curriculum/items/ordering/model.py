"""Ordering: put the steps of a procedure into an order that works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from annotated_types import Interval, Len

from curriculum.checks import broken_links, duplicate_ids, rationales, stranger
from curriculum.model import Choose, Fault, ItemId, Key, Model, Number, Public, Rationale, Response, Text

MAX_STEPS = 14


class Step(Model):
    id: ItemId
    text: Text


class OrderingPublic(Public):
    """`steps` stand in a right order in the author's file, and by id in the release."""

    steps: Annotated[tuple[Step, ...], Len(3, MAX_STEPS)]


class CriticalPair(Model):
    """`before` must precede `after`; otherwise the share is capped at `cap`."""

    before: ItemId
    after: ItemId
    cap: Annotated[Number, Interval(ge=0, lt=1)]


class OrderingKey(Key):
    """`requires` maps a step to those that must come before it: a partial order."""

    requires: Mapping[ItemId, tuple[ItemId, ...]]
    critical: tuple[CriticalPair, ...] = ()
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)


class OrderingResponse(Response):
    order: Annotated[tuple[str, ...], Len(0, MAX_STEPS)]


def predecessors(key: OrderingKey) -> dict[str, frozenset[str]]:
    """Return for each constrained step all steps that must come before it, directly or not.

    Raises graphlib.CycleError when the constraints run in a circle.
    """
    before: dict[str, frozenset[str]] = {}
    for step in TopologicalSorter(key.requires).static_order():
        direct = key.requires.get(step, ())
        before[step] = frozenset(direct).union(*(before[other] for other in direct))
    return before


def broken_pairs(key: OrderingKey, order: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs (earlier, later) of an order whose later step belongs before the earlier."""
    before = predecessors(key)
    return [
        (first, then)
        for i, first in enumerate(order)
        for then in order[i + 1 :]
        if then in before.get(first, frozenset())
    ]


def check(public: OrderingPublic, key: OrderingKey) -> Iterator[Fault]:
    ids = [step.id for step in public.steps]
    place = {step: i for i, step in enumerate(ids)}
    yield from duplicate_ids(("public", "steps"), ids, "step")
    yield from rationales(key.rationales, place, "step")
    for step, needed in key.requires.items():
        if step not in place:
            yield from broken_links(("key", "requires"), {step: None}, place, "step")
        yield from broken_links(("key", "requires", step), needed, place, "step")
        for i, other in enumerate(needed):
            if step in place and other in place and place[other] >= place[step]:
                message = f"“{other}” must come before “{step}”, but the steps are written the other way"
                yield Fault("contradiction", ("key", "requires", step, i), message)
    for i, pair in enumerate(key.critical):
        sides = {"before": pair.before, "after": pair.after}
        for side, ref in sides.items():
            if ref not in place:
                message = f"there is no step “{ref}”; mend the id or take it out"
                yield Fault("broken-link", ("key", "critical", i, side), message)
        if place.get(pair.before, -1) > place.get(pair.after, len(ids)):
            message = f"“{pair.before}” must come before “{pair.after}”, but the steps are written the other way"
            yield Fault("contradiction", ("key", "critical", i), message)
    try:
        before = predecessors(key)
    except CycleError:
        return  # each backward pair is reported above
    for i, pair in enumerate(key.critical):
        if pair.before not in before.get(pair.after, ()):
            message = (
                f"`requires` lets “{pair.after}” come before “{pair.before}”, and here that is critical; add it there"
            )
            yield Fault("contradiction", ("key", "critical", i), message)
    if not broken_pairs(key, sorted(ids)):
        message = "the ids in alphabetical order give the answer away; rename some"
        yield Fault("order-given-away", ("public", "steps"), message)


def unknown(public: OrderingPublic, response: OrderingResponse) -> str | None:
    return stranger(response.order, {step.id for step in public.steps})


def missing(public: OrderingPublic, response: OrderingResponse) -> Text | None:
    left = len(public.steps) - len(response.order)
    if left == 0:
        return None
    return Text(
        zh=f"还有 {left} 个步骤没有排进去。",
        en="One step is not placed yet." if left == 1 else f"{left} steps are not placed yet.",
    )


def release(public: OrderingPublic) -> OrderingPublic:
    return public.model_copy(update={"steps": tuple(sorted(public.steps, key=lambda step: step.id))})


def labels(public: OrderingPublic, key: OrderingKey) -> dict[str, Text]:
    return {step.id: step.text for step in public.steps}


def play(public: OrderingPublic, key: OrderingKey, choose: Choose) -> dict[str, list[str]]:
    left, order = list(public.steps), list[str]()
    while left:
        free = (i for i, step in enumerate(left) if set(key.requires.get(step.id, ())) <= set(order))
        order.append(left.pop(choose([step.text for step in left], next(free, 0))).id)
    return {"order": order}
