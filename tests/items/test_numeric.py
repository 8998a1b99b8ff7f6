"""Numeric: within tolerance or not, half for a known slip, and what a typed number means."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

import curriculum.items
from curriculum.items.numeric import TYPE
from curriculum.items.numeric.model import NumericKey, NumericPublic, NumericResponse, Target, check, missing, release
from curriculum.items.numeric.reading import FORMS, readings, shown
from curriculum.items.numeric.score import score
from curriculum.model import Head, Item, Score
from curriculum.verdict import InvalidResponseError, explain, judge

TEXT = {"zh": "甲", "en": "a"}
CASES = json.loads((Path(__file__).parent / "readings.json").read_text("utf-8"))


class Exercise:
    """Fields by name: (unit, target); and the sentences with what each earns."""

    def __init__(
        self,
        fields: Mapping[str, tuple[str, Mapping[str, Any]]],
        shares: Mapping[str, float] | None = None,
        red_lines: Sequence[str] = (),
        weight: float = 1,
    ) -> None:
        names = [*fields, *(shares or {})]
        choices = [{"id": name, "text": TEXT} for name in shares or {}]
        self.data: dict[str, Any] = {
            "public": {
                "prompt": TEXT,
                "given": [{"label": TEXT, "value": {"zh": "1,072 元", "en": "1,072 yuan"}}],
                "fields": [{"id": name, "label": TEXT, "unit": unit} for name, (unit, _) in fields.items()],
                "conclusion": {"question": TEXT, "choices": choices} if shares else None,
            },
            "key": {
                "fields": {name: dict(target) for name, (_, target) in fields.items()},
                "conclusion": {"shares": shares, "weight": weight, "red_lines": red_lines} if shares else None,
                "rationales": {name: {"why": TEXT, "better": TEXT} for name in names},
            },
        }
        self.public = NumericPublic.model_validate(self.data["public"])
        self.key = NumericKey.model_validate(self.data["key"])

    def score(self, values: Mapping[str, str], choice: str | None = None) -> Score:
        return score(self.public, self.key, NumericResponse(values=values, choice=choice))


def slip(value: float, half: bool = False) -> dict[str, Any]:
    return {"value": value, "half": half, "why": TEXT}


def root(gain: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that changes its sign between `low` and `high` is zero, by bisection."""
    assert gain(low) * gain(high) < 0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(low) * gain(middle) > 0 else (low, middle)
    return low


def monthly_rate(received: float, payment: float, months: int = 12) -> float:
    """The rate at which the payments are worth what was received."""
    return root(lambda i: sum(payment / (1 + i) ** k for k in range(1, months + 1)) - received, 1e-9, 0.5)


# Assessment design, section 12. 12,000 yuan, twelve times 1,000 + 0.6 % of 12,000 = 1,072; then with 3 % taken
# off at the start, 11,640 received; then with 30 yuan a month for the guarantee instead, 1,102.
@pytest.mark.parametrize(
    ("received", "payment", "monthly", "simple", "effective"),
    [(12000, 1072, 1.0862, 13.03, 13.84), (11640, 1072, 1.5728, 18.87, 20.59), (12000, 1102, 1.5268, 18.32, 19.94)],
)
def test_instalments(received: float, payment: float, monthly: float, simple: float, effective: float) -> None:
    i = monthly_rate(received, payment)
    assert 100 * i == pytest.approx(monthly, abs=5e-5)
    assert 1200 * i == pytest.approx(simple, abs=5e-3)
    assert 100 * ((1 + i) ** 12 - 1) == pytest.approx(effective, abs=5e-3)
    exercise = Exercise(
        {
            "simple": ("percent", {"value": 1200 * i, "abs": 0.05, "slips": [slip(7.2), slip(0.6)]}),
            "effective": ("percent", {"value": effective, "abs": 0.05, "slips": [slip(simple), slip(7.2), slip(0.6)]}),
        }
    )
    assert not list(check(exercise.public, exercise.key))
    for typed in (f"{simple} %", f"{simple:.1f}", f"{simple / 100:.4f}", f"　{simple}％"):
        assert exercise.score({"simple": typed}).earned == 1, typed
    both = exercise.score({"simple": str(simple), "effective": str(simple)})
    assert [e.rule for e in both.evidence] == ["right", "mistake"]  # the wrong basis has feedback of its own
    flat = exercise.score({"simple": "7.2%", "effective": "0.6"})
    assert (flat.earned, [e.rule for e in flat.evidence]) == (0, ["mistake", "mistake"])


