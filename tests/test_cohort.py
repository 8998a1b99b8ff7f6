"""The demo as a whole: eight learners, real nbgrader, and grades worked out by hand.

The calculations come from the keys and the rules in words (docs/author.md), never
from running a scorer. What is not listed was not answered and earns nothing.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from html import unescape
from operator import itemgetter
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from rich.cells import cell_len
from rich.console import Console

from autograde.audit.book import read_book
from autograde.config import CourseConfig
from autograde.course_data import CourseData
from autograde.demo.run import Answer, Learner, mark, read_cohort
from autograde.gradebook import Entry, read_gradebook
from autograde.place import ROOT, CourseError
from autograde.report import print_gradebook
from curriculum.build import criterion_cells
from curriculum.items import NAMES
from curriculum.items.free_text.rubric import RUBRIC
from curriculum.load import Course
from curriculum.model import Criterion, Item
from curriculum.verdict import judge, number

BY_HAND = {
    "expert": {
        # Each rating as in the key: 3 + 2 + 1 + 2 + 2 = 10 of 10.
        "e2-2-1": 5,
        # Ten turns, the best of each: 30 of 30. No detour gives more than the turn it stands in for.
        "e2-2-2": 8,
        # Checklist 1 + 1 + 2 + 2 + 1 + 2 = 9 of 9, nothing that costs: all 4.5 points. Levels 3 + 2 + 3 + 3 + 3
        # + 3 = 17, a quarter each: 4.25.
        "e2-2-3": 4.5 + 4.25,
        # Six numbers, a share of 1 and full-width figures among them, and the sentence: 6 · 1 + 3 = 9 of 9.
        "e2-2-4": 6,
        # All three and no other.
        "e2-2-5": 3,
        # All 14 steps, free pairs swapped.
        "e3-1-1": 6,
        # 7 × 3 points.
        "e3-1-2": 9,
        # All 8 faults.
        "e3-1-3": 7,
        # 12 fields filled.
        "e3-1-4": 2,
        # Twenty right replies and priorities. A reply takes 15 s. Of two who come together the more urgent is first,
        # and the other waits 30 s, which is still in time; Bai, who comes 2 s after Luo, waits 28 s. 20 × 10 of 200.
        "e3-3-1": 7,
        # 9 × 3 points.
        "e3-3-2": 6,
        # 9 × 3 points; a bad start and its repair give 0 + 2, less than that turn.
        "e3-3-3": 6,
        # Checklist 1 + 2 + 1 + 2 + 1 + 1 + 1 = 9 of 9: 4.5 points. Levels 3 + 3 + 3 + 3 + 3 + 2 = 17: 4.25.
        "e3-3-4": 4.5 + 4.25,
        # Week 1: 15 + 9 + 15 = 39 minutes, week 2: 11 + 9 + 15 + 11 = 46, week 3: 11, week 4: 20 + 9 = 29.
        # Four evenings. All deadlines met, He still within two weeks: 60 + 40 of 100.
        "e3-4-1": 7,
        # Six numbers 50, six properties of the chart 20, conclusion 30.
        "e3-4-2": 7,
        # Best and worst: .5 + .5.
        "e3-4-3": 4,
        # 13 of 13 cards.
        "e3-4-4": 4,
    },
    "average-lin": {
        # One level off is a third off: 3 · 2/3 + 2 + 1 · 2/3 + 2 · 2/3 + 2 = 8 of 10.
        "e2-2-1": 5 * 8 / 10,
        # 3 + 1 + 3 + 1 + 3 + 1 + 3 + 1 + 1 + 3 = 20 of 30.
        "e2-2-2": 8 * 20 / 30,
        # The promise 1, apology 1, reason 2; no hour, no “either way”, no repair; “as soon as” costs 1: 3 of 9.
        "e2-2-3": 4.5 * 3 / 9,
        # Right, half for the 1 not taken off, right, right (20.6 is within .05 of 20.59), and twice without the
        # guarantee: 3.5 of 6. The sentence is half of 3. 5 of 9.
        "e2-2-4": 6 * 5 / 9,
        # Two hits, one false choice: 1 of 3.
        "e2-2-5": 3 * 1 / 3,
        # note-matters comes after replace-card and check-slip: one step to move, 14 − 2 = 12 of 14.
        "e3-1-1": 6 * 12 / 14,
        # 1 + 2 + 2 + 3 + 3 + 3 + 3 = 17 of 21.
        "e3-1-2": 9 * 17 / 21,
        # Overlooks smiles-on (2) and next-number (2), marks slow-recheck, which is fine: 18 − 4 − 1 = 13 of 18.
        "e3-1-3": 7 * 13 / 18,
        "e3-1-4": 2,
        # Wu: the please-wait is no answer, 38.5 s is late, and He was answered first: 5 + 1.5 + 0. Deng: can-wait for
        # soon, 5 + 3 + 0. Luo: a guess, 0. Fang after 33 s and Dai after 33.8 s: 5 + 1.5 + 2 each. Shen: the weaker
        # reply, 2.5 + 3 + 2. Jiang after 69.2 s and Meng after 63 s: 5 + 0 + 2 each. Ning: soon for can-wait, 8.
        # The other eleven 10 each. 6.5 + 8 + 0 + 17 + 7.5 + 14 + 8 + 110 = 171 of 200.
        "e3-3-1": 7 * 171 / 200,
        # 3 + 1 + 1 + 3 + 1 + 3 + 1 + 3 + 1 = 17 of 27.
        "e3-3-2": 6 * 17 / 27,
        # 0 + 2 + 3 + 1 + 3 + 1 + 0 + 2 + 3 + 3 + 1 = 19 of 27.
        "e3-3-3": 6 * 19 / 27,
        # Card 1, other ways 2, hotline 1, her remark 1; no hour, no reason, no suggestions; begging for stars costs 2:
        # 3 of 9.
        "e3-3-4": 4.5 * 3 / 9,
        # What has to hold: seven sentences of weight 1, 1, 1, 2, 1, 1, 1; Fu's deadline is broken, 60 · 7/8 = 52.5.
        # Goals of weight 1, 2, 2 share 40: early 3 of 4, the means 10 of 11 (Mo is left out, as in the model),
        # the guides 5 of 7: 8 · 3/4 + 16 · 10/11 + 16 · 5/7.
        "e3-4-1": 7 * (52.5 + 6 + 160 / 11 + 80 / 7) / 100,
        # Four of six numbers, 50 · 4/6; three of six properties, 20 · 3/6; .3 of 30.
        "e3-4-2": 7 * (50 * 4 / 6 + 10 + 9) / 100,
        # Second best .25, worst .5.
        "e3-4-3": 4 * 0.75,
        # 10 of 13 cards in place, less half for each of the other three (three categories): 8.5 of 13.
        "e3-4-4": 4 * 8.5 / 13,
    },
    "average-zhao": {
        # sum-up is left out: 13 of 14.
        "e3-1-1": 6 * 13 / 14,
        # 3 + 3 + 3 + 1 + 1 + 3 + 1 = 15 of 21.
        "e3-1-2": 9 * 15 / 21,
        # Finds 2 + 2 + 3 + 3 = 10, two false marks: 8 of 18.
        "e3-1-3": 7 * 8 / 18,
        # “注意” is too short a plan: not complete.
        "e3-1-4": 0,
    },
    "careless": {
        # Two and two levels off: 3 · 1/3 + 2 · 1/3 + 1 · 1/3; the other two cross the red line, 0. 2 of 10.
        "e2-2-1": 5 * 2 / 10,
        # 0 + 1 + 0 + 0 + 0 of 30.
        "e2-2-2": 8 * 1 / 30,
        # 7.2 and 10.2 are listed mistakes, and the guarantee is called no cost.
        "e2-2-4": 0,
        # Three false choices.
        "e2-2-5": 0,
        # explain-id stands before greet-seat, ask-purpose, hear-out, sum-up: move it (−2); bid-farewell before
        # name-deadline: move it (−2); 10 of 14. But greeting must precede the ID: capped at .5.
        "e3-1-1": 6 * 0.5,
        # 0 + 1 = 1 of 21.
        "e3-1-2": 9 * 1 / 21,
        # Finds slip-spread (2), one false mark: 1 of 18.
        "e3-1-3": 7 * 1 / 18,
        # “还行” fills nothing.
        "e3-1-4": 0,
        # 5 × 3 = 15 of 27, and then a red line: capped at .4.
        "e3-3-2": 6 * 0.4,
        # Product talks for Qiu and Fu, who said no: the plan earns nothing.
        "e3-4-1": 0,
        # One number of six, 50 / 6; no chart; a conclusion worth nothing.
        "e3-4-2": 7 * (50 / 6) / 100,
        # A red line chosen as best.
        "e3-4-3": 0,
    },
    "random-clicker": {
        # 3 · 2/3 + 2 · 1/3 + 0 (red line) + 2 + 1 · 2/3 = 16/3 of 10.
        "e2-2-1": 5 * (16 / 3) / 10,
        # One hit, two false choices.
        "e2-2-5": 0,
        # At most six of the steps are in an order that works (tidy-desk, note-matters, replace-card,
        # pass-query, name-deadline, check-slip), so eight must move, and 14 − 2·8 < 0.
        "e3-1-1": 0,
        # 3 + 0 + 1 = 4 of 21.
        "e3-1-2": 9 * 4 / 21,
        # Finds 2 + 2 + 3 + 2 = 9, six false marks: 3 of 18.
        "e3-1-3": 7 * 3 / 18,
        # 3 + 1 + 0 = 4 of 27.
        "e3-3-3": 6 * 4 / 27,
        # Third for best, second for worst.
        "e3-4-3": 0,
        # read-up-before, share-out-calls and yearly-lessons are in place: 3 − 10/2 < 0.
        "e3-4-4": 0,
    },
    # All 14 steps; three good turns, 9 of 21, and then no more.
    "half-way": {"e3-1-1": 6, "e3-1-2": 9 * 9 / 21},
    "blank": {},
    # Seven of 14 steps placed, and none of them wrongly; the other seven missing. What was done to the
    # notebook (1000 points, a forged score, deleted and doubled cells) changes nothing.
    "tamperer": {"e3-1-1": 6 * 7 / 14},
}
CHAPTERS = [path.stem for path in sorted((ROOT / "source").glob("*/*.ipynb"))]
# Lin's texts are marked by nobody; each could still get half of its 9 points.
WAITING = {"ch2": 4.5, "ch3": 9, "ch4": 9}


def graded_cells(chapter: str) -> list[str]:
    """Return the names of the graded cells in the order of the notebook."""
    notebook = json.loads((ROOT / "source" / chapter / f"{chapter}.ipynb").read_text("utf-8"))
    grading = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    return [one["grade_id"] for one in grading if one.get("grade")]


@pytest.fixture(scope="module")
def earned(whole_course: Course) -> dict[str, dict[str, float]]:
    """What each learner earns: by hand, or as an answer by chance earns it where it is judged alone."""
    found: dict[str, dict[str, float]] = {}
    for learner in read_cohort():
        found[learner.name] = dict(BY_HAND[learner.name])
        for chapter in whole_course.chapters:
            for answer in learner.work(chapter.items):
                item, points = whole_course.items[answer.item], chapter.points.get(answer.item)
                if points is None or answer.item in BY_HAND[learner.name]:
                    continue
                by_hand = sum(cell.points for cell in criterion_cells(item, points))
                share = 1 if learner.name == "expert" else judge(item, answer.response)[0].share
                marked = (
                    sum(answer.marks.values()) / sum(len(c.levels) - 1 for c in rubric(item)) if answer.marks else 0
                )
                found[learner.name][answer.item] = (points - by_hand) * share + by_hand * marked
    return found


def rubric(item: Item) -> tuple[Criterion, ...]:
    return item.kind.rubric.criteria if item.kind.rubric else ()


def totals(earned: dict[str, dict[str, float]], chapter: str) -> dict[str, float]:
    """Return what each learner earns in a chapter: items are called after their chapter."""
    prefix = chapter.replace("ch", "e") + "-"
    return {
        learner: sum(points for item, points in items.items() if item.startswith(prefix))
        for learner, items in earned.items()
    }


def command(*words: str, course: Path) -> subprocess.CompletedProcess[str]:
    folder = Path(sys.executable).parent
    path = os.pathsep.join((str(folder), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "COUNTERSIDE_COURSE": str(course), "COLUMNS": "80"}
    return subprocess.run(
        [str(folder / words[0]), *words[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
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
    """Return the gradebook's points by learner and cell."""
    query = """
        select student.id, base_cell.name, coalesce(grade.manual_score, grade.auto_score, 0) from grade
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


@pytest.fixture
def entries(demo: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Entry]:
    """The demo's gradebook by learner and chapter."""
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(demo[0]))
    return {(entry.learner, entry.chapter): entry for entry in read_gradebook(CourseData())}


