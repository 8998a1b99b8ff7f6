"""The command line: one command for each thing a person wants done."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from autograde.place import ROOT, CourseError

try:
    from rich.console import Console

    from autograde.audit.cli import add_commands
    from curriculum.build import build, outdated
    from curriculum.items import TYPES
    from curriculum.lint import lint
    from curriculum.lint.lock import lockable, write_lock
    from curriculum.load import CONTENT, Loader, load_course
    from curriculum.source import ContentError
except ModuleNotFoundError as missing:
    sys.exit(f"“counterside” belongs to the grading side and needs {missing.name}: pip install 'counterside[grading]'")

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command's function is its default `run`."""
    main_parser = argparse.ArgumentParser(
        prog="counterside", description="Service etiquette in finance: content, grading and reports."
    )
    main_parser.set_defaults(run=lambda _options: main_parser.print_help())
    commands = main_parser.add_subparsers(metavar="COMMAND")

    def add(name: str, run: object, help: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help)
        command.set_defaults(run=run)
        return command

    check = add("lint", run_lint, "Check the content and name every fault with its file and line.")
    check.add_argument(
        "path", nargs="?", type=Path, default=CONTENT, help="a file, or the folder that holds course.yml"
    )
    new = add("new", run_new, "Write a commented item to fill in.")
    new.add_argument("type", choices=sorted(TYPES), metavar="type", help="an item type, such as dialogue")
    new.add_argument("id", help="e3-2-1 for a graded item of section 3.2, p3-2-1 for practice")
    look = add("preview", run_preview, "Show one item in the browser, in both languages, with the score of the answer.")
    look.add_argument("id", help="the item's id")
    look.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    cover = add("coverage", run_coverage, "Show which points are taught and exercised, and what guessing earns.")
    cover.add_argument("--html", type=Path, help="also write a page with every point")
    add("simulate", run_simulate, "Let simulated learners play every graded item, and show how items tell them apart.")
    locked = add("lock", run_lock, "Remember keys and wordings as released, so that lint guards them.")
    locked.add_argument("ids", nargs="*", metavar="id", help="items or sections; without any, the whole course")
    make = add("build", run_build, "Write source/ and the schemas from the content.")
    make.add_argument("--check", action="store_true", help="write nothing; fail when something is not up to date")
    add("demo", run_demo, "Let a simulated cohort learn, hand in and be graded.")
    grade = add("grade", run_grade, "Grade what was collected: answers by rule, no code of a learner is run.")
    again = add("regrade", run_regrade, "Grade again by the keys and rules of now, and say whose points change.")
    again.add_argument("--dry-run", action="store_true", help="only say it")
    pages = add("feedback", run_feedback, "Write the feedback pages of what was graded.")
    for command in (grade, again):
        command.add_argument(
            "--workers", type=at_least_one, default=os.cpu_count() or 1, help="processes that judge side by side"
        )
    for command in (grade, again, pages):
        command.add_argument("chapter", nargs="*", help="such as ch3")
        command.add_argument("--all", action="store_true", help="all chapters")
        command.add_argument("--learners", default="*", metavar="PATTERN", help="those whose names fit, such as 'a*'")
    grade.add_argument("--dask", metavar="ADDRESS", help="judge on the cluster of this scheduler: tcp://host:8786")
    grade.add_argument("--force", action="store_true", help="also what has not changed since it was graded")
    told = add("explain", run_explain, "Say in words why a learner has the points of an item.")
    told.add_argument("learner")
    told.add_argument("item", help="such as e3-1-2")
    add("gradebook", run_gradebook, "Print the gradebook.")
    show = add("open", run_open, "Open the learner's, the instructor's or the auditor's place in the browser.")
    show.add_argument("role", choices=("learner", "instructor", "auditor"))
    show.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    bench = add("bench", run_bench, "Measure, and print a table.")
    bench.add_argument(
        "what",
        choices=("player", "browser", "items", "fuzz", "grading", "audit", "desk"),
        help="player: the kernel; browser: what a learner feels; items: judging; fuzz: judging what no view sends; "
        "grading: beside nbgrader as it comes; audit: what a trail costs, and checking a million rows; "
        "desk: the auditor's, with 5,000 learners",
    )
    bench.add_argument("--values", type=int, default=100_000, help="of fuzz: so many for each type")
    add_commands(commands)
    return main_parser


def at_least_one(words: str) -> int:
    if not words.isdecimal() or not int(words):
        raise argparse.ArgumentTypeError(f"“{words}” is no number of processes; say 1 or more")
    return int(words)


def run_lint(options: argparse.Namespace) -> None:
    path = options.path.resolve()
    root = next((folder for folder in (path, *path.parents) if (folder / "course.yml").is_file()), path)
    try:
        course = lint(root)
    except ContentError as error:
        if path.is_dir():
            raise
        here = [problem for problem in error.problems if problem.file == path.relative_to(root).as_posix()]
        if here:
            raise ContentError(here) from None
        console.print(f"No fault in {path.name}; there are {len(error.problems)} in other files.")
        return
    graded = sum(len(chapter.points) for chapter in course.chapters)
    console.print(f"No fault in {len(course.items)} items, {graded} of them graded.")


