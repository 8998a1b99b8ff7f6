"""`counterside grade` and `counterside feedback`: a progress bar, what became of it, what a person should see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine

from autograde.batch import Result, State, Summary, grade
from autograde.config import CourseConfig
from autograde.handback import write_feedback
from autograde.place import CourseError
from autograde.tables import gradebook
from autograde.workers import course_of_run

HEADINGS: dict[State, str] = {
    "graded": "graded",
    "warning": "graded, notebook changed",
    "look": "needs a person",
    "refused": "refused",
    "unchanged": "as before",
}
SHOWN = 50


def grade_and_report(
    console: Console, chapters: Sequence[str], learners: str, *, workers: int, dask: str | None = None, force: bool
) -> int:
    """Grade and print. Returns 1 when a person should look at something. Raises CourseError or ContentError."""
    config, names = CourseConfig(), known(chapters)

    def results(engine: Engine, begun: Callable[[int], None]) -> Iterator[Result]:
        return grade(config, engine, names, learners, workers=workers, dask=dask, force=force, begun=begun)

    empty = nobody(config, learners) or f"nothing was handed in of {', '.join(names)}; collect it first"
    code = report(console, config, "Grade", results, empty)
    from autograde.audit.after import seal_run  # signing is loaded when all else is done

    with gradebook(config.db_url) as engine:
        console.print(seal_run(config, engine), markup=False)
    return code


def feedback_and_report(console: Console, chapters: Sequence[str], learners: str) -> int:
    """Write the feedback pages and print. Returns 1 when one could not be written. Raises CourseError."""
    config, names = CourseConfig(), known(chapters)

    def results(engine: Engine, begun: Callable[[int], None]) -> Iterator[Result]:
        return write_feedback(config, engine, names, learners, begun)

    empty = nobody(config, learners) or f"nothing was graded of {', '.join(names)}; run “counterside grade” first"
    return report(console, config, "Write feedback", results, empty)


def nobody(config: CourseConfig, learners: str) -> str:
    """Return in words that a pattern fits nobody who handed in, and nothing when it fits somebody."""
    if learners == "*" or any(fnmatchcase(path.name, learners) for path in config.submitted.glob("*")):
        return ""
    return f"no learner who handed in fits “{learners}”; “counterside gradebook” has their names"


def known(chapters: Sequence[str]) -> Sequence[str]:
    """Return the chapters that were named, or all. Raises CourseError for one that there is not."""
    there = [chapter.id for chapter in course_of_run().chapters]
    for name in chapters:
        if name not in there:
            raise CourseError(f"there is no chapter “{name}”; there are {', '.join(there)}")
    return chapters or there


def report(
    console: Console,
    config: CourseConfig,
    title: str,
    results: Callable[[Engine, Callable[[int], None]], Iterator[Result]],
    empty: str,
) -> int:
    """Show the progress of a run, then what became of each chapter, then what a person should see."""
    summary = Summary()
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with gradebook(config.db_url) as engine, Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=None)
        for result in results(engine, lambda total: progress.update(task, total=total)):
            summary.add(result)
            progress.advance(task)
    if not summary.counts:
        raise CourseError(empty)
    console.print(table(summary))
    for result in summary.remarked[:SHOWN]:
        console.print(f"{result.learner}, {result.chapter}: {'; '.join(result.remarks)}", markup=False)
    if len(summary.remarked) > SHOWN:
        console.print(f"… and {len(summary.remarked) - SHOWN} more; “counterside gradebook” has them all.")
    return int(any(result.needs_a_person for result in summary.remarked))


def table(summary: Summary) -> Table:
    """Return how many submissions came to which state, by chapter."""
    states = [state for state in HEADINGS if any(count[state] for count in summary.counts.values())]
    found = Table()
    found.add_column("chapter")
    for state in states:
        found.add_column(HEADINGS[state], justify="right")
    for chapter, count in summary.counts.items():
        found.add_row(chapter, *(str(count[state]) for state in states))
    return found
