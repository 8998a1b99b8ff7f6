"""From where the gradebook is read, and how commands say no."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autograde.cli import main
from autograde.course_data import CourseData
from autograde.gradebook import read_gradebook
from autograde.place import ROOT, CourseError


@pytest.mark.parametrize("name", ["plain", "h#x", "a%20b", "a b"])
def test_the_gradebook_is_opened_read_only_whatever_its_folder_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    course = tmp_path / name
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(course))
    data = CourseData()
    with pytest.raises(CourseError, match="no gradebook yet"):
        read_gradebook(data)
    sqlite3.connect(course / "gradebook.db").close()
    (course / "gradebook.db").write_bytes(b"")
    before = {path.name for path in tmp_path.rglob("*")}
    # An empty database has no tables; reading must not make them.
    with pytest.raises(CourseError, match="no gradebook yet"):
        read_gradebook(data)
    assert (course / "gradebook.db").read_bytes() == b""
    assert {path.name for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("command", [["gradebook"], ["open", "learner", "--no-browser"], ["open", "auditor"]])
def test_a_course_without_data_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "new"))
    assert main(command) == 1
    said = capsys.readouterr()
    assert "make demo" in said.err
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize("command", [["gradebook"], ["demo"], ["open", "auditor", "--no-browser"]])
def test_a_course_folder_that_cannot_be_is_said_in_a_sentence(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    done = subprocess.run(
        [sys.executable, "-m", "autograde.cli", *command], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "COUNTERSIDE_COURSE": str(tmp_path / "file")},
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert (tmp_path / "file").read_text() == "no folder"
