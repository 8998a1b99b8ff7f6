"""Erasing a learner: the name is nowhere, the marks are where they were, and the proof holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import Engine, inspect, text

from autograde.audit.erase import erase, forget, rename_work
from autograde.audit.heads import seal
from autograde.audit.trail import record_release
from autograde.audit.verify import verify
from autograde.place import CourseError
from autograde.tables import SUBMISSION, writing
from tests.audit.conftest import raw

ALL = "SELECT * FROM {} ORDER BY 1"


def everything(engine: Engine) -> str:
    """Return all that the database's tables hold, as one text."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return "\n".join(str(row) for table in tables for row in connection.execute(text(ALL.format(table))))


def test_a_name_is_erased_everywhere_and_the_seals_still_hold(engine: Engine, db_url: str, tmp_path: Path) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    with writing(engine) as connection:
        row = {"student_id": "anna", "assignment": "ch1", "run_id": "r", "digest": "d", "state": "graded"}
        connection.execute(SUBMISSION.insert(), row)
    record_release(engine, "ch1", {"anna": "aa", "bo": "bb"})
    with Gradebook(db_url, "counterside") as book:
        book.update_or_create_student("anna", email="anna@example.com")
        book.find_grade("e1", "ch1", "ch1", "anna").manual_score = 4.5
        book.db.commit()
    seal(engine, seals, key)
    before = verify(db_url, seals)
    assert before.faults == []
    pseudonym, rows = erase(engine, "anna", "asked for on 1 October")
    assert pseudonym.startswith("erased-")
    # Snapshot of student and submission, the row of ours, the release, the new address; then what erasing writes
    # with the old name in it: the submission, the row of ours taken out, the release, the student taken out.
    assert rows == 5 + 4
    after = verify(db_url, seals)
    assert after.faults == []
    assert any("personal data were erased" in note for note in after.remarks)
    seal(engine, seals, key)
    assert verify(db_url, seals).faults == []
    said = everything(engine)
    for word in ("anna", "安娜", "example.com"):
        assert word not in said
    assert "bo@example.org" in said
    assert forget(engine)
    engine.dispose()
    if db_url.startswith("sqlite"):
        assert b"anna" not in Path(db_url.removeprefix("sqlite:///")).read_bytes()
    with Gradebook(db_url, "counterside") as book:
        assert book.find_grade("e1", "ch1", "ch1", pseudonym).manual_score == 4.5
        assert book.find_student(pseudonym).email is None


def test_an_erasure_is_all_or_nothing(engine: Engine, db_url: str) -> None:
    with pytest.raises(CourseError, match="there is no learner “nobody”"):
        erase(engine, "nobody", "why")
    name = "counterside_update_grade" if engine.dialect.name == "sqlite" else "counterside_record_grade"
    raw(db_url, f"DROP TRIGGER {name}" + ("" if engine.dialect.name == "sqlite" else " ON grade"))
    before = everything(engine)
    with pytest.raises(CourseError, match="nothing was erased"):
        erase(engine, "anna", "why")
    assert everything(engine) == before


def test_an_erasure_can_be_followed_in_the_trail(engine: Engine) -> None:
    pseudonym, rows = erase(engine, "bo", "asked for")
    with engine.connect() as connection:
        query = "SELECT new, person_new, reason FROM counterside_trail ORDER BY seq DESC LIMIT 1"
        new, person, reason = connection.execute(text(query)).one()
    assert reason == "asked for"
    assert json.loads(person) == {"learner": pseudonym}
    assert len(json.loads(json.loads(new)["detail"])["rows"]) == rows


def test_a_learners_work_gets_the_pseudonym(tmp_path: Path) -> None:
    (tmp_path / "submitted" / "anna" / "ch1").mkdir(parents=True)
    renamed = rename_work([tmp_path / "submitted", tmp_path / "autograded"], "anna", "erased-1")
    assert renamed == [tmp_path / "submitted" / "erased-1"]
    assert (tmp_path / "submitted" / "erased-1" / "ch1").is_dir()
