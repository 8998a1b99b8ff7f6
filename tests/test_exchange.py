"""Collecting: every learner's account can write the inbound folder, so it is taken for anybody's."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import text

from autograde import exchange
from autograde.audit.erase import erase, rename_work
from autograde.audit.trail import install
from autograde.course_data import CourseData
from autograde.place import CourseError
from autograde.tables import gradebook, writing
from curriculum import copying
from curriculum.copying import Allowance, RefusedError

MINUTE = "2026-11-24 08:{:02}:00.000000 UTC"
BEFORE = MINUTE.format(0)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with an inbound and a gradebook, both empty."""
    folder = tmp_path_factory.mktemp("empty") / "course"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        data = CourseData()
        (folder / "exchange" / "counterside" / "inbound").mkdir(parents=True)
        data.instructor("collect", "ch1", update=True)
    (folder / "submitted").mkdir(exist_ok=True)
    return folder


@pytest.fixture
def data(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CourseData:
    shutil.copytree(empty, tmp_path / "course")
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "course"))
    return CourseData()


def hand_in(data: CourseData, learner: str, at: str = BEFORE, name: str | None = None) -> Path:
    """Lay a submission into the inbound, as nbgrader's submit does."""
    folder = data.folder / "exchange" / "counterside" / "inbound" / (name or f"{learner}+ch1+{at}+x{learner}x")
    (folder / "responses").mkdir(parents=True)
    (folder / "ch1.ipynb").write_text("{}")
    (folder / "responses" / "ch1.jsonl").write_text(f"answers of {learner}, {at}\n")
    (folder / "timestamp.txt").write_text(at)
    (folder / "submission_secret.txt").write_text("secret")
    return folder


def collected(data: CourseData) -> dict[str, str]:
    """Return the log of each learner that was collected; nothing else may lie there."""
    data.instructor("collect", "ch1", update=True)
    found = {path.name: path / "ch1" for path in data.submitted.iterdir() if list(path.iterdir())}
    assert {path.name for folder in found.values() for path in folder.parent.iterdir()} <= {"ch1"}
    return {name: (folder / "responses" / "ch1.jsonl").read_text() for name, folder in found.items()}


def test_a_submission_comes_whole_with_a_receipt(data: CourseData) -> None:
    source = hand_in(data, "mei")
    assert collected(data) == {"mei": f"answers of mei, {BEFORE}\n"}
    target = data.submitted / "mei" / "ch1"
    names = sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    (receipt,) = map(json.loads, (data.folder / "receipts.jsonl").read_text().splitlines())
    assert (receipt["learner"], receipt["chapter"], receipt["files"], receipt["handed_in"]) == ("mei", "ch1", 4, BEFORE)
    # As a person would check it: sha256sum of each file, its size and its name.
    files = [(name, (target / name).read_bytes()) for name in names]
    lines = "".join(f"{hashlib.sha256(held).hexdigest()} {len(held)} {name}\n" for name, held in files)
    assert receipt["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    assert receipt["bytes"] == sum(len(held) for _name, held in files)
    assert receipt["written_after"] != 0  # the file was written just now, whatever it says


def test_the_latest_counts_and_the_same_is_not_taken_twice(data: CourseData) -> None:
    hand_in(data, "mei")
    hand_in(data, "mei", MINUTE.format(7), f"mei+ch1+{MINUTE.format(7)}+b")
    assert collected(data) == {"mei": f"answers of mei, {MINUTE.format(7)}\n"}
    assert collected(data) == {"mei": f"answers of mei, {MINUTE.format(7)}\n"}
    assert len((data.folder / "receipts.jsonl").read_text().splitlines()) == 1
    hand_in(data, "mei", MINUTE.format(9), f"mei+ch1+{MINUTE.format(9)}+c")
    assert collected(data) == {"mei": f"answers of mei, {MINUTE.format(9)}\n"}


def link_out(folder: Path) -> None:
    (folder / "responses" / "ch1.jsonl").unlink()
    (folder / "responses" / "ch1.jsonl").symlink_to("/etc/passwd")


def link_folder(folder: Path) -> None:
    shutil.rmtree(folder / "responses")
    (folder / "responses").symlink_to("/etc")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "responses" / "pipe")


def sparse(folder: Path) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(2**30)


def many(folder: Path) -> None:
    for number in range(copying.MAX_FILES):
        (folder / f"{number}").touch()


def deep(folder: Path) -> None:
    (folder / "a/b/c/d/e/f").mkdir(parents=True)


def newline(folder: Path) -> None:
    (folder / "two\nlines").touch()


def other_time(folder: Path) -> None:
    (folder / "timestamp.txt").write_text(MINUTE.format(59))


def no_time(folder: Path) -> None:
    (folder / "timestamp.txt").unlink()


def no_secret(folder: Path) -> None:
    (folder / "submission_secret.txt").unlink()


def only_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def only_a_link(folder: Path) -> None:
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere")


SPOILT = [link_out, link_folder, pipe, sparse, many, deep, newline, other_time, no_time, no_secret, only_a_file,
          only_a_link]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_is_no_submission_is_refused_and_costs_nobody_else_anything(
    data: CourseData, spoil: Callable[[Path], None]
) -> None:
    hand_in(data, "an")
    hand_in(data, "bo")
    hand_in(data, "cai")
    before = collected(data)
    # The next one is spoilt: what was collected of the same learner stays.
    spoil(hand_in(data, "bo", MINUTE.format(30), f"bo+ch1+{MINUTE.format(30)}+b"))
    hand_in(data, "dou")
    assert collected(data) == {**before, "dou": f"answers of dou, {BEFORE}\n"}


@pytest.mark.parametrize(
    "name",
    ["..+ch1+{}+x", ".+ch1+{}+x", ".hidden+ch1+{}+x", "two\nlines+ch1+{}+x", "mei+ch1+tomorrow+x", "mei+ch1+{}é+x",
     "x" * 140 + "+ch1+{}+x", "+ch1+{}+x"],
)  # fmt: skip
def test_names_that_say_nothing_good(data: CourseData, name: str) -> None:
    hand_in(data, "mei")
    hand_in(data, "odd", BEFORE, name.format(BEFORE))
    outside = {path.name for path in data.folder.iterdir()}
    assert collected(data) == {"mei": f"answers of mei, {BEFORE}\n"}
    assert {path.name for path in data.folder.iterdir()} - outside == {"receipts.jsonl"}


