"""Processes that are killed in the middle of grading: run again, and it is as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograde import batch
from autograde.batch import Result, grade
from autograde.place import ROOT, CourseError
from autograde.tables import gradebook
from autograde.workers import KILLED
from curriculum.load import Course
from tests.courses import Place, hand_in_course
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.slow

CHAPTERS = ("ch1", "ch6")
LEARNERS = [f"learner-{number:05}" for number in range(40)]
ALL = len(LEARNERS) * len(CHAPTERS)
CHUNK = 8
COMMAND = f"""
from autograde import batch
from autograde.cli import main
batch.CHUNK = {CHUNK}
raise SystemExit(main(["grade", "--workers", "2", {", ".join(map(repr, CHAPTERS))}]))"""
PATIENCE = 60.0  # seconds until something has to have happened
# Seen by Python when a process starts. In one that judges for another, one learner's submission is deadly.
DEADLY = """
import os, signal, sys
if any("spawn_main" in word for word in sys.orig_argv):
    from autograde import workers
    real = workers.judge
    def judge(course, job, folder):
        if job.learner == "{learner}" and job.chapter == "ch1":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(course, job, folder)
    workers.judge = judge
"""
STILLBORN = """
import os, signal, sys
if any("spawn_main" in word for word in sys.orig_argv):
    os.kill(os.getpid(), signal.SIGKILL)
"""


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
        assert hand_in_course(place, chapters, len(LEARNERS)) == LEARNERS
    return places


@pytest.fixture(scope="module")
def undisturbed(
    handed_in: dict[str, Place], tmp_path_factory: pytest.TempPathFactory, postgres: FreshDatabase
) -> dict[str, object]:
    """What one process leaves that nobody disturbs."""
    place = handed_in["sqlite"].copy(tmp_path_factory.mktemp("undisturbed") / "course", postgres)
    assert {result.state for result in graded_here(place).values()} == {"graded"}
    return place.graded(LEARNERS)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, handed_in: dict[str, Place], tmp_path: Path, postgres: FreshDatabase
) -> Place:
    return handed_in[request.param].copy(tmp_path / "course", postgres)


def graded_here(place: Place, **options: Any) -> dict[tuple[str, str], Result]:
    with place.meant() as data, gradebook(data.db_url) as engine:
        return {(one.learner, one.chapter): one for one in grade(data, engine, CHAPTERS, **options)}


def start(place: Place) -> subprocess.Popen[str]:
    environment = {**os.environ, **place.variables, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """Wait until something has happened, and say whether the process still runs."""
    until = time.monotonic() + PATIENCE
    while not happened():
        if process.poll() is not None:
            return False
        assert time.monotonic() < until
        time.sleep(0.01)
    return process.poll() is None


def committed(place: Place) -> int:
    (row,) = place.query("select count(*) from counterside_submission")
    return int(row[0])  # type: ignore[call-overload,no-any-return]


def moments(place: Place) -> list[Callable[[], bool]]:
    """From the first that can be seen of a run until there is next to nothing left to do."""

    def rows(count: int) -> Callable[[], bool]:
        return lambda: committed(place) >= count

    staging = place.folder / "autograded" / batch.STAGING
    return [
        lambda: any(staging.glob("*")),
        lambda: any((place.folder / "autograded").glob("*/*/*.ipynb")),
        *(rows(count) for count in (1, 2 * CHUNK, 4 * CHUNK, 7 * CHUNK)),
    ]


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the ids of the processes that judge for another."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children if "spawn_main" in command_of(int(child))]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def is_as_undisturbed(place: Place, undisturbed: dict[str, object]) -> bool:
    doubled = "select run_id, student_id, item from counterside_evidence group by 1, 2, 3 having count(*) > 1"
    assert place.query(doubled) == []
    assert not list((place.folder / "autograded").glob(".*"))
    return place.graded(LEARNERS) == undisturbed


def test_the_writer_is_killed_again_and_again(place: Place, undisturbed: dict[str, object]) -> None:
    # The tables of ours are made first, so that there is something to look at.
    with place.meant() as data, gradebook(data.db_url):
        pass
    before = 0
    for happened in moments(place):
        process = start(place)
        assert wait_until(happened, process)
        workers = workers_of(process)
        process.kill()
        process.communicate()
        # Those who judged for it have nobody to judge for.
        assert wait_until_gone(workers)
        assert before <= committed(place) < ALL
        before = committed(place)
    assert before >= 7 * CHUNK
    again = graded_here(place)
    assert sorted({result.state for result in again.values()}) == ["graded", "unchanged"]
    assert sum(result.state == "unchanged" for result in again.values()) == before
    assert is_as_undisturbed(place, undisturbed)


def wait_until_gone(pids: list[int]) -> bool:
    until = time.monotonic() + PATIENCE
    while any("spawn_main" in command_of(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_workers_are_killed_again_and_again(place: Place, undisturbed: dict[str, object]) -> None:
    with place.meant() as data, gradebook(data.db_url):
        pass
    process, killed = start(place), 0
    for happened in moments(place):
        if wait_until(lambda happened=happened: happened() and bool(workers_of(process)), process):  # type: ignore[misc]
            for worker in workers_of(process)[:1]:
                os.kill(worker, signal.SIGKILL)
                killed += 1
    said, _nothing = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert killed >= 5
    assert "Traceback" not in said
    assert is_as_undisturbed(place, undisturbed)


def test_no_worker_stays_alive(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(STILLBORN)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "CHUNK", CHUNK)
        patch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "hook"), str(ROOT))))
        with pytest.raises(CourseError, match="as soon as they begin; is there enough memory"):
            graded_here(place, workers=2)
    assert committed(place) == 0
    assert not list((place.folder / "autograded").iterdir())


def test_who_kills_the_worker_is_left_to_a_person(
    place: Place, undisturbed: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(DEADLY.format(learner=LEARNERS[9]))
    with monkeypatch.context() as patch:
        patch.setattr(batch, "CHUNK", CHUNK)
        patch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "hook"), str(ROOT))))
        results = graded_here(place, workers=2)
    assert {key: one.remarks for key, one in results.items() if one.state != "graded"} == {
        (LEARNERS[9], "ch1"): (KILLED,)
    }
    assert results[LEARNERS[9], "ch1"].state == "look"
    assert len(results) == ALL
    assert committed(place) == ALL - 1
    assert [one.state for one in graded_here(place).values() if one.state != "unchanged"] == ["graded"]
    assert is_as_undisturbed(place, undisturbed)
