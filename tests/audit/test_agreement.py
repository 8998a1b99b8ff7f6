"""Figures of agreement, against published examples and values worked out by hand."""

from __future__ import annotations

from itertools import permutations
from statistics import fmean

import pytest

from autograde.audit.agreement import agreement, cohen_kappa, krippendorff_alpha, stands_apart, wilson

# The oracle of the handbook's assessment design: twelve works, four levels.
FIRST = [0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 1, 2]
SECOND = [0, 1, 2, 3, 2, 2, 1, 1, 2, 3, 0, 3]


def from_table(table: list[list[int]]) -> tuple[list[int], list[int]]:
    """Turn a table of counts into two rows of marks."""
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _one in range(count)]
    return [i for i, _j in pairs], [j for _i, j in pairs]


def test_kappa_of_the_assessment_design() -> None:
    found = agreement(FIRST, SECOND, levels=4)
    assert (found.works, found.exact, found.adjacent) == (12, pytest.approx(8 / 12), 1)
    assert found.unweighted == pytest.approx(0.5472, abs=5e-5)
    assert found.linear == pytest.approx(0.7073, abs=5e-5)
    assert found.quadratic == pytest.approx(0.8421, abs=5e-5)


def test_kappa_of_cohen_1960() -> None:
    # The paper's 200 cases: .70 of them agree, .41 would by chance.
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    assert cohen_kappa(*from_table(table), levels=3, weights="unweighted") == pytest.approx(0.492, abs=5e-4)


def test_kappa_by_hand() -> None:
    # Two levels, ten works: both 0 four times, both 1 three times, 0/1 once, 1/0 twice.
    # p_o = .7; p_e = .5 × .6 + .5 × .4 = .5; κ = .2 / .5.
    for weights in ("unweighted", "linear", "quadratic"):
        found = cohen_kappa(*from_table([[4, 1], [2, 3]]), levels=2, weights=weights)  # type: ignore[arg-type]
        assert found == pytest.approx(0.4), "two levels know no weights"


def test_kappa_says_when_there_is_nothing_to_tell() -> None:
    assert cohen_kappa([], [], 4, "linear") is None
    assert cohen_kappa([2, 2], [2, 2], 4, "linear") is None
    with pytest.raises(ValueError, match=r"outside 0 … 3"):
        cohen_kappa([4], [0], 4, "linear")


# Krippendorff's own data: four observers, twelve units, some not coded.
UNITS = [
    [1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4], [1, 1, 2, 1],
    [2, 2, 2, 2], [5, 5, 5], [1, 1], [3],
]  # fmt: skip


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorffs_example(scale: str, alpha: float) -> None:
    assert krippendorff_alpha(UNITS, scale) == pytest.approx(alpha, abs=5e-4)  # type: ignore[arg-type]


def test_alpha_by_hand() -> None:
    # Units (0,0), (1,1), (0,1), (0,0): n = 8, n_0 = 5, n_1 = 3; observed 2 of 8, expected 2×5×3/(8×7).
    found = krippendorff_alpha([(0, 0), (1, 1), (0, 1), (0, 0)], "nominal")
    assert found == pytest.approx(1 - (2 / 8) / (30 / 56))
    assert krippendorff_alpha([(1,), ()], "ordinal") is None
    assert krippendorff_alpha([(1, 1), (1, 1)], "ordinal") is None


def test_wilson_of_the_assessment_design() -> None:
    assert wilson(6, 10) == (pytest.approx(0.313, abs=5e-4), pytest.approx(0.832, abs=5e-4))
    assert wilson(60, 100) == (pytest.approx(0.502, abs=5e-4), pytest.approx(0.691, abs=5e-4))
    assert wilson(0, 5)[0] == 0
    assert wilson(5, 5)[1] == 1
    with pytest.raises(ValueError, match="no share"):
        wilson(0, 0)


def test_a_marker_apart_by_hand() -> None:
    # 3 of 3 above 3: of the 20 ways to choose three of six, only two are so far apart: p = 2/20.
    found = stands_apart([([3, 3, 2], [1, 0, 0])], seed=1)
    assert found is not None
    assert found.difference == pytest.approx(8 / 3 - 1 / 3)
    assert (found.marks, found.others, found.p) == (3, 3, pytest.approx(0.1))


def test_each_criterion_is_compared_with_itself() -> None:
    # This marker only happens to mark the criterion that everybody marks high.
    found = stands_apart([([3, 3], [3, 3]), ([], [0, 0, 0])], seed=1)
    assert found is not None
    assert (found.difference, found.p) == (0, 1)
    assert stands_apart([([3], []), ([], [1])], seed=1) is None


def test_drawing_comes_near_to_trying_all() -> None:
    # 12 over 24 ways are too many to try; by the symmetry of equal marks p is 1, of marks far apart it is tiny.
    same = stands_apart([([1] * 12, [1] * 12)], seed=7)
    far = stands_apart([([3] * 12, [0] * 12)], seed=7)
    assert same is not None
    assert far is not None
    assert same.p == 1
    assert far.p == pytest.approx(1 / 10_000)
    assert stands_apart([([3, 2] * 8, [2, 1] * 8)], seed=7) == stands_apart([([3, 2] * 8, [2, 1] * 8)], seed=7)


def test_an_independent_permutation_test_agrees() -> None:
    mine, others = [3.0, 1.0, 2.0], [0.0, 2.0, 1.0]
    pool, seen = mine + others, fmean(mine) - fmean(others)
    ways = [fmean(order[:3]) - fmean(order[3:]) for order in permutations(pool)]
    found = stands_apart([(mine, others)], seed=1)
    assert found is not None
    assert found.p == pytest.approx(sum(abs(way) >= abs(seen) - 1e-9 for way in ways) / len(ways))
