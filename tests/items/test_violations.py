"""Violations: max(0, severity found − false marks) of all severity."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum.items.violations.model import ViolationsKey, ViolationsPublic, ViolationsResponse, check, release
from curriculum.items.violations.score import score
from curriculum.load import Course
from curriculum.model import Score

TEXT = {"zh": "甲", "en": "a"}
NAMES = [f"s{i}" for i in range(9)]


def mark(
    spans: Iterable[str], faults: Mapping[str, int], marked: Iterable[str], red_lines: Iterable[str] = ()
) -> Score:
    spans = list(spans)
    lines = [{"speaker": TEXT, "spans": [{"id": span, "text": TEXT}]} for span in spans]
    public = ViolationsPublic.model_validate({"prompt": TEXT, "seeded": len(faults) or 1, "lines": lines})
    rationales = {span: {"why": TEXT} for span in spans}
    key = ViolationsKey.model_validate({"faults": faults, "red_lines": list(red_lines), "rationales": rationales})
    result = score(public, key, ViolationsResponse(marked=tuple(marked)))
    assert score(release(public), key, ViolationsResponse(marked=tuple(marked))) == result
    return result


# s0 weighs 3, s1 weighs 2, s2 weighs 1: six in all. s3 and s4 are fine.
@pytest.mark.parametrize(
    ("marked", "earned"),
    [
        ("s0 s1 s2", 6),
        ("s2 s1 s0", 6),  # the order of marking says nothing
        ("s0", 3),
        ("s0 s3", 2),
        ("s0 s1 s2 s3 s4", 4),  # everything
        ("s2 s3 s4", 0),  # 1 − 2 is below nothing
        ("s3", 0),
        ("", 0),
    ],
)
def test_by_hand(marked: str, earned: float) -> None:
    result = mark(NAMES[:5], {"s0": 3, "s1": 2, "s2": 1}, marked.split())
    assert (result.earned, result.possible) == (earned, 6)


def test_overlooking_a_red_line_raises_the_flag_and_costs_no_more() -> None:
    faults = {"s0": 3, "s1": 2}
    assert mark(NAMES[:4], faults, ["s0"], ["s0"]).flags == ()
    overlooked = mark(NAMES[:4], faults, ["s1", "s2"], ["s0"])
    assert (overlooked.flags, overlooked.earned) == (("red-line",), 1)
    assert mark(NAMES[:4], faults, ["s0"], []).flags == ()


def test_marking_everything_in_the_course(course: Course) -> None:
    # e3-1-3: 22 spans, 8 of them faults with 2+2+2+2+3+2+3+2 = 18; the other 14 are false marks.
    item = course.items["e3-1-3"]
    spans = [span.id for line in item.public.lines for span in line.spans]  # type: ignore[attr-defined]
    assert len(spans) == 22
    result = item.kind.score(item.public, item.key, ViolationsResponse(marked=tuple(spans)))
    assert result.share == pytest.approx((18 - 14) / 18, abs=1e-12)


@pytest.mark.parametrize(
    ("faults", "found"),
    [
        # Of five spans two are fine, so marking everything costs 2: 2 of 4, 3 of 5 and 4 of 6 are left.
        ({"s0": 2, "s1": 1, "s2": 1}, False),
        ({"s0": 2, "s1": 2, "s2": 1}, True),
        ({"s0": 3, "s1": 2, "s2": 1}, True),
    ],
)
def test_a_transcript_in_which_marking_everything_pays_is_a_fault(faults: Mapping[str, int], found: bool) -> None:
    spans = [{"id": span, "text": TEXT} for span in NAMES[:5]]
    lines = [{"speaker": TEXT, "spans": spans}]
    public = ViolationsPublic.model_validate({"prompt": TEXT, "seeded": len(faults), "lines": lines})
    why = {span: {"why": TEXT, "better": TEXT} for span in NAMES[:5]}
    rules = [fault.rule for fault in check(public, ViolationsKey.model_validate({"faults": faults, "rationales": why}))]
    assert rules == (["flat-answer-pays"] if found else [])


FAULTS = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), min_size=1)
MARKS = st.lists(st.sampled_from(NAMES), unique=True)


@given(FAULTS, MARKS)
def test_formula(faults: Mapping[str, int], marked: Collection[str]) -> None:
    result = mark(NAMES, faults, marked)
    hits = sum(severity for span, severity in faults.items() if span in marked)
    false = len(set(marked) - set(faults))
    assert result.possible == sum(faults.values())
    assert result.earned == max(0, hits - false)
    assert 0 <= result.earned <= result.possible


@given(FAULTS, MARKS, st.sampled_from(NAMES))
def test_one_more_hit_or_one_less_false_mark_never_lowers(
    faults: Mapping[str, int], marked: Collection[str], span: str
) -> None:
    without = [name for name in marked if name != span]
    better, worse = ([*without, span], without) if span in faults else (without, [*without, span])
    assert mark(NAMES, faults, better).earned >= mark(NAMES, faults, worse).earned


@pytest.mark.parametrize(
    ("marked", "stranger"),
    [
        (("smiles-on", "no-such-span"), "no-such-span"),
        (("smiles-on", "smiles-on"), "smiles-on"),
        (("smiles-on",), None),
    ],
)
def test_strangers_and_doubles_are_unknown(course: Course, marked: tuple[str, ...], stranger: str | None) -> None:
    item = course.items["e3-1-3"]
    assert item.kind.unknown(item.public, ViolationsResponse(marked=marked)) == stranger
