"""Rating: 1 − d/3 for each reply, by its weight; a red line called acceptable earns nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import curriculum.items.rating as rating
from curriculum.items.rating.model import LEVELS, RatingKey, RatingPublic, RatingResponse, check, missing, release
from curriculum.items.rating.score import score
from curriculum.model import Head, Item, Score
from curriculum.verdict import InvalidResponseError, explain, judge

TEXT = {"zh": "甲", "en": "a"}
HEAD = Head.model_validate(
    {"id": "x", "type": "rating", "practice": False, "sector": "all", "title": TEXT, "covers": []}
)
NAMES = ["ask", "booklet", "calm", "deny", "explain", "forward"]


def exercise(levels: Mapping[str, int], weights: Mapping[str, int] | None = None, red: tuple[str, ...] = ()) -> Item:
    public = {"prompt": TEXT, "replies": [{"id": name, "text": TEXT} for name in levels]}
    rationales = {name: {"why": TEXT, "better": TEXT} for name in levels}
    key = {"levels": levels, "weights": weights or {}, "red_lines": red, "rationales": rationales}
    return Item(HEAD, rating.TYPE, RatingPublic.model_validate(public), RatingKey.model_validate(key))


def rate(item: Item, ratings: Mapping[str, int]) -> Score:
    result = score(item.public, item.key, RatingResponse(ratings=ratings))  # type: ignore[arg-type]
    assert 0 <= result.earned <= result.possible
    total = sum(e.earned for e in result.evidence)
    assert min(max(total, 0), result.possible) == pytest.approx(result.earned, abs=1e-9)
    assert len(explain(item, result)) == len(item.public.replies)  # type: ignore[attr-defined]
    return result


# assessment_design §12: linear distance on four levels.
@pytest.mark.parametrize(("given", "share"), [(4, 1), (3, 0.6667), (2, 0.3333), (1, 0)])
def test_distance_of_one_reply(given: int, share: float) -> None:
    item = exercise({"ask": 4, "booklet": 1, "calm": 1, "deny": 1})
    perfect = {"booklet": 1, "calm": 1, "deny": 1}
    assert rate(item, {"ask": given, **perfect}).earned - 3 == pytest.approx(share, abs=5e-5)


KEY = {"ask": 4, "booklet": 3, "calm": 2, "deny": 1}


@pytest.mark.parametrize(
    ("ratings", "earned", "flagged"),
    [
        ({"ask": 4, "booklet": 3, "calm": 2, "deny": 1}, 7, False),  # 3 + 1 + 1 + 2
        ({"ask": 3, "booklet": 3, "calm": 2, "deny": 1}, 6, False),  # 3 · ⅔ = 2 instead of 3
        ({"ask": 4, "booklet": 3, "calm": 2, "deny": 2}, 5 + 4 / 3, False),  # 2 · ⅔; 2 is not acceptable yet
        ({"ask": 4, "booklet": 3, "calm": 2, "deny": 3}, 5, True),  # would be 2 · ⅓
        ({"ask": 4, "booklet": 3, "calm": 2, "deny": 4}, 5, True),
        ({"ask": 4, "booklet": 3, "calm": 2}, 5, False),  # unrated earns nothing
        ({"ask": 1, "booklet": 4, "calm": 4, "deny": 4}, 1, True),  # 0 + ⅔ + ⅓ + 0
        ({}, 0, False),
    ],
)
def test_by_hand(ratings: Mapping[str, int], earned: float, flagged: bool) -> None:
    result = rate(exercise(KEY, {"ask": 3, "deny": 2}, ("deny",)), ratings)
    assert result.earned == pytest.approx(earned, abs=1e-12)
    assert (result.possible, result.flags) == (7, ("red-line",) if flagged else ())


def test_random_play_of_one_reply() -> None:
    # Mean over the four levels: an end of the scale (1 + ⅔ + ⅓ + 0) / 4 = ½, the middle (⅔ + 1 + ⅔ + ⅓) / 4 = ⅔,
    # a red line (1 + ⅔ + 0 + 0) / 4 = 5/12. Together (½ + ⅔ + ⅔ + 5/12) / 4 = 27/48.
    item = exercise(KEY, red=("deny",))
    shares = [rate(item, dict(zip(KEY, given, strict=True))).share for given in product(LEVELS, repeat=4)]
    assert sum(shares) / len(shares) == pytest.approx(27 / 48, abs=1e-12)


@st.composite
def exercises(draw: st.DrawFn) -> Item:
    names = draw(st.permutations(NAMES))[: draw(st.integers(4, 6))]
    levels = {name: draw(st.sampled_from([*LEVELS])) for name in names}
    weights = {name: draw(st.integers(1, 3)) for name in names if draw(st.booleans())}
    red = tuple(name for name in names if levels[name] == 1 and draw(st.booleans()))
    return exercise(levels, weights, red)


@st.composite
def answered(draw: st.DrawFn) -> tuple[Item, dict[str, int]]:
    item = draw(exercises())
    names = [reply.id for reply in item.public.replies]  # type: ignore[attr-defined]
    given = draw(st.dictionaries(st.sampled_from(names), st.sampled_from([*LEVELS])))
    return item, given


@given(answered())
def test_order_of_replies_and_of_ratings_says_nothing(case: tuple[Item, dict[str, int]]) -> None:
    item, ratings = case
    released = Item(item.head, item.kind, release(item.public), item.key)  # type: ignore[arg-type]
    backwards = dict(reversed(ratings.items()))
    assert rate(released, backwards).earned == pytest.approx(rate(item, ratings).earned, abs=1e-12)


@given(answered(), st.data())
def test_a_nearer_level_never_scores_less(case: tuple[Item, dict[str, int]], data: st.DataObject) -> None:
    # Better: one reply rated on the same side of its key and nearer to it, or rated at all.
    item, ratings = case
    key: Any = item.key
    name = data.draw(st.sampled_from([*key.levels]))
    before, expected = ratings.get(name), key.levels[name]
    nearer = range(min(before, expected), max(before, expected) + 1) if before else [*LEVELS]
    after = data.draw(st.sampled_from([*nearer]))
    better, worse = rate(item, {**ratings, name: after}), rate(item, ratings)
    assert better.earned >= worse.earned - 1e-12
    assert ("red-line" in worse.flags) >= ("red-line" in better.flags) or before is None


@given(exercises())
def test_the_key_itself_earns_everything(item: Item) -> None:
    key: Any = item.key
    result = rate(item, key.levels)
    assert result.earned == result.possible
    assert missing(item.public, RatingResponse(ratings=key.levels)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ratings",
    [
        *({"ask": value} for value in (0, 5, -1, 10**30, True, 2.0, 2.5, "2", None, [2], float("nan"), float("inf"))),
        {"shout": 1},
        dict.fromkeys([*NAMES, "more"], 1),
        [],
        None,
    ],
)
def test_what_is_no_rating_is_refused(ratings: Any) -> None:
    with pytest.raises(InvalidResponseError):
        judge(exercise(KEY), {"ratings": ratings})


def anything(rnd: random.Random, depth: int = 3) -> Any:
    """An arbitrary JSON value that likes to look like a response."""
    kinds = ["number", "word", "fixed"] + ["list", "dict"] * (depth > 0)
    match rnd.choice(kinds):
        case "number":
            return rnd.choice([rnd.randint(-1, 6), 10**20, rnd.random() * 5, float("nan"), float("-inf")])
        case "word":
            return rnd.choice([*NAMES, "", "ratings", "4", "甲" * rnd.randint(0, 300)])
        case "fixed":
            return rnd.choice([None, True, False])
        case "list":
            return [anything(rnd, depth - 1) for _ in range(rnd.randint(0, 8))]
    names = ["ratings", *KEY, *NAMES, "x"]
    return {rnd.choice(names): anything(rnd, depth - 1) for _ in range(rnd.randint(0, 5))}


def test_arbitrary_values_are_judged_or_refused() -> None:
    rnd, item = random.Random(20261), exercise(KEY, {"ask": 3}, ("deny",))
    judged = 0
    for number in range(2000):
        raw = anything(rnd)
        if number % 2:
            raw = {"ratings": {name: rnd.choice([1, 2, 3, 4, anything(rnd, 1)]) for name in KEY if rnd.random() < 0.6}}
        try:
            result, _ = judge(item, json.loads(json.dumps(raw)))
        except InvalidResponseError:
            continue
        judged += 1
        assert 0 <= result.earned <= result.possible
    assert judged > 100


SOUND = {"ask": 4, "booklet": 4, "calm": 1, "deny": 1}


@pytest.mark.parametrize(
    ("rule", "part", "value"),
    [
        ("unscored-choice", "levels", {"ask": 4, "booklet": 4, "calm": 1}),
        ("orphan-key", "levels", {**SOUND, "shout": 1}),
        ("orphan-key", "weights", {"shout": 2}),
        ("broken-link", "red_lines", ["shout"]),
        ("contradiction", "red_lines", ["ask"]),
        ("contradiction", "levels", dict.fromkeys(SOUND, 3)),
        ("flat-answer-pays", "levels", {"ask": 4, "booklet": 3, "calm": 2, "deny": 1}),  # all 3: (⅔ + 1 + ⅔ + ⅓) / 4
        ("missing-rationale", "rationales", {name: {"why": TEXT, "better": TEXT} for name in SOUND if name != "ask"}),
        ("missing-better", "rationales", {name: {"why": TEXT} for name in SOUND}),
        ("broken-link", "rationales", {n: {"why": TEXT, "better": TEXT} for n in [*SOUND, "shout"]}),
    ],
)
def test_faults_of_a_key(rule: str, part: str, value: Any) -> None:
    item = exercise(SOUND, red=("deny",))
    assert list(item.kind.check(item.public, item.key)) == []
    key = RatingKey.model_validate({**item.key.model_dump(), part: value})
    faults = list(check(item.public, key))  # type: ignore[arg-type]
    assert rule in {fault.rule for fault in faults}
    assert len({fault.message for fault in faults}) == len(faults)


def test_two_replies_of_one_name_are_a_fault() -> None:
    item = exercise(SOUND)
    data = item.public.model_dump()
    public = RatingPublic.model_validate({**data, "replies": [*data["replies"], data["replies"][0]]})
    assert "duplicate-id" in {fault.rule for fault in check(public, item.key)}  # type: ignore[arg-type]


@given(exercises())
def test_one_level_for_all_never_passes(item: Item) -> None:
    if list(item.kind.check(item.public, item.key)):
        return
    for level in LEVELS:
        assert rate(item, {reply.id: level for reply in item.public.replies}).share < 0.6  # type: ignore[attr-defined]


def test_the_view_names_the_levels_as_the_feedback_does() -> None:
    view = (Path(rating.__file__).parent / "view.js").read_text("utf-8")
    for level, name in LEVELS.items():
        line = next(line for line in view.splitlines() if f"level: {level}," in line)
        assert f'zh: "{name.zh}", en: "{name.en}"' in line
