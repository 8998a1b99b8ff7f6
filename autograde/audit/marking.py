"""Who marked what, how far markers agree, and who stands apart: from the trail, which alone knows a mark's author."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import pstdev

from autograde.audit.agreement import Agreement, Apart, agreement, krippendorff_alpha, stands_apart
from autograde.audit.book import Book, Change
from curriculum.build import CriterionCell, criterion_cells
from curriculum.load import Course

SEED = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A person's last mark of one criterion: a level from 0 up to `best`."""

    marker: str
    learner: str
    cell: str
    level: int
    best: int
    seq: int


@dataclass(frozen=True, slots=True)
class Marking:
    """All figures on those who mark.

    `pairs` has the agreement of each two who marked the same works; `alpha` is
    Krippendorff's ordinal α over all works that several marked; `apart` says of
    each marker how many levels they lie above the others, and `spread` is the
    standard deviation of all marks in levels.
    """

    marks: Mapping[str, int]
    pairs: Mapping[tuple[str, str], Agreement]
    alpha: float | None
    apart: Mapping[str, Apart]
    spread: float


def is_by_hand(change: Change) -> bool:
    """Return whether a person, and no grading run, changed a row."""
    return change.run_id is None


def marking(book: Book) -> Marking:
    """Return how the markers of a gradebook agree. Marks from before the trail have no author and are left out."""
    marks = list(last_marks(book))
    works: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for mark in marks:
        works[mark.learner, mark.cell].append(mark)
    shared: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    levels = 1 + max((mark.best for mark in marks), default=0)
    for several in works.values():
        for one, other in combinations(sorted(several, key=lambda mark: mark.marker), 2):
            first, second = shared[one.marker, other.marker]
            first.append(one.level)
            second.append(other.level)
    markers = sorted({mark.marker for mark in marks})
    apart = {
        marker: found for marker in markers if (found := stands_apart(list(strata(marker, marks)), SEED)) is not None
    }
    return Marking(
        marks={marker: sum(mark.marker == marker for mark in marks) for marker in markers},
        pairs={names: agreement(first, second, levels) for names, (first, second) in sorted(shared.items())},
        alpha=krippendorff_alpha([[mark.level for mark in several] for several in works.values()], "ordinal"),
        apart=apart,
        spread=pstdev([mark.level for mark in marks]) if marks else 0.0,
    )


def last_marks(book: Book) -> Iterator[Mark]:
    """Yield each marker's last mark of each criterion of each work."""
    cells = criteria(book.course)
    last: dict[tuple[str, str, str], Mark] = {}
    for change in book.changes:
        score = given(change)
        cell = cells.get(change.cell or "")
        if score is None or cell is None or change.learner is None:
            continue
        best = len(cell.criterion.levels) - 1
        level = round(min(1.0, max(0.0, score / cell.points)) * best)
        last[change.actor, change.learner, cell.id] = Mark(
            change.actor, change.learner, cell.id, level, best, change.seq
        )
    yield from last.values()


def given(change: Change) -> float | None:
    """Return the mark that a person gave with a change, or None where it gave none."""
    if change.table != "grade" or not is_by_hand(change) or change.new is None:
        return None
    new, old = change.new.get("manual_score"), (change.old or {}).get("manual_score")
    return new if isinstance(new, (int, float)) and new != old else None


def criteria(course: Course) -> dict[str, CriterionCell]:
    """Return the cells in which a person marks a criterion, by their names in the gradebook."""
    return {
        cell.id: cell
        for chapter in course.chapters
        for name, points in chapter.points.items()
        for cell in criterion_cells(course.items[name], points)
    }


def strata(marker: str, marks: Sequence[Mark]) -> Iterator[tuple[list[float], list[float]]]:
    """Yield a marker's and the others' levels for each criterion that both marked."""
    by_cell: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for mark in marks:
        by_cell[mark.cell][mark.marker != marker].append(float(mark.level))
    yield from by_cell.values()
