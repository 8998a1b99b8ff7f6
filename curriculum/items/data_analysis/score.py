"""Credit for a data analysis: the numbers half, the chart a fifth, the conclusion the rest.

Of 100, values 50: each question's weight over all weights, for a number within
the key's tolerance. Chart 20: each property that the key names, in equal parts.
Conclusion 30: its share, 0 to 1. A conclusion that crosses a red line earns
nothing, caps the whole at `RED_LINE_CAP` and raises a flag. Source: S-DATA of
the handbook's assessment design, values .5, plot properties .2, conclusion .3.
"""

from __future__ import annotations

from curriculum.items.data_analysis.model import (
    ALL_ROWS,
    TYPES,
    Bounds,
    Chart,
    ChartKey,
    DataAnalysisKey,
    DataAnalysisPublic,
    DataAnalysisResponse,
    Measure,
    Question,
    ValueKey,
    Where,
    is_within,
    number_text,
    readings,
    selected,
)
from curriculum.model import Evidence, Score, Text, joined

POSSIBLE = 100
VALUES, CHART, CONCLUSION = 50, 20, 30
RED_LINE_CAP = 0.4

WORDS = {
    "value-right": Text(zh="{ref}你填 {given}，对。", en="{ref} You gave {given}, which is right."),
    "value-wrong": Text(zh="{ref}你填 {given}，应为 {value}。", en="{ref} You gave {given}; it is {value}."),
    "value-unreadable": Text(
        zh="{ref}“{given}”读不成一个数；应为 {value}。",
        en="{ref} “{given}” can't be read as a number; it is {value}.",
    ),
    "value-blank": Text(zh="{ref}没有填；应为 {value}。", en="{ref} Nothing was given; it is {value}."),
    "chart-right": Text(zh="图的{ref}：{given}。", en="Your chart, {ref}: {given}."),
    "chart-wrong": Text(
        zh="图的{ref}：{given}；更合适的是：{wanted}。", en="Your chart, {ref}: {given}. Better: {wanted}."
    ),
    "chart-none": Text(zh="没有选定一张图。", en="No chart was taken as the answer."),
    "conclusion-best": Text(zh="结论：{ref}", en="Conclusion: {ref}"),
    "conclusion-weaker": Text(zh="结论：{ref}", en="Conclusion: {ref}"),
    "conclusion-none": Text(zh="没有选结论。", en="No conclusion was chosen."),
    "red-line": Text(
        zh="触及红线：“{ref}”。其余做得再好，本题最多得 {cap}%。",
        en="A red line was crossed: “{ref}”. However good the rest is, the exercise then earns at most {cap} %.",
    ),
}


def score(public: DataAnalysisPublic, key: DataAnalysisKey, response: DataAnalysisResponse) -> Score:
    weights = sum(value.weight for value in key.values.values())
    evidence = [
        value_evidence(public, question, key.values[question.id], response.values.get(question.id, ""), weights)
        for question in public.questions
    ]
    evidence += chart_evidence(public, key.chart, response.chart)
    evidence.append(conclusion_evidence(key, response.choice))
    earned = min(float(POSSIBLE), sum(e.earned for e in evidence))
    flags: tuple[str, ...] = ()
    if response.choice is not None and response.choice in key.red_lines:
        flags = ("red-line",)
        cap = RED_LINE_CAP * POSSIBLE
        evidence.append(
            Evidence("red-line", response.choice, False, min(0.0, cap - earned), values={"cap": 100 * RED_LINE_CAP})
        )
        earned = min(earned, cap)
    return Score(earned, POSSIBLE, flags, tuple(evidence))


def value_evidence(public: DataAnalysisPublic, question: Question, key: ValueKey, text: str, weights: int) -> Evidence:
    given, wanted = text.strip(), number_text(key.value) + ("%" if question.percent else "")
    if not given:
        return Evidence("value-blank", question.id, False, 0, values={"value": wanted})
    numbers = readings(public, question, given)
    if numbers is None:
        return Evidence("value-unreadable", question.id, False, 0, values={"given": given, "value": wanted})
    if any(is_within(number, key) for number in numbers):
        return Evidence("value-right", question.id, True, VALUES * key.weight / weights, values={"given": given})
    return Evidence("value-wrong", question.id, False, 0, values={"given": given, "value": wanted})


