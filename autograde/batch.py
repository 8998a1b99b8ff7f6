"""Grading many submissions at once: judged side by side in processes, written by one.

A submission is judged, its folder put in place, its grades and evidence
written, and all of a chunk is committed. Whatever is ended in between is done
again next time: a digest is in the gradebook only when all else is there.
"""

from __future__ import annotations

import fcntl
import gc
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from autograde.config import CourseConfig
from autograde.gradewriter import GradeWriter
from autograde.place import CourseError
from autograde.submission import Job, Judged, judge
from autograde.tables import writing
from curriculum.load import Course, load_course

CHUNK = 100
STAGING = ".grading"
MAX_NAME = 128  # of a learner in the gradebook
State = Literal["graded", "warning", "look", "refused", "unchanged"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a submission, and what a person should know of it."""

    learner: str
    chapter: str
    state: State
    remarks: Sequence[str] = ()

    @property
    def needs_a_person(self) -> bool:
        return self.state in ("look", "refused")


@dataclass
class Summary:
    """The results of a run: how many of each state by chapter, and those that have remarks."""

    counts: dict[str, Counter[State]] = field(default_factory=dict)
    remarked: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.counts.setdefault(result.chapter, Counter())[result.state] += 1
        if result.remarks:
            self.remarked.append(result)


def grade(
    config: CourseConfig,
    engine: Engine,
    chapters: Sequence[str],
    learners: str = "*",
    *,
    workers: int = 1,
    force: bool = False,
    begun: Callable[[int], None] = lambda _total: None,
) -> Iterator[Result]:
    """Grade the submissions of `chapters` by learners whose names fit the pattern, and yield what became of each.

    `begun` is told how many there are. Raises CourseError when grading can't go on; all that was yielded is kept.
    """
    course = course_of_run()
    writer = GradeWriter(engine, course, config.late_penalty())
    with alone(config.folder), staging(config.autograded) as folder:
        with engine.begin() as connection:
            known = {chapter: {} if force else writer.known(connection, chapter) for chapter in chapters}
            for chapter in chapters:
                writer.cells(connection, course.chapter(chapter))
        jobs, odd = find_jobs(config, chapters, learners, known)
        begun(len(jobs) + len(odd))
        yield from odd
        chunks = [jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK)]
        for judged in judged_chunks(chunks, folder, workers):
            yield from write(engine, writer, judged)


def find_jobs(
    config: CourseConfig, chapters: Sequence[str], learners: str, known: dict[str, dict[str, str]]
) -> tuple[list[Job], list[Result]]:
    """Return the submissions there are, and refusals of what can't be one."""
    jobs, odd = [], []
    names = sorted(path.name for path in config.submitted.glob("*") if fnmatchcase(path.name, learners))
    for chapter in chapters:
        for name in names:
            folder = config.submitted / name / chapter
            if not folder.is_dir() or folder.is_symlink() or folder.parent.is_symlink():
                continue
            if len(name) > MAX_NAME or not name.isprintable() or name.startswith("."):
                words = f"the folder {name[:MAX_NAME]!a} has no name that a learner can have"
                odd.append(Result(ascii(name[:20]), chapter, "refused", (words,)))
                continue
            released = config.released / chapter / f"{chapter}.ipynb"
            jobs.append(
                Job(name, chapter, folder, released, config.autograded / name / chapter, known[chapter].get(name))
            )
    return jobs, odd


@cache
def course_of_run() -> Course:
    """Return the course, loaded once a process: what is graded together is graded alike."""
    course = load_course()
    gc.freeze()  # it stays, and looking through it at each collection cost a fifth of the time
    return course


def judge_chunk(jobs: Sequence[Job], folder: Path) -> list[Judged | Result]:
    """Judge some submissions. A fault of ours costs nobody else the batch."""
    here = course_of_run()
    done: list[Judged | Result] = []
    for job in jobs:
        try:
            done.append(judge(here, job, folder))
        except Exception as error:
            done.append(failed(job, error))
    return done


def failed(job: Job, error: Exception) -> Result:
    words = f"it could not be graded ({type(error).__name__}: {str(error)[:200]}); nothing was written of it"
    return Result(job.learner, job.chapter, "look", (words,))


def judged_chunks(chunks: Sequence[Sequence[Job]], folder: Path, workers: int) -> Iterator[list[Judged | Result]]:
    """Judge the chunks in so many processes, a few ahead of the writer. Raises CourseError when one is ended."""
    if workers == 1 or len(chunks) < 2:
        yield from (judge_chunk(chunk, folder) for chunk in chunks)
        return
    # Not forked: neither a database connection nor a thread of ours may be in a worker.
    pool = ProcessPoolExecutor(min(workers, len(chunks)), mp_context=get_context("spawn"))
    try:
        waiting: deque[Future[list[Judged | Result]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(judge_chunk, chunk, folder))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise CourseError("a worker was ended from outside; run the same command again to go on") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def write(engine: Engine, writer: GradeWriter, chunk: Iterable[Judged | Result]) -> list[Result]:
    """Write what was judged, in one transaction, and return what became of each. Raises CourseError."""
    try:
        with writing(engine) as connection:
            return [one if isinstance(one, Result) else write_one(connection, writer, one) for one in chunk]
    except SQLAlchemyError as error:
        raise CourseError(
            f"the gradebook could not be written ({type(error).__name__}); mend that and run the same command again"
        ) from error


def write_one(connection: Connection, writer: GradeWriter, judged: Judged) -> Result:
    job, verdict = judged.job, judged.verdict
    if verdict is None:
        return Result(job.learner, job.chapter, "unchanged")
    writer.write(connection, job.learner, job.chapter, verdict, judged.at, judged.digest)
    assert judged.staged
    put_in_place(judged.staged, job.autograded)
    return Result(job.learner, job.chapter, verdict.state, tuple(verdict.remarks))


def put_in_place(staged: Path, target: Path) -> None:
    """Let a finished folder take the place of an older one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    staged.rename(target)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep two runs from grading the same course at a time. Raises CourseError."""
    with (folder / "grading.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CourseError("another “counterside grade” is at work on this course; wait for its end") from error
        yield


@contextmanager
def staging(beside: Path) -> Iterator[Path]:
    """A folder for what is not finished, without leftovers of an interrupted run."""
    folder = beside / STAGING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