def graded_items(course: Course) -> set[str]:
    return {name for chapter in course.chapters for name in chapter.points}


@pytest.mark.parametrize("learner", BY_HAND)
def test_grades_are_those_worked_out_by_hand(
    demo: tuple[Path, str], whole_course: Course, earned: dict[str, dict[str, float]], learner: str
) -> None:
    scores = grades(demo[0])[learner]
    items = graded_items(whole_course)
    # A text has its checklist in one cell and each criterion in one of its own.
    summed = {
        item: sum(score for cell, score in scores.items() if cell == item or cell.startswith(f"{item}-"))
        for item in items
    }
    assert summed == pytest.approx({**dict.fromkeys(items, 0), **earned[learner]}, abs=1e-9)


def test_who_knows_more_has_more_in_every_chapter(whole_course: Course, earned: dict[str, dict[str, float]]) -> None:
    for chapter in whole_course.chapters:
        got = totals(earned, chapter.id)
        assert got["expert"] > 0.96 * sum(chapter.points.values())
        assert got["expert"] > got["average-lin"] > got["careless"] > got["random-clicker"]


def test_two_learners_play_each_type_by_hand_and_one_of_them_is_never_quite_right(whole_course: Course) -> None:
    points = {name: worth for chapter in whole_course.chapters for name, worth in chapter.points.items()}
    assert set(BY_HAND["expert"]) == set(BY_HAND["average-lin"])
    assert {whole_course.items[name].kind.name for name in BY_HAND["expert"]} == set(NAMES)
    full = {name for name, earned in BY_HAND["average-lin"].items() if earned == points[name]}
    assert {whole_course.items[name].kind.name for name in full} == {"reflection"}  # which is all or nothing


