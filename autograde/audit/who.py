"""Who writes into the gradebook, told to its triggers from every process that speaks to it through SQLAlchemy.

The triggers can't know the person behind a connection. So before the first
write of a transaction the name is put where they look: on SQLite into a row of
`counterside_context` that is gone before the commit, so that nobody else ever
sees it; on PostgreSQL into a setting of the transaction.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy import event as on

RUN = "counterside_run"
NAMED = "counterside_named"
SETTINGS = ("actor", "run_id", "reason")
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLAC")
_reason: ContextVar[str | None] = ContextVar("reason", default=None)


def person() -> str:
    """Return who runs this process: the hub's user if a JupyterHub started it, else the account."""
    hub = os.environ.get("JUPYTERHUB_USER")
    if hub:
        return f"hub:{hub}"
    try:
        return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"os:{os.getuid()}"


@contextmanager
def because(reason: str) -> Iterator[None]:
    """Give a reason for all that is written in this block."""
    token = _reason.set(reason)
    try:
        yield
    finally:
        _reason.reset(token)


def in_run(connection: Connection, run_id: str) -> None:
    """Let all that this transaction writes from here on belong to a grading run."""
    if connection.info.get(RUN) != run_id:
        connection.info[RUN] = run_id
        if connection.info.get(NAMED):
            connection.info[NAMED] = "again"


def name_writers() -> None:
    """Name the person in every transaction that this process writes. May be called more than once."""
    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": _before,
        "commit": _commit,
        "rollback": _rollback,
        "rollback_savepoint": _rollback_savepoint,
    }
    for name, listener in listeners.items():
        if not on.contains(Engine, name, listener):
            on.listen(Engine, name, listener)


def _before(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
    if connection.info.get(NAMED) == "yes" or statement.lstrip()[:6].upper() not in WRITES:
        return
    row = (person(), connection.info.get(RUN), _reason.get())
    if connection.dialect.name == "sqlite":
        connection.info[NAMED] = _name_on_sqlite(connection, row)
    elif connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        values = ((f"counterside.{name}", value or "") for name, value in zip(SETTINGS, row, strict=True))
        cursor.execute("SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(SETTINGS)), [*chain(*values)])
        cursor.close()
        connection.info[NAMED] = "yes"


def _name_on_sqlite(connection: Connection, row: tuple[str | None, ...]) -> str | None:
    raw: Any = connection.connection.dbapi_connection
    if not raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'counterside_context'").fetchone():
        return None
    raw.execute("INSERT OR REPLACE INTO counterside_context (id, actor, run_id, reason) VALUES (1, ?, ?, ?)", row)
    if not raw.in_transaction:  # it would stay, and name this person in what others write
        raw.execute("DELETE FROM counterside_context")
        return None
    return "yes"


def _commit(connection: Connection) -> None:
    if connection.info.pop(NAMED, None) and connection.dialect.name == "sqlite":
        raw: Any = connection.connection.dbapi_connection
        raw.execute("DELETE FROM counterside_context")
    connection.info.pop(RUN, None)


def _rollback(connection: Connection) -> None:
    connection.info.pop(NAMED, None)
    connection.info.pop(RUN, None)


def _rollback_savepoint(connection: Connection, _name: str, _context: None) -> None:
    # The name may have been written after the savepoint, or before it.
    if connection.info.get(NAMED):
        connection.info[NAMED] = "again"
