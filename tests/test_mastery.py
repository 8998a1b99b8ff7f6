"""Mastered or not yet: the pass rules on small courses, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autograde.engine import Outcome, Verdict
from autograde.marks import CriterionMark, Mark
from autograde.mastery import Mastery, mastery
from curriculum.items.free_text.rubric import RUBRIC
from curriculum.load import Course

# Section 3.1 alone: 6 + 9 + 7 points decide, and the reflection's 2 do not.
POINTS = {"e3-1-1": 6.0, "e3-1-2": 9.0, "e3-1-3": 7.0, "e3-1-4": 2.0}


def judged(course: Course, shares: dict[str, float], flags: dict[str, tuple[str, ...]] | None = None) -> Mastery:
    chapter = course.chapter("ch3")
    assert chapter.points == POINTS
    outcomes = [
        Outcome(
            item=name,
            state="graded",
            earned=points * shares.get(name, 0),
            points=points,
            flags=(flags or {}).get(name, ()),
            item_hash="",
            key_hash="",
        )
        for name, points in POINTS.items()
    ]
    verdict = Verdict.model_construct(outcomes=tuple(outcomes))
    return mastery(course, chapter, verdict, {one.item: Mark(one.earned, False) for one in outcomes})


FULL = dict.fromkeys(POINTS, 1.0)


def test_a_section_is_mastered_from_four_fifths_of_its_points(course: Course) -> None:
    # 22 points decide; 80 % are 17.6: 6 + 9 + 7 · x with x = 2.6 / 7.
    (section,) = judged(course, {"e3-1-1": 1, "e3-1-2": 1, "e3-1-3": 2.6 / 7}).sections
    assert (section.earned, section.possible) == pytest.approx((17.6, 22))
    assert section.is_enough
    (section,) = judged(course, {"e3-1-1": 1, "e3-1-2": 1, "e3-1-3": 2.59 / 7}).sections
    assert not section.is_enough


def test_a_reflection_decides_nothing(course: Course) -> None:
    (section,) = judged(course, {**FULL, "e3-1-4": 0}).sections
    assert section.mastered
    assert section.share == 1


def test_nothing_makes_up_for_a_red_line(course: Course) -> None:
    (section,) = judged(course, FULL, {"e3-1-2": ("red-line",)}).sections
    assert section.is_enough
    assert not section.mastered
    assert [title.en for title in section.crossed] == ["First visit of a young investor"]
    (section,) = judged(course, FULL, {"e3-1-2": ("critical-pair",)}).sections
    assert section.mastered


def test_each_thing_to_do_needs_half_of_one_exercise(course: Course) -> None:
    # The ordering and the transcript alone have these; below half of both they are weak, whatever the sum.
    shares = {"e3-1-1": 0.49, "e3-1-2": 1, "e3-1-3": 0.49}
    (section,) = judged(course, shares).sections
    only_there = {"3.1.1", "3.1.3", "3.1.4", "3.1.6", "3.1.7a", "3.1.7b"} & course.action_points
    assert only_there
    assert only_there <= set(section.weak)
    assert "3.1.5" not in section.weak
    (section,) = judged(course, {**shares, "e3-1-3": 0.5}).sections
    assert not only_there & set(section.weak)


def test_competencies_take_all_exercises_that_ask_for_them(course: Course) -> None:
    # C6 stands in the talk alone, C9 in the ordering and the transcript: 3 + 4 of 13 points are 54 %.
    found = judged(course, {"e3-1-1": 3 / 6, "e3-1-2": 0.6, "e3-1-3": 4 / 7})
    by_name = {one.title.en: one for one in found.competencies}
    names = {name: course.plan.competencies[name].en for name in ("C6", "C9", "C10")}  # type: ignore[index]
    assert (by_name[names["C6"]].share, by_name[names["C6"]].mastered) == (pytest.approx(0.6), True)
    assert (by_name[names["C9"]].share, by_name[names["C9"]].mastered) == (pytest.approx(7 / 13), False)
    assert names["C10"] not in by_name  # only the reflection asks for it here


def test_what_is_not_mastered_says_which_exercises_are_short(course: Course) -> None:
    # Of 80 %: the ordering has 100, the talk 70 and the transcript 50. The reflection decides nothing.
    found = judged(course, {"e3-1-1": 1, "e3-1-2": 0.7, "e3-1-3": 0.5, "e3-1-4": 0})
    (section,) = found.sections
    assert [name for name, _title in section.short] == ["e3-1-2", "e3-1-3"]
    assert section.exercises == 3
    assert judged(course, {"e3-1-1": 1, "e3-1-2": 1, "e3-1-3": 0.7}).sections[0].short == ()  # enough as a whole
    by_name = {one.title.en: one for one in found.competencies}
    c9 = by_name[course.plan.competencies["C9"].en]  # type: ignore[index]
    # The ordering and the transcript: 6 + 3.5 of 13 are 73 %, more than 60.
    assert (c9.exercises, c9.short) == (2, ())


def test_an_exercise_still_to_be_marked_is_not_called_short(whole_course: Course) -> None:
    # 4.5 of 9 and 4.5 to come: it may yet be enough; with 2 to come it can't.
    chapter = whole_course.chapter("ch2")
    outcome = Outcome(item="e2-2-3", state="graded", earned=4.5, points=9, item_hash="", key_hash="")
    verdict: Any = Verdict.model_construct(outcomes=(outcome,))
    for scores, short in (((None,) * 6, []), ((0.75, 0.75, 0, 0, 0, 0), ["e2-2-3"])):
        marks = tuple(CriterionMark(one, 0.75, score) for one, score in zip(RUBRIC.criteria, scores, strict=True))
        score = 4.5 + sum(one.score or 0 for one in marks)
        found = mastery(whole_course, chapter, verdict, {"e2-2-3": Mark(score, False, marks)})
        assert [name for name, _title in found.sections[0].short] == short


def test_what_a_person_has_still_to_mark_is_named(whole_course: Course) -> None:
    chapter = whole_course.chapter("ch2")
    outcome = Outcome(item="e2-2-3", state="graded", earned=4.5, points=9, item_hash="", key_hash="")
    waiting = tuple(CriterionMark(criterion, 0.75, None) for criterion in RUBRIC.criteria)
    verdict: Any = Verdict.model_construct(outcomes=(outcome,))
    found = mastery(whole_course, chapter, verdict, {"e2-2-3": Mark(4.5, False, waiting)})
    assert [(one.title.en, one.waiting, one.mastered) for one in found.sections] == [("2.2 Honest service", 4.5, False)]
    marked = tuple(replace(one, score=0.75) for one in waiting)
    found = mastery(whole_course, chapter, verdict, {"e2-2-3": Mark(9, False, marked)})
    assert [(one.waiting, one.mastered) for one in found.sections] == [(0, True)]
