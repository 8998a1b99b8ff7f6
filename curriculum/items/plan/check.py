"""Faults of a planning form that its schema can't see."""

from __future__ import annotations

from collections.abc import Iterator

from curriculum.checks import Path, broken_links, duplicate_ids, rationales, repeated
from curriculum.items.plan.model import (
    Count,
    Different,
    Fits,
    PlanKey,
    PlanPublic,
    PlanResponse,
    Test,
    all_tests,
    missing,
    spoken_of,
)
from curriculum.items.plan.standing import Board
from curriculum.model import Fault, joined


def check(public: PlanPublic, key: PlanKey) -> Iterator[Fault]:
    faults = [*check_rows(public), *check_tests(public, key), *check_key(public, key)]
    yield from faults
    # A plan can be held against the tests only when every id in both of them leads somewhere.
    if not faults:
        yield from check_model(public, key)


def check_rows(public: PlanPublic) -> Iterator[Fault]:
    here: Path = ("public",)
    yield from duplicate_ids((*here, "rows"), [row.id for row in public.rows], "row")
    # A count names a column or a field by its id alone.
    names = [column.id for column in public.columns] + [field.id for field in public.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(
            "duplicate-id", (*here, "fields"), f"“{name}” is used twice for a column or field; give each its own"
        )
    for i, column in enumerate(public.columns):
        yield from duplicate_ids((*here, "columns", i, "values"), [value.id for value in column.values], "value")
    for i, field in enumerate(public.fields):
        yield from duplicate_ids((*here, "fields", i, "options"), [option.id for option in field.options], "option")
        if all(option.skips for option in field.options):
            message = f"every option of “{field.id}” leaves the row out; let at least one plan it"
            yield Fault("contradiction", (*here, "fields", i, "options"), message)
    values = {column.id: [value.id for value in column.values] for column in public.columns}
    for i, row in enumerate(public.rows):
        where = (*here, "rows", i, "facts")
        yield from broken_links(where, row.facts, values, "column")
        for name, fact in row.facts.items():
            if values.get(name) and fact not in values[name]:
                message = f"“{name}” of “{row.id}” should be one of {', '.join(values[name])}"
                yield Fault("wrong-value", (*where, name), message)
            elif name in values and not values[name] and isinstance(fact, str):
                message = f"“{name}” of “{row.id}” should be a text in both languages or a number"
                yield Fault("wrong-value", (*where, name), message)


def places(public: PlanPublic, key: PlanKey) -> dict[str, tuple[Path, Test]]:
    """Return where each test stands, and the test."""
    shown: dict[str, tuple[Path, Test]] = {
        constraint.id: (("public", "constraints", i, "shown"), constraint.shown)
        for i, constraint in enumerate(public.constraints)
        if constraint.shown
    }
    return {**{name: (("key", "tests", name), test) for name, test in key.tests.items()}, **shown}


def check_tests(public: PlanPublic, key: PlanKey) -> Iterator[Fault]:
    ids = [constraint.id for constraint in public.constraints]
    yield from duplicate_ids(("public", "constraints"), ids, "constraint")
    yield from broken_links(("key", "tests"), key.tests, ids, "constraint")
    by_name = all_tests(public, key)
    for i, constraint in enumerate(public.constraints):
        if constraint.id not in by_name:
            message = f"nothing tests “{constraint.id}”; give it a test in the key, or `shown` here"
            yield Fault("unscored-choice", ("public", "constraints", i), message)
        if constraint.shown and constraint.id in key.tests:
            message = f"“{constraint.id}” has a test here and another in the key; keep one"
            yield Fault("contradiction", ("public", "constraints", i, "shown"), message)
        if constraint.level == "red" and getattr(by_name.get(constraint.id), "at_least", None):
            message = f"“{constraint.id}” asks for a least number, so an unfinished plan would cross it; make it hard"
            yield Fault("contradiction", ("public", "constraints", i, "level"), message)
    for where, test in places(public, key).values():
        yield from check_test(public, where, test)
    used = {name for test in by_name.values() for name in (test.field, getattr(test, "amount", None))}
    for i, field in enumerate(public.fields):
        if field.id not in used:
            message = f"no constraint speaks of “{field.id}”, so any option is as good; add one or take the field out"
            yield Fault("choice-without-effect", ("public", "fields", i), message)


def check_test(public: PlanPublic, where: Path, test: Test) -> Iterator[Fault]:
    rows = [row.id for row in public.rows]
    field = public.field(test.field)
    if field is None:
        yield Fault("broken-link", (*where, "field"), f"there is no field “{test.field}”; mend the id")
        return
    options = [option.id for option in field.options]
    yield from broken_links((*where, "rows"), test.rows, rows, "row")
    match test:
        case Fits():
            for row, fitting in test.rows.items():
                yield from broken_links((*where, "rows", row), fitting, options, "option")
            return
        case Different():
            yield from repeated((*where, "rows"), test.rows)
            return
        case _:
            yield from broken_links((*where, "options"), test.options, options, "option")
    values = {column.id: [value.id for value in column.values] for column in public.columns}
    yield from broken_links((*where, "where"), test.where, values, "column")
    for column, chosen in test.where.items():
        yield from broken_links((*where, "where", column), chosen, values.get(column, chosen), "value")
    if not spoken_of(public, test):
        yield Fault("choice-without-effect", where, "this test speaks of no row; mend `rows` or `where`")
    if isinstance(test, Count):
        yield from check_count(public, where, test)


def check_count(public: PlanPublic, where: Path, test: Count) -> Iterator[Fault]:
    if test.at_least is None and test.at_most is None:
        yield Fault("choice-without-effect", where, "a count needs `at_least` or `at_most`; add one")
    elif test.at_most is not None and (test.at_least or 0) > test.at_most:
        yield Fault("contradiction", where, "`at_least` is more than `at_most`; make them agree")
    if test.amount is None:
        return
    field = public.field(test.amount)
    if field is not None:
        if all(option.amount is None for option in field.options):
            message = f"no option of “{test.amount}” has an `amount` to add up; give them some"
            yield Fault("wrong-value", (*where, "amount"), message)
        return
    if all(column.id != test.amount for column in public.columns):
        yield Fault("broken-link", (*where, "amount"), f"there is no column or field “{test.amount}”; mend the id")
        return
    for name in spoken_of(public, test):
        row = public.row(name)
        if row is None or not isinstance(row.facts.get(test.amount), float):
            message = f"“{test.amount}” of “{name}” should be a number, because it is added up; write one"
            yield Fault("wrong-value", (*where, "amount"), message)


def check_key(public: PlanPublic, key: PlanKey) -> Iterator[Fault]:
    ids = [constraint.id for constraint in public.constraints]
    yield from rationales(key.rationales, ids, "constraint", ids)
    yield from broken_links(("key", "weights"), key.weights, ids, "constraint")
    yield from broken_links(("key", "model"), key.model, [row.id for row in public.rows], "row")
    for row, chosen in key.model.items():
        here = ("key", "model", row)
        yield from broken_links(here, chosen, [field.id for field in public.fields], "field")
        for name, option in chosen.items():
            field = public.field(name)
            if field is not None and field.option(option) is None:
                message = f"there is no option “{option}”; mend the id or take it out"
                yield Fault("broken-link", (*here, name), message)
    left = missing(public, PlanResponse(plan=key.model))
    if left is not None:
        yield Fault("incomplete-model", ("key", "model"), f"the model plan is not whole. {left.en}")


def check_model(public: PlanPublic, key: PlanKey) -> Iterator[Fault]:
    board = Board(public, key.model)
    for name, test in all_tests(public, key).items():
        breaks = board.stands(test).breaks
        if breaks:
            message = f"the model plan breaks “{name}”: {joined(breaks).en}; mend one of the two"
            yield Fault("model-answer", ("key", "model"), message)
