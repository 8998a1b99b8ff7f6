"""Judging on a Dask cluster. What a worker returns is data in JSON, and is validated before anything is done with it.

Workers see the course's files at the same places as this machine, and need not
write there. A worker that dies is Dask's to replace; a chunk that kills workers
again and again is judged one by one.
"""

from __future__ import annotations

import logging
import socket
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from autograde.engine import Verdict
from autograde.place import CourseError
from autograde.submission import KEPT, Job, Judged, content_digest, handed_in, scorer, write_read_only
from autograde.workers import TRIES, Chunk, Done, Unjudged, course_of_run, judge_chunk
from curriculum.model import Model

try:
    from distributed import Client, Future, KilledWorker, get_worker
    from distributed.client import ClosedClientError
    from distributed.versions import VersionMismatchWarning
except ModuleNotFoundError as missing:
    raise CourseError(
        f"grading on a cluster needs {missing.name}, which is not installed: pip install 'counterside[dask]'"
    ) from missing

CONNECT = 10  # seconds until a scheduler has to answer
PATIENCE = 30  # seconds without any worker
KILLED = "the workers that judged it were ended again and again; nothing was written of it"
NO_WORKER = "the cluster has no worker; start one with “dask worker” and run the same command again"
NO_RESULT = "a worker of the cluster returned what is no result; is it this checkout that it runs?"
OTHER_FILES = "the worker did not read the same files as are here; does it see the course folder? Nothing was written"
# What a lost connection makes the library say is said here in one sentence.
LOGGERS = ("distributed.client", "distributed.core", "distributed.comm", "distributed.utils", "tornado.application")


class Connection(Client):
    """A client that we close: one that never connected would wait for half a minute, and complain."""

    def __del__(self) -> None:
        pass


