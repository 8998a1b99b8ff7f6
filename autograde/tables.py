"""The tables of the gradebook: nbgrader's as they stand in the database, and ours beside them.

Ours are `counterside_run`, a row for each grading run; `counterside_submission`,
what was last graded of each learner and chapter; and `counterside_evidence`, for
each score why it is what it is. Evidence is only ever added.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
)
from sqlalchemy import event as on
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from autograde.audit.who import name_writers
from autograde.place import CourseError

NBGRADER = (
    "assignment",
    "notebook",
    "base_cell",
    "grade_cells",
    "solution_cells",
    "student",
    "submitted_assignment",
    "submitted_notebook",
    "grade",
    "comment",
)
NO_GRADEBOOK = "there is no gradebook yet; run “make demo”, or release a chapter with “nbgrader generate_assignment”"
NO_SUCH_DATABASE = (
    "the gradebook's address is neither SQLite's (sqlite:///file) nor PostgreSQL's "
    "(postgresql+psycopg://account@host/database); mend COUNTERSIDE_DB or nbgrader_config.py"
)
WRITES = "counterside_writes"
OURS = MetaData()
RUN = Table(
    "counterside_run",
    OURS,
    Column("id", String(32), primary_key=True),
    Column("at", DateTime, nullable=False),  # UTC
    Column("scorer", String(64), nullable=False),
)
SUBMISSION = Table(
    "counterside_submission",
    OURS,
    Column("student_id", String(128), primary_key=True),
    Column("assignment", String(128), primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
)
EVIDENCE = Table(
    "counterside_evidence",
    OURS,
    Column("id", Integer, primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("student_id", String(128), nullable=False, index=True),
    Column("assignment", String(128), nullable=False),
    Column("item", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("earned", Float, nullable=False),  # points of the gradebook, as the other two
    Column("possible", Float, nullable=False),
    Column("by_hand", Float, nullable=False),
    Column("flags", Text, nullable=False),  # JSON list
    Column("rules", Text, nullable=False),  # JSON list of [rule, raw units, handbook point, legal rule]
    Column("item_hash", String(64), nullable=False),
    Column("key_hash", String(64), nullable=False),
    Column("seq", Integer),  # of the record that counted, with its time and the SHA-256 of its line
    Column("at", String(80)),
    Column("line", String(64)),
)


def open_gradebook(db_url: str) -> Engine:
    """Return an engine for nbgrader's gradebook, on SQLite or PostgreSQL, with our tables in it.

    Raises CourseError where there is no gradebook, or none that can be opened.
    """
    name_writers()
    engine = engine_for(db_url)
    if engine.dialect.name == "sqlite":
        on.listen(engine, "connect", prepare_sqlite)
        on.listen(engine, "begin", begin)
    with closed_unless_good(engine), writing(engine) as connection:
        if not engine.dialect.has_table(connection, "submitted_assignment"):
            raise CourseError(NO_GRADEBOOK)
        OURS.create_all(connection)
    return engine


def open_to_read(db_url: str) -> Engine:
    """Return an engine through which nothing can be written. Raises CourseError where there is no gradebook."""
    engine = engine_for(db_url)
    if engine.dialect.name == "sqlite":
        address = f"{Path(engine.url.database or '').resolve().as_uri()}?mode=ro"
        engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))
    else:
        engine = engine.execution_options(postgresql_readonly=True)
    with closed_unless_good(engine), engine.connect() as connection:
        if not engine.dialect.has_table(connection, "submitted_assignment"):
            raise CourseError(NO_GRADEBOOK)
    return engine


@contextmanager
def closed_unless_good(engine: Engine) -> Iterator[None]:
    """Close the engine again when it turns out that there is nothing to work with. Raises CourseError."""
    try:
        yield
    except DBAPIError as error:
        engine.dispose()
        raise CourseError(f"the gradebook can't be opened: {cause(error)}") from error
    except CourseError:
        engine.dispose()
        raise


def engine_for(db_url: str) -> Engine:
    """Return an engine that has not connected yet. Raises CourseError, without the address: it may hold a password."""
    try:
        url = make_url(db_url)
        name = url.get_backend_name()
        if name not in ("sqlite", "postgresql"):
            raise CourseError(NO_SUCH_DATABASE)
        if name == "sqlite" and not Path(url.database or "").is_file():
            raise CourseError(NO_GRADEBOOK)  # opening it would make one
        return create_engine(url)
    except (ArgumentError, ValueError) as error:
        raise CourseError(NO_SUCH_DATABASE) from error
    except ModuleNotFoundError as error:
        raise CourseError(
            f"a gradebook on PostgreSQL needs {error.name}: pip install 'counterside[postgres]', "
            "and begin the address with postgresql+psycopg://"
        ) from error


def cause(error: BaseException) -> str:
    """Return why a database refused, in the one line of its answer that says so, also from what came of it."""
    first = error
    while not isinstance(first, DBAPIError):
        if first.__context__ is None:
            return type(error).__name__
        first = first.__context__
    lines = [line.strip() for line in str(first.orig).splitlines() if line.strip()]
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    return (fatal or lines or [type(first.orig).__name__])[0].removeprefix("connection failed: ")


def prepare_sqlite(connection: object, _record: object) -> None:
    """Let readers go on while we write, wait for other writers, and leave beginning a transaction to us."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {setting}")  # type: ignore[attr-defined]


def begin(connection: Connection) -> None:
    """Begin to write with the lock in hand: one taken half-way can be refused."""
    how = "BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN"
    connection.exec_driver_sql(how)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


def nbgrader_tables(engine: Engine) -> dict[str, Table]:
    """Return nbgrader's tables by name, as the database has them. Raises CourseError."""
    metadata = MetaData()
    try:
        metadata.reflect(engine, only=NBGRADER)
    except SQLAlchemyError as error:
        raise CourseError(f"this is no gradebook of nbgrader: {error}") from error
    return dict(metadata.tables)


@contextmanager
def gradebook(db_url: str) -> Iterator[Engine]:
    """Open the gradebook and close it again. Raises CourseError when it can't be opened or fails on the way."""
    engine = open_gradebook(db_url)
    try:
        yield engine
    except SQLAlchemyError as error:
        raise CourseError(
            f"the gradebook could not be read or written ({cause(error)}); mend that and run the same command again"
        ) from error
    finally:
        engine.dispose()
