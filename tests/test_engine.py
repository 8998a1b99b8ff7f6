"""The engine on logs that learners hand in, whatever they hold; and notebooks that were edited."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from autograde.engine import Outcome, Verdict, assess, earned
from autograde.tampering import differences
from curriculum.build import build
from curriculum.load import Chapter, Course

POINTS = {"e3-1-1": 6.0, "e3-1-2": 9.0, "e3-1-3": 7.0, "e3-1-4": 2.0}
FIRST = "e3-1-1"
Within = Callable[[float], AbstractContextManager[None]]
WriteLog = Callable[[Path, Iterable[tuple[str, Any]]], Path]


@pytest.fixture
def chapter(course: Course) -> Chapter:
    return course.chapter("ch3")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "responses").mkdir()
    return tmp_path / "responses" / "ch3.jsonl"


@pytest.fixture
def full(log: Path, write_log: WriteLog, perfect: Mapping[str, Any]) -> Path:
    """A log that earns everything."""
    return write_log(log, perfect.items())


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    # Whatever is wrong with a log, nbgrader has to write the verdict into a notebook.
    assert Verdict.model_validate_json(verdict.model_dump_json().encode()) == verdict
    found = {outcome.item: outcome for outcome in verdict.outcomes}
    assert {name: outcome.points for name, outcome in found.items()} == POINTS
    for outcome in verdict.outcomes:
        assert 0 <= outcome.earned <= outcome.points
    return found


def scores(verdict: Verdict) -> dict[str, float]:
    return {name: outcome.earned for name, outcome in outcomes(verdict).items()}


def nothing() -> dict[str, float]:
    return dict.fromkeys(POINTS, 0.0)


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def edit(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> Path:
    """Change the records of a log as a forger would."""
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(records)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_perfect_answers_earn_all_points(chapter: Chapter, full: Path) -> None:
    verdict = assess(chapter, full)
    assert scores(verdict) == POINTS
    assert (verdict.state, verdict.notes, verdict.refused, verdict.language) == ("graded", (), None, "en")
    for number, outcome in enumerate(verdict.outcomes, start=1):
        assert (outcome.state, outcome.seq, outcome.missing) == ("graded", number, None)


def test_partial_answers_by_hand(chapter: Chapter, log: Path, write_log: WriteLog, perfect: Mapping[str, Any]) -> None:
    order = perfect[FIRST]["order"]
    answers = [
        (FIRST, {"order": order[:-2] + order[-1:]}),  # one step missing: 13 of 14
        ("e3-1-2", {"path": ["keep-distance"]}),  # 3 of 21, and no more for breaking off
        ("e3-1-3", {"marked": ["drop-by", "both-hands"]}),  # 3 − 1 = 2 of 18
    ]
    verdict = assess(chapter, write_log(log, answers))
    # name-deadline is missing, and it must precede bid-farewell: capped at .5.
    expected = {FIRST: 6 * 0.5, "e3-1-2": 9 * 3 / 21, "e3-1-3": 7 * 2 / 18, "e3-1-4": 0}
    assert scores(verdict) == pytest.approx(expected, abs=1e-9)
    assert outcomes(verdict)["e3-1-4"].state == "unanswered"


def test_hidden_test_gets_a_finite_float(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(full.parent.parent)
    for name, points in POINTS.items():
        assert type(earned(name)) is float
        assert earned(name) == points


# --- logs as a whole


@pytest.mark.parametrize("data", [None, b"", b"\n\n"], ids=["no file", "empty", "blank lines"])
def test_nothing_answered(chapter: Chapter, log: Path, data: bytes | None) -> None:
    if data is not None:
        log.write_bytes(data)
    verdict = assess(chapter, log)
    assert scores(verdict) == nothing()
    assert {outcome.state for outcome in verdict.outcomes} == {"unanswered"}
    assert (verdict.refused, verdict.notes, verdict.receipt) == (None, (), None)


def test_torn_log_counts_up_to_the_tear(chapter: Chapter, full: Path) -> None:
    os.truncate(full, full.stat().st_size - 40)
    verdict = assess(chapter, full)
    assert scores(verdict) == {**POINTS, "e3-1-4": 0}
    assert verdict.refused is None


def test_binary_log_is_named_and_earns_nothing(chapter: Chapter, log: Path) -> None:
    log.write_bytes(bytes(range(256)) * 64)
    verdict = assess(chapter, log)
    assert scores(verdict) == nothing()
    assert verdict.state == "look"
    assert verdict.notes


def test_thousands_of_bad_lines_are_summed_up(chapter: Chapter, log: Path) -> None:
    log.write_bytes(b"x\n" * 19_000 + b"{}\n" * 900)
    verdict = assess(chapter, log)
    assert scores(verdict) == nothing()
    # A person has to read the notes; nobody reads 19,900 of them.
    assert 0 < len(verdict.notes) <= 50


def test_log_of_50_mb_is_refused(chapter: Chapter, full: Path) -> None:
    os.truncate(full, 50 * 2**20)
    verdict = assess(chapter, full)
    assert scores(verdict) == nothing()
    assert verdict.state == "refused"
    assert "50 MiB" in str(verdict.refused)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, link])
def test_log_that_is_no_file_is_refused(
    chapter: Chapter, log: Path, make: Callable[[Path], None], within: Within
) -> None:
    make(log)
    with within(5):
        verdict = assess(chapter, log)
    assert scores(verdict) == nothing()
    assert verdict.state == "refused"
    assert "ch3.jsonl" in str(verdict.refused)


# --- one bad record: its item earns nothing, the others everything

SHAPES: dict[str, Any] = {
    "null": None,
    "text": "all of them",
    "number": 1e308,
    "list": [["order"]],
    "no field": {},
    "other type's response": {"marked": ["smiles-on"]},
    "more fields": {"order": [], "earned": 25},
    "no list": {"order": "greet-seat"},
    "numbers": {"order": [1, 2, 3]},
    "nested": {"order": [["greet-seat"]]},
    "unknown id": {"order": ["greet-seat", "bow-deep"]},
    "id twice": {"order": ["greet-seat", "greet-seat"]},
    "too many": {"order": [f"step-{n}" for n in range(1000)]},
    "very long id": {"order": ["x" * 50_000]},
}
# What no record can hold.
UNREADABLE: dict[str, Any] = {
    "lone surrogate": {"order": ["\ud800"]},
    "lone surrogate as field": {"\ud800": 1},
    "deep": {"order": json.loads("[" * 500 + "]" * 500)},
}


@pytest.mark.parametrize("response", SHAPES.values(), ids=SHAPES.keys())
def test_invalid_response_costs_its_item_only(chapter: Chapter, full: Path, response: Any) -> None:
    edit(full, lambda records: records[0].update(response=response))
    verdict = assess(chapter, full)
    assert scores(verdict) == {**POINTS, FIRST: 0}
    assert outcomes(verdict)[FIRST].state == "invalid"
    assert verdict.state == "look"
    assert any(remark.startswith(FIRST) for remark in verdict.remarks)
    assert all(note.about != "engine" for note in verdict.notes)
    assert max(map(len, verdict.remarks)) < 300


@pytest.mark.parametrize("response", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_line_that_no_record_can_be_costs_its_item_only(chapter: Chapter, full: Path, response: Any) -> None:
    edit(full, lambda records: records[0].update(response=response))
    verdict = assess(chapter, full)
    assert scores(verdict) == {**POINTS, FIRST: 0}
    assert outcomes(verdict)[FIRST].state == "unanswered"
    assert (verdict.state, verdict.remarks[0]) == ("look", "line 1 is no record and passed over")


def test_unknown_item_is_named_and_costs_nothing(chapter: Chapter, full: Path) -> None:
    edit(full, lambda records: records.append({**records[0], "item": "e9-9-9", "id": "stranger", "seq": 5}))
    verdict = assess(chapter, full)
    assert scores(verdict) == POINTS
    assert any("e9-9-9" in remark for remark in verdict.remarks)


def test_hash_of_another_revision_is_named(chapter: Chapter, full: Path) -> None:
    edit(full, lambda records: records[0].update(hash="0" * 64))
    verdict = assess(chapter, full)
    assert {**scores(verdict), FIRST: 6} == POINTS
    assert any(FIRST in remark and "revision" in remark for remark in verdict.remarks)
    assert verdict.state == "look"


def test_answers_after_a_restart_do_not_count(chapter: Chapter, full: Path) -> None:
    def restart(records: list[dict[str, Any]]) -> None:
        records[1]["response"] = {"path": ["cheerful-approach"]}  # 0 points
        records.append({**records[1], "seq": 5, "id": "again", "kind": "restart", "response": None})
        records.append({**records[1], "seq": 6, "id": "better", "response": {"path": ["keep-distance"]}})

    assert scores(assess(chapter, edit(full, restart))) == {**POINTS, "e3-1-2": 0}


def test_forged_scores_in_the_log_are_no_records(chapter: Chapter, log: Path) -> None:
    log.write_text(json.dumps({"item": FIRST, "earned": 25, "points": 1000}) + "\n")
    verdict = assess(chapter, log)
    assert scores(verdict) == nothing()
    assert verdict.notes


# --- edited notebooks


@pytest.fixture(scope="module")
def released(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("released")
    build(course, folder)
    return folder / "source" / "ch3" / "ch3.ipynb"


def cell(cells: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(cell for cell in cells if cell["id"] == name)


def add(cells: list[dict[str, Any]]) -> Any:
    cells.append({"cell_type": "code", "id": "mine", "metadata": {}, "source": "1", "outputs": []})


EDITS: dict[str, tuple[Callable[[list[dict[str, Any]]], Any], list[str]]] = {
    "nothing": (lambda cells: None, []),
    "outputs only": (lambda cells: cell(cells, FIRST).update(outputs=[{}], execution_count=3), []),
    "deleted": (lambda cells: cells.remove(cell(cells, FIRST)), [FIRST, "deleted"]),
    "duplicated": (lambda cells: cells.append(dict(cell(cells, FIRST))), [FIRST, "2 times"]),
    "retyped": (lambda cells: cell(cells, FIRST).update(cell_type="raw"), [FIRST, "type"]),
    "new points": (lambda cells: cell(cells, FIRST)["metadata"]["nbgrader"].update(points=1000), [FIRST, "nbgrader"]),
    "made manual": (
        lambda cells: cell(cells, FIRST)["metadata"]["nbgrader"].update(solution=True),
        [FIRST, "nbgrader"],
    ),
    "no metadata": (lambda cells: cell(cells, FIRST).update(metadata=None), [FIRST, "nbgrader"]),
    "other language": (
        lambda cells: cells[0]["metadata"]["counterside"].update(lang="fr"),
        [],
    ),  # the lesson bears on no grade
    "other code": (lambda cells: cell(cells, FIRST).update(source="25.0"), [FIRST, "text"]),
    "source a number": (lambda cells: cell(cells, FIRST).update(source=25), [FIRST, "text"]),
    "other theory": (lambda cells: cells[0].update(source=["# mine"]), []),
    "added": (add, ["1 cell was added"]),
    "two added": (lambda cells: [add(cells) for _ in "ab"], ["2 cells were added"]),
    "renamed": (lambda cells: cell(cells, FIRST).update(id="e9"), [FIRST, "deleted", "added"]),
    "id a list": (lambda cells: cell(cells, FIRST).update(id=[FIRST]), [FIRST, "deleted"]),
    "no cells": (lambda cells: cells.clear(), [FIRST, "deleted"]),
}


@pytest.mark.parametrize(("change", "said"), EDITS.values(), ids=EDITS.keys())
def test_edits_of_the_notebook_are_said_in_words(
    released: Path, tmp_path: Path, change: Callable[[list[dict[str, Any]]], Any], said: list[str]
) -> None:
    notebook = json.loads(released.read_text("utf-8"))
    change(notebook["cells"])
    submitted = tmp_path / "ch3.ipynb"
    submitted.write_text(json.dumps(notebook), "utf-8")
    notes = "; ".join(differences(released, submitted))
    assert bool(notes) == bool(said)
    for word in said:
        assert word in notes


NO_NOTEBOOKS: dict[str, bytes] = {
    "empty": b"",
    "invalid UTF-8": b'{"cells": [{"id": "\xff\xfe"}]}',
    "no JSON": b"<html>",
    "a list": b"[]",
    "no cells": b"{}",
    "cells a text": b'{"cells": "e3-1-1"}',
    "cells are texts": b'{"cells": ["e3-1-1"]}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep id": b'{"cells": [{"id": ' + b"[" * 900 + b"]" * 900 + b"}]}",
    "huge number": b'{"cells": [{"id": ' + b"9" * 5000 + b"}]}",
    "lone surrogate": b'{"cells": [{"id": "\\ud800", "source": "\\ud800"}]}',
    "17 MB": b" " * 17 * 2**20,
}


@pytest.mark.parametrize("data", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS.keys())
def test_a_file_that_is_no_notebook_is_said_in_words(released: Path, tmp_path: Path, data: bytes) -> None:
    submitted = tmp_path / "ch3.ipynb"
    submitted.write_bytes(data)
    notes = differences(released, submitted)
    assert notes
    assert all(note.encode() for note in notes)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, link, lambda path: None])
def test_a_notebook_that_is_no_file_is_said_in_words(
    released: Path, tmp_path: Path, make: Callable[[Path], None], within: Within
) -> None:
    make(tmp_path / "ch3.ipynb")
    with within(5):
        assert len(differences(released, tmp_path / "ch3.ipynb")) == 1


@pytest.mark.parametrize("depth", range(880, 1000, 7))
def test_no_depth_of_nesting_raises(released: Path, tmp_path: Path, depth: int) -> None:
    submitted = tmp_path / "ch3.ipynb"
    deep = "[" * depth + "]" * depth
    submitted.write_text(f'{{"cells": [{{"id": "{FIRST}", "source": [{deep}], "metadata": {{"nbgrader": {deep}}}}}]}}')
    assert differences(released, submitted)
