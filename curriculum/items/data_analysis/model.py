"""Data analysis: take numbers from a table, choose a chart of it, and draw the conclusion."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from annotated_types import Ge, Interval, Len
from pydantic import Field, StrictBool, StringConstraints

from curriculum.items.data_analysis import compute
from curriculum.model import LANGUAGES, Choose, ItemId, Key, Model, Number, Public, Rationale, Response, Text
from curriculum.numbers import (
    COUNTERS,
    CURRENCY_BEFORE,
    CURRENCY_BEHIND,
    PERCENT_BEFORE,
    PERCENT_BEHIND,
    WHOLE,
    number_of,
    plain,
)

MAX_ROWS = 400
MAX_COLUMNS = 8
MAX_VALUES = 12
MAX_DATES = 31
MAX_QUESTIONS = 12
MAX_TYPED = 40
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"

Word = Annotated[str, StringConstraints(max_length=40)]
Cell = str | float
Row = Mapping[str, Cell]


class Bounds(Model):
    """From `least` to `most`, both included: numbers, or days written 2026-07-01."""

    least: Number | Word | None = None
    most: Number | Word | None = None


Where = Annotated[Mapping[Word, Annotated[tuple[Word, ...], Len(1, MAX_VALUES)] | Bounds], Len(0, MAX_COLUMNS)]
"""A choice of rows by column: one of these values, or within these bounds, in each column named."""


class Value(Model):
    id: ItemId
    label: Text


class Column(Model):
    """A column of the table. A category lists its values in their natural order."""

    id: ItemId
    label: Text
    kind: Literal["category", "number", "date"]
    values: Annotated[tuple[Value, ...], Len(0, MAX_VALUES)] = ()


class Question(Model):
    """A number to be found. With `percent`, 38.4, 38.4 % and 0.384 are the same answer."""

    id: ItemId
    text: Text
    percent: bool = False
    unit: Text | None = None


class Conclusion(Model):
    id: ItemId
    text: Text


class DataAnalysisPublic(Public):
    """`table` is CSV text: column ids in the first line, then ids of values, numbers and days.

    `record` is what one row is. `pair` names two number columns, such as two
    raters' marks; the tool then shows what their agreement is worked out from.
    """

    record: Text
    columns: Annotated[tuple[Column, ...], Len(2, MAX_COLUMNS)]
    table: Annotated[str, StringConstraints(max_length=60_000)]
    pair: tuple[ItemId, ItemId] | None = None
    questions: Annotated[tuple[Question, ...], Len(1, MAX_QUESTIONS)]
    chart: Text
    conclusion: Text
    conclusions: Annotated[tuple[Conclusion, ...], Len(3, 5)]

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.id == name), None)

    @cached_property
    def lines(self) -> list[list[str]]:
        """The fields of each line of the table, headings included. No field holds a comma or quotation marks."""
        return [[field.strip() for field in line.split(",")] for line in self.table.splitlines() if line.strip()]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        numbers = {column.id for column in self.columns if column.kind == "number"}
        header, *lines = self.lines
        return tuple(
            {name: float(field) if name in numbers else field for name, field in zip(header, line, strict=True)}
            for line in lines
        )

    def groupable(self, column: Column) -> bool:
        """Return whether the tool can count by this column: it has few enough values."""
        limit = {"category": MAX_VALUES, "number": MAX_VALUES, "date": MAX_DATES}[column.kind]
        return len({row[column.id] for row in self.rows}) <= limit


class Measure(Model):
    """What is shown of each group, in place of the number of its rows."""

    kind: Literal["sum", "mean", "median", "p90"]
    of: Word


class Compute(Model):
    """How a key value follows from the table, so that lint can work it out again.

    count: rows that `where` chooses; share: their part of the rows that `among`
    chooses. sum, mean, median, p90: of the number column `of`. top-share: part of
    the `top` largest groups of `of`; vital-few: how many groups of `of` make up
    80 %. exact, kappa, kappa-linear, kappa-quadratic: agreement of the number
    columns `of` and `against`. All within the rows that `where` chooses.
    """

    kind: Literal[
        "count", "share", "sum", "mean", "median", "p90", "top-share", "vital-few",
        "exact", "kappa", "kappa-linear", "kappa-quadratic",
    ]  # fmt: skip
    where: Where = Field(default_factory=dict)
    among: Where = Field(default_factory=dict)
    of: ItemId | None = None
    against: ItemId | None = None
    top: Annotated[int, Interval(ge=1, le=MAX_VALUES)] | None = None


class ValueKey(Model):
    """The number asked for; off by at most `within` is right. In percent where the question is."""

    value: Number
    within: Annotated[Number, Ge(0)] = 0
    compute: Compute | None = None
    weight: Annotated[int, Interval(ge=1, le=5)] = 1


ChartType = Literal["bar", "pareto", "line"]


class ChartKey(Model):
    """What the chart should be. Each property given here counts, all the same."""

    type: Annotated[tuple[ChartType, ...], Len(1, 2)] | None = None
    by: ItemId | None = None
    where: Where | None = None
    measure: Literal["count"] | Measure | None = None
    sorted: bool | None = None
    labelled: bool | None = None
    base: bool | None = None

    @property
    def counts(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]


OWN_REASONS = ("type", "by", "where", "measure")
CHART_REASONS = {
    "chart.sorted": Rationale(
        why=Text(
            zh="从多到少排好，一眼就看出先做哪一件；顺序本身有意义的（月份、分数），就按原来的顺序。",
            en="From most to least, the eye finds what to do first; where the order means something, as with "
            "months or marks, it stays.",
        )
    ),
    "chart.labelled": Rationale(
        why=Text(
            zh="两条轴都写明是什么、什么单位，别人拿到图才读得懂。",
            en="Only with both axes named, and their units, can somebody else read the chart.",
        )
    ),
    "chart.base": Rationale(
        why=Text(
            zh="百分比要带上基数：10 条里的 40% 和 400 条里的 40%，分量不一样。",
            en="A percentage needs its base: 40% of 10 does not weigh what 40% of 400 does.",
        )
    ),
}


class DataAnalysisKey(Key):
    """`conclusions` gives each a share from 0 to 1.

    `rationales` has one for each question, each conclusion, and each of
    chart.type, chart.by, chart.where and chart.measure that counts.
    """

    values: Mapping[ItemId, ValueKey]
    chart: ChartKey
    conclusions: Mapping[ItemId, Annotated[Number, Interval(ge=0, le=1)]]
    red_lines: tuple[ItemId, ...] = ()
    rationales: Mapping[str, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        if ref == "chart":
            ref = next((name for name in self.rationales if name.startswith("chart.")), ref)
        if ref == "conclusion":
            ref = max(self.conclusions, key=lambda name: self.conclusions[name])
        return self.rationales.get(ref) or CHART_REASONS.get(ref)


class View(Model):
    """What the tool shows: which rows, grouped by what, and how."""

    type: Literal["table"] | ChartType
    by: Word | None
    where: Where
    measure: Measure | None
    sorted: StrictBool
    labelled: StrictBool
    base: StrictBool


class Chart(View):
    """What the tool showed when the learner took it as the answer."""

    type: ChartType
    by: Word


class DataAnalysisResponse(Response):
    """Numbers as they were typed, the chart taken, the conclusion chosen, and how the tool stands."""

    values: Annotated[Mapping[Word, Annotated[str, StringConstraints(max_length=MAX_TYPED)]], Len(0, MAX_QUESTIONS)] = (
        Field(default_factory=dict)
    )
    chart: Chart | None = None
    choice: Word | None = None
    view: View | None = None


TYPED_NUMBER = re.compile(rf"(?P<sign>[+-]?)(?P<number>{WHOLE}(?:\.[0-9]+)?)(?P<percent>%?)")
PERCENT = re.compile(rf"({PERCENT_BEFORE})?(?P<rest>.*?)({PERCENT_BEHIND})?")
CURRENCY = re.compile(f"{CURRENCY_BEFORE}|{CURRENCY_BEHIND}")


def read_number(text: str) -> tuple[float, bool] | None:
    """Return a typed number, whatever blanks are in it, and whether it has a percent sign; None where it is none."""
    match = TYPED_NUMBER.fullmatch(plain(text).replace(" ", ""))
    if match is None:
        return None
    size = float(number_of(match["number"]))
    return -size if match["sign"] == "-" else size, bool(match["percent"])


def without_unit(public: DataAnalysisPublic, question: Question, text: str) -> str:
    """Return what was typed without the unit that the question asks for, if that stands beside the number.

    view.js has the same rules, so that learners see at once what can't be read.
    """
    typed = plain(text)
    if question.percent:
        match = PERCENT.fullmatch(typed)
        return f"{match['rest']}%" if match and match["rest"] != typed else typed
    own = [plain(words[language]) for words in (question.unit, public.record) if words for language in LANGUAGES]
    if any(CURRENCY.fullmatch(word) for word in own):
        return re.sub(f"^({CURRENCY_BEFORE})|({CURRENCY_BEHIND})$", "", typed)
    behind = "|".join([*map(re.escape, own), COUNTERS])
    return re.sub(f"(?<=[0-9 ])({behind})$", "", typed)


def readings(public: DataAnalysisPublic, question: Question, text: str) -> list[float] | None:
    """Return the numbers that `text` may stand for as an answer; None where it is no number."""
    read = read_number(without_unit(public, question, text))
    if read is None:
        return None
    number, sign = read
    if not question.percent:
        return [number / 100 if sign else number]
    return [number] if sign else [number, 100 * number]


def selected(public: DataAnalysisPublic, where: Where) -> list[int]:
    """Return the numbers of the rows that `where` chooses."""
    return [
        number
        for number, row in enumerate(public.rows)
        if all(meets(row[name], condition) for name, condition in where.items())
    ]


def meets(cell: Cell, condition: Sequence[str] | Bounds) -> bool:
    if not isinstance(condition, Bounds):
        return word(cell) in condition
    # Bounds are of the column's own kind, see stranger_in.
    least, most = condition.least, condition.most
    return (least is None or in_order(least, cell)) and (most is None or in_order(cell, most))


def in_order(a: Cell, b: Cell) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a <= b
    return str(a) <= str(b)


def word(cell: Cell) -> str:
    """Return a cell as it is named in a condition."""
    return number_text(cell) if isinstance(cell, float) else cell


def stranger_in(public: DataAnalysisPublic, where: Where) -> str | None:
    """Return the first column, value or bound of `where` that the table can't have, or None."""
    for name, condition in where.items():
        column = public.column(name)
        if column is None:
            return name
        if isinstance(condition, Bounds):
            for bound in (condition.least, condition.most):
                if bound is not None and not fits_kind(column, bound):
                    return str(bound)
            continue
        known = {word(row[name]) for row in public.rows} | {value.id for value in column.values}
        for value in condition:
            if value not in known or condition.count(value) > 1:
                return value
    return None