def test_nobody_takes_anybodys_place(data: CourseData, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the folders belonged to an account called root and another one collected.
    monkeypatch.setattr(os, "getuid", lambda: 65533)
    monkeypatch.setattr(exchange, "owner", lambda status: "mei")
    hand_in(data, "mei")
    hand_in(data, "bo", MINUTE.format(5))
    assert collected(data) == {"mei": f"answers of mei, {BEFORE}\n"}


def test_files_of_another_account_and_files_that_lie_elsewhere_too_are_refused(
    data: CourseData, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(data, "an")
    os.link(hand_in(data, "bo") / "ch1.ipynb", data.folder / "exchange" / "elsewhere")
    log = hand_in(data, "cai") / "responses" / "ch1.jsonl"
    monkeypatch.setattr(os, "fstat", as_if_of_another(log.stat().st_ino))
    assert collected(data) == {"an": f"answers of an, {BEFORE}\n"}


def as_if_of_another(inode: int) -> Callable[[int], os.stat_result]:
    """Return an fstat that says of one file that another account owns it."""
    real = os.fstat

    def fstat(handle: int) -> os.stat_result:
        status = real(handle)
        return os.stat_result((*status[:4], 65533, *status[5:])) if status.st_ino == inode else status

    return fstat


@pytest.mark.parametrize("more", [b"answers of so", b"and more"])
def test_a_file_that_is_written_meanwhile_is_refused(tmp_path: Path, more: bytes) -> None:
    log = tmp_path / "ch1.jsonl"
    log.write_bytes(b"answers of bo")
    os.utime(log, (1, 1))

    class Counting(Allowance):
        """Counts what is copied, while the learner goes on writing."""

        def __setattr__(self, name: str, value: object) -> None:
            if hasattr(self, name):
                log.write_bytes(more)
            super().__setattr__(name, value)

    with copying.opened_folder(str(tmp_path)) as folder, pytest.raises(RefusedError, match="was being written"):
        copying.copy_file("ch1.jsonl", folder, tmp_path / "copy", Counting(account=os.getuid()))


def killed(data: CourseData, place: object, name: str, after: int) -> None:
    """Collect in a process of its own, which is killed where something is done for the so-manyeth time."""
    process = os.fork()
    if not process:
        real, left = getattr(place, name), [after]

        def kills(*words: object, **more: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*words, **more)

        setattr(place, name, kills)
        try:
            data.instructor("collect", "ch1", update=True)
        finally:
            os._exit(0)
    assert os.waitpid(process, 0)[1] == signal.SIGKILL


# Three submissions of four files; the one in the middle takes the place of an older one, so it is moved twice.
KILLS = [(copying, "copy_file", after) for after in (0, 3, 4, 6, 8, 11)]
KILLS += [(Path, "rename", after) for after in range(4)]


@pytest.mark.parametrize(("place", "name", "after"), KILLS)
def test_killed_anywhere_a_submission_is_there_whole_and_the_next_run_has_them_all(
    data: CourseData, place: object, name: str, after: int
) -> None:
    hand_in(data, "bo")
    old = collected(data)["bo"]
    for learner in ("an", "cai"):
        hand_in(data, learner)
    hand_in(data, "bo", MINUTE.format(30), f"bo+ch1+{MINUTE.format(30)}+b")
    new = {learner: f"answers of {learner}, {BEFORE}\n" for learner in ("an", "cai")}
    new["bo"] = f"answers of bo, {MINUTE.format(30)}\n"
    killed(data, place, name, after)
    for learner, answers in new.items():
        target = data.submitted / learner / "ch1"
        if target.exists():
            assert len([path for path in target.rglob("*") if path.is_file()]) == 4
            assert (target / "responses" / "ch1.jsonl").read_text() in (answers, old)
        elif learner == "bo":
            # Between the two names the older one is beside it, whole.
            aside = target.parent / f"{exchange.REPLACED}-ch1"
            assert (aside / "responses" / "ch1.jsonl").read_text() == old
    assert collected(data) == new
    assert [path.name for path in data.submitted.glob("*/.*")] == []
    receipts = [json.loads(line) for line in (data.folder / "receipts.jsonl").read_text().splitlines()]
    assert {(line["learner"], line["handed_in"]) for line in receipts} == {
        ("an", BEFORE), ("cai", BEFORE), ("bo", BEFORE), ("bo", MINUTE.format(30)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (timedelta(days=400), "written 400 days before that"),
        (timedelta(hours=-3), "written 3 hours after that"),
        (timedelta(days=-9000), "written 9000 days after that"),
        (timedelta(minutes=-1), None),
        (timedelta(minutes=5), None),
    ],
)
def test_a_time_in_the_future_or_long_past_is_said(
    data: CourseData, caplog: pytest.LogCaptureFixture, shift: timedelta, words: str | None
) -> None:
    at = f"{datetime.now(UTC) + shift:%Y-%m-%d %H:%M:%S.%f} UTC"
    hand_in(data, "mei", at)
    logging.getLogger("traitlets").addHandler(caplog.handler)  # as nbgrader has a handler of its own there
    try:
        assert collected(data) == {"mei": f"answers of mei, {at}\n"}
    finally:
        logging.getLogger("traitlets").removeHandler(caplog.handler)
    said = "".join(record.getMessage() for record in caplog.records if "was written" in record.getMessage())
    assert words in said if words else said == ""


def test_two_runs_never_meet(data: CourseData) -> None:
    hand_in(data, "mei")
    with exchange.alone(data.folder), pytest.raises(CourseError, match="wait for its end"):
        data.instructor("collect", "ch1", update=True)
    assert collected(data) == {"mei": f"answers of mei, {BEFORE}\n"}


@pytest.mark.parametrize(("place", "swapped"), [("copy_file", "ch1.jsonl"), ("opened_folder", "responses")])
def test_what_is_swapped_for_a_link_after_it_was_looked_at_is_not_followed(
    data: CourseData, monkeypatch: pytest.MonkeyPatch, place: str, swapped: str
) -> None:
    hand_in(data, "an")
    folder = hand_in(data, "bo")
    path = next(folder.rglob(swapped))
    elsewhere = data.folder / "elsewhere"
    shutil.copytree(folder / "responses", elsewhere)
    real = getattr(copying, place)

    def swaps(name: str, *more: object) -> object:
        if name == swapped and path.exists() and not path.is_symlink() and "/bo+" in str(fd(more[0]).readlink()):
            path.rename(folder.parent / ".aside")
            path.symlink_to(elsewhere / "ch1.jsonl" if path.suffix else elsewhere)
        return real(name, *more)

    monkeypatch.setattr(copying, place, swaps)
    assert collected(data) == {"an": f"answers of an, {BEFORE}\n"}
    assert path.is_symlink()


def fd(handle: object) -> Path:
    return Path(f"/proc/self/fd/{handle}")


def test_a_folder_that_is_swapped_for_another_accounts_is_refused(
    data: CourseData, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(data, "an")
    inode = hand_in(data, "bo").stat().st_ino
    # It was root's when it was looked at, and is another account's once it is open.
    monkeypatch.setattr(os, "fstat", as_if_of_another(inode))
    assert collected(data) == {"an": f"answers of an, {BEFORE}\n"}


def test_who_was_erased_is_not_collected_again(data: CourseData, caplog: pytest.LogCaptureFixture) -> None:
    hand_in(data, "mei")
    hand_in(data, "bo")
    assert collected(data).keys() == {"mei", "bo"}
    with gradebook(data.db_url) as engine:
        install(engine)
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO student (id) VALUES ('mei')"))
        pseudonym, _rows = erase(engine, "mei", "asked for")
        with engine.connect() as connection:
            ((digest, salt),) = connection.execute(text("SELECT hash, salt FROM counterside_forgotten")).all()
    # By OpenSSL's scrypt behind another interface.
    assert digest == Scrypt(bytes.fromhex(salt), 32, 1 << 14, 8, 1).derive(b"mei").hex()
    rename_work([data.submitted], "mei", pseudonym)
    hand_in(data, "bo", MINUTE.format(7), f"bo+ch1+{MINUTE.format(7)}+b")
    logging.getLogger("traitlets").addHandler(caplog.handler)  # as nbgrader has a handler of its own there
    try:
        now = collected(data)
    finally:
        logging.getLogger("traitlets").removeHandler(caplog.handler)
    assert now == {"bo": f"answers of bo, {MINUTE.format(7)}\n", pseudonym: f"answers of mei, {BEFORE}\n"}
    said = [record.getMessage() for record in caplog.records]
    refused = "A submission of 2026-11-24 08:00:00 was not collected: its learner's personal data were erased"
    assert any(words.startswith(refused) for words in said)
    assert not any("mei" in words for words in said)
