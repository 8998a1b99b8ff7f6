"""Grading on a Dask cluster: the same as in one process, whoever dies on the way, and whatever a worker says."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import dask
import pytest
from distributed import Client, LocalCluster
from sqlalchemy import Engine

from autograde import batch, cluster
from autograde.batch import Result, grade
from autograde.cli import main
from autograde.cluster import KILLED, OTHER_FILES, Batch, Returned, accept, returned
from autograde.config import CourseConfig
from autograde.place import ROOT, CourseError
from autograde.submission import Judged, scorer
from autograde.tables import gradebook
from autograde.workers import Unjudged, judge_chunk
from curriculum.load import Course
from tests.courses import Place, hand_in_course
from tests.postgres import FreshDatabase
from tests.test_kills import DEADLY

CHAPTERS = ("ch1", "ch6")
LEARNERS = [f"learner-{number:05}" for number in range(24)]
ALL = len(LEARNERS) * len(CHAPTERS)
PATIENCE = 60.0  # seconds


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory, whole_course: Course) -> Place:
    place = Place(tmp_path_factory.mktemp("cluster") / "course")
    chapters = [whole_course.chapter(name) for name in CHAPTERS]
    assert hand_in_course(place, chapters, len(LEARNERS)) == LEARNERS
    return place


@pytest.fixture
def place(
    handed_in: Place, tmp_path: Path, postgres: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    monkeypatch.setattr(batch, "CHUNK", 4)
    place = handed_in.copy(tmp_path / "course", postgres)
    with place.meant():
        yield place


@pytest.fixture(scope="module")
def undisturbed(
    handed_in: Place, tmp_path_factory: pytest.TempPathFactory, postgres: FreshDatabase
) -> dict[str, object]:
    """What one process leaves that nobody disturbs."""
    place = handed_in.copy(tmp_path_factory.mktemp("undisturbed") / "course", postgres)
    with place.meant():
        graded(place)
    return place.graded(LEARNERS)


@contextmanager
def local_cluster(workers: int) -> Iterator[str]:
    """A cluster of processes on this machine; yields the scheduler's address."""
    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as made:
        yield made.scheduler_address


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with local_cluster(2) as made:
            yield made


def graded(
    place: Place, dask: str | None = None, then: Callable[[int], None] = lambda _count: None
) -> dict[tuple[str, str], Result]:
    """Grade; `then` is called after each result with their number so far."""
    found: dict[tuple[str, str], Result] = {}
    with gradebook(place.db_url) as engine:
        for result in results(engine, dask):
            found[result.learner, result.chapter] = result
            then(len(found))
    return found


def results(engine: Engine, address: str | None) -> Iterator[Result]:
    return grade(CourseConfig(), engine, CHAPTERS, dask=address)


def test_a_cluster_gives_what_one_process_does(
    place: Place, address: str, undisturbed: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", *CHAPTERS, "--dask", address]) == 0
    assert place.graded(LEARNERS) == undisturbed
    assert capsys.readouterr().err == ""
    assert {result.state for result in graded(place, address).values()} == {"unchanged"}
    notebook = "learner-00007/ch6/ch6.ipynb"
    by_cluster = json.loads((place.folder / "autograded" / notebook).read_text("utf-8"))
    graded_alone(place, "learner-00007", "ch6")
    assert json.loads((place.folder / "autograded" / notebook).read_text("utf-8")) == by_cluster


def graded_alone(place: Place, learner: str, chapter: str) -> None:
    with gradebook(place.db_url) as engine:
        (result,) = grade(CourseConfig(), engine, [chapter], learner, force=True)
    assert result.state == "graded"


def test_a_worker_is_killed_in_the_middle(place: Place, address: str, undisturbed: dict[str, object]) -> None:
    killed = []

    def kill(count: int) -> None:
        if count in (4, 16, 28):
            with Client(address, set_as_default=False) as client:
                pid = next(iter(client.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    assert {result.state for result in graded(place, address, kill).values()} == {"graded"}
    assert len(set(killed)) == 3
    assert place.graded(LEARNERS) == undisturbed


def test_who_kills_the_workers_is_left_to_a_person(
    place: Place, undisturbed: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(DEADLY.format(learner=LEARNERS[9]))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "hook"), str(ROOT))))
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), local_cluster(2) as address:
        found = graded(place, address)
    assert {key: one.remarks for key, one in found.items() if one.state != "graded"} == {
        (LEARNERS[9], "ch1"): (KILLED,)
    }
    assert len(found) == ALL
    assert [one.state for one in graded(place).values() if one.state != "unchanged"] == ["graded"]
    assert place.graded(LEARNERS) == undisturbed


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def test_the_scheduler_is_killed_in_the_middle(place: Place, undisturbed: dict[str, object], tmp_path: Path) -> None:
    said = tmp_path / "scheduler.json"
    scheduling = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(said))
    working = ("worker", "--scheduler-file", str(said), "--nthreads", "1", "--no-dashboard", "--no-nanny")
    with started(*scheduling) as scheduler:
        until = time.monotonic() + PATIENCE
        while not said.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        address = json.loads(said.read_text())["address"]
        with started(*working, "--local-directory", str(tmp_path / "worker")):

            def kill(count: int) -> None:
                if count == 8:
                    scheduler.kill()

            with pytest.raises(CourseError, match=r"was lost; run the same command again to go on$"):
                graded(place, address, kill)
    (done,) = place.query("select count(*) from counterside_submission")
    assert 8 <= done[0] < ALL  # type: ignore[operator]
    again = graded(place)
    assert sum(one.state == "unchanged" for one in again.values()) == done[0]
    assert place.graded(LEARNERS) == undisturbed