def fits_kind(column: Column, cell: Cell) -> bool:
    if column.kind == "number":
        return isinstance(cell, float)
    return column.kind == "date" and isinstance(cell, str) and is_day(cell)


def is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def number_text(number: float) -> str:
    """Return a number without exponent and without idle zeros, as JavaScript writes it too."""
    return f"{number:.4f}".rstrip("0").rstrip(".")


def worked_out(public: DataAnalysisPublic, question: Question, how: Compute) -> float | None:
    """Return what the table gives for a question, or None where that is not defined."""
    rows = [public.rows[i] for i in selected(public, how.where)]
    result: float | None
    if how.kind == "count":
        return len(rows)
    if how.kind == "share":
        whole = set(selected(public, how.among))
        part = whole.intersection(selected(public, how.where))
        result = len(part) / len(whole) if whole else None
    elif how.kind in compute.PAIRS:
        pairs = [(number(row, how.of), number(row, how.against)) for row in rows]
        result = compute.PAIRS[how.kind](pairs)
    elif how.kind in compute.NUMBERS:
        return compute.NUMBERS[how.kind]([number(row, how.of) for row in rows])
    elif how.kind == "vital-few":
        return compute.vital_few([row[str(how.of)] for row in rows])
    else:
        result = compute.top_share([row[str(how.of)] for row in rows], how.top or 1)
    return 100 * result if result is not None and question.percent else result


