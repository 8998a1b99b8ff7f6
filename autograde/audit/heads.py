"""Seals: signed heads of the tree over the trail, one line each in a folder outside the database.

| file | holds |
|---|---|
| heads.jsonl | the seals; each has the hash of the line before it |
| keys.jsonl | the public keys |
| leaves | 32 bytes for each sealed row, only to name the one that was changed |
| schemas/ | what the database was made of, by its hash |
| witnessed.jsonl | countersignatures that were put there |
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from autograde.audit.keys import (
    PublicKey,
    append,
    canonical,
    generate,
    key_id,
    now,
    public_bytes,
    read_keys,
    read_private,
    signed_line,
    without_signature,
)
from autograde.audit.merkle import Tree, leaf_hash
from autograde.audit.rows import CHUNK, behind, leaf_data, read_rows
from autograde.audit.schema import EVENT, HEAD
from autograde.audit.trail import NO_TRAIL, dialect, kept, missing, reading, size
from autograde.place import CourseError
from autograde.tables import writing

HEADS, LEAVES, SCHEMAS, WITNESSED = "heads.jsonl", "leaves", "schemas", "witnessed.jsonl"


@dataclass(frozen=True, slots=True)
class Head:
    """A seal: how many rows, their root, and the nodes that show that the seal before it was only added to."""

    log: str
    number: int
    at: str
    size: int
    root: str
    frontier: tuple[str, ...]
    growth: tuple[str, ...]
    schema: str
    previous: str
    key: str
    line: bytes

    @property
    def hash(self) -> str:
        return sha256(self.line).hexdigest()

    @property
    def tree(self) -> Tree:
        """The tree at this seal. Raises ValueError when its nodes can't be those of so many rows."""
        return Tree(0, map(bytes.fromhex, self.frontier), self.size)


