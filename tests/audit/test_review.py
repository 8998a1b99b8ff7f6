"""The commands on a class that was graded: who copied, who clicked, whose score was changed."""

from __future__ import annotations

import argparse
import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from autograde.audit.book import read_book
from autograde.audit.cli import add_commands
from autograde.audit.looks import Look, find
from autograde.batch import grade
from autograde.cli import main
from autograde.cohort import answers, hand_in, release, submit
from autograde.course_data import CourseData
from autograde.place import ROOT
from autograde.simulate import abilities
from autograde.tables import gradebook
from curriculum.load import Course
from curriculum.verdict import number

LEARNERS = 12
FOR = ("--purpose", "audit", "--delete-by")
WEAKEST = "learner-00000"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, whole_course: Course) -> CourseData:
    """Twelve learners, one who copied the weakest, and one who clicked through; all graded."""
    folder = tmp_path_factory.mktemp("class") / "course"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        data, chapter = CourseData(), whole_course.chapter("ch3")
        release(data, [chapter])
        hand_in(data, [chapter], LEARNERS)
        submit(data, chapter, "copycat", list(answers(chapter, WEAKEST, abilities(LEARNERS)[0])))
        clicker = submit(data, chapter, "clicker", list(answers(chapter, "clicker", 0.5)))
        log = clicker / "responses" / "ch3.jsonl"
        log.write_text(log.read_text("utf-8").replace('"ms":60000', '"ms":900'), "utf-8")
        with gradebook(data.db_url) as engine:
            assert all(result.state != "refused" for result in grade(data, engine, ["ch3"], workers=1))
    return data


@pytest.fixture
def found(data: CourseData, whole_course: Course) -> list[Look]:
    return find(read_book(data, whole_course))


def test_who_copied_is_found_and_nobody_else(found: list[Look]) -> None:
    (look,) = (one for one in found if one.rule == "same-answers")
    assert {look.learner, *look.others} == {WEAKEST, "copycat"}
    assert look.expected is not None
    assert look.expected < 1e-4


def test_who_clicked_through_is_found_and_nobody_else(found: list[Look]) -> None:
    assert {one.learner for one in found if one.rule == "speed"} == {"clicker"}


def test_the_clickers_log_is_broken_too(found: list[Look]) -> None:
    # Writing other seconds into the log broke its chain of hashes, which grading says.
    assert {one.learner for one in found if one.rule == "tampering"} == {"clicker"}


def test_a_class_as_graded_has_evidence_for_all(found: list[Look]) -> None:
    assert [one for one in found if one.rule in ("no-evidence", "override", "after-release", "no-reason")] == []