def yearly_return(value: float) -> float:
    """Of 10,000 at the start of each of years 1 to 5, and `value` after year 10."""
    return root(lambda r: sum(10_000 * (1 + r) ** (10 - k) for k in range(5)) - value, -0.5, 0.5)


ORACLES: list[tuple[str, float, float]] = [
    # unit, worked out here, as the document has it
    ("yuan", 100_000 * 0.024 * 90 / 365, 591.78),  # wealth product, 90 days of 365
    ("yuan", 100_000 * 0.029 * 90 / 365, 715.07),
    ("yuan", 100_000 * 0.0185 * 90 / 365, 456.16),
    ("percent", 100 * 0.0046 * 365 / 90, 1.866),
    ("percent", 100 * yearly_return(48_900), -0.28),
    ("percent", 100 * yearly_return(53_800), 0.92),
    ("percent", 100 * yearly_return(57_700), 1.80),
    ("yuan", 2 * 10_000 - 11_800, 8_200),  # surrender after two payments
    ("percent", 100 * 8_200 / 20_000, 41),
    ("yuan", 50_000 / 1.012, 49_407.11),  # fund, 1.2 % front fee by the outside method
    ("yuan", 50_000 - 50_000 / 1.012, 592.89),
    ("count", 50_000 / 1.012 / 1.25, 39_525.69),
    ("yuan", 50_000 / 1.012 / 1.25 * 1.325 * 0.995, 52_109.68),
    ("percent", 100 * (50_000 / 1.012 / 1.25 * 1.325 * 0.995 / 50_000 - 1), 4.22),
    ("yuan", min(500_000, 480_000 + 35_000), 500_000),  # deposit insurance
    ("yuan", 480_000 + 35_000 - 500_000, 15_000),
]


@pytest.mark.parametrize(("unit", "here", "there"), ORACLES)
def test_oracles(unit: str, here: float, there: float) -> None:
    decimals = 3 if there == 1.866 else 2
    assert here == pytest.approx(there, abs=0.5 * 10**-decimals)
    exercise = Exercise({"it": (unit, {"value": here, "abs": 0.5 * 10**-decimals})})
    for language in ("zh", "en"):
        typed = shown(there, unit)[language]  # type: ignore[arg-type,index]
        assert exercise.score({"it": typed}).share == 1, typed


@pytest.mark.parametrize(("unit", "text", "expected"), CASES)
def test_readings(unit: Any, text: str, expected: list[float]) -> None:
    assert readings(text, unit) == pytest.approx(tuple(expected), rel=1e-12)


def test_a_bare_number_below_one_in_a_percent_field_counts_either_way() -> None:
    # Said by rule: without a sign 0.92 is 0.92 % or 92 %, whatever the key holds; with one it is 0.92 %.
    low, high = (Exercise({"it": ("percent", {"value": value, "abs": 0.005})}) for value in (0.92, 92))
    assert [exercise.score({"it": "0.92"}).share for exercise in (low, high)] == [1, 1]
    assert [exercise.score({"it": "0.92 %"}).share for exercise in (low, high)] == [1, 0]
    assert [exercise.score({"it": "0.0092"}).share for exercise in (low, high)] == [1, 0]
    assert high.score({"it": "9200"}).share == 0


@pytest.mark.parametrize(
    ("target", "typed", "rule"),
    [
        ({"value": 100, "abs": 2}, "102", "right"),
        ({"value": 100, "abs": 2}, "102.01", "off"),
        ({"value": 100, "rel": 0.02}, "98", "right"),
        ({"value": 100, "rel": 0.02}, "97.99", "off"),
        ({"value": 100, "abs": 1, "rel": 0.02}, "98", "right"),  # the wider of the two
        ({"value": 100, "abs": 3, "rel": 0.02}, "97", "right"),
        ({"value": -100, "rel": 0.02}, "-102", "right"),
        ({"value": 18.87, "abs": 0.05}, "18.82", "right"),  # 18.87 - 18.82 is 0.0500…07 in binary
        ({"value": 0, "rel": 0.5}, "0", "right"),
        ({"value": 0, "rel": 0.5}, "0.01", "off"),
        ({"value": 100, "abs": 1, "slips": [slip(50, half=True)]}, "49", "half"),
        ({"value": 100, "abs": 1, "slips": [slip(50)]}, "51", "mistake"),
        ({"value": 100, "abs": 1}, "", "blank"),
        ({"value": 100, "abs": 1}, " 　", "blank"),
        ({"value": 100, "abs": 1}, "a hundred", "unreadable"),
    ],
)
def test_tolerance_and_slips(target: dict[str, Any], typed: str, rule: str) -> None:
    result = Exercise({"it": ("count", {**target, "weight": 3})}).score({"it": typed})
    assert (result.evidence[0].rule, result.possible) == (rule, 3)
    assert result.earned == {"right": 3, "half": 1.5}.get(rule, 0)


