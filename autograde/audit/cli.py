"""`counterside audit …`: the commands of those who prove and check what stands in the gradebook."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import Engine

from autograde import tables
from autograde.audit.review import add_steps
from autograde.config import CourseConfig

console = Console(highlight=False, soft_wrap=True)


def add_commands(commands: Any) -> None:
    """Add `audit` and its own commands to the command line. Each command's function is its default `run`."""
    help = "Watch, seal and check the gradebook."
    audit = commands.add_parser("audit", help=help, description=help)
    audit.set_defaults(run=lambda _options: audit.print_help())
    steps = audit.add_subparsers(metavar="STEP")

    def add(name: str, run: object, help: str) -> argparse.ArgumentParser:
        step: argparse.ArgumentParser = steps.add_parser(name, help=help, description=help)
        step.set_defaults(run=run)
        return step

    page = add("report", run_report, "Write the auditor's desk as one file that needs neither Jupyter nor a network.")
    page.add_argument("out", type=Path, help="the file to write, such as report.html")
    page.add_argument("--chapter", help="of one chapter, such as ch3")
    page.add_argument("--learner", help="of one learner")
    page.add_argument(
        "--pseudonyms", type=Path, metavar="KEYFILE", help="other names for learners, by a key that is made if needed"
    )

    add("install", run_install, "Put the trail in place, or mend it, and take a snapshot of what is there.")
    why = add("reason", run_reason, "Say why rows of the trail came to be.")
    why.add_argument("row", nargs="+", type=int, help="numbers of rows, as verify and the auditor's desk show them")
    why.add_argument("words", help="why, in quotes")
    add_steps(add)


def run_install(_options: argparse.Namespace) -> None:
    from autograde.audit.trail import install

    with gradebook() as engine:
        done = install(engine)
    if done.first:
        console.print(f"A trail is kept from now on; it begins with {done.rows} rows that were there.")
    elif done.mended:
        console.print("\n".join(done.mended), markup=False)
        console.print(f"Mended. What had changed meanwhile is in the trail now: {done.rows} rows.")
    else:
        console.print("The trail is in place; nothing was to be done.")


def run_reason(options: argparse.Namespace) -> None:
    from autograde.audit.trail import give_reason

    with gradebook() as engine:
        give_reason(engine, options.row, options.words)
    console.print(f"Noted for {len(options.row)} {'row' if len(options.row) == 1 else 'rows'} of the trail.")


@contextmanager
def gradebook() -> Iterator[Engine]:
    """Open the gradebook of this course. Raises CourseError when there is none."""
    with tables.gradebook(CourseConfig().db_url) as engine:
        yield engine


def run_report(options: argparse.Namespace) -> None:
    from autograde.audit.page import report

    report(options.out, chapter=options.chapter, learner=options.learner, key_file=options.pseudonyms)
