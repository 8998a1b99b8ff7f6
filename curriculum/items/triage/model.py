"""Triage: a queue of chats on a simulated clock.

The clock counts simulated seconds. In the timed mode they are real seconds, in the slowed mode a
third of them; in the untimed mode the clock stands while the learner thinks, and each reply costs
a fixed number of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Interval, Le, Len
from pydantic import Field, model_validator

from curriculum.checks import broken_links, duplicate_ids, keyed, rationales
from curriculum.model import Choose, Fault, ItemId, Key, Model, Number, Public, Rationale, Response, Text

MAX_CASES = 20
MAX_REPLIES = 6
LAST_ARRIVAL = 3600
MAX_CLOCK = 86_400

Mode = Literal["timed", "slowed", "untimed"]
Priority = Literal["urgent", "soon", "can-wait"]
Kind = Literal["answer", "announced-check", "hand-over", "acknowledgement", "wrong"]
Seconds = Annotated[Number, Interval(ge=0, le=MAX_CLOCK)]
Cost = Annotated[int, Interval(ge=1, le=120)]

PRIORITIES: dict[Priority, Text] = {
    "urgent": Text(zh="紧急", en="urgent"),
    "soon": Text(zh="尽快", en="soon"),
    "can-wait": Text(zh="可以等", en="can wait"),
}


class Reply(Model):
    """A reply that can be sent. With `holds` it only asks to wait, and the chat stays open."""

    id: ItemId
    text: Text
    holds: bool = False


class Case(Model):
    """One chat. `screen` is what the learner can read on the work screen and may rely on."""

    id: ItemId
    arrives: Annotated[int, Interval(ge=0, le=LAST_ARRIVAL)]
    channel: Text
    customer: Text
    says: Text
    screen: Text | None = None
    replies: Annotated[tuple[Reply, ...], Len(2, MAX_REPLIES)]

    @cached_property
    def by_id(self) -> Mapping[str, Reply]:
        return {reply.id: reply for reply in self.replies}

    def reply(self, reply_id: str) -> Reply | None:
        return self.by_id.get(reply_id)


class Costs(Model):
    """Seconds that a reply costs in the untimed mode: a full one, and one that only asks to wait."""

    reply: Cost
    hold: Cost


class TriagePublic(Public):
    """`limits` are the seconds within which a first meaningful reply is in time, and half in time."""

    limits: tuple[Cost, Annotated[int, Ge(1), Le(LAST_ARRIVAL)]]
    costs: Costs
    cases: Annotated[tuple[Case, ...], Len(2, MAX_CASES)]

    @cached_property
    def by_id(self) -> Mapping[str, Case]:
        return {case.id: case for case in self.cases}

    def case(self, case_id: str) -> Case | None:
        return self.by_id.get(case_id)

    @cached_property
    def queue(self) -> tuple[Case, ...]:
        """The cases as they come, whatever order they are written in."""
        return tuple(sorted(self.cases, key=lambda case: (case.arrives, case.id)))


class TriageKey(Key):
    """What each reply is, by case and reply, and how much haste each case needs.

    `weaker` and `red_lines` are by "case.reply". `rationales` by "case.reply" say why a reply is
    right or not, by "case" why it has its priority. `time` is said of every waiting time.
    """

    replies: Mapping[ItemId, Mapping[ItemId, Kind]]
    weaker: tuple[str, ...] = ()
    red_lines: tuple[str, ...] = ()
    priorities: Mapping[ItemId, Priority]
    time: Rationale
    rationales: Mapping[str, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.time if ref.endswith("@time") else self.rationales.get(ref)


class Event(Model):
    """A reply that was sent, `at` how many simulated seconds, with the priority given to the case."""

    at: Seconds
    case: Annotated[str, Len(1, 40)]
    reply: Annotated[str, Len(1, 40)]
    priority: Priority


class TriageResponse(Response):
    """`marks` are priorities noted before a reply; only the one sent with the reply counts."""

    mode: Mode
    clock: Seconds
    events: Annotated[tuple[Event, ...], Len(0, MAX_CASES * MAX_REPLIES)] = ()
    marks: Annotated[Mapping[str, Priority], Len(0, MAX_CASES)] = Field(default_factory=dict)
    finished: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def in_order(self) -> Self:
        times = [*(event.at for event in self.events), self.clock]
        if any(later < earlier for earlier, later in pairwise(times)):
            raise ValueError("the clock can't go back")
        return self


def closes(public: TriagePublic, event: Event) -> bool:
    """Return whether the customer no longer waits after this reply."""
    case = public.case(event.case)
    reply = case.reply(event.reply) if case else None
    return reply is not None and not reply.holds


def closed(public: TriagePublic, events: Sequence[Event]) -> set[str]:
    return {event.case for event in events if closes(public, event)}


def standing_clock(public: TriagePublic, events: Sequence[Event]) -> tuple[list[int], int]:
    """Return when the replies of the untimed mode were sent, and what the clock then says.

    Each reply takes its cost. When nobody waits any more, the clock goes on to the next arrival.
    """
    times, over, queue, waiting = list[int](), set[str](), public.queue, 0
    clock = queue[0].arrives
    for event in events:
        final = closes(public, event)
        clock += public.costs.reply if final else public.costs.hold
        times.append(clock)
        if final:
            over.add(event.case)
            while waiting < len(queue) and queue[waiting].id in over:
                waiting += 1
            if waiting < len(queue):
                clock = max(clock, queue[waiting].arrives)
    return times, clock


def unknown(public: TriagePublic, response: TriageResponse) -> str | None:
    """Return what can't have been done in this queue: an id it doesn't have, or a reply out of time."""
    over, sent = set[str](), set[tuple[str, str]]()
    for event in response.events:
        case, step = public.case(event.case), (event.case, event.reply)
        if case is None:
            return event.case
        reply = case.reply(event.reply)
        if reply is None or step in sent or event.case in over:
            return event.reply
        spent = 0
        if response.mode == "untimed":
            spent = public.costs.hold if reply.holds else public.costs.reply
        if event.at - spent < case.arrives:
            return f"{event.case} at {event.at:g}"
        sent.add(step)
        if not reply.holds:
            over.add(event.case)
    if response.mode == "untimed":
        times, clock = standing_clock(public, response.events)
        for event, time in zip(response.events, times, strict=True):
            if event.at != time:
                return f"{event.case} at {event.at:g}"
        if response.clock != clock:
            return f"clock at {response.clock:g}"
    return next((name for name in response.marks if public.case(name) is None), None)


def missing(public: TriagePublic, response: TriageResponse) -> Text | None:
    left = len(public.cases) - len(closed(public, response.events))
    if response.finished or not left:
        return None
    return Text(
        zh=f"这一班还没有结束，还有 {left} 位客户没有得到答复。",
        en=f"The shift is not over yet; {left} {'customer has' if left == 1 else 'customers have'} no answer so far.",
    )


def follows(before: TriageResponse, after: TriageResponse) -> bool:
    """What was sent stays sent, the clock never goes back, and the mode is chosen once."""
    so_far = len(before.events)
    return (
        after.mode == before.mode
        and after.clock >= before.clock
        and after.events[:so_far] == before.events
        and all(event.at >= before.clock for event in after.events[so_far:])
        and (not before.finished or after == before)
    )


def release(public: TriagePublic) -> TriagePublic:
    cases = (
        case.model_copy(update={"replies": tuple(sorted(case.replies, key=lambda reply: reply.id))})
        for case in public.queue
    )
    return public.model_copy(update={"cases": tuple(cases)})


def labels(public: TriagePublic, key: TriageKey) -> dict[str, Text]:
    names = {case.id: case.customer for case in public.cases}
    return {
        **names,
        **{f"{name}@time": customer for name, customer in names.items()},
        **{f"{case.id}.{reply.id}": reply.text for case in public.cases for reply in case.replies},
    }


def is_best(key: TriageKey, case: Case, reply: Reply) -> bool:
    """Return whether nothing better can be said to a case."""
    kind = key.replies[case.id][reply.id]
    return kind not in ("acknowledgement", "wrong") and f"{case.id}.{reply.id}" not in key.weaker


def play(public: TriagePublic, key: TriageKey, choose: Choose) -> dict[str, Any]:
    """Without a clock; whoever was only asked to wait is asked again at once. The right one is the most urgent."""
    events: list[Event] = []
    names: list[Priority] = list(PRIORITIES)
    left, clock = list(public.queue), 0
    while left:
        clock = max(clock, left[0].arrives)
        waiting = [case for case in left if case.arrives <= clock]
        needs = [names.index(key.priorities[case.id]) for case in waiting]
        case = left.pop(choose([case.customer for case in waiting], needs.index(min(needs))))
        replies, holds = list(case.replies), True
        while holds and replies:
            right = next((i for i, reply in enumerate(replies) if is_best(key, case, reply)), 0)
            reply = replies.pop(choose([reply.text for reply in replies], right))
            at = choose([PRIORITIES[name] for name in names], names.index(key.priorities[case.id]))
            clock += public.costs.hold if reply.holds else public.costs.reply
            events.append(Event(at=clock, case=case.id, reply=reply.id, priority=names[at]))
            holds = reply.holds
    sent = [event.model_dump() for event in events]
    return {"mode": "untimed", "clock": clock, "events": sent, "marks": {}, "finished": True}


def check(public: TriagePublic, key: TriageKey) -> Iterator[Fault]:
    ids = [case.id for case in public.cases]
    yield from duplicate_ids(("public", "cases"), ids, "case")
    if public.limits[0] >= public.limits[1]:
        message = "the first limit must be shorter than the second; write them as [30, 60]"
        yield Fault("contradiction", ("public", "limits"), message)
    refs: dict[str, bool] = {}
    for i, case in enumerate(public.cases):
        where = ("public", "cases", i, "replies")
        yield from duplicate_ids(where, [reply.id for reply in case.replies], "reply")
        kinds = key.replies.get(case.id, {})
        for j, reply in enumerate(case.replies):
            ref = f"{case.id}.{reply.id}"
            kind = kinds.get(reply.id)
            refs[ref] = kind in ("wrong", "acknowledgement") or ref in key.weaker
            if kind is None:
                message = f"the key does not say what reply “{ref}” is; add it"
                yield Fault("unscored-choice", ("key", "replies", case.id, reply.id), message)
            elif reply.holds != (kind == "acknowledgement"):
                message = f"`holds` and the key disagree on “{ref}”; an acknowledgement holds, nothing else does"
                yield Fault("contradiction", (*where, j), message)
        if kinds and all(refs[f"{case.id}.{reply.id}"] for reply in case.replies):
            message = f"no reply to “{case.id}” earns full credit; give it one that does"
            yield Fault("unscored-choice", ("key", "replies", case.id), message)
    yield from check_key(public, key, refs)
    if given_away(public, key):
        message = "sorted by id, the right reply stands in the same place in every case; rename some"
        yield Fault("order-given-away", ("public", "cases"), message)


def check_key(public: TriagePublic, key: TriageKey, refs: Mapping[str, bool]) -> Iterator[Fault]:
    ids = [case.id for case in public.cases]
    for name, kinds in key.replies.items():
        for reply in kinds:
            if f"{name}.{reply}" not in refs:
                message = f"there is no reply “{name}.{reply}”; mend the id or take it out"
                yield Fault("orphan-key", ("key", "replies", name, reply), message)
    yield from keyed(("key", "priorities"), key.priorities, ids, "case", "priority; add it")
    if len(set(key.priorities.values())) == 1:
        message = "all cases have the same priority, so there is nothing to decide; let some differ"
        yield Fault("choice-without-effect", ("key", "priorities"), message)
    for field, given, wanted in (("weaker", key.weaker, False), ("red_lines", key.red_lines, True)):
        yield from broken_links(("key", field), given, refs, "reply")
        for i, ref in enumerate(given):
            kind = kind_of(key, ref)
            if kind and ((kind == "wrong") != wanted or kind == "acknowledgement"):
                needed = "wrong reply" if wanted else "reply that answers, checks or hands over"
                yield Fault("contradiction", ("key", field, i), f"“{ref}” is “{kind}”; only a {needed} can stand here")
    yield from rationales(
        key.rationales, [*refs, *ids], "reply or case", [ref for ref, weaker in refs.items() if weaker]
    )


def kind_of(key: TriageKey, ref: str) -> Kind | None:
    case, _, reply = ref.partition(".")
    return key.replies.get(case, {}).get(reply)


def given_away(public: TriagePublic, key: TriageKey) -> bool:
    """Return whether one place of the released list is always right."""
    right = [
        {
            place
            for place, reply in enumerate(case.replies)
            if kind_of(key, ref := f"{case.id}.{reply.id}") not in (None, "wrong", "acknowledgement")
            and ref not in key.weaker
        }
        for case in release(public).cases
    ]
    return len(right) > 2 and bool(set.intersection(*right))
