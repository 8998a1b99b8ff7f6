"""From rows of the trail to what is sealed: the leaves of the tree, and whether the tables are what the rows make them.

A leaf is the JSON array of seq, at, db_user, actor, run_id, reason, tbl, op,
row_id, and two salted hashes: of the row before and after, and of the person's
half with the row's key (row_id is then empty in the leaf, as it may be a name).

The state of the tables is compared without holding it: each value that a row
brings is added, each that it takes away subtracted, as a number that a key
made for this one comparison derives from it. What is left must be the sum over
the tables. The key is not known beforehand, so nobody can choose values whose
sums agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from json import JSONEncoder
from json.encoder import encode_basestring
from typing import Any
from zlib import crc32

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from autograde.audit.merkle import Tree
from autograde.audit.schema import ERASED, WATCHED
from autograde.place import CourseError

COLUMNS = (
    "seq, at, db_user, actor, run_id, reason, tbl, op, row_id, old, new, salt, "
    "person_old, person_new, person_salt, person_hash"
)
CHUNK = 1 << 14  # rows read at a time
BUCKETS = 1024  # a difference is looked for in one of them
MASK = (1 << 128) - 1
FEW = 5  # rows that are named one by one
CLOCK = 2.0  # seconds that a clock may go back without anybody having set it
ONLY_ADDED = frozenset(name for name, watched in WATCHED.items() if watched.only_added)
_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = encode_basestring
Row = Sequence[Any]


class UnreadableError(CourseError):
    """A row of the trail that no trigger can have written; `seq` is its number."""

    def __init__(self, seq: int, why: str = "it holds bytes where text belongs") -> None:
        self.seq, self.fault = seq, f"row {seq} of the trail can't be read: {why}"
        super().__init__(f"{self.fault}; run “counterside audit verify”")


def leaf_data(row: Row) -> bytes:
    """Return the data of a row's leaf; `row` has the columns COLUMNS. Raises UnreadableError."""
    seq, at, db_user, actor, run_id, reason, tbl, op, row_id, old, new, salt, p_old, p_new, p_salt, p_hash = row
    person = "" if p_salt is p_hash is None else p_hash or person_hash(p_salt, row_id, p_old, p_new)
    shown = row_id if person == "" else ""
    main = main_hash(salt, old, new)
    try:
        often = _encoded(db_user, actor, run_id, reason, tbl, op)
        return f'[{seq},{_quoted(at)},{often},{_quoted(shown)},"{main}",{_quoted(person)}]'.encode()
    except TypeError as error:
        raise UnreadableError(seq) from error


@lru_cache(1 << 10, typed=True)
def _encoded(*values: str | None) -> str:
    """Return what many rows share, such as who and which table, as the inside of a JSON array."""
    return _encode(values)[1:-1]


def main_hash(salt: str, old: str | None, new: str | None) -> str:
    """Return the hash of what a row was and became, without the person: SHA-256(salt ‖ n(old) ‖ n(new)).

    n of a text is its length in characters, a colon and the text, and “-” of nothing.
    """
    before = "-" if old is None else f"{len(old)}:{old}"
    after = "-" if new is None else f"{len(new)}:{new}"
    return sha256(f"{salt}{before}{after}".encode()).hexdigest()


def person_hash(salt: str, row_id: str, old: str | None, new: str | None) -> str:
    """Return the hash of a person's half: SHA-256(salt ‖ n(row_id) ‖ n(old) ‖ n(new))."""
    return main_hash(f"{salt}{len(row_id)}:{row_id}", old, new)


def weight(key: bytes, tbl: str, row_id: str, main: str, person: str | None) -> int:
    """Return the number that stands for a row of a table in the sums of this comparison."""
    person = person or ""
    data = f"{tbl}|{len(row_id)}|{len(main)}|{row_id}{main}{person}".encode()
    return int.from_bytes(blake2b(data, digest_size=16, key=key).digest())


def bucket(row_id: str) -> int:
    return crc32(row_id.encode()) % BUCKETS


@dataclass(slots=True)
class Part:
    """What a stretch of the trail comes to.

    `nodes` are of its part of the tree, up to each of `stops` and at its end; `faults` by row; `strange` is the first
    row whose leaf is not the one kept beside the seals; `gone` are rows whose person's half was dropped.
    """

    start: int
    end: int
    stops: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    nodes: list[tuple[int, bytes]] = field(default_factory=list)
    sums: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    faults: list[tuple[int, str]] = field(default_factory=list)
    strange: int | None = None
    gone: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)  # rows by somebody who gave no name, the first few
    unnamed: int = 0
    times: dict[int, str] = field(default_factory=dict)  # of the first row, the last, and those at stops
    snapshots: int = 0
    events: list[tuple[int, str, str, str]] = field(default_factory=list)  # seq, at, actor, row