BOTH = Exercise(
    {
        "rate": ("percent", {"value": 13.03, "abs": 0.05, "weight": 2, "slips": [slip(1.09, half=True), slip(7.2)]}),
        "fee": ("yuan", {"value": 360, "rel": 0.01, "slips": [slip(30, half=True)]}),
    },
    {"all-told": 1, "part-told": 0.25, "hides-fee": 0},
    ["hides-fee"],
    weight=2,
)


@pytest.mark.parametrize(
    ("values", "choice", "earned", "flags"),
    [
        ({"rate": "13.03", "fee": "360"}, "all-told", 5, ()),
        ({"rate": "13.03", "fee": "360"}, "part-told", 3.5, ()),
        ({"rate": "13.03", "fee": "360"}, "hides-fee", 3, ("red-line",)),
        ({"rate": "13.03", "fee": "360"}, None, 3, ()),
        ({"rate": "1.09", "fee": "30"}, "all-told", 3.5, ()),
        ({"rate": "7.2", "fee": "x"}, "hides-fee", 0, ("red-line",)),
        ({}, None, 0, ()),
    ],
)
def test_weights_and_the_sentence(
    values: Mapping[str, str], choice: str | None, earned: float, flags: tuple[str, ...]
) -> None:
    result = BOTH.score(values, choice)
    assert (result.earned, result.possible, result.flags) == (pytest.approx(earned), 5, flags)


def test_what_is_unreadable_is_said_before_it_counts() -> None:
    def left(values: Mapping[str, str], choice: str | None) -> str | None:
        text = missing(BOTH.public, NumericResponse(values=values, choice=choice))
        return text.en if text else None

    assert left({"rate": "13", "fee": "360"}, "all-told") is None
    assert left({"rate": "nan", "fee": "360"}, "all-told") == "“a” can't be read as a number yet; please change it."
    assert left({"rate": "13", "fee": " "}, "all-told") == "One number is still to be filled in."
    assert left({}, None) == "2 numbers are still to be filled in. No sentence is chosen yet."


@st.composite
def exercises(draw: st.DrawFn) -> Exercise:
    fields: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for name in "abcd"[: draw(st.integers(1, 4))]:
        values = draw(st.lists(st.integers(-50, 900), min_size=1, max_size=4, unique=True))
        fields[name] = (
            draw(st.sampled_from(sorted(FORMS))),
            {
                "value": values[0],
                "abs": draw(st.sampled_from([0, 0.01, 0.2])),
                "weight": draw(st.sampled_from([1, 0.5, 3])),
                "slips": [slip(value, draw(st.booleans())) for value in values[1:]],
            },
        )
    shares = draw(st.none() | st.fixed_dictionaries({"x": st.just(1), "y": st.floats(0, 1), "z": st.just(0)}))
    return Exercise(fields, shares, ["z"] if shares and draw(st.booleans()) else [])


@st.composite
def answered(draw: st.DrawFn) -> tuple[Exercise, dict[str, str], str | None]:
    exercise = draw(exercises())
    values: dict[str, str] = {}
    for name, target in exercise.key.fields.items():
        known = [target.value, *(one.value for one in target.slips), target.value / 100]
        typed = draw(st.sampled_from([*map(repr, known), "", "x", "3", "0.5"]))
        values[name] = typed
    choices = [None, *(choice.id for choice in exercise.public.choices)]
    return exercise, values, draw(st.sampled_from(choices))


Answered = tuple[Exercise, dict[str, str], str | None]


@given(answered())
def test_bounds_and_sum_of_the_evidence(case: Answered) -> None:
    result = case[0].score(*case[1:])
    assert 0 <= result.earned <= result.possible
    total = sum(e.earned for e in result.evidence)
    assert min(max(total, 0), result.possible) == pytest.approx(result.earned, abs=1e-9)
    assert len(result.evidence) == len(case[0].public.fields) + bool(case[0].public.conclusion)


