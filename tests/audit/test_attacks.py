"""What somebody might do who wants a grade to be another and nobody to know, on SQLite and on PostgreSQL.

Each attack is refused, or found and named by `verify`. The last ones can't be
found, and are here to show it: docs/auditor.md says so.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from autograde.audit.heads import HEADS, LEAVES, Head, read_heads, seal
from autograde.audit.keys import KEYS, canonical, generate, read_private, signed_line
from autograde.audit.merkle import Tree, leaf_hash
from autograde.audit.rows import leaf_data, read_rows
from autograde.audit.schema import WATCHED
from autograde.audit.trail import dialect, give_reason, install
from autograde.audit.verify import Known, verify
from autograde.audit.who import in_run
from autograde.audit.witness import witness
from autograde.place import CourseError
from autograde.tables import EVIDENCE, RUN, SUBMISSION, writing
from tests.audit.conftest import raw

LINE = b'{"v":1,"seq":1}'


@dataclass
class Place:
    """A gradebook with evidence, sealed; what an attacker can reach."""

    engine: Engine
    db_url: str
    folder: Path

    @property
    def seals(self) -> Path:
        return self.folder / "seals"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def seal(self) -> Head | None:
        return seal(self.engine, self.seals, self.key)

    def faults(self) -> list[str]:
        return verify(self.db_url, self.seals, self.folder / "submitted").faults

    def sql(self, *statements: str) -> None:
        raw(self.db_url, *statements)

    def past(self, *statements: str) -> None:
        """Run SQL with all triggers taken away, and put them back as they were: needs whoever owns the database."""
        if not self.sqlite:
            tables = [*WATCHED, "counterside_trail", "counterside_head"]
            switch = [f"ALTER TABLE {table} {{}} TRIGGER USER" for table in tables]
            back = [one.format("DISABLE") for one in switch]
            names = "SELECT format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', c.relname, t.tgname) FROM pg_trigger t "
            names += "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
            with self.engine.connect() as connection:
                again = list(connection.execute(text(names)).scalars())
            self.sql(*back, *statements, *again)
            return
        with self.engine.connect() as connection:
            triggers = dialect(connection).present(connection)
        self.sql(*(f"DROP TRIGGER {name}" for name in triggers), *statements, *triggers.values())


@pytest.fixture
def place(engine: Engine, db_url: str, tmp_path: Path) -> Place:
    found = Place(engine, db_url, tmp_path)
    log = tmp_path / "submitted" / "anna" / "ch1" / "responses" / "ch1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(LINE + b"\n")
    evidence = {
        "run_id": "run", "student_id": "anna", "assignment": "ch1", "item": "e1", "state": "graded",
        "possible": 5, "by_hand": 0, "flags": "[]", "rules": "[]", "item_hash": "i", "key_hash": "k",
        "seq": 1, "at": "2026-09-01T09:00:00.000Z", "line": sha256(LINE).hexdigest(),
    }  # fmt: skip
    with writing(engine) as connection:
        score = connection.execute(text(GRADE.format("g.auto_score"))).scalar_one()
        in_run(connection, "run")
        connection.execute(insert(RUN), {"id": "run", "at": datetime(2026, 9, 2), "scorer": "s"})
        connection.execute(insert(EVIDENCE), {**evidence, "earned": score})
        row = {"student_id": "anna", "assignment": "ch1", "run_id": "run", "digest": "d", "state": "graded"}
        connection.execute(insert(SUBMISSION), row)
    found.seal()
    assert found.faults() == []
    return found


GRADE = """SELECT {} FROM grade g JOIN base_cell b ON b.id = g.cell_id AND b.name = 'e1'
JOIN submitted_notebook n ON n.id = g.notebook_id JOIN submitted_assignment s ON s.id = n.assignment_id
AND s.student_id = 'anna'"""
MINE = f"id = ({GRADE.format('g.id')})"


def mark(place: Place, score: float) -> None:
    with writing(place.engine) as connection:
        connection.execute(text(f"UPDATE grade SET manual_score = {score} WHERE {MINE}"))


# ---- the database ---------------------------------------------------------------------------


def test_a_sealed_row_edited_with_triggers_dropped_and_restored(place: Place) -> None:
    place.past("UPDATE counterside_trail SET actor = 'os:bo' WHERE seq = 5")
    assert place.faults() == [f"row 5 of the trail is not the one that was sealed in seal 1 of {heads(place)[0].at}"]


def test_a_grade_changed_past_the_triggers(place: Place) -> None:
    place.past(f"UPDATE grade SET manual_score = 99 WHERE {MINE}")
    (fault,) = place.faults()
    assert fault.startswith("the grade of anna for e1 in ch1: manual_score is 99")
    assert "by the trail None" in fault


def test_two_learners_work_swapped_past_the_triggers(place: Place) -> None:
    """Only the halves that name a person change, and no row loses or wins a point."""
    other = "CASE student_id WHEN 'anna' THEN 'bo' ELSE 'anna' END"
    place.past(
        "UPDATE submitted_assignment SET student_id = NULL WHERE student_id = 'bo'",
        f"UPDATE submitted_assignment SET student_id = {other} WHERE student_id IS NOT NULL",
        "UPDATE submitted_assignment SET student_id = 'anna' WHERE student_id IS NULL",
    )
    found = [fault for fault in place.faults() if fault.startswith("submitted_assignment ")]
    assert len(found) == 2
    assert any("student_id is 'anna', by the trail 'bo'" in fault for fault in found)
    assert any("student_id is 'bo', by the trail 'anna'" in fault for fault in found)


def test_a_grade_and_its_sealed_row_forged_together(place: Place) -> None:
    with place.engine.connect() as connection:
        identity = connection.execute(text(GRADE.format("g.id"))).scalar_one()
        query = "SELECT seq, new FROM counterside_trail WHERE tbl = 'grade' AND row_id = :id"
        seq, new = connection.execute(text(query), {"id": identity}).one()
    null, much = ('"manual_score":null', '"manual_score":99.0')
    if not place.sqlite:
        null, much = ('"manual_score": null', '"manual_score": 99')
    forged = new.replace(null, much)
    assert forged != new
    place.past(
        f"UPDATE counterside_trail SET new = '{forged}' WHERE seq = {seq}",
        f"UPDATE grade SET manual_score = 99 WHERE {MINE}",
    )
    assert place.faults() == [
        f"row {seq} of the trail is not the one that was sealed in seal 1 of {heads(place)[0].at}"
    ]


def test_the_end_of_the_trail_deleted(place: Place) -> None:
    end = heads(place)[0].size
    place.past(f"DELETE FROM counterside_trail WHERE seq > {end - 3}")
    assert f"the trail ends with row {end - 3}, and {end} rows were sealed" in place.faults()[0]


def test_a_row_cut_out_of_the_middle(place: Place) -> None:
    place.past("DELETE FROM counterside_trail WHERE seq = 7")
    assert "row 7 is gone from the trail" in place.faults()


def test_the_trail_truncated(place: Place) -> None:
    with pytest.raises(DBAPIError, match="only grows"), writing(place.engine) as connection:
        connection.execute(text("DELETE FROM counterside_trail" if place.sqlite else "TRUNCATE counterside_trail"))
    place.past("DELETE FROM counterside_trail")
    assert "the trail ends with row 0" in place.faults()[0]


def test_the_trail_and_its_tables_dropped_altogether(place: Place) -> None:
    place.engine.dispose()
    place.sql("DROP TABLE counterside_trail" + ("" if place.sqlite else " CASCADE"))
    assert place.faults() == [f"the trail is gone from the gradebook; {heads(place)[0].size} of its rows were sealed"]


def test_a_row_replaced(place: Place) -> None:
    if place.sqlite:
        copy = "INSERT OR REPLACE INTO counterside_trail SELECT * FROM counterside_trail WHERE seq = 5"
    else:
        copy = "INSERT INTO counterside_trail SELECT * FROM counterside_trail WHERE seq = 5 "
        copy += "ON CONFLICT (seq) DO UPDATE SET actor = 'os:bo'"
    with pytest.raises(DBAPIError, match="only grows"), writing(place.engine) as connection:
        connection.exec_driver_sql(copy)


def test_a_grade_replaced_past_the_update_trigger(place: Place) -> None:
    if place.sqlite:
        replace = f"INSERT OR REPLACE INTO grade SELECT id, notebook_id, cell_id, 5, 5, 5, 0 FROM grade WHERE {MINE}"
        with pytest.raises(DBAPIError, match="REPLACE is refused"), writing(place.engine) as connection:
            connection.exec_driver_sql(replace)
        return
    # PostgreSQL's own way is an update, and recorded as one.
    place.sql(
        f"INSERT INTO grade SELECT id, notebook_id, cell_id, 5, 5, 5, false FROM grade WHERE {MINE} "
        "ON CONFLICT (id) DO UPDATE SET manual_score = 5"
    )
    (note,) = verify(place.db_url, place.seals).remarks
    assert "1 row was written by somebody who gave no name" in note


def test_a_trigger_dropped(place: Place) -> None:
    name = "counterside_update_grade" if place.sqlite else "counterside_record_grade"
    place.sql(
        f"DROP TRIGGER {name}" + ("" if place.sqlite else " ON grade"),
        f"UPDATE grade SET manual_score = 9 WHERE {MINE}",
    )
    found = place.faults()
    assert found[0] == f"trigger {name} is missing"
    assert f"trigger {name} is gone" in found[1]
    assert "the grade of anna for e1 in ch1: manual_score is 9" in found[2]
    with pytest.raises(CourseError, match=f"nothing is sealed: {name} is missing"):
        place.seal()


def test_a_trigger_dropped_and_mended_with_our_own_command(place: Place) -> None:
    name = "counterside_update_grade" if place.sqlite else "counterside_record_grade"
    place.sql(
        f"DROP TRIGGER {name}" + ("" if place.sqlite else " ON grade"),
        f"UPDATE grade SET manual_score = 9 WHERE {MINE}",
    )
    install(place.engine)
    place.seal()
    (fault,) = place.faults()
    assert "no trail was kept for a time" in fault
    assert "1 row had changed meanwhile" in fault
    assert "No reason given" in fault
    seq = int(fault.split("(row ")[1].split(")")[0])
    give_reason(place.engine, [seq], "nbgrader was upgraded")
    report = verify(place.db_url, place.seals)
    assert report.faults == []
    assert any("Reason given: nbgrader was upgraded" in note for note in report.remarks)


def test_a_trigger_weakened(place: Place) -> None:
    if place.sqlite:
        name = "counterside_update_grade"
        with place.engine.connect() as connection:
            sql = dialect(connection).present(connection)[name]
        place.sql(f"DROP TRIGGER {name}", sql.replace("WHEN (", "WHEN 1 = 0 AND ("))
        assert place.faults()[0] == f"trigger {name} is not what it should be"
        return
    place.sql("ALTER TABLE grade DISABLE TRIGGER counterside_record_grade")
    assert place.faults()[0] == "trigger counterside_record_grade is not what it should be"
    body = "LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN NULL; END $$"
    place.sql(
        "ALTER TABLE grade ENABLE ALWAYS TRIGGER counterside_record_grade",
        f"CREATE OR REPLACE FUNCTION counterside_record() RETURNS trigger {body}",
    )
    assert place.faults()[0] == "trigger counterside_record() is not what it should be"


def test_a_trigger_of_ones_own(place: Place) -> None:
    if place.sqlite:
        place.sql(
            f"CREATE TRIGGER helper AFTER INSERT ON comment BEGIN UPDATE grade SET manual_score = 9 WHERE {MINE}; END"
        )
        assert place.faults()[0] == "trigger helper is none of ours"
    else:
        place.sql("CREATE FUNCTION helper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
        assert place.faults()[0] == "trigger helper() is none of ours"


def test_the_schema_changed(place: Place) -> None:
    place.sql("ALTER TABLE grade RENAME COLUMN extra_credit TO bonus")
    found = place.faults()
    changed = "table grade was changed" if place.sqlite else "column grade.extra_credit is gone"
    assert any(
        "the database is not made as it was when seal 1 was set" in fault and changed in fault for fault in found
    )


def test_triggers_switched_off_for_a_session(place: Place) -> None:
    if place.sqlite:
        # What SQLite has: constraints and recursion switched off. Triggers fire all the same.
        place.sql(
            "PRAGMA foreign_keys=OFF",
            "PRAGMA recursive_triggers=OFF",
            f"UPDATE grade SET manual_score = 9 WHERE {MINE}",
        )
    else:
        place.sql("SET session_replication_role = replica", f"UPDATE grade SET manual_score = 9 WHERE {MINE}")
    report = verify(place.db_url, place.seals)
    assert report.faults == []
    assert "1 row was written by somebody who gave no name" in report.remarks[0]


def test_evidence_swapped(place: Place) -> None:
    for sql in ("UPDATE counterside_evidence SET earned = 5", "DELETE FROM counterside_evidence"):
        with pytest.raises(DBAPIError, match="only ever added"), writing(place.engine) as connection:
            connection.execute(text(sql))
    place.past("UPDATE counterside_evidence SET earned = 5")
    found = place.faults()
    assert found[0].startswith("counterside_evidence 1: earned is 5")
    assert found[1].startswith("the automatic score of anna for e1 in ch1 is")


def test_an_automatic_score_that_no_evidence_has(place: Place) -> None:
    with writing(place.engine) as connection:
        connection.execute(text(f"UPDATE grade SET auto_score = 4.75 WHERE {MINE}"))
    place.seal()
    (fault,) = place.faults()
    assert fault.startswith("the automatic score of anna for e1 in ch1 is 4.75, its evidence says ")


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_name_left_for_others(place: Place) -> None:
    place.sql("INSERT INTO counterside_context (id, actor) VALUES (1, 'os:bo')")
    assert place.faults() == ["a name was left in counterside_context, and is given to whoever writes next"]


def test_a_personal_half_dropped_without_an_erasure(place: Place) -> None:
    with writing(place.engine) as connection:
        connection.execute(
            text(
                "UPDATE counterside_trail SET person_salt = NULL, person_new = '{}', person_hash = 'x' "
                "WHERE seq = (SELECT min(seq) FROM counterside_trail WHERE tbl = 'student')"
            )
        )
    found = place.faults()
    assert "is not the one that was sealed" in found[0]
    assert any("was dropped, and no erasure says so" in fault for fault in found)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_an_older_gradebook_put_in_its_place(place: Place) -> None:
    place.engine.dispose()
    path = Path(place.db_url.removeprefix("sqlite:///"))
    shutil.copy(path, place.folder / "old.db")
    mark(place, 3)
    place.seal()
    place.engine.dispose()
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    shutil.copy(place.folder / "old.db", path)
    found = place.faults()
    assert found[0] == "the gradebook has no copy of seal 2: was it put back to an earlier state?"
    assert "an older gradebook was put in its place" in found[1]


# ---- the seals ------------------------------------------------------------------------------


def heads(place: Place) -> list[Head]:
    return list(read_heads(place.seals / HEADS)[0])


def edit(place: Place, number: int, **values: object) -> None:
    lines = (place.seals / HEADS).read_bytes().splitlines()
    lines[number - 1] = canonical({**json.loads(lines[number - 1]), **values})
    (place.seals / HEADS).write_bytes(b"".join(line + b"\n" for line in lines))


def test_a_seal_edited(place: Place) -> None:
    edit(place, 1, at="2026-08-01T00:00:00.000Z")
    assert place.faults()[0] == "seal 1 was changed: its signature does not hold"


def test_a_key_swapped(place: Place) -> None:
    key = place.folder / "mallory.pem"
    shutil.rmtree(place.folder / "forged", ignore_errors=True)
    generate(place.folder / "forged", key, 0)
    forged = json.loads((place.folder / "forged" / KEYS).read_bytes())["key"]
    data = {**json.loads(heads(place)[0].line), "key": forged}
    del data["signature"]
    (place.seals / HEADS).write_bytes(signed_line(data, read_private(key)) + b"\n")
    assert place.faults()[0] == f"seal 1 is signed by key {forged[:16]}, which is not the key of that time"


def test_keys_and_seals_swapped_together(place: Place) -> None:
    """Whoever noted the first key finds it; so does the gradebook's copy of the seal."""
    noted = heads(place)[0].key
    shutil.rmtree(place.seals)
    place.key.unlink()
    place.past(
        f"UPDATE grade SET manual_score = 99 WHERE {MINE}",
        "DELETE FROM counterside_trail",
        "DELETE FROM counterside_head",
        "DELETE FROM counterside_event",
    )
    place.sql("DELETE FROM counterside_context")
    install(place.engine)
    place.seal()
    found = verify(place.db_url, place.seals, known=Known(noted)).faults
    assert found[0].startswith(f"the first key is not {noted}")


