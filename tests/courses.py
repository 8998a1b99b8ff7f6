"""Courses with submissions that nobody has graded, each with its gradebook on SQLite or on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from autograde.bench_grading import ROWS, rows
from autograde.cohort import hand_in, release
from autograde.course_data import CourseData
from curriculum.load import Chapter
from tests.postgres import FreshDatabase

# What grading leaves behind, without ids and times of its own.
EVIDENCE = """
    select student_id, assignment, item, state, earned, possible, by_hand, flags, rules, item_hash, key_hash, seq, at,
    line from counterside_evidence where id in
    (select max(id) from counterside_evidence group by student_id, item) order by 1, 2, 3"""
LAST = "select student_id, assignment, digest, state from counterside_submission order by 1, 2"


@dataclass(frozen=True, slots=True)
class Place:
    """A course folder, and its gradebook's address where that is no file in the folder."""

    folder: Path
    database: str | None = None

    @property
    def variables(self) -> Mapping[str, str]:
        named = {"COUNTERSIDE_DB": self.database} if self.database else {}
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return {"COUNTERSIDE_COURSE": str(self.folder), "PATH": path, **named}

    @contextmanager
    def meant(self) -> Iterator[CourseData]:
        """Let commands in this process mean this course."""
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("COUNTERSIDE_DB", raising=False)
            for name, value in self.variables.items():
                patch.setenv(name, value)
            yield CourseData()

    @property
    def db_url(self) -> str:
        return self.database or f"sqlite:///{self.folder / 'gradebook.db'}"

    def query(self, words: str) -> list[tuple[object, ...]]:
        engine = create_engine(self.db_url)
        with engine.begin() as connection:
            result = connection.execute(text(words))
            found = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return found

    def graded(self, learners: Sequence[str]) -> dict[str, object]:
        """Return all that grading left of some learners: rows, evidence, digests, the names of files."""
        found: dict[str, object] = {table: rows(self.db_url, table, learners) for table in ROWS}
        found["submissions"] = {
            key: (datetime.fromisoformat(str(at)), penalty)  # SQLite keeps a time as a text
            for key, (at, penalty) in found["submissions"].items()  # type: ignore[attr-defined]
        }
        names = sorted(str(path.relative_to(self.folder)) for path in self.folder.glob("autograded/**/*"))
        return {**found, "evidence": self.query(EVIDENCE), "last": self.query(LAST), "files": names}

    def copy(self, folder: Path, fresh: FreshDatabase) -> Place:
        """Return a copy of the course, with a copy of its gradebook."""
        shutil.copytree(self.folder, folder)
        return Place(folder, copy_database(self.database, fresh()) if self.database else None)


def copy_database(source: str, target: str) -> str:
    """Let the database `target` be a copy of `source`."""
    here, there = make_url(source), make_url(target)
    with psycopg.connect(
        host=here.host, port=here.port, user=here.username, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (here.database,)
        )
        connection.execute(f'drop database "{there.database}"'.encode())
        connection.execute(f'create database "{there.database}" template "{here.database}"'.encode())
    return target


def hand_in_course(place: Place, chapters: Sequence[Chapter], learners: int) -> list[str]:
    """Release the chapters and let so many simulated learners hand them in."""
    with place.meant() as data:
        release(data, chapters)
        return hand_in(data, chapters, learners)