def test_a_score_written_past_all_programs_differs_from_its_evidence(
    data: CourseData, whole_course: Course, tmp_path: Path
) -> None:
    copy = tmp_path / "gradebook.db"
    with closing(sqlite3.connect(data.folder / "gradebook.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute(
            """update grade set auto_score = 6 where cell_id in (select id from base_cell where name = 'e3-1-1')
            and notebook_id in (select n.id from submitted_notebook n join submitted_assignment s
            on s.id = n.assignment_id where s.student_id = 'learner-00000')"""
        )
        target.execute("delete from counterside_evidence where student_id = 'learner-00011' and item = 'e3-1-2'")
        target.commit()
    found = find(read_book(data, whole_course, db_url=f"sqlite:///{copy}"))
    doubted = {(one.learner, one.item) for one in found if one.rule == "no-evidence"}
    assert doubted == {(WEAKEST, "e3-1-1"), ("learner-00011", "e3-1-2")}


def test_a_log_that_changed_after_grading_is_found(data: CourseData, whole_course: Course) -> None:
    log = data.submitted / "learner-00005" / "ch3" / "responses" / "ch3.jsonl"
    before = log.read_bytes()
    first, *rest = before.decode().splitlines()
    try:
        log.write_text("\n".join([json.dumps(json.loads(first) | {"ms": 1}), *rest]) + "\n", "utf-8")
        found = find(read_book(data, whole_course))
    finally:
        log.write_bytes(before)
    (look,) = (one for one in found if one.rule == "no-evidence")
    assert (look.learner, look.item) == ("learner-00005", json.loads(first)["item"])


@pytest.fixture
def command(data: CourseData, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Run a command of the audit on the class; return exit code and what was said."""
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(data.folder))

    def run(*words: str) -> tuple[int, str]:
        code = main(["audit", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_the_commands_leave_the_gradebook_alone(
    data: CourseData, command: object, tmp_path: Path, whole_course: Course
) -> None:
    assert callable(command)
    before = (data.folder / "gradebook.db").read_bytes()
    code, said = command("looks", "--rule", "same-answers")
    assert code == 0
    assert "copycat" in said
    assert "clicker" not in said, "that is another rule's"
    assert "chance" in said.lower()
    mine = str(tmp_path / "mine.jsonl")
    code, said = command("sample", "--seed", "2026-11-30", "--size", "3", "--out", mine)
    assert code == 0
    assert "Seed “2026-11-30”: 3 of" in said
    lines = [json.loads(line) for line in Path(mine).read_text("utf-8").splitlines()]
    cases = [line for line in lines if line["kind"] == "case"]
    assert len(cases) == 3
    for case in cases:  # whose, where and what it is called, and not what was recorded
        title = whole_course.items[case["item"]].head.title.en
        place = f"ch3 {case['learner']} {case['item']} {title}: {case['possible']:g} points, not judged yet"
        assert place in said
    code, said = command("agree", mine, "1", "agree")
    assert code == 0
    first = f"{number(cases[0]['score'])} of {cases[0]['possible']:g}  agrees"
    assert [first in line for line in said.splitlines()] == [True, False], "that case and the summary"
    code, said = command("agree", mine)
    assert (said.count("not judged yet"), said.count(first)) == (2, 1)
    code, said = command("agree", mine, "2", "differ", "--score", "0", "--words", "[b]not[/b] enough")
    assert "2 of 3 judged; 1 agree, 50%" in said
    assert "[b]not[/b] enough" in said, "words are no markup"
    names = {name: tmp_path / f"out.{name}" for name in ("nbgrader", "xlsx")}
    for name, path in names.items():
        code, said = command("export", name, str(path), "--purpose", "audit", "--delete-by", "2999-12-31")
        assert (code, path.is_file()) == (0, True)
        assert "2999-12-31" in said
    assert (data.folder / "gradebook.db").read_bytes() == before


def test_a_person_sees_a_sentence(command: object, tmp_path: Path) -> None:
    assert callable(command)
    for words, sentence in (
        (("looks", "--rule", "luck"), "there is no rule “luck”"),
        (("agree", str(tmp_path / "none.jsonl")), "there is no"),
        (("sample", "--seed", "s", "--size", "0", "--out", str(tmp_path / "x")), "nothing to draw"),
        (("sample", "--seed", "s", "--out", str(tmp_path / "no" / "x")), "there is no folder"),
        (("export", "csv", str(tmp_path / "no" / "x"), *FOR, "2999-12-31"), "there is no folder"),
        (("export", "csv", str(tmp_path / "x"), "--purpose", "", *FOR[2:], "2999-12-31"), "say what the export is for"),
        (("export", "xlsx", str(tmp_path / "x"), *FOR, "2999-12-31", "--bom"), "--bom is for CSV"),
    ):
        code, said = command(*words)
        assert code == 1
        assert sentence in said
        assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_date_in_another_order_is_told_how_to_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["audit", "export", "csv", str(tmp_path / "x"), *FOR, "31.12.2027"])
    assert "write the date as 2027-12-31, not as 31.12.2027" in capsys.readouterr().err


def test_looks_say_how_to_see_the_places(command: object) -> None:
    assert callable(command)
    assert "“counterside audit looks --rule NAME” shows the places" in command("looks")[1]
    assert "shows the places" not in command("looks", "--rule", "speed")[1]


STEPS = ("looks", "sample", "agree", "export")


@pytest.mark.parametrize("step", STEPS)
def test_every_option_is_documented(step: str) -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    (said,) = re.findall(rf"^### counterside audit {step}\n(.*?)^##", page, re.MULTILINE | re.DOTALL)
    for action in steps()[step]._actions:
        words = [*action.option_strings] or [*(action.choices or [action.dest])]
        if action.dest != "help":
            assert all(word in said for word in words), f"docs/commands.md says nothing of {words}"


def steps() -> dict[str, argparse.ArgumentParser]:
    main_parser = argparse.ArgumentParser()
    add_commands(main_parser.add_subparsers())
    (audit,) = (action.choices["audit"] for action in main_parser._actions if action.choices)  # type: ignore[index]
    (found,) = (action.choices for action in audit._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found)