def test_seals_rolled_back(place: Place) -> None:
    mark(place, 3)
    kept_before = (place.seals / HEADS).read_bytes()
    place.seal()
    (place.seals / HEADS).write_bytes(kept_before)
    (fault,) = place.faults()
    assert fault.startswith("the gradebook has a copy of seal 2, and the folder ends with seal 1")
    assert fault.endswith("put back to an earlier state")


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_gradebook_and_seals_rolled_back_together_before_a_witness(place: Place) -> None:
    path = Path(place.db_url.removeprefix("sqlite:///"))
    place.engine.dispose()
    shutil.copy(path, place.folder / "old.db")
    shutil.copytree(place.seals, place.folder / "old-seals")
    mark(place, 3)
    place.seal()
    state = place.folder / "auditor"
    assert witness(place.seals, state).faults == ()
    place.engine.dispose()
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    shutil.copy(place.folder / "old.db", path)
    shutil.rmtree(place.seals)
    shutil.copytree(place.folder / "old-seals", place.seals)
    assert place.faults() == []  # nobody on this machine can know
    (fault,) = verify(place.db_url, place.seals, known=Known(witnessed=[state / "witnessed.jsonl"])).faults
    assert "a witness saw seal 2" in fault
    assert "put back to an earlier state" in fault
    assert witness(place.seals, state).faults == (fault,)


