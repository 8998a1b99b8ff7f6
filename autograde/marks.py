"""What the gradebook holds for each item: the engine's points, and a person's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from autograde.engine import Verdict
from curriculum.build import criterion_cells
from curriculum.model import Criterion, Item, Text


class Grade(Protocol):
    """A row of nbgrader's gradebook: one cell of one submission."""

    @property
    def name(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def manual_score(self) -> float | None: ...
    @property
    def extra_credit(self) -> float | None: ...
    @property
    def needs_manual_grade(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class CriterionMark:
    """A person's mark for one criterion of a rubric; `score` is None until it is given."""

    criterion: Criterion
    points: float
    score: float | None

    @property
    def is_good(self) -> bool:
        """Whether the mark is in the better half of the levels."""
        return self.score is not None and self.score * 2 > self.points

    @property
    def level(self) -> Text | None:
        """What the rubric says of the level nearest to the score."""
        if self.score is None:
            return None
        levels = self.criterion.levels
        return levels[round((len(levels) - 1) * min(1.0, max(0.0, self.score / self.points)))]


@dataclass(frozen=True, slots=True)
class Mark:
    """What an item has earned so far; `by_hand` says that a person changed what the engine gave."""

    score: float
    by_hand: bool
    criteria: tuple[CriterionMark, ...] = ()

    @property
    def waiting(self) -> float:
        """Points that a person has still to give or refuse."""
        return sum(mark.points for mark in self.criteria if mark.score is None)


def read_marks(items: Mapping[str, Item], verdict: Verdict, grades: Iterable[Grade]) -> dict[str, Mark]:
    """Return the marks by item, in the order of the verdict, from the cells of a submission."""
    by_name = {grade.name: grade for grade in grades}
    marks = {}
    for outcome in verdict.outcomes:
        grade, item = by_name.get(outcome.item), items[outcome.item]
        criteria = tuple(
            CriterionMark(cell.criterion, cell.points, given(by_name.get(cell.id)))
            for cell in criterion_cells(item, outcome.points)
        )
        automatic = grade.score if grade else outcome.earned
        by_hand = grade is not None and (grade.manual_score is not None or bool(grade.extra_credit))
        marks[outcome.item] = Mark(automatic + sum(mark.score or 0 for mark in criteria), by_hand, criteria)
    return marks


def given(grade: Grade | None) -> float | None:
    """Return a person's mark, or None as long as nobody has given one."""
    waiting = grade is None or (grade.needs_manual_grade and grade.manual_score is None)
    return None if waiting or grade is None else grade.score
