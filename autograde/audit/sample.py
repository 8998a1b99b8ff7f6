"""A random sample for marking again, the same on any machine, and the auditor's own file for what came of it.

Who is drawn: of each chapter its share of the sample in proportion to its answers,
rounded by the largest remainder, ties going to the chapter that comes first; within
it, those whose SHA-256 of `seed`, a line feed and `learner/chapter/item` in UTF-8
is the smallest. So a seed that was agreed on before decides all, and anybody can
work it out again.

The file is JSON lines: first the draw, then a line for each case, then a line for
each judgement, only ever added. Nothing here writes into the gradebook.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval, Len
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from autograde.audit.agreement import wilson
from autograde.audit.book import Book
from autograde.audit.newfile import put
from autograde.place import CourseError
from curriculum.model import Model

MAX_BYTES = 16 * 2**20
MAX_WORDS = 2_000

Points = Annotated[float, Interval(ge=0)]


class Draw(Model):
    """How a sample came to be: `strata` has by chapter how many were drawn, of how many."""

    kind: Literal["draw"] = "draw"
    v: Literal[1] = 1
    at: str
    seed: str
    size: int
    population: int
    type: str | None = None
    strata: Mapping[str, tuple[int, int]]


class Case(Model):
    """One answer to be marked again; `score` is what it had when it was drawn, in points."""

    kind: Literal["case"] = "case"
    number: Annotated[int, Interval(ge=1)]
    learner: str
    chapter: str
    item: str
    score: float
    possible: Points


class Judgement(Model):
    """What the auditor found; a score of their own where they differ. The last one on a case counts."""

    kind: Literal["judgement"] = "judgement"
    number: Annotated[int, Interval(ge=1)]
    at: str
    auditor: str
    agrees: bool
    score: Points | None = None
    words: Annotated[str, Len(0, MAX_WORDS)] = ""

    @model_validator(mode="after")
    def differs_by_something(self) -> Judgement:
        if self.agrees == (self.score is not None):
            raise ValueError("a score of one's own belongs to a difference, and to nothing else")
        return self


Line = TypeAdapter(Annotated[Draw | Case | Judgement, Field(discriminator="kind")])


class Sample(Model):
    """What an auditor's file holds."""

    draw: Draw
    cases: tuple[Case, ...]
    judgements: tuple[Judgement, ...] = ()

    @property
    def counting(self) -> dict[int, Judgement]:
        """The last judgement on each case, by its number."""
        return {one.number: one for one in self.judgements}


class Summary(Model):
    """How far the auditor agrees: a share of the cases judged with its 95 % interval (Wilson), None before the first.

    `mean_difference` is the auditor's score less the recorded one, in points a case, over the cases judged.
    """

    cases: int
    judged: int
    agreed: int
    share: float | None
    interval: tuple[float, float] | None
    mean_difference: float | None


def draw(book: Book, size: int, seed: str, type: str | None = None) -> Sample:
    """Draw `size` answers, or all where there are fewer; with a `type`, only answers to items of that type.

    Raises CourseError where there is nothing to be drawn.
    """
    found: dict[str, list[Case]] = {chapter.id: [] for chapter in book.course.chapters}
    for standing in book.standings:
        for cell in standing.cells.values():
            fits = type is None or book.course.items[cell.item].kind.name == type
            if cell.state != "unanswered" and fits:
                case = Case(
                    number=1, learner=standing.learner, chapter=standing.chapter, item=cell.item,
                    score=cell.score, possible=cell.possible,
                )  # fmt: skip
                found[standing.chapter].append(case)
    population = {chapter: len(cases) for chapter, cases in found.items() if cases}
    if size < 1 or not population:
        raise CourseError("there is nothing to draw: no answer that fits has been graded, or the size is below 1")
    shares = proportional(population, size)
    drawn = [case for chapter, count in shares.items() for case in smallest(found[chapter], seed)[:count]]
    head = Draw(
        at=now(), seed=seed, size=len(drawn), population=sum(population.values()), type=type,
        strata={chapter: (count, population[chapter]) for chapter, count in shares.items()},
    )  # fmt: skip
    cases = tuple(case.model_copy(update={"number": number}) for number, case in enumerate(drawn, 1))
    return Sample(draw=head, cases=cases)