def read_head(line: bytes) -> Head:
    """Return the seal in a line. Raises ValueError."""
    try:
        data = json.loads(line)
        return Head(
            log=str(data["log"]), number=int(data["number"]), at=str(data["at"]), size=int(data["size"]),
            root=str(data["root"]), frontier=tuple(map(str, data["frontier"])), growth=tuple(map(str, data["growth"])),
            schema=str(data["schema"]), previous=str(data["previous"]), key=str(data["key"]), line=line,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("no seal") from error


def read_heads(path: Path) -> tuple[Sequence[Head], list[str]]:
    """Return the seals of a file, and what is wrong with its lines."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], []
    found: list[Head] = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            found.append(read_head(line))
        except ValueError:
            return found, [f"line {number} of {path.name} is no seal"]
    return found, [f"the last line of {path.name} is torn"] if lines[-1] else []


def check_chain(heads: Sequence[Head], keys: Sequence[PublicKey]) -> list[str]:
    """Return what is wrong with seals as such: signatures, order, growth. Needs no database."""
    faults: list[str] = []
    before: Head | None = None
    for place, head in enumerate(heads, start=1):
        name = f"seal {place}"
        data, signature = without_signature(json.loads(head.line))
        signers = [key for key in keys if key.after < place]
        if head.number != place or head.previous != (before.hash if before else ""):
            faults.append(f"{name} does not follow on the one before it: a seal is missing, or was put in")
        if canonical(json.loads(head.line)) != head.line:
            faults.append(f"{name} is not written as seals are")
        if not signers or head.key != signers[-1].id:
            faults.append(f"{name} is signed by key {head.key[:16]}, which is not the key of that time")
        elif not signers[-1].signed(signature, data):
            faults.append(f"{name} was changed: its signature does not hold")
        faults += check_growth(before, head, name)
        before = head
    return faults


def check_growth(before: Head | None, head: Head, name: str) -> Iterator[str]:
    """Yield what is wrong from one seal to the next."""
    try:
        if head.tree.root.hex() != head.root:
            yield f"{name} has nodes that do not give its root"
        start = before.size if before else 0
        grown = before.tree if before else Tree()
        grown.add_all(Tree(start, map(bytes.fromhex, head.growth), head.size).nodes)
        if head.size < start or grown.root.hex() != head.root:
            yield f"{name} is no continuation of the one before it: rows that were sealed are not in it as they were"
    except ValueError:
        yield f"{name} is no continuation of the one before it: its nodes are not those of {head.size} rows"
    if before and behind(before.at, head.at) > 0:
        yield f"{name} says {head.at}, a time before the seal before it: the clock was set back"
    if before and head.log != before.log:
        yield f"{name} is of another gradebook"


def log_id(connection: Connection) -> str:
    """Return the random name that the trail was given when it was installed. Raises CourseError."""
    first = select(EVENT.c.detail).where(EVENT.c.kind == "install").order_by(EVENT.c.id).limit(1)
    detail = connection.execute(first).scalar()
    try:
        return str(json.loads(detail or "")["log"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CourseError("the row that tells when the trail began is gone; run “counterside audit verify”") from error


def seal(engine: Engine, folder: Path, key_path: Path) -> Head | None:
    """Seal what the trail has grown by, and return the new head, or None where nothing has. Raises CourseError.

    The first time it makes a key.
    """
    with locked(folder), reading(engine) as connection:
        if not kept(connection):
            raise CourseError(NO_TRAIL)
        faults = missing(connection)
        if faults:
            raise CourseError(f"nothing is sealed: {faults[0]}; run “counterside audit verify”, then “… install”")
        heads, torn = read_heads(folder / HEADS)
        if torn and "torn" not in torn[0]:
            raise CourseError(f"nothing is sealed: {torn[0]}; run “counterside audit verify”")
        last = heads[-1] if heads else None
        copies = connection.execute(select(func.max(HEAD.c.number))).scalar() or 0
        if copies > len(heads):
            raise CourseError(
                f"nothing is sealed: the gradebook has a copy of seal {copies}, and {folder} ends with "
                f"seal {len(heads)}; put the newer ones back, see “Lost seals” in docs/auditing.md"
            )
        rows = size(connection)
        parts = canonical(dialect(connection).schema(connection))
        schema = sha256(parts).hexdigest()
        check_last(connection, folder, last, rows)
        if last and (last.size, last.schema) == (rows, schema):
            return None
        tree = last.tree if last else Tree()
        growth, leaves = Tree(tree.end), bytearray()
        lost = tree.end and len(read_leaves(folder, tree.end - 1, tree.end)) < 32
        first = 0 if lost else tree.end
        for start in range(first, rows, CHUNK):
            for row in read_rows(connection, start, min(start + CHUNK, rows)):
                leaf = leaf_hash(leaf_data(row))
                leaves += leaf
                if row[0] > tree.end:
                    growth.add(leaf)
        tree.add_all(growth.nodes)
        keys, wrong = read_keys(folder)
        if wrong:
            raise CourseError(f"nothing is sealed: {wrong[0]}; run “counterside audit verify”")
        if not keys:
            generate(folder, key_path, 0)
        key = read_private(key_path)
        signer = read_keys(folder)[0][-1].id
        if key_id(public_bytes(key)) != signer:
            raise CourseError(f"{key_path} is not the key that signs now ({signer}); put that one back")
        line = signed_line(
            {
                "v": 1, "log": log_id(connection), "number": len(heads) + 1, "at": now(), "size": rows,
                "root": tree.root.hex(), "frontier": [node.hex() for node in tree.hashes],
                "growth": [node.hex() for node in growth.hashes], "schema": schema,
                "previous": last.hash if last else "", "key": signer,
            },
            key,
        )  # fmt: skip
        write(folder, heads, first, bytes(leaves), parts, line)
    head = read_head(line)
    with writing(engine) as connection:
        connection.execute(insert(HEAD), {"number": head.number, "head": line.decode()})
    return head


def check_last(connection: Connection, folder: Path, last: Head | None, rows: int) -> None:
    """Refuse to go on where the database is not the one that was sealed last. Raises CourseError."""
    if last is None:
        return
    if last.log != log_id(connection):
        raise CourseError(f"nothing is sealed: the seals in {folder} are of another gradebook; move them away")
    if rows < last.size:
        raise CourseError(
            f"nothing is sealed: the trail has {rows} rows, and {last.size} were sealed; was it put back?"
        )
    if last.size:
        (row,) = read_rows(connection, last.size - 1, last.size)
        kept_leaf = read_leaves(folder, last.size - 1, last.size)
        if kept_leaf and kept_leaf != leaf_hash(leaf_data(row)):
            raise CourseError(f"nothing is sealed: row {last.size} is not the one that was sealed; run “… verify”")


def write(folder: Path, heads: Sequence[Head], start: int, leaves: bytes, parts: bytes, line: bytes) -> None:
    """Write a seal: first what explains it, the leaves after row `start` among that, then the line that counts."""
    (folder / SCHEMAS).mkdir(exist_ok=True)
    described = folder / SCHEMAS / f"{sha256(parts).hexdigest()}.json"
    if not described.exists():
        described.write_bytes(parts)
    with (folder / LEAVES).open("ab") as file:
        file.truncate(32 * start)  # what an interrupted seal left
    append(folder / LEAVES, leaves)
    whole = sum(len(head.line) + 1 for head in heads)
    path = folder / HEADS
    if path.exists() and path.stat().st_size > whole:
        os.truncate(path, whole)
    append(path, line + b"\n")


def read_leaves(folder: Path, start: int, end: int) -> bytes:
    """Return the leaves that were kept of the rows after `start` up to `end`, as far as there are some."""
    try:
        with (folder / LEAVES).open("rb") as file:
            file.seek(32 * start)
            return file.read(32 * (end - start))
    except FileNotFoundError:
        return b""


def read_schema(folder: Path, digest: str) -> Mapping[str, str] | None:
    """Return what a database was made of, or None where nothing says so."""
    try:
        data = (folder / SCHEMAS / f"{digest}.json").read_bytes()
    except FileNotFoundError:
        return None
    if sha256(data).hexdigest() != digest:
        return None
    parts: Mapping[str, str] = json.loads(data)
    return parts


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one seal be made after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "seal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def as_text(head: Head) -> Mapping[str, Any]:
    """Return what is to be kept of a seal elsewhere, in the order in which it is read."""
    return {
        "gradebook": head.log, "seal": head.number, "time (UTC)": head.at, "rows": head.size, "root": head.root,
        "SHA-256 of the seal": head.hash, "key": head.key,
    }  # fmt: skip
