"""What somebody earns who knows nothing: by chance, or by always taking the first, last or longest option."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from statistics import fmean

from curriculum.load import Loader
from curriculum.model import LANGUAGES, Choose, Item, Language, Text
from curriculum.source import Problem
from curriculum.verdict import judge

PASS = 0.6
"""The lowest share that any pass rule asks for: the floor of a competency."""
PLAYS = 30
"""Random plays of an item; the standard error of their mean is at most .09, for shares of 0 and 1."""


def first(_texts: Sequence[Text]) -> int:
    return 0


def last(texts: Sequence[Text]) -> int:
    return len(texts) - 1


def longest(language: Language) -> Choose:
    return lambda texts: max(range(len(texts)), key=lambda i: len(texts[i][language]))


FIXED: dict[str, tuple[Choose, ...]] = {
    "first": (first,),
    "last": (last,),
    "longest": tuple(longest(language) for language in LANGUAGES),
}


def floors(item: Item, plays: int = PLAYS) -> dict[str, float]:
    """Return the share that each way of guessing earns; empty where there is nothing to guess.

    `random` is the mean of `plays`; `longest` is that of the language in which it earns more.
    Options stand in the order in which learners get them.
    """
    if item.kind.guess is None:
        return {}
    public, guess = item.kind.release(item.public), item.kind.guess

    def play(choose: Choose) -> float:
        return judge(item, guess(public, choose))[0].share

    random = Random(item.id)
    by_chance = fmean(play(lambda texts: random.randrange(len(texts))) for _play in range(plays))
    return {"random": by_chance, **{name: max(map(play, ways)) for name, ways in FIXED.items()}}


def check(loader: Loader, items: Iterable[Item]) -> Iterator[Problem]:
    """Report those of `items` that are graded and that guessing passes. Practice never counts."""
    for item in items:
        for name, share in {} if item.head.practice else floors(item).items():
            if share >= PASS:
                who = "guessing" if name == "random" else f"always taking the {name} option"
                remedy = "make the wrong ways more tempting, or the right one worth more"
                message = f"{who} earns {share:.0%} of “{item.id}”, and {PASS:.0%} is a pass; {remedy}"
                yield loader.problem(item, ("public",), "chance-floor", message)
