"""Any JSON at all as a response: a verdict, never an error, and never more than the points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograde.engine import Outcome, assess_item
from curriculum.load import Course
from curriculum.log import Record
from curriculum.model import Evidence, Item

Judge = Callable[[str, Any], Outcome]
POINTS = {"e3-1-1": 25.0, "e3-1-2": 40.0, "e3-1-3": 30.0, "e3-1-4": 5.0}
ANY_TEXT = st.text(st.characters(), max_size=30)  # with lone surrogates, which JSON can write as \ud800
FIELDS = st.sampled_from(["order", "path", "marked", "entries", "note", "moment", "reaction", "effect", "next"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | ANY_TEXT, inner, max_size=4),
)


@pytest.fixture(scope="module")
def outcome(course: Course) -> Judge:
    """Judge a response, and check what must hold of any outcome."""
    return lambda name, response: judged(course.items[name], response)


def judged(item: Item, response: Any) -> Outcome:
    name = item.id
    fields = {"v": 1, "seq": 1, "at": "", "id": "m1", "item": name, "hash": item.hash, "lang": "en", "ms": 0}
    record = Record.model_validate({**fields, "kind": "answer", "response": response, "prev": ""})
    result, notes = assess_item(item, POINTS[name], [record])
    assert result.points == POINTS[name]
    assert math.isfinite(result.earned)
    assert 0 <= result.earned <= result.points
    assert result.state in ("graded", "invalid")
    assert (result.state == "invalid") == bool(notes)
    assert result.state == "graded" or result.earned == 0
    # Nothing here is beyond the scorers: what is no answer is refused in words.
    assert all(note.about == "log" for note in notes)
    "".join(note.text for note in notes).encode()
    result.model_dump_json().encode()
    return result


@pytest.mark.parametrize("name", POINTS)
@given(response=JSON)
def test_any_json_gets_a_verdict(outcome: Judge, name: str, response: Any) -> None:
    outcome(name, response)


@pytest.mark.parametrize("name", POINTS)
@given(data=st.data())
def test_a_response_damaged_anywhere_gets_a_verdict(
    outcome: Judge, perfect: Mapping[str, Any], name: str, data: st.DataObject
) -> None:
    outcome(name, damaged(perfect[name], data))


def damaged(value: Any, data: st.DataObject) -> Any:
    """The same response with one place in it replaced by any JSON, or taken out."""
    places = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not places or not data.draw(st.integers(0, 3)):
        return data.draw(JSON)
    place = data.draw(st.sampled_from(places))
    copy = value.copy()
    if data.draw(st.booleans()):
        del copy[place]
    else:
        copy[place] = damaged(value[place], data)
    return copy


@pytest.mark.parametrize("name", POINTS)
def test_every_reason_of_a_verdict_is_in_both_languages(outcome: Judge, perfect: Mapping[str, Any], name: str) -> None:
    result = outcome(name, perfect[name])
    assert result.earned == POINTS[name]
    assert result.rows
    for row in result.rows:
        assert row.good
        assert row.did.zh
        assert row.did.en


def test_reasons_that_differ_in_their_values_alone_are_told_apart_by_their_hash() -> None:
    some = [Evidence("is", "total", True, 1.0, values={"given": float(number)}) for number in range(100)]
    assert len({hash(one) for one in some}) == 100
    assert hash(some[0]) == hash(Evidence("is", "total", True, 1.0, values={"given": 0.0}))
