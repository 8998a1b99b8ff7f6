"""The commands of those who look a gradebook through, mark a sample again, and take it elsewhere."""

from __future__ import annotations

import argparse
import getpass
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from autograde.config import CourseConfig
from curriculum.items import TYPES

if TYPE_CHECKING:
    from autograde.audit.sample import Case, Sample

FORMATS = ("csv", "nbgrader", "moodle", "canvas", "xlsx")
console = Console(highlight=False, soft_wrap=True)

Add = Callable[[str, object, str], argparse.ArgumentParser]


def add_steps(add: Add) -> None:
    """Add these commands to those of `counterside audit`."""
    look = add("looks", run_looks, "Say what deserves a look, by which rule, and what chance alone would bring.")
    look.add_argument("--rule", metavar="RULE", help="only this one, such as same-answers")
    drawn = add("sample", run_sample, "Draw answers to be marked again into a file of your own.")
    drawn.add_argument("--size", type=int, default=30, help="how many (30)")
    drawn.add_argument("--seed", required=True, help="any words; the same words draw the same answers on any machine")
    drawn.add_argument(
        "--type", choices=sorted(TYPES), metavar="TYPE", help="only of this item type, such as free_text"
    )
    drawn.add_argument("--out", type=Path, required=True, help="the file, which must not be there yet")
    agree = add("agree", run_agree, "Note in your own file whether you agree with a mark, or show how far you do.")
    agree.add_argument("file", type=Path, help="what “counterside audit sample” wrote")
    agree.add_argument("case", nargs="?", type=int, help="number of the case")
    agree.add_argument("verdict", nargs="?", choices=("agree", "differ"))
    agree.add_argument("--score", type=float, help="with “differ”: the points that you give")
    agree.add_argument("--words", default="", help="why")
    out = add("export", run_export, "Write the gradebook for another program.")
    out.add_argument("format", choices=FORMATS)
    out.add_argument("out", type=Path, help="the file, which must not be there yet")
    out.add_argument("--purpose", required=True, help="what for; it is written beside the data")
    out.add_argument("--delete-by", required=True, type=day, metavar="DATE", help="such as 2027-03-31")
    out.add_argument("--pseudonyms", type=Path, metavar="KEYFILE", help="other names, by a key that is made if needed")
    out.add_argument("--bom", action="store_true", help="begin with a byte order mark, so that Excel reads Chinese")


def day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise argparse.ArgumentTypeError(f"write the date as 2027-12-31, not as {words}") from None


def run_looks(options: argparse.Namespace) -> None:
    from autograde.audit.book import read_book
    from autograde.audit.looks import find
    from autograde.audit.rules import RULES
    from autograde.place import CourseError

    if options.rule is not None and options.rule not in RULES:
        raise CourseError(f"there is no rule “{options.rule}”; there are {', '.join(RULES)}")
    found = find(read_book(CourseConfig()))
    count = Counter(look.rule for look in found)
    for rule in [RULES[options.rule]] if options.rule else RULES.values():
        console.print(f"\n[b]{rule.title.en}[/b] ({rule.id}): {count[rule.id]}")
        console.print(f"From where on: {rule.threshold.en}. {rule.chance.en}", markup=False)
        for look in found if options.rule else ():
            if look.rule != rule.id:
                continue
            place = " ".join(filter(None, (look.learner, *look.others, look.chapter, look.item)))
            rows = f" {'Row' if len(look.seqs) == 1 else 'Rows'} {', '.join(map(str, look.seqs))} of the trail."
            console.print(f"  {place}: {look.sentence.en}{rows if look.seqs else ''}", markup=False)
    if not options.rule and found:
        console.print("\n“counterside audit looks --rule NAME” shows the places, such as --rule " + found[0].rule + ".")


def run_sample(options: argparse.Namespace) -> None:
    from autograde.audit import sample
    from autograde.audit.book import read_book

    drawn = sample.draw(read_book(CourseConfig()), options.size, options.seed, options.type)
    sample.write(options.out, drawn)
    show(drawn)
    console.print(
        f"\nwrote {options.out}. Judge each answer on the auditor's desk, then note it with “counterside audit agree "
        f"{options.out} 1 agree”; what was recorded is shown after that.",
        markup=False,
    )


def run_agree(options: argparse.Namespace) -> None:
    from autograde.audit import sample
    from autograde.place import CourseError

    if options.case is None:
        show(sample.read(options.file))
        return
    if options.verdict is None:
        raise CourseError("say “agree”, or “differ” with --score, after the number of the case")
    agrees = options.verdict == "agree"
    sample.record(options.file, options.case, getpass.getuser(), agrees, options.score, options.words)
    drawn = sample.read(options.file)
    show_cases(drawn, [drawn.cases[options.case - 1]])
    show_summary(drawn)


def show(drawn: Sample) -> None:
    """Print the draw, its cases with what was found, and how far the auditor agrees."""
    head = drawn.draw
    strata = ", ".join(f"{count} of {of} of {chapter}" for chapter, (count, of) in head.strata.items())
    console.print(f"Seed “{head.seed}”: {head.size} of {head.population} answers ({strata}).", markup=False)
    show_cases(drawn, drawn.cases)
    show_summary(drawn)


def show_cases(drawn: Sample, cases: Sequence[Case]) -> None:
    """Print where to look, and what was recorded only where the auditor has judged: it would sway them."""
    from curriculum.load import load_course
    from curriculum.verdict import number

    items, counting = load_course().items, drawn.counting
    for case in cases:
        judged, item = counting.get(case.number), items.get(case.item)
        title = f" {item.head.title.en}" if item else ""
        said = f"{number(case.possible)} points, not judged yet"
        if judged is not None:
            found = "agrees" if judged.score is None else f"differs: {number(judged.score)}"
            words = f" ({judged.words})" if judged.words else ""
            said = f"{number(case.score)} of {number(case.possible)}  {found}{words}"
        console.print(f"{case.number:>4}  {case.chapter} {case.learner} {case.item}{title}: {said}", markup=False)


def show_summary(drawn: Sample) -> None:
    from autograde.audit.sample import summary

    found = summary(drawn)
    if found.share is not None and found.interval is not None and found.mean_difference is not None:
        low, high = found.interval
        console.print(
            f"{found.judged} of {found.cases} judged; {found.agreed} agree, {found.share:.0%} "
            f"(95 % interval {low:.0%} to {high:.0%}, Wilson); the auditor's score lies {found.mean_difference:+.2f} "
            "points from the recorded one on average."
        )
    else:
        console.print(f"None of {found.cases} judged yet.")


def run_export(options: argparse.Namespace) -> None:
    from autograde.audit.book import read_book
    from autograde.audit.exports import Purpose, export
    from autograde.audit.ledger import read_ledger
    from autograde.audit.pseudonyms import pseudonyms

    config = CourseConfig()
    ledger, book = read_ledger(config.db_url), read_book(config)
    names = pseudonyms(options.pseudonyms) if options.pseudonyms else None
    purpose = Purpose(options.purpose, options.delete_by, options.format, names)
    export(options.out, ledger, book, purpose, bom=options.bom)
    console.print(f"wrote {options.out}; delete it by {options.delete_by}.", markup=False)
