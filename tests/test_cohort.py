"""The demo as a whole: eight learners, real nbgrader, and grades worked out by hand.

Points: e3-1-1 ordering 25, e3-1-2 dialogue 40 (best path 21), e3-1-3 violations
30 (severities 2+2+2+2+3+2+3+2 = 18), e3-1-4 reflection 5.
"""

from __future__ import annotations

import csv
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autograde.place import ROOT

# learner: ordering, dialogue, violations, reflection
BY_HAND = {
    # All 14 steps, free pairs swapped; 7 × 3 points; all 8 faults; 12 fields filled.
    "expert": (25, 40, 30, 5),
    # note-matters comes after replace-card and check-slip: one step to move, 14 − 2 = 12 of 14.
    # Talk 1 + 2 + 2 + 3 + 3 + 3 + 3 = 17 of 21.
    # Overlooks smiles-on (2) and next-number (2), marks slow-recheck, which is fine: 18 − 4 − 1 = 13 of 18.
    "average-lin": (25 * 12 / 14, 40 * 17 / 21, 30 * 13 / 18, 5),
    # sum-up is left out: 13 of 14. Talk 3 + 3 + 3 + 1 + 1 + 3 + 1 = 15 of 21.
    # Finds 2 + 2 + 3 + 3 = 10, two false marks: 8 of 18. “注意” is too short a plan: not complete.
    "average-zhao": (25 * 13 / 14, 40 * 15 / 21, 30 * 8 / 18, 0),
    # explain-id stands before greet-seat, ask-purpose, hear-out, sum-up: move it (−2); bid-farewell before
    # name-deadline: move it (−2); 10 of 14. But greeting must precede the ID: capped at .5.
    # Talk 0 + 1 = 1 of 21. Finds slip-spread (2), one false mark: 1 of 18. “还行” fills nothing.
    "careless": (25 * 0.5, 40 * 1 / 21, 30 * 1 / 18, 0),
    # At most six of the steps are in an order that works (tidy-desk, note-matters, replace-card,
    # pass-query, name-deadline, check-slip), so eight must move, and 14 − 2·8 < 0.
    # Talk 3 + 0 + 1 = 4 of 21. Finds 2 + 2 + 3 + 2 = 9, six false marks: 3 of 18. Writes nothing.
    "random-clicker": (0, 40 * 4 / 21, 30 * 3 / 18, 0),
    # All 14 steps; three good turns, 9 of 21, and then no more.
    "half-way": (25, 40 * 9 / 21, 0, 0),
    "blank": (0, 0, 0, 0),
    # Seven of 14 steps placed, and none of them wrongly; the other seven missing. What was done to the
    # notebook (1000 points, a forged score, deleted and doubled cells) changes nothing.
    "tamperer": (25 * 7 / 14, 0, 0, 0),
}
ITEMS = ("e3-1-1", "e3-1-2", "e3-1-3", "e3-1-4")


