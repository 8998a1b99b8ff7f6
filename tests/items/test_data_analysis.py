"""Data analysis: numbers half, chart a fifth, conclusion the rest; key values worked out again from the table."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from data_e3_4_2 import table as feedback_table
from hypothesis import given
from hypothesis import strategies as st

import curriculum.items.data_analysis as folder
from curriculum.items.data_analysis import TYPE
from curriculum.items.data_analysis.check import check
from curriculum.items.data_analysis.model import (
    Compute,
    DataAnalysisKey,
    DataAnalysisPublic,
    DataAnalysisResponse,
    Question,
    files,
    missing,
    number_text,
    play,
    read_number,
    readings,
    release,
    selected,
    unknown,
    worked_out,
)
from curriculum.items.data_analysis.score import score
from curriculum.load import CONTENT, Loader
from curriculum.model import Head, Item, Score
from curriculum.verdict import InvalidResponseError, judge

TEXT = {"zh": "甲", "en": "a"}
RECORD = {"zh": "条记录", "en": "entries"}


def column(name: str, kind: str = "number", values: str = "") -> dict[str, Any]:
    return {"id": name, "kind": kind, "label": TEXT, "values": [{"id": v, "label": TEXT} for v in values.split()]}


def sheet(columns: list[dict[str, Any]], rows: list[str], **more: Any) -> dict[str, Any]:
    return {
        "prompt": TEXT,
        "record": TEXT,
        "columns": columns,
        "table": "\n".join([",".join(c["id"] for c in columns), *rows]),
        "questions": [{"id": "how-many", "text": TEXT}],
        "chart": TEXT,
        "conclusion": TEXT,
        "conclusions": [{"id": name, "text": TEXT} for name in ("best", "half", "none")],
        **more,
    }


def compute(public: dict[str, Any], percent: bool = False, **how: Any) -> float | None:
    question = Question.model_validate({"id": "asked", "text": TEXT, "percent": percent})
    return worked_out(DataAnalysisPublic.model_validate(public), question, Compute.model_validate(how))


# ── oracles ──────────────────────────────────────────────────────────────────────────────────────

# Assessment design, section 12: twenty chat times in seconds.
SECONDS = [8, 12, 19, 22, 27, 29, 31, 34, 41, 55, 63, 90, 14, 25, 30, 18, 28, 47, 120, 16]
CHATS = sheet([column("chat"), column("seconds")], [f"{n},{s}" for n, s in enumerate(SECONDS)])


@pytest.mark.parametrize(
    ("how", "value"),
    [
        # 8 12 14 16 18 19 22 25 27 28 29 30 are at most 30, which counts: 12 of 20.
        ({"kind": "share", "where": {"seconds": {"most": 30}}}, 0.6),
        ({"kind": "count", "where": {"seconds": {"most": 30}}}, 12),
        ({"kind": "count", "where": {"seconds": {"least": 30, "most": 34}}}, 3),  # 30, 31 and 34
        ({"kind": "median", "of": "seconds"}, 28.5),  # the tenth and eleventh are 28 and 29
        ({"kind": "mean", "of": "seconds"}, 36.45),  # 729 / 20
        ({"kind": "sum", "of": "seconds"}, 729),
        ({"kind": "p90", "of": "seconds"}, 63),  # the 18th; 90 and 120 are above
        ({"kind": "p90", "of": "seconds", "where": {"seconds": {"most": 8}}}, 8),
        ({"kind": "mean", "of": "seconds", "where": {"seconds": {"most": 1}}}, None),
        ({"kind": "share", "among": {"seconds": {"most": 1}}}, None),
    ],
)
def test_chat_times(how: dict[str, Any], value: float | None) -> None:
    assert compute(CHATS, **how) == (pytest.approx(value, abs=1e-9) if value is not None else None)


def test_a_share_is_in_percent_where_the_question_is() -> None:
    assert compute(CHATS, percent=True, kind="share", where={"seconds": {"most": 30}}) == pytest.approx(60)
    assert compute(CHATS, percent=True, kind="count", where={"seconds": {"most": 30}}) == 12


# Assessment design, section 12: two raters, twelve cases, four levels.
FIRST = [0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 1, 2]
SECOND = [0, 1, 2, 3, 2, 2, 1, 1, 2, 3, 0, 3]
RATERS = sheet([column("first"), column("second")], [f"{a},{b}" for a, b in zip(FIRST, SECOND, strict=True)])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        # 8 of 12 alike. Margins: first 2 3 4 3, second 2 3 4 3, by chance (4 + 9 + 16 + 9) / 144 = .2639;
        # (.6667 − .2639) / (1 − .2639) = .5472.
        ("exact", 0.6667),
        ("kappa", 0.5472),
        ("kappa-linear", 0.7073),
        ("kappa-quadratic", 0.8421),
    ],
)
def test_agreement(kind: str, value: float) -> None:
    assert compute(RATERS, kind=kind, of="first", against="second") == pytest.approx(value, abs=5e-5)
    assert compute(RATERS, kind=kind, of="second", against="first") == pytest.approx(value, abs=5e-5)
    assert compute(RATERS, kind=kind, of="first", against="first") == pytest.approx(1)


def test_agreement_that_chance_leaves_no_room_for_is_not_defined() -> None:
    same = sheet([column("first"), column("second")], ["2,2", "2,2"])
    assert compute(same, kind="kappa", of="first", against="second") is None
    assert compute(same, kind="exact", of="first", against="second") == 1


# a 5, b 3, c 1, d 1: of ten 50 %, 80 %, 90 %, 100 %.
LETTERS = sheet([column("letter", "category", "a b c d"), column("n")], [f"{x},1" for x in "dbabaabcaa"])


@pytest.mark.parametrize(("top", "share"), [(1, 0.5), (2, 0.8), (3, 0.9), (4, 1.0), (9, 1.0)])
def test_pareto_by_hand(top: int, share: float) -> None:
    assert compute(LETTERS, kind="top-share", of="letter", top=top) == pytest.approx(share)


def test_the_vital_few_are_those_that_reach_eighty_percent() -> None:
    assert compute(LETTERS, kind="vital-few", of="letter") == 2
    # Without b: a 5, c 1, d 1 of seven; 5/7 = 71 %, 6/7 = 86 %.
    assert compute(LETTERS, kind="vital-few", of="letter", where={"letter": ["a", "c", "d"]}) == 2


# ── the real exercise ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def feedback() -> Item:
    loader = Loader(CONTENT)
    loader.rules, loader.teaching_points = loader.read_rules(), loader.read_teaching_points()
    item = loader.item(CONTENT / "chapters/3-norms/items/e3-4-2.yml")
    assert loader.problems == []
    assert item is not None
    return item


def test_the_table_is_the_generator_s(feedback: Item) -> None:
    assert feedback.public.table == feedback_table()  # type: ignore[attr-defined]


def test_its_values_counted_anew(feedback: Item) -> None:
    rows = list(csv.DictReader(feedback_table().splitlines()))
    wishes = [row for row in rows if row["tone"] != "praise"]
    [(largest, most), *others] = Counter(row["cause"] for row in wishes).most_common()
    suggestions = [row for row in rows if row["tone"] == "suggestion"]
    found = {
        "wishes": len(wishes),
        "middle-marks": sum(row["rating"] == "3" for row in rows),
        "largest-cause": 100 * most / len(wishes),
        "three-causes": 100 * (most + others[0][1] + others[1][1]) / len(wishes),
        "walked-in": sum(row["cause"] == largest and row["visit"] == "walk-in" for row in wishes),
        "unanswered": 100 * sum(row["reply"] == "none" for row in suggestions) / len(suggestions),
    }
    key = {name: value.value for name, value in feedback.key.values.items()}  # type: ignore[attr-defined]
    assert key == pytest.approx(found, abs=0.06)
    assert len(rows) == 200


def test_what_its_words_say_of_the_table(feedback: Item) -> None:
    rows = list(csv.DictReader(feedback_table().splitlines()))

    def count(**cells: str) -> int:
        return sum(all(row[name] == cell for name, cell in cells.items()) for row in rows)

    assert sum(int(row["rating"]) for row in rows) / 200 == pytest.approx(3.24)
    assert [count(rating=str(mark)) for mark in (1, 2, 3, 4, 5)] == [46, 30, 24, 30, 70]
    assert (count(tone="criticism"), count(tone="suggestion")) == (76, 36)
    assert (count(tone="criticism", reply="none"), count(tone="suggestion", reply="none")) == (8, 27)
    # Whoever counts everything, or criticism alone, finds another cause in front.
    assert Counter(row["cause"] for row in rows).most_common(1) == [("attitude", 63)]
    criticism = Counter(row["cause"] for row in rows if row["tone"] == "criticism")
    assert criticism.most_common(2) == [("systems", 25), ("process", 22)]
    wishes = Counter(row["cause"] for row in rows if row["tone"] != "praise")
    assert wishes.most_common(3) == [("process", 43), ("systems", 31), ("attitude", 17)]
    assert wishes["info-safety"] == 2
    assert count(tone="praise", cause="process") == 18
    assert count(tone="praise", cause="process", visit="booked") == 15
    assert all(row["month"] == {"07": "jul", "08": "aug", "09": "sep"}[row["day"][5:7]] for row in rows)


def test_guessing_does_not_pay(feedback: Item) -> None:
    from curriculum.lint.chance import floors

    assert max(floors(feedback, 200).values()) < 0.3


# ── scoring ──────────────────────────────────────────────────────────────────────────────────────

COLUMNS = [column("tone", "category", "praise wish"), column("days"), column("day", "date")]
ROWS = ["wish,1,2026-07-01", "wish,2,2026-07-02", "wish,6,2026-07-03", "praise,1,2026-07-03"]
PUBLIC = sheet(
    COLUMNS,
    ROWS,
    questions=[
        {"id": "share", "text": TEXT, "percent": True},
        {"id": "mean", "text": TEXT},
        {"id": "sum", "text": TEXT},
    ],
)
KEY = {
    "values": {
        "share": {"value": 75, "within": 0.5},
        "mean": {"value": 2.5, "within": 0.05, "weight": 2},
        "sum": {"value": 10},
    },
    "chart": {
        "type": ["bar", "pareto"],
        "by": "tone",
        "where": {"days": {"most": 5}},
        "measure": "count",
        "sorted": True,
        "labelled": True,
        "base": True,
    },
    "conclusions": {"best": 1, "half": 0.5, "none": 0},
    "red_lines": ["none"],
    "rationales": {
        **{name: {"why": TEXT} for name in ("share", "mean", "sum", "best")},
        **{name: {"why": TEXT, "better": TEXT} for name in ("half", "none")},
        **{f"chart.{name}": {"why": TEXT} for name in ("type", "by", "where", "measure")},
    },
}
ITEM_PUBLIC = DataAnalysisPublic.model_validate(PUBLIC)
ITEM_KEY = DataAnalysisKey.model_validate(KEY)
RIGHT = {"share": "75", "mean": "2.5", "sum": "10"}
# The rows of at most five days, named in another way than the key does.
CHART = {
    "type": "bar",
    "by": "tone",
    "where": {"day": {"most": "2026-07-03"}, "days": ["1", "2"]},
    "measure": None,
    "sorted": True,
    "labelled": True,
    "base": True,
}
MEAN = {"kind": "mean", "of": "days"}
PERFECT = {"values": RIGHT, "chart": CHART, "choice": "best", "view": {**CHART, "type": "table", "by": None}}
HEAD = Head.model_validate(
    {"id": "x", "type": "data_analysis", "practice": False, "sector": "all", "title": TEXT, "covers": []}
)
ITEM = Item(HEAD, TYPE, ITEM_PUBLIC, ITEM_KEY)


def mark(response: dict[str, Any]) -> Score:
    parsed = DataAnalysisResponse.model_validate(response)
    assert unknown(ITEM_PUBLIC, parsed) is None
    result = score(ITEM_PUBLIC, ITEM_KEY, parsed)
    assert score(release(ITEM_PUBLIC), ITEM_KEY, parsed) == result
    assert min(max(sum(e.earned for e in result.evidence), 0), result.possible) == pytest.approx(result.earned)
    assert 0 <= result.earned <= result.possible == 100
    assert ("red-line" in result.flags) == (parsed.choice == "none")
    return result


def test_nothing_is_wrong_with_the_item_of_these_tests() -> None:
    assert list(check(ITEM_PUBLIC, ITEM_KEY)) == []
    assert mark(PERFECT).earned == pytest.approx(100)


@pytest.mark.parametrize(
    ("values", "earned"),
    [
        (RIGHT, 50),
        # Weights 1, 2, 1: a quarter of 50, a half, a quarter.
        ({"share": "75"}, 12.5),
        ({"mean": "2.5"}, 25),
        ({"share": "75.5", "mean": "2.55", "sum": "10.0"}, 50),  # just within
        ({"share": "75.6", "mean": "2.56", "sum": "10.01"}, 0),  # just not
        ({"share": "0.75"}, 12.5),  # as a fraction
        ({"share": "0.75%"}, 0),
        ({"share": "７５％"}, 12.5),
        ({"sum": "1000%"}, 12.5),  # 1000 / 100
        ({"sum": " 1 0 "}, 12.5),
        ({"sum": "ten", "mean": "2,5"}, 0),
        ({}, 0),
    ],
)
def test_values_by_hand(values: dict[str, str], earned: float) -> None:
    assert mark({"values": values}).earned == pytest.approx(earned)


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({}, 7),
        ({"type": "pareto"}, 7),
        ({"type": "pareto", "sorted": False}, 7),  # always sorted
        ({"type": "line"}, 6),
        ({"sorted": False}, 6),
        ({"by": "day"}, 6),
        ({"where": {}}, 6),
        ({"where": {"days": {"most": 4.5}}}, 7),  # other words, same rows
        ({"measure": MEAN}, 6),
        ({"labelled": False, "base": False}, 5),
    ],
)
def test_chart_by_hand(change: dict[str, Any], right: int) -> None:
    assert mark({"chart": {**CHART, **change}}).earned == pytest.approx(20 * right / 7)


@pytest.mark.parametrize(("choice", "earned"), [("best", 100), ("half", 85), (None, 70), ("none", 40)])
def test_conclusion_by_hand(choice: str | None, earned: float) -> None:
    # Numbers and chart give 70; the red line caps at 40.
    assert mark({**PERFECT, "choice": choice}).earned == pytest.approx(earned)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("12", (12, False)),
        ("１２．５％", (12.5, True)),
        ("1,234.5", (1234.5, False)),
        ("１，２３４", (1234, False)),
        ("-3", (-3, False)),
        ("−3", (-3, False)),
        ("３８。４", (38.4, False)),
        (" + 4 % ", (4, True)),
        *(
            (text, None)
            for text in ("", "%", "1,23", "12,5", "1e5", "nan", "inf", "٣", "3天", "1.", ".5", "--1", "1/2")
        ),
        ("1 234", (1234, False)),
        ("5²", None),
        ("①", None),
    ],
)
def test_numbers_as_people_type_them(text: str, read: tuple[float, bool] | None) -> None:
    assert read_number(text) == read


READINGS = json.loads((Path(__file__).parent / "data_readings.json").read_text("utf-8"))
UNITS = {
    "entries": {"zh": "条", "en": "entries"},
    "days": {"zh": "天", "en": "days"},
    "yuan": {"zh": "元", "en": "yuan"},
}


@pytest.mark.parametrize(("percent", "unit", "text", "expected"), READINGS)
def test_a_unit_typed_beside_the_number_is_read_where_it_is_clear(
    percent: bool, unit: str, text: str, expected: list[float] | None
) -> None:
    public = DataAnalysisPublic.model_validate(sheet([column("a"), column("b")], [], record=RECORD))
    question = Question.model_validate({"id": "asked", "text": TEXT, "percent": percent, "unit": UNITS.get(unit)})
    assert readings(public, question, text) == (None if expected is None else pytest.approx(expected))


@given(st.text(max_size=40))
def test_any_text_is_a_finite_number_or_none(text: str) -> None:
    read = read_number(text)
    assert read is None or abs(read[0]) < float("inf")


@given(st.integers(-(10**6), 10**6))
def test_cells_are_written_as_they_are_read(number: int) -> None:
    assert float(number_text(number / 10000)) == pytest.approx(number / 10000)


def as_drawn(chart: dict[str, Any]) -> dict[str, Any]:
    """The chart as the view sends it: a Pareto chart is sorted, and says so."""
    return {**chart, "sorted": chart["sorted"] or chart["type"] == "pareto"}


PARTS: dict[str, st.SearchStrategy[Any]] = {
    "values": st.dictionaries(st.sampled_from(["share", "mean", "sum"]), st.sampled_from(["75", "2.5", "10", "", "x"])),
    "chart": st.none()
    | st.fixed_dictionaries(
        {
            "type": st.sampled_from(["bar", "pareto", "line"]),
            "by": st.sampled_from(["tone", "day", "days"]),
            "where": st.sampled_from([{}, {"tone": ["wish"]}, CHART["where"]]),
            "measure": st.none() | st.just(MEAN),
            **dict.fromkeys(("sorted", "labelled", "base"), st.booleans()),
        }
    ).map(as_drawn),
    "choice": st.sampled_from([None, "best", "half", "none"]),
}
RESPONSES = st.fixed_dictionaries(PARTS)


@given(RESPONSES)
def test_any_response_has_a_score(response: dict[str, Any]) -> None:
    mark(response)


@given(RESPONSES, st.sampled_from(list(RIGHT)))
def test_one_more_right_number_never_lowers(response: dict[str, Any], name: str) -> None:
    better = {**response, "values": {**response["values"], name: RIGHT[name]}}
    assert mark(better).earned >= mark(response).earned - 1e-9


@given(RESPONSES, st.sampled_from(list(CHART)))
def test_one_more_right_property_never_lowers(response: dict[str, Any], name: str) -> None:
    better = {**response, "chart": {**(response["chart"] or CHART), name: CHART[name]}}
    assert mark(better).earned >= mark(response).earned - 1e-9


@given(RESPONSES)
def test_a_better_conclusion_never_lowers(response: dict[str, Any]) -> None:
    ladder = [mark({**response, "choice": choice}).earned for choice in ("none", "half", "best")]
    assert ladder == sorted(ladder)


@given(st.randoms())
def test_the_order_of_columns_rows_and_options_says_nothing(order: random.Random) -> None:
    rows = [dict(zip((c["id"] for c in COLUMNS), row.split(","), strict=True)) for row in ROWS]
    columns, conclusions = list(COLUMNS), list(PUBLIC["conclusions"])
    for shuffled in (rows, columns, conclusions):
        order.shuffle(shuffled)
    table = [",".join(row[c["id"]] for c in columns) for row in rows]
    other = sheet(columns, table, questions=PUBLIC["questions"][::-1], conclusions=conclusions)
    for response in (PERFECT, {**PERFECT, "chart": {**CHART, "where": {"tone": ["wish"]}}, "choice": "half"}):
        parsed = DataAnalysisResponse.model_validate(response)
        result = score(DataAnalysisPublic.model_validate(other), ITEM_KEY, parsed)
        assert result.earned == pytest.approx(mark(response).earned)


def test_what_is_still_to_do() -> None:
    def left(response: dict[str, Any]) -> str | None:
        text = missing(ITEM_PUBLIC, DataAnalysisResponse.model_validate(response))
        return text.en if text else None

    assert left(PERFECT) is None
    assert left({}) == "Still open: 3 numbers, the chart, the conclusion."
    assert left({**PERFECT, "values": {**RIGHT, "sum": "ten"}}) == "Still open: “ten” can't be read as a number."
    assert left({**PERFECT, "values": {**RIGHT, "sum": "  "}}) == "Still open: one number."


def test_a_guess_is_a_whole_answer() -> None:
    dice = random.Random(1)
    for _ in range(50):
        response = play(ITEM_PUBLIC, ITEM_KEY, lambda texts, _right: dice.randrange(len(texts)))
        assert judge(ITEM, response)[1] is None


@pytest.mark.parametrize(
    ("response", "stranger"),
    [
        ({"values": {"total": "1"}}, "total"),
        ({"choice": "worst"}, "worst"),
        ({"chart": {**CHART, "by": "mood"}}, "mood"),
        ({"chart": {**CHART, "where": {"mood": ["low"]}}}, "mood"),
        ({"chart": {**CHART, "where": {"tone": ["blame"]}}}, "blame"),
        ({"chart": {**CHART, "where": {"tone": ["wish", "wish"]}}}, "wish"),
        ({"chart": {**CHART, "where": {"tone": {"least": "a"}}}}, "a"),
        ({"chart": {**CHART, "where": {"days": {"least": "1"}}}}, "1"),
        ({"chart": {**CHART, "where": {"day": {"least": "July"}}}}, "July"),
        ({"chart": {**CHART, "measure": {"kind": "mean", "of": "tone"}}}, "tone"),
        ({"view": {**CHART, "by": "mood"}}, "mood"),
    ],
)
def test_strangers_are_unknown(response: dict[str, Any], stranger: str) -> None:
    assert unknown(ITEM_PUBLIC, DataAnalysisResponse.model_validate(response)) == stranger


@pytest.mark.parametrize(
    "response",
    [
        {"values": {"sum": 10}},
        {"values": {"sum": "1" * 41}},
        {"values": {f"v{n}": "" for n in range(13)}},
        {"chart": {**CHART, "type": "table"}},
        {"chart": {**CHART, "by": None}},
        {"chart": {**CHART, "sorted": 1}},
        {"chart": {**CHART, "where": {"days": {"least": True}}}},
        {"chart": {**CHART, "where": {"days": {"least": float("nan")}}}},
        {"chart": {**CHART, "where": {"days": {"most": float("inf")}}}},
        {"chart": {**CHART, "where": {"days": {"most": 10**400}}}},
        {"chart": {**CHART, "where": {"tone": []}}},
        {"chart": {**CHART, "measure": {"kind": "mode", "of": "days"}}},
        {"choice": ["best"]},
        {"extra": 1},
        None,
    ],
)
def test_what_the_exercise_can_not_produce_is_refused(response: Any) -> None:
    with pytest.raises(InvalidResponseError):
        judge(ITEM, response)


def test_arbitrary_values_are_judged_or_refused() -> None:
    dice = random.Random(20260731)
    leaves = [
        None, True, 0, -1, 2.5, 1e308, 10**400, float("nan"), float("inf"), "", "75", "best", "none", "tone", "wish",
        "days", "day", "2026-07-02", "bar", "pareto", "line", "table", "mean", "count", "‹", "{ref}", "\0", "9" * 40,
    ]  # fmt: skip
    names = [
        "values",
        "chart",
        "choice",
        "view",
        "share",
        "mean",
        "sum",
        *CHART,
        "least",
        "most",
        "kind",
        "of",
        "tone",
        "x",
    ]

    def value(depth: int) -> Any:
        roll = dice.random()
        if depth == 0 or roll < 0.45:
            return dice.choice(leaves)
        if roll < 0.6:
            return [value(depth - 1) for _ in range(dice.randrange(4))]
        return {dice.choice(names): value(depth - 1) for _ in range(dice.randrange(5))}

    def bent(data: Any) -> Any:
        """A perfect answer with arbitrary values here and there, which gets further than chaos does."""
        if dice.random() < 0.08:
            return value(2)
        if isinstance(data, dict):
            return {name: bent(part) for name, part in data.items()}
        return [bent(part) for part in data] if isinstance(data, list) else data

    judged = 0
    for turn in range(2000):
        try:
            result, _missing = judge(ITEM, bent(PERFECT) if turn % 2 else value(4))
        except InvalidResponseError:
            continue
        judged += 1
        assert 0 <= result.share <= 1
    assert judged > 100


# ── checks ───────────────────────────────────────────────────────────────────────────────────────


def broken(place: str, value: Any) -> list[tuple[str, str]]:
    """The rules that the item breaks, and where, once the place is changed; a place ends in ! to be taken out."""
    data = yaml.safe_load(yaml.safe_dump({"public": PUBLIC, "key": KEY}))
    *path, last = place.rstrip("!").split("/")
    here = data
    for part in path:
        here = here[int(part)] if part.isdigit() else here[part]
    if place.endswith("!"):
        del here[last]
    else:
        here[int(last) if last.isdigit() else last] = value
    public = DataAnalysisPublic.model_validate(data["public"])
    faults = check(public, DataAnalysisKey.model_validate(data["key"]))
    return [(fault.rule, "/".join(map(str, fault.path))) for fault in faults]


HEADER = "tone,days,day\n"


@pytest.mark.parametrize(
    ("place", "value", "rule", "where"),
    [
        ("public/columns/2/id", "days", "duplicate-id", "public/columns/2/id"),
        ("public/columns/0/values/1/id", "praise", "duplicate-id", "public/columns/0/values/1/id"),
        ("public/columns/0/values", [], "wrong-value", "public/columns/0/values"),
        ("public/questions/1/id", "share", "duplicate-id", "public/questions/1/id"),
        ("public/conclusions/1/id", "best", "duplicate-id", "public/conclusions/1/id"),
        ("public/conclusions/2/id", "sum", "duplicate-id", "public/conclusions/2/id"),
        ("public/table", "", "wrong-value", "public/table"),
        ("public/table", HEADER, "wrong-value", "public/table"),
        ("public/table", "tone,day,days\n", "wrong-value", "public/table"),
        ("public/table", HEADER + "wish,1\n", "wrong-value", "public/table"),
        ("public/table", HEADER + "wish,one,2026-07-01\n", "wrong-value", "public/table"),
        ("public/table", HEADER + "wish,nan,2026-07-01\n", "wrong-value", "public/table"),
        ("public/table", HEADER + "wish,1,1 July\n", "wrong-value", "public/table"),
        ("public/table", HEADER + "wish,1,2026-02-30\n", "wrong-value", "public/table"),
        ("public/table", HEADER + "blame,1,2026-07-01\n", "broken-link", "public/table"),
        ("public/table", HEADER + "wish,1,2026-07-01\n" * 401, "too-large", "public/table"),
        ("public/pair", ["days", "tone"], "broken-link", "public/pair"),
        ("key/values/sum!", None, "unscored-choice", "key/values"),
        ("key/values/total", {"value": 1}, "orphan-key", "key/values/total"),
        ("key/conclusions/half!", None, "unscored-choice", "key/conclusions"),
        ("key/conclusions/worst", 0, "orphan-key", "key/conclusions/worst"),
        ("key/conclusions/best", 0.9, "unscored-choice", "key/conclusions"),
        ("key/conclusions", {"best": 1, "half": 1, "none": 1}, "choice-without-effect", "key/conclusions"),
        ("key/red_lines", ["worst"], "broken-link", "key/red_lines/0"),
        ("key/red_lines", ["half"], "contradiction", "key/red_lines/0"),
        ("key/rationales/mean!", None, "missing-rationale", "key/rationales"),
        ("key/rationales/chart.type!", None, "missing-rationale", "key/rationales"),
        ("key/rationales/half/better!", None, "missing-better", "key/rationales/half"),
        ("key/rationales/chart.colour", {"why": TEXT}, "broken-link", "key/rationales/chart.colour"),
        ("key/chart", {}, "unscored-choice", "key/chart"),
        ("key/chart/by", "mood", "broken-link", "key/chart/by"),
        ("key/chart/where", {"tone": ["blame"]}, "broken-link", "key/chart/where"),
        ("key/chart/measure", {"kind": "sum", "of": "tone"}, "broken-link", "key/chart/measure/of"),
        ("key/chart/measure", MEAN, "contradiction", "key/chart/measure"),
        ("key/chart/sorted", False, "contradiction", "key/chart/sorted"),
    ],
)  # fmt: skip
def test_each_rule_finds_its_fault(place: str, value: Any, rule: str, where: str) -> None:
    assert (rule, where) in broken(place, value)


@pytest.mark.parametrize(
    ("how", "rule", "where"),
    [
        ({"kind": "sum", "of": "days"}, None, ""),
        ({"kind": "mean", "of": "days"}, "contradiction", "value"),  # 2.5, not 10
        ({"kind": "mean", "of": "days", "where": {"days": {"least": 9}}}, "contradiction", "compute"),  # of no row
        ({"kind": "sum", "of": "tone"}, "broken-link", "compute/of"),
        ({"kind": "sum"}, "broken-link", "compute/of"),
        ({"kind": "vital-few"}, "broken-link", "compute/of"),
        ({"kind": "kappa", "of": "days"}, "broken-link", "compute/against"),
        ({"kind": "count", "where": {"mood": ["low"]}}, "broken-link", "compute/where"),
        ({"kind": "share", "among": {"mood": ["low"]}}, "broken-link", "compute/among"),
    ],
)
def test_a_value_that_the_table_does_not_give_is_a_fault(how: dict[str, Any], rule: str | None, where: str) -> None:
    found = broken("key/values/sum/compute", how)
    assert found == ([(rule, f"key/values/sum/{where}")] if rule else [])


def test_a_fault_in_the_table_says_the_line() -> None:
    public = DataAnalysisPublic.model_validate({**PUBLIC, "table": HEADER + "wish,1,2026-07-01\nwish,x,2026-07-01"})
    assert any("line 3" in fault.message for fault in check(public, ITEM_KEY))


# ── the file beside the notebook ─────────────────────────────────────────────────────────────────


def test_the_file_opens_in_a_spreadsheet_in_each_language(feedback: Item) -> None:
    made = files(feedback.public)  # type: ignore[arg-type]
    assert set(made) == {".zh.csv", ".en.csv"}
    for ending, heading, first in (
        (".zh.csv", "主要原因", "设施与系统"),
        (".en.csv", "Main cause", "Facilities and systems"),
    ):
        assert made[ending].startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(made[ending].decode("utf-8-sig"))))
        assert len(rows) == 200
        assert rows[0][heading] == first


def test_rows_of_another_table_are_another_item() -> None:
    other = DataAnalysisPublic.model_validate({**PUBLIC, "table": PUBLIC["table"].replace("wish,6", "wish,7")})
    assert Item(HEAD, TYPE, other, ITEM_KEY).hash != ITEM.hash
    assert selected(other, {}) == selected(ITEM_PUBLIC, {})


def test_the_limits_of_the_view_are_those_of_the_model() -> None:
    from curriculum.items.data_analysis import model

    view = (Path(folder.__file__).parent / "view.js").read_text("utf-8")
    for line in (
        f"FEW = {model.MAX_VALUES}",
        f"FEW_DAYS = {model.MAX_DATES}",
        f"LONGEST = {model.MAX_TYPED}",
    ):
        assert f"const {line};" in view
