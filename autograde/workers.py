"""Judging submissions in this process, or side by side in others, any of which may be killed on the way.

What a killed process had in hand is judged again: together in a process of its
own, then one by one. A submission whose process is killed twice while it is alone
there is left to a person.
"""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

from autograde.place import CourseError
from autograde.submission import Job, Judged, judge
from curriculum.load import Course, load_course

STARTS = 5  # of a process that is killed before it has anything to do
TRIES = 2  # of a submission that is alone in its process
KILLED = f"the process that judged it was ended from outside {TRIES} times; nothing was written of it"
Chunk = Sequence[Job]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A submission that could not be judged, and why, in words for a person."""

    job: Job
    words: str


Done = list[Judged | Unjudged]


@cache
def course_of_run() -> Course:
    """Return the course, loaded once a process: what is graded together is graded alike."""
    course = load_course()
    gc.freeze()  # it stays, and looking through it at each collection cost a fifth of the time
    return course


def judge_chunk(jobs: Chunk, folder: Path) -> Done:
    """Judge some submissions and put what is to be kept below `folder`. A fault of ours costs one of them."""
    here = course_of_run()
    done: Done = []
    for job in jobs:
        try:
            done.append(judge(here, job, folder))
        except Exception as error:
            why = f"{type(error).__name__}: {str(error)[:200]}"
            done.append(Unjudged(job, f"it could not be graded ({why}); nothing was written of it"))
    return done


def judge_here(chunks: Iterable[Chunk], folder: Path) -> Iterator[Done]:
    """Judge the chunks one after another in this process."""
    for number, chunk in enumerate(chunks):
        yield judge_chunk(chunk, folder / str(number))


def judge_side_by_side(chunks: Iterable[Chunk], folder: Path, workers: int) -> Iterator[Done]:
    """Judge the chunks in so many processes, a few ahead of whoever takes the results, which come in order.

    Raises CourseError when no process can be kept alive.
    """
    # Each try has a folder of its own: a killed one leaves half of something in its.
    folders = (folder / str(number) for number in count())
    rest, pool = iter(chunks), processes(workers)
    waiting: deque[tuple[Chunk, Future[Done]]] = deque()
    try:
        while True:
            for chunk in islice(rest, 2 * workers + 1 - len(waiting)):
                waiting.append((chunk, hand_over(pool, chunk, next(folders))))
            if not waiting:
                return
            if isinstance(waiting[0][1].exception(), BrokenProcessPool):
                pool.shutdown()
                with Careful(folders) as careful:
                    while waiting:
                        chunk, future = waiting.popleft()
                        broken = isinstance(future.exception(), BrokenProcessPool)
                        yield careful.judge(chunk) if broken else future.result()
                pool = processes(workers)
            else:
                yield waiting.popleft()[1].result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Careful:
    """One process that judges what another may have been killed by, and is replaced when it is killed itself."""

    def __init__(self, folders: Iterator[Path]) -> None:
        self._folders = folders
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Careful:
        return self

    def __exit__(self, *_error: object) -> None:
        self._end()

    def judge(self, chunk: Chunk) -> Done:
        """Judge a chunk, whatever becomes of the process. Raises CourseError when even an idle one is ended."""
        return self._try(chunk) or [one for job in chunk for one in self._judge_alone(job)]

    def _judge_alone(self, job: Job) -> Done:
        for _ in range(TRIES):
            if done := self._try([job]):
                return done
        return [Unjudged(job, KILLED)]

    def _try(self, chunk: Chunk) -> Done | None:
        """Return what was judged, or None when the process was killed over it."""
        future = hand_over(self._ready(), chunk, next(self._folders))
        if isinstance(future.exception(), BrokenProcessPool):
            self._end()
            return None
        return future.result()

    def _ready(self) -> ProcessPoolExecutor:
        """Return the process, which has loaded the course and done nothing that it could be killed for."""
        for _ in range(STARTS):
            if self._pool is None:
                self._pool = processes(1)
                if not isinstance(hand_over(self._pool, [], next(self._folders)).exception(), BrokenProcessPool):
                    break
                self._end()
        if self._pool is None:
            raise CourseError("workers are ended from outside as soon as they begin; is there enough memory?")
        return self._pool

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def processes(workers: int) -> ProcessPoolExecutor:
    # Not forked: neither a database connection nor a thread of ours may be in a worker.
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=prepare_process)


def hand_over(pool: ProcessPoolExecutor, chunk: Chunk, folder: Path) -> Future[Done]:
    """Let a pool judge a chunk. A pool that is broken already gives a future that says so."""
    try:
        return pool.submit(judge_chunk, chunk, folder)
    except BrokenProcessPool as error:
        future: Future[Done] = Future()
        future.set_exception(error)
        return future


def prepare_process() -> None:
    """Leave Ctrl+C to the parent, and end when the parent does, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent

    def follow() -> None:
        parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()
