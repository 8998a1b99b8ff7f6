"""Grading in batches: what is written, what is left alone, and what a learner's files can't do."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from rich.console import Console

from autograde import batch, workers
from autograde.batch import Result, alone, grade
from autograde.bench_grading import differences, grading, stock_of
from autograde.cli import main
from autograde.cohort import hand_in, release
from autograde.course_data import CourseData
from autograde.place import ROOT, CourseError
from autograde.tables import gradebook
from curriculum.load import CONTENT, Course, load_course

CHAPTERS = ("ch1", "ch6")
LEARNERS = 3
FIRST, SECOND, THIRD = (f"learner-{number:05}" for number in range(LEARNERS))


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory, whole_course: Course) -> Path:
    """A course folder with submissions that nobody has graded."""
    folder = tmp_path_factory.mktemp("handed-in") / "course"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        data, chapters = CourseData(), [whole_course.chapter(name) for name in CHAPTERS]
        release(data, chapters)
        assert hand_in(data, chapters, LEARNERS) == [FIRST, SECOND, THIRD]
    return folder


@pytest.fixture
def data(handed_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CourseData:
    """A copy of it, to be graded and spoiled."""
    shutil.copytree(handed_in, tmp_path / "course", symlinks=True)
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "course"))
    return CourseData()


def run(data: CourseData, **options: Any) -> dict[tuple[str, str], Result]:
    with gradebook(data.db_url) as engine:
        return {(one.learner, one.chapter): one for one in grade(data, engine, CHAPTERS, **options)}


def query(data: CourseData, words: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data.folder / "gradebook.db")
    try:
        return connection.execute(words).fetchall()
    finally:
        connection.close()


GRADES = """
    select s.student_id, b.name, g.auto_score, g.manual_score, g.needs_manual_grade from grade g
    join base_cell b on b.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id
    join submitted_assignment s on s.id = n.assignment_id order by 1, 2"""


def grades(data: CourseData) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {(learner, cell): tuple(rest) for learner, cell, *rest in query(data, GRADES)}


def log_of(data: CourseData, learner: str, chapter: str) -> Path:
    return data.submitted / learner / chapter / "responses" / f"{chapter}.jsonl"


def states(results: dict[tuple[str, str], Result]) -> dict[tuple[str, str], str]:
    return {key: result.state for key, result in results.items()}


def test_nbgrader_by_itself_gives_the_same_grades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_course: Course
) -> None:
    # All chapters, five learners from the weakest to the strongest: 30 submissions, each with a kernel of its own.
    # `grading` fails when one grade, comment or time differs. Of speed nothing is asked here.
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    monkeypatch.setenv("COUNTERSIDE_COURSE", "put back afterwards")
    out = StringIO()
    grading(Console(file=out, width=120), learners=5, by_stock=5, many=0)
    assert "Grades, comments, times and the exported CSV of 30 submissions are the same in both." in out.getvalue()


def test_one_other_grade_is_found(data: CourseData, tmp_path: Path) -> None:
    stock = stock_of(data, tmp_path / "stock")
    run(data)
    shutil.copy(data.folder / "gradebook.db", tmp_path / "stock" / "gradebook.db")
    connection = sqlite3.connect(tmp_path / "stock" / "gradebook.db")
    # As nbgrader sees cells that only a person marks: untouched.
    with connection:
        connection.execute("update grade set needs_manual_grade = 0, auto_score = 0 where auto_score is null")
    assert differences(data, [stock], [FIRST, SECOND]) == []
    with connection:
        changed = connection.execute(
            "update grade set auto_score = auto_score + 0.001 where id = (select g.id from grade g "
            "join base_cell b on b.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id "
            "join submitted_assignment s on s.id = n.assignment_id where b.name = 'e1-1-1' and s.student_id = ?)",
            (SECOND,),
        )
        assert changed.rowcount == 1
    connection.close()
    one, other = differences(data, [stock], [FIRST, SECOND])
    assert one.startswith(f"grades of {SECOND}, ch1, e1-1-1: ")
    assert other.startswith(f"the exported CSV of {SECOND}, ch1: ")


def test_each_score_has_its_evidence(data: CourseData, whole_course: Course) -> None:
    run(data)
    rows = query(
        data,
        "select e.student_id, e.item, e.earned, e.possible, e.item_hash, e.key_hash, e.seq, e.line, r.scorer "
        "from counterside_evidence e join counterside_run r on r.id = e.run_id",
    )
    graded = [name for chapter in CHAPTERS for name in whole_course.chapter(chapter).points]
    assert len(rows) == LEARNERS * len(graded)
    scores = grades(data)
    for learner, name, earned, possible, item_hash, key_hash, seq, line, scorer in rows:
        item = whole_course.items[name]
        assert (item_hash, key_hash) == (item.hash, item.key_hash)
        assert scores[learner, name][0] == earned <= possible
        assert len(scorer) == 16
        if seq is not None:
            kept = log_of(data, learner, f"ch{name[1]}").read_bytes().split(b"\n")[seq - 1]
            assert json.loads(kept)["item"] == name
            assert line == hashlib.sha256(kept).hexdigest()


def test_what_has_not_changed_is_left_alone(data: CourseData) -> None:
    assert set(states(run(data)).values()) == {"graded"}
    assert set(states(run(data)).values()) == {"unchanged"}
    log = log_of(data, SECOND, "ch1")
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:2]))
    shutil.rmtree(data.autograded / THIRD / "ch6")
    again = states(run(data))
    assert {key for key, state in again.items() if state != "unchanged"} == {(SECOND, "ch1"), (THIRD, "ch6")}
    assert len(query(data, "select distinct run_id from counterside_evidence")) == 2
    assert set(states(run(data, force=True)).values()) == {"graded"}


def test_no_score_is_left_from_before(data: CourseData) -> None:
    run(data)
    assert sum(score or 0 for (learner, _cell), (score, *_more) in grades(data).items() if learner == THIRD) > 20
    for chapter in CHAPTERS:
        log_of(data, THIRD, chapter).unlink()
    run(data)
    assert {row[:2] for (learner, _cell), row in grades(data).items() if learner == THIRD} == {(0.0, None)}


def test_marks_that_a_person_gave_stay(data: CourseData) -> None:
    run(data)
    with Gradebook(data.db_url) as book:
        book.find_grade("e1-1-1", "ch1", "ch1", FIRST).manual_score = 2.5
        book.find_grade("e1-1-2", "ch1", "ch1", FIRST).extra_credit = 1.5
        book.find_comment("e6-2-2-note", "ch6", "ch6", FIRST).manual_comment = "Well seen."
        book.db.commit()
    before = grades(data)
    run(data, force=True)
    assert grades(data) == before
    assert query(data, "select manual_comment from comment where manual_comment is not null") == [("Well seen.",)]
    assert query(data, "select extra_credit from grade where extra_credit is not null") == [(1.5,)]
    # Another answer than the one that was marked: the mark stays, and a person is asked to look at it again.
    shutil.copy(log_of(data, SECOND, "ch1"), log_of(data, FIRST, "ch1"))
    run(data)
    assert grades(data)[FIRST, "e1-1-1"] == (before[SECOND, "e1-1-1"][0], 2.5, 1)


def test_many_processes_write_what_one_does(data: CourseData, monkeypatch: pytest.MonkeyPatch) -> None:
    run(data)
    alone_written = grades(data)
    monkeypatch.setattr(batch, "CHUNK", 1)
    assert set(states(run(data, workers=2, force=True)).values()) == {"graded"}
    assert grades(data) == alone_written


def interrupted(data: CourseData, patch: pytest.MonkeyPatch, module: Any, place: str, after: int) -> None:
    """Grade and be ended at the given place, at the so-manyeth time."""
    real, count = getattr(module, place), iter(range(100))

    class EndedError(BaseException):
        """As a signal would: nothing catches it."""

    def ends(*words: Any) -> Any:
        if next(count) == after:
            raise EndedError
        return real(*words)

    with patch.context() as here:
        here.setattr(module, place, ends)
        with pytest.raises(EndedError):
            run(data)


@pytest.mark.parametrize(
    ("module", "place", "after"),
    [(workers, "judge", 3), (batch, "write_rows", 1), (batch, "put_in_place", 0), (batch, "put_in_place", 4)],
)
def test_ended_anywhere_the_next_run_is_as_if_nothing_had_happened(
    data: CourseData, monkeypatch: pytest.MonkeyPatch, module: Any, place: str, after: int
) -> None:
    monkeypatch.setattr(batch, "CHUNK", 2)
    interrupted(data, monkeypatch, module, place, after)
    done = query(data, "select count(*) from counterside_submission")[0][0]
    assert done < LEARNERS * len(CHAPTERS)
    results = states(run(data))
    assert list(results.values()).count("unchanged") == done
    expected = {(learner, chapter) for learner in (FIRST, SECOND, THIRD) for chapter in CHAPTERS}
    assert {key for key in expected if (data.autograded / key[0] / key[1] / f"{key[1]}.ipynb").is_file()} == expected
    assert not (data.autograded / batch.STAGING).exists()
    written = grades(data)
    assert len(query(data, "select * from counterside_evidence")) == 3 * 10
    run(data, force=True)
    assert grades(data) == written


def test_two_runs_never_meet(data: CourseData) -> None:
    with alone(data.folder), pytest.raises(CourseError, match="wait for its end"):
        run(data)
    assert set(states(run(data)).values()) == {"graded"}


def spoil_timestamp(folder: Path) -> None:
    (folder / "timestamp.txt").write_bytes(b"\xff tomorrow")


def spoil_log(folder: Path) -> None:
    next(folder.glob("responses/*")).unlink()
    os.mkfifo(folder / "responses" / f"{folder.name}.jsonl")


def spoil_chain(folder: Path) -> None:
    log = next(folder.glob("responses/*"))
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[1:]))


def spoil_notebook(folder: Path) -> None:
    path = folder / f"{folder.name}.ipynb"
    notebook = json.loads(path.read_bytes())
    attack = f"open({str(folder.parents[2] / 'canary')!r}, 'w')"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = attack
    path.unlink()
    path.write_text(json.dumps(notebook))


def no_notebook(folder: Path) -> None:
    (folder / f"{folder.name}.ipynb").unlink()
    (folder / f"{folder.name}.ipynb").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("spoil", "state", "words"),
    [
        (spoil_timestamp, "look", "timestamp.txt holds no time"),
        (spoil_log, "refused", "is not a plain file"),
        (spoil_chain, "look", "not in the chain"),
        (spoil_notebook, "warning", "its text was changed"),
        (no_notebook, "warning", "no plain file"),
    ],
)
def test_a_spoilt_submission_is_named_and_costs_nobody_else_anything(
    data: CourseData, spoil: Callable[[Path], None], state: str, words: str
) -> None:
    run(data)
    before = grades(data)
    spoil(data.submitted / SECOND / "ch1")
    results = run(data)
    assert (results[SECOND, "ch1"].state, set(states(results).values())) == (state, {state, "unchanged"})
    assert words in "; ".join(results[SECOND, "ch1"].remarks)
    after = grades(data)
    assert {key for key in before if before[key] != after[key] and key[0] != SECOND} == set()
    assert not (data.folder / "canary").exists()


def test_folders_that_no_learner_can_have(data: CourseData) -> None:
    (data.submitted / "two\nlines" / "ch1").mkdir(parents=True)
    (data.submitted / "elsewhere").symlink_to(data.submitted / FIRST)
    results = run(data)
    assert len(results) == LEARNERS * len(CHAPTERS) + 1
    (odd,) = [result for result in results.values() if result.state == "refused"]
    assert "no name that a learner can have" in odd.remarks[0]
    assert "\n" not in odd.learner + odd.remarks[0]


def test_a_chapter_released_otherwise_is_not_graded(data: CourseData) -> None:
    connection = sqlite3.connect(data.folder / "gradebook.db")
    with connection:
        connection.execute("update grade_cells set max_score = 99 where max_score = 18")
    connection.close()
    with pytest.raises(CourseError, match=r"^ch1 as released is not what the course has now; run “counterside build”"):
        run(data)
    assert query(data, "select * from grade") == []


class HalfAPoint(LateSubmissionPlugin):  # type: ignore[misc]
    """Half a point off for each hour."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float:
        return total_seconds_late / 7200


