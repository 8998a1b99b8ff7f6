"""Triage: the right reply .5, in time .3, the right priority .2, and nothing for a wrong one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum.items import TYPES
from curriculum.items.triage.model import TriageKey, TriagePublic, check, release, standing_clock
from curriculum.items.triage.score import score
from curriculum.load import CONTENT, Loader
from curriculum.model import Choose, Head, Item, Score, Text
from curriculum.verdict import InvalidResponseError, explain, follower, judge, parse

TEXT = {"zh": "甲", "en": "a"}
KIND = TYPES["triage"]
# Every case of a made queue has these replies.
REPLIES = {"best": "answer", "check": "announced-check", "guess": "wrong", "hurt": "wrong", "wait": "acknowledgement"}
PRIORITIES = ("urgent", "soon", "can-wait")


def text(words: str) -> dict[str, str]:
    return {"zh": f"{words}。", "en": words}


class Queue:
    """case: (arrives, priority). In each, `check` is acceptable but weaker and `hurt` a red line."""

    def __init__(self, cases: Mapping[str, tuple[int, str]], backwards: bool = False) -> None:
        self.cases = cases
        turned: Callable[[Iterable[str]], list[str]] = (lambda names: list(names)[::-1]) if backwards else list
        self.data: dict[str, Any] = {
            "prompt": TEXT,
            "limits": [30, 60],
            "costs": {"reply": 20, "hold": 5},
            "cases": [
                {
                    "id": name,
                    "arrives": cases[name][0],
                    "channel": text("chat"),
                    "customer": text(name),
                    "says": text("question"),
                    "replies": [
                        {"id": reply, "text": text(reply), "holds": reply == "wait"} for reply in turned(REPLIES)
                    ],
                }
                for name in turned(cases)
            ],
        }
        refs = [f"{name}.{reply}" for name in cases for reply in REPLIES]
        self.key_data: dict[str, Any] = {
            "replies": {name: dict(REPLIES) for name in cases},
            "weaker": [f"{name}.check" for name in cases],
            "red_lines": [f"{name}.hurt" for name in cases],
            "priorities": {name: priority for name, (_, priority) in cases.items()},
            "time": {"why": TEXT},
            "rationales": {ref: {"why": TEXT, "better": TEXT} for ref in [*refs, *cases]},
        }

    @property
    def item(self) -> Item:
        head = Head(id="x-q", type="triage", sector="all", title=Text(**TEXT), covers=())
        return Item(head, KIND, TriagePublic.model_validate(self.data), TriageKey.model_validate(self.key_data))

    def response(self, events: Sequence[tuple[float, str, str, str]], **more: Any) -> dict[str, Any]:
        sent = [dict(zip(("at", "case", "reply", "priority"), event, strict=True)) for event in events]
        return {"mode": "timed", "clock": max([0.0, *(event[0] for event in events)]), "events": sent, **more}

    def score(self, events: Sequence[tuple[float, str, str, str]]) -> Score:
        return judge(self.item, self.response(events))[0]

    def faults(self) -> list[str]:
        item = self.item
        return [fault.rule for fault in check(item.public, item.key)]  # type: ignore[arg-type]


# Far enough apart that nobody is passed over.
WAITS = (8, 12, 19, 22, 27, 29, 31, 34, 41, 55, 63, 90, 14, 25, 30, 18, 28, 47, 120, 16)


def test_twenty_right_replies_with_the_waits_of_the_assessment_design() -> None:
    queue = Queue({f"c{i}": (150 * i, PRIORITIES[i % 3]) for i in range(len(WAITS))})
    result = queue.score([(150 * i + wait, f"c{i}", "best", PRIORITIES[i % 3]) for i, wait in enumerate(WAITS)])
    rules = [evidence.rule for evidence in result.evidence]
    # 12 of 20 within 30 s, the 30 counted: 60 %. 31, 34, 41, 55, 47 within 60 s; 63, 90, 120 later.
    assert [rules.count(rule) for rule in ("in-time", "late", "too-late")] == [12, 5, 3]
    # .5 + .3 · (12 + 5 / 2) / 20 + .2 = .7 + .3 · .725
    assert result.share == pytest.approx(0.9175, abs=1e-12)


@pytest.mark.parametrize(
    ("reply", "wait", "priority", "share"),
    [
        ("best", 30, "soon", 1.0),
        ("best", 30.1, "soon", 0.85),  # .5 + .15 + .2
        ("best", 60, "soon", 0.85),
        ("best", 60.1, "soon", 0.7),  # .5 + 0 + .2
        ("best", 10, "urgent", 0.8),  # .5 + .3
        ("check", 10, "soon", 0.75),  # .25 + .3 + .2
        ("check", 90, "can-wait", 0.25),
        ("guess", 1, "soon", 0.0),
        ("hurt", 1, "soon", 0.0),
        ("wait", 1, "soon", 0.0),
    ],
)
def test_one_case_by_hand(reply: str, wait: float, priority: str, share: float) -> None:
    queue = Queue({"only": (40, "soon"), "other": (3600, "urgent")})
    result = queue.score([(40 + wait, "only", reply, priority)])
    assert result.share == pytest.approx(share / 2, abs=1e-12)  # the other case got no answer
    assert result.flags == (("red-line",) if reply == "hurt" else ())


def test_asking_to_wait_does_not_stop_the_clock() -> None:
    queue = Queue({"only": (0, "soon"), "other": (3600, "urgent")})
    result = queue.score([(2, "only", "wait", "soon"), (31, "only", "best", "soon")])
    assert result.earned == 5 + 1.5 + 2
    assert [e.rule for e in result.evidence] == ["held", "right", "late", "priority", "unanswered"]


def test_guessing_to_beat_the_clock_earns_less_than_an_announced_check() -> None:
    queue = Queue({"only": (0, "soon"), "other": (3600, "urgent")})
    assert queue.score([(1, "only", "guess", "soon")]).earned < queue.score([(200, "only", "check", "urgent")]).earned


@pytest.mark.parametrize(
    ("first", "second", "lost"),
    [
        (19.9, 35, 0),  # the reply to the other was under way when the urgent case came
        (20, 35, 2),
        (40, 35, 0),  # urgent first
    ],
)
def test_an_urgent_case_may_not_be_passed_over(first: float, second: float, lost: float) -> None:
    queue = Queue({"calm": (0, "can-wait"), "fire": (0, "urgent")})
    events = sorted([(first, "calm", "best", "can-wait"), (second, "fire", "best", "urgent")])
    result = queue.score(events)
    waits = sum(3 if at <= 30 else 1.5 for at in (first, second))
    assert result.earned == pytest.approx(14 + waits - lost, abs=1e-12)
    assert ("passed-over" in [e.rule for e in result.evidence]) == bool(lost)


def test_without_a_clock_the_order_decides() -> None:
    queue = Queue({"calm": (0, "can-wait"), "fire": (0, "urgent"), "late": (100, "soon")})

    def shift(order: Sequence[str]) -> Score:
        events = [(20.0 * (i + 1), name, "best", queue.cases[name][1]) for i, name in enumerate(order)]
        events.append((120, "late", "best", "soon"))  # nobody waits after 40 s, so the clock goes on to 100
        return judge(queue.item, queue.response(events, mode="untimed", clock=120))[0]

    # 20 s and 40 s either way: 30 − 1.5; calm first also costs the priority of the urgent case.
    assert shift(["fire", "calm"]).earned == 28.5
    assert shift(["calm", "fire"]).earned == 26.5


BAD = [
    ("before it came", {"events": [{"at": 39, "case": "b", "reply": "best", "priority": "soon"}]}),
    ("after the clock", {"clock": 9, "events": [{"at": 10, "case": "a", "reply": "best", "priority": "soon"}]}),
    ("no such case", {"events": [{"at": 50, "case": "z", "reply": "best", "priority": "soon"}]}),
    ("no such reply", {"events": [{"at": 50, "case": "a", "reply": "nod", "priority": "soon"}]}),
    ("no such mode", {"mode": "fast"}),
    ("no such priority", {"events": [{"at": 50, "case": "a", "reply": "best", "priority": "now"}]}),
    ("mark of no case", {"marks": {"z": "soon"}}),
    ("true for a number", {"clock": True}),
    ("text for a number", {"clock": "100"}),
    ("not finite", {"clock": float("inf")}),
    ("no number", {"clock": float("nan")}),
    ("below nothing", {"clock": -1}),
    ("a year", {"clock": 3e7}),
    ("a word for finished", {"finished": "yes"}),
]
A, B = "a", "b"
FEW = Queue({A: (0, "urgent"), B: (40, "soon")})


@pytest.mark.parametrize(("name", "change"), BAD, ids=[name for name, _ in BAD])
def test_what_cannot_have_been_done_is_invalid(name: str, change: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidResponseError):
        judge(FEW.item, {"mode": "timed", "clock": 100, "events": [], **change})


@pytest.mark.parametrize(
    "events",
    [
        [(10, A, "best", "soon"), (20, A, "check", "soon")],  # answered twice
        [(10, A, "best", "soon"), (20, A, "wait", "soon")],  # asked to wait after the answer
        [(10, A, "wait", "soon"), (20, A, "wait", "soon")],
    ],
)
def test_an_answered_case_is_closed(events: list[tuple[float, str, str, str]]) -> None:
    with pytest.raises(InvalidResponseError):
        FEW.score(events)


def test_events_out_of_order_are_invalid() -> None:
    with pytest.raises(InvalidResponseError):
        judge(FEW.item, FEW.response([(60, A, "best", "soon"), (50, B, "best", "soon")], clock=60))


@pytest.mark.parametrize(
    ("at", "clock"),
    [(19, 40), (21, 40), (20, 20), (20, 41)],
    ids=["too cheap", "too dear", "clock not moved on", "clock ahead"],
)
def test_untimed_seconds_are_what_the_replies_cost(at: float, clock: float) -> None:
    answer = FEW.response([(20, A, "best", "urgent")], mode="untimed", clock=40)
    judge(FEW.item, answer)
    with pytest.raises(InvalidResponseError):
        judge(FEW.item, FEW.response([(at, A, "best", "urgent")], mode="untimed", clock=clock))


def test_untimed_nobody_is_answered_before_coming() -> None:
    # b came at 40; the reply would have been begun at 20.
    with pytest.raises(InvalidResponseError):
        judge(FEW.item, FEW.response([(20, B, "best", "soon")], mode="untimed", clock=20))


def test_an_attempt_only_goes_forward() -> None:
    can_follow = follower(KIND, FEW.item.public)
    assert can_follow is not None
    first, second = (10.0, A, "wait", "urgent"), (50.0, B, "best", "soon")
    before = FEW.response([first], clock=45, marks={"b": "soon"})
    assert can_follow(before, before)
    assert can_follow(before, FEW.response([first], clock=50))  # a mark may be taken back
    assert can_follow(before, FEW.response([first, second], finished=True))
    assert can_follow(None, before)
    for after in (
        FEW.response([first], clock=44),
        FEW.response([], clock=50),
        FEW.response([(9.0, A, "wait", "urgent")], clock=50),
        FEW.response([first], clock=50, mode="slowed"),
        FEW.response([first, (44.0, B, "best", "soon")], clock=50),  # dated back behind what was told before
        {"mode": "timed"},
    ):
        assert not can_follow(before, after)
    done = FEW.response([first], clock=50, finished=True)
    assert can_follow(done, done)
    assert not can_follow(done, FEW.response([first], clock=50))
    assert not can_follow(done, FEW.response([first, second], finished=True))


def test_missing_until_all_are_answered_or_the_shift_is_finished() -> None:
    def left(events: Sequence[tuple[float, str, str, str]], **more: Any) -> Text | None:
        return judge(FEW.item, FEW.response(events, **more))[1]

    assert "2 customers" in getattr(left([(1, A, "wait", "soon")]), "en", "")
    assert "1 customer has" in getattr(left([(1, A, "best", "soon")]), "en", "")
    assert left([(1, A, "best", "soon"), (50, B, "guess", "soon")]) is None
    assert left([], finished=True) is None


# --- properties -----------------------------------------------------------------------------------

Events = list[tuple[float, str, str, str]]


@st.composite
def shifts(draw: st.DrawFn) -> tuple[Queue, Events]:
    names = [f"c{i}" for i in range(draw(st.integers(2, 4)))]
    queue = Queue({name: (draw(st.integers(0, 90)), draw(st.sampled_from(PRIORITIES))) for name in names})
    events: Events = []
    for name in draw(st.permutations(names)):
        replies = [
            *draw(st.sampled_from([[], ["wait"]])),
            *draw(st.sampled_from([[], *([r] for r in REPLIES if r != "wait")])),
        ]
        for reply in replies:
            start = max(queue.cases[name][0], events[-1][0] if events else 0)
            events.append((start + draw(st.integers(0, 900)) / 10, name, reply, draw(st.sampled_from(PRIORITIES))))
    return queue, events


def by_the_book(queue: Queue, events: Events) -> float:
    """The share by the formula, case by case, without the scorer's help."""
    final = {event[1]: event for event in events if event[2] != "wait"}
    total = 0.0
    for name, (arrives, needed) in queue.cases.items():
        if name not in final or final[name][2] in ("guess", "hurt"):
            continue
        at, _, reply, given_priority = final[name]
        passed = needed == "urgent" and any(
            arrives + 20 <= other[0] < at and queue.cases[other[1]][1] != "urgent" for other in final.values()
        )
        total += 0.5 if reply == "best" else 0.25
        total += 0.3 if at - arrives <= 30 else 0.15 if at - arrives <= 60 else 0
        total += 0.2 if given_priority == needed and not passed else 0
    return total / len(queue.cases)