def test_marks_of_the_instructor_are_a_persons(demo: tuple[Path, str], whole_course: Course) -> None:
    texts = [name for name in graded_items(whole_course) if whole_course.items[name].kind.rubric]
    connection = sqlite3.connect(demo[0] / "gradebook.db")
    rows = connection.execute(
        """
        select base_cell.name, grade.manual_score, grade.needs_manual_grade from grade
        join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        join student on student.id = submitted_assignment.student_id
        where student.id = 'expert' and grade.manual_score is not null"""
    ).fetchall()
    connection.close()
    assert {name: (score, waits) for name, score, waits in rows} == {
        f"{item}-{criterion}": (0.5 if (item, criterion) in (("e2-2-3", "empathy"), ("e3-3-4", "form")) else 0.75, 0)
        for item in texts
        for criterion in ("truth", "empathy", "clarity", "action", "rules", "form")
    }


@pytest.mark.parametrize(
    "marks", [{"truth": 3}, {"truth": 4, **dict.fromkeys(("empathy", "clarity", "action", "rules", "form"), 1)}]
)
def test_marks_that_do_not_fit_the_rubric_are_refused(
    tmp_path: Path, whole_course: Course, marks: dict[str, int]
) -> None:
    answer = Answer(item="e2-2-3", response={"text": "…"}, marks=marks)
    learner = Learner(name="expert", lang="zh", answers=(answer,))
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        mark(gradebook, learner, whole_course, "ch3")
        with pytest.raises(CourseError, match="e2-2-3 don't fit its rubric"):
            mark(gradebook, learner, whole_course, "ch2")


