"""Erasing a learner: the name is nowhere, the marks are where they were, and the proof holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import Engine, inspect, text

from autograde.audit.erase import erase, forget, rename_work
from autograde.audit.heads import seal
from autograde.audit.trail import give_reason, install, record_release
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
    drop_trigger(engine, db_url)
    before = everything(engine)
    with pytest.raises(CourseError, match="nothing was erased"):
        erase(engine, "anna", "why")
    assert everything(engine) == before


def drop_trigger(engine: Engine, db_url: str) -> None:
    name = "counterside_update_grade" if engine.dialect.name == "sqlite" else "counterside_record_grade"
    raw(db_url, f"DROP TRIGGER {name}" + ("" if engine.dialect.name == "sqlite" else " ON grade"))


def test_mending_after_an_erasure_finds_nothing_changed(engine: Engine, db_url: str, tmp_path: Path) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    with writing(engine) as connection:
        row = {"student_id": "anna", "assignment": "ch1", "run_id": "r", "digest": "d", "state": "graded"}
        connection.execute(SUBMISSION.insert(), row)
    record_release(engine, "ch1", {"anna": "aa", "bo": "bb"})
    seal(engine, seals, key)
    pseudonym, _rows = erase(engine, "anna", "asked for")
    seal(engine, seals, key)
    for _time in range(2):
        drop_trigger(engine, db_url)
        done = install(engine)
        assert (done.first, len(done.mended), done.rows) == (False, 1, 0)
        with engine.connect() as connection:
            query = "SELECT max(seq) FROM counterside_trail WHERE tbl = 'counterside_event'"
            give_reason(engine, [connection.execute(text(query)).scalar_one()], "a migration")
        assert verify(db_url, seals).faults == []
    # What is changed meanwhile is still found, also of the erased learner, and named without more.
    drop_trigger(engine, db_url)
    mine = (
        f"SELECT g.id FROM grade g JOIN submitted_notebook n ON n.id = g.notebook_id JOIN submitted_assignment s "
        f"ON s.id = n.assignment_id WHERE s.student_id = '{pseudonym}'"
    )
    raw(db_url, f"UPDATE grade SET manual_score = 5 WHERE id IN ({mine}) AND auto_score = 0.5")
    found = [words for words in verify(db_url, seals).faults if "manual_score" in words]
    assert len(found) == 1
    assert found[0].startswith(f"the grade of {pseudonym} for e1 in ch1: manual_score is 5")
    assert install(engine).rows == 1


def test_a_changed_pseudonym_is_named_alone(engine: Engine, db_url: str, tmp_path: Path) -> None:
    seals, key = tmp_path / "seals", tmp_path / "key.pem"
    pseudonym, _rows = erase(engine, "anna", "asked for")
    seal(engine, seals, key)
    sqlite = engine.dialect.name == "sqlite"
    name = "counterside_update_student" if sqlite else "counterside_record_student"
    raw(db_url, f"DROP TRIGGER {name}" + ("" if sqlite else " ON student"))
    raw(db_url, f"UPDATE student SET email = 'x@example.org' WHERE id = '{pseudonym}'")
    found = [words for words in verify(db_url, seals).faults if not words.startswith("trigger ")]
    named = [words for words in found if pseudonym in words]
    assert len(named) == 1
    assert named[0].startswith(f"student {pseudonym}: email is 'x@example.org', by the trail None")
    assert all("is not made as it was" in words for words in found if words not in named)


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
