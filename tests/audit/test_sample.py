"""The sample for marking again: anybody can work it out, and the auditor's file is theirs alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from autograde.audit import sample
from autograde.audit.book import Book, Cell, Standing
from autograde.place import CourseError
from curriculum.load import Course


def standing(learner: str, chapter: str, scores: Mapping[str, float | None]) -> Standing:
    cells = {
        item: Cell(
            item=item, possible=10, automatic=score or 0, by_hand=None, score=score or 0, waiting=0,
            state="unanswered" if score is None else "graded",
        )
        for item, score in scores.items()
    }  # fmt: skip
    return Standing(
        learner=learner, chapter=chapter, cohort=None, handed_in=None, due=None, late_seconds=0, penalty=0, total=0,
        possible=100, state="graded", mastered=None, red_lines=(), sealed=None, cells=cells,
    )  # fmt: skip


@pytest.fixture
def book(whole_course: Course) -> Book:
    """60 answers of chapter 1, 30 of chapter 3, 10 of chapter 4, and 20 exercises without an answer."""
    counts = (("ch1", ("e1-1-1", "e1-1-2", "e1-1-3")), ("ch3", ("e3-1-1", "e3-1-2", "e3-1-3")), ("ch4", ("e4-2-3",)))
    learners = {"ch1": 20, "ch3": 10, "ch4": 10}
    standings = [
        standing(f"learner-{n:02}", chapter, dict.fromkeys(items, 6.0))
        for chapter, items in counts
        for n in range(learners[chapter])
    ]
    standings += [standing(f"blank-{n:02}", "ch6", {"e6-1-1": None}) for n in range(20)]
    return Book(course=whole_course, standings=standings, changes=())


def test_chapters_get_their_share(book: Book) -> None:
    drawn = sample.draw(book, 10, "2026")
    assert drawn.draw.strata == {"ch1": (6, 60), "ch3": (3, 30), "ch4": (1, 10)}
    assert (drawn.draw.population, drawn.draw.size) == (100, 10)
    assert [case.number for case in drawn.cases] == list(range(1, 11))


def test_remainders_by_hand() -> None:
    # 7 of 100: 4.2, 2.1 and 0.7 give 4, 2, 0, and the largest remainder takes the seventh.
    assert sample.proportional({"ch1": 60, "ch3": 30, "ch4": 10}, 7) == {"ch1": 4, "ch3": 2, "ch4": 1}
    assert sample.proportional({"a": 1, "b": 1}, 1) == {"a": 1, "b": 0}, "a tie goes to the first"
    assert sample.proportional({"a": 3, "b": 1}, 9) == {"a": 3, "b": 1}, "there are no more"


def test_anybody_can_work_out_who_is_drawn(book: Book) -> None:
    names = [f"learner-{n:02}/ch3/{item}" for n in range(10) for item in ("e3-1-1", "e3-1-2", "e3-1-3")]
    names.sort(key=lambda name: hashlib.sha256(b"2026\n" + name.encode()).hexdigest())
    cases = sample.draw(book, 10, "2026").cases
    assert [f"{case.learner}/{case.chapter}/{case.item}" for case in cases if case.chapter == "ch3"] == names[:3]
    assert {case.learner for case in sample.draw(book, 10, "2027").cases} != {case.learner for case in cases}


def test_a_larger_sample_holds_the_smaller_one_of_a_chapter(book: Book) -> None:
    few, more = ({(c.learner, c.item) for c in sample.draw(book, n, "s").cases if c.chapter == "ch1"} for n in (10, 50))
    assert few < more


def test_one_type_only_and_nothing_to_draw(book: Book) -> None:
    drawn = sample.draw(book, 5, "2026", type="free_text")
    assert {case.item for case in drawn.cases} == {"e4-2-3"}
    with pytest.raises(CourseError, match="nothing to draw"):
        sample.draw(book, 5, "2026", type="plan")


def test_the_file_keeps_what_was_judged(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "my-sample.jsonl"
    drawn = sample.draw(book, 10, "2026")
    sample.write(path, drawn)
    assert path.stat().st_mode & 0o077 == 0, "it names learners: nobody else may read it"
    assert sample.read(path) == drawn
    for number in range(1, 7):
        sample.record(path, number, "ines", agrees=True)
    for number in (7, 8, 9):
        sample.record(path, number, "ines", agrees=False, score=8, words="语气得体")
    sample.record(path, 10, "ines", agrees=False, score=9)
    sample.record(path, 10, "ines", agrees=False, score=10, words="looked again")
    found = sample.summary(sample.read(path))
    # The handbook's oracle: 6 of 10, .313 to .832; 3 × 2 points and 1 × 4 points more than 6 each.
    assert (found.cases, found.judged, found.agreed, found.share) == (10, 10, 6, 0.6)
    assert found.interval == (pytest.approx(0.313, abs=5e-4), pytest.approx(0.832, abs=5e-4))
    assert found.mean_difference == pytest.approx(1.0)


def test_before_the_first_judgement_nothing_is_claimed(book: Book) -> None:
    found = sample.summary(sample.draw(book, 3, "2026"))
    assert (found.judged, found.share, found.interval, found.mean_difference) == (0, None, None, None)


def test_a_file_is_never_written_over(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "my-sample.jsonl"
    path.write_text("mine")
    with pytest.raises(CourseError, match="there already"):
        sample.write(path, sample.draw(book, 3, "2026"))
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("number", "options", "words"),
    [
        (4, {"agrees": True}, "no case 4"),
        (0, {"agrees": True}, "no case 0"),
        (1, {"agrees": False}, "needs --score"),
        (1, {"agrees": True, "score": 3}, "takes none"),
        (1, {"agrees": False, "score": 10.5}, "0 to 10 points"),
        (1, {"agrees": False, "score": float("nan")}, "outside"),
        (1, {"agrees": True, "words": "x" * 2001}, "2000 characters"),
    ],
)
def test_what_is_no_judgement_is_refused(
    book: Book, tmp_path: Path, number: int, options: dict[str, float], words: str
) -> None:
    path = tmp_path / "my-sample.jsonl"
    sample.write(path, sample.draw(book, 3, "2026"))
    before = path.read_bytes()
    with pytest.raises(CourseError, match=words):
        sample.record(path, number, "ines", **options)  # type: ignore[arg-type]
    assert path.read_bytes() == before


@pytest.mark.parametrize("spoiled", ["", "[]\n", "{}\n", '{"kind": "case"}\n', "\x00"])
def test_a_file_that_is_none_is_named(tmp_path: Path, spoiled: str) -> None:
    path = tmp_path / "my-sample.jsonl"
    path.write_text(spoiled)
    with pytest.raises(CourseError, match=r"my-sample\.jsonl"):
        sample.read(path)


def test_a_judgement_of_no_case_is_named(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "my-sample.jsonl"
    sample.write(path, sample.draw(book, 3, "2026"))
    line = {"kind": "judgement", "number": 9, "at": "", "auditor": "ines", "agrees": True}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    with pytest.raises(CourseError, match="case 9"):
        sample.read(path)
