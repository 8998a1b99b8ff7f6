"""`counterside audit …`: the commands of those who prove and check what stands in the gradebook."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import Engine

from autograde import tables
from autograde.audit.review import add_steps
from autograde.audit.words import counted
from autograde.config import CourseConfig
from autograde.place import CourseError

BY_HAND = (
    "backups of gradebook and course folder",
    "nbgrader.log and receipts.jsonl in the course folder, where the name stands",
    "reports, exports and bundles that were made before",
    "what somebody wrote into texts, and the learner's own copies",
)
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
    why.add_argument("row", nargs="+", help="numbers of rows, as verify and the auditor's desk show them")
    why.add_argument("words", help="why, in quotes")
    add("seal", run_seal, "Sign what the trail has grown by.")
    check = add("verify", run_verify, "Check seals, trail and tables, and say what is wrong.")
    check.add_argument("--offline", type=Path, metavar="BUNDLE", help="check a bundle, without database and course")
    check.add_argument("--seals", type=Path, help="the folder of the seals, if not the course's own")
    check.add_argument("--key", help="the beginning of the id that the first key must have")
    check.add_argument(
        "--witnessed", type=Path, action="append", default=[], help="what a witness signed; may be given more than once"
    )
    check.add_argument(
        "--sealed", action="append", default=[], metavar="N:ROOT",
        help="a seal kept elsewhere: its number and the beginning of its root; may be given more than once",
    )  # fmt: skip
    check.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that read side by side")
    fresh = add("keygen", run_keygen, "Make a key, or a new one that the old one signs.")
    fresh.add_argument("--lost", metavar="WHY", help="the old key is lost: why, in quotes; nothing signs the new one")
    roles = add("roles", run_roles, "On PostgreSQL: give a role what grading needs, and another what reading needs.")
    roles.add_argument("grader", help="the role of those who grade; it must not own the trail")
    roles.add_argument("auditor", help="the role of those who only read")
    pack = add("bundle", run_bundle, "Write all that it takes to check the gradebook elsewhere into one file.")
    pack.add_argument("out", type=Path, help="the file, such as review.zip")
    pack.add_argument(
        "--chapter", action="append", default=[], help="only of this chapter; may be given more than once"
    )
    pack.add_argument("--named", action="store_true", help="with the learners' names; otherwise pseudonyms")
    pack.add_argument("--purpose", help="what it is for, written into it")
    pack.add_argument("--retention", help="how long it may be kept, written into it")
    gone = add("erase", run_erase, "Erase a learner's personal data; marks and proof stay.")
    gone.add_argument("learner", help="as “counterside gradebook” has the name")
    gone.add_argument("--yes", action="store_true", help="do not ask for the learner's id a second time")
    gone.add_argument("--reason", default="erasure of personal data", help="why, for the trail")
    keep = add("print", run_print, "Show a seal, to be kept elsewhere, with a QR code.")
    keep.add_argument("--seal", type=int, metavar="N", help="the number of an older seal, if not the last")
    keep.add_argument("--out", type=Path, help="write a page to print, instead")
    see = add("witness", run_witness, "On an auditor's own machine: check seals against all that was seen, and sign.")
    see.add_argument("seals", type=Path, help="a folder with heads.jsonl and keys.jsonl")
    see.add_argument("--state", type=Path, required=True, help="the folder in which this machine remembers")
    add_steps(add)


def run_install(_options: argparse.Namespace) -> None:
    from autograde.audit.trail import install

    with gradebook() as engine:
        done = install(engine)
    if done.first:
        console.print(f"A trail is kept from now on; it begins with {counted(done.rows, 'row')} of what was there.")
    elif done.mended:
        console.print("\n".join(done.mended), markup=False)
        console.print(f"Mended. What had changed meanwhile is in the trail now: {counted(done.rows, 'row')}.")
    else:
        console.print("The trail is in place; nothing was to be done.")


def run_reason(options: argparse.Namespace) -> None:
    from autograde.audit.trail import give_reason

    for word in options.row:
        if not (word.isascii() and word.isdigit() and len(word) < 16):
            raise CourseError(
                f"“{word}” is no number of a row; put the reason in quotes, as in: "
                'counterside audit reason 812 813 "the appeal was granted"'
            )
    with gradebook() as engine:
        give_reason(engine, [int(word) for word in options.row], options.words)
    console.print(f"Noted for {counted(len(options.row), 'row')} of the trail.")


def run_seal(_options: argparse.Namespace) -> None:
    from autograde.audit.heads import seal

    config = CourseConfig()
    with gradebook() as engine:
        head = seal(engine, config.seals, config.seal_key)
    if head is None:
        console.print("Nothing has changed since the last seal.")
    else:
        console.print(f"Seal {head.number}: {counted(head.size, 'row')}, root {head.root}")


def run_verify(options: argparse.Namespace) -> int:
    from autograde.audit.heads import as_text
    from autograde.audit.verify import Known, verify

    known = Known(options.key, options.witnessed, options.sealed)
    if options.offline:
        from autograde.audit.offline import verify_bundle

        report = verify_bundle(options.offline, known)
    else:
        config = CourseConfig()
        report = verify(
            config.db_url,
            options.seals or config.seals,
            config.submitted,
            known=known,
            workers=options.workers,
        )
    for words in report.faults:
        console.print(f"WRONG  {words}", markup=False)
    for words in report.remarks:
        console.print(f"note   {words}", markup=False)
    for words in report.compared:
        console.print(f"good   {words}", markup=False)
    if report.last:
        told = as_text(report.last)
        for name in ("seal", "rows", "root", "SHA-256 of the seal"):
            console.print(f"{name:<20} {told[name]}", markup=False)
    sealed = f"{report.sealed} of them sealed in {counted(report.heads, 'seal')}"
    counts = f"{counted(report.rows, 'row')} of the trail, {sealed}"
    if report.faults:
        console.print(f"{counts}: not everything is as it should be.")
        return 1
    console.print(f"{counts}: all is as it was sealed.")
    return 0


def run_keygen(options: argparse.Namespace) -> None:
    from autograde.audit.heads import HEADS, locked, read_heads
    from autograde.audit.keys import generate

    config = CourseConfig()
    with locked(config.seals):
        name = generate(config.seals, config.seal_key, len(read_heads(config.seals / HEADS)[0]), options.lost)
    console.print(
        f"Seals are signed by key {name} from now on.\nIts private half is in {config.seal_key}.", markup=False
    )


def run_roles(options: argparse.Namespace) -> None:
    from autograde.audit.roles import grant

    with gradebook() as engine:
        grant(engine, options.grader, options.auditor)
    words = f"{options.grader} may grade, {options.auditor} may read, and neither can write the trail by hand."
    console.print(words, markup=False)


def run_bundle(options: argparse.Namespace) -> None:
    from autograde.audit.bundle import PURPOSE, RETENTION, write_bundle
    from autograde.grade import known
    from curriculum.load import load_course

    config, course = CourseConfig(), load_course()
    with gradebook() as engine:
        about = write_bundle(
            config,
            engine,
            [course.chapter(name) for name in known(options.chapter)],
            options.out,
            named=options.named,
            purpose=options.purpose or PURPOSE,
            retention=options.retention or RETENTION,
        )
    rows, logs = counted(about["rows"], "row"), counted(about["logs"], "response log")
    who = "with the learners' names" if options.named else "with pseudonyms"
    console.print(f"wrote {options.out}: {rows}, {logs}, {who}", markup=False)
    console.print(f"Purpose: {about['purpose']}. Keeping: {about['retention']}.", markup=False)


def run_erase(options: argparse.Namespace) -> None:
    from autograde.audit.after import seal_run
    from autograde.audit.erase import erase, forget, handed_in, rename_work

    if not options.yes:
        ask_again(options.learner)
    config = CourseConfig()
    with gradebook() as engine:
        pseudonym, rows = erase(engine, options.learner, options.reason)
        work = (config.submitted, config.autograded, config.feedback)
        renamed = rename_work(work, options.learner, pseudonym)
        clean = forget(engine)
        sealed = seal_run(config, engine)
    console.print(
        f"{options.learner} is {pseudonym} from now on; of {counted(rows, 'row')} of the trail a hash is left.",
        markup=False,
    )
    for path in renamed:
        console.print(f"renamed: {path}", markup=False)
    if not clean:
        console.print("The database's files may still hold the name; run VACUUM when nobody uses it.")
    console.print("Left for you to do by hand:")
    for path in handed_in(Path(config.config.Exchange.root), options.learner):
        console.print(f"- remove from the exchange: {path}", markup=False)
    for words in BY_HAND:
        console.print(f"- {words}")
    console.print(sealed, markup=False)


def ask_again(learner: str) -> None:
    """Let a person say a second time whom to erase. Raises CourseError."""
    if not sys.stdin.isatty():
        raise CourseError("nothing was erased: there is nobody here to ask; give --yes if you are sure")
    console.print(f"This can't be undone. Type the id of “{learner}” again to erase it:", markup=False)
    if sys.stdin.readline().rstrip("\n") != learner:
        raise CourseError("nothing was erased: that is not the same id")


def run_print(options: argparse.Namespace) -> None:
    from autograde.audit.keep import print_head

    config = CourseConfig()
    print_head(console, config.seals, options.out, options.seal)


def run_witness(options: argparse.Namespace) -> int:
    from autograde.audit.witness import witness

    found = witness(options.seals, options.state)
    for words in found.faults:
        console.print(f"WRONG  {words}", markup=False)
    for words in found.remarks:
        console.print(f"note   {words}", markup=False)
    if found.faults:
        console.print("Nothing was signed. Keep this folder of seals as it is, and ask who changed it.")
        return 1
    assert found.last
    size = counted(found.last.size, "row")
    console.print(f"{counted(found.new, 'new seal')} signed; the last is seal {found.last.number} of {size}.")
    return 0


@contextmanager
def gradebook() -> Iterator[Engine]:
    """Open the gradebook of this course. Raises CourseError when there is none."""
    with tables.gradebook(CourseConfig().db_url) as engine:
        yield engine


def run_report(options: argparse.Namespace) -> None:
    from autograde.audit.page import report

    report(options.out, chapter=options.chapter, learner=options.learner, key_file=options.pseudonyms)