@given(shifts())
def test_formula_bounds_and_evidence(case: tuple[Queue, Events]) -> None:
    queue, events = case
    result = queue.score(events)
    assert 0 <= result.earned <= result.possible == 10 * len(queue.cases)
    assert result.share == pytest.approx(by_the_book(queue, events), abs=1e-9)
    given_by = sum(evidence.earned for evidence in result.evidence)
    assert max(0, min(result.possible, given_by)) == pytest.approx(result.earned, abs=1e-9)
    assert ("red-line" in result.flags) == any(event[2] == "hurt" for event in events)
    assert all(row.did.zh and row.did.en and "{" not in row.did.en for row in explain(queue.item, result))


@given(shifts())
def test_order_and_language_of_the_public_part_say_nothing(case: tuple[Queue, Events]) -> None:
    queue, events = case
    expected, answer = queue.score(events), queue.response(events)
    backwards = Queue(dict(reversed(queue.cases.items())), backwards=True).item
    assert judge(backwards, answer)[0] == expected
    item = queue.item
    public = release(item.public)  # type: ignore[arg-type]
    assert score(public, item.key, parse(KIND, public, answer)) == expected  # type: ignore[arg-type]
    exchanged = Queue(queue.cases)
    exchanged.data = {**exchanged.data, "cases": [
        {**c, "replies": [{**r, "text": {"zh": r["text"]["en"], "en": r["text"]["zh"]}} for r in c["replies"]]}
        for c in exchanged.data["cases"]
    ]}  # fmt: skip
    assert exchanged.score(events).earned == expected.earned


