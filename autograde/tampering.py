"""What a learner changed in a notebook, compared with what was released.

Nothing depends on the answer: grades come from the response log alone, and the
notebook that was handed in is never run, graded or passed on. This is for a
person to know. The lesson's text is not compared: it bears on no grade, and it
may have been mended since the learner fetched it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from curriculum.copying import plain_file

MAX_BYTES = 2 * 2**20
MAX_VALUES = 30_000  # far more than a chapter has; commas in its texts are counted, too
COMPARED = ("nbgrader", "counterside")


def differences(released: Path, submitted: Path) -> list[str]:
    """Say in words how the submitted notebook differs from the released one."""
    data = plain_file(submitted, MAX_BYTES)
    if data is None or sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        return [f"the notebook is {'no plain file of sensible size' if os.path.lexists(submitted) else 'missing'}"]
    status = released.stat()
    as_released, ours = released_once(released, status.st_mtime_ns, status.st_size)
    if data == as_released:
        return []
    try:
        theirs = cells(json.loads(data.decode()))
    except (ValueError, RecursionError):
        return ["the notebook can't be read"]
    found, count = dict(theirs), Counter(name for name, _cell in theirs)
    notes = []
    for name, cell in ours:
        if count[name] != 1:
            notes.append(f"cell {name} {f'appears {count[name]} times' if count[name] else 'was deleted'}")
        notes += [f"cell {name}: {what} was changed" for what in changes(cell, found.get(name, cell))]
    extra = count.total() - sum(count[name] for name, _cell in ours)
    if extra:
        notes.append(f"{extra} {'cell was' if extra == 1 else 'cells were'} added")
    return notes


@lru_cache(maxsize=32)
def released_once(path: Path, _time: int, _size: int) -> tuple[bytes, list[tuple[str, Mapping[str, Any]]]]:
    data = path.read_bytes()
    return data, cells(json.loads(data))


def cells(notebook: Any) -> list[tuple[str, Mapping[str, Any]]]:
    found = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(found, list):
        raise ValueError("no notebook")  # noqa: TRY004
    return [(name_of(cell), cell) for cell in found if isinstance(cell, dict) and bears_on_grading(cell)]


def name_of(cell: Mapping[str, Any]) -> str:
    name = cell.get("id")
    return name if isinstance(name, str) else ""


def bears_on_grading(cell: Mapping[str, Any]) -> bool:
    metadata = cell.get("metadata")
    return cell.get("cell_type") != "markdown" or (isinstance(metadata, dict) and "nbgrader" in metadata)


def changes(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    found = []
    if ours["cell_type"] != theirs.get("cell_type"):
        found.append("its type")
    if text(ours["source"]) != text(theirs.get("source")):
        found.append("its text")
    metadata = theirs.get("metadata")
    kept = metadata if isinstance(metadata, dict) else {}
    return found + [f"its {name} metadata" for name in COMPARED if ours["metadata"].get(name) != kept.get(name)]


def text(source: Any) -> str | None:
    """Return the text of a cell, which is one string or a list of them, and None for anything else."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None