class Returned(Model):
    """What a worker says of one submission: the digest, with verdict and files unless all was as before.

    `unjudged` says in words why it could not be judged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    learner: str
    chapter: str
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    verdict: Verdict | None = None
    at: datetime | None = None
    files: dict[str, bytes] = Field(default_factory=dict)
    unjudged: str | None = None


class Batch(Model):
    """What a worker says of a chunk, and the version of its scorers."""

    scorer: str
    returned: tuple[Returned, ...] = ()


def judge_on_cluster(chunks: Iterable[Chunk], folder: Path, address: str) -> Iterator[Done]:
    """Judge the chunks on the workers of the scheduler at `address`, and put what is to be kept below `folder`.

    Raises CourseError when there is no scheduler, none any more, or no worker that could judge.
    """
    folders = (folder / str(number) for number in count())
    rest = iter(chunks)
    with connected(address) as client:
        ahead = 2 * sum(client.nthreads().values())
        waiting: deque[tuple[Chunk, Future]] = deque()
        while True:
            for chunk in islice(rest, max(0, ahead + 1 - len(waiting))):
                waiting.append((chunk, hand_over(client, chunk)))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            batch = result_of(client, future)
            if batch is not None:
                yield accept(chunk, batch, next(folders))
            else:
                yield [one for job in chunk for one in judge_alone(client, job, next(folders))]


def judge_alone(client: Client, job: Job, folder: Path) -> Done:
    """Judge a submission that was among those that workers were killed over."""
    for _ in range(TRIES):
        batch = result_of(client, hand_over(client, [job]))
        if batch is not None:
            return accept([job], batch, folder)
    return [Unjudged(job, KILLED)]


def hand_over(client: Client, chunk: Chunk) -> Future:
    return client.submit(judge_remotely, chunk, pure=False)


def result_of(client: Client, future: Future) -> bytes | None:
    """Return what a worker said, or None where too many were killed over it. Raises CourseError."""
    while True:
        try:
            said: bytes = future.result(timeout=PATIENCE)
            return said
        except KilledWorker:
            return None
        except TimeoutError:
            if not client.nthreads():
                raise CourseError(
                    "the cluster has no worker any more; start one and run the same command again"
                ) from None
        except (CancelledError, ClosedClientError, OSError):
            raise
        except Exception as error:
            raise CourseError(
                f"a worker of the cluster can't judge ({type(error).__name__}: {str(error)[:200]}); "
                "it needs this checkout and its [grading] and [dask] extras"
            ) from error


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """A connection to a scheduler that has workers of our versions. Raises CourseError, also when it breaks."""
    check_address(address)
    with quiet():
        try:
            client = Connection(address, timeout=CONNECT, set_as_default=False)
        except Exception as error:  # whatever listens there may say anything
            raise CourseError(no_scheduler(address)) from error
        try:
            wait_for_worker(client)
            check_versions(client)
            yield client
        except (CancelledError, ClosedClientError, OSError) as error:
            raise CourseError(f"the scheduler at {address} was lost; run the same command again to go on") from error
        finally:
            client.close()


def check_address(address: str) -> None:
    """Raise CourseError unless something speaks at the address: the library would wait for it for ever."""
    try:
        parts = urlsplit(address)
        place = parts.hostname or "", parts.port or 0
    except ValueError:
        place = "", 0
    if not all(place) or parts.scheme not in ("tcp", "tls"):
        raise CourseError(f"“{address}” is no address of a Dask scheduler; it is like tcp://host:8786")
    try:
        with socket.create_connection(place, CONNECT) as line:
            if parts.scheme == "tcp" and not line.recv(1):  # a scheduler is the first to speak
                raise ConnectionResetError
    except OSError as error:
        raise CourseError(no_scheduler(address)) from error


def no_scheduler(address: str) -> str:
    return f"there is no Dask scheduler at {address}; start one with “dask scheduler”"


def wait_for_worker(client: Client) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise CourseError(NO_WORKER) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the library says of broken connections and of versions from people: it is said in our words."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def check_versions(client: Client) -> None:
    """Raise CourseError unless scheduler and workers have our versions of Python and Dask."""
    found = client.get_versions()
    mine = versions(found["client"])
    for name, theirs in {"the scheduler": found["scheduler"], **found["workers"]}.items():
        if versions(theirs) != mine:
            words = [f"{package} {theirs}, here {ours}" for package, ours, theirs in differing(mine, versions(theirs))]
            raise CourseError(f"{name} has other versions: {'; '.join(words)}; install the same on both")


def versions(about: Any) -> dict[str, str]:
    packages = about["packages"]
    python = ".".join(packages["python"].split(".")[:2])
    return {"Python": python, "dask": packages["dask"], "distributed": packages["distributed"]}


def differing(mine: dict[str, str], theirs: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(name, mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]]


# ---- on the worker --------------------------------------------------------------------------


def judge_remotely(chunk: Chunk) -> bytes:
    """Judge some submissions on a worker and return a `Batch` as JSON."""
    with TemporaryDirectory(dir=get_worker().local_directory) as name:
        done = judge_chunk(chunk, Path(name))
        return Batch(scorer=scorer(), returned=tuple(map(returned, done))).model_dump_json().encode()


def returned(one: Judged | Unjudged) -> Returned:
    if isinstance(one, Unjudged):
        return Returned(learner=one.job.learner, chapter=one.job.chapter, unjudged=one.words)
    return Returned(
        learner=one.job.learner,
        chapter=one.job.chapter,
        digest=one.digest,
        verdict=one.verdict,
        at=one.at,
        files={path.name: path.read_bytes() for path in one.staged.iterdir()} if one.staged else {},
    )


# ---- and back -------------------------------------------------------------------------------


def accept(chunk: Chunk, said: bytes, folder: Path) -> Done:
    """Check what a worker said of a chunk, and stage its files below `folder`. Raises CourseError."""
    try:
        batch = Batch.model_validate_json(said)
    except ValidationError as error:
        raise CourseError(NO_RESULT) from error
    if batch.scorer != scorer():
        raise CourseError("a worker of the cluster scores by another version of this checkout; update it")
    if [(one.learner, one.chapter) for one in batch.returned] != [(job.learner, job.chapter) for job in chunk]:
        raise CourseError(NO_RESULT)
    done: Done = []
    for job, one in zip(chunk, batch.returned, strict=True):
        try:
            done.append(accept_one(job, one, folder))
        except OSError as error:
            done.append(Unjudged(job, f"it could not be kept ({error.strerror}); nothing was written of it"))
    return done


def accept_one(job: Job, one: Returned, folder: Path) -> Judged | Unjudged:
    if one.unjudged is not None:
        return Unjudged(job, one.unjudged)
    chapter = course_of_run().chapter(job.chapter)
    if one.digest != content_digest(chapter, job.released, handed_in(chapter, job.submitted)):
        return Unjudged(job, OTHER_FILES)
    if one.verdict is None:
        return Judged(job, one.digest)
    notebook = f"{job.chapter}.ipynb"
    if notebook not in one.files or not one.files.keys() <= {notebook, *KEPT}:
        raise CourseError(NO_RESULT)
    staged = folder / job.learner / job.chapter
    staged.mkdir(parents=True)
    for name, data in one.files.items():
        write_read_only(staged / name, data)
    return Judged(job, one.digest, one.verdict, one.at, staged)
