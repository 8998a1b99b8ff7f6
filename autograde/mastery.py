"""What a learner has mastered of a chapter by the pass rules of course.yml: by section and by competency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autograde.engine import Outcome, Verdict
from autograde.marks import Mark
from curriculum.lint.coverage import section_of
from curriculum.load import Chapter, Course
from curriculum.model import Item, Text

RED_LINE = "red-line"
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a section or a competency has come; `earned` and `possible` are points.

    `exercises` is how many decide. `crossed` are those in which a red line was crossed; nothing makes up
    for it. `weak` are action points for which no exercise earned enough. `short` are the exercises, id and
    title, that keep it below what is needed; `waiting` are points that a person has still to give.
    """

    title: Text
    earned: float
    possible: float
    needed: float
    exercises: int
    crossed: tuple[Text, ...] = ()
    weak: tuple[str, ...] = ()
    short: tuple[tuple[str, Text], ...] = ()
    waiting: float = 0

    @property
    def share(self) -> float:
        return self.earned / self.possible

    @property
    def is_enough(self) -> bool:
        return self.share >= self.needed - ROUNDING

    @property
    def mastered(self) -> bool:
        return self.is_enough and not self.crossed and not self.weak


@dataclass(frozen=True, slots=True)
class Mastery:
    sections: tuple[Standing, ...]
    competencies: tuple[Standing, ...]


Judged = list[tuple[Item, Outcome, Mark]]


def mastery(course: Course, chapter: Chapter, verdict: Verdict, marks: Mapping[str, Mark]) -> Mastery:
    """Return what is mastered and what not yet. Reflections and being late decide nothing."""
    judged = [
        (item, outcome, marks[outcome.item])
        for outcome in verdict.outcomes
        if (item := course.items[outcome.item]).kind.decides
    ]
    sections = []
    for section in chapter.sections:
        own = [part for part in judged if part[0].id in section.plan.items]
        if own:
            title = Text(**{language: f"{section.plan.id} {words}" for language, words in section.plan.title})
            weak = tuple(point for point in weak_points(course, judged) if section_of(point) == section.plan.id)
            sections.append(standing(title, own, course.plan.passing.section, weak))
    competencies = []
    for name, title in course.plan.competencies.items():
        asking = [part for part in judged if name in part[0].head.competencies]
        if asking:
            competencies.append(standing(title, asking, course.plan.passing.competency))
    return Mastery(tuple(sections), tuple(competencies))


def standing(title: Text, judged: Judged, needed: float, weak: tuple[str, ...] = ()) -> Standing:
    found = Standing(
        title,
        earned=sum(mark.score for _item, _outcome, mark in judged),
        possible=sum(outcome.points for _item, outcome, _mark in judged),
        needed=needed,
        exercises=len(judged),
        crossed=tuple(item.head.title for item, outcome, _mark in judged if RED_LINE in outcome.flags),
        weak=weak,
        waiting=sum(mark.waiting for _item, _outcome, mark in judged),
    )
    if found.is_enough:
        return found
    # What a person has still to mark may yet be enough.
    short = tuple(
        (item.id, item.head.title)
        for item, outcome, mark in judged
        if (mark.score + mark.waiting) / outcome.points < needed - ROUNDING
    )
    return replace(found, short=short)


def weak_points(course: Course, judged: Judged) -> list[str]:
    """Return the action points that exercises ask for and of which none earned its share."""
    best: dict[str, float] = {}
    for item, outcome, mark in judged:
        for point in course.action_points.intersection(item.head.covers):
            best[point] = max(best.get(point, 0), mark.score / outcome.points)
    return sorted(point for point, share in best.items() if share < course.plan.passing.point - ROUNDING)