def number(row: Row, name: str | None) -> float:
    return float(row[str(name)])


def is_within(given: float, key: ValueKey) -> bool:
    return abs(given - key.value) <= key.within + 1e-9


def unknown(public: DataAnalysisPublic, response: DataAnalysisResponse) -> str | None:
    questions = {question.id for question in public.questions}
    stranger = next((name for name in response.values if name not in questions), None)
    if stranger is None and response.choice not in {None, *(conclusion.id for conclusion in public.conclusions)}:
        stranger = response.choice
    for view in (response.chart, response.view):
        if stranger is None and view is not None:
            stranger = unknown_in_view(public, view)
    return stranger


def unknown_in_view(public: DataAnalysisPublic, view: View) -> str | None:
    if view.by is not None:
        by = public.column(view.by)
        if by is None or not public.groupable(by):
            return view.by
    if view.measure is not None:
        of = public.column(view.measure.of)
        if of is None or of.kind != "number":
            return view.measure.of
    return stranger_in(public, view.where)


def missing(public: DataAnalysisPublic, response: DataAnalysisResponse) -> Text | None:
    zh, en = list[str](), list[str]()
    typed = {name: text for name, text in response.values.items() if text.strip()}
    blank = len(public.questions) - len(typed)
    if blank:
        zh.append(f"{blank} 个数")
        en.append("one number" if blank == 1 else f"{blank} numbers")
    for question in public.questions:
        text = typed.get(question.id)
        if text is not None and readings(public, question, text) is None:
            zh.append(f"“{text}”读不成一个数")
            en.append(f"“{text}” can't be read as a number")
    if response.chart is None:
        zh.append("图")
        en.append("the chart")
    if response.choice is None:
        zh.append("结论")
        en.append("the conclusion")
    return Text(zh=f"还差：{'、'.join(zh)}。", en=f"Still open: {', '.join(en)}.") if zh else None


