"""Multi-select: max(0, hits − false choices) of k, and k choices at most."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import curriculum.items.multi_select as multi_select
from curriculum.items.multi_select.model import (
    MultiSelectKey,
    MultiSelectPublic,
    MultiSelectResponse,
    check,
    missing,
    release,
)
from curriculum.items.multi_select.score import score
from curriculum.model import Head, Item, Score
from curriculum.verdict import InvalidResponseError, explain, judge

TEXT = {"zh": "甲", "en": "a"}
HEAD = Head.model_validate(
    {"id": "x", "type": "multi_select", "practice": False, "sector": "all", "title": TEXT, "covers": []}
)
NAMES = [f"o{i}" for i in range(10)]


def exercise(names: Sequence[str], correct: Collection[str]) -> Item:
    options = [{"id": name, "text": TEXT} for name in names]
    public = {"prompt": TEXT, "choose": len(correct), "options": options}
    key = {"correct": list(correct), "rationales": {name: {"why": TEXT} for name in names}}
    return Item(HEAD, multi_select.TYPE, MultiSelectPublic.model_validate(public), MultiSelectKey.model_validate(key))


def choose(item: Item, chosen: Iterable[str]) -> Score:
    response = MultiSelectResponse(chosen=tuple(chosen))
    result = score(item.public, item.key, response)  # type: ignore[arg-type]
    assert 0 <= result.earned <= result.possible
    total = sum(e.earned for e in result.evidence)
    assert min(max(total, 0), result.possible) == pytest.approx(result.earned, abs=1e-9)
    assert len(explain(item, result)) == len(result.evidence)
    assert (missing(item.public, response) is None) == (len(response.chosen) >= result.possible)  # type: ignore[arg-type]
    return result


# o1, o4 and o6 of eight hold.
@pytest.mark.parametrize(
    ("chosen", "earned"),
    [
        ("o1 o4 o6", 3),
        ("o6 o1 o4", 3),  # the order of choosing says nothing
        ("o1 o4", 2),
        ("o1 o4 o0", 1),  # 2 − 1
        ("o1 o0", 0),  # 1 − 1
        ("o1 o0 o2", 0),  # 1 − 2 is below nothing
        ("o0 o2 o3", 0),
        ("", 0),
    ],
)
def test_by_hand(chosen: str, earned: float) -> None:
    result = choose(exercise(NAMES[:8], ["o1", "o4", "o6"]), chosen.split())
    assert (result.earned, result.possible, result.flags) == (earned, 3, ())


def test_random_play_of_three_in_eight() -> None:
    # Of the 56 ways to choose three 1 has three hits (share 1), 15 have two (2 − 1 of 3), the others earn nothing:
    # (1 + 15 / 3) / 56 = 6/56.
    item = exercise(NAMES[:8], ["o1", "o4", "o6"])
    shares = [choose(item, chosen).share for chosen in combinations(NAMES[:8], 3)]
    assert sum(shares) / len(shares) == pytest.approx(6 / 56, abs=1e-12)


@st.composite
def exercises(draw: st.DrawFn) -> Item:
    names = draw(st.permutations(NAMES))[: draw(st.integers(4, 10))]
    return exercise(names, draw(st.permutations(names))[: draw(st.integers(1, len(names) // 2))])


@st.composite
def answered(draw: st.DrawFn) -> tuple[Item, list[str]]:
    item = draw(exercises())
    public: Any = item.public
    chosen = draw(st.permutations([option.id for option in public.options]))
    return item, chosen[: draw(st.integers(0, public.choose))]


@given(answered())
def test_formula_and_order(case: tuple[Item, list[str]]) -> None:
    item, chosen = case
    correct = set(item.key.correct)  # type: ignore[attr-defined]
    hits, false = len(correct & set(chosen)), len(set(chosen) - correct)
    assert choose(item, chosen).share == max(0, hits - false) / len(correct)
    released = Item(item.head, item.kind, release(item.public), item.key)  # type: ignore[arg-type]
    assert choose(released, reversed(chosen)).earned == choose(item, chosen).earned


@given(answered(), st.data())
def test_a_better_choice_never_scores_less(case: tuple[Item, list[str]], data: st.DataObject) -> None:
    # Better: a false choice taken away or put right, or one more hit.
    item, chosen = case
    correct = item.key.correct  # type: ignore[attr-defined]
    left = [name for name in correct if name not in chosen]
    false = [name for name in chosen if name not in correct]
    rest = [name for name in chosen if name != (data.draw(st.sampled_from(false)) if false else None)]
    better = [rest, [*rest, *left[:1]]] if false else [[*chosen, *left[:1]]]
    assert all(choose(item, one).earned >= choose(item, chosen).earned for one in better)


@pytest.mark.parametrize(
    "chosen",
    [
        ["o1", "o4", "o6", "o0"],  # one too many, though the first three are right
        ["o1", "o1"],
        ["shout"],
        [1],
        [True],
        [None],
        "o1",
        None,
        {"o1": True},
        NAMES * 1000,
    ],
)
def test_what_is_no_choice_is_refused(chosen: Any) -> None:
    with pytest.raises(InvalidResponseError):
        judge(exercise(NAMES[:8], ["o1", "o4", "o6"]), {"chosen": chosen})


def test_arbitrary_values_are_judged_or_refused() -> None:
    rnd, item, judged = random.Random(20263), exercise(NAMES[:8], ["o1", "o4", "o6"]), 0
    values = [*NAMES, "", "甲" * 400, None, True, -1, 10**30, 0.5, float("nan"), float("inf"), [], ["o1"], {"o1": 1}]
    for number in range(2000):
        pool = NAMES[:8] if number % 2 else values
        some = [rnd.choice(pool) for _ in range(rnd.randint(0, 4))]
        raw = rnd.choice([{"chosen": some}, {"chosen": some}, {"chosen": rnd.choice(values)}, some, rnd.choice(values)])
        try:
            result, _ = judge(item, json.loads(json.dumps(raw)))
        except InvalidResponseError:
            continue
        judged += 1
        assert 0 <= result.earned <= result.possible
    assert judged > 100


SOUND = NAMES[:6]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("contradiction", {"correct": ["o1"]}),
        ("broken-link", {"correct": ["o1", "shout"]}),
        ("duplicate-id", {"correct": ["o1", "o1"]}),
        ("key-too-large", {"correct": ["o1", "o2", "o3", "o5"]}),
        ("order-given-away", {"correct": ["o1", "o0"]}),
        ("order-given-away", {"correct": ["o5", "o4"]}),
        ("missing-rationale", {"rationales": {name: {"why": TEXT} for name in SOUND[1:]}}),
        ("broken-link", {"rationales": {name: {"why": TEXT} for name in NAMES}}),
    ],
)
def test_faults_of_a_key(rule: str, change: dict[str, Any]) -> None:
    item = exercise(SOUND, ["o1", "o4"])
    assert list(item.kind.check(item.public, item.key)) == []
    key = MultiSelectKey.model_validate({**item.key.model_dump(), **change})
    assert rule in {fault.rule for fault in check(item.public, key)}  # type: ignore[arg-type]


def test_half_of_the_options_may_hold() -> None:
    item = exercise(SOUND, ["o1", "o3", "o4"])
    assert list(item.kind.check(item.public, item.key)) == []


def test_two_options_of_one_name_are_a_fault() -> None:
    item = exercise(SOUND, ["o1", "o4"])
    data = item.public.model_dump()
    public = MultiSelectPublic.model_validate({**data, "options": [*data["options"], data["options"][0]]})
    assert "duplicate-id" in {fault.rule for fault in check(public, item.key)}  # type: ignore[arg-type]
