"""What tests share: the course as it is, a copy of its content to break, and response logs."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from curriculum.load import CONTENT, Course, load_course
from curriculum.log import Log
from tests.postgres import postgres

__all__ = ["postgres"]

settings.register_profile("counterside", deadline=None)
settings.load_profile("counterside")

WriteLog = Callable[[Path, Iterable[tuple[str, Any]]], Path]


CHAPTER = "chapters/3-norms"


def copy_sample(folder: Path) -> Path:
    """Copy section 3.1 into a course of its own, so that what tests expect doesn't depend on what else is taught."""
    (folder / CHAPTER / "items").mkdir(parents=True)
    (folder / CHAPTER / "img").mkdir()
    for pattern in (
        "rules.yml",
        "points.tsv",
        "glossary.tsv",
        f"{CHAPTER}/3-1.*",
        f"{CHAPTER}/items/?3-1-*",
        f"{CHAPTER}/img/visit.*",
    ):
        for path in CONTENT.glob(pattern):
            shutil.copy(path, folder / path.relative_to(CONTENT))
    plan = (CONTENT / "course.yml").read_text("utf-8")
    head, chapters = plan[: plan.index("  - id: ")], plan[plan.index("  - id: ch3\n") :]
    chapter = chapters[: chapters.find("\n  - id: ") + 1 or None]
    first_section = chapter[: chapter.find('\n      - id: "', chapter.index('- id: "3.1"')) + 1 or None]
    (folder / "course.yml").write_text(head + first_section, "utf-8")
    return folder


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Section 3.1 as a course of its own."""
    return load_course(copy_sample(tmp_path_factory.mktemp("sample")))


@pytest.fixture(scope="session")
def whole_course() -> Course:
    return load_course()


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """The files of section 3.1 as a course of its own, to be changed at will."""
    return copy_sample(tmp_path / "content")


@pytest.fixture(scope="session")
def write_log(course: Course) -> WriteLog:
    """Append (item id, response) pairs to a log, as the widgets do."""

    def write(path: Path, answers: Iterable[tuple[str, Any]]) -> Path:
        log = Log(path)
        for number, (item, response) in enumerate(answers):
            known = course.items.get(item)
            log.append(
                id=f"message-{number}",
                item=item,
                hash=known.hash if known else "",
                lang="en",
                kind="answer",
                response=response,
                ms=1000,
                base=None,
            )
        return path

    return write


@pytest.fixture(scope="session")
def perfect(course: Course) -> Mapping[str, Any]:
    """An answer to each graded item that earns all its points: 6 + 9 + 7 + 2."""
    return {
        "e3-1-1": {"order": [step.id for step in course.items["e3-1-1"].public.steps]},  # type: ignore[attr-defined]
        # 3 points a turn, the most there is, on the longest path there is: 7 turns, 21 points.
        "e3-1-2": {
            "path": [
                "keep-distance",
                "ask-purpose",
                "mirror-worry",
                "state-limits",
                "name-three",
                "name-hurry",
                "walk-along",
            ]
        },
        "e3-1-3": {
            "marked": [
                "slip-spread",
                "eyes-on-screen",
                "same-volume",
                "everyone-ticks",
                "prints-at-once",
                "smiles-on",
                "drop-by",
                "next-number",
            ]
        },
        "e3-1-4": {
            "entries": [
                dict.fromkeys(("moment", "reaction", "effect", "next"), f"第 {n} 次：请客户坐下，把话听完再答。")
                for n in (1, 2, 3)
            ],
            "note": "",
        },
    }


@pytest.fixture(scope="session")
def within() -> Callable[[float], AbstractContextManager[None]]:
    """Fail, rather than hang, when a block takes longer than some seconds."""

    @contextmanager
    def limit(seconds: float) -> Iterator[None]:
        def give_up(*_args: object) -> None:
            pytest.fail(f"took more than {seconds} s")

        before = signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return limit
