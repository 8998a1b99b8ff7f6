"""What the desk takes from a browser, and what it tells it."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograde.audit.book import Book, Cell, read_book
from autograde.audit.desk import Desk, overview, short
from autograde.audit.desk import desk as open_desk
from autograde.audit.page import write_report
from autograde.cli import main
from autograde.place import ROOT, CourseError
from curriculum.items import TYPES
from tests.audit.class_of_three import config_of, course_at, make


class Recorder(Desk):
    """A desk without a kernel: what it would send to the browser is kept."""

    def __init__(self, book: Book) -> None:
        self.said: list[Any] = []
        super().__init__(book)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.said.append(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("class") / "course")


@pytest.fixture(scope="module")
def book(folder: Path) -> Book:
    return read_book(config_of(folder))


@pytest.fixture
def desk(book: Book) -> Iterator[Recorder]:
    opened = Recorder(book)
    yield opened
    opened.close()


def test_nothing_that_the_browser_sets_is_taken(desk: Recorder, folder: Path) -> None:
    before, bytes_before = desk.get_state(), (folder / "gradebook.db").read_bytes()
    for state in ({"data": {"standings": []}}, {"_esm": "export default {}"}, {"_css": ""}, {"layout": "eve"}):
        desk.set_state(state)
        # As it comes over the wire.
        desk._handle_msg({"content": {"data": {"method": "update", "state": state}}})
    assert desk.get_state() == before
    assert (folder / "gradebook.db").read_bytes() == bytes_before


@pytest.mark.parametrize(
    "content",
    [
        None, [], "chapter", {}, {"wish": "chapter"}, {"wish": ["chapter"]}, {"wish": ["chapter", 1, 2]},
        {"wish": ["chapter", "expert", "ch3", "more"]}, {"wish": ["sample", 0, "seed"]},
        {"wish": ["sample", 10**9, "s"]}, {"wish": ["sample", 3, "s" * 81]}, {"wish": ["looks", "more"]},
        {"wish": ["grade", "expert", "e3-1-1", 99]},
        {"kind": "answer", "response": {}},
    ],
)  # fmt: skip
def test_a_message_that_is_no_wish_is_passed_over(desk: Recorder, content: Any) -> None:
    desk.receive(content)
    assert desk.said == []


def test_a_wish_is_answered_by_name(desk: Recorder, folder: Path) -> None:
    before = (folder / "gradebook.db").read_bytes()
    for wish in (["chapter", "expert", "ch3"], ["chapter", "../../etc", "ch3"], ["looks"], ["sample", 3, "Monday"]):
        desk.receive({"wish": wish})
    chapter, nobody, looks, sample = desk.said
    assert chapter["wish"] == ["chapter", "expert", "ch3"]
    assert {one["item"] for one in chapter["reply"]["found"]["items"]} == set(chapter["reply"]["items"])
    assert nobody["reply"] is None
    assert {one["id"] for one in looks["reply"]["rules"]} >= {one["rule"] for one in looks["reply"]["looks"]}
    assert len(sample["reply"]["cases"]) == 3
    json.dumps(desk.said, allow_nan=False)
    assert (folder / "gradebook.db").read_bytes() == before


def test_what_cant_be_shown_is_said(book: Book) -> None:
    """Somebody wrote evidence past all programs: the page is answered, and says so in its own words."""
    one = next(standing for standing in book.standings if standing.learner == "expert")
    cell = one.cells["e3-1-1"]
    assert cell.evidence is not None
    wrong = replace(one, cells={**one.cells, "e3-1-1": replace(cell, evidence=replace(cell.evidence, rules="[[1]]"))})
    desk = Recorder(replace(book, standings=[wrong]))
    desk.receive({"wish": ["chapter", "expert", "ch3"]})
    assert desk.said == [{"wish": ["chapter", "expert", "ch3"], "reply": False}]
    desk.close()


def test_without_a_gradebook_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path))
    shown = open_desk()
    assert "there is no gradebook" in shown.value
    shown.close()


def test_a_cell_is_a_number_where_rules_alone_gave_it() -> None:
    plain = Cell("e3-1-1", 6.0, 5.0, None, 5.0, 0.0, "graded")
    assert short(plain) == 5.0
    by_hand = Cell("e3-1-1", 6.0, 5.0, 6.0, 6.0, 0.0, "graded")
    assert short(by_hand) == [6.0, 5.0, 6.0, 0.0, 0.0, "graded", []]
    crossed = Cell("e3-1-1", 6.0, 5.0, None, 5.0, 0.0, "graded", ("red-line",))
    assert short(crossed) == [5.0, 5.0, None, 0.0, 0.0, "graded", ["red-line"]]
    nothing = Cell("e3-1-1", 6.0, 0.0, None, 0.0, 0.0, "unanswered")
    assert short(nothing) == [0.0, 0.0, None, 0.0, 0.0, "unanswered", []]


def test_what_waits_for_a_mark_is_told_of_the_item_whose_criteria_wait(book: Book) -> None:
    nothing_yet = Cell("e2-2-3", 9.0, 4.5, None, 4.5, 4.5, "graded", criteria={"truth": None, "tone": None})
    assert short(nothing_yet) == [4.5, 4.5, None, 0.0, 4.5, "waiting", []]
    half = Cell("e2-2-3", 9.0, 4.5, None, 5.5, 2.25, "graded", criteria={"truth": 1.0, "tone": None})
    assert short(half) == [5.5, 4.5, 1.0, 0.0, 2.25, "waiting", []]
    both = Cell("e2-2-3", 9.0, 4.5, 3.0, 5.0, 0.0, "graded", criteria={"truth": 1.5, "tone": 0.5})
    assert short(both) == [5.0, 4.5, 5.0, 0.0, 0.0, "graded", []]
    none = Cell("e2-2-3", 9.0, 0.0, None, 0.0, 4.5, "unanswered", criteria={"truth": None})
    assert short(none)[-2] == "unanswered"
    # The chapter's waiting points are those of its items: one of six criteria of 4.5 points is marked.
    lin = book.standing("average-lin", "ch3")
    assert lin
    waiting = {name: one[4] for name, cell in lin.cells.items() if isinstance(one := short(cell), list) and one[4]}
    assert sum(waiting.values()) == pytest.approx(lin.waiting)
    assert waiting["e3-3-4"] == pytest.approx(3.75)


def test_the_overview_has_everybody_and_no_answer(book: Book) -> None:
    told = overview(book)
    assert told["learners"] == ["average-lin", "expert", "tamperer"]
    assert told["cohorts"] == ["Suzhou", "Hangzhou", ""]
    assert len(told["standings"]) == 3
    assert '"response": ' not in json.dumps(told)


def test_a_report_of_nothing_is_refused_and_nothing_is_written(book: Book, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="nothing was graded of ch3 of eve"):
        write_report(tmp_path / "report.html", book, chapter="ch3", learner="eve")
    assert list(tmp_path.iterdir()) == []


def test_too_many_answers_for_one_file_are_left_out(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograde.audit.page.MOST_DETAILS", 2)
    assert not write_report(tmp_path / "report.html", book)
    assert write_report(tmp_path / "one.html", book, learner="expert")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--chapter", "ch9"], "there is no chapter “ch9”; there are ch1, ch2, ch3"),
        (["--learner", "eve"], "nothing was graded of eve"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    with course_at(folder):
        assert main(["audit", "report", str(tmp_path / "report.html"), *options]) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.out + said.err
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_its_owners_alone_and_takes_no_files_place(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.html"
    with course_at(folder):
        assert main(["audit", "report", str(path), "--learner", "expert"]) == 0
        assert "keys and personal data" in capsys.readouterr().out
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.write_text("mine")
        assert main(["audit", "report", str(path), "--learner", "expert"]) == 1
        assert "is there already" in capsys.readouterr().err
        assert path.read_text() == "mine"
        other, key = tmp_path / "other.html", tmp_path / "key"
        assert main(["audit", "report", str(other), "--learner", "expert", "--pseudonyms", str(key)]) == 0
    said = capsys.readouterr().out
    assert "personal data" not in said
    assert f"{key} leads back to them" in said


def names_in_desk(part: str) -> set[str]:
    """Return the names for which the desk has words, of one part of its dictionary."""
    script = (ROOT / "autograde" / "audit" / "desk.js").read_text("utf-8")
    (block,) = re.findall(rf"^  {part}: \{{\n(.*?)^  \}},$", script, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^    (\w+): \{ zh: \".+\", en: \".+\" \},$", block, re.MULTILINE))


def test_types_tables_and_columns_have_names_in_both_languages(folder: Path, desk: Recorder) -> None:
    assert names_in_desk("types") == set(TYPES)
    for learner in ("expert", "average-lin", "tamperer"):
        desk.receive({"wish": ["chapter", learner, "ch3"]})
    told = [reply["reply"]["found"] for reply in desk.said]
    rows = [row for found in told for part in (found, *found["items"]) for row in part["changes"]]
    assert rows != []
    assert {row["table"] for row in rows} <= names_in_desk("tables")
    assert {column for row in rows for column, _was, _now in row["columns"]} <= names_in_desk("columns")