def test_red_lines_are_flagged(entries: dict[tuple[str, str], Entry]) -> None:
    flags = {
        outcome.item: outcome.flags
        for chapter in CHAPTERS
        for outcome in entries["careless", chapter].verdict.outcomes
        if outcome.flags and outcome.item in BY_HAND["careless"]
    }
    red = dict.fromkeys(("e2-2-1", "e2-2-4", "e3-3-2", "e3-4-1", "e3-4-3"), ("red-line",))
    assert flags == {**red, "e3-1-1": ("critical-pair",)}


def test_tables_show_every_mark_and_fit_a_terminal(
    demo: tuple[Path, str], whole_course: Course, earned: dict[str, dict[str, float]]
) -> None:
    printed = demo[1]
    first_remark = re.search(r"^[\w-]+, ch\d: ", printed, re.MULTILINE)
    assert first_remark
    tables = printed[printed.index("ch1 ·") : first_remark.start()]
    assert max(map(cell_len, tables.splitlines())) <= 80
    rows = [line.split() for line in tables.splitlines()]
    assert len(re.findall(r"ch\d · ", tables)) == len(whole_course.chapters)
    learners = sorted(BY_HAND)
    for chapter in whole_course.chapters:
        for item, worth in chapter.points.items():
            (row,) = (row for row in rows if row[:2] == [item, f"{worth:g}"])
            shown = [None if cell == "–" else float(cell) for cell in row[2:]]
            assert shown == [
                None if points is None else pytest.approx(points, abs=0.0051)
                for points in (earned[learner].get(item) for learner in learners)
            ]
    of_chapters = [row for row in rows if row[:1] == ["total"]]
    for chapter, row in zip(whole_course.chapters, of_chapters, strict=True):
        summed = [totals(earned, chapter.id)[learner] for learner in learners]
        assert [float(cell) for cell in row[1:]] == pytest.approx([sum(chapter.points.values()), *summed], abs=0.0051)
    for chapter, row in zip(CHAPTERS, [row for row in rows if row[:1] == ["state"]], strict=True):
        states = dict.fromkeys(learners, "graded") | {"tamperer": "notebook"}
        states |= {"average-lin": "to be"} if chapter in WAITING else {}
        assert row == ["state", *" ".join(states[learner] for learner in learners).split()]
    assert all(name in printed for name in ("make learner", "make instructor", "make auditor"))


