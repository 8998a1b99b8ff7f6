"""Marking by hand, through real nbgrader: six criteria ask for marks, and what a person gives arrives."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbgrader.api import Gradebook

import autograde.gradebook
from autograde import engine
from autograde.course_data import CourseData
from autograde.gradebook import Entry, read_gradebook
from curriculum.build import build
from curriculum.items.free_text.rubric import RUBRIC
from curriculum.load import CONTENT, Course, load_course
from curriculum.log import Log

ITEM = "x-free-text"
EXAMPLE = yaml.safe_load((CONTENT / "items" / "free_text" / "example.yml").read_text("utf-8"))
TEXT = EXAMPLE["responses"][3]["response"]["text"]  # earns .75 of the checklist
CELLS = [f"{ITEM}-{criterion.id}" for criterion in RUBRIC.criteria]
# 36 points: 18 for the checklist, 3 for each criterion, one for each level.
POINTS = 36
LEARNERS: Mapping[str, str | None] = {"wrote": TEXT, "thought-better": "  ", "too-short": "卡后天到。", "blank": None}


def small_course(folder: Path) -> Course:
    """A course of one section, and in it nothing but one free text."""
    lesson = folder / "chapters" / "3-norms"
    (lesson / "items").mkdir(parents=True)
    for name in ("rules.yml", "points.tsv", "glossary.tsv"):
        shutil.copy(CONTENT / name, folder)
    title = {"zh": "服务规范", "en": "Norms"}
    section = {"id": "3.3", "title": title, "objectives": [title], "items": {ITEM: POINTS}}
    chapter = {"id": "ch3", "folder": "3-norms", "title": title, "sections": [section]}
    rules = {"passing": {"section": 0.8, "competency": 0.6, "point": 0.5, "course": 0.75, "provisional": True}}
    plan = {"course": "counterside", "title": title, **rules, "competencies": {"C2": title}, "chapters": [chapter]}
    (folder / "course.yml").write_text(yaml.safe_dump(plan, allow_unicode=True), "utf-8")
    (lesson / "items" / f"{ITEM}.yml").write_text(
        yaml.safe_dump({**EXAMPLE["item"], "competencies": ["C2"]}, allow_unicode=True), "utf-8"
    )
    for language in ("zh", "en"):
        (lesson / f"3-3.{language}.md").write_text(f"# 3.3 {title[language]}\n\n{{{{ item {ITEM} }}}}\n", "utf-8")
    return load_course(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseData]:
    """The small course, released, answered by all learners and graded."""
    root = tmp_path_factory.mktemp("course")
    course = small_course(root / "content")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(root / "data"))
        patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        patch.setattr(engine, "course", lambda: course)
        patch.setattr(autograde.gradebook, "course", lambda: course)
        data = CourseData()
        data.config.CourseDirectory.root = str(root)
        build(course, root)
        data.instructor("generate_assignment", "ch3", force=True)
        for learner, text in LEARNERS.items():
            folder = root / "data" / "submitted" / learner / "ch3"
            shutil.copytree(root / "release" / "ch3", folder)
            if text is not None:
                answer(folder, course, text)
            data.instructor("autograde", "ch3", student_id=learner, force=True)
        yield data


def answer(folder: Path, course: Course, text: str) -> None:
    (folder / "responses").mkdir()
    Log(folder / "responses" / "ch3.jsonl").append(
        id="message",
        item=ITEM,
        hash=course.items[ITEM].hash,
        lang="en",
        kind="answer",
        response={"text": text},
        ms=1000,
        base=None,
    )


def with_grades(data: CourseData, learner: str, use: Callable[[Any], Any]) -> dict[str, Any]:
    with Gradebook(data.db_url) as gradebook:
        grades = gradebook.find_submission_notebook("ch3", "ch3", learner).grades
        found = {grade.name: use(grade) for grade in grades}
        gradebook.db.commit()
    return found


def entry(data: CourseData, learner: str) -> Entry:
    return next(entry for entry in read_gradebook(data) if entry.learner == learner)


def feedback(data: CourseData, learner: str) -> str:
    data.instructor("generate_feedback", "ch3", student_id=learner, force=True)
    page = (data.folder / "feedback" / learner / "ch3" / "ch3.html").read_text("utf-8")
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def cells(data: CourseData, folder: str, learner: str = "") -> dict[str, Any]:
    path = (
        data.folder / folder / learner / "ch3" if learner else Path(data.config.CourseDirectory.root) / folder / "ch3"
    )
    return {cell.id: cell for cell in nbformat.read(path / "ch3.ipynb", as_version=4).cells}


def test_learners_get_no_criteria(data: CourseData) -> None:
    released = cells(data, "release")
    for name in CELLS:
        assert "Your trainer marks here" in released[name].source
        assert released[name].metadata.nbgrader.points == 3


@pytest.mark.parametrize(("learner", "asks"), [("wrote", True), ("thought-better", False), ("blank", False)])
def test_what_was_written_asks_for_six_marks_and_nothing_else_does(data: CourseData, learner: str, asks: bool) -> None:
    waiting = with_grades(data, learner, lambda grade: grade.needs_manual_grade)
    assert waiting == {ITEM: False, **dict.fromkeys(CELLS, asks)}


def test_the_instructor_sees_text_evidence_and_levels(data: CourseData) -> None:
    graded = cells(data, "autograded", "wrote")
    shown = graded[ITEM].outputs[0].data["text/html"]
    assert "call 13800138000" in shown
    assert "Mobile number" in shown
    for name, criterion in zip(CELLS, RUBRIC.criteria, strict=True):
        assert [f"**{points}**" in graded[name].source for points in range(4)] == [True] * 4
        assert all(level.en in graded[name].source for level in criterion.levels)


def test_a_text_too_short_for_the_checklist_still_gets_a_persons_eye(data: CourseData) -> None:
    waiting = with_grades(data, "too-short", lambda grade: grade.needs_manual_grade)
    assert waiting == {ITEM: False, **dict.fromkeys(CELLS, True)}
    assert entry(data, "too-short").total == 0


def test_until_it_is_marked_the_grade_is_provisional(data: CourseData) -> None:
    # .75 of 18, and 18 still to be given.
    assert (entry(data, "wrote").total, entry(data, "wrote").waiting, entry(data, "wrote").state) == (
        13.5,
        18,
        "waiting",
    )
    page = feedback(data, "wrote")
    assert "13.5 of 36 points" in page
    assert "18 points are still to be marked" in page
    assert page.count("not marked yet") == 6


@pytest.mark.parametrize("learner", ["thought-better", "blank"])
def test_nothing_written_is_nothing_and_final(data: CourseData, learner: str) -> None:
    assert (entry(data, learner).total, entry(data, learner).waiting, entry(data, learner).state) == (0, 0, "graded")
    page = feedback(data, learner)
    assert RUBRIC.criteria[0].levels[0].en not in page
    assert RUBRIC.criteria[0].levels[0].zh not in page


def test_marks_given_by_hand_make_the_total_and_the_page(data: CourseData) -> None:
    given = dict(zip(CELLS, (3, 2, 3, 1, 2.5, 0), strict=True))

    def give(grade: Any) -> None:
        if grade.name in given:
            grade.manual_score, grade.needs_manual_grade = given[grade.name], False

    with_grades(data, "wrote", give)
    with Gradebook(data.db_url) as gradebook:
        comment = gradebook.find_comment(CELLS[3], "ch3", "ch3", "wrote")
        comment.manual_comment = "Which day, exactly?"
        gradebook.db.commit()
    # 13.5 + 3 + 2 + 3 + 1 + 2.5 + 0
    assert (entry(data, "wrote").total, entry(data, "wrote").waiting, entry(data, "wrote").state) == (25, 0, "graded")
    page = feedback(data, "wrote")
    assert "25 of 36 points" in page
    assert "still to be marked" not in page
    assert "Which day, exactly?" in page
    for criterion, level in zip(RUBRIC.criteria, (3, 2, 3, 1, 2, 0), strict=True):
        assert criterion.levels[level].en in page

    # Grading the same answer again keeps what the person gave, and asks nothing of them.
    data.instructor("autograde", "ch3", student_id="wrote", force=True)
    assert entry(data, "wrote").total == 25
    assert not any(with_grades(data, "wrote", lambda grade: grade.needs_manual_grade).values())