def run_build(options: argparse.Namespace) -> None:
    course = load_course()
    if options.check:
        stale = outdated(course, ROOT)
        if stale:
            names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
            raise CourseError(f"not up to date: {names}; run “counterside build” and commit the result")
        console.print("source/ and the schemas are up to date.")
        return
    changed = build(course, ROOT)
    console.print("\n".join(f"wrote {path.relative_to(ROOT)}" for path in changed) or "All was up to date.")


def run_new(options: argparse.Namespace) -> None:
    from autograde.authoring import new_item

    course = Loader(CONTENT).read()
    if course is None:
        raise CourseError("course.yml has faults; run “counterside lint” and mend them first")
    path = new_item(options.type, options.id, course)
    console.print(
        f"wrote {path.relative_to(ROOT)}\n"
        f"Fill it in, place it in the lesson with {{{{ item {options.id} }}}}, "
        "give it points in course.yml if it is graded, and run “counterside lint”.",
        markup=False,
    )


def run_preview(options: argparse.Namespace) -> None:
    from autograde.preview import preview

    preview(console, options.id, browser=not options.no_browser)


def run_coverage(options: argparse.Namespace) -> None:
    from autograde.authoring import print_coverage

    print_coverage(console, load_course(), options.html)


def run_simulate(_options: argparse.Namespace) -> None:
    from autograde.simulate import print_statistics

    print_statistics(console, load_course())


def run_lock(options: argparse.Namespace) -> None:
    course = load_course()
    known = lockable(course)
    unknown = [name for name in options.ids if name not in known]
    if unknown:
        raise CourseError(f"there is no graded item or section “{unknown[0]}”; see course.yml for their ids")
    write_lock(CONTENT, course, options.ids or known)
    console.print(f"locked {', '.join(options.ids) or 'the whole course'} in course.lock; commit it")


def run_demo(_options: argparse.Namespace) -> None:
    from autograde.demo.run import run

    run(console)


def run_grade(options: argparse.Namespace) -> int:
    from autograde.grade import grade_and_report

    return grade_and_report(
        console,
        named(options),
        options.learners,
        workers=options.workers,
        dask=options.dask,
        force=options.force,
    )


def run_regrade(options: argparse.Namespace) -> int:
    from autograde.regrade import regrade

    return regrade(console, named(options), options.learners, workers=options.workers, dry_run=options.dry_run)


def run_feedback(options: argparse.Namespace) -> int:
    from autograde.grade import feedback_and_report

    return feedback_and_report(console, named(options), options.learners)


def named(options: argparse.Namespace) -> list[str]:
    """Return the chapters that are meant, none for all. Raises CourseError when nothing was said, or both."""
    chapters: list[str] = options.chapter
    if chapters and options.all:
        raise CourseError("name chapters or say --all, not both")
    if not chapters and not options.all:
        raise CourseError("name the chapters, such as ch3, or say --all")
    return chapters


def run_explain(options: argparse.Namespace) -> None:
    from autograde.explain import explain

    explain(console, options.learner, options.item)


def run_gradebook(_options: argparse.Namespace) -> None:
    from autograde.report import print_gradebook

    print_gradebook(console)


def run_open(options: argparse.Namespace) -> None:
    from autograde.serve import serve

    serve(options.role, browser=not options.no_browser)


def run_bench(options: argparse.Namespace) -> None:
    if options.what == "browser":
        from autograde.bench_browser import browser

        browser(console)
    elif options.what == "items":
        from autograde.bench_items import items

        items(console)
    elif options.what == "fuzz":
        from autograde.fuzz import fuzz_all

        fuzz_all(console, options.values)
    elif options.what == "grading":
        from autograde.bench_grading import BY_STOCK, LEARNERS, MANY, grading

        grading(console, LEARNERS, BY_STOCK, MANY)
    elif options.what == "audit":
        from autograde.bench_audit import ROWS, audit

        audit(console, ROWS)
    elif options.what == "desk":
        from autograde.bench_desk import desk

        desk(console)
    else:
        from autograde.bench import player

        player(console)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: its own, or 1 after a sentence. A person never sees a traceback."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except ContentError as error:
        for problem in error.problems:
            errors.print(str(problem), markup=False)
        count = len(error.problems)
        errors.print(f"{count} {'fault' if count == 1 else 'faults'} found; nothing was written.", markup=False)
        return 1
    except CourseError as error:
        errors.print(str(error), markup=False)
        return 1
    except OSError as error:
        errors.print(f"{error.filename or 'a file'}: {error.strerror or error}; mend that and try again", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        where = keep_traceback(error)
        errors.print(
            f"This stopped at what it was not made for: {type(error).__name__}: {error}. If somebody wrote into the "
            f"gradebook by hand, “counterside audit verify” says where; if not, report it with {where}.", markup=False,
        )  # fmt: skip
        return 1


def keep_traceback(error: Exception) -> str:
    """Write down where an error came from, for whoever mends it, and return the name of the file."""
    with tempfile.NamedTemporaryFile("w", prefix="counterside-", suffix=".txt", delete=False) as file:
        file.writelines(traceback.format_exception(error))
    return file.name


if __name__ == "__main__":
    sys.exit(main())
