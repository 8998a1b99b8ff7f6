"""What deserves a look, rule by rule, on books made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from autograde.audit import looks
from autograde.audit.book import Book, Cell, Change, Evidence, Standing
from autograde.audit.looks import Look, find
from autograde.audit.marking import criteria, marking
from autograde.audit.rules import KAPPA_WORKS, RULES
from autograde.audit.traces import Trace
from autograde.place import ROOT
from curriculum.load import Course

WAITING = {"manual_score": None, "needs_manual_grade": True}
TEXT = "e4-2-3"  # a free text: six criteria of 0 to 3, a twelfth of its points each
RULE_IDS = (
    "after-release", "no-reason", "override", "marker", "agreement", "same-answers", "speed", "late", "tampering",
    "unmarked", "no-evidence",
)  # fmt: skip


def evidence(earned: float, **more: Any) -> Evidence:
    fields: dict[str, Any] = {
        "run_id": "run", "state": "graded", "earned": earned, "possible": 6, "by_hand": 0, "flags": (), "rules": "[]",
        "item_hash": "hash", "key_hash": "key", "seq": 1, "at": "", "line": "line",
    }  # fmt: skip
    return Evidence(**(fields | more))


def cell(automatic: float = 4, **more: Any) -> Cell:
    fields: dict[str, Any] = {
        "item": "e3-1-1", "possible": 6, "automatic": automatic, "by_hand": None, "score": automatic, "waiting": 0,
        "state": "graded", "evidence": evidence(automatic),
    }  # fmt: skip
    return Cell(**(fields | more))


def standing(*cells: Cell, **more: Any) -> Standing:
    fields: dict[str, Any] = {
        "learner": "anna", "chapter": "ch3", "cohort": None, "handed_in": None, "due": None, "late_seconds": 0,
        "penalty": 0, "total": 4, "possible": 100, "state": "graded", "mastered": False, "red_lines": (),
        "sealed": True, "cells": {one.item: one for one in cells or (cell(),)},
    }  # fmt: skip
    return Standing(**(fields | more))


def change(seq: int, was: float | None, now: float | None, **more: Any) -> Change:
    fields: dict[str, Any] = {
        "seq": seq, "at": "2026-11-30T08:00:00.000Z", "db_user": "", "actor": "os:berta", "run_id": None,
        "reason": None, "table": "grade", "op": "update", "row_id": "1", "learner": "anna", "chapter": "ch3",
        "cell": "e3-1-1", "old": {"manual_score": was}, "new": {"manual_score": now},
    }  # fmt: skip
    return Change(**(fields | more))


@pytest.fixture
def look(whole_course: Course) -> Callable[..., list[Look]]:
    def found(*standings: Standing, changes: tuple[Change, ...] = ()) -> list[Look]:
        return find(Book(course=whole_course, standings=standings, changes=changes))

    return found


Find = Callable[..., list[Look]]


def test_every_rule_says_all_that_a_person_needs() -> None:
    assert tuple(RULES) == RULE_IDS
    for name, rule in RULES.items():
        assert rule.id == name
        for text in (rule.title, rule.what, rule.threshold, rule.chance):
            assert text.zh != text.en


@pytest.mark.parametrize("name", RULE_IDS)
def test_the_page_tells_each_rule_as_it_is(name: str) -> None:
    rule, page = RULES[name], (ROOT / "docs" / "looks.md").read_text("utf-8")
    title = f"{rule.title.en} · {rule.title.zh}"
    assert f"| `{name}` | {title} | {rule.what.en} | {rule.threshold.en} | {rule.chance.en} |\n" in page


def test_a_gradebook_in_order_has_nothing(look: Find) -> None:
    assert look(standing()) == []


def test_changes_after_release(look: Find) -> None:
    changes = (
        change(3, None, 5, after_release=True, reason="appeal"),
        change(4, 5, 6, after_release=True, reason="appeal", actor="hub:carl"),
        change(5, None, 5, reason="before release"),
        change(6, 1, 2, after_release=True, run_id="0123456789abcdef", learner="bert"),
    )
    first, second = look(changes=changes)
    assert (first.rule, first.learner, first.seqs) == ("after-release", "anna", (3, 4))
    assert "2 changes after the feedback was out (– → 5, 5 → 6), by" in first.sentence.en
    assert "hub:carl, os:berta" in first.sentence.en
    assert (second.learner, second.seqs) == ("bert", (6,))
    assert "run 01234567" in second.sentence.en


@pytest.mark.parametrize(
    ("made", "needs_one"),
    [
        (change(1, None, 5), True),  # over an automatic score
        (change(1, None, 1, old=WAITING), False),  # a first mark
        (change(1, None, 1, old=WAITING, new={"manual_score": 1, "extra_credit": 2}), True),  # and something on top
        (change(1, 5, 5, old={"needs_manual_grade": False}, new={"needs_manual_grade": True}), False),  # a regrade
        (change(1, 1, 0, cell=f"{TEXT}-empathy"), True),  # another mark than before
        (change(1, 1, None, cell=f"{TEXT}-empathy"), True),  # a mark taken back
        (change(1, 1, 1, cell=f"{TEXT}-empathy"), False),  # nothing that counts
        (change(1, None, 5, reason="heard the appeal"), False),
        (change(1, None, 5, reason="  "), True),
        (change(1, None, 5, run_id="run"), False),  # the engine's reasons are its rules
        (change(1, None, None, table="comment", after_release=True), True),
        (change(1, None, None, table="comment"), False),
    ],
)
def test_reasons(look: Find, made: Change, needs_one: bool) -> None:
    found = [one for one in look(changes=(made,)) if one.rule == "no-reason"]
    assert len(found) == needs_one
    for one in found:
        assert "os:berta" in one.sentence.en
        assert one.seqs == (1,)


def test_overrides(look: Find) -> None:
    by_hand, extra = cell(by_hand=5.5, score=5.5), cell(item="e3-1-2", extra=1.0, score=5)
    same = cell(item="e3-1-3", by_hand=4, score=4)
    found = look(standing(by_hand, extra, same), changes=(change(8, None, 5.5, reason="said"),))
    assert [(one.rule, one.item, one.seqs) for one in found] == [
        ("override", "e3-1-1", (8,)),
        ("override", "e3-1-2", ()),
    ]
    assert "automatic score was 4; it is now 5.5 of 6" in found[0].sentence.en


def test_states_deadlines_and_texts_to_mark(look: Find) -> None:
    late = standing(late_seconds=5400, penalty=1.5, learner="late")
    refused, changed = standing(as_graded="refused", learner="forger"), standing(as_graded="warning", learner="tinker")
    waiting = standing(cell(item=TEXT, waiting=3, criteria={"empathy": None}), state="waiting", learner="writer")
    both = standing(state="waiting", as_graded="warning", learner="waits-too")
    found = look(late, refused, changed, waiting, both)
    assert [(one.rule, one.learner) for one in found] == [
        ("late", "late"), ("tampering", "forger"), ("tampering", "tinker"), ("tampering", "waits-too"),
        ("unmarked", "writer"),
    ]  # fmt: skip
    assert "1.5 hours" in found[0].sentence.en
    assert "1.5 points" in found[0].sentence.en
    assert "3 points" in found[4].sentence.en


def test_scores_and_passes_without_evidence(look: Find) -> None:
    bare = look(standing(cell(evidence=None), mastered=True))
    assert [one.item for one in bare] == ["e3-1-1", None]
    assert {one.rule for one in bare} == {"no-evidence"}
    assert "has no evidence" in bare[1].sentence.en or "have no evidence" in bare[1].sentence.en
    (differs,) = look(standing(cell(4, evidence=evidence(3))))
    assert "score is 4, and its evidence says 3" in differs.sentence.en
    assert look(standing(cell(0, evidence=None))) == [], "nothing earned needs no evidence"
    assert look(standing(cell(4, evidence=evidence(4 + 1e-9)))) == []


def test_evidence_is_held_against_the_log(whole_course: Course) -> None:
    book = Book(course=whole_course, standings=(standing(),), changes=())

    def doubts(line: str, item_hash: str) -> list[str]:
        trace = Trace("anna", "ch3", ("e3-1-1",), {}, {}, {"e3-1-1": (line, item_hash)})
        return [one.sentence.en for one in looks.evidence(book, [trace])]

    assert doubts("line", "hash") == []
    assert "another record" in doubts("other", "hash")[0]
    assert "another wording" in doubts("line", "other")[0]
    gone = Trace("anna", "ch3", ("e3-1-2",), {}, {}, {})
    assert "another record" in next(looks.evidence(book, [gone])).sentence.en
    unanswered = replace(standing(), cells={"e3-1-1": cell(0, evidence=evidence(0, state="unanswered", line=None))})
    assert list(looks.evidence(replace(book, standings=(unanswered,)), [gone])) == []


def test_speed_needs_several_exercises_and_the_median() -> None:
    def trace(*paces: float) -> Trace:
        return Trace("anna", "ch3", (), {}, {f"e{n}": pace for n, pace in enumerate(paces)}, {})

    assert list(looks.too_fast([trace(0.1, 0.1, 0.1, 0.1)])) == []
    assert list(looks.too_fast([trace(0.1, 0.1, 1, 5, 5)])) == []
    (found,) = looks.too_fast([trace(0.1, 0.1, 0.25, 5, 5)])
    assert (found.rule, found.learner) == ("speed", "anna")
    assert "25%" in found.sentence.en


def test_answers_alike_name_all_who_are(whole_course: Course) -> None:
    items = list(whole_course.chapter("ch3").points)
    others = [
        Trace(
            f"learner-{n:02}", "ch3", tuple(items), {item: f"{n * 7 % 40 + k}" for k, item in enumerate(items)}, {}, {}
        )
        for n in range(40)
    ]
    ring = [replace(others[0], learner=name) for name in ("xaver", "zoe")]
    book = Book(course=whole_course, standings=(), changes=())
    (found,) = looks.same_answers(book, others + ring)
    assert (found.learner, found.chapter, found.others) == ("learner-00", "ch3", ("xaver", "zoe"))
    assert found.expected is not None
    assert found.expected < 1e-6
    assert "3 learners" in found.sentence.en
    assert "Chance would bring at most" in found.sentence.en


def marks(course: Course, actor: str, learner: str, levels: list[int], seq: int) -> list[Change]:
    """Return how a person marks one text; each criterion is worth a twelfth of the item's points."""
    cells = [name for name in criteria(course) if name.startswith(f"{TEXT}-")]
    each = course.chapter("ch4").points[TEXT] / 12
    assert len(cells) == 6
    return [
        change(seq + n, None, each * level / 3, cell=name, actor=actor, learner=learner, chapter="ch4")
        for n, (name, level) in enumerate(zip(cells, levels, strict=True))
    ]


