"""What the feedback page says, beyond the points: what to practise, what was partly right, and no raw units."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from autograde.engine import Outcome, Verdict
from autograde.feedback import page
from autograde.marks import Mark
from curriculum.load import Course
from curriculum.model import Language
from curriculum.verdict import explain, judge


def feedback(course: Course, responses: dict[str, Any], language: Language = "en") -> str:
    """Return the page of somebody who gave these responses in chapter 3, and nothing else."""
    chapter = course.chapter("ch3")
    outcomes = []
    for name, points in chapter.points.items():
        item = course.items[name]
        if name not in responses:
            blank = Outcome(item=name, state="unanswered", earned=0, points=points, item_hash="", key_hash="")
            outcomes.append(blank)
            continue
        score, missing = judge(item, responses[name])
        outcomes.append(
            Outcome(
                item=name,
                state="graded",
                earned=points * score.share,
                points=points,
                missing=missing,
                flags=score.flags,
                rows=tuple(explain(item, score)),
                item_hash="",
                key_hash="",
            )
        )
    verdict = Verdict(language=language, receipt=None, outcomes=tuple(outcomes))
    return page(course, chapter, verdict, {one.item: Mark(one.earned, False) for one in outcomes}, {}, 0)


# explain-id before the greeting is the critical pair of this exercise; whatever else is in order, half is left.
ID_FIRST = {"order": ["explain-id", "greet-seat"]}


def test_what_caps_a_score_says_at_how_much(course: Course) -> None:
    assert course.items["e3-1-1"].key.model_dump()["critical"][0]["cap"] == 0.5
    html = feedback(course, {"e3-1-1": ID_FIRST})
    assert "However well the rest stands, the exercise then earns at most 50 %." in html
    assert "其余排得再好，本题最多得 50%。" in feedback(course, {"e3-1-1": ID_FIRST}, "zh")


def test_learners_read_no_raw_units(course: Course) -> None:
    html = feedback(course, {"e3-1-1": ID_FIRST, "e3-1-2": {"path": ["keep-distance"]}})
    assert not re.search(r'class="units">[+−]', html)
    assert "dialogue." not in html


def test_a_reply_that_earns_something_is_partly_right(course: Course) -> None:
    points = course.items["e3-1-2"].key.model_dump()["points"]["arrives"]
    assert (points["keep-distance"], sorted(points.values())) == (3, [0, 1, 3])
    verdicts = {
        number: re.findall(r'class="verdict">([^<]*)', feedback(course, {"e3-1-2": {"path": [choice]}}))
        for choice, number in points.items()
    }
    assert verdicts == {3: ["Well done"], 1: ["Partly right"], 0: ["Not right yet"]}


def test_what_to_practise_has_names(course: Course) -> None:
    html = feedback(course, {"e3-1-1": ID_FIRST})
    (section,) = re.findall(r'<tr><th scope="row">3\.1 .*?</tr>\s*<tr class="more">.*?</tr>', html, re.DOTALL)
    assert "Practise again: 3.1 Reception etiquette" in section
    # The reflection, e3-1-4, decides nothing.
    asked = {point for name in ("e3-1-1", "e3-1-2", "e3-1-3") for point in course.items[name].head.covers}
    weak = course.action_points & asked
    assert weak
    for point in weak:
        assert f"{course.teaching_points[point].en} <span" in unescape(section)
    assert '<a href="#e3-1-2">First visit of a young investor</a>' in section


def test_a_competency_says_on_how_many_exercises_it_stands(course: Course) -> None:
    html = feedback(course, {"e3-1-1": ID_FIRST})
    found = dict(re.findall(r'<tr><th scope="row">([^<]*)</th><td>(\d+)</td>', html))
    # C6 stands in the talk alone, C9 in the ordering and the transcript; of the section's four one is a reflection.
    names = course.plan.competencies
    assert found[names["C6"].en] == "1"  # type: ignore[index]
    assert found[names["C9"].en] == "2"  # type: ignore[index]
    assert found["3.1 Reception etiquette"] == "3"


def test_the_page_says_what_the_pass_rules_ask_for(course: Course) -> None:
    said = unescape(feedback(course, {}))
    assert (
        "A section is mastered with 80 % of its points, no red line crossed, and 50 % in at least one exercise" in said
    )
    assert (
        "The whole course is passed with 75 % of all points, every section mastered, 60 % in every competency" in said
    )
    assert "The cut for the whole course is provisional" in said