@given(answered(), st.randoms())
def test_order_says_nothing(case: Answered, dice: random.Random) -> None:
    exercise, values, choice = case
    data = deepcopy(exercise.data)
    dice.shuffle(data["public"]["fields"])
    for target in data["key"]["fields"].values():
        dice.shuffle(target["slips"])
    if data["public"]["conclusion"]:
        dice.shuffle(data["public"]["conclusion"]["choices"])
    public, key = NumericPublic.model_validate(data["public"]), NumericKey.model_validate(data["key"])
    response = NumericResponse(values=dict(reversed(values.items())), choice=choice)
    expected = exercise.score(values, choice)
    for one in (public, release(public)):
        result = score(one, key, response)
        assert result.earned == pytest.approx(expected.earned, abs=1e-9)
        assert (result.flags, result.possible) == (expected.flags, pytest.approx(expected.possible))


@given(answered(), st.data())
def test_a_better_answer_never_earns_less(case: Answered, data: st.DataObject) -> None:
    """Better is: the right number for any text, half a slip for a wrong number, a sentence of a greater share."""
    exercise, values, choice = case
    before = exercise.score(values, choice)
    name = data.draw(st.sampled_from(sorted(exercise.key.fields)))
    target = exercise.key.fields[name]
    assert exercise.score({**values, name: repr(target.value)}, choice).earned >= before.earned - 1e-9
    halves = [one.value for one in target.slips if one.half]
    rules = {e.ref.partition(".")[0]: e.rule for e in before.evidence}
    if halves and rules[name] not in ("right", "half"):
        assert exercise.score({**values, name: repr(halves[0])}, choice).earned >= before.earned - 1e-9
    if exercise.key.conclusion:
        assert exercise.score(values, "x").earned >= before.earned - 1e-9
        assert not exercise.score(values, "x").flags


@given(st.floats(-1e6, 1e6), st.sampled_from(sorted(FORMS)), st.sampled_from(["zh", "en"]))
def test_what_is_shown_is_read_as_the_same_number(value: float, unit: Any, language: Any) -> None:
    text = shown(value, unit)[language]
    assume(len(text) <= 40)
    assert readings(text, unit) == (pytest.approx(value, abs=1e-6),)


@given(st.text(st.characters(), max_size=40) | st.text("0123456789,. +-−%万元¥_exninfa", max_size=12))
def test_any_text_has_finite_readings_or_none(text: str) -> None:
    for unit in FORMS:
        found = readings(text, unit)
        assert len(found) <= 2
        for value in found:
            assert abs(value) < 1e45
            assert shown(value, unit).zh


@pytest.mark.parametrize("value", [True, "3", float("nan"), float("inf"), 1e400, None, 1e13])
@pytest.mark.parametrize("name", ["value", "abs", "rel", "weight"])
def test_a_key_takes_numbers_only(name: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Target.model_validate({"value": 1, **{name: value}})


def faults(change: Any) -> set[str]:
    data = deepcopy(BOTH.data)
    change(data["public"], data["key"])
    return {f.rule for f in check(NumericPublic.model_validate(data["public"]), NumericKey.model_validate(data["key"]))}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("duplicate-id", lambda public, key: public["fields"].append(public["fields"][0])),
        ("duplicate-id", lambda public, key: public["conclusion"]["choices"].append({"id": "hides-fee", "text": TEXT})),
        ("duplicate-id", lambda public, key: public["conclusion"]["choices"].append({"id": "fee", "text": TEXT})),
        ("unscored-choice", lambda public, key: key["fields"].pop("fee")),
        ("orphan-key", lambda public, key: key["fields"].update(tax={"value": 1})),
        ("contradiction", lambda public, key: (public["fields"][1].update(decimals=0), fee(key, value=360.4, rel=0))),
        ("contradiction", lambda public, key: fee(key, slips=[slip(365)])),
        ("contradiction", lambda public, key: fee(key, slips=[slip(30), slip(30.2)])),
        ("contradiction", lambda public, key: key.update(conclusion=None)),
        ("contradiction", lambda public, key: public.update(conclusion=None)),
        ("contradiction", lambda public, key: key["conclusion"].update(red_lines=["part-told"])),
        ("broken-link", lambda public, key: key["conclusion"].update(red_lines=["no-such"])),
        ("unscored-choice", lambda public, key: key["conclusion"]["shares"].pop("hides-fee")),
        ("unscored-choice", lambda public, key: key["conclusion"]["shares"].update({"all-told": 0.9})),
        ("orphan-key", lambda public, key: key["conclusion"]["shares"].update(other=0)),
        (
            "choice-without-effect",
            lambda public, key: key["conclusion"].update(shares=dict.fromkeys(key["conclusion"]["shares"], 1)),
        ),
        ("missing-rationale", lambda public, key: key["rationales"].pop("fee")),
        ("missing-rationale", lambda public, key: key["rationales"].pop("all-told")),
        ("missing-better", lambda public, key: key["rationales"]["part-told"].pop("better")),
        ("broken-link", lambda public, key: key["rationales"].update(other={"why": TEXT})),
    ],
)
def test_each_fault_is_found(rule: str, change: Any) -> None:
    assert not faults(lambda public, key: None)
    assert rule in faults(change)


