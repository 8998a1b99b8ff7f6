"""Each item type at the keyboard, in both languages, with a reload in the middle, graded through nbgrader.

Half of every answer is given in one language and the rest in the other. None is
all right, and what it must earn was worked out by hand from the key and the rule.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from autograde.course_data import CourseData
from autograde.serve import Lab
from curriculum.items import TYPES
from curriculum.model import Language
from tests.e2e.conftest import Learner
from tests.e2e.plays import COURSE, play, seen, shown

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Round:
    """An exercise, its answer before the reload and in the end, and what must come of it.

    `share` is of the points that are given without a person; `reason` names the
    option, step or place whose explanation must stand on the feedback page, and
    `did` are words of what was done.
    """

    item: str
    half: Any
    whole: Any
    share: float
    reason: str
    did: dict[Language, str]


WRITTEN = {
    "moment": "On Tuesday at three a man came in about his card.",
    "reaction": "周二下午三点，我请他坐下，把话听完。",
    "effect": "He sat down and told me all of it.",
    "next": "这个星期，我让五位客户把话说完再开口。",
}
UNWRITTEN = dict.fromkeys(WRITTEN, "")

ROUNDS = [
    Round(
        "e2-2-1",
        {"ratings": {"two-kinds": 4, "purse-first": 3}},
        {"ratings": {"two-kinds": 4, "purse-first": 3, "three-years": 3, "house-name": 2, "page-three": 2}},
        # Of 3 + 2 + 2 + 2 + 1 = 10: 3 exact, 2 · 2/3 one off, 0 for a red line called suitable, 2 · 2/3, 1 exact.
        (3 + 4 / 3 + 0 + 4 / 3 + 1) / 10,
        "three-years",
        {"zh": "你评为“比较合适”", "en": "you said “Fairly suitable”"},
    ),
    Round(
        "e2-2-2",
        {"path": ["list-changed", "repeat-needs", "ask-minutes", "sum-of-list", "any-moment"]},
        {
            "path": [
                "list-changed", "repeat-needs", "ask-minutes", "sum-of-list", "any-moment", "give-status",
                "both-lines", "will-bounce", "typical-days", "one-slip", "yours-is-fine",
            ]
        },
        # 3 + 3 + 3 + 1 + 1 + 2 + 3 + 1 + 1 + 1 + 1 = 20, and the best path has ten times 3.
        20 / 30,
        "desk-mate.sum-of-list",
        {"zh": "不是，新表上写着", "en": "The new list says 60 for handling"},
    ),
    Round(
        "e2-2-5",
        {"chosen": ["deductible"]},
        {"chosen": ["coffee-price", "deductible", "first-month"]},
        # Two of three that hold, less one that doesn't.
        (2 - 1) / 3,
        "coffee-price",
        {"zh": "不该选", "en": "Wrongly chosen"},
    ),
    Round(
        "e3-1-1",
        {"order": ["test-printer", "tidy-desk", "greet-seat", "stand-up", "ask-purpose", "hear-out", "note-matters"]},
        {
            "order": [
                "test-printer", "tidy-desk", "greet-seat", "stand-up", "ask-purpose", "hear-out", "note-matters",
                "explain-id", "sum-up", "pass-query", "replace-card", "name-deadline", "check-slip",
            ]
        },
        # Of 14: one to be moved costs two (the ID is asked for before the summing-up), one left out costs one.
        11 / 14,
        "explain-id",
        {"zh": "的位置不对", "en": "is misplaced"},
    ),
    Round(
        "e3-1-3",
        {"marked": ["eyes-on-screen", "points-ear", "same-volume"]},
        {"marked": ["eyes-on-screen", "points-ear", "same-volume", "prints-at-once", "drop-by", "both-hands"]},
        # Found 2 + 2 + 3 + 3, less two false marks, of 2 + 2 + 2 + 2 + 3 + 2 + 3 + 2 = 18.
        8 / 18,
        "slip-spread",
        {"zh": "漏掉问题", "en": "Overlooked"},
    ),
    Round(
        "e3-1-4",
        {"entries": [WRITTEN, {**UNWRITTEN, "moment": "A couple came in about a loan."}, UNWRITTEN], "note": ""},
        {"entries": [WRITTEN, WRITTEN, {**WRITTEN, "next": "Later."}], "note": "谢谢！ Thank you!"},
        # Only all of it counts, and the last “next” is too short.
        0,
        "",
        {"zh": "空着或太短", "en": "empty or too short"},
    ),
    Round(
        "e3-4-3",
        {"best": "adviser-calls", "worst": None},
        {"best": "adviser-calls", "worst": "own-chat"},
        # The second best as best is half of .5; the worst is found.
        0.25 + 0.5,
        "adviser-calls",
        {"zh": "它排第二", "en": "it comes second"},
    ),
]  # fmt: skip


def test_there_is_a_round_for_each_type() -> None:
    assert {COURSE.items[one.item].head.type for one in ROUNDS} == set(TYPES)


@pytest.mark.parametrize(("chapter", "languages"), [("ch2", ("zh", "en")), ("ch3", ("en", "zh"))])
def test_each_type_by_keyboard_in_both_languages(
    chapter: str, languages: tuple[Language, Language], learner: Learner, lab: Lab, course_data: CourseData
) -> None:
    first, second = languages
    rounds = [one for one in ROUNDS if one.item in COURSE.chapter(chapter).items]
    with lab.running():
        learner.open(lab, chapter)
        learner.switch(first)
        for one in rounds:
            play(learner, one.item, one.half)
        for one in rounds:
            learner.saved(one.item)
            assert learner.kept(one.item) == one.half

        learner.page.reload()
        learner.wait(chapter)
        for one in rounds:
            assert shown(learner, one.item) == seen(one.item, one.half, first)

        learner.switch(second)
        for one in rounds:
            assert shown(learner, one.item) == seen(one.item, one.half, second)
            play(learner, one.item, one.whole)
        for one in rounds:
            learner.saved(one.item)
            assert learner.kept(one.item) == one.whole
            assert shown(learner, one.item) == seen(one.item, one.whole, second)
        learner.hand_in()
    assert learner.troubles == []

    course_data.instructor("collect", chapter, update=True)
    course_data.instructor("autograde", chapter, student_id="mei", force=True)
    points = gradebook(course_data, chapter)
    for one in rounds:
        earned, possible = points[one.item]
        assert earned == pytest.approx(possible * one.share), one.item
    course_data.instructor("generate_feedback", chapter, student_id="mei", force=True)
    page = learner.page
    page.goto((course_data.folder / "feedback" / "mei" / chapter / f"{chapter}.html").as_uri())
    for one in rounds:
        part = page.locator(f"section#{one.item}")
        expect(part).to_contain_text(one.did[second])
        why = COURSE.items[one.item].key.rationale(one.reason)
        for words in () if why is None else (why.why, why.better):
            expect(part).to_contain_text(words[second] if words else "")
        for number in () if why is None else (why.point, why.rule):
            expect(part).to_contain_text(number or "")


def gradebook(data: CourseData, chapter: str) -> dict[str, tuple[float, float]]:
    """Return what each graded cell earned without a person, and its points."""
    connection = sqlite3.connect(data.folder / "gradebook.db")
    rows = connection.execute(
        """select base_cell.name, grade.auto_score, grade_cells.max_score from grade
           join base_cell on base_cell.id = grade.cell_id join grade_cells on grade_cells.id = grade.cell_id"""
    ).fetchall()
    connection.close()
    return {name: (earned, possible) for name, earned, possible in rows}
