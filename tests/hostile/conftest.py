"""A course with every kind of hostile submission beside honest ones, graded in one go while somebody watches."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograde import grade
from autograde.cli import main
from autograde.cohort import hand_in, release
from autograde.course_data import CourseData
from curriculum.load import Course
from tests.hostile.corpus import KINDS, MARK, NAMES, honest

CHAPTERS = ("ch1", "ch2", "ch3", "ch4", "ch5")
NEIGHBOURS = ("learner-00000", "learner-00001", "learner-00002")
Rows = dict[tuple[str, str, str], tuple[Any, ...]]

GRADES = """
    select s.student_id, a.name, b.name, g.auto_score, g.manual_score, g.needs_manual_grade, g.extra_credit
    from grade g join base_cell b on b.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id
    join submitted_assignment s on s.id = n.assignment_id join assignment a on a.id = s.assignment_id"""
EVIDENCE = """
    select e.student_id, e.assignment, e.item, e.state, e.earned, e.possible, e.by_hand, e.flags, e.rules, e.item_hash,
    e.key_hash, e.seq, e.at, e.line from counterside_evidence e join counterside_submission s
    on s.run_id = e.run_id and s.student_id = e.student_id and s.assignment = e.assignment"""


@dataclass(frozen=True)
class Expected:
    """What the requirement says must become of a kind: a line of `expected.tsv`.

    `points` is "same" as an honest one's, "none", or "-" where it depends on what was lost.
    """

    kind: str
    verdict: str
    points: str
    words: str


def expectations() -> dict[str, Expected]:
    with (Path(__file__).parent / "expected.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    found = {row[0]: Expected(*row[:4]) for row in rows}
    assert len(found) == len(rows)
    return found


def rows(data: CourseData, words: str) -> Rows:
    connection = sqlite3.connect(data.folder / "gradebook.db")
    try:
        return {(who, where, what): tuple(rest) for who, where, what, *rest in connection.execute(words)}
    finally:
        connection.close()


def states(data: CourseData) -> dict[str, str]:
    connection = sqlite3.connect(data.folder / "gradebook.db")
    try:
        return dict(connection.execute("select student_id, state from counterside_submission").fetchall())
    finally:
        connection.close()


def said(*words: str) -> tuple[int, str]:
    """Run a command and return its exit code and all that it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(words)
    return code, out.getvalue()


class Watch:
    """Notes what Python is about to do while it is on: what must never be done at all, and what bears the mark."""

    NEVER = ("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen",
             "pickle.find_class", "socket.connect", "socket.bind", "ctypes.dlopen", "marshal.loads")  # fmt: skip

    def __init__(self) -> None:
        self.is_on = False
        self.seen: list[str] = []
        sys.addaudithook(self.hook)

    def hook(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        is_code = event in ("compile", "exec")
        if event in self.NEVER or (is_code and MARK in f"{given[0]!r}{getattr(given[0], 'co_consts', '')!r}"):
            self.seen.append(f"{event} {given!r:.200}")

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False


WATCH = Watch()


@dataclass(frozen=True)
class Graded:
    """The course after grading: what was printed, the gradebook before anything hostile came, and what was seen."""

    data: CourseData
    code: int
    out: str
    before: tuple[Rows, Rows]
    files: dict[str, bytes]
    canary: Path
    seen: tuple[str, ...]

    def remarks(self, learner: str) -> str:
        return "\n".join(line for line in self.out.splitlines() if line.startswith(f"{learner}, "))


def autograded(data: CourseData) -> dict[str, bytes]:
    """Return all files of the honest learners that grading wrote."""
    return {
        str(path.relative_to(data.autograded)): path.read_bytes()
        for name in NEIGHBOURS
        for path in (data.autograded / name).rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="session")
def empty_course(tmp_path_factory: pytest.TempPathFactory, whole_course: Course) -> Path:
    """A course folder in which the chapters were released, and nothing else."""
    folder = tmp_path_factory.mktemp("hostile") / "course"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        release(CourseData(), [whole_course.chapter(name) for name in CHAPTERS])
    return folder


def copied(empty: Path, folder: Path) -> CourseData:
    """Return a copy of a course, with honest learners who have handed in; the environment must name it already."""
    shutil.copytree(empty, folder)
    return CourseData()


@pytest.fixture(scope="session")
def graded(empty_course: Path, whole_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    canary, folder = tmp_path_factory.mktemp("canary"), tmp_path_factory.mktemp("kinds") / "course"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setattr(grade, "SHOWN", 10**6)
        data = copied(empty_course, folder)
        hand_in(data, [whole_course.chapter(name) for name in CHAPTERS], len(NEIGHBOURS))
        assert said("grade", *CHAPTERS, "--workers", "1")[0] == 0
        before, files = (rows(data, GRADES), rows(data, EVIDENCE)), autograded(data)
        for name, (chapter, spoil) in KINDS.items():
            spoil(honest(data, whole_course, f"k-{name}", chapter, NEIGHBOURS[1], canary))
        for name in NAMES:
            (data.submitted / name / "ch1").mkdir(parents=True)
        (data.submitted / "a-link").symlink_to(data.submitted / NEIGHBOURS[0])
        (data.submitted / "a-file").write_text("no folder")
        with WATCH.on():
            code, out = said("grade", *CHAPTERS, "--workers", "1", "--force")
    return Graded(data, code, out, before, files, canary, tuple(WATCH.seen))
