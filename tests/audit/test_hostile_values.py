"""Whatever somebody wrote into the gradebook past everything else: verify says that it is wrong, and never stumbles."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autograde.audit.rows import person_hash
from autograde.audit.schema import WATCHED
from autograde.audit.verify import verify
from autograde.cli import main
from tests.audit.conftest import Graded

# What a database without types takes for a text or a number: bytes, bytes as text, and text of the wrong kind.
VALUES = ("x'00ff'", "CAST(x'80ff' AS TEXT)", "'5'", "'[[1]]'", f"'{'[' * 20_000}'", '\'{"detail": "5"}\'', "9e999")
TOLD = ("counterside_event", "grade", "student")  # read as it is, watched, and with a personal half
OURS = ("counterside_trail", "counterside_head", "counterside_context")


@pytest.fixture(scope="module")
def copied(graded: Graded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the gradebook in one file."""
    path = tmp_path_factory.mktemp("hostile") / "gradebook.db"
    source = graded.data.db_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(path)) as new:
        old.backup(new)
    return path


def columns(path: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def rows(path: Path, table: str) -> list[int]:
    """Return the rows to be changed: the last one, and of the trail the last about each table."""
    each = f"WHERE tbl IN {TOLD} GROUP BY tbl" if table == "counterside_trail" else ""
    with closing(sqlite3.connect(path)) as database:
        return [row for (row,) in database.execute(f"SELECT max(rowid) FROM {table} {each}") if row is not None]


def changed(path: Path, table: str, column: str, row: int, value: str) -> bool:
    """Write a value as somebody would who takes the triggers away and puts them back; return whether it is another."""
    one = f"SELECT typeof({column}), hex({column}) FROM {table} WHERE rowid = {row}"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        before = database.execute(one).fetchone()
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _sql in triggers:
            database.execute(f"DROP TRIGGER {name}")
        try:
            database.execute(f"UPDATE {table} SET {column} = {value} WHERE rowid = {row}")
        except sqlite3.IntegrityError:
            return False
        for _name, sql in triggers:
            database.execute(sql)
        return bool(database.execute(one).fetchone() != before)


def cases(path: Path, table: str) -> Iterator[tuple[str, int, str]]:
    for column in columns(path, table):
        for row in rows(path, table):
            for value in VALUES:
                yield column, row, value


@pytest.mark.parametrize("table", [*OURS, *WATCHED])
def test_no_value_is_too_strange_to_be_named(copied: Path, graded: Graded, tmp_path: Path, table: str) -> None:
    there = tmp_path / "gradebook.db"
    for column, row, value in cases(copied, table):
        shutil.copy(copied, there)
        if not changed(there, table, column, row, value):
            continue
        what = f"{table}.{column} of row {row} = {value[:30]}"
        report = verify(f"sqlite:///{there}", graded.data.seals, graded.data.submitted)
        assert any(name in fault for name in named(table, row) for fault in report.faults), (what, report.faults)


def named(table: str, row: int) -> tuple[str, ...]:
    """Return words of which one has to be in what verify says."""
    if table == "counterside_trail":
        return f"row {row} ", f"row {row}:"
    return ("seal 1", "copies of the seals") if table == "counterside_head" else (table,)


@pytest.mark.parametrize("half", ["person_old", "person_new"])
def test_a_row_has_no_half_that_no_seal_covers(copied: Path, graded: Graded, tmp_path: Path, half: str) -> None:
    """A row about no person holds words about one, which the desk would show; its leaf does not tell."""
    there = tmp_path / "gradebook.db"
    shutil.copy(copied, there)
    with closing(sqlite3.connect(there)) as database:
        (row,) = database.execute("SELECT min(seq) FROM counterside_trail WHERE tbl = 'grade'").fetchone()
    assert changed(there, "counterside_trail", half, row, """'{"manual_score": 5}'""")
    report = verify(f"sqlite:///{there}", graded.data.seals)
    assert f"row {row} has a personal half that no seal covers" in report.faults


@pytest.mark.parametrize(
    "forged",
    [
        """'{"student_id": "bo"}'""",  # somebody else's name
        """'{"student_id": "erased-1", "timestamp": "2026-01-01"}'""",  # a column that names nobody
        "'nonsense'",
    ],
)
def test_what_was_erased_does_not_come_back_as_something_else(
    copied: Path, graded: Graded, tmp_path: Path, forged: str
) -> None:
    """With the hash of what was there beside it, the leaf of a row stays the same whatever its half says."""
    there = tmp_path / "gradebook.db"
    shutil.copy(copied, there)
    with closing(sqlite3.connect(there)) as database:
        query = "SELECT seq, person_salt, row_id, person_old, person_new FROM counterside_trail WHERE tbl = ?"
        row, *half = database.execute(query, ["submitted_assignment"]).fetchone()
    for column, value in (("person_hash", f"'{person_hash(*half)}'"), ("person_salt", "NULL"), ("person_new", forged)):
        assert changed(there, "counterside_trail", column, row, value)
    report = verify(f"sqlite:///{there}", graded.data.seals)
    assert f"row {row} has a personal half that no seal covers" in report.faults


ODD = (None, True, -1, 1e400, 10**30, "", "\ud800", "zz", [], [[]], {"a": 1}, "5", ["zz"], [None])


@pytest.mark.parametrize("name", ["heads.jsonl", "keys.jsonl"])
def test_no_seal_or_key_is_too_strange_to_be_named(copied: Path, graded: Graded, tmp_path: Path, name: str) -> None:
    seals = tmp_path / "seals"
    shutil.copytree(graded.data.seals, seals)
    good = (seals / name).read_bytes()
    first = json.loads(good.splitlines()[0])
    lines = [json.dumps({**first, field: odd}).encode() for field in first for odd in ODD if first[field] != odd]
    lines += [b"[" * 50_000, b"\xff\xfe", b"5", b"[]", b'"text"', b"null", b"{}", b"\0" * 9]
    for line in lines:
        (seals / name).write_bytes(line + b"\n")
        assert verify(f"sqlite:///{copied}", seals).faults, line[:80]


COMMANDS = (
    ("seal",), ("bundle", "review.zip"), ("looks",), ("report", "report.html"),
    ("export", "csv", "marks.csv", "--purpose", "a test", "--delete-by", "2027-03-31"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("counterside_trail", "actor", "x'00ff'"),
        ("counterside_trail", "new", "CAST(x'80ff' AS TEXT)"),
        ("counterside_evidence", "rules", "'[[1]]'"),
        ("counterside_evidence", "state", "x'00ff'"),
        ("assignment", "duedate", "'5'"),
    ],
)
def test_no_command_shows_a_traceback(
    graded: Graded, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    table: str, column: str, value: str,
) -> None:  # fmt: skip
    course = tmp_path / "course"
    shutil.copytree(graded.data.folder, course)
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(course))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(tmp_path)
    there = course / "gradebook.db"
    shutil.copy(copied, there)
    assert changed(there, table, column, rows(there, table)[-1], value)
    said = {}
    for name, *rest in COMMANDS:
        code, output = main(["audit", name, *rest]), capsys.readouterr()
        words = output.out + output.err
        assert code in (0, 1), name
        assert "Traceback" not in words, name
        if code:
            assert len(output.err.splitlines()) == 1, name
            said[name] = output.err
    assert said  # something stands in the way of some of them
    for text in said.values():
        assert "counterside audit verify" in text or "can't be read" in text
    assert main(["audit", "verify", "--workers", "1"]) == 1
    assert "Traceback" not in capsys.readouterr().err