@given(shifts(), st.data())
def test_better_never_earns_less(case: tuple[Queue, Events], data: st.DataObject) -> None:
    """Better is: a better reply, the right priority, one more answer at the end, and all of it sooner."""
    queue, events = case
    earned = queue.score(events).earned
    rank = {"hurt": 0, "guess": 0, "check": 1, "best": 2}
    for i, (at, name, reply, given_priority) in enumerate(events):
        if reply == "wait":
            continue
        better = data.draw(st.sampled_from([other for other in rank if rank[other] >= rank[reply]]))
        for change in ((at, name, better, given_priority), (at, name, reply, queue.cases[name][1])):
            assert queue.score([*events[:i], change, *events[i + 1 :]]).earned >= earned
    open_ones = set(queue.cases) - {event[1] for event in events if event[2] != "wait"}
    for name in open_ones:
        at = max(queue.cases[name][0], events[-1][0] if events else 0)
        for reply in rank:
            assert queue.score([*events, (at, name, reply, "soon")]).earned >= earned
    slower = [(at + data.draw(st.just(25.0)), *rest) for at, *rest in events]
    assert queue.score(slower).earned <= earned  # type: ignore[arg-type]


@given(shifts())
def test_whatever_order_the_untimed_clock_never_goes_back(case: tuple[Queue, Events]) -> None:
    queue, _ = case
    response = KIND.play(queue.item.public, queue.item.key, lambda texts, _right: len(texts) - 1)
    events = parse(KIND, queue.item.public, response).events  # type: ignore[attr-defined]
    for n in range(len(events) + 1):
        times, clock = standing_clock(queue.item.public, events[:n])  # type: ignore[arg-type]
        assert times == sorted(times)
        assert clock >= (times[-1] if times else 0)


