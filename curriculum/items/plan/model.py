"""Plan: choose for each row, field by field, so that all that has to hold holds.

A constraint is a sentence that learners read and a test, which is data. Tests that only count stand
with the sentence, and learners see how they stand; those that would tell the answer stand in the key.
Five kinds of test serve every planning form of the course:

- E1.2-2, 90-day roll-out: rows are norm families; fields are month, owner, training, measure.
  `required` owner and month, `forbidden` measures that only count activity, `count` with the hours
  or the cost of a training as `amount`, the hours `each` month.
- E2.4-2, eight-week learning plan: rows are weeks with the hours free in them; fields are topic and
  form. `fits` gives the forms that a week has room for, `different` keeps the topic from standing two
  weeks running, `count` wants it again in the later weeks, and quizzes at least so often.
- E3.4-1, return-visit calendar: rows are customers; `forbidden` keeps selling from those who refused,
  `fits` holds each deadline, `count` the minutes of each week.
- E4.2-4, leak walk: rows are leak points; fields are measure, owner, check date, training. `fits` says
  which measures close which leak, `forbidden` posters, `required` owner and date, `count` spreads owners.
- E5.1-2, sixty people: rows are course blocks of three levels, with hours in a column. `count` holds all
  hours at 480 and those of practice at half, `forbidden` the weeks of quarter end, `different` the levels.
- E5.3-1, assessment blueprint: rows are methods; `count` with the weights of the options as `amount`,
  at least and at most 100; `fits` raters and pass rule to each method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal

import pydantic
from annotated_types import Interval, Len

from curriculum.model import Choose, ItemId, Key, Model, Number, Public, Rationale, Response, Text

MAX_ROWS = 16
MAX_FIELDS = 4
MAX_OPTIONS = 8
MAX_CONSTRAINTS = 16
MAX_AMOUNT = 100_000

Amount = Annotated[Number, Interval(ge=0, le=MAX_AMOUNT)]
Weight = Annotated[Number, Interval(ge=0.1, le=10)]
Options = Annotated[tuple[ItemId, ...], Len(0, MAX_OPTIONS)]
Rows = Annotated[tuple[ItemId, ...], Len(0, MAX_ROWS)]


class Value(Model):
    id: ItemId
    text: Text


class Column(Model):
    """A fact of the rows: free text, a number, or one of `values`, by which a test can pick rows."""

    id: ItemId
    label: Text
    values: Annotated[tuple[Value, ...], Len(0, MAX_OPTIONS)] = ()


class Row(Model):
    id: ItemId
    label: Text
    facts: Annotated[Mapping[ItemId, Text | Amount | ItemId], Len(0, 6)] = pydantic.Field(default_factory=dict)


class Option(Model):
    """`amount` is what it takes or weighs; with `skips` the row is left out of the plan."""

    id: ItemId
    text: Text
    note: Text | None = None
    amount: Amount | None = None
    skips: bool = False


class Field(Model):
    id: ItemId
    label: Text
    options: Annotated[tuple[Option, ...], Len(2, MAX_OPTIONS)]

    @cached_property
    def by_id(self) -> dict[str, Option]:
        return {option.id: option for option in self.options}

    def option(self, option_id: str) -> Option | None:
        return self.by_id.get(option_id)


class Scope(Model):
    """The rows a test speaks of: those of `rows`, those that match `where`, and without either all."""

    rows: Rows = ()
    where: Annotated[Mapping[ItemId, Options], Len(0, 4)] = pydantic.Field(default_factory=dict)


class Required(Scope):
    """`field` is one of `options`, or without them anything but an option that skips the row."""

    kind: Literal["required"]
    field: ItemId
    options: Options = ()


class Forbidden(Scope):
    """`field` is none of `options`."""

    kind: Literal["forbidden"]
    field: ItemId
    options: Annotated[Options, Len(1)]


class Fits(Model):
    """`field` is one of the options that its own row allows."""

    kind: Literal["fits"]
    field: ItemId
    rows: Annotated[Mapping[ItemId, Annotated[Options, Len(1)]], Len(1, MAX_ROWS)]


class Different(Model):
    """Of `rows`, in this order, none has the same option of `field` as the one before."""

    kind: Literal["different"]
    field: ItemId
    rows: Annotated[Rows, Len(2)]


class Count(Scope):
    """How many rows have one of `options` (without them any), or what their `amount` adds up to.

    `amount` names a column of numbers, or a field whose options have amounts. With `each`, the
    limits hold for each option by itself, such as for each week.
    """

    kind: Literal["count"]
    field: ItemId
    options: Options = ()
    amount: ItemId | None = None
    each: bool = False
    at_least: Amount | None = None
    at_most: Amount | None = None


Test = Annotated[Required | Forbidden | Fits | Different | Count, pydantic.Field(discriminator="kind")]


class Constraint(Model):
    """A sentence for learners. `red` and `hard` have to hold, `soft` would be good.

    `shown` is the test of a constraint that learners may watch while they plan.
    """

    id: ItemId
    text: Text
    level: Literal["red", "hard", "soft"]
    shown: Count | None = None


class PlanPublic(Public):
    columns: Annotated[tuple[Column, ...], Len(0, 6)] = ()
    rows: Annotated[tuple[Row, ...], Len(2, MAX_ROWS)]
    fields: Annotated[tuple[Field, ...], Len(1, MAX_FIELDS)]
    constraints: Annotated[tuple[Constraint, ...], Len(1, MAX_CONSTRAINTS)]

    @cached_property
    def rows_by_id(self) -> dict[str, Row]:
        return {row.id: row for row in self.rows}

    @cached_property
    def fields_by_id(self) -> dict[str, Field]:
        return {field.id: field for field in self.fields}

    def row(self, row_id: str) -> Row | None:
        return self.rows_by_id.get(row_id)

    def field(self, field_id: str) -> Field | None:
        return self.fields_by_id.get(field_id)


Plan = Mapping[str, Mapping[str, str]]


class PlanKey(Key):
    """`tests` are those that learners don't see; `model` is one plan that keeps everything."""

    tests: Annotated[Mapping[ItemId, Test], Len(0, MAX_CONSTRAINTS)] = pydantic.Field(default_factory=dict)
    weights: Annotated[Mapping[ItemId, Weight], Len(0, MAX_CONSTRAINTS)] = pydantic.Field(default_factory=dict)
    model: Annotated[Mapping[ItemId, Mapping[ItemId, ItemId]], Len(0, MAX_ROWS)]
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)


