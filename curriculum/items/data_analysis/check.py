"""Faults of a data analysis that its schema can't see; above all key values that the table doesn't give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from curriculum.checks import Path, duplicate_ids, keyed, rationales, shares
from curriculum.items.data_analysis import compute
from curriculum.items.data_analysis.model import (
    CHART_REASONS,
    MAX_ROWS,
    MAX_VALUES,
    OWN_REASONS,
    ChartKey,
    DataAnalysisKey,
    DataAnalysisPublic,
    Measure,
    Question,
    ValueKey,
    is_day,
    is_within,
    number_text,
    stranger_in,
    worked_out,
)
from curriculum.model import Fault

PLAIN_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,4})?", re.ASCII)


def check(public: DataAnalysisPublic, key: DataAnalysisKey) -> Iterator[Fault]:
    questions = [question.id for question in public.questions]
    conclusions = [conclusion.id for conclusion in public.conclusions]
    yield from duplicate_ids(("public", "columns"), [column.id for column in public.columns], "column")
    yield from duplicate_ids(("public", "questions"), questions, "question")
    yield from duplicate_ids(("public", "conclusions"), conclusions, "conclusion")
    for i, name in enumerate(conclusions):
        if name in questions:
            where = ("public", "conclusions", i, "id")
            yield Fault("duplicate-id", where, f"“{name}” is a question as well; give each its own id")
    table = list(check_table(public))
    yield from table
    yield from check_key(public, key, questions, conclusions)
    if not table:
        yield from check_chart(public, key.chart)
        for question in public.questions:
            if question.id in key.values:
                yield from check_value(public, question, key.values[question.id])


def check_table(public: DataAnalysisPublic) -> Iterator[Fault]:
    place = ("public", "table")
    for i, column in enumerate(public.columns):
        yield from duplicate_ids(("public", "columns", i, "values"), [v.id for v in column.values], "value")
        if (column.kind == "category") != bool(column.values):
            message = f"column “{column.id}”: a category lists its `values`, and no other kind does"
            yield Fault("wrong-value", ("public", "columns", i, "values"), message)
    if not public.lines or public.lines[0] != [column.id for column in public.columns]:
        names = ",".join(column.id for column in public.columns)
        yield Fault("wrong-value", place, f"the first line of the table should name the columns: {names}")
        return
    if not 1 <= len(public.lines) - 1 <= MAX_ROWS:
        message = f"the table has {len(public.lines) - 1} rows; 1 to {MAX_ROWS} will do"
        yield Fault("too-large" if len(public.lines) > 1 else "wrong-value", place, message)
    for line, fields in enumerate(public.lines[1:], start=2):
        if len(fields) != len(public.columns):
            message = f"line {line} of the table has {len(fields)} fields and {len(public.columns)} columns; mend it"
            yield Fault("wrong-value", place, message)
            continue
        for column, field in zip(public.columns, fields, strict=True):
            if column.kind == "category" and field not in {value.id for value in column.values}:
                message = f"line {line}: column “{column.id}” has no value “{field}”; mend it or add it to `values`"
                yield Fault("broken-link", place, message)
            elif column.kind == "number" and not PLAIN_NUMBER.fullmatch(field):
                yield Fault("wrong-value", place, f"line {line}: “{field}” in column “{column.id}” is no number")
            elif column.kind == "date" and not is_day(field):
                message = f"line {line}: “{field}” in column “{column.id}” is no day; write it as 2026-07-01"
                yield Fault("wrong-value", place, message)
    for name in public.pair or ():
        pair = public.column(name)
        if pair is None or pair.kind != "number":
            yield Fault("broken-link", ("public", "pair"), f"there is no number column “{name}”; mend the id")


def check_key(
    public: DataAnalysisPublic, key: DataAnalysisKey, questions: Sequence[str], conclusions: Sequence[str]
) -> Iterator[Fault]:
    yield from keyed(("key", "values"), key.values, questions, "question", "value; add one")
    place = ("key", "conclusions")
    yield from shares(place, key.conclusions, ("key", "red_lines"), key.red_lines, conclusions, "conclusion")
    refs = [*questions, *conclusions, *(f"chart.{name}" for name in OWN_REASONS if name in key.chart.counts)]
    weaker = [name for name in conclusions if key.conclusions.get(name, 1) < 1]
    own = {name: why for name, why in key.rationales.items() if name not in CHART_REASONS}
    yield from rationales(own, refs, "part", weaker)
    if not key.chart.counts:
        yield Fault("unscored-choice", ("key", "chart"), "nothing of the chart counts; name at least its type")


def check_chart(public: DataAnalysisPublic, chart: ChartKey) -> Iterator[Fault]:
    place = ("key", "chart")
    by = public.column(chart.by) if chart.by else None
    if chart.by and (by is None or not public.groupable(by)):
        message = f"“{chart.by}” is no column that can be counted by; name one with at most {MAX_VALUES} values"
        yield Fault("broken-link", (*place, "by"), message)
    wrong = stranger_in(public, chart.where or {})
    if wrong is not None:
        yield Fault("broken-link", (*place, "where"), f"the table has no “{wrong}” there; mend it or take it out")
    if isinstance(chart.measure, Measure):
        yield from check_number(public, (*place, "measure", "of"), chart.measure.of)
    if "pareto" in (chart.type or ()):
        if chart.sorted is False:
            message = "a Pareto chart is sorted; say so, or take `sorted` out"
            yield Fault("contradiction", (*place, "sorted"), message)
        if isinstance(chart.measure, Measure) and chart.measure.kind != "sum":
            message = f"a Pareto chart adds up, and a {chart.measure.kind} doesn't; use count or sum"
            yield Fault("contradiction", (*place, "measure"), message)


def check_number(public: DataAnalysisPublic, place: Path, name: str | None) -> Iterator[Fault]:
    column = public.column(name or "")
    if column is None or column.kind != "number":
        yield Fault("broken-link", place, f"there is no number column “{name or ''}”; mend the id")


def check_value(public: DataAnalysisPublic, question: Question, value: ValueKey) -> Iterator[Fault]:
    how = value.compute
    if how is None:
        return
    place = ("key", "values", question.id)
    faults: list[Fault] = []
    for side, where in (("where", how.where), ("among", how.among)):
        wrong = stranger_in(public, where)
        if wrong is not None:
            message = f"the table has no “{wrong}” there; mend it or take it out"
            faults.append(Fault("broken-link", (*place, "compute", side), message))
    if how.kind in compute.NUMBERS or how.kind in compute.PAIRS:
        faults += check_number(public, (*place, "compute", "of"), how.of)
    if how.kind in compute.PAIRS:
        faults += check_number(public, (*place, "compute", "against"), how.against)
    if how.kind in ("top-share", "vital-few") and public.column(how.of or "") is None:
        message = f"there is no column “{how.of or ''}”; mend the id"
        faults.append(Fault("broken-link", (*place, "compute", "of"), message))
    yield from faults
    if faults:
        return
    found = worked_out(public, question, how)
    if found is None:
        message = "the table has no rows for this, so there is nothing to work out; mend `compute`"
        yield Fault("contradiction", (*place, "compute"), message)
    elif not is_within(found, value):
        message = f"the table gives {number_text(found)}, and the key says {number_text(value.value)}; make them agree"
        yield Fault("contradiction", (*place, "value"), message)
