"""What an auditor reads is what stands in the gradebook, and nothing can be written while it is read."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from autograde.audit.book import Book, copied, read_book, reading
from autograde.audit.detail import details
from autograde.audit.roles import grant
from autograde.audit.trail import install
from autograde.course_data import CourseData
from autograde.gradebook import read_gradebook
from autograde.mastery import mastery
from autograde.place import ROOT, CourseError
from autograde.tables import gradebook
from tests.audit.class_of_three import GRADE_OF, config_of, course_at, make

NOBODY = 65534


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("class") / "course")


@pytest.fixture(scope="module")
def book(folder: Path) -> Book:
    return read_book(config_of(folder))


def contents(folder: Path) -> dict[str, str]:
    """Return a hash of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_points_are_those_worked_out_by_hand(book: Book) -> None:
    lin = book.standing("average-lin", "ch3")
    assert lin
    # One step of fourteen to be moved; then a person gave six, and later five.
    first = lin.cells["e3-1-1"]
    assert first.automatic == pytest.approx(6 * 12 / 14)
    assert (first.by_hand, first.score, first.waiting, first.state) == (5, 5, 0, "graded")
    # 3 of 9 of the checklist, and one of six criteria marked; each criterion is worth 4.5 / 6.
    text = lin.cells["e3-3-4"]
    assert text.automatic == pytest.approx(1.5)
    assert text.score == pytest.approx(1.5 + 0.5)
    assert text.waiting == pytest.approx(4.5 * 5 / 6)
    assert text.criteria["truth"] == 0.5
    assert [name for name, mark in text.criteria.items() if mark is None] != []
    assert lin.state == "waiting"
    expert = book.standing("expert", "ch3")
    assert expert
    extra = expert.cells["e3-1-4"]
    assert (extra.automatic, extra.by_hand, extra.extra, extra.score) == (2, None, 0.5, 2.5)


def test_states_totals_and_mastery_are_those_of_the_gradebook_as_trainers_see_it(folder: Path, book: Book) -> None:
    with course_at(folder):
        entries = read_gradebook(CourseData())
    assert len(entries) == len(book.standings) == 3
    for entry in entries:
        one = book.standing(entry.learner, entry.chapter)
        assert one
        assert one.total == pytest.approx(entry.total)
        assert one.state == entry.state
        assert one.waiting == pytest.approx(entry.waiting)
        found = mastery(book.course, book.course.chapter(entry.chapter), entry.verdict, entry.marks)
        assert (one.mastered is True) == all(section.mastered for section in found.sections)


def test_late_is_after_the_extension_and_the_cohort_comes_from_the_list(book: Book) -> None:
    late = book.standing("tamperer", "ch3")
    assert late
    assert (late.handed_in, late.due) == (datetime(2099, 9, 1, 14), datetime(2099, 9, 1, 13))
    assert (late.late_seconds, late.penalty, late.cohort) == (3600, 1.5, None)
    assert {one.learner: one.cohort for one in book.standings} == {
        "expert": "Hangzhou", "average-lin": "Suzhou", "tamperer": None,
    }  # fmt: skip


def test_changes_say_who_when_why_and_whether_the_page_was_out(book: Book) -> None:
    grades = [change for change in book.changes if change.table == "grade"]
    told = [
        (one.learner, one.cell, (one.old or {})["manual_score"], (one.new or {})["manual_score"], one.reason,
         one.after_release)
        for one in grades
    ]  # fmt: skip
    assert told == [
        ("average-lin", "e3-1-1", None, 6, "the printer was broken", False),
        ("average-lin", "e3-3-4-truth", None, 0.5, None, False),
        ("average-lin", "e3-1-1", 6, 5, "a slip of the pen", True),
        ("expert", "e3-1-4", None, None, None, False),  # his page is not out
    ]
    by_program, by_hand = grades[2], grades[3]
    assert by_program.actor.startswith("os:")
    assert by_program.reason_by == by_program.actor
    assert by_program.reason_at is not None
    assert by_program.reason_at >= by_program.at
    assert grades[0].reason_by is None
    assert by_hand.actor == "unknown"
    others = {one.table: (one.learner, one.chapter, one.after_release) for one in book.changes if one not in grades}
    assert others == {
        "assignment": (None, "ch3", True),
        "submitted_assignment": ("tamperer", "ch3", False),
        "submitted_notebook": ("tamperer", "ch3", False),
    }


