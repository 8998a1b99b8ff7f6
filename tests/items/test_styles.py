"""All types share one style sheet, so the rules of one must leave the others alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from curriculum.items import TYPES

CURRICULUM = Path(__file__).parents[2] / "curriculum"
SHARED = set(re.findall(r"\.(cs-[\w-]+)", (CURRICULUM / "player.css").read_text("utf-8")))


@pytest.mark.parametrize("name", TYPES)
def test_no_rule_hangs_on_a_class_of_another_view(name: str) -> None:
    style = (CURRICULUM / "items" / name / "view.css").read_text("utf-8")
    heads = set(re.findall(r"\.cs-card(?:\[[^]]*\])? \.(cs-[\w-]+)", style)) - SHARED
    views = {other: CURRICULUM / "items" / other / "view.js" for other in TYPES if other != name}
    views["hand_in"] = CURRICULUM / "hand_in.js"
    used = {
        (other, head)
        for other, view in views.items()
        for head in heads & set(re.findall(r"cs-[\w-]+", view.read_text()))
    }
    assert used == set()
