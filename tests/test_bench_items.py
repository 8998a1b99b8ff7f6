"""The largest items reach the limits of their types, and fuzzing finds what it is there to find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograde.bench_items import enlarge
from autograde.examples import Example, example, example_chapter
from autograde.fuzz import fuzz
from autograde.largest import Largest, largest
from curriculum.items import TYPES
from curriculum.load import load_course
from curriculum.model import Evidence, Score
from curriculum.verdict import judge

# In pytest few of the values that “counterside bench fuzz” tries.
VALUES = 2_000


def grown(name: str) -> tuple[Largest, dict[str, Any]]:
    found = largest(example(name))
    return found, found.item.public.model_dump()


def test_an_order_of_fourteen_steps() -> None:
    found, public = grown("ordering")
    assert len(public["steps"]) == len(found.response["order"]) == 14
    assert judge(found.item, found.response)[1] is None


def test_a_transcript_of_sixty_spans() -> None:
    _found, public = grown("violations")
    assert sum(len(line["spans"]) for line in public["lines"]) == 60


def test_a_talk_of_sixty_moments_with_six_replies_each_and_one_way_through_nearly_all() -> None:
    found, public = grown("dialogue")
    assert len(public["nodes"]) == 60
    # The last moment is the end.
    assert sorted(len(node["choices"]) for node in public["nodes"]) == [0] + [6] * 59
    assert len(found.response["path"]) == 59


def test_a_log_of_six_entries_with_eight_full_fields() -> None:
    found, public = grown("reflection")
    assert (public["entries"], len(public["fields"])) == (6, 8)
    lengths = [len(text) for entry in found.response["entries"] for text in entry.values()]
    assert lengths == [4000] * 48


@pytest.mark.parametrize("name", TYPES)
def test_values_that_no_view_sends_are_refused_or_scored_in_bounds(name: str) -> None:
    tally = fuzz(example(name), VALUES)
    assert tally.faults == []
    assert tally.refused + tally.scored == VALUES
    # Neither may be so rare that the other half of the judging goes untried.
    assert min(tally.refused, tally.scored) > VALUES / 20


def raising(_public: Any, _key: Any, _response: Any) -> Score:
    raise KeyError("a scorer that is not total")


def out_of_bounds(_public: Any, _key: Any, _response: Any) -> Score:
    return Score(2, 1)


def without_reasons(_public: Any, _key: Any, _response: Any) -> Score:
    return Score(1, 1)


def unfounded(_public: Any, _key: Any, _response: Any) -> Score:
    return Score(1, 1, (), (Evidence("pair", "stand-up", True, float("inf")),))


def speechless(_public: Any, _key: Any, _response: Any) -> Score:
    return Score(1, 1, (), (Evidence("no-such-rule", "no-such-step", True, 1),))


@pytest.mark.parametrize("scorer", [raising, out_of_bounds, without_reasons, unfounded, speechless])
def test_a_broken_scorer_is_found(scorer: Any) -> None:
    sound = example("ordering")
    broken = Example(replace(sound.item, kind=replace(sound.item.kind, score=scorer)), sound.responses)
    assert fuzz(broken, 50).faults


def test_a_chapter_of_examples_has_every_type() -> None:
    assert [item.kind.name for item in example_chapter().items] == [*TYPES]


def test_the_course_to_lint_has_120_items_and_no_fault(tmp_path: Path) -> None:
    enlarge(load_course(), tmp_path)
    assert len(load_course(tmp_path).items) == 120
