"""Which changes bear on a score, which of them came after the learner had been told, and which need a reason.

Verification, looks and the auditor's desk all ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

# What a person's hand, or a hand past all programs, can do to what counts, and the columns that do.
COUNTS: Mapping[str, tuple[str, ...]] = {
    "grade": ("auto_score", "manual_score", "extra_credit"),
    "comment": ("manual_comment",),
    "submitted_notebook": ("late_submission_penalty",),
    "submitted_assignment": ("timestamp", "extension"),
    "grade_cells": ("max_score",),
    "assignment": ("duedate",),
}
NONE_IS_ZERO = ("auto_score", "extra_credit", "late_submission_penalty")


class Recorded(Protocol):
    """A row of the trail; `old` and `new` are the whole row before and after."""

    @property
    def seq(self) -> int: ...
    @property
    def run_id(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def table(self) -> str: ...
    @property
    def old(self) -> Mapping[str, Any] | None: ...
    @property
    def new(self) -> Mapping[str, Any] | None: ...
    @property
    def after_release(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the trail as a bundle has it, of what a learner had been told."""

    seq: int
    run_id: str | None
    reason: str | None
    table: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    after_release: bool = False


def changed_values(change: Recorded) -> list[tuple[str, Any, Any]]:
    """Return the columns that bear on a score and differ, each with its value before and after.

    So nothing is left of an erasure, which changes names, nor of a regrade that changes what waits for a mark.
    """
    old, new = change.old or {}, change.new or {}
    values = [(name, old.get(name), new.get(name)) for name in COUNTS.get(change.table, ())]
    return [
        (name, was, now)
        for name, was, now in values
        if was != now and not (name in NONE_IS_ZERO and (was or 0) == (now or 0))
    ]


def changes_score(change: Recorded) -> bool:
    """Return whether a row of the trail changed something that bears on a score, or a comment."""
    return bool(changed_values(change))


def is_first_mark(change: Recorded) -> bool:
    """Return whether a person marked what had been waiting for a mark, and changed nothing beside."""
    old = change.old or {}
    return (
        change.table == "grade"
        and bool(old.get("needs_manual_grade"))
        and old.get("auto_score") is None
        and [(name, was) for name, was, _now in changed_values(change)] == [("manual_score", None)]
    )


def is_after_release(change: Recorded, out: int | None) -> bool:
    """Return whether it changed what the learner had been told; `out` is the row that says that feedback is out."""
    return out is not None and change.seq > out and changes_score(change) and not is_first_mark(change)


def needs_reason(change: Recorded) -> bool:
    """Return whether a person has to say why: after release, and where a score or a mark stood already.

    A grading run has its rules for reasons.
    """
    replaced = change.table == "grade" and change.old is not None and changes_score(change)
    return change.run_id is None and (change.after_release or (replaced and not is_first_mark(change)))


def lacks_reason(change: Recorded) -> bool:
    """Return whether a change needs a reason and has none, neither then nor later."""
    return needs_reason(change) and not (change.reason or "").strip()