# ---- one sentence for what goes wrong -------------------------------------------------------


def said_of(address: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["grade", *CHAPTERS, "--dask", address]) == 1
    return capsys.readouterr().err


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("address", ["127.0.0.1:8786", "tcp://127.0.0.1", "tcp://127.0.0.1:port", "http://h:80"])
def test_no_address(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said_of(address, capsys) == f"“{address}” is no address of a Dask scheduler; it is like tcp://host:8786\n"


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("what", ["nothing", "another server", "silence"])
def test_no_scheduler(what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 1)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        if what != "nothing":
            server.listen()
        if what == "another server":
            answer_once_and_again(server)
        assert said_of(address, capsys) == (
            f"there is no Dask scheduler at {address}; start one with “dask scheduler”\n"
        )


def answer_once_and_again(server: socket.socket) -> None:
    """Answer whoever comes as a web server would, until the socket is closed."""

    def answer() -> None:
        while True:
            try:
                line, _from = server.accept()
            except OSError:
                return
            with line:
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    Thread(target=answer, daemon=True).start()


@pytest.mark.usefixtures("place")
def test_no_worker(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with local_cluster(0) as address:
        assert said_of(address, capsys).startswith("the cluster has no worker; start one with “dask worker”")


@pytest.mark.usefixtures("place")
def test_other_versions(address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = Client.get_versions

    def other(self: Client) -> Any:
        found = real(self)
        found["scheduler"]["packages"]["distributed"] = "2024.1.0"
        return found

    monkeypatch.setattr(Client, "get_versions", other)
    said = said_of(address, capsys)
    assert said.startswith("the scheduler has other versions: distributed 2024.1.0, here ")
    assert said.endswith("; install the same on both\n")


@pytest.mark.usefixtures("place")
def test_dask_is_not_installed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "autograde.cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert said_of("tcp://127.0.0.1:8786", capsys) == (
        "grading on a cluster needs distributed, which is not installed: pip install 'counterside[dask]'\n"
    )


# ---- what a worker says is not believed -----------------------------------------------------


@pytest.fixture
def judged(place: Place, tmp_path: Path) -> Judged:
    job = batch.job_of(CourseConfig(), "ch6", LEARNERS[3])
    (one,) = judge_chunk([job], tmp_path / "judged")
    assert isinstance(one, Judged)
    return one


def told(one: Returned, **other: Any) -> bytes:
    return Batch(**{"scorer": scorer(), "returned": (one,), **other}).model_dump_json().encode()


def test_an_honest_worker(judged: Judged, tmp_path: Path) -> None:
    (one,) = accept([judged.job], told(returned(judged)), tmp_path / "accepted")
    assert isinstance(one, Judged)
    assert (one.digest, one.verdict, one.at) == (judged.digest, judged.verdict, judged.at)
    assert one.staged
    assert judged.staged
    files = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in (one.staged, judged.staged)]
    assert files[0] == files[1]
    assert set(files[0]) == {"ch6.ipynb", "timestamp.txt", "submission_secret.txt"}


@pytest.mark.parametrize(
    "change",
    [
        {"learner": LEARNERS[4]},
        {"chapter": "ch1"},
        {"files": {}},
        {"files": {"ch6.ipynb": b"{}", "../../../gradebook.db": b"mine"}},
        {"files": {"ch6.ipynb": b"{}", "feedback.html": b"<script>"}},
    ],
)
def test_a_lying_worker(judged: Judged, tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(CourseError, match="returned what is no result"):
        accept([judged.job], told(returned(judged).model_copy(update=change)), tmp_path / "accepted")
    assert not (tmp_path / "accepted").exists()


@pytest.mark.parametrize("said", [b"", b"[]", b"\x80\x04K\x01.", b'{"scorer": "x", "returned": [{}]}'])
def test_a_babbling_worker(judged: Judged, tmp_path: Path, said: bytes) -> None:
    with pytest.raises(CourseError, match="returned what is no result"):
        accept([judged.job], said, tmp_path / "accepted")


def test_a_worker_of_another_version(judged: Judged, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="another version of this checkout; update it"):
        accept([judged.job], told(returned(judged), scorer="0123456789abcdef"), tmp_path / "accepted")


def test_a_worker_that_saw_other_files(judged: Judged, tmp_path: Path) -> None:
    # As one would that does not see the course folder: it reads an empty submission, which would earn nothing.
    log = judged.job.submitted / "responses" / "ch6.jsonl"
    log.rename(tmp_path / "elsewhere")
    (blind,) = judge_chunk([judged.job], tmp_path / "blind")
    (tmp_path / "elsewhere").rename(log)
    assert accept([judged.job], told(returned(blind)), tmp_path / "accepted") == [Unjudged(judged.job, OTHER_FILES)]
