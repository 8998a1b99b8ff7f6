"""The frozen model of a course: texts, items split into public and key, and scores.

Nothing here knows of files, widgets or notebooks. Every model is immutable and
refuses unknown fields, so that a typing slip in a YAML file is an error and not
a silently ignored line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Strict, StringConstraints
from pydantic_core import CoreSchema, core_schema

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

ItemId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# Strict, so that neither true nor "12" is a number.
Number = Annotated[float, Strict()]


class Reference(str):
    """An id that leads out of the item; a class of its own, so that whoever holds one can be found."""

    pattern: ClassVar[str]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(pattern=cls.pattern))


class PointId(Reference):
    """A teaching point of the handbook, or a section."""

    pattern = r"^[1-6]\.[0-9](\.[0-9]{1,2}[a-z]?)?$"


class RuleId(Reference):
    """A legal fact of rules.yml."""

    pattern = r"^F-[A-Z]{2,3}-[0-9]{2}[a-z]?$"


class CompetencyId(Reference):
    """A competency of course.yml."""

    pattern = r"^C[0-9]{1,2}$"


class Model(BaseModel):
    """Base of all data: frozen, no unknown fields, no number that is none (NaN) or has no end."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, and without what was worked out from the ones before."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


class Text(Model):
    """One text in both languages of the course."""

    zh: Words
    en: Words

    def __getitem__(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def joined(texts: Sequence[Text], zh: str = "；", en: str = "; ") -> Text:
    """Return texts as one, with what stands between them in each language."""
    return Text(zh=zh.join(text.zh for text in texts), en=en.join(text.en for text in texts))


class Rationale(Model):
    """Why an option, step or span is right or not; shown after grading only."""

    why: Text
    better: Text | None = None
    point: PointId | None = None
    rule: RuleId | None = None


class Public(Model):
    """What a learner may see of an item before it is graded."""

    prompt: Text


class Key(Model):
    """What a learner may not see before an item is graded."""

    def rationale(self, ref: str) -> Rationale | None:
        """Return the rationale of the option, step or span `ref`, if there is one."""
        raise NotImplementedError


class Response(Model):
    """What a learner gave: always the whole answer, never a change to one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a score: which rule looked at what and what it gave.

    `ref` names the step, choice or span; `good` says whether the learner did
    well there; `earned` is in the item's raw units and may be negative. The
    words of the rule may speak of `{ref}`, of `{other}` and of each of `values`.
    The sum of all that the evidence of a score gives, held between 0 and what is
    possible, is what the score earned.
    """

    rule: str
    ref: str
    good: bool
    earned: float
    other: str | None = None
    values: Mapping[str, Text | str | float] = field(default_factory=dict)

    def __hash__(self) -> int:
        # With the values: in some exercises they alone tell hundreds of reasons apart.
        return hash((self.rule, self.ref, self.good, self.earned, self.other, *self.values.values()))


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict in the item's raw units: 0 ≤ earned ≤ possible, possible > 0."""

    earned: float
    possible: float
    flags: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.earned <= self.possible or not 0 < self.possible < float("inf"):
            raise ValueError(f"a score needs 0 <= earned <= possible, got {self.earned} of {self.possible}")

    @property
    def share(self) -> float:
        """Earned share of what is possible, 0 to 1."""
        return self.earned / self.possible


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an item: the lint rule it breaks, the path of keys to the place, and a sentence."""

    rule: str
    path: tuple[str | int, ...]
    message: str


class Criterion(Model):
    """One line of a rubric: what each level from 0 on looks like."""

    id: ItemId
    title: Text
    levels: tuple[Text, ...]


class Rubric(Model):
    """How a person marks: `share` of an item's points, in equal parts for each criterion."""

    share: float
    criteria: tuple[Criterion, ...]


P = TypeVar("P", bound=Public)
K = TypeVar("K", bound=Key)
R = TypeVar("R", bound=Response)


Choose = Callable[[Sequence[Text], int], int]
"""Gets texts to choose from and the index of the right one, and returns an index.

Where the right answer is none of the texts, its index is their number.
"""


@dataclass(frozen=True, slots=True)
class ItemType(Generic[P, K, R]):
    """All that the house knows of one item type. Each function is pure.

    check(public, key): faults that a schema can't see, such as a broken link.
    unknown(public, response): the first id the item doesn't have, or None.
    missing(public, response): what is still to do, or None when complete.
    score(public, key, response): the verdict; total for any valid response.
    release(public): the public data as learners get it, in an order that says nothing.
    labels(public, key): what each ref of the evidence is called.
    words: a sentence for each rule of the evidence, with `{ref}`, `{other}` and its values.
    play(public, key, choose): the raw response of somebody who leaves each decision
        to `choose`: who always takes the right one earns all there is.
    prose(public, response, language): what the learner wrote in their own words,
        to be shown with the score; None for a type without free text.
    note(response): what the learner wrote to the trainer, who answers it in
        formgrader; empty when there is nothing to answer.
    rubric: how a person marks the part of the points that `score` doesn't give.
    follows(before, after): whether an attempt can go on from one response to the
        other; None where a learner may change anything at any time.
    files(public): files to lie beside the notebook, content by ending of the name.
    picture(public, key, language): the item as an SVG for its author.
    mistakes: rules of the evidence that earn something for nearness, and yet tell of a mistake.
    acts: whether learners act themselves, rather than judge what others do.
    decides: whether what it earns enters the pass rules.
    """

    name: str
    public: type[P]
    key: type[K]
    response: type[R]
    check: Callable[[P, K], Iterator[Fault]]
    unknown: Callable[[P, R], str | None]
    missing: Callable[[P, R], Text | None]
    score: Callable[[P, K, R], Score]
    release: Callable[[P], P]
    labels: Callable[[P, K], Mapping[str, Text]]
    words: Mapping[str, Text]
    play: Callable[[P, K, Choose], Any]
    prose: Callable[[P, R, Language], str] | None = None
    note: Callable[[R], str] | None = None
    rubric: Rubric | None = None
    follows: Callable[[R, R], bool] | None = None
    files: Callable[[P], Mapping[str, bytes]] | None = None
    picture: Callable[[P, K, Language], str] | None = None
    mistakes: frozenset[str] = frozenset()
    acts: bool = True
    decides: bool = True


class Head(Model):
    """What every item says about itself, whatever its type; `replaces` names a released item it stands in for."""

    id: ItemId
    replaces: ItemId | None = None
    type: str
    revision: int = 1
    practice: bool = False
    sector: Literal["bank", "securities", "insurance", "all"]
    title: Text
    covers: tuple[PointId, ...]
    competencies: tuple[CompetencyId, ...] = ()


@dataclass(frozen=True, eq=False)
class Item:
    """One exercise: its head, what learners see (`public`) and what they don't (`key`)."""

    head: Head
    kind: ItemType[Any, Any, Any]
    public: Public
    key: Key

    @property
    def id(self) -> str:
        return self.head.id

    @cached_property
    def hash(self) -> str:
        """Content hash of head and public part: what a response refers to."""
        return digest({"head": self.head.model_dump(), "public": self.public.model_dump()})

    @cached_property
    def key_hash(self) -> str:
        """Content hash of the key: what a score refers to."""
        return digest(self.key.model_dump())


F = TypeVar("F")


def find(kind: type[F], data: object) -> Iterator[tuple[tuple[str | int, ...], F]]:
    """Yield path and value of everything of a kind in `data`, a model or what models hold."""
    if isinstance(data, kind):
        yield (), data
    elif isinstance(data, Model):
        for name in type(data).model_fields:
            yield from (((name, *path), found) for path, found in find(kind, getattr(data, name)))
    elif isinstance(data, Mapping):
        for name, value in data.items():
            yield from (((name, *path), found) for path, found in find(kind, value))
    elif isinstance(data, (list, tuple)):
        for i, value in enumerate(data):
            yield from (((i, *path), found) for path, found in find(kind, value))


def digest(data: Any) -> str:
    """Return the SHA-256 of `data` as canonical JSON: 64 hex digits."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