def test_nothing_is_sealed_without_a_seal(book: Book) -> None:
    assert book.trail
    assert book.head is None
    assert {one.sealed for one in book.standings} == {False}
    assert not any(change.sealed for change in book.changes)


def test_a_seal_covers_what_came_before_it(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    before = read_book(config_of(copy)).changes
    with closing(sqlite3.connect(copy / "gradebook.db")) as database:
        head = {"at": "2026-09-02T08:00:00Z", "size": before[-2].seq, "root": "ab" * 32}
        database.execute("INSERT INTO counterside_head (number, head) VALUES (1, ?)", (json.dumps(head),))
        database.commit()
    book = read_book(config_of(copy))
    assert [change.sealed for change in book.changes] == [True] * (len(before) - 1) + [False]
    # The last change is the extra credit of the expert.
    assert {one.learner: one.sealed for one in book.standings} == {
        "expert": False, "average-lin": True, "tamperer": True,
    }  # fmt: skip


def test_whose_grade_it_was_is_known_after_all_was_deleted(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    with closing(sqlite3.connect(copy / "gradebook.db")) as database:
        mine = "(SELECT id FROM submitted_assignment WHERE student_id = 'expert')"
        books = f"(SELECT id FROM submitted_notebook WHERE assignment_id IN {mine})"
        for statement in (
            f"DELETE FROM grade WHERE notebook_id IN {books}",
            f"DELETE FROM comment WHERE notebook_id IN {books}",
            f"DELETE FROM submitted_notebook WHERE assignment_id IN {mine}",
            "DELETE FROM submitted_assignment WHERE student_id = 'expert'",
        ):
            database.execute(statement)
        database.commit()
    book = read_book(config_of(copy))
    assert book.standing("expert", "ch3") is None
    gone = [change for change in book.changes if change.op == "delete" and change.table == "grade"]
    assert len(gone) >= 16
    assert {(change.learner, change.chapter) for change in gone} == {("expert", "ch3")}


def test_a_gradebook_without_trail_seals_or_cohorts_is_read_all_the_same(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "cohorts.csv").unlink()
    with closing(sqlite3.connect(copy / "gradebook.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        for name in ("trail", "head", "reason", "event", "context", "run", "submission", "evidence"):
            database.execute(f"DROP TABLE IF EXISTS counterside_{name}")
    book = read_book(config_of(copy))
    assert (book.trail, book.head, list(book.changes)) == (None, None, [])
    lin = book.standing("average-lin", "ch3")
    assert lin
    assert (lin.sealed, lin.cohort, lin.cells["e3-1-1"].evidence) == (None, None, None)
    assert lin.cells["e3-1-1"].score == 5


def test_a_list_of_cohorts_without_heading_is_said_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    with (copy / "cohorts.csv").open("w", newline="") as file:
        csv.writer(file).writerow(["expert", "Hangzhou"])
    with pytest.raises(CourseError, match="learner,cohort"):
        read_book(config_of(copy))


def test_one_grade_in_full(folder: Path, book: Book) -> None:
    lin = book.standing("average-lin", "ch3")
    assert lin
    found = details(book, [lin])["average-lin", "ch3"]
    first = next(one for one in found["items"] if one["item"] == "e3-1-1")
    assert len(first["response"]["order"]) == 14
    assert first["notes"][0]["en"].startswith("Scored again by today's content and rules, with the same result")
    record = json.loads((folder / "submitted/average-lin/ch3/responses/ch3.jsonl").read_text("utf-8").splitlines()[0])
    assert (record["item"], record["seq"]) == ("e3-1-1", first["evidence"]["seq"])
    # A note that comes too late is what has to be moved.
    assert any("ordering." in row["rule"] and not row["good"] for row in first["rows"])
    changed = [one for one in first["changes"] if one["op"] == "update"]
    assert [one["columns"] for one in changed] == [[["manual_score", None, 6.0]], [["manual_score", 6.0, 5.0]]]
    text = next(one for one in found["items"] if one["item"] == "e3-3-4")
    truth = next(one for one in text["criteria"] if one["id"] == "truth")
    assert (truth["score"], truth["points"]) == (0.5, pytest.approx(0.75))
    assert truth["by"].startswith("os:")
    assert [one["by"] for one in text["criteria"] if one["score"] is None] == [None] * 5
    assert found["collected"][0]["learner"] == "average-lin"


def test_an_answer_that_was_changed_after_collecting_is_not_shown_as_the_one_that_was_scored(
    folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    log = copy / "submitted/average-lin/ch3/responses/ch3.jsonl"
    log.chmod(0o644)
    first, *rest = log.read_text("utf-8").splitlines()
    record = json.loads(first)
    record["response"]["order"].reverse()
    log.write_text("\n".join([json.dumps(record, ensure_ascii=False), *rest, ""]), "utf-8")
    book = read_book(config_of(copy))
    lin = book.standing("average-lin", "ch3")
    assert lin
    found = details(book, [lin])["average-lin", "ch3"]["items"][0]
    said = " ".join(note["en"] for note in found["notes"])
    assert "not in the response log any more" in said
    assert "the result differs" in said


def test_a_submission_that_is_gone_leaves_the_evidence(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(copy / "submitted")
    book = read_book(config_of(copy))
    lin = book.standing("average-lin", "ch3")
    assert lin
    found = details(book, [lin])["average-lin", "ch3"]["items"][0]
    assert found["response"] is None
    assert "can't be read here" in found["notes"][0]["en"]
    assert found["rows"][0]["rule"].startswith("ordering.")


# ---- nothing can be written -----------------------------------------------------------------

WRITES = (
    "UPDATE grade SET manual_score = 99",
    "DELETE FROM grade",
    "INSERT INTO student (id) VALUES ('eve')",
    "DROP TABLE grade",
    "CREATE TABLE eve (id integer)",
    "ALTER TABLE grade ADD COLUMN eve integer",
)


@pytest.mark.parametrize("statement", [*WRITES, "PRAGMA user_version = 7", "VACUUM", "REINDEX"])
def test_sqlite_refuses_every_statement_that_writes(folder: Path, statement: str) -> None:
    before = contents(folder)
    with reading(config_of(folder).db_url) as connection, suppress(DBAPIError):
        connection.exec_driver_sql(statement)
        assert statement.startswith("PRAGMA"), "only a setting may be taken without a word"
    after = contents(folder)
    assert {name: after[name] for name in before} == before


def test_a_file_that_was_opened_for_reading_stays_so_whatever_a_connection_is_told(folder: Path) -> None:
    path = folder / "gradebook.db"
    before = path.read_bytes()
    with reading(config_of(folder).db_url) as connection:
        connection.exec_driver_sql("PRAGMA query_only = OFF")
        with pytest.raises(DBAPIError, match="readonly"):
            connection.exec_driver_sql("UPDATE grade SET manual_score = 99")
    assert path.read_bytes() == before


def auditor_of(url: str) -> str:
    """Make the auditor's account as docs/operator.md has it and return the address to read by."""
    with gradebook(url) as engine:
        install(engine)
        with engine.begin() as connection:
            for role in ("grader", "auditor"):
                there = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
                if there.first() is None:
                    connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        grant(engine, "grader", "auditor")
    return make_url(url).set(username="auditor").render_as_string(hide_password=False)


@pytest.mark.parametrize("db_url", ["postgres"], indirect=True)
def test_postgresql_refuses_every_statement_that_writes(db_url: str) -> None:
    address = auditor_of(db_url)
    for statement in WRITES:
        with reading(address) as connection, pytest.raises(DBAPIError, match=r"read-only|permission|owner"):
            connection.execute(text(statement))
    # Whoever speaks to the database past our code is held by the account's rights alone.
    engine = create_engine(address)
    for write in WRITES:
        with engine.connect() as connection:
            connection.execute(text("SET TRANSACTION READ WRITE"))
            with pytest.raises(DBAPIError, match=r"permission|owner"):
                connection.execute(text(write))
    with engine.connect() as connection, pytest.raises(DBAPIError, match="permission"):
        connection.execute(text("SET ROLE postgres"))
    engine.dispose()


@pytest.mark.parametrize("db_url", ["postgres"], indirect=True)
def test_an_account_that_could_write_on_postgresql_reads_in_a_transaction_that_cannot(db_url: str) -> None:
    for statement in WRITES:
        with reading(db_url) as connection, pytest.raises(DBAPIError, match="read-only transaction"):
            connection.execute(text(statement))


def test_a_copy_is_taken_of_the_log_of_writes_too(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "copy").mkdir()
    path = tmp_path / "book" / "gradebook.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("CREATE TABLE marks (points INTEGER)")
        writer.execute("INSERT INTO marks VALUES (7)")
        assert path.with_name("gradebook.db-wal").stat().st_size > 0
        copy = copied(path, tmp_path / "copy")
        with closing(sqlite3.connect(copy)) as reader:
            assert reader.execute("SELECT points FROM marks").fetchall() == [(7,)]


AS_ANOTHER_ACCOUNT = """
import os, sys
from pathlib import Path
from autograde.config import CourseConfig
from autograde.audit.book import read_book
from curriculum.load import load_course
folder, other = Path(os.environ["COUNTERSIDE_COURSE"]), sys.argv[1]
config, course = CourseConfig(), load_course()
read_book(config, course, other)  # Python itself may lie where the other account can't load from
os.setgroups([]); os.setgid(NOBODY); os.setuid(NOBODY)
book = read_book(config, course)
print(len(book.standings), book.standing("average-lin", "ch3").cells["e3-1-1"].score)
refused = tried = 0
for path in [folder, *folder.rglob("*")]:
    for attempt in (
        lambda: os.open(path, os.O_WRONLY), lambda: os.truncate(path, 0), lambda: path.unlink(),
        lambda: path.rename(path.with_name("eve")), lambda: path.chmod(0o777), lambda: (path / "eve").write_text("x"),
        lambda: os.utime(path), lambda: os.chown(path, NOBODY, NOBODY), lambda: os.symlink("/etc/passwd", path / "eve"),
    ):
        tried += 1
        try:
            attempt()
        except OSError:
            refused += 1
print(refused == tried, tried > 100)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("is_in_use", [True, False], ids=["somebody writes", "nobody writes"])
def test_an_account_that_may_only_read_reads_all_and_changes_nothing(folder: Path, is_in_use: bool) -> None:
    with TemporaryDirectory() as place:  # pytest's own folders are closed to others
        Path(place).chmod(0o755)
        copy = shutil.copytree(folder, Path(place) / "copy")
        shutil.rmtree(copy / "exchange")  # learners may write there, and nothing of it counts
        (copy / "exchange").mkdir()
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        code = AS_ANOTHER_ACCOUNT.replace("NOBODY", str(NOBODY))
        with closing(sqlite3.connect(copy / "gradebook.db", isolation_level=None)) as writer:
            writer.execute("PRAGMA journal_mode = WAL")
            if is_in_use:
                grade = GRADE_OF.format(learner="average-lin", cell="e3-1-1")
                writer.execute(f"UPDATE grade SET manual_score = 4 WHERE id = {grade}")
            else:
                writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                writer.close()
            before = contents(copy)
            done = subprocess.run(
                [sys.executable, "-c", code, f"sqlite:///{folder / 'gradebook.db'}"],
                capture_output=True, text=True, cwd=ROOT, env={**os.environ, "COUNTERSIDE_COURSE": str(copy)},
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert done.stdout.split() == ["3", "4.0" if is_in_use else "5.0", "True", "True"]
            assert contents(copy) == before