def test_a_narrow_terminal_gets_the_learners_in_groups(
    entries: dict[tuple[str, str], Entry], earned: dict[str, dict[str, float]]
) -> None:
    out = io.StringIO()
    print_gradebook(Console(file=out, width=46, highlight=False, soft_wrap=True))
    lines = out.getvalue().splitlines()
    tables = [line for line in lines if not re.match(r"[\w-]+, ch\d: ", line)]
    assert max(map(cell_len, tables)) <= 46
    totals_shown = [float(number) for line in lines if line.startswith(" total") for number in line.split()[2:]]
    by_hand = [totals(earned, chapter)[learner] for chapter in CHAPTERS for learner in sorted(BY_HAND)]
    assert totals_shown == pytest.approx(by_hand, abs=0.005)


def remarks(printed: str) -> dict[tuple[str, str], list[str]]:
    found = re.findall(r"^([\w-]+), (ch\d): (.*)$", printed, re.MULTILINE)
    return {(learner, chapter): words.split("; ") for learner, chapter, words in found}


def test_the_tamperer_is_reported_and_nobody_else(demo: tuple[Path, str]) -> None:
    waiting = {
        ("average-lin", chapter): [f"{points:g} points are still to be marked by hand"]
        for chapter, points in WAITING.items()
    }
    # The first cell got another text and 1000 points, and a copy of it stands at the end; the second is said to be
    # a solution; the last is gone; and a cell that writes into the gradebook stands on top.
    tampered = {
        ("tamperer", chapter): {
            f"cell {first} appears 2 times",
            f"cell {first}: its text was changed",
            f"cell {first}: its nbgrader metadata was changed",
            f"cell {second}: its nbgrader metadata was changed",
            f"cell {last} was deleted",
            "1 cell was added",
        }
        for chapter in CHAPTERS
        for first, second, last in [itemgetter(0, 1, -1)(graded_cells(chapter))]
    }
    said = remarks(demo[1])
    assert {key: set(words) for key, words in said.items() if key[0] == "tamperer"} == tampered
    assert {key: words for key, words in said.items() if key[0] != "tamperer"} == waiting


