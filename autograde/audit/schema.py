"""The tables of the audit, beside nbgrader's and ours in the gradebook's database.

`counterside_trail` has a row for each change of a watched table, written by
triggers and by nothing else. What a row of a table holds is split in two: `old`
and `new` without what names a person, and `person_old` and `person_new` with
it. Both halves go into the seals as salted hashes, so that a person's half can
be dropped without breaking the proof of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

AUDIT = MetaData()
TRAIL = Table(
    "counterside_trail",
    AUDIT,
    Column("seq", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … in the order of commits
    Column("at", Text, nullable=False),  # UTC, 2026-11-30T20:12:28.123Z
    Column("db_user", Text, nullable=False),  # empty on SQLite, which knows no users
    Column("actor", Text, nullable=False),  # os:anna, hub:anna, or unknown
    Column("run_id", Text),  # of the grading run, where one wrote
    Column("reason", Text),
    Column("tbl", Text, nullable=False),
    Column("op", Text, nullable=False),  # snapshot insert update delete
    Column("row_id", Text, nullable=False),  # the key; several columns joined by |
    Column("old", Text),  # JSON of the row without the person's columns
    Column("new", Text),
    Column("salt", Text, nullable=False),
    Column("person_old", Text),  # JSON of the person's columns, in tables that have some
    Column("person_new", Text),
    Column("person_salt", Text),
    Column("person_hash", Text),  # of what was erased; empty until then
)
CONTEXT = Table(  # who is writing: a row is there only while a transaction is under way
    "counterside_context",
    AUDIT,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("actor", Text),
    Column("run_id", Text),
    Column("reason", Text),
)
REASON = Table(  # why, said later
    "counterside_reason",
    AUDIT,
    Column("id", Integer, primary_key=True),
    Column("seq", Integer, nullable=False),  # of the row of the trail that it is about
    Column("reason", Text, nullable=False),
)
EVENT = Table(  # what leaves no row of its own
    "counterside_event",
    AUDIT,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),  # install feedback erase
    Column("chapter", String(128)),
    Column("learner", String(128)),
    Column("detail", Text, nullable=False),  # JSON
)
HEAD = Table(  # a copy; what counts lies in the folder of the seals
    "counterside_head",
    AUDIT,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("head", Text, nullable=False),  # the line as it stands in heads.jsonl
)
ERASED = "erased-"  # how the pseudonyms begin of those whose personal data were erased
FORGOTTEN = Table(  # whose personal data were erased, so that they are not collected again; the id is not in it
    "counterside_forgotten",
    AUDIT,
    Column("hash", String(64), primary_key=True),
    Column("salt", String(32), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A table that the trail watches: its key, the columns that name a person, and whether rows are only added."""

    key: tuple[str, ...] = ("id",)
    person: tuple[str, ...] = ()
    only_added: bool = False


WATCHED = {
    "assignment": Watched(),
    "notebook": Watched(),
    "base_cell": Watched(),
    "grade_cells": Watched(),
    "solution_cells": Watched(),
    "source_cell": Watched(),
    "student": Watched(person=("id", "first_name", "last_name", "email", "lms_user_id")),
    "submitted_assignment": Watched(person=("student_id",)),
    "submitted_notebook": Watched(),
    "grade": Watched(),
    "comment": Watched(),
    "counterside_run": Watched(only_added=True),
    "counterside_submission": Watched(key=("student_id", "assignment"), person=("student_id",)),
    "counterside_evidence": Watched(person=("student_id",), only_added=True),
    "counterside_reason": Watched(only_added=True),
    "counterside_event": Watched(person=("learner",), only_added=True),
}
