"""A bundle is checked where there is neither database nor course, tells no names, and can't be altered unseen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from sqlalchemy import text

from autograde.audit.bundle import items, write_bundle
from autograde.audit.erase import erase, rename_work
from autograde.audit.heads import seal
from autograde.audit.offline import read_item, verify_bundle
from autograde.audit.trail import give_reason, install, record_release
from autograde.audit.verify import verify
from autograde.audit.who import because
from autograde.course_data import CourseData
from autograde.place import CourseError
from autograde.tables import gradebook, writing
from autograde.workers import course_of_run
from curriculum.load import Course
from tests.audit.conftest import CHAPTERS, Graded, raw


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
    with gradebook(graded.data.db_url) as engine, engine.connect() as connection:
        answered = connection.execute(text("SELECT count(line) FROM counterside_evidence")).scalar_one()
    assert 0 < answered < answers
    assert f"note   {answers} exercises of 3 learners, {answered} answered, scored again" in done.stdout


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
    assert "0 exercises of 0 learners, 0 answered, scored again" in report.remarks
    assert any("the item or its key is another one now" in note for note in report.remarks)


def test_a_bundle_gives_the_notes_that_the_gradebook_gives(
    graded: Graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(graded.data.folder, tmp_path / "course")
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "course"))
    data = CourseData()
    one, other, third = graded.learners
    of = (
        "id = (SELECT min(g.id) FROM grade g JOIN submitted_notebook n ON n.id = g.notebook_id JOIN "
        "submitted_assignment s ON s.id = n.assignment_id WHERE s.student_id = '{}' AND g.auto_score IS NOT NULL)"
    )  # a first mark of what waits for one would need no reason
    with gradebook(data.db_url) as engine:
        for chapter in CHAPTERS:
            record_release(engine, chapter, {one: "a", other: "b"})
        for learner, why in ((one, None), (other, "an appeal"), (third, None)):
            with because(why or ""), writing(engine) as connection:
                connection.execute(text(f"UPDATE grade SET manual_score = 1 WHERE {of.format(learner)}"))
        raw(data.db_url, f"UPDATE grade SET manual_score = 2 WHERE {of.format(one)}")  # nobody is named for it
        raw(data.db_url, "DROP TRIGGER counterside_update_comment")
        install(engine)
        with engine.connect() as connection:
            last = connection.execute(text("SELECT max(seq) FROM counterside_trail")).scalar_one()
        give_reason(engine, [last], "a migration")
        pseudonym, _rows = erase(engine, third, "asked for")
        rename_work([data.submitted], third, pseudonym)
        raw(data.db_url, "CREATE INDEX mine ON grade (manual_score)")
        seal(engine, data.seals, data.seal_key)
        there = verify(data.db_url, data.seals, data.submitted).remarks
        course = course_of_run()
        for chapters in (CHAPTERS, ("ch1",)):
            chosen = [course.chapter(name) for name in chapters]
            write_bundle(data, engine, chosen, tmp_path / f"{len(chapters)}.zip")
    report = verify_bundle(tmp_path / "2.zip")
    for begin in ("between seal 1 and 2 the database was changed: index mine was added", "no trail was kept for a time",
                  "a learner's personal data were erased", "1 row was written by somebody",
                  "2 changes of marks, comments or dates after feedback was released, no reason given"):  # fmt: skip
        assert sum(words.startswith(begin) for words in there) == 1, begin
    assert set(there) <= set(report.remarks)
    assert len([words for words in report.remarks if words not in there]) == 2  # what it is for, what was scored
    assert report.faults == []
    assert verify_bundle(tmp_path / "1.zip").faults == []


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
