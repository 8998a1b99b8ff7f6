"""The same wrong answers: who copies is found, and chance finds nobody."""

from __future__ import annotations

import math
from itertools import combinations, product
from random import Random

import pytest

from autograde.audit.alike import TILTS, alike, bound, candidates, chances_of, rings
from autograde.audit.traces import Trace

ITEMS = [f"e{number}" for number in range(15)]
EXPECTED = 0.05


def cohort(learners: int, seed: int) -> list[Trace]:
    """Learners who answer independently, a third of the exercises rightly; some errors are common, others rare."""
    random = Random(seed)
    traces = []
    for number in range(learners):
        wrong = {item: f"error-{min(int(random.expovariate(0.4)), 12)}" for item in ITEMS if random.random() < 2 / 3}
        traces.append(trace(f"learner-{number:04}", wrong))
    return traces


def trace(learner: str, wrong: dict[str, str], order: list[str] | None = None) -> Trace:
    return Trace(learner, "ch3", tuple(order or ITEMS), wrong, {}, {})


@pytest.mark.parametrize("seed", range(5))
def test_chance_finds_nobody(seed: int) -> None:
    # Five cohorts with .05 pairs expected in each at most: one find in all of them has a chance below .25,
    # and these seeds have none.
    assert alike(cohort(500, seed), ITEMS, EXPECTED) == []


def test_a_copy_is_found_and_nobody_else() -> None:
    traces = cohort(500, seed=1)
    traces.append(trace("copycat", dict(traces[77].wrong)))
    (found,) = alike(traces, ITEMS, EXPECTED)
    assert {found.first, found.second} == {"copycat", "learner-0077"}
    assert set(found.same) == set(traces[77].wrong)
    assert found.both == len(traces[77].wrong)
    assert not found.order
    assert found.expected < EXPECTED


def test_none_is_missed_for_the_sake_of_speed() -> None:
    traces = cohort(150, seed=8)
    traces += [trace(f"part-{n}", dict(list(traces[n].wrong.items())[:6])) for n in range(20)]
    answers = {one.learner: one.wrong for one in traces}
    chance = chances_of(answers.values())

    def common(first: str, second: str) -> float:
        shared = answers[first].items() & answers[second].items()
        return -sum(math.log(chance[answer]) for answer in shared)

    every = {pair for pair in combinations(answers, 2) if common(*pair) >= 8}
    assert len(every) > 20
    assert every <= {(first, second) for first, second in candidates(answers, chance, least=8)}


def test_a_large_ring_is_found_as_one() -> None:
    source = dict.fromkeys(ITEMS[:12], "error-6")
    traces = cohort(500, seed=2) + [trace(f"ring-{number:02}", dict(source)) for number in range(60)]
    ((names, pairs), *others) = rings(alike(traces, ITEMS, EXPECTED))
    assert names == [f"ring-{number:02}" for number in range(60)]
    assert len(pairs) >= 59
    assert others == []


def test_the_same_unusual_order_counts_and_the_lessons_order_does_not() -> None:
    backwards, few = ITEMS[::-1], {"e1": "error-9", "e2": "error-9", "e3": "error-9", "e4": "error-8"}
    others = cohort(60, seed=4)
    shuffled = [trace(f"mixed-{n}", {}, Random(n).sample(ITEMS, len(ITEMS))) for n in range(60)]
    plain = [trace("one", dict(few)), trace("two", dict(few))]
    alike_in_order = [trace("one", dict(few), backwards), trace("two", dict(few), backwards)]
    (without,) = alike(others + shuffled + plain, ITEMS, expected=1)
    (found,) = alike(others + shuffled + alike_in_order, ITEMS, expected=1)
    assert not without.order
    assert found.order
    assert found.expected < without.expected / 10


def test_the_chance_of_an_answer_by_hand() -> None:
    # Five got it wrong. Of four others, two gave x, too; nobody else gave y or z.
    found = chances_of([{"e1": answer} for answer in ("x", "x", "x", "y", "z")] + [{}])
    assert found == {("e1", "x"): 0.5, ("e1", "y"): 0, ("e1", "z"): 0}


def test_two_who_know_all_are_not_alike() -> None:
    traces = [*cohort(50, seed=3), trace("expert", {}), trace("master", {})]
    assert alike(traces, ITEMS, EXPECTED) == []


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_few_learners_are_too_few(size: int) -> None:
    assert alike([trace(f"learner-{n}", {"e1": "error"}) for n in range(size)], ITEMS, EXPECTED) == []


def test_the_bound_holds_for_every_outcome() -> None:
    """Against the exact chance, summed over all ways in which the others' answers may fall."""
    chances = [0.02, 0.1, 0.3, 0.5, 0.9]
    ways = list(product((True, False), repeat=len(chances)))

    def weight(way: tuple[bool, ...]) -> float:
        return -sum(math.log(chance) for chance, equal in zip(chances, way, strict=True) if equal)

    def probability(way: tuple[bool, ...]) -> float:
        return math.prod(chance if equal else 1 - chance for chance, equal in zip(chances, way, strict=True))

    for seen in ways:
        exact = sum(probability(way) for way in ways if weight(way) >= weight(seen) - 1e-12)
        assert math.exp(-bound(chances, seen, least=0)) >= exact - 1e-12
    closest = math.exp(-bound(chances, [True] * 5, least=0))
    assert closest < 2 * math.prod(chances), "where all agree the bound comes near to the exact chance"
    assert max(TILTS) > 1
