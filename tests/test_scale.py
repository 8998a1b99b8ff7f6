"""The gradebook on PostgreSQL: the same as on SQLite, and one sentence for what goes wrong."""

from __future__ import annotations

import csv
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, make_url
from sqlalchemy.exc import DBAPIError

from autograde import batch
from autograde.batch import Result, grade
from autograde.cli import main
from autograde.gradewriter import Graded, GradeWriter
from autograde.place import ROOT, CourseError
from autograde.tables import SUBMISSION, gradebook, nbgrader_tables, open_to_read
from curriculum.load import Course
from tests.courses import Place, hand_in_course
from tests.postgres import ASKED, FreshDatabase

CHAPTERS = ("ch1", "ch6")
FIRST, SECOND, THIRD, FOURTH = LEARNERS = tuple(f"learner-{number:05}" for number in range(4))


@pytest.fixture(scope="module")
def handed_in(
    tmp_path_factory: pytest.TempPathFactory, whole_course: Course, postgres: FreshDatabase
) -> dict[str, Place]:
    """A course with submissions that nobody has graded, its gradebook on one database and on the other."""
    chapters = [whole_course.chapter(name) for name in CHAPTERS]
    places = {
        "sqlite": Place(tmp_path_factory.mktemp("sqlite") / "course"),
        "postgresql": Place(tmp_path_factory.mktemp("postgresql") / "course", postgres()),
    }
    for place in places.values():
        assert hand_in_course(place, chapters, len(LEARNERS)) == list(LEARNERS)
    return places


@pytest.fixture
def places(handed_in: dict[str, Place], tmp_path: Path, postgres: FreshDatabase) -> dict[str, Place]:
    """A copy of each, to be graded."""
    return {name: place.copy(tmp_path / name, postgres) for name, place in handed_in.items()}


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, handed_in: dict[str, Place], tmp_path: Path, postgres: FreshDatabase
) -> Place:
    """A copy of one of them, to be graded."""
    return handed_in[request.param].copy(tmp_path / "course", postgres)


def run(place: Place, **options: object) -> dict[tuple[str, str], Result]:
    with place.meant() as data, gradebook(data.db_url) as engine:
        return {(one.learner, one.chapter): one for one in grade(data, engine, CHAPTERS, **options)}  # type: ignore[arg-type]


def states(results: dict[tuple[str, str], Result]) -> set[str]:
    return {result.state for result in results.values()}


def said_by(place: Place, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with place.meant():
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
    return code, out + err


def exported(place: Place) -> list[list[str]]:
    """Return what `nbgrader export` writes, without its words for times, which bear the database's own digits."""
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "export", "--to", place.folder / "grades.csv"],
        cwd=ROOT, env=dict(place.variables), check=True, capture_output=True,
    )  # fmt: skip
    with (place.folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        return sorted(csv.reader(file))


def test_postgresql_holds_what_sqlite_does(places: dict[str, Place], capsys: pytest.CaptureFixture[str]) -> None:
    for place in places.values():
        # Graded; then marked, due, and one answer taken back: graded again.
        assert states(run(place)) == {"graded"}
        grade_of = f"""(select g.id from grade g join base_cell b on b.id = g.cell_id
            join submitted_notebook n on n.id = g.notebook_id join submitted_assignment s on s.id = n.assignment_id
            where s.student_id = '{THIRD}' and b.name = """
        place.query(f"update grade set manual_score = 2.5 where id = {grade_of} 'e1-1-1')")
        place.query(f"update grade set extra_credit = 1.5 where id = {grade_of} 'e1-1-2')")
        place.query("update assignment set duedate = '2026-09-01 06:00:00.000000'")
        log = place.folder / "submitted" / SECOND / "ch1" / "responses" / "ch1.jsonl"
        log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:2]))
        again = run(place)
        assert {key for key, result in again.items() if result.state != "unchanged"} == {(SECOND, "ch1")}
        assert states(run(place, force=True)) == {"graded"}
    sqlite, postgresql = places.values()
    expected = sqlite.graded(LEARNERS)
    assert len(expected["grades"]) == 4 * 11  # type: ignore[arg-type]
    assert postgresql.graded(LEARNERS) == expected
    assert exported(postgresql) == exported(sqlite)
    assert len(exported(sqlite)) == 1 + len(LEARNERS) * len(CHAPTERS)
    for words in (("feedback", "--all"), ("gradebook",), ("regrade", "--all", "--dry-run")):
        told = [said_by(place, capsys, *words) for place in places.values()]
        assert [code for code, _words in told] == [0, 0]
        if words != ("feedback", "--all"):
            assert told[0] == told[1]
    pages = [
        {page.name: page.read_text("utf-8") for page in place.folder.glob("feedback/*/*/*.html")}
        for place in places.values()
    ]
    assert pages[0] == pages[1] != {}
    (code, mine), (_code, theirs) = (said_by(place, capsys, "explain", THIRD, "e1-1-1") for place in places.values())
    lines = [[line for line in told.splitlines() if "run " not in line] for told in (mine, theirs)]
    assert code == 0
    assert lines[0] == lines[1]
    assert mine.count("Before that: ") == theirs.count("Before that: ") == 1


def test_reading_cannot_write(place: Place) -> None:
    engine = open_to_read(place.db_url)
    student = nbgrader_tables(engine)["student"]
    with pytest.raises(DBAPIError, match=r"read-?only"), engine.begin() as connection:
        connection.execute(insert(student), {"id": "somebody"})
    engine.dispose()
    assert place.query("select id from student") == []


