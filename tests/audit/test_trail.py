"""Every write leaves its row, whoever writes and however, and the trail itself only grows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from autograde.audit.schema import CONTEXT, TRAIL, WATCHED
from autograde.audit.trail import give_reason, install, missing, record_release, size
from autograde.audit.verify import unexplained
from autograde.audit.who import because, in_run, person
from autograde.place import CourseError
from autograde.tables import EVIDENCE, RUN, writing
from tests.audit.conftest import raw

Row = Mapping[str, Any]


def rows(engine: Engine, after: int = 0) -> list[Row]:
    query = select(TRAIL).where(TRAIL.c.seq > after).order_by(TRAIL.c.seq)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def last(engine: Engine) -> int:
    with engine.connect() as connection:
        return size(connection)


def test_the_first_installation_takes_a_snapshot_of_every_row_and_the_second_does_nothing(engine: Engine) -> None:
    taken = rows(engine)
    assert [row["seq"] for row in taken] == list(range(1, len(taken) + 1))
    by_table = {table: sum(row["tbl"] == table for row in taken) for table in WATCHED}
    assert by_table == {
        "assignment": 1, "notebook": 1, "base_cell": 4, "grade_cells": 3, "solution_cells": 1, "source_cell": 0,
        "student": 2, "submitted_assignment": 2, "submitted_notebook": 2, "grade": 6, "comment": 2,
        "counterside_run": 0, "counterside_submission": 0, "counterside_evidence": 0, "counterside_reason": 0,
        "counterside_event": 1,
    }  # fmt: skip
    assert {row["op"] for row in taken if row["tbl"] != "counterside_event"} == {"snapshot"}
    student = next(row for row in taken if row["tbl"] == "student" and row["row_id"] == "anna")
    assert json.loads(student["new"]) == {}
    assert json.loads(student["person_new"]) == {
        "id": "anna", "first_name": "安娜", "last_name": "O'Neil", "email": "anna@example.org", "lms_user_id": None,
    }  # fmt: skip
    again = install(engine)
    assert (again.first, again.mended, again.rows) == (False, (), 0)
    assert last(engine) == len(taken)
    with engine.connect() as connection:
        assert missing(connection) == []


def test_nbgraders_own_code_leaves_the_person_and_both_values(engine: Engine, db_url: str) -> None:
    before = last(engine)
    with Gradebook(db_url, "counterside") as book:
        grade = book.find_grade("e1", "ch1", "ch1", "anna")
        grade.manual_score = 4.25
        book.db.commit()
    (row,) = rows(engine, before)
    assert (row["tbl"], row["op"], row["actor"], row["run_id"]) == ("grade", "update", person(), None)
    assert json.loads(row["old"])["manual_score"] is None
    assert json.loads(row["new"])["manual_score"] == 4.25
    assert row["person_old"] is row["person_new"] is row["person_salt"] is None
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(CONTEXT)).scalar_one() == 0


def test_raw_sql_is_recorded_as_of_nobody_known(engine: Engine, db_url: str) -> None:
    before = last(engine)
    raw(db_url, "UPDATE grade SET manual_score = 99 WHERE auto_score = 0.5", "DELETE FROM comment")
    found = rows(engine, before)
    assert [(row["tbl"], row["op"], row["actor"]) for row in found] == [
        ("grade", "update", "unknown"), ("grade", "update", "unknown"),
        ("comment", "delete", "unknown"), ("comment", "delete", "unknown"),
    ]  # fmt: skip
    assert all(row["new"] is None for row in found[2:])


def test_removing_a_learner_with_nbgrader_records_all_that_goes_with_it(engine: Engine, db_url: str) -> None:
    before = last(engine)
    with Gradebook(db_url, "counterside") as book:
        book.remove_student("bo")
    gone = rows(engine, before)
    assert {row["op"] for row in gone if row["new"] is None} == {"delete"}
    counted = {table: sum(row["tbl"] == table and row["op"] == "delete" for row in gone) for table in WATCHED}
    assert {table: number for table, number in counted.items() if number} == {
        "student": 1, "submitted_assignment": 1, "submitted_notebook": 1, "grade": 3, "comment": 1,
    }  # fmt: skip


def test_a_foreign_key_that_cascades_is_recorded(engine: Engine, db_url: str) -> None:
    if engine.dialect.name == "postgresql":
        constraint = "comment_notebook_id_fkey"
        raw(
            db_url, f"ALTER TABLE comment DROP CONSTRAINT {constraint}",
            f"ALTER TABLE comment ADD CONSTRAINT {constraint} FOREIGN KEY (notebook_id) "
            "REFERENCES submitted_notebook ON DELETE CASCADE", "DELETE FROM grade",
        )  # fmt: skip
        before = last(engine)
        raw(db_url, "DELETE FROM submitted_notebook")
        assert sum(row["tbl"] == "comment" and row["op"] == "delete" for row in rows(engine, before)) == 2
        return
    sql = "CREATE TABLE comment (id VARCHAR(32) PRIMARY KEY, notebook_id VARCHAR(32) REFERENCES submitted_notebook "
    raw(db_url, "DROP TABLE comment", sql + "ON DELETE CASCADE, cell_id VARCHAR(32))")
    install(engine)
    raw(db_url, "INSERT INTO comment SELECT 'c' || id, id, NULL FROM submitted_notebook", "DELETE FROM grade")
    before = last(engine)
    with writing(engine) as connection:
        connection.connection.dbapi_connection.commit()  # type: ignore[union-attr]
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.execute(text("DELETE FROM submitted_notebook"))
    assert sum(row["tbl"] == "comment" and row["op"] == "delete" for row in rows(engine, before)) == 2


def test_a_grading_run_is_named_and_a_rollback_forgets_it(engine: Engine) -> None:
    before = last(engine)
    with writing(engine) as connection:
        in_run(connection, "run-1")
        connection.execute(insert(RUN), {"id": "run-1", "at": datetime(2026, 9, 2), "scorer": "s"})
    with engine.connect() as connection:
        in_run(connection, "run-2")
        connection.execute(text("UPDATE grade SET manual_score = 1"))
        connection.rollback()
    with writing(engine) as connection:
        connection.execute(text("UPDATE grade SET manual_score = 2 WHERE auto_score = 0.5"))
    assert [(row["tbl"], row["run_id"], row["actor"]) for row in rows(engine, before)] == [
        ("counterside_run", "run-1", person()), ("grade", None, person()), ("grade", None, person()),
    ]  # fmt: skip


def test_a_savepoint_rolled_back_costs_nobody_their_name(engine: Engine) -> None:
    before = last(engine)
    with writing(engine) as connection, because("an appeal"):
        savepoint = connection.begin_nested()
        connection.execute(text("UPDATE grade SET manual_score = 1"))
        savepoint.rollback()
        connection.execute(text("UPDATE grade SET manual_score = 2 WHERE auto_score = 1.5"))
    found = rows(engine, before)
    assert [(row["actor"], row["reason"]) for row in found] == [(person(), "an appeal")] * 2
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(CONTEXT)).scalar_one() == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE counterside_trail SET actor = 'os:bo' WHERE seq = 3",
        "UPDATE counterside_trail SET new = NULL WHERE seq = 3",
        "DELETE FROM counterside_trail WHERE seq = 3",
        "DELETE FROM counterside_trail",
    ],
)
def test_the_trail_only_grows(engine: Engine, sql: str) -> None:
    before = rows(engine)
    with pytest.raises(DBAPIError, match="the trail only grows"), writing(engine) as connection:
        connection.execute(text(sql))
    assert rows(engine) == before


def test_rows_cannot_be_replaced_past_the_triggers(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        for table in ("counterside_trail", "grade", "counterside_evidence"):
            with pytest.raises(IntegrityError, match=r"truncated|only grows"), writing(engine) as connection:
                connection.execute(text(f"TRUNCATE {table} CASCADE"))
        return
    before = rows(engine)
    copy = "INSERT OR REPLACE INTO counterside_trail SELECT * FROM counterside_trail WHERE seq = 3"
    grade = "INSERT OR REPLACE INTO grade SELECT {}, notebook_id, cell_id, 9, 9, 9, 0 FROM grade LIMIT 1"
    for sql, words in (
        (copy, "the trail only grows"),
        (grade.format("id"), "REPLACE is refused"),
        (grade.format("'another'"), "REPLACE is refused"),
        ("UPDATE OR REPLACE grade SET cell_id = (SELECT min(cell_id) FROM grade)", "REPLACE is refused"),
    ):
        with pytest.raises(IntegrityError, match=words), writing(engine) as connection:
            connection.exec_driver_sql(sql)
    assert rows(engine) == before


def test_evidence_is_only_ever_added(engine: Engine) -> None:
    row = {
        "run_id": "r", "student_id": "anna", "assignment": "ch1", "item": "e1", "state": "graded", "earned": 1,
        "possible": 5, "by_hand": 0, "flags": "[]", "rules": "[]", "item_hash": "i", "key_hash": "k",
    }  # fmt: skip
    with writing(engine) as connection:
        connection.execute(insert(EVIDENCE), row)
    for sql in ("UPDATE counterside_evidence SET earned = 5", "DELETE FROM counterside_evidence"):
        with pytest.raises(IntegrityError, match="only ever added"), writing(engine) as connection:
            connection.execute(text(sql))


def test_what_changed_without_triggers_is_found_by_mending_and_said(engine: Engine, db_url: str) -> None:
    before = last(engine)
    drop = "DROP TRIGGER counterside_update_grade" if engine.dialect.name == "sqlite" else (
        "DROP TRIGGER counterside_record_grade ON grade"
    )  # fmt: skip
    raw(db_url, drop, "UPDATE grade SET manual_score = 3 WHERE auto_score = 2.5")
    with engine.connect() as connection:
        assert missing(connection) == [f"{drop.split()[2]} is missing"]
    mended = install(engine)
    assert mended.mended == (f"{drop.split()[2]} is missing",)
    assert mended.rows == 2
    *changed, event = rows(engine, before)
    values = [(json.loads(row["old"])["manual_score"], json.loads(row["new"])["manual_score"]) for row in changed]
    assert {row["op"] for row in changed} == {"snapshot"}
    assert values == [(None, 3), (None, 3)]
    assert json.loads(json.loads(event["new"])["detail"])["mended"] == list(mended.mended)


def test_reasons_come_later_and_feedback_is_recorded_once_for_each_page(engine: Engine) -> None:
    before = last(engine)
    give_reason(engine, [3, 4], "the appeal of 1 September was granted")
    assert record_release(engine, "ch1", {"anna": "aa", "bo": "bb"}) == 2
    assert record_release(engine, "ch1", {"anna": "aa", "bo": "cc"}) == 1
    found = rows(engine, before)
    assert [row["tbl"] for row in found] == ["counterside_reason"] * 2 + ["counterside_event"] * 3
    assert json.loads(found[-1]["person_new"]) == {"learner": "bo"}
    with pytest.raises(CourseError, match="no row 9999"):
        give_reason(engine, [1, 9999], "why not")
    with pytest.raises(CourseError, match="say why"):
        give_reason(engine, [1], "  ")


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_migration_that_makes_a_table_anew_is_mended(db_url: str, engine: Engine) -> None:
    code = """