def command(*words: str, course: Path) -> subprocess.CompletedProcess[str]:
    folder = Path(sys.executable).parent
    path = os.pathsep.join((str(folder), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "COUNTERSIDE_COURSE": str(course), "COLUMNS": "120"}
    return subprocess.run(
        [str(folder / words[0]), *words[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    course = tmp_path_factory.mktemp("course") / "data"
    before = snapshot(ROOT / "source") | snapshot(ROOT / "release")
    done = command("counterside", "demo", course=course)
    assert done.returncode == 0, done.stderr
    # What is committed is what nbgrader makes of the content.
    assert snapshot(ROOT / "source") | snapshot(ROOT / "release") == before
    return course, done.stdout


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def grades(course: Path) -> dict[str, dict[str, float]]:
    query = """
        select student.id, base_cell.name, coalesce(grade.manual_score, grade.auto_score) from grade
        join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        join student on student.id = submitted_assignment.student_id"""
    found: dict[str, dict[str, float]] = {}
    connection = sqlite3.connect(course / "gradebook.db")
    for learner, cell, score in connection.execute(query):
        found.setdefault(learner, {})[cell] = score
    connection.close()
    return found


@pytest.mark.parametrize("learner", BY_HAND)
def test_grades_are_those_worked_out_by_hand(demo: tuple[Path, str], learner: str) -> None:
    scores = grades(demo[0])[learner]
    assert [scores[item] for item in ITEMS] == pytest.approx(BY_HAND[learner], abs=1e-9)


def test_the_table_is_printed_and_names_the_roles(demo: tuple[Path, str]) -> None:
    printed = demo[1]
    for learner, points in BY_HAND.items():
        row = next(line for line in printed.splitlines() if f" {learner} " in line)
        assert f"{sum(points):.2f}" in row
    assert all(name in printed for name in ("make learner", "make instructor", "make auditor"))


def test_the_tamperer_is_reported_and_nobody_else(demo: tuple[Path, str]) -> None:
    remarks = re.findall(r"^([\w-]+), ch3: (.*)$", demo[1], re.MULTILINE)
    assert {learner for learner, _words in remarks} == {"tamperer"}
    words = " ".join(words for _learner, words in remarks)
    assert "e3-1-1: its text was changed" in words
    assert "e3-1-4-note was deleted" in words
    assert "1 cell was added" in words


def test_running_again_gives_the_same_table(demo: tuple[Path, str]) -> None:
    again = command("counterside", "demo", course=demo[0])
    assert again.returncode == 0, again.stderr
    assert again.stdout[again.stdout.index("ch3 ·") :] == demo[1][demo[1].index("ch3 ·") :]


def test_real_data_are_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("somebody's work")
    done = command("counterside", "demo", course=tmp_path)
    assert done.returncode == 1
    assert "not the demo's" in done.stderr
    assert (tmp_path / "gradebook.db").read_text() == "somebody's work"


def test_feedback_is_in_the_learners_language_with_reasons(demo: tuple[Path, str]) -> None:
    chinese = (demo[0] / "feedback" / "careless" / "ch3" / "ch3.html").read_text("utf-8")
    english = (demo[0] / "feedback" / "average-lin" / "ch3" / "ch3.html").read_text("utf-8")
    assert '<html lang="zh-CN">' in chinese
    assert '<html lang="en">' in english
    # What was done, why, the better sentence, the handbook's point (the key of choice arrives.cheerful-approach).
    assert "更好的做法" in chinese
    assert "80.48" in english
    assert "3.1.10d" in english


def test_the_note_is_shown_to_the_trainer_and_asks_for_an_answer(demo: tuple[Path, str]) -> None:
    notebook = (demo[0] / "autograded" / "expert" / "ch3" / "ch3.ipynb").read_text("utf-8")
    assert "叫号屏的事已经报给网点主管了" in notebook
    connection = sqlite3.connect(demo[0] / "gradebook.db")
    waiting = connection.execute(
        "select count(*) from grade join base_cell on base_cell.id = grade.cell_id"
        " where base_cell.name = 'e3-1-4-note' and grade.needs_manual_grade"
    ).fetchone()[0]
    connection.close()
    assert waiting == 1  # only the expert wrote a note


def test_plain_nbgrader_commands_work_from_the_root(demo: tuple[Path, str], tmp_path: Path) -> None:
    course, before = demo[0], grades(demo[0])
    for words in (
        ("nbgrader", "generate_assignment", "ch3", "--force"),
        ("nbgrader", "collect", "ch3", "--update"),
        ("nbgrader", "autograde", "ch3", "--force"),
        ("nbgrader", "generate_feedback", "ch3", "--force"),
        ("nbgrader", "release_feedback", "ch3"),
        ("nbgrader", "export", "--to", str(tmp_path / "grades.csv")),
    ):
        done = command(*words, course=course)
        assert done.returncode == 0, done.stderr[-2000:]
    assert grades(course) == before
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == pytest.approx({name: sum(points) for name, points in BY_HAND.items()}, abs=1e-9)
