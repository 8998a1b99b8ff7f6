"""A gradebook as nbgrader makes it, on both databases, with two learners and three cells."""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from nbgrader.api import Base, Gradebook
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SAWarning

from autograde.audit.heads import seal
from autograde.audit.trail import install
from autograde.batch import grade
from autograde.cohort import hand_in, release
from autograde.course_data import CourseData
from autograde.tables import gradebook
from autograde.workers import course_of_run


def fill(db_url: str) -> None:
    """Write what a released chapter and two submissions leave in a gradebook, through nbgrader's own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        with Gradebook(db_url, "counterside") as book:
            book.add_assignment("ch1")
            book.add_notebook("ch1", "ch1")
            for name, worth in (("e1", 5), ("e2", 3), ("e2-tone", 1)):
                book.add_grade_cell(name, "ch1", "ch1", max_score=worth, cell_type="code")
            book.add_solution_cell("e2", "ch1", "ch1")
            for name, first in (("anna", "安娜"), ("bo", "Bo")):
                book.add_student(name, first_name=first, last_name="O'Neil", email=f"{name}@example.org")
                book.add_submission("ch1", name, timestamp=datetime(2026, 9, 1, 9, 30))
                for number, grade in enumerate(book.find_submission("ch1", name).notebooks[0].grades):
                    grade.auto_score = number + 0.5
            book.db.commit()


def raw(db_url: str, *statements: str) -> None:
    """Run SQL as somebody who knows nothing of us: no SQLAlchemy, and so nobody is named."""
    if db_url.startswith("sqlite"):
        with closing(sqlite3.connect(db_url.removeprefix("sqlite:///"))) as connection:
            for sql in statements:
                connection.execute(sql)
            connection.commit()
        return
    with psycopg.connect(db_url.replace("+psycopg", "")) as connection:
        for sql in statements:
            connection.execute(sql)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gradebook on SQLite, made once: nbgrader takes its time."""
    path = tmp_path_factory.mktemp("template") / "gradebook.db"
    fill(f"sqlite:///{path}")
    return path


def copy_to(db_url: str, template: Path) -> None:
    """Write the template's tables and rows into an empty database of PostgreSQL."""
    source, target = create_engine(f"sqlite:///{template}"), create_engine(db_url)
    Base.metadata.create_all(target)
    with source.connect() as old, target.begin() as new:
        for table in Base.metadata.sorted_tables:
            rows = [dict(row) for row in old.execute(table.select()).mappings()]
            if rows:
                new.execute(table.insert(), rows)
    source.dispose()
    target.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> str:
    """The address of a gradebook without a trail."""
    if request.param == "sqlite":
        shutil.copy(template, tmp_path / "gradebook.db")
        return f"sqlite:///{tmp_path / 'gradebook.db'}"
    fresh: Callable[[], str] = request.getfixturevalue("postgres")
    url = fresh()
    copy_to(url, template)
    return url


@pytest.fixture
def engine(db_url: str) -> Iterator[Engine]:
    """A gradebook with a trail."""
    with gradebook(db_url) as opened:
        install(opened)
        yield opened


CHAPTERS = ("ch1", "ch3")


@dataclass(frozen=True)
class Graded:
    """A small cohort, graded and sealed, on SQLite."""

    data: CourseData
    learners: list[str]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    folder = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder / "data"))
        patch.delenv("COUNTERSIDE_DB", raising=False)
        data, course = CourseData(), course_of_run()
        chapters = [course.chapter(name) for name in CHAPTERS]
        release(data, chapters)
        learners = hand_in(data, chapters, 3)
        with gradebook(data.db_url) as engine:
            install(engine)
            assert {result.state for result in grade(data, engine, CHAPTERS)} == {"graded"}
            seal(engine, data.seals, data.seal_key)
        yield Graded(data, learners)
