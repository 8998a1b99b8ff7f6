"""Other names for learners: the same for the same key, and not to be found out without it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from autograde.place import CourseError

KEY_BYTES = 32
DIGITS = 12  # hex digits; two of 5,000 learners share a name with a chance below one in ten million


class Pseudonyms:
    """Names made by HMAC-SHA256 (RFC 2104) of a learner's id, with a key that whoever exports keeps."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def name(self, learner: str) -> str:
        digest = hmac.new(self.key, learner.encode(), hashlib.sha256).hexdigest()
        return f"learner-{digest[:DIGITS]}"


def pseudonyms(key_file: Path) -> Pseudonyms:
    """Return the names of a key file, which is made where there is none, for its owner alone. Raises CourseError."""
    try:
        handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "w") as file:
            file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
    try:
        key = bytes.fromhex(key_file.read_text("ascii").strip())
    except (UnicodeDecodeError, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        words = f"{key_file} is no key for pseudonyms: {2 * KEY_BYTES} hex digits; name another file, and one is made"
        raise CourseError(words)
    return Pseudonyms(key)