def test_markers_are_compared_with_each_other(whole_course: Course) -> None:
    changes: list[Change] = []
    for n in range(20):
        middle = [(n + k) % 3 for k in range(6)]
        changes += marks(whole_course, "os:mild", f"learner-{n}", [level + 1 for level in middle], 10 * n)
        changes += marks(whole_course, "os:berta", f"learner-{n}", middle, 1000 + 10 * n)
        changes += marks(whole_course, "os:carl", f"learner-{n}", middle, 2000 + 10 * n)
    book = Book(course=whole_course, standings=(), changes=changes)
    figures = marking(book)
    assert figures.marks == {"os:berta": 120, "os:carl": 120, "os:mild": 120}
    assert figures.pairs["os:berta", "os:carl"].quadratic == 1
    assert figures.pairs["os:berta", "os:mild"].exact == 0
    assert figures.pairs["os:berta", "os:mild"].adjacent == 1
    assert figures.apart["os:mild"].difference == pytest.approx(1)
    assert figures.apart["os:berta"].difference == pytest.approx(-0.5)
    assert figures.alpha is not None
    found = list(looks.markers(book))
    said = [one.sentence.en for one in found if one.rule == "marker"]
    assert any("os:mild lie on average 1.00 levels above" in words for words in said)
    low = [one.sentence.en for one in found if one.rule == "agreement"]
    # Quadratic κ of levels 0, 1, 2 in equal parts with the same plus 1: 1 - 1/(2 × 2/3 + 1) = .57.
    assert len(low) == 2
    assert all("os:mild" in words and "quadratic 0.57" in words for words in low)
    assert all("unweighted" in words and "linear" in words and "quadratic" in words for words in low)


