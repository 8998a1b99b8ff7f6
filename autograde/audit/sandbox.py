"""Giving up the right to write, for good: what runs in here can read, and write in one folder only.

Landlock, a part of Linux, lets a process bind itself and all that it will start,
whatever its account may do; not even root gets out again. Run it as a module:
`python -m autograde.audit.sandbox FOLDER COMMAND…`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

# Numbers of the kernel's interface, the same on all of today's machines (linux/landlock.h, asm-generic/unistd.h).
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, RULE_PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 1, 38
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
MOVE = 1 << 13
LEAST = 3  # before it, a file could still be cut off
WRITING: Final = WRITE_FILE | TRUNCATE | MAKE_AND_REMOVE | MOVE
DEVICES = ("/dev/null", "/dev/tty")


class Rules(ctypes.Structure):
    _fields_ = (("handled", ctypes.c_uint64),)


class Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def is_available() -> bool:
    """Return whether this machine can bind a process so that it can't write."""
    return sys.platform == "linux" and call(CREATE_RULESET, None, 0, ASK_VERSION) >= LEAST


def call(number: int, *arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))


def confine(folders: Iterable[Path]) -> None:
    """Give up writing anywhere but below `folders`, for this process and all that it starts. Raises OSError."""
    rules = Rules(WRITING)
    ruleset = checked(call(CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0))
    try:
        for folder in folders:
            allow(ruleset, folder, WRITING)
        for device in map(Path, DEVICES):
            if device.exists():
                allow(ruleset, device, WRITE_FILE | TRUNCATE)
        checked(ctypes.CDLL(None, use_errno=True).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        checked(call(RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def allow(ruleset: int, path: Path, what: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = Beneath(what, parent)
        checked(call(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(parent)


def checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    confine([Path(sys.argv[1])])
    os.execvp(sys.argv[2], sys.argv[2:])
