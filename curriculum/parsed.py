"""What was read from YAML before, kept as JSON: reading it anew is most of a command's start.

A file is known by the hash of its bytes and of the code that reads it, so nothing
here is ever out of date, and losing it costs half a second.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / ".yaml_cache"
MOST = 2000  # files


@cache
def reader() -> bytes:
    return hashlib.sha256(Path(__file__).with_name("source.py").read_bytes()).digest()


def place(text: bytes) -> Path:
    return FOLDER / f"{hashlib.sha256(reader() + text).hexdigest()}.json"


def recall(text: bytes) -> Any:
    """Return the data of a YAML file that was read before. Raises LookupError."""
    try:
        return json.loads(place(text).read_bytes())
    except (OSError, ValueError) as error:
        raise LookupError from error


def remember(text: bytes, data: Any) -> None:
    """Keep the data of a YAML file without faults, if JSON can hold it. Begins anew when there are too many."""
    try:
        kept = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return
    if json.loads(kept) != data:  # a number as a key, say
        return
    with contextlib.suppress(OSError):
        FOLDER.mkdir(exist_ok=True)
        known = list(FOLDER.iterdir())
        for path in known if len(known) >= MOST else ():
            path.unlink(missing_ok=True)
        finished = place(text)
        draft = finished.with_suffix(f".{os.getpid()}")
        draft.write_text(kept, "utf-8")
        draft.replace(finished)
