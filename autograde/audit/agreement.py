"""How far two or more people who mark the same work agree, and whether one of them stands apart.

Each figure is given with the name of its weights, because the sizes of differently
weighted figures can't be compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Literal

Weights = Literal["unweighted", "linear", "quadratic"]
Scale = Literal["nominal", "ordinal", "interval"]

NORMAL_95 = 1.959963984540054  # 97.5 % quantile of the standard normal distribution
EXACT_LIMIT = 20_000
MOST_DRAWS, FEWEST_DRAWS = 9_999, 999
MARKS_DRAWN = 3_000_000
ROUNDING = 1e-12


def cohen_kappa(first: Sequence[int], second: Sequence[int], levels: int, weights: Weights) -> float | None:
    """Return Cohen's κ of two markers of the same works; levels are 0 … levels - 1.

    κ = 1 - Σ w·observed / Σ w·expected, with the disagreement weights w: 0 or 1
    (unweighted; J. Cohen 1960, doi 10.1177/001316446002000104), |i - j| (linear) or
    (i - j)² (quadratic; J. Cohen 1968, doi 10.1037/h0026256). None where nothing is
    marked, or where both gave one and the same level throughout, so that no
    disagreement could be expected. Raises ValueError where the marks don't pair.
    """
    pairs = list(zip(first, second, strict=True))
    if any(not 0 <= level < levels for pair in pairs for level in pair):
        raise ValueError(f"a mark is outside 0 … {levels - 1}")
    if not pairs:
        return None
    weight = WEIGHTS[weights]
    rows, columns = Counter(first), Counter(second)
    observed = sum(weight(one, other) for one, other in pairs) / len(pairs)
    expected = sum(rows[one] * columns[other] * weight(one, other) for one in rows for other in columns)
    return 1 - observed * len(pairs) ** 2 / expected if expected else None


WEIGHTS: Mapping[Weights, Callable[[int, int], float]] = {
    "unweighted": lambda one, other: float(one != other),
    "linear": lambda one, other: float(abs(one - other)),
    "quadratic": lambda one, other: float((one - other) ** 2),
}


def krippendorff_alpha(units: Sequence[Sequence[float]], scale: Scale) -> float | None:
    """Return Krippendorff's α; `units` holds for each work the marks it got, as many as there are.

    α = 1 - D_observed / D_expected from the matrix of coincidences; works with fewer
    than two marks tell nothing and are left out. The ordinal distance of c and k is
    (Σ n_g from c to k - (n_c + n_k)/2)². K. Krippendorff, Computing Krippendorff's
    alpha-reliability (2011), repository.upenn.edu/asc_papers/43. None where nothing
    is paired, or where all marks are the same.
    """
    paired = [unit for unit in units if len(unit) > 1]
    counts = Counter(value for unit in paired for value in unit)
    total = counts.total()
    if not total:
        return None
    distance = distances(counts, scale)
    observed = sum(
        distance(one, other) * 2 / (len(unit) - 1) for unit in paired for one, other in combinations(unit, 2)
    )
    expected = sum(2 * counts[one] * counts[other] * distance(one, other) for one, other in combinations(counts, 2))
    return 1 - (total - 1) * observed / expected if expected else None


def distances(counts: Mapping[float, int], scale: Scale) -> Callable[[float, float], float]:
    """Return the distance of two marks on a scale; `counts` says how often each was given."""
    if scale == "nominal":
        return lambda one, other: float(one != other)
    if scale == "interval":
        return lambda one, other: (one - other) ** 2
    below, place = 0.0, dict[float, float]()
    for value in sorted(counts):
        # The middle of the ranks that a level holds: their difference is the sum in the formula.
        place[value] = below + counts[value] / 2
        below += counts[value]
    return lambda one, other: (place[one] - place[other]) ** 2


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two markers agree on the same works; figures are None where they can't be told."""

    works: int
    exact: float
    adjacent: float
    unweighted: float | None
    linear: float | None
    quadratic: float | None
    alpha_ordinal: float | None


