"""One inbound folder with everything in it that should not be there, collected in one go."""

from __future__ import annotations

import csv
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograde.course_data import CourseData
from tests.hostile.inbound import AT, KINDS, SECRET, lay

HONEST = ("an", "bo", "cai")


def expectations() -> dict[str, tuple[str, str]]:
    """Return by kind whether it is collected and what is said of it, as `expected_inbound.tsv` has it."""
    with (Path(__file__).parent / "expected_inbound.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return {row[0]: (row[1], row[2]) for row in rows}


EXPECTED = expectations()


@dataclass(frozen=True)
class Collected:
    """The course after collecting, what was logged, and the names of the folders in the inbound by kind."""

    data: CourseData
    log: list[str]
    names: dict[str, str]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    folder = tmp_path_factory.mktemp("inbound") / "course"
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        data = CourseData()
        inbound = folder / "exchange" / "counterside" / "inbound"
        inbound.mkdir(parents=True)
        names = {}
        for name, spoil in KINDS.items():
            before = {*inbound.iterdir()}
            spoil(lay(inbound, f"k-{name}"))
            (names[name],) = (path.name for path in {*inbound.iterdir()} - before)
        for learner in HONEST:
            lay(inbound, learner)
        handler = Keep(logging.INFO)
        logging.getLogger("traitlets").addHandler(handler)
        try:
            data.instructor("collect", "ch1", update=True)
        finally:
            logging.getLogger("traitlets").removeHandler(handler)
        yield Collected(data, said, names)
        # Deeper than Python's own way of clearing up can go.
        os.system(f"rm -rf '{inbound}'")


def test_the_table_says_what_must_become_of_each_kind() -> None:
    missing = {"log-is-device"} if os.geteuid() else set()
    assert {*EXPECTED} - missing == {*KINDS}


def test_each_is_collected_or_refused_with_its_reason(collected: Collected) -> None:
    wrong = {}
    for name in KINDS:
        there = (collected.data.submitted / f"k-{name}" / "ch1").exists()
        said = [line for line in collected.log if line.startswith(ascii(collected.names[name]))]
        verdict, words = EXPECTED[name]
        refused = [line for line in said if "was not collected: " in line and words in line]
        if (verdict == "collected") != there or (verdict == "refused") != (len(refused) == 1) or len(said) > 1:
            wrong[name] = (EXPECTED[name], there, said)
    assert wrong == {}


def test_honest_ones_are_there_and_nobody_else(collected: Collected) -> None:
    taken = {f"k-{name}" for name, (verdict, _words) in EXPECTED.items() if verdict == "collected"}
    assert {path.name for path in collected.data.submitted.iterdir() if (path / "ch1").exists()} == {*HONEST, *taken}
    for learner in HONEST:
        log = collected.data.submitted / learner / "ch1" / "responses" / "ch1.jsonl"
        assert log.read_text() == f"answers of {learner}\n"
        assert (log.parents[1] / "timestamp.txt").read_text() == AT


def test_nothing_was_followed_and_nothing_is_left_over(collected: Collected) -> None:
    for path in collected.data.submitted.rglob("*"):
        assert not path.is_symlink()
        assert path.is_dir() or (path.is_file() and path.stat().st_nlink == 1)
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()
        assert not path.name.startswith(".")
    assert {path.name for path in collected.data.folder.iterdir()} == {
        "exchange", "submitted", "gradebook.db", "receipts.jsonl", "collecting.lock",
    }  # fmt: skip
    assert not (collected.data.folder.parent / "escaped").exists()


def test_what_is_said_is_sentences(collected: Collected) -> None:
    assert [line for line in collected.log if "Traceback" in line] == []
    strange = {character for line in collected.log for character in line if not character.isprintable()}
    assert strange == set()


def test_unreadable_files_cost_only_their_submission(
    tmp_path: Path, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root reads everything, so here the system says no in its place.
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "course"))
    data = CourseData()
    shutil.copy(collected.data.folder / "gradebook.db", tmp_path / "course")
    inbound = tmp_path / "course" / "exchange" / "counterside" / "inbound"
    inbound.mkdir(parents=True)
    closed = lay(inbound, "closed") / "ch1.ipynb"
    closed.chmod(0)
    lay(inbound, "open")
    real = os.open

    def refuse(path: str, *more: int, **named: int) -> int:
        handle = real(path, *more, **named)
        if os.fstat(handle).st_ino == closed.stat().st_ino:
            os.close(handle)
            raise PermissionError(13, "Permission denied", path)
        return handle

    monkeypatch.setattr(os, "open", refuse)
    data.instructor("collect", "ch1", update=True)
    assert [path.name for path in data.submitted.iterdir() if (path / "ch1").exists()] == ["open"]
