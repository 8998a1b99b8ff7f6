"""Writing a file that was not there before, for its owner alone: what an auditor takes out of a gradebook."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkstemp

from autograde.place import CourseError


def check_new(path: Path) -> None:
    """Raise CourseError where a file of that name is there, or no folder for it."""
    if not path.parent.is_dir():
        raise CourseError(f"there is no folder {path.parent}; make it, or name another file")
    if path.exists():
        raise CourseError(f"{path} is there already; choose another name, or remove it")


def put(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone can read, whole or not at all. Raises CourseError as `check_new` does."""
    check_new(path)
    handle, part = mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(part).rename(path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise
