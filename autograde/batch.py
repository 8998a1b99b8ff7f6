"""Grading many submissions at once: judged side by side, written by one.

Submissions are judged, their folders put in place, their grades and evidence
written, and all of a chunk is committed. Whatever is ended in between is done
again next time: a digest is in the gradebook only when all else is there.
"""

from __future__ import annotations

import fcntl
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError, StatementError

from autograde.config import CourseConfig
from autograde.gradewriter import Graded, GradeWriter
from autograde.place import CourseError
from autograde.submission import Job, Judged
from autograde.tables import writing
from autograde.workers import Chunk, Done, Unjudged, course_of_run, judge_here, judge_side_by_side

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
    dask: str | None = None,
    force: bool = False,
    begun: Callable[[int], None] = lambda _total: None,
) -> Iterator[Result]:
    """Grade the submissions of `chapters` by learners whose names fit the pattern, and yield what became of each.

    Judged in this process, in so many `workers`, or by those of the Dask scheduler at the address `dask`. `begun` is
    told how many there are. Raises CourseError or SQLAlchemyError when grading can't go on; what was yielded is kept.
    """
    course = course_of_run()
    writer = GradeWriter(engine, course, config.late_penalty())
    with alone(config.folder), staging(config.autograded) as folder:
        with engine.begin() as connection:
            known = {chapter: {} if force else writer.known(connection, chapter) for chapter in chapters}
            for chapter in chapters:
                writer.cells(connection, course.chapter(chapter))
        found, odd = find_submissions(config, chapters, learners)
        begun(len(found) + len(odd))
        yield from odd
        jobs = (job_of(config, chapter, learner, known[chapter].get(learner)) for chapter, learner in found)
        useful = min(workers, -(-len(found) // CHUNK))
        for done in judged(chunks_of(jobs), folder, useful, dask):
            yield from write(engine, writer, done)


def find_submissions(
    config: CourseConfig, chapters: Sequence[str], learners: str
) -> tuple[list[tuple[str, str]], list[Result]]:
    """Return chapter and learner of the submissions there are, and refusals of what can't be one."""
    found, odd = [], []
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
            found.append((chapter, name))
    return found, odd


def job_of(config: CourseConfig, chapter: str, learner: str, known: str | None = None) -> Job:
    """Return what is needed to judge a submission; `known` is the digest that it was last graded by."""
    return Job(
        learner,
        chapter,
        config.submitted / learner / chapter,
        config.released / chapter / f"{chapter}.ipynb",
        config.autograded / learner / chapter,
        known,
    )


def chunks_of(jobs: Iterable[Job]) -> Iterator[Chunk]:
    """Yield the jobs in chunks, each made when it is asked for: ten thousand would take room."""
    rest = iter(jobs)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def judged(chunks: Iterable[Chunk], folder: Path, workers: int, dask: str | None) -> Iterator[Done]:
    """Judge the chunks wherever that is to be done. Raises CourseError."""
    if dask:
        from autograde.cluster import judge_on_cluster

        return judge_on_cluster(chunks, folder, dask)
    return judge_side_by_side(chunks, folder, workers) if workers > 1 else judge_here(chunks, folder)


def write(engine: Engine, writer: GradeWriter, done: Done) -> list[Result]:
    """Put the folders of a chunk in place, write its rows, each chapter's in one transaction, and return what became.

    Raises CourseError or SQLAlchemyError when nothing more can be written.
    """
    results: list[Result] = []
    changed: dict[str, list[Judged]] = defaultdict(list)
    for one in done:
        if isinstance(one, Unjudged):
            results.append(Result(one.job.learner, one.job.chapter, "look", (one.words,)))
        elif one.verdict is None:
            results.append(Result(one.job.learner, one.job.chapter, "unchanged"))
        else:
            try:
                assert one.staged
                put_in_place(one.staged, one.job.autograded)
            except OSError as error:
                results.append(unwritten(one.job, error))
            else:
                changed[one.job.chapter].append(one)
    for chapter, some in changed.items():
        results += write_rows(engine, writer, chapter, some)
    return results


def write_rows(engine: Engine, writer: GradeWriter, chapter: str, some: Sequence[Judged]) -> list[Result]:
    """Write the rows of a chapter's submissions at once, or one by one where one of them can't be written.

    Raises CourseError or SQLAlchemyError for what is nobody's fault: no such table, a full disk, no server.
    """
    try:
        with writing(engine) as connection:
            writer.write_all(connection, chapter, [entry(one) for one in some])
    except Exception as error:
        if not is_of_one(error):
            raise
        if len(some) == 1:
            return [unwritten(some[0].job, error)]
        return [result for one in some for result in write_rows(engine, writer, chapter, [one])]
    return [
        Result(one.job.learner, chapter, one.verdict.state, tuple(one.verdict.remarks)) for one in some if one.verdict
    ]


def is_of_one(error: Exception) -> bool:
    """Whether a value was refused: a submission's fault, or ours with it."""
    is_a_value = isinstance(error, DataError | IntegrityError) or type(error) is StatementError
    return is_a_value or not isinstance(error, SQLAlchemyError | CourseError)


def entry(one: Judged) -> Graded:
    assert one.verdict
    return Graded(one.job.learner, one.verdict, one.at, one.digest)


def unwritten(job: Job, error: Exception) -> Result:
    words = f"its result could not be written ({type(error).__name__}); run the same command again, or ask for help"
    return Result(job.learner, job.chapter, "look", (words,))


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
