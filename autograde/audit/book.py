"""The read model of the audit: what the gradebook and its trail hold, read once, changed by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """The newest row of `counterside_evidence` of an item: why the engine's score is what it is."""

    run_id: str
    state: str
    earned: float
    possible: float
    by_hand: float
    flags: tuple[str, ...]
    rules: tuple[tuple[str, float, str | None, str | None], ...]
    item_hash: str
    key_hash: str
    seq: int | None
    at: str | None
    line: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One item of one learner; `by_hand` is a person's override of the `automatic` score, None where there is none."""

    item: str
    possible: float
    automatic: float | None
    by_hand: float | None
    score: float
    waiting: float
    state: str
    flags: tuple[str, ...]
    criteria: Mapping[str, float | None]
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One learner's chapter; times are UTC without zone."""

    learner: str
    chapter: str
    cohort: str | None
    handed_in: datetime | None
    due: datetime | None
    late_seconds: float
    penalty: float
    total: float
    possible: float
    state: str
    mastered: bool | None
    red_lines: tuple[str, ...]
    sealed: bool | None
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the trail, with the learner, chapter and cell that it is about."""

    seq: int
    at: str
    db_user: str
    actor: str
    run_id: str | None
    reason: str | None
    table: str
    op: str
    row_id: str
    learner: str | None
    chapter: str | None
    cell: str | None
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    sealed: bool
    after_release: bool


@dataclass(frozen=True, slots=True)
class Book:
    """Everything, read once."""

    standings: Sequence[Standing]
    changes: Sequence[Change]