def test_running_again_gives_the_same_table(demo: tuple[Path, str]) -> None:
    again = command("counterside", "demo", course=demo[0])
    assert again.returncode == 0, again.stderr
    assert again.stdout[again.stdout.index("ch1 ·") :] == demo[1][demo[1].index("ch1 ·") :]


def test_real_data_are_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("somebody's work")
    done = command("counterside", "demo", course=tmp_path)
    assert done.returncode == 1
    assert "not the demo's" in done.stderr
    assert (tmp_path / "gradebook.db").read_text() == "somebody's work"


# By type: an item; what one row of Lin's page says (what was done, why, what is better, the handbook's point); and what
# one row of the expert's says, where nothing is better. Of a card and of a step, the row itself says what is better.
FEEDBACK = {
    "rating": (
        "e2-2-1",
        "Do take it home, read it|you said “Fairly suitable”; the key says “Hardly suitable”, one level away"
        "|Why She isn't deceived|Better “No, and the difference that matters|Handbook 2.2.4c Help",
        "用不用得着？”：你评为“很合适”，与参考评级一致|为什么 先答她问的：不一样|手册要点 2.2.1a 信息",
    ),
    "dialogue": (
        "e3-3-2",
        "You said: “I see, so you're the cautious type|Why “Cautious” is your label|Better Say his own words back"
        "|Handbook 4.1.4a Fit",
        "你说：“您先坐。能不能买|为什么 没有回绝，也没有下单|手册要点 3.3.3a 了解",
    ),
    "free_text": (
        "e2-2-3",
        "Not included: A new time that is in your own hands|Why The new time must be definite"
        "|Better “I will ring you by 15:00 tomorrow.”|Handbook 2.2.3a Every promise",
        "写到了：为失约道歉|为什么 是你许下的时间，由你来道歉|手册要点 2.2.4a 诚实",
    ),
    "numeric": (
        "e2-2-4",
        "A: effective yearly rate: 113.84 %. The method is right, one step went wrong; it should be 13.84 %"
        "|Why The power is right|Better 1.010862 to the power of 12 is 1.1384|Handbook 2.2.2a Give",
        "乙：实际年利率：20.59%，对了|为什么 1.015728 的 12 次方是 1.2059|手册要点 2.2.2a 准确",
    ),
    "multi_select": (
        "e2-2-5",
        "Wrongly chosen: “It pays up to two million a year|Why She knows the limit already"
        "|Better “Up to two million, after the 10,000 you pay yourself|Handbook 2.2.1d Neither",
        "选对：“去年体检的结节要照实填上|为什么 这一句会让你少一单|手册要点 2.2.4a 诚实",
    ),
    "ordering": (
        "e3-1-1",
        "“Enter both matters in the system” is misplaced: it belongs before “Replace the card"
        "|Why Record while she is there|Handbook 3.1.10d Needs",
        "“登录系统，试一下打印机和读卡器”的位置合适|为什么 设备在开门前试好|手册要点 3.1.4 高效",
    ),
    "violations": (
        "e3-1-3",
        "Overlooked: “(smiles, straightens the certificate)|Why Norm 6: the suggestion gets no answer"
        "|Better “That is a good point.|Handbook 3.1.6 Norm 6",
        "找到问题：“就是自动转存嘛|为什么 规范三：没有解释|手册要点 3.1.3 耐心",
    ),
    "reflection": (
        "e3-1-4",
        "3. Next time: written|Why Compare with the model|For example I log the suggestion before I go home"
        "|Handbook 3.1.11 Keep",
        "1. 我的反应：已写|为什么 对照范例|手册要点 3.1.11 不断",
    ),
    "triage": (
        "e3-3-1",
        "Ms Luo – not right, so this customer earns nothing, however fast it was: “That's usually the fee"
        "|Why A guess.|Better “I can't see yet where it comes from.|Handbook 2.2.2c Verify",
        "林先生——有内容的答复：“周六开门|为什么 答案就在屏幕上|手册要点 3.3.1b 线上",
    ),
    "plan": (
        "e3-4-1",
        "Not kept: Where a day was agreed|What breaks it: Fu Guilan, retired nurse, 72 (16–20 Nov)"
        "|Why On the day you named|Better Shen Yifan in the first week, Fu Guilan by the second|Handbook 3.4.1b Return",
        "守住了：没同意营销的|为什么 要先有同意，才谈得上推销|手册要点 3.4.1a 建立",
    ),
    "data_analysis": (
        "e3-4-2",
        "How many of the 200 actually gave a 3? You gave 25; it is 24|Why 70 gave a 5 and 46 gave a 1"
        "|Better “Count by mark and you see it|Handbook 3.4.2a Feedback",
        "真正打 3 分的有多少条？你填 24，对|为什么 打 5 分的 70 条|手册要点 3.4.2a 表扬",
    ),
    "best_worst": (
        "e3-4-3",
        "As best you chose “That does deserve some thought|it comes second. The best reply: “I heard what you said"
        "|Why No product, and the right person|Better Ask before you put it down|Handbook 3.4.4a Relationship",
        "最好的回应，你选对了：“您说的这笔钱我听见了|为什么 他的话接住了|手册要点 3.4.3c 协调",
    ),
    "classification": (
        "e3-4-4",
        "You put “Go through overdue comments|under “Mine”; it belongs under “My team leader's”"
        "|Why A mechanism needs somebody|Handbook 3.4.2d Feedback",
        "谁能看回访记录”放在“整个机构”，放对了|为什么 回访的频次|手册要点 3.4.1a 建立",
    ),
}


