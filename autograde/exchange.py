"""Collecting what learners handed in, with their folders taken for what they are: anybody's.

The inbound folder of nbgrader's exchange can be written by every learner's
account. Here a submission is copied file by file, plain files only, under caps,
to a temporary name that is renamed when it is whole; what is wrong with one
costs nobody else anything. Each that was taken leaves a line in `receipts.jsonl`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

from autograde.audit.forgotten import Forgotten, read_forgotten
from autograde.place import CourseError
from curriculum.copying import MAX_NAME, Allowance, RefusedError, copy_tree, opened_folder, plain_file

COPYING = ".collecting"  # what is not whole yet
REPLACED = ".replaced"  # what was collected before, while the new one takes its place
LOCK = "collecting.lock"
RECEIPTS = "receipts.jsonl"
TIMESTAMP = "timestamp.txt"
SECRET = "submission_secret.txt"
MAX_SECRET = 4096
MAX_TIME = 64  # characters that say when
# So much may lie between the time that a submission says and the time when that was written.
SLACK = 600  # seconds


class ErasedError(Exception):
    """What was handed in is of somebody whose personal data were erased."""


class SafeCollect(ExchangeCollect):
    """nbgrader's collecting, with another way to read names and to copy."""

    def _path_to_record(self, path: str) -> dict[str, Any]:
        try:
            return record_of(Path(path))
        except RefusedError as error:
            # Under a name of its own: it must not stand in anybody's place.
            name = Path(path).name
            return {"username": name, "filename": name, "timestamp": datetime.min, "refused": str(error)}

    def copy_files(self) -> None:
        chapter = self.coursedir.assignment_id
        submitted = Path(self.coursedir.format_path(self.coursedir.submitted_directory, "x", chapter)).parents[1]
        with alone(submitted.parent) as is_alone:
            if not is_alone:
                self.fail("another “collect” is at work on this course; wait for its end")
            try:
                erased = read_forgotten(self.coursedir.db_url)
            except CourseError as error:
                self.fail(str(error))
            for leftover in submitted.glob(f"*/.*-{chapter}"):
                settle(leftover.parent / chapter)
            for record in self.src_records:
                try:
                    self.collect(record, submitted / record["username"] / chapter, erased)
                except ErasedError as error:
                    # The log must not get the name back.
                    self.log.error("A submission of %s was not collected: %s", record["timestamp"], error)
                except (RefusedError, OSError) as error:
                    self.log.error("%s was not collected: %s", ascii(record["filename"]), error)

    def collect(self, record: dict[str, Any], target: Path, erased: Forgotten) -> None:
        """Take one submission, unless an earlier or the same one is to stay.

        Raises ErasedError, RefusedError, OSError.
        """
        if "refused" in record:
            raise RefusedError(record["refused"])
        learner, at = record["username"], record["timestamp"]
        there = parsed(words_of(target / TIMESTAMP)) if target.is_dir() else None
        newer = there is None or at > there
        other = self.before_duedate and there != at
        if target.is_dir() and not (other or (self.update and newer)):
            self.log.info("%s of %s is there already", target.name, learner)
            return
        if erased.has(learner):
            raise ErasedError("its learner's personal data were erased; remove it from the exchange")
        receipt = take(Path(self.inbound_path) / record["filename"], target, learner)
        if abs(receipt["written_after"]) > SLACK:
            words = "%s of %s says that it was handed in at %s, and was written %s %s that"
            when = "after" if receipt["written_after"] > 0 else "before"
            self.log.warning(
                words, target.name, learner, receipt["handed_in"], duration(receipt["written_after"]), when
            )
        self.log.info("Collected %s of %s", target.name, learner)


def record_of(path: Path) -> dict[str, Any]:
    """Return whose a folder in the inbound is, and from when. Raises RefusedError."""
    learner, said = named(path)
    at = parsed(said)
    if at is None:
        raise RefusedError("its name does not say when it was handed in")
    if learner.startswith(".") or not path.name.isprintable() or not learner or len(learner) > MAX_NAME:
        raise RefusedError("no learner can have the name it says")
    check_owner(path.lstat(), learner)
    return {"username": learner, "filename": path.name, "timestamp": at}


def named(path: Path) -> tuple[str, str]:
    """Return the learner and the time that a folder's name says. Raises RefusedError."""
    parts = path.name.rsplit("+", 3)
    if len(parts) < 3:
        raise RefusedError("its name does not say whose it is")
    return parts[0], parts[2]


