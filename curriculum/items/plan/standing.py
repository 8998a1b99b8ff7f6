"""How a plan stands to a test, by counting alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from statistics import fmean
from typing import assert_never

from curriculum.items.plan.model import (
    Count,
    Different,
    Field,
    Fits,
    Forbidden,
    Plan,
    PlanPublic,
    Required,
    Test,
    skipping,
    spoken_of,
)
from curriculum.model import Text, joined

TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the `size` places a test speaks of, how many are `settled`, that is as they should be.

    `held` says how far the limits of a count are kept, 0 to 1. What goes against the test is in
    `breaks`, where nothing is chosen yet in `blank`, and rows that the plan leaves out in `left_out`.
    """

    size: int
    settled: int
    held: float = 1.0
    breaks: tuple[Text, ...] = ()
    blank: tuple[Text, ...] = ()
    left_out: tuple[Text, ...] = ()

    def value(self, spare: int) -> float:
        """Return 0 to 1. Only `spare` places may be left out, so that planning nothing earns nothing."""
        return self.held * (self.settled + min(len(self.left_out), spare)) / self.size

    def amiss(self, spare: int) -> list[Text]:
        """Return all that keeps the value below 1."""
        return [*self.breaks, *self.blank, *(self.left_out if len(self.left_out) > spare else ())]


class Board:
    """A plan beside the rows and fields it is for."""

    def __init__(self, public: PlanPublic, plan: Plan) -> None:
        self.public, self.plan = public, plan
        self.skipped = skipping(public, plan)
        self.rows, self.fields = public.rows_by_id, public.fields_by_id

    def chosen(self, row: str, field: str) -> str | None:
        """Return the option of a row; of a row that is left out, only the one that says so."""
        if self.skipped.get(row, field) != field:
            return None
        return self.plan.get(row, {}).get(field)

    def words(self, row: str, field: str) -> Text:
        option = self.fields[field].option(self.chosen(row, field) or "")
        label = self.rows[row].label
        if option is None:
            return label
        return Text(zh=f"{label.zh}（{option.text.zh}）", en=f"{label.en} ({option.text.en})")

    def stands(self, test: Test) -> Standing:
        match test:
            case Required():
                options = test.options or [o.id for o in self.fields[test.field].options if not o.skips]
                return self.cells(test.field, dict.fromkeys(spoken_of(self.public, test), options))
            case Forbidden():
                options = [o.id for o in self.fields[test.field].options if o.id not in test.options]
                return self.cells(test.field, dict.fromkeys(spoken_of(self.public, test), options))
            case Fits():
                return self.cells(test.field, test.rows)
            case Different():
                return self.neighbours(test)
            case Count():
                return self.count(test)
            case _:
                assert_never(test)

    def cells(self, field: str, allowed: Mapping[str, Collection[str]]) -> Standing:
        settled = 0
        breaks, blank, left_out = list[Text](), list[Text](), list[Text]()
        for row, options in allowed.items():
            chosen = self.chosen(row, field)
            if chosen in options:
                settled += 1
            elif chosen is not None:
                breaks.append(self.words(row, field))
            else:
                (left_out if row in self.skipped else blank).append(self.rows[row].label)
        return Standing(len(allowed), settled, 1, tuple(breaks), tuple(blank), tuple(left_out))

    def neighbours(self, test: Different) -> Standing:
        settled = 0
        breaks, blank, left_out = list[Text](), list[Text](), list[Text]()
        for pair in pairwise(test.rows):
            before, after = (self.chosen(row, test.field) for row in pair)
            both = joined([self.words(row, test.field) for row in pair])
            if any(row in self.skipped for row in pair):
                left_out.append(both)
            elif before is None or after is None:
                blank.append(both)
            elif before == after:
                breaks.append(both)
            else:
                settled += 1
        return Standing(len(test.rows) - 1, settled, 1, tuple(breaks), tuple(blank), tuple(left_out))

    def count(self, test: Count) -> Standing:
        rows = spoken_of(self.public, test)
        needed = {name for name in (test.field, test.amount) if name in self.fields}
        planned = [row for row in rows if row not in self.skipped]
        blank = [row for row in planned if not all(self.chosen(row, name) for name in needed)]
        field = self.fields[test.field]
        totals = {group: self.total(test, rows, group) for group in limits(field, test)}
        return Standing(
            size=len(rows),
            settled=len(planned) - len(blank),
            held=fmean(kept(test, total) for total in totals.values()),
            breaks=tuple(amiss(field, test, group, total) for group, total in totals.items() if kept(test, total) < 1),
            blank=tuple(self.rows[row].label for row in blank),
            left_out=tuple(self.rows[row].label for row in rows if row in self.skipped),
        )

    def total(self, test: Count, rows: Sequence[str], options: Collection[str]) -> float:
        return fsum(self.amount(test, row) for row in rows if self.chosen(row, test.field) in options)

    def amount(self, test: Count, row: str) -> float:
        if test.amount is None:
            return 1
        if test.amount in self.fields:
            option = self.fields[test.amount].option(self.chosen(row, test.amount) or "")
            return (option and option.amount) or 0
        fact = self.rows[row].facts[test.amount]
        return fact if isinstance(fact, float) else 0


def limits(field: Field, test: Count) -> list[tuple[str, ...]]:
    """Return the groups of options for each of which the limits hold."""
    options = test.options or tuple(option.id for option in field.options if not option.skips)
    return [(option,) for option in options] if test.each else [options]


def kept(test: Count, total: float) -> float:
    """Return how far the limits are kept: 1, or the ratio of the total and the limit it misses."""
    if too_much(test, total):
        return (test.at_most or 0) / total
    if test.at_least is not None and total < test.at_least - TINY:
        return total / test.at_least
    return 1.0


def too_much(test: Count, total: float) -> bool:
    return test.at_most is not None and total > test.at_most + TINY


def amiss(field: Field, test: Count, options: Sequence[str], total: float) -> Text:
    """Say what a group of options comes to, and what it should."""
    now, most, least = (f"{round(value or 0, 2):.10g}" for value in (total, test.at_most, test.at_least))
    zh, en = (f"最多 {most}", f"at most {most}") if too_much(test, total) else (f"至少 {least}", f"at least {least}")
    if not (test.options or test.each):
        return Text(zh=f"合计 {now}（{zh}）", en=f"{now} in all ({en})")
    names = joined([option.text for option in field.options if option.id in options])
    return Text(zh=f"{names.zh} {now}（{zh}）", en=f"{names.en} {now} ({en})")
