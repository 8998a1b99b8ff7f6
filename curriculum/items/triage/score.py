"""Credit for triage: the right reply, in time, with the right priority.

Each case is worth 10: 5 for the reply (half for an acceptable but weaker one), 3 for the time
until the first meaningful reply (all of it within the first limit, half within the second), 2 for
the priority. A wrong reply makes the whole case worth nothing, so that a guess to beat the clock
earns less than an announced check; so does a red line, with a flag. A reply that only asks to wait
is no answer: the clock runs on. Source: S-QUEUE of the assessment design, mean over cases of
.5 action + .3 in time + .2 priority; the 30 seconds are the handbook's target and no law.

The priority of an urgent case is a matter of deeds: it earns nothing where somebody less urgent
was answered first. A reply that was under way when the urgent case came in does not count against
it; `costs.reply` seconds are allowed for that in every mode.

In the untimed mode seconds follow from the order of replies and are checked. In the other two they
are what the browser said: whoever writes a log of their own, or hides the page to think, can make
them smaller, and nothing here would notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from curriculum.items.triage.model import (
    PRIORITIES,
    Case,
    Event,
    Kind,
    TriageKey,
    TriagePublic,
    TriageResponse,
    closes,
)
from curriculum.model import Evidence, Score, Text

ACTION, WEAKER, TIME, HALF_TIME, PRIORITY = 5.0, 2.5, 3.0, 1.5, 2.0
WORTH = ACTION + TIME + PRIORITY

KINDS: dict[Kind, Text] = {
    "answer": Text(zh="有内容的答复", en="a real answer"),
    "announced-check": Text(zh="先核实，并说好回音时间", en="a check, announced with a time"),
    "hand-over": Text(zh="转给负责的同事", en="a hand-over to the right colleague"),
}

WORDS = {
    "right": Text(zh="{customer}——{kind}：“{ref}”", en="{customer} – {kind}: “{ref}”"),
    "weaker": Text(
        zh="{customer}——{kind}，可以，但还有更好的，计一半：“{ref}”",
        en="{customer} – {kind}, acceptable, though there is better; half the credit: “{ref}”",
    ),
    "wrong": Text(
        zh="{customer}——回复不对，这一位不计分，快慢都一样：“{ref}”",
        en="{customer} – not right, so this customer earns nothing, however fast it was: “{ref}”",
    ),
    "red-line": Text(
        zh="{customer}——触及红线，这一位不计分：“{ref}”",
        en="{customer} – a red line was crossed; this customer earns nothing: “{ref}”",
    ),
    "held": Text(
        zh="{customer}——只是请客户等，不算答复，时间照走：“{ref}”",
        en="{customer} – only asked to wait, which is no answer; the clock ran on: “{ref}”",
    ),
    "in-time": Text(
        zh="{ref}等了 {seconds} 秒得到第一句有内容的回复，在 {limit} 秒以内。",
        en="{ref} waited {seconds} s for the first meaningful reply: within {limit} s.",
    ),
    "late": Text(
        zh="{ref}等了 {seconds} 秒得到第一句有内容的回复，超过 {limit} 秒，计一半。",
        en="{ref} waited {seconds} s for the first meaningful reply: more than {limit} s, half the credit.",
    ),
    "too-late": Text(
        zh="{ref}等了 {seconds} 秒才得到第一句有内容的回复，超过 {limit} 秒，时间不计分。",
        en="{ref} waited {seconds} s for the first meaningful reply: more than {limit} s, no credit for time.",
    ),
    "priority": Text(zh="{ref}：你判断为“{given}”，合适。", en="{ref}: you judged “{given}”, which is right."),
    "priority-missed": Text(
        zh="{ref}：你判断为“{given}”，应当是“{needed}”。", en="{ref}: you judged “{given}”; it is “{needed}”."
    ),
    "passed-over": Text(
        zh="{ref}的事紧急，你却先答复了{other}。",
        en="{ref} was urgent, and {other} got an answer first.",
    ),
    "unanswered": Text(zh="{ref}没有得到答复。", en="{ref} got no answer."),
    "only-held": Text(zh="{ref}只被请去等，之后没有得到答复。", en="{ref} was asked to wait and never got an answer."),
}


def score(public: TriagePublic, key: TriageKey, response: TriageResponse) -> Score:
    final = {event.case: event for event in response.events if closes(public, event)}
    evidence: list[Evidence] = []
    for case in public.queue:
        holding = [event for event in response.events if event.case == case.id and not closes(public, event)]
        for event in holding:
            ref = f"{case.id}.{event.reply}"
            evidence.append(Evidence("held", ref, False, 0, values={"customer": case.customer}))
        if case.id in final:
            evidence += judged(public, key, case, final)
        else:
            evidence.append(Evidence("only-held" if holding else "unanswered", case.id, False, 0))
    flags = ("red-line",) if any(e.rule == "red-line" for e in evidence) else ()
    return Score(sum(e.earned for e in evidence), WORTH * len(public.cases), flags, tuple(evidence))


def judged(public: TriagePublic, key: TriageKey, case: Case, final: Mapping[str, Event]) -> Iterator[Evidence]:
    """Yield what the meaningful reply to one case earned."""
    event = final[case.id]
    ref, kind = f"{case.id}.{event.reply}", key.replies[case.id][event.reply]
    if kind not in KINDS:
        rule = "red-line" if ref in key.red_lines else "wrong"
        yield Evidence(rule, ref, False, 0, values={"customer": case.customer})
        return
    values = {"customer": case.customer, "kind": KINDS[kind]}
    weaker = ref in key.weaker
    yield Evidence("weaker" if weaker else "right", ref, not weaker, WEAKER if weaker else ACTION, values=values)

    seconds, (limit, last) = event.at - case.arrives, public.limits
    rule, earned = (
        ("in-time", TIME) if seconds <= limit else ("late", HALF_TIME) if seconds <= last else ("too-late", 0)
    )
    said = {"seconds": round(seconds, 1), "limit": last if rule == "too-late" else limit}
    yield Evidence(rule, f"{case.id}@time", rule == "in-time", earned, values=said)

    needed = key.priorities[case.id]
    words = {"given": PRIORITIES[event.priority], "needed": PRIORITIES[needed]}
    other = passed_over(public, key, case, final)
    if event.priority != needed:
        yield Evidence("priority-missed", case.id, False, 0, values=words)
    elif other:
        yield Evidence("passed-over", case.id, False, 0, other)
    else:
        yield Evidence("priority", case.id, True, PRIORITY, values=words)


def passed_over(public: TriagePublic, key: TriageKey, case: Case, final: Mapping[str, Event]) -> str | None:
    """Return the first less urgent case that was answered while this urgent one waited."""
    if key.priorities[case.id] != "urgent":
        return None
    noticed = case.arrives + public.costs.reply
    before = [
        event
        for event in final.values()
        if noticed <= event.at < final[case.id].at and key.priorities[event.case] != "urgent"
    ]
    return min(before, key=lambda event: event.at).case if before else None