def check_owner(status: os.stat_result, learner: str) -> None:
    """Raise RefusedError for what is no folder, or not the learner's. Trainers may hand in for somebody."""
    if not stat.S_ISDIR(status.st_mode):
        raise RefusedError("it is no folder")
    if status.st_uid != os.getuid() and owner(status) != learner:
        raise RefusedError(f"it says it is {learner}'s, but belongs to {owner(status)}")


def owner(status: os.stat_result) -> str:
    try:
        return pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return f"account {status.st_uid}"


def parsed(words: str) -> datetime | None:
    """Return a time as nbgrader keeps it, in UTC without zone, or None for what is none."""
    # What looks like a file's name would be opened as a time zone.
    if len(words) > MAX_TIME or not words.isascii() or not words.isprintable() or "/" in words:
        return None
    try:
        at: datetime | None = parse_utc(words)
    except Exception:  # dateutil raises whatever comes up
        return None
    return at


def words_of(path: Path) -> str:
    return path.read_text("utf-8", errors="replace").strip()


def check_secret(path: Path) -> None:
    """Raise RefusedError for what can't be a secret: one such ends nbgrader's release of feedback for everybody."""
    data = plain_file(path, MAX_SECRET)
    if data is None or not data.isascii() or not data.strip():
        raise RefusedError(f"{path.name} is missing in it, or holds no secret")


def duration(seconds: int) -> str:
    """Return a span of time in words, in its largest unit."""
    for unit, size in (("days", 86_400), ("hours", 3600)):
        if abs(seconds) >= 2 * size:
            return f"{abs(seconds) // size} {unit}"
    return f"{abs(seconds) // 60} minutes"


def take(source: Path, target: Path, learner: str) -> dict[str, Any]:
    """Let a submission take its place at `target`, all of it or nothing. Raises RefusedError, OSError.

    Writes and returns the receipt: `learner`, `chapter`, `at` (UTC), `handed_in`, `sha256` (of the lines “hash size
    name” of all files, sorted by name), `files`, `bytes`, `owner`, and `written_after`, the seconds from the time
    that it says to the time when the file that says so was last written or moved.
    """
    settle(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary, before = beside(target, COPYING), beside(target, REPLACED)
    _learner, said = named(source)
    try:
        with opened_folder(str(source)) as folder:
            status = os.fstat(folder)
            check_owner(status, learner)  # once more: another folder may lie here by now
            found = sorted(copy_tree(folder, temporary, Allowance(account=status.st_uid)))
            written = os.stat(TIMESTAMP, dir_fd=folder, follow_symlinks=False).st_ctime
        at = parsed(said)
        if at is None or words_of(temporary / TIMESTAMP) != said:
            raise RefusedError("the time in it is not the time in its name")
        check_secret(temporary / SECRET)
        lines = "".join(f"{digest} {size} {name}\n" for name, size, digest in found)
        receipt = {
            "learner": learner,
            "chapter": target.name,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "sha256": hashlib.sha256(lines.encode()).hexdigest(),
            "files": len(found),
            "bytes": sum(size for _name, size, _digest in found),
            "owner": owner(status),
            "handed_in": said,
            "written_after": round((datetime.fromtimestamp(written, UTC).replace(tzinfo=None) - at).total_seconds()),
        }
        # First the receipt: ended in between, there are two of the same, and never none.
        with (target.parents[2] / RECEIPTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(receipt, ensure_ascii=False) + "\n")
        if target.exists():
            target.rename(before)
        temporary.rename(target)
    except FileNotFoundError as error:
        raise RefusedError(f"{Path(error.filename).name} is missing in it") from error
    finally:
        settle(target)
    return receipt


def beside(target: Path, prefix: str) -> Path:
    """Return where something lies that is not, or no longer, what was collected."""
    return target.parent / f"{prefix}-{target.name}"


def settle(target: Path) -> None:
    """Clear away what an ended run left beside `target`, and put back what it had moved aside."""
    shutil.rmtree(beside(target, COPYING), ignore_errors=True)
    before = beside(target, REPLACED)
    if before.exists() and not target.exists():
        before.rename(target)
    shutil.rmtree(before, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Say whether no other run collects for the same course, and keep others off meanwhile."""
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