def test_a_split_view_shown_to_a_witness(place: Place) -> None:
    state, other = place.folder / "auditor", place.folder / "other"
    shutil.copytree(place.seals, other)
    mark(place, 3)
    place.seal()
    assert witness(place.seals, state).new == 2
    # The holder of the key signs another second seal for somebody else.
    first = heads(place)[0]
    with place.engine.connect() as connection:
        rows = [leaf_hash(leaf_data(row)) for row in read_rows(connection, 0, first.size)]
    tree = first.tree
    tree.add(rows[0])
    growth = Tree(first.size)
    growth.add(rows[0])
    data = {
        **json.loads(first.line), "number": 2, "size": first.size + 1, "root": tree.root.hex(),
        "frontier": [node.hex() for node in tree.hashes], "growth": [node.hex() for node in growth.hashes],
        "previous": first.hash,
    }  # fmt: skip
    del data["signature"]
    with (other / HEADS).open("ab") as file:
        file.write(signed_line(data, read_private(place.key)) + b"\n")
    found = witness(other, state)
    assert found.faults == ("a witness saw another seal 2 than this one: two stories are being told",)
    assert found.new == 0


def test_history_rewritten_by_the_holder_of_the_key_is_no_continuation(place: Place) -> None:
    """A seal that follows on a rewritten trail can't be joined to the one before it."""
    place.past("UPDATE counterside_trail SET actor = 'os:bo' WHERE seq = 5")
    mark(place, 3)
    place.seal()
    found = place.faults()
    assert found == [f"row 5 of the trail is not the one that was sealed in seal 1 of {heads(place)[0].at}"]
    tree = Tree()
    with place.engine.connect() as connection:
        for row in read_rows(connection, 0, heads(place)[1].size):
            tree.add(leaf_hash(leaf_data(row)))
    data = json.loads(heads(place)[1].line)
    data |= {"root": tree.root.hex(), "frontier": [node.hex() for node in tree.hashes]}
    del data["signature"]
    first = heads(place)[0].line
    (place.seals / HEADS).write_bytes(first + b"\n" + signed_line(data, read_private(place.key)) + b"\n")
    assert place.faults()[0].startswith("seal 2 is no continuation of the one before it")