def feedback(demo: tuple[Path, str], learner: str, chapter: str) -> str:
    return (demo[0] / "feedback" / learner / chapter / f"{chapter}.html").read_text("utf-8")


def bare(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", markup, flags=re.DOTALL)).split())


def rows_of(page: str, item: str) -> list[str]:
    section = re.search(rf'<section id="{item}">.*?</section>', page, re.DOTALL)
    assert section
    return [bare(row) for row in re.findall(r"<li.*?</li>", section[0], re.DOTALL)]


def test_no_type_goes_without_feedback() -> None:
    assert set(FEEDBACK) == set(NAMES)


@pytest.mark.parametrize("name", FEEDBACK)
def test_feedback_says_what_was_done_why_and_what_is_better(
    demo: tuple[Path, str], whole_course: Course, name: str
) -> None:
    item, weaker, best = FEEDBACK[name]
    assert whole_course.items[item].kind.name == name
    chapter = next(chapter.id for chapter in whole_course.chapters if item in chapter.points)
    english, chinese = (rows_of(feedback(demo, learner, chapter), item) for learner in ("average-lin", "expert"))
    assert [row for row in english if all(words in row for words in weaker.split("|"))], english
    assert [row for row in chinese if all(words in row for words in best.split("|"))], chinese
    assert not any("Why" in row for row in chinese)
    assert not any("为什么" in row for row in english)


def test_feedback_names_total_language_and_unanswered_exercises(
    demo: tuple[Path, str], whole_course: Course, earned: dict[str, dict[str, float]]
) -> None:
    chinese, english = feedback(demo, "half-way", "ch3"), feedback(demo, "average-lin", "ch3")
    assert '<html lang="zh-CN">' in chinese
    assert '<html lang="en">' in english
    assert f"{number(totals(earned, 'ch3')['average-lin'])} of 100 points" in bare(english)
    unanswered = len(whole_course.chapter("ch3").points) - 2  # e3-1-1 and e3-1-2
    assert bare(chinese).count("这道题没有作答") == unanswered


def test_texts_that_nobody_marked_are_provisional_everywhere(
    demo: tuple[Path, str], entries: dict[tuple[str, str], Entry]
) -> None:
    for chapter, item in (("ch2", "e2-2-3"), ("ch3", "e3-3-4")):
        entry = entries["average-lin", chapter]
        assert (entry.state, entry.waiting) == ("waiting", WAITING[chapter])
        page = feedback(demo, "average-lin", chapter)
        words = "points are still to be marked by your trainer; until then this grade is provisional."
        assert f"{WAITING[chapter]:g} {words}" in bare(page)
        marked = [row for row in rows_of(page, item) if row.endswith("not marked yet")]
        assert len(marked) == len(RUBRIC.criteria)
    waiting = {(one.learner, one.chapter): one.waiting for one in read_book(CourseConfig()).standings if one.waiting}
    assert waiting == pytest.approx({("average-lin", chapter): points for chapter, points in WAITING.items()})


def test_an_auditor_reads_the_same_totals(demo: tuple[Path, str], earned: dict[str, dict[str, float]]) -> None:
    book = read_book(CourseConfig(), db_url=f"sqlite:///{demo[0] / 'gradebook.db'}")
    assert book.standings
    for one in book.standings:
        if one.chapter in CHAPTERS:
            assert one.total == pytest.approx(totals(earned, one.chapter)[one.learner])


def test_marks_by_hand_stand_on_the_feedback_page(
    demo: tuple[Path, str], entries: dict[tuple[str, str], Entry]
) -> None:
    for chapter, item, weaker in (("ch2", "e2-2-3", "empathy"), ("ch3", "e3-3-4", "form")):
        assert (entries["expert", chapter].state, entries["expert", chapter].waiting) == ("graded", 0)
        page = feedback(demo, "expert", chapter)
        rows = rows_of(page, item)
        for criterion in RUBRIC.criteria:
            level, points = (2, "0.5 / 0.75") if criterion.id == weaker else (3, "0.75 / 0.75")
            assert f"{criterion.title.zh} {points} {criterion.levels[level].zh}" in rows
        assert "暂时" not in page


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


def test_plain_nbgrader_commands_work_from_the_root(
    demo: tuple[Path, str], earned: dict[str, dict[str, float]], tmp_path: Path
) -> None:
    course, before = demo[0], grades(demo[0])
    steps = [
        ("nbgrader", "generate_assignment", "ch2", "--force"),
        ("nbgrader", "collect", "ch2", "--update"),
        ("nbgrader", "autograde", "ch2", "--force"),
        ("nbgrader", "generate_feedback", "ch2", "--force"),
        ("nbgrader", "release_feedback", "ch2"),
    ]
    for words in (*steps, ("nbgrader", "export", "--to", str(tmp_path / "grades.csv"))):
        done = command(*words, course=course)
        assert done.returncode == 0, done.stderr[-2000:]
    assert grades(course) == before
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for chapter in CHAPTERS:
        of_chapter = [row for row in rows if row["assignment"] == chapter]
        assert {float(row["max_score"]) for row in of_chapter} == {100}
        exported = {row["student_id"]: float(row["score"]) for row in of_chapter}
        assert exported == pytest.approx(totals(earned, chapter), abs=1e-9)