def proportional(population: Mapping[str, int], size: int) -> dict[str, int]:
    """Share `size` out in proportion, by the largest remainder (A. Hamilton 1792); never more than there are."""
    total = sum(population.values())
    size = min(size, total)
    shares = {name: size * count // total for name, count in population.items()}
    remainders = sorted(population, key=lambda name: -(size * population[name] % total))
    for name in remainders[: size - sum(shares.values())]:
        shares[name] += 1
    return shares


def smallest(cases: Sequence[Case], seed: str) -> list[Case]:
    """Return cases by the SHA-256 that decides who is drawn."""

    def lot(case: Case) -> bytes:
        return hashlib.sha256(f"{seed}\n{case.learner}/{case.chapter}/{case.item}".encode()).digest()

    return sorted(cases, key=lot)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(path: Path, sample: Sample) -> None:
    """Write a new file for the auditor alone. Raises CourseError where there is one already: it may hold judgements."""
    put(path, "".join(f"{line.model_dump_json()}\n" for line in (sample.draw, *sample.cases)).encode())


def read(path: Path) -> Sample:
    """Return what a file holds. Raises CourseError with the line that is wrong."""
    if not path.is_file():
        raise CourseError(f"there is no {path}; make one with “counterside audit sample”")
    if path.stat().st_size > MAX_BYTES:
        raise CourseError(f"{path} has more than {MAX_BYTES // 2**20} MiB; that is no sample")
    lines: list[Any] = []
    for number, data in enumerate(path.read_bytes().splitlines(), 1):
        try:
            lines.append(Line.validate_json(data))
        except ValidationError as error:
            what = error.errors(include_url=False)[0]["msg"]
            raise CourseError(f"{path.name}, line {number} is no line of a sample: {what}") from None
    cases = tuple(line for line in lines if isinstance(line, Case))
    judgements = tuple(line for line in lines if isinstance(line, Judgement))
    numbers = [case.number for case in cases]
    if not lines or not isinstance(lines[0], Draw) or numbers != list(range(1, len(cases) + 1)):
        raise CourseError(f"{path.name} does not begin with a draw and its cases; make a new one")
    stranger = next((one.number for one in judgements if one.number > len(cases)), None)
    if stranger:
        raise CourseError(f"{path.name} judges a case {stranger}, and there are only {len(cases)}")
    return Sample(draw=lines[0], cases=cases, judgements=judgements)


def record(path: Path, number: int, auditor: str, agrees: bool, score: float | None = None, words: str = "") -> None:
    """Add a judgement to the auditor's file; it is on disk when this returns. Raises CourseError."""
    sample = read(path)
    if not 1 <= number <= len(sample.cases):
        raise CourseError(f"there is no case {number}; {path.name} has 1 to {len(sample.cases)}")
    case = sample.cases[number - 1]
    if score is not None and not 0 <= score <= case.possible:
        raise CourseError(f"case {number} is worth 0 to {case.possible:g} points, and {score:g} is outside")
    try:
        judgement = Judgement(number=number, at=now(), auditor=auditor, agrees=agrees, score=score, words=words)
    except ValidationError:
        limit = f"words may have {MAX_WORDS} characters at the most"
        raise CourseError(f"“differ” needs --score, “agree” takes none, and {limit}") from None
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{judgement.model_dump_json()}\n")
        file.flush()
        os.fsync(file.fileno())


def summary(sample: Sample) -> Summary:
    """Return how far the auditor agrees so far."""
    counting = sample.counting
    judged, agreed = len(counting), sum(one.agrees for one in counting.values())
    differences = [
        0.0 if one.score is None else one.score - sample.cases[number - 1].score for number, one in counting.items()
    ]
    return Summary(
        cases=len(sample.cases),
        judged=judged,
        agreed=agreed,
        share=agreed / judged if judged else None,
        interval=wilson(agreed, judged) if judged else None,
        mean_difference=sum(differences) / judged if judged else None,
    )
