"""`counterside explain`: why a learner has the points of an item, in words, from the evidence in the gradebook."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from sqlalchemy import Row, select

from autograde.config import CourseConfig
from autograde.engine import Verdict, plain, read_verdict
from autograde.handback import Grade, read_standings
from autograde.marks import given
from autograde.place import CourseError
from autograde.tables import EVIDENCE, RUN, gradebook, nbgrader_tables
from curriculum.build import criterion_cells
from curriculum.load import load_course
from curriculum.model import Item
from curriculum.verdict import number

STATES = {
    "graded": "The answer was graded by rule.",
    "unanswered": "There was no answer.",
    "invalid": "What was saved is no valid answer, so it earned nothing.",
}


def explain(console: Console, learner: str, item_id: str) -> None:
    """Print the evidence for one score, newest first. Raises CourseError when there is none."""
    config, course = CourseConfig(), load_course()
    chapter = next((chapter.id for chapter in course.chapters if item_id in chapter.points), None)
    if chapter is None:
        raise CourseError(f"there is no graded item “{item_id}”; ids are like e3-1-2, and practice is not graded")
    query = (
        select(EVIDENCE, RUN.c.at.label("graded"), RUN.c.scorer)
        .join(RUN, RUN.c.id == EVIDENCE.c.run_id)
        .where(EVIDENCE.c.student_id == learner, EVIDENCE.c.item == item_id)
        .order_by(EVIDENCE.c.id.desc())
    )
    with gradebook(config.db_url) as engine, engine.begin() as connection:
        rows = connection.execute(query).all()
        standing = read_standings(connection, nbgrader_tables(engine), chapter).get(learner)
    if not rows:
        raise CourseError(f"nothing was graded of {learner} for {item_id}; see “counterside gradebook” for names")
    newest, *earlier = rows
    reasons = reasons_of(config.autograded / learner / chapter / f"{chapter}.ipynb", newest)
    console.print(f"[b]{escape(course.items[item_id].head.title.en)}[/b] ({item_id}), {escape(learner)}")
    marks = counted(course.items[item_id], newest, standing.grades if standing else ())
    for line in (*told(newest), *reasons, *marks):
        console.print(line, markup=False)
    for row in earlier:
        words = (
            f"{number(row.earned)} of {number(row.possible)}, run {row.run_id} at {row.graded:%Y-%m-%d %H:%M:%S} UTC"
        )
        console.print(f"Before that: {words}", markup=False)


def told(row: Row[tuple[object, ...]]) -> Iterator[str]:
    """Say what the gradebook's evidence holds."""
    yield f"{number(row.earned)} of {number(row.possible)} points by rule"
    if row.by_hand:
        yield f"{number(row.by_hand)} of the points are a person's to give."
    yield STATES[row.state]
    if row.seq is not None:
        yield f"Answer: record {row.seq} of the response log, {plain(row.at)}, SHA-256 of its line {row.line}"
    for flag in json.loads(row.flags):
        yield f"Flag: {flag}"
    yield f"Item {row.item_hash}"
    yield f"Key  {row.key_hash}"
    yield f"Graded in run {row.run_id} at {row.graded:%Y-%m-%d %H:%M:%S} UTC by scorer {row.scorer}"


def counted(item: Item, row: Row[tuple[object, ...]], grades: Sequence[Grade]) -> Iterator[str]:
    """Say what a person gave, and what counts in the end."""
    by_name = {grade.name: grade for grade in grades}
    own = by_name.get(item.id)
    if own and own.manual_score is not None:
        yield f"A person set {number(own.manual_score)} in place of {number(own.auto_score or 0)}."
    if own and own.extra_credit:
        yield f"A person gave {number(own.extra_credit)} on top."
    total, waiting = (own.score if own else row.earned), 0.0
    for cell in criterion_cells(item, row.possible):
        score = given(by_name.get(cell.id))
        total, waiting = total + (score or 0), waiting + (cell.points if score is None else 0)
        mark = "not marked yet" if score is None else f"{number(score)} of {number(cell.points)}"
        yield f"By a person: {cell.criterion.title.en}: {mark}"
    yield f"Counts now: {number(total)} of {number(row.possible)} points" + (
        f"; {number(waiting)} are still to be marked" if waiting else ""
    )


def reasons_of(notebook: Path, row: Row[tuple[object, ...]]) -> Iterator[str]:
    """Give the rules one by one, in words where the autograded notebook still has them of this grading."""
    rules = json.loads(row.rules)
    try:
        verdict: Verdict | None = read_verdict(json.loads(notebook.read_bytes()))
    except (OSError, ValueError, KeyError):
        verdict = None
    outcome = next((one for one in verdict.outcomes if one.item == row.item), None) if verdict else None
    words = [outcome_row.did.en for outcome_row in outcome.rows] if outcome else []
    same = outcome is not None and [one.because for one in outcome.rows] == [rule for rule, *_more in rules]
    units = number(sum(earned for _rule, earned, *_more in rules))
    points = f"{number(row.earned)} of {number(row.possible - row.by_hand)} points"
    yield f"Rule by rule, in the item's own units; {units} in all, which is {points}:" if rules else "No rule gave any."
    for place, (rule, earned, point, law) in enumerate(rules):
        named = ", ".join(filter(None, [rule, point, law]))
        yield f"  {number(earned):>6}  {words[place] if same else ''} ({named})"
