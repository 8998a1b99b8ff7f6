"""What somebody earns who knows nothing: by chance, or by always taking the first, last or longest option.

And what the best answer earns, which must be everything: otherwise the key asks for what cannot be done.
"""

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


def first(_texts: Sequence[Text], _right: int) -> int:
    return 0


def last(texts: Sequence[Text], _right: int) -> int:
    return len(texts) - 1


def longest(language: Language) -> Choose:
    return lambda texts, _right: max(range(len(texts)), key=lambda i: len(texts[i][language]))


def at(place: int) -> Choose:
    return lambda _texts, _right: place


FIXED: dict[str, tuple[Choose, ...]] = {
    "first": (first,),
    "last": (last,),
    "longest": tuple(longest(language) for language in LANGUAGES),
}


def floors(item: Item, plays: int = PLAYS) -> dict[str, float]:
    """Return the share that each way of guessing earns.

    `random` is the mean of `plays`; `longest` is that of the language in which it earns more. `same` is that of
    the answer that earns most when it is given throughout, such as one level for all replies; it is there only
    where each decision has the same answers. Options stand in the order in which learners get them.
    """
    random = Random(item.id)
    by_chance = fmean(share(item, lambda texts, _right: random.randrange(len(texts))) for _play in range(plays))
    earned = {"random": by_chance, **{name: always(item, name) for name in FIXED}}
    asked = decisions(item)
    if len(asked) > 1 and len(set(asked)) == 1:
        earned["same"] = max(share(item, at(place)) for place in range(len(asked[0])))
    return earned


def always(item: Item, name: str) -> float:
    """Return the most that one of the ways of FIXED earns."""
    return max(share(item, way) for way in FIXED[name])


def decisions(item: Item) -> list[tuple[Text, ...]]:
    """Return the texts that each decision of an item offers, for somebody who always takes the first."""
    asked: list[tuple[Text, ...]] = []

    def take_first(texts: Sequence[Text], _right: int) -> int:
        asked.append(tuple(texts))
        return 0

    item.kind.play(item.kind.release(item.public), item.key, take_first)
    return asked


def guesses(item: Item) -> dict[str, float]:
    """Return what the ways of guessing earn that an item must not reward.

    Practice never counts and may be guessed. But where each question has options of its own, whoever
    sees that the longest is right learns nothing from it.
    """
    if not item.head.practice:
        return floors(item)
    asked = decisions(item)
    return {"longest": always(item, "longest")} if len(set(asked)) == len(asked) else {}


def share(item: Item, choose: Choose) -> float:
    """Return the share that somebody earns who leaves each decision to `choose`."""
    return judge(item, item.kind.play(item.kind.release(item.public), item.key, choose))[0].share


def right(_texts: Sequence[Text], right: int) -> int:
    return right


def check(loader: Loader, items: Iterable[Item]) -> Iterator[Problem]:
    """Report items whose best answer falls short, and items that guessing passes."""
    for item in items:
        best = share(item, right)
        if best < 1 and item.kind.decides:
            message = f"the best answer that its key knows earns {best:.0%} of “{item.id}”; mend the key or the item"
            yield loader.problem(item, ("key",), "best-falls-short", message)
        for name, earned in guesses(item).items():
            if earned >= PASS:
                who = "guessing" if name == "random" else f"always taking the {name} option"
                remedy = "make the wrong ways more tempting, or the right one worth more"
                message = f"{who} earns {earned:.0%} of “{item.id}”, and {PASS:.0%} is a pass; {remedy}"
                yield loader.problem(item, ("public",), "chance-floor", message)