def test_a_criterion_is_compared_with_itself(whole_course: Course) -> None:
    """All give the first criterion 3 and the others 0; Berta marks only the first, and is no milder for it."""
    changes = []
    for n in range(20):
        changes += marks(whole_course, "os:carl", f"learner-{n}", [3, 0, 0, 0, 0, 0], 10 * n)
        changes += marks(whole_course, "os:berta", f"learner-{n}", [3, 0, 0, 0, 0, 0], 1000 + 10 * n)[:1]
    figures = marking(Book(course=whole_course, standings=(), changes=changes))
    assert figures.marks == {"os:berta": 20, "os:carl": 120}
    assert (figures.apart["os:berta"].difference, figures.apart["os:berta"].p) == (0, 1)


def test_two_who_agree_are_no_reason_to_look(whole_course: Course) -> None:
    levels = [[(n * 5 + k * 3) % 4 for k in range(6)] for n in range(KAPPA_WORKS)]
    changes = [
        mark
        for start, actor in ((0, "os:berta"), (1000, "os:carl"))
        for n, row in enumerate(levels)
        for mark in marks(whole_course, actor, f"learner-{n}", row, start + 10 * n)
    ]
    assert list(looks.markers(Book(course=whole_course, standings=(), changes=changes))) == []


def test_a_gradebook_without_marks_has_no_figures(whole_course: Course) -> None:
    figures = marking(Book(course=whole_course, standings=(), changes=()))
    assert (figures.marks, figures.pairs, figures.alpha, figures.apart) == ({}, {}, None, {})


def test_a_sentence_has_the_values(look: Find) -> None:
    (said,) = look(changes=(change(1, None, 0.5),))
    assert "(– → 0.5)" in said.sentence.en
    assert "（– → 0.5）" in said.sentence.zh
