"""Reading and copying what a learner hands in: plain files only, under caps, whatever else is put there meanwhile.

Both sides of the exchange use it. Names are opened below an open folder and
never followed, so what was looked at is what is copied.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MAX_FILES = 200
MAX_BYTES = 64 * 2**20
MAX_DEPTH = 4
MAX_NAME = 128
CHUNK = 2**20


class RefusedError(Exception):
    """A submission can't be taken; the message is one sentence for a person."""


@dataclass
class Allowance:
    """How many files and bytes may still be copied.

    With `account`, they are somebody else's: all must belong to it, lie nowhere else, and be at rest.
    """

    files: int = MAX_FILES
    bytes: int = MAX_BYTES
    account: int | None = None


def copy_tree(folder: int, target: Path, left: Allowance, under: Path = Path()) -> Iterator[tuple[str, int, str]]:
    """Copy an open folder to `target`; yield name, size and SHA-256 of each file. Raises RefusedError, OSError."""
    if len(under.parts) > MAX_DEPTH:
        raise RefusedError(f"there are folders in it more than {MAX_DEPTH} deep")
    target.mkdir()
    with os.scandir(folder) as entries:
        for entry in entries:
            name = under / entry.name
            left.files -= 1
            if left.files < 0:
                raise RefusedError(f"there are more than {MAX_FILES} files in it")
            if not entry.name.isprintable() or len(entry.name) > MAX_NAME:
                raise RefusedError("a file in it has a name that no file should have")
            if entry.is_dir(follow_symlinks=False):
                with opened_folder(entry.name, folder) as inner:
                    yield from copy_tree(inner, target / entry.name, left, name)
            elif entry.is_file(follow_symlinks=False):
                yield str(name), *copy_file(entry.name, folder, target / entry.name, left)
            else:
                raise RefusedError(f"{name} in it is no plain file")


def copy_file(name: str, folder: int, target: Path, left: Allowance) -> tuple[int, str]:
    """Copy a plain file of an open folder; return its size and SHA-256. Raises RefusedError, OSError."""
    # Neither a link nor a pipe somebody put there may be followed or waited for.
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    size, digest = 0, hashlib.sha256()
    with os.fdopen(handle, "rb") as source, target.open("wb") as copy:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise RefusedError(f"{name} in it is no plain file")
        if left.account is not None and (before.st_uid != left.account or before.st_nlink != 1):
            raise RefusedError(f"{name} in it belongs to somebody else, or lies elsewhere, too")
        if before.st_size > left.bytes:
            raise too_large()
        while data := source.read(CHUNK):
            size += len(data)
            left.bytes -= len(data)
            if left.bytes < 0:
                raise too_large()
            digest.update(data)
            copy.write(data)
        after = os.fstat(handle)
    if left.account is not None and (size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise RefusedError(f"{name} in it was being written meanwhile; try again")
    return size, digest.hexdigest()


def too_large() -> RefusedError:
    return RefusedError(f"there are more than {MAX_BYTES // 2**20} MiB in it")


@contextmanager
def opened_folder(name: str, inside: int | None = None) -> Iterator[int]:
    """Open a folder that is no link. Raises OSError."""
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inside)
    try:
        yield handle
    finally:
        os.close(handle)


def open_plainly(path: Path) -> int:
    """Open a file for reading. Raises OSError where it or its folder is a link."""
    with opened_folder(str(path.parent)) as folder:
        # A pipe somebody put there must not be waited for.
        return os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)


def plain_file(path: Path, limit: int) -> bytes | None:
    """Return what a plain file of at most `limit` bytes holds, and None for anything else or none at all."""
    try:
        handle = open_plainly(path)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(handle)