def read_rows(connection: Connection, start: int, end: int) -> list[Row]:
    """Return the rows after `start` up to `end`. Raises UnreadableError with the first that can't be read."""
    query = f"SELECT {COLUMNS} FROM counterside_trail WHERE seq > {start} AND seq <= {end} ORDER BY seq"
    try:
        return [*connection.exec_driver_sql(query).cursor.fetchall()]
    except (DBAPIError, connection.dialect.loaded_dbapi.Error) as error:
        why = str(getattr(error, "orig", error)).partition("\n")[0]
        if end - start > 1:
            middle = (start + end) // 2
            try:
                return [*read_rows(connection, start, middle), *read_rows(connection, middle, end)]
            except UnreadableError as found:
                raise UnreadableError(found.seq, why) from error
        raise UnreadableError(end, why) from error


def read_part(
    connection: Connection, start: int, end: int, stops: Iterable[int], key: bytes, kept: bytes = b""
) -> Part:
    """Read the rows after `start` up to `end`. `kept` are the leaves beside the seals, as far as there are some."""
    part, tree, leaves = Part(start, end), Tree(start), []
    readable = end
    try:
        rows = read_rows(connection, start, end)
    except UnreadableError as error:
        readable = error.seq - 1
        part.faults.append((error.seq, error.fault))
        rows = read_rows(connection, start, readable)
    wanted, sums, before = set(stops), part.sums, ""
    expected = start
    for row in rows:
        expected += 1
        seq, at, _db_user, actor, _run, _reason, tbl, op, row_id, old, new, _salt, p_old, p_new, p_salt, p_hash = row
        if seq != expected:
            break
        try:
            leaf = sha256(b"\0" + leaf_data(row)).digest()
            place = crc32(row_id.encode()) % BUCKETS
            back = at < before and behind(before, at)
        except (UnreadableError, AttributeError, TypeError):
            readable = seq - 1
            part.faults.append((seq, UnreadableError(seq).fault))
            break
        if back and back > CLOCK:
            part.faults.append((seq, f"row {seq} says {at}, before the row above it: the clock was set back"))
        before = at
        leaves.append(leaf)
        tree.add(leaf)
        if new is not None:
            sums[place] += weight(key, tbl, row_id, new, p_new)
        if old is not None:
            sums[place] -= weight(key, tbl, row_id, old, p_old)
        if p_hash is not None:
            part.gone.append(seq)
        uncovered = p_salt is None or p_hash is not None
        if uncovered and not (p_old is None and p_new is None) and not nobody(tbl, p_old, p_new):
            part.faults.append((seq, f"row {seq} has a personal half that no seal covers"))
        if op == "snapshot":
            part.snapshots += 1
        if tbl in ONLY_ADDED and (op == "delete" or (op == "update" and old != new)):
            part.faults.append((seq, f"row {seq}: {op} of {tbl} {row_id}, whose rows are only ever added"))
        if tbl == "counterside_event" and op == "insert" and new is not None:
            part.events.append((seq, at, actor, new))
        if actor == "unknown":
            part.unnamed += 1
            if len(part.unknown) < FEW:
                part.unknown.append(seq)
        if seq in wanted:
            part.stops[seq] = list(tree.nodes)
            part.times[seq] = at
    part.nodes = tree.nodes
    if len(leaves) < readable - start:
        part.faults.append((start + len(leaves) + 1, f"row {start + len(leaves) + 1} is gone from the trail"))
    if rows:
        part.times[rows[0][0]], part.times[rows[-1][0]] = rows[0][1], rows[-1][1]
    mine = b"".join(leaves)[: len(kept)]
    if mine != kept[: len(mine)]:
        part.strange = start + 1 + next(i for i in range(len(leaves)) if mine[32 * i :][:32] != kept[32 * i :][:32])
    return part


def nobody(tbl: str, *halves: str | None) -> bool:
    """Return whether a person's halves are what an erasure leaves: no seal covers them, so they may say nothing."""
    watched, erased = WATCHED.get(tbl), False
    for half in halves:
        try:
            row = json.loads(half or "{}")
        except (ValueError, RecursionError):
            return False
        if watched is None or not watched.person or not isinstance(row, dict) or not row.keys() <= {*watched.person}:
            return False
        erased |= str(row.get(watched.person[0])).startswith(ERASED)
    return erased


def behind(before: str, at: str) -> float:
    """Return by how many seconds a time is before another; what is no time is behind everything."""
    try:
        return (datetime.fromisoformat(before) - datetime.fromisoformat(at)).total_seconds()
    except (ValueError, TypeError):
        return float("inf")