# --- fuzz -----------------------------------------------------------------------------------------

KEYS = ("mode", "clock", "events", "marks", "finished", "at", "case", "reply", "priority", "x")
LEAVES = (None, True, 0, -1, 1e300, 12.5, "timed", "untimed", "a", "b", "best", "wait", "urgent", "soon", "", "甲" * 50)


def anything(rng: random.Random, depth: int = 4) -> Any:
    draw = rng.random()
    if not depth or draw < 0.3:
        return rng.choice((*LEAVES, rng.random() * 200))
    if draw < 0.5:
        return [anything(rng, depth - 1) for _ in range(rng.randrange(4))]
    if draw < 0.75:
        event = {
            "at": rng.randrange(120),
            "case": rng.choice("ab"),
            "reply": rng.choice(list(REPLIES)),
            "priority": "soon",
        }
        answer = {
            "mode": rng.choice(("timed", "untimed")),
            "clock": rng.randrange(100, 200),
            "events": [event] * rng.randrange(3),
        }
        if rng.random() < 0.7:
            answer[rng.choice(KEYS)] = anything(rng, depth - 1)
        return answer
    return {rng.choice(KEYS): anything(rng, depth - 1) for _ in range(rng.randrange(5))}


def test_anything_is_judged_or_refused() -> None:
    rng, item, judged = random.Random(2026), FEW.item, 0
    for _ in range(2000):
        try:
            result, _missing = judge(item, anything(rng))
        except InvalidResponseError:
            continue
        judged += 1
        assert 0 <= result.earned <= result.possible
    assert judged > 30