@pytest.mark.parametrize(("due", "off"), [("2026-09-01 06:00:00", 1.5), ("2026-09-01 10:00:00", None)])
def test_late_submissions_cost_what_nbgraders_plug_in_says(data: CourseData, due: str, off: float | None) -> None:
    # Handed in at 9:00 UTC: three hours late, or an hour early.
    data.config.AssignLatePenalties.plugin_class = HalfAPoint
    connection = sqlite3.connect(data.folder / "gradebook.db")
    with connection:
        connection.execute("update assignment set duedate = ?", (f"{due}.000000",))
    connection.close()
    run(data)
    assert {row[0] for row in query(data, "select late_submission_penalty from submitted_notebook")} == {off}


def test_formgraders_button_writes_the_same(data: CourseData) -> None:
    run(data)
    before, evidence = grades(data), len(query(data, "select * from counterside_evidence"))
    data.instructor("autograde", "ch6", student_id=FIRST, force=True)
    assert grades(data) == before
    assert len(query(data, "select * from counterside_evidence")) == evidence + 4
    assert states(run(data))[FIRST, "ch6"] == "unchanged"


# ---- the commands ---------------------------------------------------------------------------


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], data: CourseData) -> Iterator[Callable[..., tuple[int, str]]]:
    def call(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return code, out + err

    return call


def test_the_exit_code_says_whether_a_person_is_needed(data: CourseData, said: Callable[..., tuple[int, str]]) -> None:
    code, words = said("grade", "ch1", "ch6", "--workers", "1")
    assert code == 0
    assert "ch6" in words
    spoil_notebook(data.submitted / SECOND / "ch1")
    code, words = said("grade", "ch1", "--workers", "1")
    assert (code, "graded, notebook changed" in words) == (0, True)
    spoil_chain(data.submitted / SECOND / "ch1")
    code, words = said("grade", "ch1", "--learners", "*2")
    assert (code, SECOND in words) == (0, False)
    code, words = said("grade", "ch1")
    assert code == 1
    assert f"{SECOND}, ch1: " in words
    assert "needs a person" in words


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("grade",), "name the chapters, such as ch3, or say --all"),
        (("grade", "ch1", "--all"), "name chapters or say --all, not both"),
        (("grade", "ch9"), "there is no chapter “ch9”; there are ch1, ch2, ch3, ch4, ch5, ch6"),
        (("grade", "ch2"), "ch2 was never released; run “nbgrader generate_assignment ch2”"),
        (("grade", "ch1", "--learners", "nobody"), "no learner who handed in fits “nobody”"),
        (("feedback", "ch1", "--learners", "nobody"), "no learner who handed in fits “nobody”"),
        (("regrade", "ch1", "--learners", "nobody"), "no learner who handed in fits “nobody”"),
        (("feedback", "ch1"), "nothing was graded of ch1; run “counterside grade” first"),
        (
            ("explain", FIRST, "e9-9-9"),
            "there is no graded item “e9-9-9”; ids are like e3-1-2, and practice is not graded",
        ),
        (("explain", FIRST, "e1-1-1"), f"nothing was graded of {FIRST} for e1-1-1"),
    ],
)
def test_one_sentence_where_it_cannot_be_done(
    said: Callable[..., tuple[int, str]], words: tuple[str, ...], answer: str
) -> None:
    code, out = said(*words)
    assert code == 1
    assert answer in out
    assert "Traceback" not in out


