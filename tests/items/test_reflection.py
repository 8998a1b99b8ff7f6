"""Reflection: complete or not, and nothing in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum.items.reflection.model import ReflectionKey, ReflectionPublic, ReflectionResponse, missing
from curriculum.items.reflection.score import score

TEXT = {"zh": "甲", "en": "a"}
FIELDS = {"moment": 12, "next": 8}
PUBLIC = ReflectionPublic.model_validate(
    {
        "prompt": TEXT,
        "entries": 2,
        "note": TEXT,
        "fields": [{"id": name, "label": TEXT, "hint": TEXT, "min_chars": least} for name, least in FIELDS.items()],
    }
)
KEY = ReflectionKey.model_validate({"model": [], "point": "3.1.11"})
FULL = {"moment": "She asked twice.", "next": "Ask first."}


def share(entries: list[dict[str, str]], note: str = "") -> float:
    response = ReflectionResponse.model_validate({"entries": entries, "note": note})
    result = score(PUBLIC, KEY, response)
    assert (missing(PUBLIC, response) is None) == (result.share == 1)
    return result.share


@pytest.mark.parametrize("note", ["", "Please call me."])
def test_all_fields_of_all_entries_make_it_complete(note: str) -> None:
    assert share([FULL, FULL], note) == 1


@pytest.mark.parametrize("entries", [[], [FULL], [FULL, {}], [{}, FULL], [FULL, {"moment": FULL["moment"]}]])
def test_less_is_incomplete(entries: list[dict[str, str]]) -> None:
    assert share(entries) == 0


# The field asks for 12, where a Chinese character counts two.
@pytest.mark.parametrize(
    ("moment", "complete"),
    [
        ("She sat down", True),  # 12 characters
        ("She sat dow", False),  # 11
        ("她又问了一遍", True),  # 6 characters, 12
        ("她又问一遍", False),  # 5 characters, 10
        ("她又问一遍 ok", True),  # 10 + 1 + 2 = 13
        ("", False),
        (" \n\t　" * 10, False),  # blanks, an ideographic one among them
        ("   She sat dow   ", False),  # blanks around it don't count
        ("a" * 200, False),  # a key held down
        ("好" * 200, False),
        ("。。。。。。。。。。", False),
        ("ababababababab", False),
    ],
)
def test_blank_short_and_repeated_fields_are_incomplete(moment: str, complete: bool) -> None:
    assert share([FULL, {**FULL, "moment": moment}]) == complete


def test_one_entry_too_many_or_an_unknown_field_is_refused() -> None:
    from curriculum.items.reflection import TYPE

    def stranger(entries: list[dict[str, str]]) -> str | None:
        return TYPE.unknown(PUBLIC, ReflectionResponse.model_validate({"entries": entries}))

    assert stranger([FULL, FULL]) is None
    assert stranger([FULL, FULL, FULL]) is not None
    assert stranger([FULL, {"mood": "fine"}]) == "mood"


ENTRY: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries(
    {}, optional={name: st.text(max_size=30) | st.just(FULL[name]) for name in FIELDS}
)


@given(st.lists(ENTRY, max_size=2), st.text(max_size=10))
def test_any_response_is_complete_or_not(entries: list[dict[str, Any]], note: str) -> None:
    earned = share(entries, note)
    assert earned in (0, 1)
    # Filling in what is left makes it complete, and never loses anything.
    assert share([FULL, FULL], note) >= earned