def test_the_clock_set_back(place: Place) -> None:
    mark(place, 3)
    place.seal()
    data = json.loads(heads(place)[1].line)
    del data["signature"]
    first = heads(place)[0].line
    line = signed_line({**data, "at": "2020-01-01T00:00:00.000Z"}, read_private(place.key))
    (place.seals / HEADS).write_bytes(first + b"\n" + line + b"\n")
    found = place.faults()
    assert "seal 2 says 2020-01-01T00:00:00.000Z, a time before the seal before it: the clock was set back" in found
    assert any("one of both clocks was wrong" in fault for fault in found)


def test_the_clock_set_back_while_rows_were_written(place: Place) -> None:
    end = heads(place)[0].size
    mark(place, 3)
    place.past(f"UPDATE counterside_trail SET at = '2026-01-01T00:00:00.000Z' WHERE seq = {end + 1}")
    place.seal()
    (fault,) = [one for one in place.faults() if "the row above" in one]
    assert fault == f"row {end + 1} says 2026-01-01T00:00:00.000Z, before the row above it: the clock was set back"


def test_the_leaves_are_no_proof_and_need_not_be_there(place: Place) -> None:
    (place.seals / LEAVES).unlink()
    assert place.faults() == []
    place.past("UPDATE counterside_trail SET actor = 'os:bo' WHERE seq = 5")
    assert place.faults() == [f"one of rows 1 to {heads(place)[0].size} is not the one that was sealed in seal 1"]