Id = Annotated[str, Len(1, 40)]


class PlanResponse(Response):
    """Option by row and field; what is still open is not there."""

    plan: Annotated[Mapping[Id, Annotated[Mapping[Id, Id], Len(0, MAX_FIELDS)]], Len(0, MAX_ROWS)]


def skipping(public: PlanPublic, plan: Plan) -> dict[str, str]:
    """Return the rows that the plan leaves out, and the field that says so."""
    found: dict[str, str] = {}
    for row, chosen in plan.items():
        for field in public.fields:
            option = field.option(chosen.get(field.id, ""))
            if option is not None and option.skips:
                found.setdefault(row, field.id)
    return found


def blanks(public: PlanPublic, plan: Plan) -> list[tuple[Row, Field]]:
    """Return what is still to be chosen, in rows that the plan doesn't leave out."""
    skipped = skipping(public, plan)
    return [
        (row, field)
        for row in public.rows
        if row.id not in skipped
        for field in public.fields
        if field.id not in plan.get(row.id, {})
    ]


def unknown(public: PlanPublic, response: PlanResponse) -> str | None:
    for row, chosen in response.plan.items():
        if public.row(row) is None:
            return row
        for name, option in chosen.items():
            field = public.field(name)
            if field is None or field.option(option) is None:
                return name if field is None else option
    return None


def missing(public: PlanPublic, response: PlanResponse) -> Text | None:
    left = blanks(public, response.plan)
    if not left:
        return None
    row, field = left[0]
    done = len(public.rows) - len({row.id for row, _field in left})
    return Text(
        zh=f"排好了 {done} 行，一共 {len(public.rows)} 行。接着选：{row.label.zh}，{field.label.zh}。",
        en=f"{done} of {len(public.rows)} rows are planned. Next: {row.label.en}, {field.label.en}.",
    )


def release(public: PlanPublic) -> PlanPublic:
    # Rows and options have an order of their own, such as that of the weeks, and it says nothing about the key.
    return public


def labels(public: PlanPublic, key: PlanKey) -> dict[str, Text]:
    return {constraint.id: constraint.text for constraint in public.constraints}


def play(public: PlanPublic, key: PlanKey, choose: Choose) -> dict[str, dict[str, dict[str, str]]]:
    def fill() -> Iterator[tuple[str, dict[str, str]]]:
        for row in public.rows:
            chosen: dict[str, str] = {}
            for field in public.fields:
                ids = [option.id for option in field.options]
                # A row that the model leaves out has no right option for what comes after.
                planned = key.model[row.id].get(field.id)
                right = ids.index(planned) if planned in ids else 0
                option = field.options[choose([option.text for option in field.options], right)]
                chosen[field.id] = option.id
                if option.skips:
                    break
            yield row.id, chosen

    return {"plan": dict(fill())}


def spoken_of(public: PlanPublic, scope: Scope) -> list[str]:
    """Return the rows a test speaks of."""

    def matches(row: Row) -> bool:
        return all(row.facts.get(column) in values for column, values in scope.where.items())

    return [row.id for row in public.rows if (not scope.rows or row.id in scope.rows) and matches(row)]


def all_tests(public: PlanPublic, key: PlanKey) -> dict[str, Required | Forbidden | Fits | Different | Count]:
    """Return the test of each constraint, wherever it stands."""
    shown = {constraint.id: constraint.shown for constraint in public.constraints if constraint.shown}
    return {**key.tests, **shown}
