"""Putting the trail in place, and mending it: triggers, and a snapshot of what is there.

Whatever takes triggers away (a migration that makes a table anew, or somebody)
leaves a time in which nothing was recorded. Mending writes a row for every
difference that it finds, and one that says that it mended.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, func, insert, inspect, select
from sqlalchemy import event as on

from autograde.audit import postgres_triggers, sqlite_triggers
from autograde.audit.schema import AUDIT, EVENT, REASON, TRAIL, WATCHED
from autograde.audit.who import person
from autograde.place import CourseError
from autograde.tables import engine_for, writing

NO_TRAIL = "no trail is kept of this gradebook yet; run “counterside audit install”"
BATCH = 5000


@dataclass(frozen=True, slots=True)
class Installed:
    """What installing did: whether it was the first time, what was missing or changed, and rows of the snapshot."""

    first: bool
    mended: tuple[str, ...]
    rows: int


def dialect(connection: Connection) -> ModuleType:
    """Return the module that knows the triggers of this database."""
    return sqlite_triggers if connection.dialect.name == "sqlite" else postgres_triggers


def live_rows(connection: Connection, table: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield a table's rows as the trail would write them: key, main half, person's half. Holds few at a time."""
    sql = dialect(connection).live(connection, table).replace("%", "%%")
    with connection.exec_driver_sql(sql, execution_options={"yield_per": BATCH}) as rows:
        yield from ((key, main, person) for key, main, person in rows)


def kept(connection: Connection) -> bool:
    """Return whether a trail has been installed in this database."""
    return inspect(connection).has_table(TRAIL.name)


def missing(connection: Connection) -> list[str]:
    """Return in words which triggers are missing, changed or switched off."""
    database = dialect(connection)
    there, wanted = database.present(connection), database.triggers(connection)
    said = []
    for name, sql in wanted.items():
        if name not in there:
            said.append(f"{name} is missing")
        elif not database.same(sql, there[name]):
            said.append(f"{name} is not what it should be")
    return said + [f"{name} is none of ours" for name in sorted(there.keys() - wanted.keys())]


def install(engine: Engine) -> Installed:
    """Put the trail in place; where it is, do nothing. Raises CourseError."""
    with writing(engine) as connection:
        AUDIT.create_all(connection)
        faults, first = missing(connection), not size(connection)
        if not faults and not first:
            return Installed(False, (), 0)
        database = dialect(connection)
        tables = [table for table in WATCHED if inspect(connection).has_table(table)]
        database.hold(connection, tables)
        database.drop(connection)
        rows = sum(snapshot(connection, table) for table in tables)
        database.put(connection, database.triggers(connection))
        detail = {"log": secrets.token_hex(8), "rows": rows} if first else {"mended": faults, "rows": rows}
        connection.execute(insert(EVENT), {"kind": "install", "detail": json.dumps(detail)})
        return Installed(first, tuple(faults), rows)


def size(connection: Connection) -> int:
    """Return the number of the last row of the trail, 0 without one."""
    number: int = connection.execute(select(func.coalesce(func.max(TRAIL.c.seq), 0))).scalar_one()
    return number


def snapshot(connection: Connection, table: str) -> int:
    """Write what a table holds where the trail says otherwise, and return how many rows that took."""
    last: dict[str, tuple[str | None, str | None]] = {}
    there: dict[
        str, int
    ] = {}  # erasing writes the pseudonym before it takes out the name: for a time it is there twice
    was = TRAIL.c.old.is_not(None)
    columns = (TRAIL.c.row_id, was, TRAIL.c.new, TRAIL.c.person_new)
    for row_id, had, new, person_new in connection.execute(
        select(*columns).where(TRAIL.c.tbl == table).order_by(TRAIL.c.seq)
    ):
        there[row_id] = there.get(row_id, 0) - bool(had) + (new is not None)
        if new is not None or there[row_id] < 1:
            last[row_id] = (new, person_new)
    made: list[dict[str, Any]] = []
    number = size(connection)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def add(row_id: str, old: tuple[str | None, str | None], new: tuple[str | None, str | None]) -> None:
        made.append({
            "seq": number + len(made) + 1, "at": now, "db_user": "", "actor": person(), "tbl": table,
            "op": "snapshot", "row_id": row_id, "old": old[0], "new": new[0], "salt": secrets.token_hex(16),
            "person_old": old[1], "person_new": new[1],
            "person_salt": secrets.token_hex(16) if WATCHED[table].person else None,
        })  # fmt: skip

    for row_id, main, half in live_rows(connection, table):
        before = last.pop(row_id, (None, None))
        if before != (main, half):
            add(row_id, before, (main, half))
    for row_id, before in last.items():
        if before[0] is not None:
            add(row_id, before, (None, None))
    for start in range(0, len(made), BATCH):
        connection.execute(insert(TRAIL), made[start : start + BATCH])
    return len(made)


def give_reason(engine: Engine, rows: list[int], words: str) -> None:
    """Say why rows of the trail came to be. Raises CourseError for a row that there is not, and without words."""
    if not words.strip() or words.strip().isdigit():
        raise CourseError("say why in words, such as “the learner's appeal was granted”")
    with writing(engine) as connection:
        if not kept(connection):
            raise CourseError(NO_TRAIL)
        there = set(connection.execute(select(TRAIL.c.seq).where(TRAIL.c.seq.in_(rows))).scalars())
        for row in rows:
            if row not in there:
                raise CourseError(f"the trail has no row {row}; the last is {size(connection)}")
        connection.execute(insert(REASON), [{"seq": row, "reason": words.strip()} for row in rows])


def record_release(engine: Engine, chapter: str, pages: Mapping[str, str]) -> int:
    """Record that feedback pages, SHA-256 by learner, were released, where they are new. Returns how many were."""
    with writing(engine) as connection:
        if not kept(connection):
            return 0
        mine = (EVENT.c.kind == "feedback") & (EVENT.c.chapter == chapter)
        query = select(EVENT.c.learner, EVENT.c.detail).where(mine).order_by(EVENT.c.id)
        known = {learner: json.loads(detail)["page"] for learner, detail in connection.execute(query)}
        rows = [
            {"kind": "feedback", "chapter": chapter, "learner": learner, "detail": json.dumps({"page": page})}
            for learner, page in sorted(pages.items())
            if known.get(learner) != page
        ]
        if rows:
            connection.execute(insert(EVENT), rows)
        return len(rows)


def open_read_only(db_url: str) -> Engine:
    """Return an engine that can't write the gradebook on SQLite, and does not on PostgreSQL. Raises CourseError."""
    engine = engine_for(db_url)
    if engine.dialect.name != "sqlite":
        return engine
    address = f"{Path(engine.url.database or '').resolve().as_uri()}?mode=ro"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True, isolation_level=None))
    on.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database and changes none."""
    level = {"postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}}
    with engine.connect().execution_options(**level.get(engine.dialect.name, {})) as connection, connection.begin():
        yield connection