# ---- the files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attack", [lambda path: path.write_bytes(LINE.replace(b"1}", b"2}")), lambda path: path.unlink()]
)
def test_the_response_log_edited_after_submission(place: Place, attack: Callable[[Path], object]) -> None:
    attack(place.folder / "submitted" / "anna" / "ch1" / "responses" / "ch1.jsonl")
    (fault,) = place.faults()
    assert fault.startswith("the response log of anna for ch1")


# ---- what can't be found --------------------------------------------------------------------


def test_not_found_a_change_and_its_row_forged_before_they_were_sealed(place: Place) -> None:
    """The unsealed window: whoever owns the database can write any history since the last seal."""
    mark(place, 3)
    end = heads(place)[0].size
    three, five = ('"manual_score":3.0', '"manual_score":5.0')
    if not place.sqlite:
        three, five = ('"manual_score": 3', '"manual_score": 5')
    place.past(
        f"UPDATE counterside_trail SET actor = 'os:bo', new = replace(new, '{three}', '{five}') WHERE seq = {end + 1}",
        f"UPDATE grade SET manual_score = 5 WHERE {MINE}",
    )
    place.seal()
    assert place.faults() == []


def test_not_found_history_since_the_last_witness_rewritten_by_the_holder_of_the_key(place: Place) -> None:
    """A colluding key holder: what nobody outside has seen can be told anew."""
    place.past(
        "DELETE FROM counterside_head", "UPDATE counterside_trail SET actor = 'os:bo' WHERE seq = 5",
    )  # fmt: skip
    for name in (HEADS, LEAVES):
        (place.seals / name).unlink()
    place.seal()
    assert place.faults() == []


def test_not_found_a_rightful_account_that_enters_a_wrong_mark(place: Place) -> None:
    mark(place, 0)
    place.seal()
    assert place.faults() == []


def test_not_found_a_time_that_the_seals_allow(place: Place) -> None:
    """Times are those of the machine: what is certain is the order, and between which seals."""
    mark(place, 3)
    first = heads(place)[0]
    place.past(f"UPDATE counterside_trail SET at = '{first.at}' WHERE seq = {first.size + 1}")
    place.seal()
    assert place.faults() == []
