"""A bundle is checked where there is neither database nor course, tells no names, and can't be altered unseen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from sqlalchemy import text

from autograde.audit.bundle import items, write_bundle
from autograde.audit.heads import seal
from autograde.audit.offline import read_item, verify_bundle
from autograde.place import CourseError
from autograde.tables import gradebook, writing
from autograde.workers import course_of_run
from curriculum.load import Course
from tests.audit.conftest import CHAPTERS, Graded


def bundle(graded: Graded, out: Path, *chapters: str, named: bool = False) -> Path:
    course = course_of_run()
    with gradebook(graded.data.db_url) as engine:
        write_bundle(graded.data, engine, [course.chapter(name) for name in chapters], out, named=named)
    return out


Alter = Callable[[dict[str, bytes]], None]


def altered(path: Path, alter: Alter) -> Path:
    """Return a copy of a bundle with something else in it."""
    with ZipFile(path) as old:
        files = {name: old.read(name) for name in old.namelist()}
    alter(files)
    copy = path.with_name("altered.zip")
    with ZipFile(copy, "w", ZIP_DEFLATED) as new:
        for name, data in files.items():
            new.writestr(name, data)
    return copy


def test_every_item_of_the_course_is_the_same_after_the_journey(whole_course: Course) -> None:
    for data in items(whole_course.chapters):
        item = read_item(json.loads(json.dumps(data)))
        there = whole_course.items[item.id]
        assert (item.hash, item.key_hash) == (there.hash, there.key_hash)


def test_a_bundle_is_checked_without_database_and_course(graded: Graded, tmp_path: Path) -> None:
    path = bundle(graded, tmp_path / "review.zip", *CHAPTERS)
    code = (
        "import sys, pathlib, curriculum.load as load\n"
        "def none(*_a, **_k): raise SystemExit('the course was read')\n"
        "load.load_course = none\n"
        "from autograde.cli import main\n"
        "sys.exit(main(['audit', 'verify', '--offline', sys.argv[1]]))"
    )
    nowhere = {**os.environ, "COUNTERSIDE_COURSE": str(tmp_path / "none"), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=tmp_path, env=nowhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all is as it was sealed" in done.stdout
    assert not (tmp_path / "none").exists()
    course = course_of_run()
    answers = 3 * sum(len(course.chapter(name).points) for name in CHAPTERS)
    assert f"{answers} answers were scored again" in done.stdout


def test_a_bundle_tells_no_names_unless_asked(graded: Graded, tmp_path: Path) -> None:
    with ZipFile(bundle(graded, tmp_path / "a.zip", *CHAPTERS)) as found:
        # Response logs are as the learner wrote them; the simulated ones have the name in each message's id.
        ours = [found.read(name) for name in found.namelist() if not name.startswith("responses/")]
        everything = b"\n".join(ours) + "".join(found.namelist()).encode()
        about = json.loads(found.read("about.json"))
    assert not any(name.encode() in everything for name in graded.learners)
    assert about["purpose"] == "review of grades by internal audit"
    assert "at the latest after a year" in about["retention"]
    named = bundle(graded, tmp_path / "b.zip", *CHAPTERS, named=True)
    assert verify_bundle(named).faults == []
    with ZipFile(named) as found:
        assert any(graded.learners[0] in name for name in found.namelist())


def test_a_bundle_of_one_chapter_tells_nothing_of_another(graded: Graded, tmp_path: Path) -> None:
    path = bundle(graded, tmp_path / "a.zip", "ch1")
    assert verify_bundle(path).faults == []
    with ZipFile(path) as found:
        rows = [json.loads(line) for line in found.read("trail.jsonl").splitlines()]
        names = found.namelist()
    chapters = {json.loads(row["row"][10])["assignment"] for row in rows if row.get("row", [""] * 7)[6] in (
        "counterside_evidence", "counterside_submission")}  # fmt: skip
    assert chapters == {"ch1"}
    assert not any("ch3" in name for name in names)
    grades = sum(row.get("row", [""] * 7)[6] == "grade" for row in rows)
    with gradebook(graded.data.db_url) as engine, engine.connect() as connection:
        query = (
            "SELECT count(*) FROM grade g JOIN base_cell b ON b.id = g.cell_id JOIN notebook n ON n.id = b.notebook_id "
            "WHERE n.name = 'ch1'"
        )
        assert grades == connection.execute(text(query)).scalar_one()


def rows_of(files: dict[str, bytes], tbl: str) -> Iterator[tuple[int, dict[str, Any], list[dict[str, Any]]]]:
    rows = [json.loads(line) for line in files["trail.jsonl"].splitlines()]
    for place, row in enumerate(rows):
        if row.get("row", [""] * 7)[6] == tbl:
            yield place, row, rows


def put(files: dict[str, bytes], rows: list[dict[str, Any]]) -> None:
    files["trail.jsonl"] = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def raise_a_score(files: dict[str, bytes]) -> None:
    _place, row, rows = next(rows_of(files, "counterside_evidence"))
    row["row"][10] = json.dumps({**json.loads(row["row"][10]), "earned": 99.0})
    put(files, rows)


def leave_a_row_out(files: dict[str, bytes]) -> None:
    files["trail.jsonl"] = b"".join(files["trail.jsonl"].splitlines(keepends=True)[:-4])


def swap_two_learners(files: dict[str, bytes]) -> None:
    logs = sorted(name for name in files if name.startswith("responses/"))
    files[logs[0]], files[logs[2]] = files[logs[2]], files[logs[0]]


def change_an_answer(files: dict[str, bytes]) -> None:
    log = next(name for name in sorted(files) if name.startswith("responses/"))
    files[log] = b"\n".join(line.replace(b'"ms":', b'"ms": ') for line in files[log].split(b"\n"))


def take_the_seals_out(files: dict[str, bytes]) -> None:
    del files["heads.jsonl"]


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (raise_a_score, "the rows of the bundle are not those that were sealed in seal 1"),
        (leave_a_row_out, "rows of the trail, and"),
        (swap_two_learners, "the answer that was graded is not the one in the response log"),
        (change_an_answer, "the answer that was graded is not the one in the response log"),
        (take_the_seals_out, "there is no seal in the bundle"),
    ],
)
def test_an_altered_bundle_is_found(graded: Graded, tmp_path: Path, alter: Alter, words: str) -> None:
    path = bundle(graded, tmp_path / "review.zip", *CHAPTERS)
    assert any(words in fault for fault in verify_bundle(altered(path, alter)).faults)


def test_a_changed_key_scores_nothing_and_is_said(graded: Graded, tmp_path: Path) -> None:
    path = bundle(graded, tmp_path / "review.zip", *CHAPTERS)

    def harder(files: dict[str, bytes]) -> None:
        found: list[Mapping[str, Any]] = json.loads(files["items.json"])
        for item in found:
            item["head"]["revision"] = 7  # type: ignore[index]
        files["items.json"] = json.dumps(found).encode()

    report = verify_bundle(altered(path, harder))
    assert "0 answers were scored again" in report.remarks
    assert any("the item or its key is another one now" in note for note in report.remarks)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", b"{}"])
def test_what_is_no_bundle_is_said_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(CourseError, match=r"x\.zip is no bundle that can be read"):
        verify_bundle(tmp_path / "x.zip")


def test_an_automatic_score_that_its_evidence_does_not_have(graded: Graded, tmp_path: Path) -> None:
    with gradebook(graded.data.db_url) as engine:
        with writing(engine) as connection:
            connection.execute(text("UPDATE grade SET auto_score = auto_score + 0.25 WHERE auto_score > 1"))
        seal(engine, graded.data.seals, graded.data.seal_key)
    found = verify_bundle(bundle(graded, tmp_path / "review.zip", *CHAPTERS)).faults
    assert found[0].startswith("the automatic score of learner-")
    assert found[-1].startswith("… and ")
