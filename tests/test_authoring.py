"""`counterside new` and the templates, coverage, and the schemas for editors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograde.authoring import new_item
from autograde.place import CourseError
from curriculum.items import TYPES
from curriculum.lint import lint
from curriculum.load import Course
from curriculum.source import ContentError

NOT_YET = {"placeholder", "graded-without-points", "not-placed-once", "chance-floor"}


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_new_item_is_whole_but_for_its_words(name: str, course: Course, content: Path) -> None:
    path = new_item(name, "e3-1-9", course, content)
    with pytest.raises(ContentError) as error:
        lint(content)
    here = [problem for problem in error.value.problems if problem.file.endswith("e3-1-9.yml")]
    assert {problem.rule for problem in here} <= NOT_YET, here
    text = path.read_text("utf-8")
    left = len(re.findall("‹[^›]*›", "\n".join(re.split("(?:^| )#", line)[0] for line in text.splitlines())))
    assert sum(problem.rule == "placeholder" for problem in here) == left > 0


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_template_filled_in_has_no_fault(name: str, course: Course, content: Path) -> None:
    path = new_item(name, "p3-1-9", course, content)
    path.write_text(re.sub("‹([^›]*)›", r"\1", path.read_text("utf-8")), "utf-8")
    for language in ("zh", "en"):
        lesson = content / f"chapters/3-norms/3-1.{language}.md"
        lesson.write_text(lesson.read_text("utf-8") + "\n{{ item p3-1-9 }}\n", "utf-8")
    assert "p3-1-9" in lint(content).items


def test_a_new_item_never_overwrites_one(course: Course, content: Path) -> None:
    path = content / "chapters/3-norms/items/e3-1-1.yml"
    before = path.read_bytes()
    with pytest.raises(CourseError, match="e3-1-1"):
        new_item("ordering", "e3-1-1", course, content)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "item", "said"),
    [
        ("essay", "e3-1-9", "dialogue"),
        ("dialogue", "new one", "e3-2-1"),
        ("dialogue", "e6-9-1", "6.9"),
        ("dialogue", "../x", "id"),
    ],
)
def test_what_can_not_be_made_is_said(name: str, item: str, said: str, course: Course, content: Path) -> None:
    before = sorted(content.rglob("*"))
    with pytest.raises(CourseError, match=said):
        new_item(name, item, course, content)
    assert sorted(content.rglob("*")) == before