def chart_evidence(public: DataAnalysisPublic, key: ChartKey, chart: Chart | None) -> list[Evidence]:
    if chart is None:
        return [Evidence("chart-none", "chart", False, 0)]
    found: list[Evidence] = []
    for name in key.counts:
        good = fits(public, key, chart, name)
        shown = {"given": shown_property(public, chart, name)}
        if good:
            found.append(Evidence("chart-right", f"chart.{name}", True, CHART / len(key.counts), values=shown))
        else:
            shown["wanted"] = wanted_property(public, key, name)
            found.append(Evidence("chart-wrong", f"chart.{name}", False, 0, values=shown))
    return found


def fits(public: DataAnalysisPublic, key: ChartKey, chart: Chart, name: str) -> bool:
    """Return whether one property of the chart is as the key has it."""
    match name:
        case "type":
            return chart.type in (key.type or ())
        case "where":
            # Different conditions may choose the same rows.
            return selected(public, chart.where) == selected(public, key.where or {})
        case "measure":
            return (chart.measure or "count") == key.measure
        case "sorted":
            return is_sorted(chart) == key.sorted
    return bool(getattr(chart, name) == getattr(key, name))


def is_sorted(chart: Chart) -> bool:
    return chart.sorted or chart.type == "pareto"


def conclusion_evidence(key: DataAnalysisKey, choice: str | None) -> Evidence:
    if choice is None:
        return Evidence("conclusion-none", "conclusion", False, 0)
    share = key.conclusions[choice]
    return Evidence("conclusion-best" if share == 1 else "conclusion-weaker", choice, share == 1, CONCLUSION * share)


def shown_property(public: DataAnalysisPublic, chart: Chart, name: str) -> Text:
    if name == "type":
        return TYPES[chart.type]
    if name == "sorted":
        return shown(public, name, is_sorted(chart))
    return shown(public, name, getattr(chart, name))


def wanted_property(public: DataAnalysisPublic, key: ChartKey, name: str) -> Text:
    if name == "type":
        return joined([TYPES[kind] for kind in key.type or ()], zh="或", en=" or ")
    return shown(public, name, getattr(key, name))


SHOWN = {
    "sorted": {
        True: Text(zh="从多到少", en="from most to least"),
        False: Text(zh="按原来的顺序", en="as in the table"),
    },
    "labelled": {True: Text(zh="写了", en="labelled"), False: Text(zh="没写", en="not labelled")},
    "base": {True: Text(zh="标了", en="stated"), False: Text(zh="没标", en="not stated")},
}
MEASURES = {
    "sum": Text(zh="合计", en="sum"),
    "mean": Text(zh="平均", en="mean"),
    "median": Text(zh="中位数", en="median"),
    "p90": Text(zh="第 90 百分位", en="90th percentile"),
}


def shown(public: DataAnalysisPublic, name: str, value: object) -> Text:
    """Return a property of a chart in words."""
    match value:
        case bool():
            return SHOWN[name][value]
        case str() if name == "by":
            return column_label(public, value)
        case Measure():
            return joined([column_label(public, value.of), MEASURES[value.kind]], zh="，", en=", ")
        case dict():
            return where_in_words(public, value)
    return Text(zh="记录数", en="number of records")


def column_label(public: DataAnalysisPublic, name: str) -> Text:
    column = public.column(name)
    return column.label if column else Text(zh=name, en=name)


def where_in_words(public: DataAnalysisPublic, where: Where) -> Text:
    parts: list[Text] = []
    for name, condition in where.items():
        if isinstance(condition, Bounds):
            bounds = [("≥", condition.least), ("≤", condition.most)]
            texts = [
                f"{sign} {number_text(bound) if isinstance(bound, float) else bound}"
                for sign, bound in bounds
                if bound is not None
            ]
            values = joined([Text(zh=text, en=text) for text in texts or ["–"]], zh="，", en=", ")
        else:
            column = public.column(name)
            names = {value.id: value.label for value in column.values} if column else {}
            values = joined([names.get(value, Text(zh=value, en=value)) for value in condition], zh="、", en=", ")
        label = column_label(public, name)
        parts.append(Text(zh=f"{label.zh}：{values.zh}", en=f"{label.en}: {values.en}"))
    return joined(parts, zh="；", en="; ") if parts else ALL_ROWS
