"""Best and worst: half each, a quarter for the neighbour, nothing at all for the worst as best."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import curriculum.items.best_worst as best_worst
from curriculum.items.best_worst.model import BestWorstKey, BestWorstPublic, BestWorstResponse, check, missing, release
from curriculum.items.best_worst.score import score
from curriculum.model import Head, Item, Score
from curriculum.verdict import InvalidResponseError, explain, judge

TEXT = {"zh": "甲", "en": "a"}
HEAD = Head.model_validate(
    {"id": "x", "type": "best_worst", "practice": False, "sector": "all", "title": TEXT, "covers": []}
)
NAMES = ["cold", "ask", "eager", "brief", "dodge", "flat"]


def exercise(order: Sequence[str], red: Sequence[str] = ()) -> Item:
    public = {"prompt": TEXT, "replies": [{"id": name, "text": TEXT} for name in order]}
    rationales = {name: {"why": TEXT, "better": TEXT} for name in order}
    key = {"order": order, "red_lines": red, "rationales": rationales}
    return Item(HEAD, best_worst.TYPE, BestWorstPublic.model_validate(public), BestWorstKey.model_validate(key))


def answer(item: Item, best: str | None, worst: str | None) -> Score:
    response = BestWorstResponse(best=best, worst=worst)
    result = score(item.public, item.key, response)  # type: ignore[arg-type]
    assert 0 <= result.earned <= result.possible == 1
    total = sum(e.earned for e in result.evidence)
    assert min(max(total, 0), 1) == pytest.approx(result.earned, abs=1e-9)
    assert len(explain(item, result)) == 2
    assert (missing(item.public, response) is None) == (best is not None and worst is not None)  # type: ignore[arg-type]
    return result


# From best to worst: ask brief dodge eager cold.
FIVE = ["ask", "brief", "dodge", "eager", "cold"]


@pytest.mark.parametrize(
    ("best", "worst", "earned"),
    [
        ("ask", "cold", 1),  # .5 + .5
        ("ask", "eager", 0.75),  # .5 + .25
        ("brief", "cold", 0.75),
        ("brief", "eager", 0.5),  # both neighbours
        ("dodge", "cold", 0.5),
        ("eager", "cold", 0.5),
        ("ask", "brief", 0.5),
        ("dodge", "brief", 0),
        ("brief", "ask", 0.25),
        ("cold", "ask", 0),
        ("cold", "eager", 0),  # .25 for the worst, all lost by the worst as best
        ("ask", None, 0.5),
        (None, "cold", 0.5),
        ("cold", None, 0),
        (None, None, 0),
    ],
)
def test_by_hand(best: str | None, worst: str | None, earned: float) -> None:
    result = answer(exercise(FIVE), best, worst)
    assert (result.earned, result.flags) == (earned, ())


@pytest.mark.parametrize(
    ("best", "worst", "earned", "flagged"),
    [
        ("eager", "cold", 0, True),  # the worst is right, and yet a red line is what this learner would do
        ("cold", "eager", 0, True),
        ("dodge", "cold", 0.5, False),
        ("ask", "eager", 0.75, False),  # naming one as worst crosses nothing
    ],
)
def test_a_red_line_as_best_takes_all(best: str, worst: str, earned: float, flagged: bool) -> None:
    result = answer(exercise(FIVE, ["eager", "cold"]), best, worst)
    assert (result.earned, result.flags) == (earned, ("red-line",) if flagged else ())


def test_random_play_of_five() -> None:
    # Each half: one in five earns .5 and one in five .25, that is .15; together .3. Of the 20 pairs one has the worst
    # as best and the second last as worst, and loses .25: .3 − .0125.
    item = exercise(FIVE)
    shares = [answer(item, best, worst).share for best, worst in permutations(FIVE, 2)]
    assert sum(shares) / len(shares) == pytest.approx(0.2875, abs=1e-12)


@st.composite
def exercises(draw: st.DrawFn) -> Item:
    order = draw(st.permutations(NAMES))[: draw(st.integers(4, 6))]
    return exercise(order, order[len(order) - draw(st.integers(0, 2)) :])


@st.composite
def answered(draw: st.DrawFn) -> tuple[Item, str | None, str | None]:
    item = draw(exercises())
    names = [reply.id for reply in item.public.replies]  # type: ignore[attr-defined]
    best = draw(st.sampled_from([None, *names]))
    return item, best, draw(st.sampled_from([None, *(name for name in names if name != best)]))


@given(answered())
def test_order_of_replies_says_nothing(case: tuple[Item, str | None, str | None]) -> None:
    item, best, worst = case
    released = Item(item.head, item.kind, release(item.public), item.key)  # type: ignore[arg-type]
    assert answer(released, best, worst) == answer(item, best, worst)


@given(answered(), st.data())
def test_a_better_choice_never_scores_less(case: tuple[Item, str | None, str | None], data: st.DataObject) -> None:
    # Better: a best that stands higher in the key, a worst that stands lower.
    item, best, worst = case
    key: Any = item.key
    order = list(key.order)
    higher = [name for name in order[: order.index(best) + 1 if best else 1] if name != worst]
    lower = [name for name in order[order.index(worst) if worst else -1 :] if name != best]
    for better in (
        (data.draw(st.sampled_from(higher or [best])), worst),
        (best, data.draw(st.sampled_from(lower or [worst]))),
    ):
        assert answer(item, *better).earned >= answer(item, best, worst).earned


@pytest.mark.parametrize(
    "raw",
    [
        {"best": "ask", "worst": "ask"},
        {"best": "shout", "worst": None},
        {"best": 1, "worst": None},
        {"best": True, "worst": None},
        {"best": ["ask"], "worst": None},
        {"best": "ask", "worst": None, "second": "brief"},
        [],
        None,
    ],
)
def test_what_is_no_choice_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidResponseError):
        judge(exercise(FIVE), raw)


def test_arbitrary_values_are_judged_or_refused() -> None:
    rnd, item, judged = random.Random(20262), exercise(FIVE, ["cold"]), 0
    values = [
        *FIVE,
        "",
        "甲" * 400,
        None,
        True,
        0,
        -1,
        10**30,
        0.5,
        float("nan"),
        float("inf"),
        [],
        ["ask"],
        {"ask": 1},
    ]
    for _ in range(2000):
        names = rnd.choices(["best", "worst", "order", ""], weights=[6, 6, 1, 1], k=rnd.randint(0, 3))
        raw = rnd.choice([values, {name: rnd.choice(values) for name in names}, rnd.choice(values)])
        try:
            result, _ = judge(item, json.loads(json.dumps(raw)))
        except InvalidResponseError:
            continue
        judged += 1
        assert 0 <= result.earned <= result.possible
    assert judged > 100


SOUND = ["ask", "dodge", "brief", "cold"]
REASONED = {"why": TEXT, "better": TEXT}


@pytest.mark.parametrize(
    ("rule", "part", "value"),
    [
        ("unscored-choice", "order", ["ask", "dodge", "brief", "ask"]),
        ("duplicate-id", "order", ["ask", "dodge", "brief", "ask"]),
        ("broken-link", "order", [*SOUND, "shout"]),
        ("contradiction", "red_lines", ["ask"]),
        ("contradiction", "red_lines", SOUND),
        ("broken-link", "red_lines", ["shout"]),
        ("order-given-away", "order", sorted(SOUND)),
        ("order-given-away", "order", sorted(SOUND, reverse=True)),
        ("missing-rationale", "rationales", dict.fromkeys(SOUND[1:], REASONED)),
        ("missing-better", "rationales", {name: {"why": TEXT} for name in SOUND}),
        ("broken-link", "rationales", dict.fromkeys([*SOUND, "shout"], REASONED)),
    ],
)
def test_faults_of_a_key(rule: str, part: str, value: Any) -> None:
    item = exercise(SOUND, ["cold"])
    assert list(item.kind.check(item.public, item.key)) == []
    key = BestWorstKey.model_validate({**item.key.model_dump(), part: value})
    assert rule in {fault.rule for fault in check(item.public, key)}  # type: ignore[arg-type]


def test_two_replies_of_one_name_are_a_fault() -> None:
    item = exercise(SOUND)
    data = item.public.model_dump()
    public = BestWorstPublic.model_validate({**data, "replies": [*data["replies"], data["replies"][0]]})
    assert "duplicate-id" in {fault.rule for fault in check(public, item.key)}  # type: ignore[arg-type]
