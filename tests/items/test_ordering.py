"""Ordering: earned = max(0, n − d) of n, worked by hand and against brute force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum.items.ordering.model import OrderingKey, OrderingPublic, OrderingResponse, check, release
from curriculum.items.ordering.score import score
from curriculum.model import Score

TEXT = {"zh": "甲", "en": "a"}
Needs = Mapping[str, Sequence[str]]


class Exercise:
    """Steps in a right order, what must precede what, and critical pairs (before, after, cap)."""

    def __init__(self, steps: Iterable[str], needs: Needs, critical: Iterable[tuple[str, str, float]] = ()) -> None:
        self.steps, self.needs = list(steps), needs
        self.public = OrderingPublic.model_validate(
            {"prompt": TEXT, "steps": [{"id": step, "text": TEXT} for step in self.steps]}
        )
        self.key = OrderingKey.model_validate(
            {
                "requires": needs,
                "critical": [{"before": b, "after": a, "cap": cap} for b, a, cap in critical],
                "rationales": {step: {"why": TEXT} for step in self.steps},
            }
        )

    def score(self, order: Iterable[str]) -> Score:
        return score(self.public, self.key, OrderingResponse(order=tuple(order)))

    def valid_orders(self) -> list[tuple[str, ...]]:
        """Every order in which each step comes after all it needs, by trying them all."""
        return [
            order
            for order in permutations(self.steps)
            if all(order.index(other) < order.index(step) for step, others in self.needs.items() for other in others)
        ]

    def brute_force(self, order: Sequence[str]) -> float:
        """max(0, n − d), d the least deletions + insertions to any valid order (by their common subsequence)."""
        n = len(self.steps)
        distance = min(len(order) + n - 2 * common(order, valid) for valid in self.valid_orders())
        return max(0.0, float(n - distance))


def common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    if not a or not b:
        return 0
    if a[-1] == b[-1]:
        return common(a[:-1], b[:-1]) + 1
    return max(common(a[:-1], b), common(a, b[:-1]))


# tidy and test may change places; greet needs both, ask needs greet, note needs ask.
VISIT = Exercise(
    ["tidy", "test", "greet", "ask", "note"], {"greet": ["tidy", "test"], "ask": ["greet"], "note": ["ask"]}
)


@pytest.mark.parametrize(
    ("order", "earned"),
    [
        ("tidy test greet ask note", 5),
        ("test tidy greet ask note", 5),  # a free pair
        ("tidy test greet ask", 4),  # one missing: d = 1
        ("tidy test note greet ask", 3),  # one moved: d = 2
        ("ask tidy test greet", 2),  # one moved, one missing: d = 3
        ("note ask greet test tidy", 0),  # keep test and tidy, which are free, move three: d = 6 > 5
        ("greet test ask tidy note", 1),  # keep test, ask, note; move greet and tidy: d = 4
        ("ask", 1),  # four missing
        ("", 0),
    ],
)
def test_by_hand(order: str, earned: float) -> None:
    result = VISIT.score(order.split())
    assert (result.earned, result.possible) == (earned, 5)


@pytest.mark.parametrize(
    ("order", "earned"),
    [
        ("tidy test greet ask note", 5),
        ("tidy test ask note greet", 2.0),  # moving greet costs 2, that leaves 3; the pair caps at .4 · 5 = 2
        ("tidy test ask note", 2.0),  # greet never done: 4, capped at 2
        ("tidy test greet", 3),  # ask not reached yet: nothing is broken
        ("tidy", 1),  # neither of the two: nothing is broken, and 1 is below the cap
        ("ask", 1),  # broken, but 1 of 5 is below the cap
    ],
)
def test_critical_pair_caps_the_share(order: str, earned: float) -> None:
    strict = Exercise(VISIT.steps, VISIT.needs, [("greet", "ask", 0.4)])
    result = strict.score(order.split())
    assert result.earned == pytest.approx(earned)
    broken = "ask" in order and "greet" not in order.split("ask")[0]
    assert bool(result.flags) == broken


def test_random_play_of_six_steps_earns_a_tenth() -> None:
    # Of the 720 orders 1 keeps all six steps, 25 keep five (share 4/6), 181 keep four (share 2/6);
    # with three kept d = 6 = n and nothing is earned. (1 + 25 · 2/3 + 181 · 1/3) / 720 = 78/720.
    steps = ["f", "b", "e", "a", "d", "c"]
    line = Exercise(steps, {step: [before] for before, step in pairwise(steps)})
    mean = sum(line.score(order).share for order in permutations(steps)) / 720
    assert mean == pytest.approx(78 / 720, abs=1e-12)
    assert mean == pytest.approx(0.1083, abs=5e-5)


@st.composite
def exercises(draw: st.DrawFn, largest: int = 5) -> Exercise:
    steps = draw(st.permutations("abcdef"[: draw(st.integers(3, largest))]))
    needs = {step: [s for s in steps[:i] if draw(st.booleans())] for i, step in enumerate(steps)}
    return Exercise(steps, needs)


@st.composite
def answered(draw: st.DrawFn) -> tuple[Exercise, list[str]]:
    exercise = draw(exercises())
    order = draw(st.permutations(exercise.steps))
    return exercise, order[: draw(st.integers(0, len(order)))]


@given(answered())
def test_distance_equals_brute_force(case: tuple[Exercise, list[str]]) -> None:
    exercise, order = case
    assert exercise.score(order).earned == exercise.brute_force(order)


def test_distance_equals_brute_force_for_six_steps() -> None:
    for needs in ({"d": ["a", "b"], "e": ["d"], "f": ["c"]}, {"b": ["a"], "d": ["c"], "f": ["e"]}):
        exercise = Exercise("abcdef", needs)
        for order in list(permutations("abcdef"))[::29]:
            assert exercise.score(order).earned == exercise.brute_force(order)


@given(answered())
def test_order_of_the_public_list_says_nothing(case: tuple[Exercise, list[str]]) -> None:
    exercise, order = case
    response = OrderingResponse(order=tuple(order))
    released = score(release(exercise.public), exercise.key, response)
    assert released.earned == score(exercise.public, exercise.key, response).earned


@given(answered(), st.floats(0, 0.99), st.data())
def test_a_critical_pair_only_ever_takes_away(
    case: tuple[Exercise, list[str]], cap: float, data: st.DataObject
) -> None:
    exercise, order = case
    i = data.draw(st.integers(1, len(exercise.steps) - 1))
    strict = Exercise(exercise.steps, exercise.needs, [(exercise.steps[0], exercise.steps[i], cap)])
    free, capped = exercise.score(order), strict.score(order)
    assert capped.earned == pytest.approx(min(free.earned, cap * free.possible) if capped.flags else free.earned)


@given(answered())
def test_repairing_a_step_never_lowers_the_score(case: tuple[Exercise, list[str]]) -> None:
    exercise, order = case
    nearest = max(exercise.valid_orders(), key=lambda valid: common(order, valid))
    for step in nearest:
        # Put the step right behind those that the nearest valid order has before it.
        rest = [s for s in order if s != step]
        early = set(nearest[: nearest.index(step)])
        kept = subsequence(rest, nearest)
        behind = max((i + 1 for i, s in enumerate(rest) if s in early and s in kept), default=0)
        repaired = [*rest[:behind], step, *rest[behind:]]
        assert exercise.score(repaired).earned >= exercise.score(order).earned


def subsequence(a: Sequence[str], b: Sequence[str]) -> set[str]:
    """The steps of one longest common subsequence."""
    if not a or not b:
        return set()
    if a[-1] == b[-1]:
        return subsequence(a[:-1], b[:-1]) | {a[-1]}
    left, right = subsequence(a[:-1], b), subsequence(a, b[:-1])
    return max(left, right, key=len)


def test_a_critical_pair_that_the_order_does_not_require_is_a_fault() -> None:
    # Both orders of a and b would be “well placed”, and one of them capped.
    def rules(needs: Mapping[str, Sequence[str]]) -> list[str]:
        exercise = Exercise("cab", needs, [("a", "b", 0.5)])
        return [fault.rule for fault in check(exercise.public, exercise.key)]

    assert rules({"a": ["c"]}) == ["contradiction"]
    assert rules({"a": ["c"], "b": ["a"]}) == []


@pytest.mark.parametrize(
    ("steps", "given_away"),
    [
        ("abc", True),
        ("bac", True),  # a and b are free: sorted by id the list would be right as well
        ("cab", False),
    ],
)
def test_ids_whose_order_gives_the_answer_away_are_a_fault(steps: str, given_away: bool) -> None:
    exercise = Exercise(steps, {steps[2]: [steps[0], steps[1]]})
    assert bool(list(check(exercise.public, exercise.key))) == given_away
