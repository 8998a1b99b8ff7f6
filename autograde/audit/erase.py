"""`counterside audit erase`: a learner's name and addresses go, the marks and the proof of them stay.

In the tables the learner gets a pseudonym. In the trail the personal half of
each row of theirs is replaced by it, and the salt deleted: what the seals have
is a hash that nobody can try names on any more. Which rows were treated so
stands in the trail itself, in a row of its own.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from autograde.audit.forgotten import remember
from autograde.audit.rows import person_hash
from autograde.audit.schema import ERASED, EVENT, TRAIL, WATCHED
from autograde.audit.trail import NO_TRAIL, kept, missing
from autograde.audit.who import because
from autograde.place import CourseError
from autograde.tables import EVIDENCE, SUBMISSION, nbgrader_tables, writing


def erase(engine: Engine, learner: str, reason: str) -> tuple[str, int]:
    """Erase a learner's personal data and return the pseudonym and how many rows of the trail had some.

    All or nothing, in one transaction. Raises CourseError.
    """
    tables = nbgrader_tables(engine)
    pseudonym = f"{ERASED}{secrets.token_hex(4)}"
    with because(reason), writing(engine) as connection:
        if not kept(connection):
            raise CourseError(NO_TRAIL)
        faults = missing(connection)
        if faults:
            raise CourseError(f"nothing was erased: {faults[0]}; run “counterside audit verify”, then “… install”")
        student = tables["student"]
        there = connection.execute(select(student.c.id).where(student.c.id == learner)).first()
        rows = rows_of(connection, learner)
        if there is None and not rows:
            raise CourseError(f"there is no learner “{learner}”; “counterside gradebook” has their names")
        if there is not None:
            connection.execute(insert(student), {"id": pseudonym})
        submitted = tables["submitted_assignment"]
        connection.execute(update(submitted).where(submitted.c.student_id == learner), {"student_id": pseudonym})
        for table, column in ((EVIDENCE, "student_id"), (EVENT, "learner"), (SUBMISSION, "student_id")):
            connection.execute(update(table).where(table.c[column] == learner), {column: pseudonym})
        connection.execute(delete(student).where(student.c.id == learner))
        rows = rows_of(connection, learner)  # and those that this has written
        for row in rows:
            changed = without_person(row, learner, pseudonym, compact=engine.dialect.name == "sqlite")
            connection.execute(update(TRAIL).where(TRAIL.c.seq == row["seq"]), changed)
        remember(connection, learner)
        detail = json.dumps({"rows": [row["seq"] for row in rows]})
        connection.execute(insert(EVENT), {"kind": "erase", "learner": pseudonym, "detail": detail})
    return pseudonym, len(rows)


def rows_of(connection: Connection, learner: str) -> list[Mapping[str, Any]]:
    """Return the rows of the trail in whose personal half a learner stands."""
    personal = [name for name, watched in WATCHED.items() if watched.person]
    query = select(TRAIL).where(TRAIL.c.tbl.in_(personal), TRAIL.c.person_salt.is_not(None)).order_by(TRAIL.c.seq)
    return [
        dict(row)
        for row in connection.execute(query).mappings()
        if any(
            half and json.loads(half)[column_of(row["tbl"])] == learner
            for half in (row["person_old"], row["person_new"])
        )
    ]


def column_of(table: str) -> str:
    """Return the column of a personal half that holds the learner's id."""
    return WATCHED[table].person[0]


def without_person(row: Mapping[str, Any], learner: str, pseudonym: str, *, compact: bool) -> dict[str, Any]:
    """Return what is to be written into a row of the trail in the place of its personal half.

    The halves are written as the database would: SQLite is `compact`, and sets no spaces.
    """
    values: dict[str, Any] = {}
    column = column_of(row["tbl"])
    for name in ("person_old", "person_new"):
        was = json.loads(row[name] or "null")
        if was and was[column] == learner:
            now = {key: pseudonym if key == column else None for key in was}
            values[name] = json.dumps(now, separators=(",", ":") if compact else (", ", ": "))
    if column == WATCHED[row["tbl"]].key[0] and row["row_id"].startswith(learner):
        values["row_id"] = pseudonym + row["row_id"][len(learner) :]
    return {
        **values,
        "person_hash": person_hash(row["person_salt"], row["row_id"], row["person_old"], row["person_new"]),
        "person_salt": None,
    }


def forget(engine: Engine) -> bool:
    """Let the database overwrite what it has freed, where names could linger. Returns False where it can't now."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        raw: Any = connection.connection.dbapi_connection
        try:
            if engine.dialect.name == "sqlite":
                raw.execute("VACUUM")
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                for table in (TRAIL.name, *(name for name, watched in WATCHED.items() if watched.person)):
                    connection.execute(text(f"VACUUM FULL {table}"))
        except (sqlite3.OperationalError, DBAPIError):
            return False
    return True


def handed_in(exchange: Path, learner: str) -> list[Path]:
    """Return what lies of a learner in the inbound folders of the exchange."""
    return sorted(path for path in exchange.glob("*/inbound/*") if path.name.startswith(f"{learner}+"))


def rename_work(folders: Iterable[Path], learner: str, pseudonym: str) -> list[Path]:
    """Give the folders of a learner's work the pseudonym, and return them."""
    found = []
    for folder in folders:
        mine = folder / learner
        if mine.is_dir() and not mine.is_symlink():
            found.append(mine.rename(folder / pseudonym))
    return found
