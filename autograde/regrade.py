"""`counterside regrade`: who would have other points by the keys and rules of now, before anything is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import Engine, func, select

from autograde.batch import find_submissions, job_of
from autograde.config import CourseConfig
from autograde.grade import grade_and_report, known, nobody
from autograde.place import CourseError
from autograde.submission import handed_in, read
from autograde.tables import EVIDENCE, gradebook
from autograde.workers import course_of_run
from curriculum.verdict import number

ROUNDING = 1e-9  # points
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Change:
    """Points that rules give a learner for an item: in the last grading, and now."""

    learner: str
    chapter: str
    item: str
    before: float
    after: float

    @property
    def gain(self) -> float:
        return self.after - self.before


def regrade(console: Console, chapters: Sequence[str], learners: str, *, workers: int, dry_run: bool) -> int:
    """Print who changes and by how much; grade again unless `dry_run`. Raises CourseError."""
    config, names = CourseConfig(), known(chapters)
    with gradebook(config.db_url) as engine:
        found = list(changes(console, config, engine, names, learners))
    report(console, found)
    if dry_run:
        console.print("Nothing was written.")
        return 0
    return grade_and_report(console, names, learners, workers=workers, force=True)


def changes(
    console: Console, config: CourseConfig, engine: Engine, chapters: Sequence[str], learners: str
) -> Iterator[Change]:
    """Judge what was graded before once more, and yield where points differ. Raises CourseError."""
    last = select(func.max(EVIDENCE.c.id)).group_by(EVIDENCE.c.student_id, EVIDENCE.c.item)
    columns = (EVIDENCE.c.student_id, EVIDENCE.c.assignment, EVIDENCE.c.item, EVIDENCE.c.earned)
    before: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    with engine.begin() as connection:
        for learner, chapter, item, earned in connection.execute(select(*columns).where(EVIDENCE.c.id.in_(last))):
            before[learner, chapter][item] = earned
    course = course_of_run()
    found, _odd = find_submissions(config, chapters, learners)
    graded = [job_of(config, chapter, learner) for chapter, learner in found if (learner, chapter) in before]
    if not graded:
        words = f"nothing was graded of {', '.join(chapters)}; run “counterside grade” first"
        raise CourseError(nobody(config, learners) or words)
    for job in track(graded, "Judge again", console=console):
        chapter = course.chapter(job.chapter)
        verdict, _at = read(chapter, job.released, job.submitted, handed_in(chapter, job.submitted))
        for outcome in verdict.outcomes:
            was = before[job.learner, job.chapter].get(outcome.item, 0.0)
            if abs(outcome.earned - was) > ROUNDING:
                yield Change(job.learner, job.chapter, outcome.item, was, outcome.earned)


def report(console: Console, found: Sequence[Change]) -> None:
    """Print changes by item, then by learner."""
    if not found:
        console.print("Nobody's points change.")
        return
    by_item: dict[str, list[Change]] = defaultdict(list)
    for change in found:
        by_item[change.item].append(change)
    table = Table("item", "learners", "up", "down", "largest loss", "largest gain")
    for item, some in by_item.items():
        gains = [change.gain for change in some]
        up, down = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
        ends = (number(min(0.0, *gains)), number(max(0.0, *gains)))
        table.add_row(item, str(len(some)), str(up), str(down), *ends)
    console.print(table)
    for change in found[:SHOWN]:
        console.print(
            f"{change.learner}, {change.item}: {number(change.before)} → {number(change.after)} points", markup=False
        )
    if len(found) > SHOWN:
        console.print(f"… and {len(found) - SHOWN} more.")