@pytest.mark.parametrize(
    ("unit", "value", "wrong", "found"),
    [
        # Bare, 0.6 is read as 0.6 % and as 60 %, and the better reading counts.
        ("percent", 60, 0.6, True),
        ("percent", 0.6, 60, True),
        ("percent", 61, 0.6, False),
        ("percent", 200, 2, False),
        ("yuan", 60, 0.6, False),
    ],
)
def test_a_slip_that_can_be_read_as_the_value_is_a_fault(unit: str, value: float, wrong: float, found: bool) -> None:
    exercise = Exercise({"it": (unit, {"value": value, "slips": [slip(wrong)]})})
    assert bool(list(check(exercise.public, exercise.key))) == found


def fee(key: dict[str, Any], **changes: Any) -> None:
    key["fields"]["fee"].update(changes)


@pytest.mark.parametrize(
    ("values", "choice", "stranger"),
    [({"rate": "1"}, "all-told", None), ({"tax": "1"}, None, "tax"), ({}, "no-such", "no-such"), ({}, "", "")],
)
def test_strangers_are_unknown(values: Mapping[str, str], choice: str | None, stranger: str | None) -> None:
    assert TYPE.unknown(BOTH.public, NumericResponse(values=values, choice=choice)) == stranger


def test_a_text_of_more_than_forty_characters_is_refused() -> None:
    NumericResponse(values={"rate": "9" * 40})
    with pytest.raises(ValidationError):
        NumericResponse(values={"rate": "9" * 41})


ATOMS: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    float("nan"),
    "",
    "13.03",
    "0.1303",
    "٣",
    "rate",
    "all-told",
    "\ud800",
    [],
    {},
]


def scrap(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON, with the words of this type often in it."""
    kind = dice.randrange(4) if depth < 4 else 0
    if kind == 1:
        return [scrap(dice, depth + 1) for _ in range(dice.randrange(4))]
    if kind >= 2:
        keys = ["values", "values", "choice", "rate", "fee", "all-told", "\ud800"]
        return {dice.choice(keys): scrap(dice, depth + 1) for _ in range(dice.randrange(4))}
    return dice.choice(ATOMS)


def test_any_json_is_scored_or_refused() -> None:
    dice = random.Random(1)
    head = {"id": "x", "type": "numeric", "sector": "all", "title": TEXT, "covers": []}
    item = Item(Head.model_validate(head), TYPE, BOTH.public, BOTH.key)
    scored = 0
    for _ in range(2000):
        whole = {
            "values": {"rate": dice.choice(ATOMS), "fee": dice.choice(ATOMS)},
            "choice": dice.choice([None, "all-told", scrap(dice, 3)]),
        }
        try:
            result, _missing = judge(item, dice.choice([whole, scrap(dice)]))
        except InvalidResponseError:
            continue
        scored += 1
        assert len(explain(item, result)) == len(result.evidence)
    assert scored > 20


def test_guessing_copies_from_the_table() -> None:
    guessed = TYPE.play(BOTH.public, BOTH.key, lambda texts, _right: len(texts) - 1)
    assert guessed == {"values": {"rate": "1,072", "fee": "1,072"}, "choice": "hides-fee"}


def test_the_template_is_whole() -> None:
    text = (Path(curriculum.items.__file__).parent / "numeric" / "template.yml").read_text("utf-8")
    data = yaml.safe_load(text.replace("‹ID›", "x-1"))
    Head.model_validate({name: value for name, value in data.items() if name not in ("public", "key")})
    public, key = NumericPublic.model_validate(data["public"]), NumericKey.model_validate(data["key"])
    assert list(check(public, key)) == []