# --- content --------------------------------------------------------------------------------------


def edited(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> list[str]:
    queue = Queue({"a": (0, "urgent"), "b": (40, "soon")})
    change(queue.data, queue.key_data)
    return queue.faults()


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("duplicate-id", lambda public, key: public["cases"].append(public["cases"][0])),
        ("duplicate-id", lambda public, key: public["cases"][0]["replies"].append(public["cases"][0]["replies"][0])),
        ("contradiction", lambda public, key: public.update(limits=[60, 30])),
        ("contradiction", lambda public, key: public["cases"][0]["replies"][4].update(holds=False)),
        ("contradiction", lambda public, key: public["cases"][0]["replies"][0].update(holds=True)),
        ("contradiction", lambda public, key: key.update(weaker=["a.guess"])),
        ("contradiction", lambda public, key: key.update(red_lines=["a.best"])),
        ("contradiction", lambda public, key: key.update(red_lines=["a.wait"])),
        ("unscored-choice", lambda public, key: key["replies"]["a"].pop("guess")),
        ("unscored-choice", lambda public, key: key["priorities"].pop("a")),
        ("unscored-choice", lambda public, key: key["replies"]["a"].update(best="wrong")),
        ("orphan-key", lambda public, key: key["replies"]["a"].update(nod="wrong")),
        ("orphan-key", lambda public, key: key["replies"].update(z={"best": "answer"})),
        ("orphan-key", lambda public, key: key["priorities"].update(z="soon")),
        ("broken-link", lambda public, key: key.update(weaker=["a.nod"])),
        ("broken-link", lambda public, key: key.update(red_lines=["z.best"])),
        ("broken-link", lambda public, key: key["rationales"].update(z={"why": TEXT})),
        ("missing-rationale", lambda public, key: key["rationales"].pop("a")),
        ("missing-rationale", lambda public, key: key["rationales"].pop("a.best")),
        ("missing-better", lambda public, key: key["rationales"]["a.check"].pop("better")),
        ("missing-better", lambda public, key: key["rationales"]["a.wait"].pop("better")),
        ("choice-without-effect", lambda public, key: key["priorities"].update(a="soon")),
    ],
)
def test_each_rule_finds_its_fault(rule: str, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
    assert edited(lambda public, key: None) == []
    assert rule in edited(change)


def test_the_right_reply_may_not_always_stand_in_the_same_place() -> None:
    queue = Queue({"a": (0, "urgent"), "b": (40, "soon"), "c": (80, "can-wait")})
    assert queue.faults() == ["order-given-away"]
    queue.key_data["replies"]["b"].update(best="wrong", check="announced-check")
    queue.key_data["weaker"].remove("b.check")
    assert queue.faults() == []


def test_release_is_in_order_of_arrival_and_id() -> None:
    queue = Queue({"late": (90, "soon"), "b": (0, "soon"), "a": (0, "urgent")}, backwards=True)
    public = release(queue.item.public)  # type: ignore[arg-type]
    assert [case.id for case in public.cases] == ["a", "b", "late"]
    assert all([r.id for r in case.replies] == sorted(REPLIES) for case in public.cases)


@pytest.fixture(scope="module", params=["e3-3-1", "p3-3-4"])
def written(request: pytest.FixtureRequest) -> Item:
    loader = Loader(CONTENT)
    loader.rules, loader.teaching_points = loader.read_rules(), loader.read_teaching_points()
    (path,) = Path(CONTENT).glob(f"chapters/*/items/{request.param}.yml")
    item = loader.item(path)
    assert loader.problems == []
    assert item is not None
    return item


def test_nobody_passes_a_written_queue_by_chance(written: Item) -> None:
    public = written.kind.release(written.public)
    item = Item(written.head, written.kind, public, written.key)
    rng = random.Random(1)

    def share(choose: Choose) -> float:
        return judge(item, written.kind.play(public, written.key, choose))[0].share

    assert sum(share(lambda texts, _right: rng.randrange(len(texts))) for _ in range(300)) / 300 < 0.4
    assert share(lambda texts, _right: 0) < 0.55
    assert share(lambda texts, _right: len(texts) - 1) < 0.55
    for language in ("zh", "en"):
        longest = [lambda texts, _right, at=language: max(range(len(texts)), key=lambda i: len(texts[i][at]))]
        assert share(longest[0]) < 0.55


def test_all_of_a_written_queue_can_be_answered_in_time_without_a_clock(written: Item) -> None:
    key: Any = written.key
    public: Any = written.public
    left, clock, events = {case.id: case for case in public.cases}, 0, []
    while left:
        clock = max(clock, min(case.arrives for case in left.values()))
        case = min(
            (case for case in left.values() if case.arrives <= clock),
            key=lambda case: (PRIORITIES.index(key.priorities[case.id]), case.arrives),
        )
        (reply,) = (
            r for r, kind in key.replies[case.id].items()
            if kind not in ("wrong", "acknowledgement") and f"{case.id}.{r}" not in key.weaker
        )  # fmt: skip
        clock += public.costs.reply
        events.append({"at": clock, "case": case.id, "reply": reply, "priority": key.priorities[case.id]})
        del left[case.id]
    result, missing = judge(written, {"mode": "untimed", "clock": clock, "events": events})
    assert (result.share, missing) == (1, None)
