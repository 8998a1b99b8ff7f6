"""Collecting what learners handed in, with their folders taken for what they are: anybody's.

The inbound folder of nbgrader's exchange can be written by every learner's
account. Here a submission is copied file by file, plain files only, under caps,
to a temporary name that is renamed when it is whole; what is wrong with one
costs nobody else anything. Each that was taken leaves a line in `receipts.jsonl`.
"""

from __future__ import annotations

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

MAX_FILES = 200
MAX_BYTES = 64 * 2**20
MAX_DEPTH = 4
MAX_NAME = 128
TOO_LARGE = f"there are more than {MAX_BYTES // 2**20} MiB in it"
CHUNK = 2**20
TEMPORARY = ".collecting"
RECEIPTS = "receipts.jsonl"
# So much may pass between naming the time in a submission and writing it.
SLACK = 600  # seconds


class RefusedError(Exception):
    """A submission can't be taken; the message is one sentence for a person."""


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
        for record in self.src_records:
            try:
                self.collect(record)
            except (RefusedError, OSError) as error:
                self.log.error("%s was not collected: %s", ascii(record["filename"]), error)

    def collect(self, record: dict[str, Any]) -> None:
        """Take one submission, unless an earlier or the same one is to stay. Raises RefusedError, OSError."""
        if "refused" in record:
            raise RefusedError(record["refused"])
        learner, chapter = record["username"], self.coursedir.assignment_id
        target = Path(self.coursedir.format_path(self.coursedir.submitted_directory, learner, chapter))
        there = self.coursedir.get_existing_timestamp(str(target)) if target.is_dir() else None
        newer = there is None or record["timestamp"] > there
        other = self.before_duedate and there != record["timestamp"]
        if target.is_dir() and not (other or (self.update and newer)):
            self.log.info("%s of %s is there already", chapter, learner)
            return
        source = Path(self.inbound_path) / record["filename"]
        receipt = take(source, target, record["timestamp"])
        if receipt["written_after"] > SLACK:
            words = "%s of %s was written %d s after the time it says"
            self.log.warning(words, chapter, learner, receipt["written_after"])
        line = {"learner": learner, "chapter": chapter, **receipt}
        with (target.parents[2] / RECEIPTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.log.info("Collected %s of %s", chapter, learner)


def record_of(path: Path) -> dict[str, Any]:
    """Return whose a folder in the inbound is, and from when. Raises RefusedError."""
    parts = path.name.rsplit("+", 3)
    if len(parts) < 3:
        raise RefusedError("its name does not say whose it is")
    learner, at = parts[0], parsed(parts[2])
    if at is None:
        raise RefusedError("its name does not say when it was handed in")
    if learner.startswith(".") or not learner.isprintable() or not learner or len(learner) > MAX_NAME:
        raise RefusedError("no learner can have the name it says")
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise RefusedError("it is no folder")
    # Trainers may hand in for somebody; other learners may not.
    if status.st_uid != os.getuid() and owner(status) != learner:
        raise RefusedError(f"it says it is {learner}'s, but belongs to {owner(status)}")
    return {"username": learner, "filename": path.name, "timestamp": at}


def owner(status: os.stat_result) -> str:
    try:
        return pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return f"account {status.st_uid}"


def parsed(words: str) -> datetime | None:
    """Return a time as nbgrader keeps it, in UTC without zone, or None for what is none."""
    try:
        at: datetime | None = parse_utc(words)
    except Exception:  # dateutil raises whatever comes up
        return None
    return at


def take(source: Path, target: Path, at: datetime) -> dict[str, Any]:
    """Copy a submission of the time `at` to `target`, all of it or nothing. Raises RefusedError, OSError.

    Returns the receipt: `at` (UTC), `handed_in`, `sha256` (of the lines “hash size name” of all files, sorted by
    name), `files`, `bytes`, `owner`, and `written_after`, the seconds from the time that it says to the time when
    the file that says so was last written or moved.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f"{TEMPORARY}-{target.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with opened_folder(str(source), None) as folder:
            found = sorted(copy_tree(folder, temporary, Path(), [MAX_FILES, MAX_BYTES]))
            written = os.stat("timestamp.txt", dir_fd=folder, follow_symlinks=False).st_ctime
            account = owner(os.fstat(folder))
        words = (temporary / "timestamp.txt").read_text("utf-8", errors="replace").strip()
        if parsed(words) != at:
            raise RefusedError("the time in it is not the time in its name")
        (temporary / "submission_secret.txt").stat()  # releasing feedback ends for everybody without it
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except FileNotFoundError as error:
        raise RefusedError(f"{Path(error.filename).name} is missing in it") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    lines = "".join(f"{digest} {size} {name}\n" for name, size, digest in found)
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "files": len(found),
        "bytes": sum(size for _name, size, _digest in found),
        "owner": account,
        "handed_in": words,
        "written_after": round((datetime.fromtimestamp(written, UTC).replace(tzinfo=None) - at).total_seconds()),
    }


def copy_tree(folder: int, target: Path, under: Path, left: list[int]) -> Iterator[tuple[str, int, str]]:
    """Copy an open folder; yield name, size and SHA-256 of each file. `left` counts down files and bytes."""
    if len(under.parts) > MAX_DEPTH:
        raise RefusedError(f"there are folders in it more than {MAX_DEPTH} deep")
    target.mkdir()
    with os.scandir(folder) as entries:
        for entry in entries:
            name = under / entry.name
            left[0] -= 1
            if left[0] < 0:
                raise RefusedError(f"there are more than {MAX_FILES} files in it")
            if not entry.name.isprintable() or len(entry.name) > MAX_NAME:
                raise RefusedError("a file in it has a name that no file should have")
            if entry.is_dir(follow_symlinks=False):
                with opened_folder(entry.name, folder) as inner:
                    yield from copy_tree(inner, target / entry.name, name, left)
            elif entry.is_file(follow_symlinks=False):
                yield str(name), *copy_file(entry.name, folder, target / entry.name, left)
            else:
                raise RefusedError(f"{name} in it is no plain file")


def copy_file(name: str, folder: int, target: Path, left: list[int]) -> tuple[int, str]:
    """Copy a plain file; return its size and SHA-256."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    size, digest = 0, hashlib.sha256()
    with os.fdopen(handle, "rb") as source, target.open("wb") as copy:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(f"{name} in it is no plain file")
        if status.st_size > left[1]:
            raise RefusedError(TOO_LARGE)
        while data := source.read(CHUNK):
            size += len(data)
            left[1] -= len(data)
            if left[1] < 0:
                raise RefusedError(TOO_LARGE)
            digest.update(data)
            copy.write(data)
    return size, digest.hexdigest()


@contextmanager
def opened_folder(name: str, inside: int | None) -> Iterator[int]:
    """Open a folder that is no link."""
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inside)
    try:
        yield handle
    finally:
        os.close(handle)
