"""Simulated learners: the statistics against hand calculation, and what they find in the course."""

from __future__ import annotations

import pytest

from autograde.simulate import abilities, item_statistics, play_through
from curriculum.load import Course


def test_difficulty_and_corrected_correlation_are_those_worked_out_by_hand() -> None:
    shares = {"a": [0.0, 0.5, 1.0], "b": [0.0, 1.0, 1.0], "c": [1.0, 1.0, 1.0]}
    found = {one.item: one for one in item_statistics(shares, {"a": 10, "b": 20, "c": 5})}
    # a: mean .5. The others earn 0 + 5, 20 + 5, 20 + 5. Deviations −.5, 0, .5 and −40/3, 20/3, 20/3:
    # covariance 20/3 + 10/3 = 10, over the root of .5 · (1600 + 400 + 400)/9 = 133.33: 10 / 11.547 = .8660.
    assert (found["a"].p, found["a"].r) == pytest.approx((0.5, 0.8660), abs=1e-4)
    # b: mean 2/3. The others earn 5, 10, 15. Deviations −2/3, 1/3, 1/3 and −5, 0, 5: 5 / root(2/3 · 50) = .8660.
    assert (found["b"].p, found["b"].r) == pytest.approx((2 / 3, 0.8660), abs=1e-4)
    # c: everybody is right, and there is no variance to go with.
    assert (found["c"].p, found["c"].r) == (1, None)


def test_an_item_that_tells_nobody_apart_is_remarked() -> None:
    shares = {"a": [0.0, 0.5, 1.0], "b": [0.0, 0.5, 1.0], "upside-down": [1.0, 0.5, 0.0], "hard": [0.0, 0.0, 0.5]}
    remarks = {one.item: one.remark for one in item_statistics(shares, dict.fromkeys(shares, 1))}
    assert remarks == {"a": "", "b": "", "upside-down": "does not tell learners apart", "hard": "hard"}


def test_knowing_more_earns_more_in_every_exercise_of_the_course(whole_course: Course) -> None:
    shares = play_through(whole_course)
    points = {name: worth for chapter in whole_course.chapters for name, worth in chapter.points.items()}
    assert set(shares) == set(points)
    assert {len(earned) for earned in shares.values()} == {60}
    assert abilities(60)[0] == 0.1
    assert abilities(60)[-1] == pytest.approx(0.95)
    assert {one.item: one.remark for one in item_statistics(shares, points)} == dict.fromkeys(points, "")