import sys, sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
with sa.create_engine(sys.argv[1]).begin() as c:
    with Operations(MigrationContext.configure(c)).batch_alter_table("grade") as batch:
        batch.add_column(sa.Column("weight", sa.Float))
        batch.alter_column("extra_credit", new_column_name="extra")
"""
    subprocess.run([sys.executable, "-c", code, db_url], check=True)
    with engine.connect() as connection:
        said = missing(connection)
    assert {f"counterside_{op}_grade is missing" for op in ("insert", "update", "delete")} <= set(said)
    before = last(engine)
    assert install(engine).rows == 6
    assert all("weight" in json.loads(row["new"]) for row in rows(engine, before)[:-1])
    with engine.connect() as connection:
        assert missing(connection) == []


def test_what_changes_after_feedback_needs_a_reason(engine: Engine, db_url: str) -> None:
    def mark(learner: str, score: float) -> int:
        with Gradebook(db_url, "counterside") as book:
            book.find_grade("e1", "ch1", "ch1", learner).manual_score = score
            book.db.commit()
        return last(engine)

    def found() -> list[int]:
        with engine.connect() as connection:
            return unexplained(connection)

    mark("anna", 1)
    assert found() == []
    record_release(engine, "ch1", {"anna": "aa"})
    mark("bo", 2)  # not released yet
    assert found() == []
    first, second = mark("anna", 3), mark("anna", 4)
    assert found() == [first, second]
    give_reason(engine, [first], "the appeal was granted")
    assert found() == [second]
