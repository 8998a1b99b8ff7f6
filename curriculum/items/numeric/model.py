"""Numeric: work out what a customer must be told, and choose the sentence that tells it fairly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Annotated

from annotated_types import Interval, Len
from pydantic import StringConstraints

from curriculum.checks import duplicate_ids, keyed, rationales, shares
from curriculum.items.numeric.reading import Unit, readings
from curriculum.model import Choose, Fault, ItemId, Key, Model, Number, Public, Rationale, Response, Text, joined

MAX_FIELDS = 6
MAX_CHARS = 40
# Binary fractions: 18.87 − 18.82 is a little more than 0.05.
HAIR = 1e-9

Amount = Annotated[Number, Interval(ge=-1e12, le=1e12)]
Weight = Annotated[Number, Interval(gt=0, le=100)]
Typed = Annotated[str, StringConstraints(max_length=MAX_CHARS)]


class Given(Model):
    """One row of the data that the task starts from."""

    label: Text
    value: Text


class Field(Model):
    """One number to work out; `basis` says how it is to be understood, `decimals` how exact it should be."""

    id: ItemId
    label: Text
    unit: Unit
    decimals: Annotated[int, Interval(ge=0, le=6)] | None = None
    basis: Text | None = None


class Choice(Model):
    id: ItemId
    text: Text


class Conclusion(Model):
    """What to say, once the numbers are known."""

    question: Text
    choices: Annotated[tuple[Choice, ...], Len(2, 5)]


class NumericPublic(Public):
    given: Annotated[tuple[Given, ...], Len(1, 20)]
    fields: Annotated[tuple[Field, ...], Len(1, MAX_FIELDS)]
    conclusion: Conclusion | None = None

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self.conclusion.choices if self.conclusion else ()


class Slip(Rationale):
    """A known wrong answer. `half`: the method was right, with this one slip; otherwise a misconception."""

    value: Amount
    half: bool = False


class Target(Model):
    """The number of a field. What is within `abs`, or within `rel` times the number, is right."""

    value: Amount
    abs: Annotated[Number, Interval(ge=0, le=1e12)] = 0.0
    rel: Annotated[Number, Interval(ge=0, le=0.5)] = 0.0
    weight: Weight = 1.0
    slips: Annotated[tuple[Slip, ...], Len(0, 12)] = ()

    def tolerance(self, value: float) -> float:
        size = abs(value)
        return max(self.abs, self.rel * size) + HAIR * max(1, size)

    def is_near(self, typed: float, value: float) -> bool:
        return abs(typed - value) <= self.tolerance(value)


class ConclusionKey(Model):
    """What share of `weight` each sentence earns, and which ones cross a red line."""

    shares: Mapping[ItemId, Annotated[Number, Interval(ge=0, le=1)]]
    weight: Weight = 1.0
    red_lines: Annotated[tuple[ItemId, ...], Len(0, 5)] = ()


class NumericKey(Key):
    """`rationales` for each field, how it is worked out, and for each sentence of the conclusion."""

    fields: Mapping[ItemId, Target]
    conclusion: ConclusionKey | None = None
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        field, _, slip = ref.partition(".")
        how = self.rationales.get(field)
        if not slip or how is None:
            return how
        wrong = self.fields[field].slips[int(slip)]
        return Rationale(
            why=wrong.why, better=wrong.better or how.why, point=wrong.point or how.point, rule=wrong.rule or how.rule
        )


class NumericResponse(Response):
    """Each field's text as it was typed, and the sentence chosen."""

    values: Annotated[Mapping[str, Typed], Len(0, MAX_FIELDS)]
    choice: str | None = None


def check(public: NumericPublic, key: NumericKey) -> Iterator[Fault]:
    fields = [field.id for field in public.fields]
    choices = [choice.id for choice in public.choices]
    yield from duplicate_ids(("public", "fields"), fields, "field")
    yield from duplicate_ids(("public", "conclusion", "choices"), choices, "choice")
    for i, name in enumerate(choices):
        if name in fields:
            message = f"“{name}” is the id of a field as well; give the choice another"
            yield Fault("duplicate-id", ("public", "conclusion", "choices", i, "id"), message)
    yield from keyed(("key", "fields"), key.fields, fields, "field", "value; add it")
    for field in public.fields:
        if field.id in key.fields:
            yield from check_target(field, key.fields[field.id])
    weaker: list[str] = []
    if bool(public.conclusion) != bool(key.conclusion):
        where = "public" if key.conclusion else "key"
        yield Fault("contradiction", (where,), f"the {where} part lacks its `conclusion`; add it or take the other out")
    elif key.conclusion:
        place = ("key", "conclusion")
        given, red_lines = key.conclusion.shares, key.conclusion.red_lines
        yield from shares((*place, "shares"), given, (*place, "red_lines"), red_lines, choices, "choice")
        weaker = [name for name in choices if key.conclusion.shares.get(name, 0) < 1]
    yield from rationales(key.rationales, [*fields, *choices], "field or choice", weaker)


