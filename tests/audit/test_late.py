"""Verification, looks and desk name the same rows: a first mark, a changed mark, an erasure, a regrade."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import Engine, text

from autograde.audit.book import read_book
from autograde.audit.desk import overview
from autograde.audit.erase import erase
from autograde.audit.looks import find
from autograde.audit.trail import give_reason, record_release
from autograde.audit.verify import unexplained
from autograde.audit.who import in_run
from autograde.config import CourseConfig
from autograde.tables import writing
from tests.audit.test_trail import last


def mark(engine: Engine, db_url: str, learner: str, cell: str, score: float) -> int:
    """Mark a cell as the formgrader does, and return the row of the trail."""
    with Gradebook(db_url, "counterside") as book:
        grade = book.find_grade(cell, "ch1", "ch1", learner)
        grade.manual_score, grade.needs_manual_grade = score, False
        book.db.commit()
    return last(engine)


def grade(engine: Engine, run: str, statement: str) -> None:
    """Write grades as a grading run does."""
    with writing(engine) as connection:
        in_run(connection, run)
        connection.execute(text(f"UPDATE grade SET {statement}"), {"yes": True, "no": False})


def test_verification_looks_and_desk_name_the_same_changes(
    engine: Engine, db_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path))
    criterion = "WHERE cell_id = (SELECT id FROM base_cell WHERE name = 'e2-tone')"
    grade(engine, "run-1", "needs_manual_grade = :no")
    grade(engine, "run-1", f"auto_score = NULL, needs_manual_grade = :yes {criterion}")
    record_release(engine, "ch1", {"anna": "aa", "bo": "bb"})
    mark(engine, db_url, "anna", "e2-tone", 0.5)  # a first mark
    override, again = mark(engine, db_url, "anna", "e1", 2), mark(engine, db_url, "anna", "e2-tone", 1)
    with Gradebook(db_url, "counterside") as gradebook:  # a regrade past the engine: no score is another
        gradebook.find_grade("e2", "ch1", "ch1", "bo").needs_manual_grade = True
        gradebook.db.commit()
    grade(engine, "run-2", "needs_manual_grade = :yes WHERE manual_score IS NOT NULL")
    erase(engine, "bo", "asked for")
    explained = mark(engine, db_url, "anna", "e2-tone", 0)
    give_reason(engine, [explained], "the appeal was granted")

    book = read_book(CourseConfig(), db_url=db_url)
    looks = find(book)
    desk = overview(book)["changes"]
    with engine.connect() as connection:
        assert unexplained(connection) == [override, again]
    assert [seq for look in looks if look.rule == "no-reason" for seq in look.seqs] == [override, again]
    assert [one["seq"] for one in desk if one["unexplained"]] == [override, again]
    assert [seq for look in looks if look.rule == "after-release" for seq in look.seqs] == [override, again, explained]
    assert [one["seq"] for one in desk if one["late"]] == [override, again, explained]
    assert {one["reason"] for one in desk if one["late"] and not one["unexplained"]} == {"the appeal was granted"}
