"""Who gave the same wrong answers, and how many pairs would by chance.

Answers that are entirely right are left out: two who know agree. Of what both got
wrong, each takes how often an answer is given by those who got the item wrong as
the chance that somebody else gives it too, and items as independent. They are not
quite: who was taught the same error makes it in several places. So a pair is a
reason to look, and no proof.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograde.audit.traces import Trace

ORDER = "order"  # the order in which exercises were answered, where it is not the lesson's
ROUNDING = 1e-9
SLACK = 0.25  # of what a pair must weigh: so much may be left to be looked up for the few pairs that come near
TILTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two who are alike; `same` of `both` wrong answers, and `expected` pairs as much alike by chance in the group.

    `order` says that they also answered in the same order, which is not the lesson's.
    """

    first: str
    second: str
    same: tuple[str, ...]
    both: int
    order: bool
    expected: float


def alike(traces: Sequence[Trace], lesson: Sequence[str], expected: float) -> list[Pair]:
    """Return the pairs of a chapter of whom chance gives at most `expected`, the least likely first.

    The chance of a pair is bounded from above (H. Chernoff 1952, doi 10.1214/aoms/1177729330):
    for items i with chances f_i, and s = -Σ ln f_i over those answered alike,
    p ≤ min_t e^(-ts) Π (1 - f_i + f_i^(1-t)). Expected are p × n(n-1)/2 pairs.
    """
    answers = {trace.learner: marked(trace, lesson) for trace in sorted(traces, key=lambda trace: trace.learner)}
    pairs = math.comb(len(answers), 2)
    if not pairs:
        return []
    chance = chances_of(answers.values())
    least = math.log(pairs / expected)
    found = []
    for first, second in candidates(answers, chance, least):
        mine, theirs = answers[first], answers[second]
        common = [item for item in mine if item in theirs]
        same = [mine[item] == theirs[item] for item in common]
        surprise = bound([chance[item, mine[item]] for item in common], same, least)
        if surprise >= least:
            shared = tuple(item for item, equal in zip(common, same, strict=True) if equal and item != ORDER)
            both = sum(item != ORDER for item in common)
            order = ORDER in common and mine[ORDER] == theirs[ORDER]
            found.append(Pair(first, second, shared, both, order, pairs * math.exp(-surprise)))
    return sorted(found, key=lambda pair: (pair.expected, pair.first, pair.second))


Answer = tuple[str, str]
"""An item and a digest of what was wrong with it."""


def chances_of(answers: Iterable[Mapping[str, str]]) -> dict[Answer, float]:
    """Return for each answer the share of the others who give it, of all who got that item wrong."""
    given = Counter(answer for own in answers for answer in own.items())
    wrong: Counter[str] = Counter()
    for (item, _answer), count in given.items():
        wrong[item] += count
    return {answer: (count - 1) / max(1, wrong[answer[0]] - 1) for answer, count in given.items()}


def marked(trace: Trace, lesson: Sequence[str]) -> Mapping[str, str]:
    """Return what can tell two learners' work apart from two others'."""
    usual = tuple(item for item in lesson if item in trace.order)
    return trace.wrong if trace.order == usual else {**trace.wrong, ORDER: " ".join(trace.order)}


def candidates(
    answers: Mapping[str, Mapping[str, str]], chance: Mapping[Answer, float], least: float
) -> Iterator[tuple[str, str]]:
    """Yield all pairs whose common answers may weigh `least`, without comparing each with each.

    An answer weighs -ln of its chance. With the answers of all in one order, rarest
    first, two who share that much share most of it among the first answers of each:
    those after which little is left (R. J. Bayardo, Y. Ma and R. Srikant 2007,
    doi 10.1145/1242572.1242591).
    """
    holders: dict[Answer, list[str]] = defaultdict(list)
    left: dict[str, float] = {}
    for learner, own in answers.items():
        weights = sorted((-math.log(chance[answer]), answer) for answer in own.items() if chance[answer] > 0)
        total, seen = sum(weight for weight, _answer in weights), defaultdict[str, float](float)
        slack = least * SLACK if total >= least else total
        while weights and total > slack:
            weight, answer = weights.pop()
            total -= weight
            for other in holders[answer]:
                seen[other] += weight
            holders[answer].append(learner)
        left[learner] = total
        for other, weight in seen.items():
            if weight + max(total, left[other]) >= least - ROUNDING:
                yield other, learner


def bound(chances: Sequence[float], same: Sequence[bool], least: float) -> float:
    """Return -ln of an upper bound of the chance to be as much alike; 0 where even the best bound is below `least`."""
    surprise = -sum(math.log(chance) for chance, equal in zip(chances, same, strict=True) if equal)
    if surprise < least:
        return 0.0
    open_ones = [chance for chance in chances if 0 < chance < 1]
    return max(
        tilt * surprise - sum(math.log(1 - chance + chance ** (1 - tilt)) for chance in open_ones) for tilt in TILTS
    )


def rings(pairs: Iterable[Pair]) -> list[tuple[list[str], list[Pair]]]:
    """Return who hangs together through pairs, with those pairs, the strongest ring first."""
    home: dict[str, int] = {}
    groups: dict[int, tuple[set[str], list[Pair]]] = {}
    for number, pair in enumerate(pairs):
        names, own = {pair.first, pair.second}, [pair]
        for other in sorted({home[name] for name in names if name in home}):
            more, theirs = groups.pop(other)
            names, own = names | more, theirs + own
        groups[number] = (names, own)
        home.update(dict.fromkeys(names, number))
    return [
        (sorted(names), own)
        for names, own in sorted(groups.values(), key=lambda group: min(p.expected for p in group[1]))
    ]
