"""A mark given in formgrader stands in the trail with the person who runs it."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import text

from autograde.place import ROOT
from autograde.serve import Lab
from autograde.tables import gradebook
from tests.audit.conftest import Graded


@pytest.mark.browser
def test_a_save_in_formgrader_names_the_person(graded: Graded, tmp_path: Path) -> None:
    with gradebook(graded.data.db_url) as engine, engine.connect() as connection:
        identity = connection.execute(text("SELECT min(id) FROM grade")).scalar_one()
    lab = Lab(ROOT, {"JUPYTERHUB_USER": "anna"}, tmp_path / "lab.log")
    with lab.running():
        request = urllib.request.Request(
            lab.address(f"formgrader/api/grade/{identity}"),
            data=json.dumps({"manual_score": 1.5, "extra_credit": None}).encode(),
            method="PUT",
            headers={"Authorization": f"token {lab.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            assert json.loads(answer.read())["manual_score"] == 1.5
    with gradebook(graded.data.db_url) as engine, engine.connect() as connection:
        query = "SELECT actor, tbl, op, row_id FROM counterside_trail ORDER BY seq DESC LIMIT 1"
        assert tuple(connection.execute(text(query)).one()) == ("hub:anna", "grade", "update", identity)