def test_one_that_cannot_be_written_costs_nobody_else_anything(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = GradeWriter._digests

    def twice(self: GradeWriter, connection: Connection, chapter: str, some: Sequence[Graded]) -> None:
        """As if another hand had been quicker with one of them: the database refuses a second row of the same key."""
        real(self, connection, chapter, some)
        if chapter == "ch1" and any(one.learner == SECOND for one in some):
            row = {"student_id": SECOND, "assignment": chapter, "run_id": "", "digest": "", "state": ""}
            connection.execute(insert(SUBMISSION), row)

    with monkeypatch.context() as patch:
        patch.setattr(GradeWriter, "_digests", twice)
        results = run(place)
    assert {key for key, one in results.items() if one.state != "graded"} == {(SECOND, "ch1")}
    assert results[SECOND, "ch1"].state == "look"
    assert "could not be written (IntegrityError)" in results[SECOND, "ch1"].remarks[0]
    assert place.query(f"select * from counterside_evidence where student_id = '{SECOND}' and assignment = 'ch1'") == []
    assert len(place.query("select * from counterside_submission")) == len(LEARNERS) * len(CHAPTERS) - 1
    again = run(place)
    assert {key for key, one in again.items() if one.state != "unchanged"} == {(SECOND, "ch1")}
    assert again[SECOND, "ch1"].state == "graded"


def test_what_is_nobodys_fault_ends_the_run_in_one_sentence(place: Place) -> None:
    run(place)
    before = place.graded(LEARNERS)
    place.query("alter table comment rename to elsewhere")
    with pytest.raises(CourseError, match="this is no gradebook of nbgrader"):
        run(place, force=True)
    place.query("alter table elsewhere rename to comment")
    assert place.graded(LEARNERS) == before


# ---- the address of the gradebook -----------------------------------------------------------


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The sentence that a command ends with when the gradebook is at an address."""

    def told(address: str, *words: str) -> str:
        monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "course"))
        monkeypatch.setenv("COUNTERSIDE_DB", address)
        assert main(words) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert "Traceback" not in err
        assert "geheim" not in err
        assert len(err.splitlines()) == 1
        return err

    return told


COMMANDS = pytest.mark.parametrize("words", [("grade", "--all"), ("gradebook",), ("explain", FIRST, "e1-1-1")])


@COMMANDS
def test_no_server(told: Callable[..., str], words: tuple[str, ...]) -> None:
    said = told(f"postgresql+psycopg://clerk:geheim@127.0.0.1:{unused_port()}/grades", *words)
    assert said.startswith("the gradebook can't be opened: connection to server at ")
    assert "Connection refused" in said


@COMMANDS
def test_wrong_password(told: Callable[..., str], words: tuple[str, ...], postgres: FreshDatabase) -> None:
    url = make_url(postgres())
    Place(Path(), url.render_as_string(hide_password=False)).query(
        f"do $$ begin create role {ASKED} login password 'right'; exception when duplicate_object then null; end $$"
    )
    said = told(url.set(username=ASKED, password="geheim").render_as_string(hide_password=False), *words)
    assert said == f'the gradebook can\'t be opened: password authentication failed for user "{ASKED}"\n'


@COMMANDS
def test_no_such_database(told: Callable[..., str], words: tuple[str, ...], postgres: FreshDatabase) -> None:
    url = make_url(postgres()).set(database="nowhere", password="geheim")
    said = told(url.render_as_string(hide_password=False), *words)
    assert said == 'the gradebook can\'t be opened: database "nowhere" does not exist\n'


@COMMANDS
def test_an_empty_database(told: Callable[..., str], words: tuple[str, ...], postgres: FreshDatabase) -> None:
    assert told(postgres(), *words).startswith("there is no gradebook yet")


@pytest.mark.parametrize(
    "address", ["geheim", "mysql://clerk:geheim@127.0.0.1/grades", "postgresql+psycopg://clerk:geheim@h:port/grades"]
)
def test_no_address_of_a_database(told: Callable[..., str], address: str) -> None:
    assert "mend COUNTERSIDE_DB" in told(address, "grade", "--all")


def test_a_driver_that_is_not_there(told: Callable[..., str]) -> None:
    assert "pip install 'counterside[postgres]'" in told("postgresql+pg8000://c:geheim@h/grades", "grade", "--all")


def test_the_server_goes_away_in_the_middle(places: dict[str, Place], monkeypatch: pytest.MonkeyPatch) -> None:
    place, real, count = places["postgresql"], batch.write_rows, iter(range(100))
    name = make_url(place.db_url).database

    def cut_off(*words: object) -> list[Result]:
        if next(count) == 1:
            admin = Place(place.folder, str(make_url(place.db_url).set(database="postgres")))
            admin.query(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        return real(*words)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(batch, "CHUNK", 2)
        patch.setattr(batch, "write_rows", cut_off)
        with pytest.raises(CourseError, match=r"could not be read or written .*run the same command again"):
            run(place)
    assert len(place.query("select * from counterside_submission")) == 2
    assert sorted(one.state for one in run(place).values()) == ["graded"] * 6 + ["unchanged"] * 2
    run(places["sqlite"])
    assert place.graded(LEARNERS) == places["sqlite"].graded(LEARNERS)


def test_the_demo_keeps_to_a_gradebook_of_its_own(told: Callable[..., str]) -> None:
    assert told("postgresql+psycopg://h/grades", "demo") == (
        "the demo keeps a gradebook of its own; unset COUNTERSIDE_DB, which names another\n"
    )
