"""Plan: constraints that hold share 60, goals share 40; what isn't planned earns nothing; a red line ends it."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import curriculum.items.plan as plan_type
from curriculum.items.plan.check import check
from curriculum.items.plan.model import PlanKey, PlanPublic, PlanResponse, all_tests
from curriculum.items.plan.score import score, worth
from curriculum.items.plan.standing import Board
from curriculum.model import Head, Item, Score
from curriculum.verdict import InvalidResponseError, explain, judge

TEXT = {"zh": "甲", "en": "a"}
HEAD = Head.model_validate({"id": "x", "type": "plan", "practice": False, "sector": "all", "title": TEXT, "covers": []})
Plan = Mapping[str, Mapping[str, str]]

ROWS = ["ann", "bob", "cat", "dan"]
DATA: dict[str, Any] = {
    "public": {
        "prompt": TEXT,
        "columns": [
            {"id": "said", "label": TEXT, "values": [{"id": "yes", "text": TEXT}, {"id": "no", "text": TEXT}]},
            {"id": "hours", "label": TEXT},
            {"id": "history", "label": TEXT},
        ],
        "rows": [
            {"id": name, "label": TEXT, "facts": {"said": said, "hours": hours, "history": TEXT}}
            for name, said, hours in (("ann", "no", 2), ("bob", "yes", 3), ("cat", "yes", 4), ("dan", "no", 5))
        ],
        "fields": [
            {
                "id": "week",
                "label": TEXT,
                "options": [
                    {"id": "one", "text": TEXT},
                    {"id": "two", "text": TEXT},
                    {"id": "none", "text": TEXT, "skips": True},
                ],
            },
            {
                "id": "talk",
                "label": TEXT,
                "options": [
                    {"id": "check", "text": TEXT, "amount": 10},
                    {"id": "offer", "text": TEXT, "amount": 20},
                    {"id": "reply", "text": TEXT, "amount": 5},
                ],
            },
        ],
        "constraints": [
            {"id": "no-selling", "level": "red", "text": TEXT},
            {"id": "in-time", "level": "hard", "text": TEXT},
            {
                "id": "minutes",
                "level": "hard",
                "text": TEXT,
                "shown": {"kind": "count", "field": "week", "amount": "talk", "each": True, "at_most": 20},
            },
            {"id": "hours", "level": "hard", "text": TEXT},
            {"id": "matters", "level": "soft", "text": TEXT},
            {"id": "change", "level": "soft", "text": TEXT},
        ],
    },
    "key": {
        "tests": {
            "no-selling": {"kind": "forbidden", "where": {"said": ["no"]}, "field": "talk", "options": ["offer"]},
            "in-time": {"kind": "required", "rows": ["ann"], "field": "week", "options": ["one"]},
            "hours": {"kind": "count", "field": "week", "options": ["one"], "amount": "hours", "at_least": 5},
            "matters": {"kind": "fits", "field": "talk", "rows": {"ann": ["check"], "bob": ["offer", "reply"]}},
            "change": {"kind": "different", "field": "talk", "rows": ["ann", "bob", "cat"]},
        },
        "weights": {"in-time": 3, "matters": 3},
        "model": {
            "ann": {"week": "one", "talk": "check"},
            "bob": {"week": "one", "talk": "reply"},
            "cat": {"week": "two", "talk": "check"},
            "dan": {"week": "none"},
        },
        "rationales": {
            name: {"why": TEXT, "better": TEXT}
            for name in ("no-selling", "in-time", "minutes", "hours", "matters", "change")
        },
    },
}


def item(data: Mapping[str, Any] = DATA) -> Item:
    public, key = PlanPublic.model_validate(data["public"]), PlanKey.model_validate(data["key"])
    return Item(HEAD, plan_type.TYPE, public, key)


ITEM = item()
MODEL: dict[str, dict[str, str]] = DATA["key"]["model"]


def grade(plan: Plan, exercise: Item = ITEM) -> Score:
    result = score(exercise.public, exercise.key, PlanResponse(plan=plan))  # type: ignore[arg-type]
    assert 0 <= result.earned <= result.possible
    total = sum(e.earned for e in result.evidence)
    assert min(max(total, 0), result.possible) == pytest.approx(result.earned, abs=1e-9)
    assert [e.ref for e in result.evidence] == [c.id for c in exercise.public.constraints]  # type: ignore[attr-defined]
    assert all(row.did.zh and row.did.en for row in explain(exercise, result))
    return result


# 60 for no-selling, in-time, minutes, hours by 1 : 3 : 1 : 1, that is 10, 30, 10, 10; 40 for matters and change
# by 3 : 1, that is 30 and 10. The model leaves dan out, so one row may be left out.
@pytest.mark.parametrize(
    ("change", "earned", "flagged"),
    [
        ({}, 100, False),
        ({"dan": {"week": "two", "talk": "reply"}}, 100, False),  # planning a row that the model leaves out
        ({"dan": {"week": "none", "talk": "offer"}}, 100, False),  # no talk, no offer
        ({"ann": {"week": "two", "talk": "check"}}, 60, False),  # in-time −30; three of five hours in week one −10
        ({"cat": {"week": "one", "talk": "check"}}, 90, False),  # 10 + 5 + 10 = 25 of 20 minutes −10
        ({"bob": {"week": "one", "talk": "check"}}, 75, False),  # matters −30 · ½; three the same in a row −10
        ({"bob": {"week": "one", "talk": "offer"}}, 90, False),  # fits and differs, and takes 30 of 20 minutes −10
        ({"dan": {}}, 90, False),  # open: no-selling −10 · ½, minutes and hours −10 · ¼ each
        ({"cat": {"week": "none"}}, 90, False),  # two left out, one more than may be: −2.5, −2.5, one pair of two −5
        ({"ann": {"week": "one", "talk": "offer"}}, 0, True),
    ],
)
def test_by_hand(change: Plan, earned: float, flagged: bool) -> None:
    result = grade({**MODEL, **change})
    assert result.earned == pytest.approx(earned, abs=1e-9)
    assert result.flags == (("red-line",) if flagged else ())


def test_evidence_names_what_breaks_a_constraint() -> None:
    data = copy.deepcopy(DATA)
    for row in data["public"]["rows"]:
        row["label"] = {"zh": f"{row['id']} 女士", "en": f"Ms {row['id']}"}
    data["public"]["fields"][0]["options"][0]["text"] = {"zh": "第一周", "en": "week one"}
    exercise = item(data)
    rows = explain(exercise, grade({**MODEL, "cat": {"week": "one", "talk": "offer"}, "dan": {}}, exercise))
    said = {row.because: row.did for row in rows}
    assert "第一周 35（最多 20）" in said["plan.broken"].zh
    assert "week one 35 (at most 20)" in said["plan.broken"].en
    assert "Ms dan" in said["plan.open"].en
    assert "Ms ann" not in said["plan.open"].en


def test_an_empty_plan_and_one_that_plans_nothing() -> None:
    assert grade({}).earned == 0
    # One row may be left out, dan or any: no-selling 10 · ½, minutes 10 · ¼. The hours and the time are missed.
    assert grade({row: {"week": "none"} for row in ROWS}).earned == pytest.approx(5 + 2.5)


def test_a_soft_count_goes_by_degrees() -> None:
    data = copy.deepcopy(DATA)
    data["public"]["constraints"][3]["level"] = "soft"
    # Soft 40 by 1 : 3 : 1, so hours 8. With ann alone in week one two of five are reached: 8 · 2/5.
    result = grade({**MODEL, "bob": {"week": "two", "talk": "reply"}}, item(data))
    assert result.earned == pytest.approx(100 - 8 * 3 / 5)


@pytest.mark.parametrize(("level", "expected"), [("soft", [100 / 6] * 6), ("hard", [100 / 6] * 6)])
def test_one_level_alone_has_all_the_points(level: str, expected: list[float]) -> None:
    data = copy.deepcopy(DATA)
    data["key"]["weights"] = {}
    for constraint in data["public"]["constraints"]:
        constraint["level"] = level
    exercise = item(data)
    assert [*worth(exercise.public, exercise.key).values()] == pytest.approx(expected)  # type: ignore[arg-type]
    assert grade(MODEL, exercise).earned == pytest.approx(100)


@st.composite
def plans(draw: st.DrawFn) -> dict[str, dict[str, str]]:
    def cell(row: str) -> st.SearchStrategy[dict[str, str]]:
        near = st.just(MODEL[row])
        week, talk = st.sampled_from(["one", "two", "none"]), st.sampled_from(["check", "offer", "reply"])
        return near | st.fixed_dictionaries({}, optional={"week": week, "talk": talk})

    return {row: draw(cell(row)) for row in draw(st.permutations(ROWS)) if draw(st.integers(0, 5))}


def standings(plan: Plan) -> dict[str, tuple[bool, float]]:
    """Whether something goes against each constraint, and its value."""
    public: Any = ITEM.public
    key: Any = ITEM.key
    board, model = Board(public, plan), Board(public, key.model)
    found = {name: (board.stands(test), model.stands(test)) for name, test in all_tests(public, key).items()}
    return {name: (not mine.breaks, mine.value(len(its.left_out))) for name, (mine, its) in found.items()}


@given(plans(), plans())
def test_a_plan_that_is_nowhere_worse_never_scores_less(one: Plan, other: Plan) -> None:
    # Better: no constraint is newly broken, and none is kept to a lesser degree. Mending one is the case of a
    # plan and the same plan with one of its rows as another plan has it.
    for row in ROWS:
        mended = {**one, row: other.get(row, {})}
        before, after = standings(one), standings(mended)
        if all(a <= b and v <= w + 1e-12 for (a, v), (b, w) in zip(before.values(), after.values(), strict=True)):
            assert grade(mended).earned >= grade(one).earned - 1e-9


@given(plans())
def test_the_model_earns_everything_whatever_stood_there(plan: Plan) -> None:
    assert grade({**plan, **MODEL}).earned == pytest.approx(100)


@given(plans(), st.randoms())
def test_order_and_language_say_nothing(plan: Plan, rnd: random.Random) -> None:
    data = json.loads(json.dumps(DATA).replace('"zh"', '"?"').replace('"en"', '"zh"').replace('"?"', '"en"'))
    for name in ("rows", "fields", "constraints"):
        rnd.shuffle(data["public"][name])
    for field in data["public"]["fields"]:
        rnd.shuffle(field["options"])
    other = grade(dict(reversed(plan.items())), item(data))
    assert other.earned == pytest.approx(grade(plan).earned, abs=1e-9)
    assert other.flags == grade(plan).flags


@given(plans())
def test_a_red_line_is_crossed_by_what_is_planned_alone(plan: Plan) -> None:
    sold = [row for row in ("ann", "dan") if plan.get(row, {}).get("talk") == "offer"]
    crossed = any(plan[row].get("week") != "none" for row in sold)
    result = grade(plan)
    assert result.flags == (("red-line",) if crossed else ())
    assert not crossed or result.earned == 0


def test_guessing_ends_a_row_that_is_left_out_and_missing_says_what_comes_next() -> None:
    raw = plan_type.TYPE.play(ITEM.public, ITEM.key, lambda texts, _right: len(texts) - 1)
    assert raw == {"plan": {row: {"week": "none"} for row in ROWS}}
    assert judge(ITEM, {"plan": MODEL})[1] is None
    left = judge(ITEM, {"plan": {"ann": MODEL["ann"]}})[1]
    assert left is not None
    assert left.en.startswith("1 of 4")


@pytest.mark.parametrize(
    "raw",
    [
        {"plan": {"eve": {"week": "one"}}},
        {"plan": {"ann": {"day": "one"}}},
        {"plan": {"ann": {"week": "three"}}},
        {"plan": {"ann": {"week": "check"}}},
        *({"plan": {"ann": {"week": value}}} for value in ("", None, True, 1, 1.5, float("nan"), ["one"])),
        {"plan": {"ann": "one"}},
        {"plan": [["ann", "one"]]},
        {"plan": {f"row-{n}": {} for n in range(17)}},
        {"plan": {}, "note": "x"},
        {},
        [],
        None,
    ],
)
def test_what_is_no_plan_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidResponseError):
        judge(ITEM, raw)


def anything(rnd: random.Random, depth: int = 3) -> Any:
    """An arbitrary JSON value that likes to look like a response."""
    words = ["plan", "week", "talk", "one", "none", "check", "offer", "", "eve", "\ud800", "x" * 99, *ROWS]
    match rnd.choice(["number", "word", "fixed", "model"] + ["list", "dict", "dict"] * (depth > 0)):
        case "number":
            return rnd.choice([rnd.randint(-1, 6), 10**20, rnd.random(), float("nan"), float("-inf")])
        case "word":
            return rnd.choice(words)
        case "fixed":
            return rnd.choice([None, True, False])
        case "model":
            return rnd.choice([MODEL, {"plan": MODEL}, MODEL["ann"]])
        case "list":
            return [anything(rnd, depth - 1) for _ in range(rnd.randint(0, 3))]
        case _:
            return {rnd.choice(words): anything(rnd, depth - 1) for _ in range(rnd.randint(0, 4))}


def test_any_json_is_judged_or_refused() -> None:
    rnd, judged = random.Random(34), 0
    for _ in range(2000):
        raw = anything(rnd)
        if rnd.random() < 0.6:
            cells = {"week": ["one", "two", "none", "bad"], "talk": ["check", "offer", "reply", 3]}
            raw = {"plan": {r: {n: rnd.choice(o) for n, o in cells.items() if rnd.random() < 0.6} for r in ROWS}}
        try:
            result, _missing = judge(ITEM, raw)
        except InvalidResponseError:
            continue
        judged += 1
        assert 0 <= result.share <= 1
    assert judged > 100


def broken(path: str, value: Any) -> dict[str, Any]:
    """The item with one place set to a value, or taken out with None."""
    data = copy.deepcopy(DATA)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = data
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return data


COUNT = {"kind": "count", "field": "week", "options": ["one"]}


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("public.rows.1.id", "ann", "duplicate-id"),
        ("public.columns.1.id", "week", "duplicate-id"),
        ("public.columns.0.values.1.id", "yes", "duplicate-id"),
        ("public.fields.0.options.1.id", "one", "duplicate-id"),
        ("public.constraints.1.id", "minutes", "duplicate-id"),
        ("key.tests.change.rows", ["ann", "bob", "ann"], "duplicate-id"),
        ("public.rows.0.facts.age", 3, "broken-link"),
        ("key.tests.sleep", COUNT | {"at_most": 1}, "broken-link"),
        ("key.tests.in-time.field", "day", "broken-link"),
        ("key.tests.in-time.rows", ["eve"], "broken-link"),
        ("key.tests.in-time.options", ["three"], "broken-link"),
        ("key.tests.matters.rows.ann", ["sing"], "broken-link"),
        ("key.tests.no-selling.where", {"mood": ["no"]}, "broken-link"),
        ("key.tests.no-selling.where", {"said": ["perhaps"]}, "broken-link"),
        ("key.tests.hours.amount", "days", "broken-link"),
        ("key.weights.sleep", 2, "broken-link"),
        ("key.model.eve", {"week": "one"}, "broken-link"),
        ("key.model.ann.day", "one", "broken-link"),
        ("key.model.ann.week", "three", "broken-link"),
        ("public.rows.0.facts.said", "perhaps", "wrong-value"),
        ("public.rows.0.facts.history", "word", "wrong-value"),
        ("public.rows.0.facts.hours", None, "wrong-value"),
        ("key.tests.hours.amount", "week", "wrong-value"),
        ("key.tests.in-time", None, "unscored-choice"),
        ("key.tests.minutes", COUNT | {"at_most": 3}, "contradiction"),
        ("key.tests.hours.at_most", 4, "contradiction"),
        ("public.constraints.3.level", "red", "contradiction"),
        ("key.tests.hours.at_least", None, "choice-without-effect"),
        ("key.tests.no-selling.rows", ["bob"], "choice-without-effect"),
        ("key.rationales.in-time", None, "missing-rationale"),
        ("key.rationales.in-time.better", None, "missing-better"),
        ("key.model.cat", None, "incomplete-model"),
        ("key.model.cat.talk", None, "incomplete-model"),
        ("key.model.cat.talk", "reply", "model-answer"),
        ("key.model.ann.week", "two", "model-answer"),
    ],
)
def test_each_fault_of_an_item_is_found(path: str, value: Any, rule: str) -> None:
    exercise = item(broken(path, value))
    faults = list(check(exercise.public, exercise.key))  # type: ignore[arg-type]
    assert rule in {fault.rule for fault in faults}, faults
    assert all(len(fault.message) > 20 and fault.path for fault in faults)


def test_a_field_that_no_constraint_speaks_of_is_a_fault() -> None:
    data = copy.deepcopy(DATA)
    data["public"]["fields"].append(data["public"]["fields"][1] | {"id": "mood"})
    for row in data["key"]["model"].values():
        row |= {} if row["week"] == "none" else {"mood": "check"}
    exercise = item(data)
    assert [fault.rule for fault in check(exercise.public, exercise.key)] == ["choice-without-effect"]  # type: ignore[arg-type]


def test_a_field_that_can_only_leave_rows_out_is_a_fault() -> None:
    # There would be no group to hold the limits of a count against, and lint would end in a traceback.
    data = copy.deepcopy(DATA)
    skip = [{"id": name, "text": data["public"]["rows"][0]["label"], "skips": True} for name in ("no", "never")]
    data["public"]["fields"].append({"id": "mood", "label": skip[0]["text"], "options": skip})
    data["key"]["tests"]["hours"] = {"kind": "count", "field": "mood", "each": True, "at_most": 1}
    exercise = item(data)
    assert "contradiction" in [fault.rule for fault in check(exercise.public, exercise.key)]  # type: ignore[arg-type]


def test_the_item_of_these_tests_and_the_template_are_sound() -> None:
    template = Path(plan_type.__file__).with_name("template.yml").read_text("utf-8").replace("‹ID›", "p3-1-9")
    for exercise in (ITEM, item(yaml.safe_load(template))):
        assert list(check(exercise.public, exercise.key)) == []  # type: ignore[arg-type]
        assert grade(exercise.key.model, exercise).earned == pytest.approx(100)  # type: ignore[attr-defined]
