"""Naming what in the tables is not what the trail makes of them, once it is known that something is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import Any

from sqlalchemy import Connection, text

from autograde.audit.rows import CHUNK, bucket, read_rows
from autograde.audit.schema import ERASED, WATCHED
from autograde.audit.trail import live_rows

SHOWN = 5
WHERE = """
SELECT s.student_id, a.name, b.name FROM {table} g JOIN base_cell b ON b.id = g.cell_id
JOIN submitted_notebook n ON n.id = g.notebook_id JOIN submitted_assignment s ON s.id = n.assignment_id
JOIN assignment a ON a.id = s.assignment_id WHERE g.id = :row_id"""
State = tuple[str | None, str | None]


def differences(connection: Connection, rows: int, places: Set[int]) -> list[str]:
    """Say what is wrong in some buckets, at most five sentences: first rows of the trail, then rows of the tables."""
    found = list(find(connection, rows, places))
    more = [f"… and {len(found) - SHOWN} more differences between trail and tables"] if len(found) > SHOWN else []
    return found[:SHOWN] + more


def find(connection: Connection, rows: int, places: Set[int]) -> Iterator[str]:
    last: dict[tuple[str, str], tuple[int, State]] = {}
    twice: dict[tuple[str, str], State] = {}  # erasing writes the pseudonym before it takes out the name
    for start in range(0, rows, CHUNK):
        for row in read_rows(connection, start, min(start + CHUNK, rows)):
            seq, tbl, row_id, old, new, p_old, p_new = row[0], row[6], *row[8:11], *row[12:14]
            if bucket(row_id) not in places:
                continue
            before = last.get((tbl, row_id), (0, (None, None)))[1]
            if old is None and before[0] is not None and row_id.startswith(ERASED) and (tbl, row_id) not in twice:
                twice[tbl, row_id], before = before, (None, None)
            elif (tbl, row_id) in twice and (old, p_old) == twice[tbl, row_id] and new is None:
                del twice[tbl, row_id]
                continue
            if before != (old, p_old):
                yield (
                    f"row {seq} of the trail says what {named(connection, tbl, row_id)} was before, "
                    f"and the rows above it say otherwise: {told((old, p_old), before)}"
                )
            last[tbl, row_id] = (seq, (new, p_new))
    for table in WATCHED:
        for row_id, main, person in live_rows(connection, table):
            if bucket(row_id) in places:
                seq, state = last.pop((table, row_id), (0, (None, None)))
                if state != (main, person):
                    yield f"{named(connection, table, row_id)}: {told((main, person), state)}{since(seq)}"
    for table, row_id in twice:
        yield f"{named(connection, table, row_id)} is twice in the trail"
    for (table, row_id), (seq, state) in last.items():
        if state[0] is not None:
            yield f"{named(connection, table, row_id)} is in the trail and not in the table{since(seq)}"


def since(seq: int) -> str:
    return f" (last change in row {seq}; what came after left no trace)" if seq else ""


def named(connection: Connection, table: str, row_id: str) -> str:
    """Say which row is meant, by learner, chapter and cell where there are some."""
    if table in ("grade", "comment"):
        found = connection.execute(text(WHERE.format(table=table)), {"row_id": row_id}).first()
        if found:
            return f"the {table} of {found[0]} for {found[2]} in {found[1]}"
    return f"{table} {row_id}"


def told(now: State, before: State) -> str:
    """Say which columns differ: the table's value, and the trail's."""
    new, old = as_row(now), as_row(before)
    if not old:
        return "it is in the table and not in the trail"
    words = [
        f"{name} is {new.get(name)!r}, by the trail {old.get(name)!r}"
        for name in sorted({*new, *old})
        if new.get(name) != old.get(name)
    ]
    return ", ".join(words) or "the same values in other words"


def as_row(state: State) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for half in state:
        try:
            read = json.loads(half) if half else {}
        except (ValueError, RecursionError):
            read = half
        found |= read if isinstance(read, dict) else {"row": half}
    return found