def test_no_gradebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "new"))
    assert main(("grade", "--all")) == 1
    assert capsys.readouterr().err.startswith("there is no gradebook yet")
    assert not (tmp_path / "new" / "gradebook.db").exists()


def test_a_changed_key_is_tried_before_it_counts(
    data: CourseData, said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(data)
    assert "Nobody's points change." in said("regrade", "ch1", "--dry-run")[1]
    before, evidence = grades(data), len(query(data, "select * from counterside_evidence"))
    # A reply keyed 3 becomes a 2. It weighs 1 of 14 in all, of 15 points, and each level off costs a third of that.
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    path = content / "chapters" / "1-meaning" / "items" / "e1-1-2.yml"
    text = path.read_text("utf-8")
    assert "three-second-greeting: 3," in text
    path.write_text(text.replace("three-second-greeting: 3,", "three-second-greeting: 2,", 1), "utf-8")
    changed = load_course(content)
    monkeypatch.setattr("autograde.regrade.course_of_run", lambda: changed)
    code, words = said("regrade", "ch1", "--dry-run")
    assert code == 0
    assert "Nothing was written." in words
    expected = []
    for learner in (FIRST, SECOND, THIRD):
        records = [json.loads(line) for line in log_of(data, learner, "ch1").read_bytes().splitlines()]
        for given in (
            record["response"]["ratings"]["three-second-greeting"] for record in records if record["item"] == "e1-1-2"
        ):
            was = before[learner, "e1-1-2"][0]
            now = was + 15 / 14 * (abs(given - 3) - abs(given - 2)) / 3
            expected.append(f"{learner}, e1-1-2: {was:.2f} → {now:.2f} points")
    assert len(expected) == 3
    lines = [line for line in words.splitlines() if " → " in line]
    assert [re.sub(r"\d+(\.\d+)?(?= )", lambda found: f"{float(found[0]):.2f}", line) for line in lines] == expected
    assert (grades(data), len(query(data, "select * from counterside_evidence"))) == (before, evidence)


def test_explain_says_what_a_person_gave_and_what_counts(
    data: CourseData, said: Callable[..., tuple[int, str]], whole_course: Course
) -> None:
    run(data)
    mine = f"student_id = '{THIRD}' and item = 'e1-1-1'"
    ((earned,),) = query(data, f"select earned from counterside_evidence where {mine}")
    with Gradebook(data.db_url) as book:
        book.find_grade("e1-1-1", "ch1", "ch1", THIRD).manual_score = 17
        book.db.commit()
    _code, words = said("explain", THIRD, "e1-1-1")
    assert f"{earned:.2f}".rstrip("0").rstrip(".") + " of 18 points by rule" in words
    assert "A person set 17 in place of " in words
    assert "Counts now: 17 of 18 points\n" in words


@pytest.mark.parametrize("workers", ["0", "-1", "many"])
def test_no_process_is_no_number_of_processes(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(("grade", "--all", f"--workers={workers}"))
    assert f"“{workers}” is no number of processes; say 1 or more" in capsys.readouterr().err


def test_explain_names_answer_rule_and_what_was_before(
    data: CourseData, said: Callable[..., tuple[int, str]], whole_course: Course
) -> None:
    run(data)
    run(data, force=True)
    code, words = said("explain", THIRD, "e1-1-1")
    assert code == 0
    item = whole_course.items["e1-1-1"]
    for expected in (item.hash, item.key_hash, f"({item.kind.name}.", "of 18 points by rule", "Before that: "):
        assert expected in words
    assert words.count("Before that") == 1


def test_feedback_lies_where_nbgrader_releases_it(data: CourseData, said: Callable[..., tuple[int, str]]) -> None:
    run(data)
    assert said("feedback", "--all")[0] == 0
    ours = {path.parts[-3:]: path.read_text("utf-8") for path in data.feedback.glob("*/*/*.html")}
    assert set(ours) == {
        (learner, chapter, f"{chapter}.html") for learner in (FIRST, SECOND, THIRD) for chapter in CHAPTERS
    }
    data.instructor("generate_feedback", "ch1", student_id=FIRST, force=True)
    assert (data.feedback / FIRST / "ch1" / "ch1.html").read_text("utf-8") == ours[FIRST, "ch1", "ch1.html"]
    assert said("feedback", "ch1")[0] == 0
    (data.folder / "exchange" / "counterside" / "feedback").mkdir(parents=True, exist_ok=True)
    data.instructor("release_feedback", "ch1")
    assert len(list((data.folder / "exchange" / "counterside" / "feedback").glob("*.html"))) == LEARNERS


def test_starting_needs_no_nbgrader() -> None:
    words = (
        "import sys, autograde.grade, autograde.explain; print([n for n in sys.modules if n.startswith('nbgrader')])"
    )
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"  # it takes seconds to import