def release(public: DataAnalysisPublic) -> DataAnalysisPublic:
    return public.model_copy(update={"conclusions": tuple(sorted(public.conclusions, key=lambda c: c.id))})


PARTS = {
    "chart": Text(zh="图", en="Chart"),
    "conclusion": Text(zh="结论", en="Conclusion"),
    "chart.type": Text(zh="图形", en="type"),
    "chart.by": Text(zh="分组", en="grouped by"),
    "chart.where": Text(zh="范围", en="records"),
    "chart.measure": Text(zh="数值", en="measure"),
    "chart.sorted": Text(zh="排序", en="order"),
    "chart.labelled": Text(zh="轴标题", en="axes"),
    "chart.base": Text(zh="基数", en="base"),
}


def labels(public: DataAnalysisPublic, key: DataAnalysisKey) -> dict[str, Text]:
    questions = {question.id: question.text for question in public.questions}
    return PARTS | questions | {conclusion.id: conclusion.text for conclusion in public.conclusions}


TYPES: dict[str, Text] = {
    "bar": Text(zh="条形图", en="bar chart"),
    "pareto": Text(zh="帕累托图", en="Pareto chart"),
    "line": Text(zh="折线图", en="line chart"),
}
NO, YES = Text(zh="不要", en="without"), Text(zh="要", en="with")
ALL_ROWS = Text(zh="全部记录", en="all records")


def play(public: DataAnalysisPublic, key: DataAnalysisKey, choose: Choose) -> dict[str, Any]:
    """Anybody can count by each column and then try one of these numbers."""
    wanted = key.chart
    columns = [column for column in public.columns if public.groupable(column)]
    names = [column.id for column in columns]
    counts = [n for column in columns for n in Counter(row[column.id] for row in public.rows).values()]
    numbers = [Text(zh=str(n), en=str(n)) for n in dict.fromkeys((*counts, len(public.rows)))]

    def typed(question: str) -> str:
        at = choose(numbers, len(numbers))
        return str(key.values[question].value) if at == len(numbers) else numbers[at].en

    values = {question.id: typed(question.id) for question in public.questions}
    chart_type = list(TYPES)[choose(list(TYPES.values()), list(TYPES).index((wanted.type or ("bar",))[0]))]
    by = columns[choose([column.label for column in columns], names.index(wanted.by) if wanted.by in names else 0)]
    filters: list[tuple[dict[str, list[str]], Text]] = [({}, ALL_ROWS)]
    filters += [
        ({c.id: [v.id]}, v.label) for c in columns for v in c.values if any(r[c.id] == v.id for r in public.rows)
    ]
    at = choose([label for _where, label in filters], len(filters))
    where = (wanted.where or {}) if at == len(filters) else filters[at][0]
    chart: dict[str, Any] = {"type": chart_type, "by": by.id, "where": where, "measure": None}
    if choose([NO, YES], 1) and isinstance(wanted.measure, Model):
        chart["measure"] = wanted.measure.model_dump()
    chart |= {
        name: bool(choose([NO, YES], int(bool(getattr(wanted, name))))) for name in ("sorted", "labelled", "base")
    }
    shares = [key.conclusions[conclusion.id] for conclusion in public.conclusions]
    at = choose([conclusion.text for conclusion in public.conclusions], shares.index(max(shares)))
    choice = public.conclusions[at].id
    return {"values": values, "chart": chart, "choice": choice, "view": None}


def files(public: DataAnalysisPublic) -> dict[str, bytes]:
    """The table for a spreadsheet, in each language; Excel takes UTF-8 for what it is by the mark in front."""
    tables: dict[str, bytes] = {}
    for language in LANGUAGES:
        text = io.StringIO()
        names = {(c.id, value.id): value.label[language] for c in public.columns for value in c.values}
        writer = csv.writer(text)
        writer.writerow([column.label[language] for column in public.columns])
        for line in public.lines[1:]:
            cells = zip(public.columns, line, strict=True)
            writer.writerow([names.get((column.id, field), field) for column, field in cells])
        tables[f".{language}.csv"] = (BOM + text.getvalue()).encode()
    return tables
