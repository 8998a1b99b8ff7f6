"""Values that no view would send, by the hundred thousand: a scorer refuses them in words, or keeps its bounds.

The values are the same in every run: any JSON at all, and valid responses that were damaged, given to the
example of a type and now and then to its largest item.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograde.examples import Example, example
from autograde.largest import Keys, at, guesses, largest, replaced, walk
from autograde.place import CourseError
from curriculum.items import TYPES
from curriculum.model import Item, Score
from curriculum.verdict import InvalidResponseError, explain, judge

TOLERANCE = 1e-9
LARGEST_EVERY = 10
SHOWN = 200
NUMBERS = (
    0, 1, -1, 2, 3, 7, 100, -0.0, 0.5, 1e-300, 1e308, -1e308, 2**31, 2**63, 10**400, math.nan, math.inf, -math.inf,
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "\ud800", "a" * 300, "字" * 3000, "a" * 70_000, "NaN", "Infinity", "1e999", "-0", "０.５％", "1,000",
    "true", "null", "__class__", "{0.__class__}", "{ref}", "../../etc/passwd", "e\u0301", "\u202eabc", "\u0663",
)  # fmt: skip


@dataclass
class Tally:
    """What became of the values given to a type; `faults` are what must never happen."""

    refused: int = 0
    scored: int = 0
    worst: float = 0
    faults: list[str] = field(default_factory=list)


class Values:
    """An endless, repeatable run of values for one item."""

    def __init__(self, item: Item, responses: Sequence[Any]) -> None:
        self.random = Random(item.id)
        self.responses = responses
        texts = [text for response in responses for keys, value in walk(response) for text in (*keys, value)]
        ids = [value for keys, value in walk(item.public.model_dump()) if keys[-1:] == ("id",)]
        self.words = [*sorted({text for text in (*texts, *ids) if isinstance(text, str)}), *TEXTS]

    def any(self, depth: int = 4) -> Any:
        """Return any JSON, made of words that the item knows among others."""
        random = self.random
        match random.randrange(8 if depth else 5):
            case 0:
                return random.choice((None, True, False))
            case 1:
                return random.choice(NUMBERS)
            case 2:
                return random.choice((random.randint(-10, 100), random.uniform(-10, 100)))
            case 3 | 4:
                return random.choice(self.words)
            case 5:
                return [self.any(depth - 1) for _ in range(random.randrange(5))]
            case 6:
                return [self.any(depth - 1)] * random.choice((1, 2, 80, 700))
            case _:
                return {random.choice(self.words): self.any(depth - 1) for _ in range(random.randrange(5))}

    def damaged(self) -> Any:
        """Return a valid response with up to three places of it changed."""
        value = self.random.choice(self.responses)
        for _ in range(self.random.randrange(4)):
            value = self.changed(value)
        return value

    def changed(self, value: Any) -> Any:
        random, keys = self.random, self.place(value)
        match random.randrange(7):
            case 0:
                return without(value, keys)
            case 1:
                return replaced(value, keys, random.choice(self.words))
            case 2:
                return replaced(value, keys, random.choice(NUMBERS))
            case 3:
                return replaced(value, keys, at(value, self.place(value)))
            case 4:
                inner = at(value, keys)
                return replaced(value, keys, random.choice(([inner], [inner, inner], {"id": inner})))
            case 5:
                return more(value, keys, str(random.choice(self.words)), self.any(2))
            case _:
                return replaced(value, keys, self.any())

    def place(self, value: Any) -> Keys:
        """Return the keys of some place in a value."""
        keys: Keys = ()
        while isinstance(value, (list, dict)) and value and self.random.random() < 0.8:
            name = self.random.choice([*value] if isinstance(value, dict) else range(len(value)))
            keys, value = (*keys, name), value[name]
        return keys

    def next(self) -> Any:
        return self.any() if self.random.random() < 0.3 else self.damaged()


def without(value: Any, keys: Keys) -> Any:
    """Return a value with one place of it taken out."""
    if not keys:
        return None
    container = at(value, keys[:-1]).copy()
    del container[keys[-1]]
    return replaced(value, keys[:-1], container)


def more(value: Any, keys: Keys, name: str, new: Any) -> Any:
    """Return a value with something put into the list or mapping at a place of it."""
    inner = at(value, keys)
    if isinstance(inner, dict):
        return replaced(value, keys, {**inner, name: new})
    return replaced(value, keys, [*inner, new] if isinstance(inner, list) else [inner, new])


def fuzz(example: Example, values: int) -> Tally:
    """Judge so many values for a type and count what became of them."""
    tally, large = Tally(), largest(example)
    ordinary = Values(example.item, (*example.responses, *guesses(example.item)))
    extreme = Values(large.item, (large.response, *guesses(large.item)))
    for number in range(values):
        item, source = (large.item, extreme) if number % LARGEST_EVERY == 0 else (example.item, ordinary)
        value = source.next()
        try:
            meet(item, value, tally)
        except Exception as error:
            tally.faults.append(f"value {number}, {repr(value)[:SHOWN]}: {error!r}")
    return tally


def meet(item: Item, value: Any, tally: Tally) -> None:
    """Judge one value. Raises whatever must not happen."""
    began = time.process_time()
    try:
        score, _missing = judge(item, value)
    except InvalidResponseError:
        tally.refused += 1
        return
    finally:
        tally.worst = max(tally.worst, time.process_time() - began)
    check_bounds(score)
    explain(item, score)
    tally.scored += 1


def check_bounds(score: Score) -> None:
    """Raise ValueError for a score that earns what its evidence does not, or what can't be earned."""
    amounts = [entry.earned for entry in score.evidence]
    if not all(map(math.isfinite, (score.earned, score.possible, *amounts))):
        raise ValueError("a score is not finite")
    if not 0 <= score.earned <= score.possible:
        raise ValueError(f"{score.earned} of {score.possible} is out of bounds")
    if abs(min(max(sum(amounts), 0), score.possible) - score.earned) > TOLERANCE:
        raise ValueError(f"evidence gives {sum(amounts)}, and the score says {score.earned} of {score.possible}")


def fuzz_all(console: Console, values: int) -> None:
    """Print what became of so many values for each type. Raises CourseError when one was not met as it should be."""
    table = Table(title=f"{values:,} values for each type")
    table.add_column("type", no_wrap=True)
    for heading in ("refused", "scored", "worst, ms of the processor", "faults"):
        table.add_column(heading, justify="right")
    faults = []
    for name in track([*TYPES], description="Types", console=console):
        tally = fuzz(example(name), values)
        faults += [f"{name}: {fault}" for fault in tally.faults]
        counts = (f"{tally.refused:,}", f"{tally.scored:,}", f"{1000 * tally.worst:.1f}", f"{len(tally.faults):,}")
        table.add_row(name, *counts)
    console.print(table)
    if faults:
        raise CourseError(f"{len(faults)} values were neither refused in words nor scored in bounds; first {faults[0]}")