def agreement(first: Sequence[int], second: Sequence[int], levels: int) -> Agreement:
    """Return all figures for two markers; `exact` and `adjacent` (at most one level apart) are shares of the works.

    Raises ValueError where there is no work or where the marks don't pair.
    """
    if not first:
        raise ValueError("there is nothing that both have marked")
    apart = [abs(one - other) for one, other in zip(first, second, strict=True)]
    return Agreement(
        works=len(apart),
        exact=sum(gap == 0 for gap in apart) / len(apart),
        adjacent=sum(gap <= 1 for gap in apart) / len(apart),
        unweighted=cohen_kappa(first, second, levels, "unweighted"),
        linear=cohen_kappa(first, second, levels, "linear"),
        quadratic=cohen_kappa(first, second, levels, "quadratic"),
        alpha_ordinal=krippendorff_alpha(list(zip(first, second, strict=True)), "ordinal"),
    )


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share. E. B. Wilson 1927, doi 10.1080/01621459.1927.10502953.

    Raises ValueError where `of` is 0 or `hits` is not within it.
    """
    if not 0 <= hits <= of or not of:
        raise ValueError(f"{hits} of {of} is no share")
    share, square = hits / of, NORMAL_95**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = NORMAL_95 / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Apart:
    """How far a marker stands from the others: mean difference of the marks, and the p of a permutation test."""

    difference: float
    marks: int
    others: int
    p: float


def stands_apart(strata: Sequence[tuple[Sequence[float], Sequence[float]]], seed: int) -> Apart | None:
    """Compare a marker's marks with the others'; a stratum holds both for one criterion, so that like meets like.

    `difference` is the mean over the marker's marks of what it lies above the
    others' mean of its stratum. p is that of a two-sided permutation test: whose
    mark it is is shuffled within each stratum; all ways are tried where there are few,
    otherwise 9,999 drawn from `seed` (down to 999 of very many marks), and p = (hits + 1)/(draws + 1)
    (B. Phipson and G. K. Smyth 2010, doi 10.2202/1544-6115.1585). Strata without
    marks of either side say nothing; None where none is left.
    """
    used = [(list(mine), list(others)) for mine, others in strata if mine and others]
    if not used:
        return None
    marks = sum(len(mine) for mine, _others in used)
    pools = [(mine + others, len(mine)) for mine, others in used]
    totals = [sum(pool) for pool, _size in pools]

    def difference(own_sums: Sequence[float]) -> float:
        apart = 0.0
        for (pool, size), total, own in zip(pools, totals, own_sums, strict=True):
            apart += own - size * (total - own) / (len(pool) - size)
        return apart / marks

    found = difference([sum(mine) for mine, _others in used])
    bar = abs(found) - ROUNDING
    ways = math.prod(math.comb(len(pool), size) for pool, size in pools)
    if ways <= EXACT_LIMIT:
        hits = sum(abs(difference(sums)) >= bar for sums in all_sums(pools))
        p = hits / ways
    else:
        random, draws = Random(seed), min(MOST_DRAWS, max(FEWEST_DRAWS, MARKS_DRAWN // marks))
        hits = sum(
            abs(difference([sum(drawn(pool, size, random)) for pool, size in pools])) >= bar for _draw in range(draws)
        )
        p = (hits + 1) / (draws + 1)
    return Apart(found, marks, sum(len(others) for _mine, others in used), p)


def all_sums(pools: Sequence[tuple[Sequence[float], int]]) -> list[list[float]]:
    """Return, for each way to choose the marker's marks, their sum by stratum."""
    ways: list[list[float]] = [[]]
    for pool, size in pools:
        ways = [[*way, sum(chosen)] for way in ways for chosen in combinations(pool, size)]
    return ways


def drawn(pool: Sequence[float], size: int, random: Random) -> list[float]:
    """Draw without putting back. Only `random()` is promised to give the same in every version of Python."""
    left = list(pool)
    for place in range(size):
        other = place + int(random.random() * (len(left) - place))
        left[place], left[other] = left[other], left[place]
    return left[:size]
