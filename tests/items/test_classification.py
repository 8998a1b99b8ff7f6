"""Classification: max(0, (p − 1/c) / (1 − 1/c)), and a cap where too much is given away."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import curriculum.items
from curriculum.items.classification import TYPE
from curriculum.items.classification.model import (
    ClassificationKey,
    ClassificationPublic,
    ClassificationResponse,
    check,
    release,
)
from curriculum.items.classification.score import score
from curriculum.model import Head, Item, Score
from curriculum.verdict import InvalidResponseError, explain, judge

TEXT = {"zh": "甲", "en": "a"}
Placed = Mapping[str, str]
Over = tuple[str, str, bool]


class Exercise:
    """Cards and where they belong, the categories, and placements (card, category, red line) that tell too much."""

    def __init__(self, belongs: Placed, categories: Iterable[str], over: Iterable[Over] = (), cap: float = 0.4) -> None:
        self.belongs, self.categories = dict(belongs), list(categories)
        over = list(over)
        self.data: dict[str, Any] = {
            "public": {
                "prompt": TEXT,
                "categories": [{"id": category, "label": TEXT} for category in self.categories],
                "cards": [{"id": card, "text": TEXT} for card in self.belongs],
            },
            "key": {
                "belongs": self.belongs,
                "over": [{"card": card, "category": put, "red_line": red} for card, put, red in over],
                "cap": cap,
                "rationales": {card: {"why": TEXT, "better": TEXT} for card in self.belongs},
            },
        }
        self.public = ClassificationPublic.model_validate(self.data["public"])
        self.key = ClassificationKey.model_validate(self.data["key"])

    def score(self, placed: Placed) -> Score:
        return score(self.public, self.key, ClassificationResponse(placed=placed))


# Twelve measures, four for each of three.
CARDS = [f"k{i:02}" for i in range(12)]
THREE = {card: "abc"[i % 3] for i, card in enumerate(CARDS)}


def with_right(belongs: Placed, categories: str, right: int) -> dict[str, str]:
    """The first `right` cards in place, every other one in a wrong category."""
    wrong = {card: next(c for c in categories if c != there) for card, there in belongs.items()}
    return {card: belongs[card] if i < right else wrong[card] for i, card in enumerate(belongs)}


@pytest.mark.parametrize(
    ("categories", "right", "share"),
    [
        ("abc", 12, 1),
        ("abc", 11, 0.875),  # (11/12 − 4/12) / (8/12) = 7/8
        ("abc", 9, 0.625),  # (9 − 4) / 8
        ("abc", 8, 0.5),
        ("abc", 5, 0.125),
        ("abc", 4, 0),  # a third, as by chance
        ("abc", 3, 0),  # below chance is not below nothing
        ("abc", 0, 0),
        ("ab", 9, 0.5),  # (9/12 − 1/2) / (1/2)
        ("ab", 6, 0),
        ("abcdef", 7, 0.5),  # (7/12 − 2/12) / (10/12)
    ],
)
def test_chance_corrected_share(categories: str, right: int, share: float) -> None:
    belongs = {card: categories[i % len(categories)] for i, card in enumerate(CARDS)}
    result = Exercise(belongs, categories).score(with_right(belongs, categories, right))
    assert result.share == pytest.approx(share, abs=1e-12)
    assert result.flags == ()


def test_an_unsorted_card_counts_like_a_wrong_one() -> None:
    exercise = Exercise(THREE, "abc")
    assert exercise.score({card: THREE[card] for card in CARDS[:8]}).share == pytest.approx(0.5)
    assert exercise.score({}).share == 0


@pytest.mark.parametrize(
    ("right", "red_line", "share", "flags"),
    [
        (11, True, 0.4, ("red-line",)),  # .875, capped
        (11, False, 0.4, ()),
        (6, True, 0.25, ("red-line",)),  # (6 − 4) / 8 is below the cap
    ],
)
def test_telling_too_much_caps(right: int, red_line: bool, share: float, flags: tuple[str, ...]) -> None:
    placed = with_right(THREE, "abc", right)
    last = CARDS[-1]
    exercise = Exercise(THREE, "abc", [(last, placed[last], red_line)])
    assert exercise.score(placed).share == pytest.approx(share, abs=1e-12)
    assert exercise.score(placed).flags == flags
    assert exercise.score(THREE).share == 1


def test_a_second_slip_of_the_tongue_takes_no_more_than_the_cap() -> None:
    placed = with_right(THREE, "abc", 10)
    exercise = Exercise(THREE, "abc", [(card, placed[card], True) for card in CARDS[-2:]])
    result = exercise.score(placed)
    assert result.share == pytest.approx(0.4)
    assert [e.rule for e in result.evidence].count("red-line") == 2


def test_random_sorting_earns_little_and_one_heap_nothing() -> None:
    # With 12 cards in 3 categories K ~ Bin(12, 1/3), the mean of max(0, K − 4) / 8 is .0795 (exact sum).
    exercise = Exercise(THREE, "abc")
    dice = random.Random(7)
    shares = [exercise.score({card: dice.choice("abc") for card in CARDS}).share for _ in range(4000)]
    assert sum(shares) / 4000 == pytest.approx(0.0795, abs=0.006)
    assert exercise.score(dict.fromkeys(CARDS, "b")).share == 0


@st.composite
def exercises(draw: st.DrawFn) -> Exercise:
    categories = list("abcdef"[: draw(st.integers(2, 6))])
    cards = draw(st.permutations(CARDS))[: draw(st.integers(4, 12))]
    belongs = {card: draw(st.sampled_from(categories)) for card in cards}
    wrong = st.sampled_from(cards).flatmap(
        lambda card: st.sampled_from([(card, c) for c in categories if c != belongs[card]])
    )
    over = [(*place, draw(st.booleans())) for place in draw(st.sets(wrong, max_size=3))]
    return Exercise(belongs, categories, over, draw(st.floats(0, 0.99)))


@st.composite
def sorted_cards(draw: st.DrawFn) -> tuple[Exercise, dict[str, str]]:
    exercise = draw(exercises())
    some = draw(st.sets(st.sampled_from(list(exercise.belongs))))
    return exercise, {card: draw(st.sampled_from(exercise.categories)) for card in sorted(some)}


@given(sorted_cards())
def test_formula_and_sum_of_the_evidence(case: tuple[Exercise, dict[str, str]]) -> None:
    exercise, placed = case
    result = exercise.score(placed)
    n, c = len(exercise.belongs), len(exercise.categories)
    p = sum(placed.get(card) == there for card, there in exercise.belongs.items()) / n
    share = max(0, (p - 1 / c) / (1 - 1 / c))
    over = [o for o in exercise.key.over if placed.get(o.card) == o.category]
    assert result.share == pytest.approx(min(share, exercise.key.cap) if over else share, abs=1e-9)
    assert ("red-line" in result.flags) == any(o.red_line for o in over)
    assert 0 <= result.earned <= result.possible
    total = sum(e.earned for e in result.evidence)
    assert min(max(total, 0), result.possible) == pytest.approx(result.earned, abs=1e-9)


@given(sorted_cards(), st.randoms())
def test_order_says_nothing(case: tuple[Exercise, dict[str, str]], dice: random.Random) -> None:
    exercise, placed = case
    cards, categories = list(exercise.public.cards), list(exercise.public.categories)
    dice.shuffle(cards)
    dice.shuffle(categories)
    shuffled = ClassificationPublic(prompt=exercise.public.prompt, cards=tuple(cards), categories=tuple(categories))
    backwards = ClassificationResponse(placed=dict(reversed(placed.items())))
    expected = exercise.score(placed)
    for public in (shuffled, release(exercise.public)):
        result = score(public, exercise.key, backwards)
        assert (result.earned, result.possible, result.flags) == (expected.earned, expected.possible, expected.flags)


@given(sorted_cards(), st.data())
def test_putting_one_more_card_in_place_never_lowers(
    case: tuple[Exercise, dict[str, str]], data: st.DataObject
) -> None:
    exercise, placed = case
    card = data.draw(st.sampled_from(list(exercise.belongs)))
    better = exercise.score({**placed, card: exercise.belongs[card]})
    assert better.earned >= exercise.score(placed).earned - 1e-12
    assert len(better.flags) <= len(exercise.score(placed).flags)


def faults(change: Any) -> set[str]:
    data = Exercise(THREE, "abc", [("k00", "b", True)]).data
    change(data["public"], data["key"])
    found = check(ClassificationPublic.model_validate(data["public"]), ClassificationKey.model_validate(data["key"]))
    return {fault.rule for fault in found}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("duplicate-id", lambda public, key: public["cards"].append(public["cards"][0])),
        ("duplicate-id", lambda public, key: public["categories"].append(public["categories"][0])),
        ("unscored-choice", lambda public, key: key["belongs"].pop("k03")),
        ("orphan-key", lambda public, key: key["belongs"].update(k99="a")),
        ("broken-link", lambda public, key: key["belongs"].update(k03="z")),
        ("choice-without-effect", lambda public, key: public["categories"].append({"id": "d", "label": TEXT})),
        ("broken-link", lambda public, key: key["over"].append({"card": "k99", "category": "a"})),
        ("broken-link", lambda public, key: key["over"].append({"card": "k01", "category": "z"})),
        ("contradiction", lambda public, key: key["over"].append({"card": "k01", "category": "b"})),
        ("missing-rationale", lambda public, key: key["rationales"].pop("k03")),
        ("broken-link", lambda public, key: key["rationales"].update(k99={"why": TEXT})),
        ("missing-better", lambda public, key: key["rationales"]["k00"].pop("better")),
        (
            "order-given-away",
            lambda public, key: key.update(belongs={c: "aabbbc"[i // 2] for i, c in enumerate(CARDS)}),
        ),
    ],
)
def test_each_fault_is_found(rule: str, change: Any) -> None:
    assert not faults(lambda public, key: None)
    assert rule in faults(change)


@pytest.mark.parametrize(
    ("placed", "stranger"),
    [({"k00": "a"}, None), ({"k99": "a"}, "k99"), ({"k00": "z"}, "z"), ({"k00": ""}, ""), ({}, None)],
)
def test_strangers_are_unknown(placed: Placed, stranger: str | None) -> None:
    assert TYPE.unknown(Exercise(THREE, "abc").public, ClassificationResponse(placed=placed)) == stranger


ATOMS: list[Any] = [None, True, 0, -1, 1e308, float("nan"), "", "k00", "a", "z", "placed", "\ud800", [], {}]


def scrap(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON, with the words of this type often in it."""
    kind = dice.randrange(4) if depth < 4 else 0
    if kind == 1:
        return [scrap(dice, depth + 1) for _ in range(dice.randrange(4))]
    if kind >= 2:
        keys = ["placed", "k00", "k05", "k99", "a", "\ud800"]
        return {dice.choice(keys): scrap(dice, depth + 1) for _ in range(dice.randrange(4))}
    return dice.choice(ATOMS)


def test_any_json_is_scored_or_refused() -> None:
    exercise, dice = Exercise(THREE, "abc", [("k00", "b", True)]), random.Random(1)
    head = {"id": "x", "type": "classification", "sector": "all", "title": TEXT, "covers": []}
    item = Item(Head.model_validate(head), TYPE, exercise.public, exercise.key)
    scored = 0
    for _ in range(2000):
        try:
            result, _missing = judge(item, scrap(dice))
        except InvalidResponseError:
            continue
        scored += 1
        assert len(explain(item, result)) == len(result.evidence)
    assert scored


def test_the_template_is_whole() -> None:
    text = (Path(curriculum.items.__file__).parent / "classification" / "template.yml").read_text("utf-8")
    data = yaml.safe_load(text.replace("‹ID›", "x-1"))
    Head.model_validate({name: value for name, value in data.items() if name not in ("public", "key")})
    public, key = ClassificationPublic.model_validate(data["public"]), ClassificationKey.model_validate(data["key"])
    assert list(check(public, key)) == []