def check_target(field: Field, target: Target) -> Iterator[Fault]:
    place = ("key", "fields", field.id)
    if field.decimals is not None and not target.is_near(round(target.value, field.decimals), target.value):
        message = f"the value rounded to {field.decimals} decimals would be refused; widen `abs`"
        yield Fault("contradiction", place, message)
    numbers = {"the value": target.value, **{f"slip {i}": slip.value for i, slip in enumerate(target.slips, 1)}}
    for (one, a), (other, b) in combinations(numbers.items(), 2):
        if any(abs(x - y) <= target.tolerance(x) + target.tolerance(y) for x, y in read_alike(field.unit, a, b)):
            message = f"{one} and {other} can't be told apart; narrow the tolerance or take the slip out"
            yield Fault("contradiction", (*place, "slips"), message)


def read_alike(unit: Unit, a: float, b: float) -> Iterator[tuple[float, float]]:
    """Yield two numbers as each can be read: a percentage below 1 may be typed bare and mean a share."""
    yield a, b
    if unit == "percent":
        yield from ((100 * x, y) for x, y in ((a, b), (b, a)) if 0 < abs(x) < 1)


def unknown(public: NumericPublic, response: NumericResponse) -> str | None:
    fields = {field.id for field in public.fields}
    stranger = next((name for name in response.values if name not in fields), None)
    if stranger is None and response.choice not in (None, *(choice.id for choice in public.choices)):
        return response.choice
    return stranger


def missing(public: NumericPublic, response: NumericResponse) -> Text | None:
    typed = {field: response.values.get(field.id, "").strip() for field in public.fields}
    unread = [field for field, text in typed.items() if text and not readings(text, field.unit)]
    blank = sum(not text for text in typed.values())
    left: list[Text] = []
    if unread:
        label = unread[0].label
        left.append(
            Text(
                zh=f"“{label.zh}”里填的读不成数字，请改一下。",
                en=f"“{label.en}” can't be read as a number yet; please change it.",
            )
        )
    if blank:
        left.append(
            Text(
                zh=f"还有 {blank} 个数没有填。",
                en="One number is still to be filled in."
                if blank == 1
                else f"{blank} numbers are still to be filled in.",
            )
        )
    if public.conclusion and response.choice is None:
        left.append(Text(zh="还没有选该怎么说。", en="No sentence is chosen yet."))
    return joined(left, "", " ") if left else None


def release(public: NumericPublic) -> NumericPublic:
    if not public.conclusion:
        return public
    choices = tuple(sorted(public.conclusion.choices, key=lambda choice: choice.id))
    return public.model_copy(update={"conclusion": public.conclusion.model_copy(update={"choices": choices})})


def labels(public: NumericPublic, key: NumericKey) -> dict[str, Text]:
    slips = {f"{field.id}.{i}": field.label for field in public.fields for i in range(len(key.fields[field.id].slips))}
    fields = {field.id: field.label for field in public.fields}
    return {**slips, **fields, **{choice.id: choice.text for choice in public.choices}}


def play(public: NumericPublic, key: NumericKey, choose: Choose) -> dict[str, object]:
    """Who doesn't know copies a number from the table into each field."""
    numbers = [
        (row.value, found[0]) for row in public.given if (found := re.search(r"\d+(,\d{3})*(\.\d+)?", row.value.en))
    ]
    texts = [text for text, _number in numbers]

    def typed(field: str) -> str:
        at = choose(texts, len(texts)) if texts else 0
        return str(key.fields[field].value) if at == len(texts) else numbers[at][1]

    values, choice = {field.id: typed(field.id) for field in public.fields}, None
    if public.choices and key.conclusion:
        shares = [key.conclusion.shares[one.id] for one in public.choices]
        choice = public.choices[choose([one.text for one in public.choices], shares.index(max(shares)))].id
    return {"values": values, "choice": choice}
