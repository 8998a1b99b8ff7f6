"""Grading and releasing leave the trail that auditors count on, and seal it."""

from __future__ import annotations

import json
import warnings

import pytest
from sqlalchemy import text

from autograde.audit.after import seal_run
from autograde.audit.heads import HEADS, read_heads
from autograde.audit.trail import size
from autograde.audit.verify import verify
from autograde.audit.who import person
from autograde.cli import main
from autograde.handback import write_feedback
from autograde.tables import gradebook
from tests.audit.conftest import CHAPTERS, Graded


def test_all_that_a_run_writes_names_run_and_person(graded: Graded) -> None:
    with gradebook(graded.data.db_url) as engine, engine.connect() as connection:
        (run,) = connection.execute(text("SELECT id FROM counterside_run")).scalars()
        query = "SELECT DISTINCT actor, run_id FROM counterside_trail WHERE tbl IN ('grade', 'counterside_evidence')"
        assert [tuple(row) for row in connection.execute(text(query))] == [(person(), run)]
        written = "SELECT count(*) FROM counterside_trail WHERE tbl = 'grade' AND op = 'insert'"
        there = "SELECT count(*) FROM grade"
        assert connection.execute(text(written)).scalar_one() == connection.execute(text(there)).scalar_one() > 0


def test_grading_seals_at_its_end(graded: Graded, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(read_heads(graded.data.seals / HEADS)[0])
    assert main(["grade", *CHAPTERS, "--workers", "1", "--force"]) == 0
    head = read_heads(graded.data.seals / HEADS)[0][-1]
    assert head.number == before + 1
    assert f"Sealed: {head.size} rows of the trail, seal {head.number}." in capsys.readouterr().out
    assert verify(graded.data.db_url, graded.data.seals, graded.data.submitted).faults == []


def test_releasing_feedback_leaves_a_row_for_each_page_that_is_new(graded: Graded) -> None:
    query = "SELECT new, person_new FROM counterside_trail WHERE tbl = 'counterside_event' AND seq > :seq"
    with gradebook(graded.data.db_url) as engine:
        for _result in write_feedback(graded.data, engine, ["ch1"]):
            pass
        with engine.connect() as connection:
            before = size(connection)
    for _again in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            graded.data.instructor("release_feedback", "ch1")
        with gradebook(graded.data.db_url) as engine, engine.connect() as connection:
            rows = connection.execute(text(query), {"seq": before}).all()
        assert [(json.loads(new)["kind"], json.loads(new)["chapter"]) for new, _who in rows] == [
            ("feedback", "ch1")
        ] * 3
        assert [json.loads(who)["learner"] for _new, who in rows] == graded.learners
    with gradebook(graded.data.db_url) as engine:
        assert seal_run(graded.data, engine) == "Nothing was to be sealed."


def test_a_run_without_a_trail_or_with_a_strange_one_says_so_and_goes_on(graded: Graded) -> None:
    with gradebook(graded.data.db_url) as engine:
        with engine.connect() as connection:
            connection.execute(text("DROP TRIGGER counterside_update_grade"))
            connection.commit()
        said = seal_run(graded.data, engine)
        assert said.startswith("Not sealed: counterside_update_grade is missing")
        with engine.connect() as connection:
            connection.execute(text("DROP TABLE counterside_trail"))
            connection.commit()
        assert seal_run(graded.data, engine).startswith("No trail is kept of this gradebook")
