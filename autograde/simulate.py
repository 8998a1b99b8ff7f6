"""Simulated learners of graded ability play every graded item, and what that says of the items.

A learner of ability a takes the right decision with probability a, and any of the
options otherwise. That is a check of items and keys before people meet them: it
finds an item in which knowing more does not earn more. It is no forecast of how
hard people will find it; only people's answers say that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import StatisticsError, correlation, fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from curriculum.load import Course
from curriculum.model import Choose, Item, Text
from curriculum.verdict import judge

LEARNERS = 60
WEAKEST, STRONGEST = 0.1, 0.95
EASIEST, HARDEST = 0.95, 0.2
"""Bounds of difficulty p outside which an item tells learners apart badly."""
LEAST_DISCRIMINATION = 0.2


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """Difficulty `p`: the mean share, 0 to 1. `r`: corrected item-total correlation, None without variance."""

    item: str
    p: float
    r: float | None

    @property
    def remark(self) -> str:
        if self.p < HARDEST:
            return "hard"
        if self.p > EASIEST:
            return "easy"
        return "" if self.r is not None and self.r >= LEAST_DISCRIMINATION else "does not tell learners apart"


def knowing(ability: float, random: Random) -> Choose:
    """Return how somebody decides who knows what is right with probability `ability`."""

    def choose(texts: Sequence[Text], right: int) -> int:
        return right if random.random() < ability else random.randrange(len(texts))

    return choose


def response(item: Item, learner: str, ability: float) -> Any:
    """Return the raw response of a learner to an item; the same for the same arguments."""
    random = Random(f"{learner}/{item.id}")
    return item.kind.play(item.kind.release(item.public), item.key, knowing(ability, random))


def abilities(learners: int) -> list[float]:
    """Return abilities in equal steps from the weakest to the strongest."""
    step = (STRONGEST - WEAKEST) / (learners - 1)
    return [WEAKEST + step * number for number in range(learners)]


def play_through(course: Course, learners: int = LEARNERS) -> dict[str, list[float]]:
    """Return what each learner earns of each graded item, as shares from 0 to 1, by item."""
    graded = {name: course.items[name] for chapter in course.chapters for name in chapter.points}
    return {
        name: [
            judge(item, response(item, f"learner-{number}", ability))[0].share
            for number, ability in enumerate(abilities(learners))
        ]
        for name, item in graded.items()
    }


def item_statistics(shares: dict[str, list[float]], points: dict[str, float]) -> list[ItemStatistics]:
    """Return the statistics of each item; `shares` by item and learner, `points` by item.

    r is Pearson's, between an item's share and the points of all other items.
    """
    totals = [
        sum(points[name] * share for name, share in zip(shares, row, strict=True))
        for row in zip(*shares.values(), strict=True)
    ]
    found = []
    for name, earned in shares.items():
        others = [total - points[name] * share for total, share in zip(totals, earned, strict=True)]
        try:
            r = correlation(earned, others)
        except StatisticsError:
            r = None
        found.append(ItemStatistics(name, fmean(earned), r))
    return found


def print_statistics(console: Console, course: Course) -> None:
    """Print difficulty and discrimination of every graded item in a simulated cohort."""
    points = {name: worth for chapter in course.chapters for name, worth in chapter.points.items()}
    statistics = item_statistics(play_through(course), points)
    table = Table(
        title=f"{LEARNERS} simulated learners, ability {WEAKEST} to {STRONGEST}",
        caption=f"p: mean share. r: correlation with all other items. Looked at: p outside {HARDEST}–{EASIEST}, "
        f"r below {LEAST_DISCRIMINATION}.",
    )
    for heading in ("item", "type", "p", "r", "look at"):
        table.add_column(heading, justify="right" if heading in "pr" else "left")
    for one in statistics:
        r = "–" if one.r is None else f"{one.r:.2f}"
        table.add_row(one.item, course.items[one.item].kind.name, f"{one.p:.2f}", r, one.remark)
    console.print(table)
    remarked = sum(bool(one.remark) for one in statistics)
    console.print(f"{len(statistics)} items, {remarked} of them to be looked at.")
