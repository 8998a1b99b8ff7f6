"""The statistics that a key value may be worked out by. None where one is not defined.

The tool that learners have, in view.js, follows the same formulas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from statistics import fmean, median

VITAL_SHARE = 80


def mean_of(numbers: Sequence[float]) -> float | None:
    return fmean(numbers) if numbers else None


def median_of(numbers: Sequence[float]) -> float | None:
    return median(numbers) if numbers else None


def p90_of(numbers: Sequence[float]) -> float | None:
    """Return the 90th percentile by nearest rank: the ⌈.9 n⌉-th of the n numbers in ascending order."""
    return sorted(numbers)[-(-9 * len(numbers) // 10) - 1] if numbers else None


def top_share(cells: Sequence[object], top: int) -> float | None:
    """Return the cumulative share of the `top` largest groups: a point of the Pareto line."""
    largest = [count for _cell, count in Counter(cells).most_common(top)]
    return sum(largest) / len(cells) if cells else None


def vital_few(cells: Sequence[object]) -> int | None:
    """Return how many of the largest groups it takes to reach 80 %: where the Pareto line crosses its guide."""
    sums = accumulate(count for _cell, count in Counter(cells).most_common())
    return next((n for n, total in enumerate(sums, start=1) if 100 * total >= VITAL_SHARE * len(cells)), None)


def exact_agreement(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the share of cases to which both raters gave the same."""
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None


def kappa(pairs: Sequence[tuple[float, float]], weight: Callable[[float, float], float]) -> float | None:
    """Return κ = 1 − Σ w·o / Σ w·e over all pairs of levels.

    o is how often two levels meet, e how often they would meet by chance, given
    how often each rater uses each level (product of the margins over n), and w
    how bad the disagreement is: 1 for any (κ: Cohen 1960, Educational and
    Psychological Measurement 20, 37-46), or the distance of the two levels or its
    square (weighted κ: Cohen 1968, Psychological Bulletin 70, 213-220). A factor
    in w, such as 1/(k − 1) for k levels, cancels out. Not defined where chance
    alone leaves nothing to disagree about.
    """
    first, second = (Counter(side) for side in zip(*pairs, strict=True)) if pairs else (Counter[float](), Counter())
    observed = sum(weight(a, b) for a, b in pairs)
    expected = sum(weight(a, b) * m * n for a, m in first.items() for b, n in second.items())
    return 1 - observed * len(pairs) / expected if expected else None


def any_difference(a: float, b: float) -> float:
    return float(a != b)


def distance(a: float, b: float) -> float:
    return abs(a - b)


def squared_distance(a: float, b: float) -> float:
    return (a - b) ** 2


NUMBERS: dict[str, Callable[[Sequence[float]], float | None]] = {
    "sum": sum,
    "mean": mean_of,
    "median": median_of,
    "p90": p90_of,
}
PAIRS: dict[str, Callable[[Sequence[tuple[float, float]]], float | None]] = {
    "exact": exact_agreement,
    "kappa": lambda pairs: kappa(pairs, any_difference),
    "kappa-linear": lambda pairs: kappa(pairs, distance),
    "kappa-quadratic": lambda pairs: kappa(pairs, squared_distance),
}
