"""The gradebook for other programs: nbgrader's own export byte for byte, layouts as documented, and no formulas."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import stat
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin
from sqlalchemy.exc import SAWarning

from autograde.audit.book import Book, Cell, Evidence, Standing
from autograde.audit.exports import FORMATS, Purpose, export
from autograde.audit.ledger import Assignment, Ledger, Person, Submission, read_ledger
from autograde.audit.pseudonyms import Pseudonyms, pseudonyms
from autograde.audit.review import FORMATS as OFFERED
from autograde.place import CourseError
from curriculum.load import Course

FAR = date(2999, 12, 31)
FORMULA = '=HYPERLINK("http://x","y")'


def in_use(db_url: str) -> None:
    """Give the gradebook what a term leaves: marks by hand, extra credit, being late, nothing handed in, a task."""
    with Gradebook(db_url, "counterside") as book:
        book.add_assignment("ch3", duedate=datetime(2026, 9, 2, 8, 0))
        book.add_notebook("ch3", "ch3")
        book.add_grade_cell("e3", "ch3", "ch3", max_score=7.1, cell_type="code")
        book.add_task_cell("task", "ch3", "ch3", max_score=2.2, cell_type="markdown")
        book.add_student("carl", first_name=None, last_name=None, email=None)
        book.add_submission("ch3", "bo", timestamp=datetime(2026, 9, 3, 9, 30, 5, 123456))
        late = book.find_submission("ch3", "bo").notebooks[0]
        for number, grade in enumerate(late.grades):
            grade.auto_score, grade.manual_score, grade.extra_credit = 1 / 3, number + 0.1, 0.2
        late.late_submission_penalty = 0.7
        for grade in book.find_submission("ch1", "anna").notebooks[0].grades:
            grade.auto_score = 0.1
        book.find_submission("ch1", "bo").notebooks[0].late_submission_penalty = 99.0
        book.db.commit()


def test_nbgraders_own_export_is_the_same_byte_for_byte(db_url: str, whole_course: Course, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        in_use(db_url)
        with Gradebook(db_url, "counterside") as book:
            CsvExportPlugin(to=str(tmp_path / "stock.csv")).export(book)
    ours = tmp_path / "ours.csv"
    export(ours, read_ledger(db_url), Book(whole_course, (), ()), Purpose("audit", FAR, "nbgrader"))
    stock = (tmp_path / "stock.csv").read_bytes()
    assert stock.count(b"\n") == 1 + 2 * 3
    assert b"0.30000000000000004" in stock, "the last digit is part of it"
    assert b",99.0,0.0," in stock, "no score below nothing"
    assert ours.read_bytes() == stock


PEOPLE = (
    Person("=cmd", "+Anna", "-Öz, “A”", "@anna", "17"),
    Person("bo", "Bo", "李", "bo@example.org"),
    Person("nameless"),
)
LEDGER = Ledger(
    (Assignment("ch1", None, 100.0), Assignment("ch3", datetime(2026, 9, 2), 80.0)),
    PEOPLE,
    {
        ("ch1", "=cmd"): Submission(datetime(2026, 9, 1), 61.5, 0.0),
        ("ch3", "=cmd"): Submission(datetime(2026, 9, 3), 10.0, 2.5),
        ("ch1", "bo"): Submission(datetime(2026, 9, 1), 0.0, 0.0),
    },
)


@pytest.fixture
def book(whole_course: Course) -> Book:
    why = Evidence("run-1", "graded", 4.5, 6, 0, ("red-line",), "[]", "item-hash", "key-hash", 1, "", "line")
    cell = Cell("e1-1-1", 6, 4.5, None, 4.5, 0, "graded", ("red-line",), evidence=why)
    standing = Standing(
        learner="=cmd", chapter="ch1", cohort=FORMULA, handed_in=datetime(2026, 9, 1, 9), due=None, late_seconds=0,
        penalty=0, total=4.5, possible=100, state="graded", mastered=None, red_lines=("e1-1-1",), sealed=True,
        cells={"e1-1-1": cell},
    )  # fmt: skip
    return Book(whole_course, (standing,), ())


Written = Callable[..., list[list[str]]]


@pytest.fixture
def written(book: Book, tmp_path: Path) -> Written:
    def rows(format: str, **options: Any) -> list[list[str]]:
        path = tmp_path / f"{format}.csv"
        export(path, LEDGER, book, Purpose("internal audit", FAR, format, **options))
        return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))

    return rows


def test_moodles_layout(written: Written) -> None:
    # MoodleDocs: a person's columns, then one for each grade item; "Email address" and "ID number" find the person.
    head, anna, bo, nameless = written("moodle")
    assert head[:4] == ["First name", "Last name", "ID number", "Email address"]
    assert [name.split()[0] for name in head[4:]] == ["ch1", "ch3"]
    assert bo == ["Bo", "李", "bo", "bo@example.org", "0.0", ""], "0 is a grade; what was not handed in is none"
    assert anna[4:] == ["61.5", "7.5"], "the penalty is off"
    assert nameless == ["", "", "nameless", "", "", ""]


def test_canvas_layout_by_the_importers_own_rules(written: Written) -> None:
    head, possible, anna, bo, nameless = written("canvas")
    # lib/gradebook_importer.rb: row_has_student_headers?, update_column_count, last_student_info_column.
    assert len(head) > 3
    assert "Student" in head[0]
    assert "ID" in head[1]
    columns = 3
    assert re.search(r"SIS\s+User\s+ID", head[2])
    assert re.search(r"SIS\s+Login\s+ID", head[3])
    columns += 2
    assert "Section" in head[columns - 1]
    assert len(head[columns:]) == 2
    # check_for_non_student_row, process_pp
    assert "Points Possible" in possible[0]
    assert possible[columns:] == ["100.0", "80.0"]
    assert bo == ["李, Bo", "", "bo", "bo@example.org", "", "0.0", ""]
    assert anna[1] == "17", "the number in Canvas, where nbgrader knows it"
    assert nameless[:4] == ["nameless", "", "nameless", "nameless"]


@pytest.mark.parametrize("format", ["csv", "nbgrader", "moodle", "canvas"])
def test_no_cell_can_become_a_formula(written: Written, format: str) -> None:
    cells = [cell for row in written(format) for cell in row]
    assert "'=cmd" in cells
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r\n＝＋－＠") and cell[:1]] == []


def test_our_own_columns(written: Written) -> None:
    head, row = written("csv")
    assert dict(zip(head, row, strict=True)) == {
        "learner": "'=cmd", "cohort": f"'{FORMULA}", "chapter": "ch1", "handed_in": "2026-09-01T09:00:00Z", "due": "",
        "late_seconds": "0", "state": "graded", "waiting": "0", "penalty": "0", "total": "4.5", "possible": "100",
        "mastered": "", "red_lines": "e1-1-1", "sealed": "yes",
    }  # fmt: skip


def test_states_are_words_and_points_have_four_decimals(book: Book, tmp_path: Path) -> None:
    (one,) = book.standings
    cell = replace(
        one.cells["e1-1-1"], automatic=1 / 3, score=1 / 3 + 1 / 7, waiting=2 / 3, criteria={"a": 1 / 7, "b": None}
    )
    waiting = replace(one, state="waiting", total=1 / 3 + 1 / 7, cells={"e1-1-1": cell})
    book = replace(book, standings=(waiting,))
    export(tmp_path / "out.csv", LEDGER, book, Purpose("audit", FAR, "csv"))
    (row,) = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8")))
    assert (row["state"], row["waiting"], row["total"]) == ("to be marked", "0.6667", "0.4762")
    export(tmp_path / "out.xlsx", LEDGER, book, Purpose("audit", FAR, "xlsx"))
    head, values = openpyxl.load_workbook(tmp_path / "out.xlsx")["Items"].iter_rows(values_only=True)
    item = dict(zip(head, values, strict=True))
    assert (item["state"], item["automatic"], item["by_hand"]) == ("to be marked", 0.3333, 0.1429)


def test_the_workbook_as_another_program_reads_it(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "gradebook.xlsx"
    export(path, LEDGER, book, Purpose("内部审计", FAR, "xlsx"))
    sheets = openpyxl.load_workbook(path)
    assert sheets.sheetnames == ["Gradebook", "Items", "About"]
    head, row = sheets["Gradebook"].iter_rows()
    named = {name.value: cell for name, cell in zip(head, row, strict=True)}
    assert (named["learner"].value, named["learner"].data_type) == ("=cmd", "s"), "text, and no formula"
    assert (named["cohort"].value, named["cohort"].data_type) == (FORMULA, "s")
    assert (named["total"].value, named["total"].data_type) == (4.5, "n")
    head, row = sheets["Items"].iter_rows(values_only=True)
    item = dict(zip(head, row, strict=True))
    assert (item["item"], item["score"], item["item_hash"], item["run"]) == ("e1-1-1", 4.5, "item-hash", "run-1")
    said = dict(sheets["About"].iter_rows(values_only=True))
    assert said["Purpose · 用途"] == "内部审计"
    assert said["Delete by · 删除期限"] == "2999-12-31"


def test_purpose_and_deletion_stand_beside_the_data(written: Written, tmp_path: Path) -> None:
    written("csv")
    said = (tmp_path / "csv.csv.about.txt").read_text("utf-8")
    assert "internal audit\n" in said
    assert "2999-12-31" in said
    assert hashlib.sha256((tmp_path / "csv.csv").read_bytes()).hexdigest() in said
    for name in ("csv.csv", "csv.csv.about.txt"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_byte_order_mark_for_spreadsheets(book: Book, tmp_path: Path) -> None:
    export(tmp_path / "with.csv", LEDGER, book, Purpose("audit", FAR, "csv"), bom=True)
    export(tmp_path / "without.csv", LEDGER, book, Purpose("audit", FAR, "csv"))
    assert (tmp_path / "with.csv").read_bytes() == b"\xef\xbb\xbf" + (tmp_path / "without.csv").read_bytes()


# HMAC-SHA256 by RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?".
def test_pseudonyms_are_hmacs() -> None:
    assert Pseudonyms(b"Jefe").name("what do ya want for nothing?") == "learner-5bdcc146bf60"


@pytest.mark.parametrize("format", ["csv", "nbgrader"])
def test_pseudonyms_name_nobody(written: Written, tmp_path: Path, format: str) -> None:
    names = pseudonyms(tmp_path / "key")
    text = "\n".join(",".join(row) for row in written(format, pseudonyms=names))
    assert names.name("=cmd") in text
    for part in ("cmd,", "Anna", "Öz", "李", "bo@", ",bo,", "nameless"):
        assert part not in text
    assert "pseudonyms" in (tmp_path / f"{format}.csv.about.txt").read_text("utf-8")


def test_the_key_of_pseudonyms_is_kept_and_is_its_owners(tmp_path: Path) -> None:
    key = tmp_path / "key"
    first = pseudonyms(key).name("anna")
    assert pseudonyms(key).name("anna") == first != pseudonyms(tmp_path / "other").name("anna")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.write_text("no key")
    with pytest.raises(CourseError, match="no key for pseudonyms"):
        pseudonyms(key)
    assert key.read_text() == "no key"


@pytest.mark.parametrize("format", ["moodle", "canvas"])
def test_what_finds_people_by_name_takes_no_pseudonyms(book: Book, tmp_path: Path, format: str) -> None:
    with pytest.raises(CourseError, match="by their names"):
        export(tmp_path / "out.csv", LEDGER, book, Purpose("audit", FAR, format, Pseudonyms(b"x")))
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(book: Book, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(CourseError, match="there already"):
        export(tmp_path / "out.csv", LEDGER, book, Purpose("audit", FAR, "csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "mine"


def test_a_day_that_is_over_is_no_day_to_delete_by(book: Book, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="2026-01-31 is over"):
        export(tmp_path / "out.csv", LEDGER, book, Purpose("audit", date(2026, 1, 31), "csv"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "purpose", "bom", "words"),
    [
        ("out.csv", Purpose(" ", FAR, "csv"), False, "say what the export is for with --purpose"),
        ("out.xlsx", Purpose("audit", FAR, "xlsx"), True, "--bom is for CSV"),
        ("none/out.csv", Purpose("audit", FAR, "csv"), False, "there is no folder .*none; make it"),
    ],
)
def test_what_would_be_of_no_use_is_refused(
    book: Book, tmp_path: Path, name: str, purpose: Purpose, bom: bool, words: str
) -> None:
    with pytest.raises(CourseError, match=words):
        export(tmp_path / name, LEDGER, book, purpose, bom=bom)
    assert list(tmp_path.iterdir()) == []


def test_the_command_offers_what_there_is() -> None:
    assert OFFERED == FORMATS
