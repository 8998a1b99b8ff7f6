"""On PostgreSQL: who grades can't touch the trail, and who audits can't touch anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from nbgrader.api import Gradebook
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from autograde.audit.heads import seal
from autograde.audit.roles import grant
from autograde.audit.trail import install
from autograde.audit.verify import verify
from autograde.audit.who import person
from autograde.place import CourseError
from autograde.tables import gradebook, writing
from tests.audit.conftest import copy_to

GRADER, AUDITOR = "trail-grader", "trail-auditor"


@pytest.fixture
def engine(postgres: Callable[[], str], template: Path) -> Iterator[Engine]:
    """A gradebook with a trail on PostgreSQL, opened by its owner."""
    url = postgres()
    copy_to(url, template)
    with gradebook(url) as opened:
        install(opened)
        yield opened


@pytest.fixture
def roles(engine: Engine) -> Iterator[tuple[str, str]]:
    """Addresses of the gradebook for the role that grades and the one that audits."""
    with writing(engine) as connection:
        for role in (GRADER, AUDITOR):
            connection.execute(text(f'CREATE ROLE "{role}" LOGIN'))
    grant(engine, GRADER, AUDITOR)
    grant(engine, GRADER, AUDITOR)
    url = engine.url.render_as_string(hide_password=False)
    yield tuple(url.replace("//postgres@", f"//{role}@") for role in (GRADER, AUDITOR))  # type: ignore[misc]
    with writing(engine) as connection:
        for role in (GRADER, AUDITOR):
            connection.execute(text(f'DROP OWNED BY "{role}"'))
            connection.execute(text(f'DROP ROLE "{role}"'))


def refused(url: str, sql: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection, pytest.raises(psycopg.Error) as error:
        connection.execute(sql.encode())
    assert isinstance(error.value, psycopg.errors.InsufficientPrivilege), error.value


WRITES = (
    "INSERT INTO counterside_trail SELECT * FROM counterside_trail",
    "UPDATE counterside_trail SET actor = 'os:bo'",
    "DELETE FROM counterside_trail",
    "TRUNCATE counterside_trail",
    "DROP TABLE counterside_trail",
    "ALTER TABLE grade DISABLE TRIGGER ALL",
    "DROP TRIGGER counterside_record_grade ON grade",
    "CREATE OR REPLACE FUNCTION counterside_record() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "SET session_replication_role = replica",
    "CREATE TABLE mine (id integer)",
    "UPDATE counterside_head SET head = ''",
    "DELETE FROM counterside_reason",
)


def test_who_grades_reaches_the_trail_through_triggers_only(roles: tuple[str, str], engine: Engine) -> None:
    grader, _auditor = roles
    with Gradebook(grader, "counterside") as book:
        book.find_grade("e1", "ch1", "ch1", "anna").manual_score = 4
        book.db.commit()
    with engine.connect() as connection:
        query = "SELECT db_user, actor, tbl FROM counterside_trail ORDER BY seq DESC LIMIT 1"
        assert connection.execute(text(query)).one() == (GRADER, person(), "grade")
    for sql in WRITES:
        refused(grader, sql)


def test_who_audits_reads_everything_and_changes_nothing(roles: tuple[str, str], engine: Engine) -> None:
    _grader, auditor = roles
    reader = create_engine(auditor)
    with reader.connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for table in tables:
            connection.execute(text(f"SELECT * FROM {table}"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT * FROM grade FOR UPDATE"))
    reader.dispose()
    for table in tables:
        for sql in (
            "INSERT INTO {} SELECT * FROM {}",
            "DELETE FROM {}",
            "TRUNCATE {}",
            "DROP TABLE {}",
            "COPY {} FROM STDIN",
        ):
            refused(auditor, sql.replace("{}", table))
    for sql in (*WRITES, "UPDATE grade SET manual_score = 5", "SELECT nextval('counterside_evidence_id_seq')"):
        refused(auditor, sql)


def test_who_grades_can_seal_and_who_audits_can_verify(roles: tuple[str, str], tmp_path: Path) -> None:
    grader, auditor = roles
    with gradebook(grader) as opened:
        assert seal(opened, tmp_path / "seals", tmp_path / "key.pem")
    report = verify(auditor, tmp_path / "seals")
    assert (report.faults, report.heads) == ([], 1)


def test_a_role_that_owns_the_trail_or_is_not_there_is_refused(roles: tuple[str, str], engine: Engine) -> None:
    with pytest.raises(CourseError, match="owns the trail or is a superuser"):
        grant(engine, "postgres", AUDITOR)
    with pytest.raises(CourseError, match="there is no role “nobody”"):
        grant(engine, GRADER, "nobody")


def test_sqlite_has_no_roles_and_that_is_said(tmp_path: Path, template: Path) -> None:
    shutil.copy(template, tmp_path / "gradebook.db")
    with gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as opened:
        install(opened)
        with pytest.raises(CourseError, match="roles are PostgreSQL's"):
            grant(opened, GRADER, AUDITOR)
