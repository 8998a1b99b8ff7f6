"""What must hold of the whole course: every point, every exercise, 100 points a chapter, figures recomputed."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from statistics import fmean
from typing import Any

import pytest
from items.data_e5_3_2 import table as voices_table
from items.data_e5_3_4 import table as raters_table

from autograde.place import ROOT
from curriculum.items.numeric.model import NumericKey
from curriculum.lint.coverage import coverage
from curriculum.load import CONTENT, Course
from curriculum.model import LANGUAGES

# Kinds of exercise by section, in the order of their numbers, as the handbook's exercises were designed.
# Of 2.2, multi_select is ours.
KINDS = {
    "1.1": "classification rating classification",
    "1.2": "classification plan violations",
    "2.1": "dialogue violations best_worst",
    "2.2": "rating dialogue free_text numeric multi_select",
    "2.3": "dialogue classification rating best_worst",
    "2.4": "classification plan violations dialogue",
    "3.1": "ordering dialogue violations reflection",
    "3.2": "free_text dialogue ordering best_worst",
    "3.3": "triage dialogue dialogue free_text",
    "3.4": "plan data_analysis best_worst classification",
    "4.1": "violations numeric classification dialogue",
    "4.2": "classification dialogue free_text plan",
    "4.3": "ordering dialogue triage free_text",
    "5.1": "ordering plan rating",
    "5.2": "classification dialogue best_worst",
    "5.3": "plan data_analysis rating data_analysis",
    "6.1": "classification rating",
    "6.2": "rating reflection",
}
RED_LINES = (
    "2.1-2 2.2-1 2.2-4 2.3-4 2.4-1 2.4-4 3.2-1 3.2-4 3.3-2 3.4-1 3.4-3 4.1-1 4.1-2 4.1-3 4.2-1 4.2-2 4.3-2 4.3-4 5.2-3"
)


def test_every_section_and_every_exercise_is_there(whole_course: Course) -> None:
    sections = {section.plan.id: section for chapter in whole_course.chapters for section in chapter.sections}
    assert list(sections) == list(KINDS)
    for name, kinds in KINDS.items():
        ids = [f"e{name.replace('.', '-')}-{number}" for number in range(1, len(kinds.split()) + 1)]
        assert list(sections[name].plan.items) == ids
        assert " ".join(whole_course.items[one].kind.name for one in ids) == kinds


def test_every_point_is_taught_exercised_and_where_it_can_be_done_done(whole_course: Course) -> None:
    points = coverage(whole_course)
    assert len(points) == 234
    assert [one.point for one in points if not one.taught] == []
    assert [one.point for one in points if not one.exercised] == []
    doing = {item.id for item in whole_course.items.values() if item.kind.name not in ("classification", "rating")}
    assert len(whole_course.action_points) == 171  # the outline counts so many of kinds B, S and V
    assert [
        one.point for one in points if one.point in whole_course.action_points and not doing & set(one.exercised)
    ] == []


def test_each_chapter_is_worth_100_points(whole_course: Course) -> None:
    assert {chapter.id: sum(chapter.points.values()) for chapter in whole_course.chapters} == {
        f"ch{number}": 100 for number in range(1, 7)
    }


def test_each_section_has_practice_and_all_three_sectors_appear(whole_course: Course) -> None:
    for chapter in whole_course.chapters:
        for section in chapter.sections:
            assert 2 <= sum(item.head.practice for item in section.items) <= 4, section.plan.id
        assert {"bank", "securities", "insurance"} & {item.head.sector for item in chapter.items}
    sectors = [item.head.sector for item in whole_course.items.values()]
    assert min(sectors.count(sector) for sector in ("bank", "securities", "insurance")) >= 10  # type: ignore[arg-type]


def test_red_lines_are_where_they_belong(whole_course: Course) -> None:
    def marked(data: object) -> Iterator[bool]:
        if isinstance(data, dict):
            for name, value in data.items():
                yield name == "red_lines" and bool(value)
                yield name in ("red_line", "level") and value in (True, "red")
                yield from marked(value)
        elif isinstance(data, (list, tuple)):
            for value in data:
                yield from marked(value)

    wanted = {f"e{name.replace('.', '-')}" for name in RED_LINES.split()}
    graded = {name: whole_course.items[name] for chapter in whole_course.chapters for name in chapter.points}
    found = {
        name
        for name, item in graded.items()
        if any(marked([item.key.model_dump(mode="json"), item.public.model_dump(mode="json")]))
    }
    assert wanted <= found


# Beyond the exercises above: what the twelve red lines of the pass rules name, done in plain sight.
ONE_OF_TWELVE = {
    "e5-2-2": {"afterwards.warn-group"},  # discloses data without basis
    "e6-1-2": {
        "an-bottom",  # promises a return: “you can't go wrong”
        "fei-card",  # redress in exchange for silence
        "ji-test",  # fills in the risk test
        "ning-recording",  # discloses data without basis
        "qiu-figure",  # promises a return: “they always get there”
    },
}


def test_what_is_done_in_plain_sight_against_the_twelve_is_a_red_line(whole_course: Course) -> None:
    for name, choices in ONE_OF_TWELVE.items():
        assert set(whole_course.items[name].key.model_dump()["red_lines"]) == choices


def test_a_talk_says_who_speaks_when_it_is_not_the_customer(whole_course: Course) -> None:
    nodes = {node["id"]: node for node in whole_course.items["e5-2-2"].public.model_dump()["nodes"]}
    trainer = {name for name, node in nodes.items() if node["speaker"] and node["speaker"]["en"] == "Shi, the trainer"}
    assert trainer == {
        *("briefing", "asks-player", "reads-sheet", "afterwards"),
        *("ends-well", "ends-empty", "ends-alone", "broken-off"),
    }
    assert all(nodes[name]["speaker"] is None for name in ("slams-card", "points-finger", "wants-pledge"))


# Silent reading of plain text: 238 English words a minute (Brysbaert 2019), about 300 Chinese characters.
PER_MINUTE = {"zh": (r"[\u4e00-\u9fff]", 300), "en": (r"[A-Za-z’']+", 238)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lesson_takes_six_to_ten_minutes(language: str) -> None:
    unit, speed = PER_MINUTE[language]
    minutes = {}
    for path in CONTENT.glob(f"chapters/*/*.{language}.md"):
        text = re.sub(r"\{\{[^}]*\}\}|!\[[^\]]*\]\([^)]*\)", "", path.read_text("utf-8"))
        minutes[path.name] = len(re.findall(unit, text)) / speed
    assert len(minutes) == 18
    assert {name: round(took, 1) for name, took in minutes.items() if not 6 <= took <= 10.5} == {}


def test_every_lesson_opens_with_a_situation_and_has_its_parts() -> None:
    for path in CONTENT.glob("chapters/*/*.md"):
        text = path.read_text("utf-8")
        assert re.match(r"# \d\.\d \S.*\n\n[^#{!|>]", text), path.name
        assert len(re.findall(r"!\[[^\]]{20,}\]\(img/[\w-]+\.(?:zh|en)\.svg\)", text)) >= 1, path.name
        boxes = ("## 规则现状", "## Where the rules stand")
        takes = ("## 带走三件事", "## Three things to take along")
        assert any(box in text for box in boxes), path.name
        assert any(take in text for take in takes), path.name
        assert "{{ term G" in text, path.name
        names = re.findall(r"\{\{ rule (F-[\w-]+) \}\}", text)
        assert names, path.name


def test_what_is_not_sure_says_check_with_compliance(whole_course: Course) -> None:
    unsure = {name for name, rule in whole_course.rules.items() if rule.status in ("S", "U")}
    assert unsure
    for path in CONTENT.glob("chapters/*/*.md"):
        text = path.read_text("utf-8")
        for paragraph in text.split("\n\n"):
            if unsure.intersection(re.findall(r"\{\{ rule (F-[\w-]+) \}\}", paragraph)):
                assert re.search(r"合规|compliance", paragraph), f"{path.name}: {paragraph[:80]}"


def yearly(payments: list[float]) -> float:
    """Return the effective yearly rate in per cent at which payments at the start of each year are worth nothing."""
    low, high = -0.5, 0.5
    for _halving in range(100):
        rate = (low + high) / 2
        # What comes back last weighs less the higher the rate is.
        worth = sum(payment / (1 + rate) ** year for year, payment in enumerate(payments))
        low, high = (rate, high) if worth > 0 else (low, rate)
    return 100 * low


def due(received: date, days: int, *holidays: date) -> date:
    """Return the last day: calendar days, the first not counted; off a statutory holiday to the next day."""
    last = received + timedelta(days)
    while last in holidays:
        last += timedelta(1)
    return last


def policy(comes_back: float) -> float:
    return yearly([-10_000] * 5 + [0] * 5 + [comes_back])


NOVEMBER = date(2026, 11, 9)
# Worked out here from the exercise's own data, by formulas that the exercises don't share.
FIGURES: dict[str, dict[str, Callable[[], float]]] = {
    "e4-1-2": {
        "guaranteed-yearly": lambda: policy(48_900),
        "illustrated-yearly": lambda: policy(48_900 + 8_800),
        "partial-yearly": lambda: policy(48_900 + 4_900),
        "exit-loss": lambda: 2 * 10_000 - 11_800,
        "exit-share": lambda: 100 * 8_200 / 20_000,
    },
    "p1-2-2": {
        "repeat-september": lambda: 100 * 252 / 1_200,
        "repeat-november": lambda: 100 * 300 / 1_000,
        "minutes-september": lambda: 1_200 * 6.0 / (1_200 - 252),
        "minutes-november": lambda: 1_000 * 5.6 / (1_000 - 300),
    },
    "p4-1-2": {
        "lower-end": lambda: 100_000 * 0.024 * 90 / 365,
        "actual-rate": lambda: 100 * 456.16 / 100_000 * 365 / 90,
    },
    "p5-1-3": {
        "trained-rate": lambda: 36 / 40_000 * 10_000,
        "trained-fall": lambda: 100 * (15 - 9) / 15,
        "untrained-fall": lambda: 100 * (16 - 13) / 16,
    },
    "p4-3-2": {
        "simple-case": lambda: due(NOVEMBER, 15).day,
        "complex-case": lambda: due(NOVEMBER, 30).day,
        "longest-case": lambda: due(NOVEMBER, 60).day,
    },
}
# Worked out in tests/items/test_numeric.py; and marks given to a transcript, which nobody can calculate.
ELSEWHERE = {"e2-2-4", "p5-3-1"}


def test_every_calculation_comes_out_as_its_key_has_it(whole_course: Course) -> None:
    keys = {name: item.key for name, item in whole_course.items.items() if item.kind.name == "numeric"}
    assert keys.keys() - ELSEWHERE == FIGURES.keys()
    for name, figures in FIGURES.items():
        key = keys[name]
        assert isinstance(key, NumericKey)
        assert key.fields.keys() == figures.keys()
        for field, compute in figures.items():
            target = key.fields[field]
            assert target.value == pytest.approx(compute(), abs=0.05 if abs(target.value) > 5 else 0.01), (
                f"{name} {field}"
            )


# By case of the queue of complaints: when it came in, and the days that the rule gives; 5 April is a holiday.
RECEIVED = {
    "dong-same-papers": (25, 15),
    "shu-day-thirty": (1, 60),
    "tan-own-call": (29, 15),
    "ji-holiday": (21, 15),
    "jin-sixty-days": (8, 30),
    "rao-voucher": (18, 15),
    "yin-two-clocks": (17, 15),
    "ming-for-mother": (31, 15),
}
MONTHS = {3: "March", 4: "April"}


def test_the_queue_of_complaints_names_the_last_days_that_the_calendar_gives(whole_course: Course) -> None:
    item = whole_course.items["e4-3-3"]
    cases = {case["id"]: case for case in item.public.model_dump()["cases"]}
    kinds = item.key.model_dump()["replies"]
    for name, (day, days) in RECEIVED.items():
        last = due(date(2027, 3, day), days, date(2027, 4, 5))
        right = [one for one in cases[name]["replies"] if kinds[name][one["id"]] not in ("wrong", "acknowledgement")]
        assert len(right) == 1
        said = right[0]["text"]
        assert re.search(rf"{last.month} ?月 ?{last.day} ?日|{last.day} ?日|{last.day} ?号", said["zh"]), (name, last)
        assert re.search(rf"\b{last.day}(?:st|nd|rd|th)?\b", said["en"]), (name, last)
        assert f"Received {day} March" in (cases[name]["screen"] or {"en": ""})["en"] or name in {
            "ji-holiday",  # “Sunday, 21 March”
            "ming-for-mother",  # came in today, 31 March
            "yin-two-clocks",  # has a claim besides
        }


def test_a_year_fits_the_weekdays_of_the_queue() -> None:
    assert date(2027, 3, 31).strftime("%A") == "Wednesday"
    assert date(2027, 3, 21).strftime("%A") == "Sunday"
    assert date(2027, 4, 5).strftime("%A") == "Monday"
    assert NOVEMBER.strftime("%A") == "Monday"


def records(course: Course, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(course.items[name].public.model_dump()["table"].splitlines()))


def key_values(course: Course, name: str) -> dict[str, float]:
    return {question: value["value"] for question, value in course.items[name].key.model_dump()["values"].items()}


def test_the_tables_are_their_generators_and_their_values_count_anew(whole_course: Course) -> None:
    for name, table in (("e5-3-2", voices_table), ("e5-3-4", raters_table)):
        assert whole_course.items[name].public.model_dump()["table"] == table()
    firsts = [row for row in records(whole_course, "e5-3-2") if row["entry"] == "first"]
    wishes = [row for row in firsts if row["tone"] == "wish"]
    by_cause = [count for _cause, count in Counter(row["cause"] for row in wishes).most_common()]
    papers = [row for row in wishes if row["cause"] == "papers"]
    manner = [row for row in wishes if row["cause"] == "manner"]
    assert by_cause[0] == len(papers)

    def low(channel: str, most: int) -> float:
        marks = [int(row["mark"]) for row in firsts if row["channel"] == channel]
        return 100 * sum(1 <= mark <= most for mark in marks) / len(marks)

    assert key_values(whole_course, "e5-3-2") == pytest.approx(
        {
            "wishes": len(wishes),
            "largest": 100 * by_cause[0] / len(wishes),
            "three-together": 100 * sum(by_cause[:3]) / len(wishes),
            "in-september": sum(row["month"] == "sep" for row in papers),
            "most-of-papers": 100 * max(Counter(row["handler"] for row in papers).values()) / len(papers),
            "manner-share": 100 * sum(row["handler"] == "b3" for row in manner) / len(manner),
            "survey-low": low("survey", 4),
            "rating-low": low("rating", 2),
        },
        abs=0.05,
    )


def quadratic_kappa(pairs: list[tuple[int, int]]) -> float:
    """Return 1 − Σ (a − b)² of the pairs over what it would be if every first mark met every second one."""
    seen = fmean((a - b) ** 2 for a, b in pairs)
    by_chance = fmean((a - b) ** 2 for a, _ in pairs for _, b in pairs)
    return 1 - seen / by_chance


def test_how_far_two_raters_agree_comes_out_anew(whole_course: Course) -> None:
    rows = records(whole_course, "e5-3-4")
    pairs = [(int(row["first"]), int(row["second"])) for row in rows]
    empathy = [pair for pair, row in zip(pairs, rows, strict=True) if row["criterion"] == "empathy"]
    assert (len(pairs), len(empathy)) == (72, 12)
    # What is taught is to look below a good total: both stand well clear of the customary .70.
    assert quadratic_kappa(pairs) > 0.73
    assert quadratic_kappa(empathy) < 0.6
    assert key_values(whole_course, "e5-3-4") == pytest.approx(
        {
            "same": 100 * fmean(a == b for a, b in pairs),
            "within-one": 100 * fmean(abs(a - b) <= 1 for a, b in pairs),
            "mean-first": fmean(a for a, _ in pairs),
            "weighted": quadratic_kappa(pairs),
            "weighted-empathy": quadratic_kappa(empathy),
            "all-threes": sum(row["play"] == "p07" and row["second"] == "3" for row in rows),
        },
        abs=0.05,
        rel=0.001,
    )


def graded(course: Course, kind: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return public part and key of the graded exercises of a type."""
    items = (course.items[name] for chapter in course.chapters for name in chapter.points)
    return {
        item.id: {"public": item.public.model_dump(), "key": item.key.model_dump()}
        for item in items
        if item.kind.name == kind
    }


def test_exercises_are_as_large_as_real_situations(whole_course: Course) -> None:
    for name, item in graded(whole_course, "dialogue").items():
        assert sum(bool(node["choices"]) for node in item["public"]["nodes"]) >= 8, name
        assert sum(not node["choices"] for node in item["public"]["nodes"]) >= 3, (
            f"{name}: the end follows from the way"
        )
    for name, item in graded(whole_course, "violations").items():
        spans = [span["id"] for line in item["public"]["lines"] for span in line["spans"]]
        assert 15 <= len(spans) <= 25, name
        assert 8 <= len(item["key"]["faults"]) <= 10, name
    for name, item in graded(whole_course, "triage").items():
        assert 12 <= len(item["public"]["cases"]) <= 20, name
    for kind in ("best_worst", "rating"):
        for name, item in graded(whole_course, kind).items():
            for language in LANGUAGES:
                lengths = [len(reply["text"][language]) for reply in item["public"]["replies"]]
                assert max(lengths) <= 1.2 * min(lengths), (name, language)


def best_totals(item: dict[str, dict[str, Any]]) -> tuple[float, float]:
    """Return what a talk earns at best, and what it earns at best with a slip somewhere on the way."""
    nodes = {node["id"]: node for node in item["public"]["nodes"]}

    @cache
    def best(at: str, slipped: bool) -> float:
        choices, points = nodes[at]["choices"], item["key"]["points"].get(at, {})
        if not choices:
            return 0 if slipped else -math.inf
        most = max(points.values())
        ways = ((points[one["id"]], best(one["to"], slipped or points[one["id"]] < most)) for one in choices)
        return max(earned + rest for earned, rest in ways)

    start = item["public"]["start"]
    # Who counts as having slipped from the start on may take any way.
    return best(start, True), best(start, False)


def test_a_talk_can_be_mended_and_a_slip_always_costs(whole_course: Course) -> None:
    for name, item in graded(whole_course, "dialogue").items():
        whole, mended = best_totals(item)
        assert 0.8 * whole <= mended < whole, name


def test_the_pass_rules_are_those_of_the_assessment_design(whole_course: Course) -> None:
    assert whole_course.plan.passing.model_dump() == {
        "section": 0.8,
        "competency": 0.6,
        "point": 0.5,
        "course": 0.75,
        "provisional": True,
    }


def test_every_lesson_closes_with_three_things_and_says_what_the_handbook_leaves_out() -> None:
    for path in CONTENT.glob("chapters/*/*.md"):
        text = path.read_text("utf-8")
        closing = re.split(r"^## (?:带走三件事|Three things to take along)\n", text, flags=re.MULTILINE)[1]
        assert re.findall(r"^(\d)\. ", closing.split("\n## ")[0], re.MULTILINE) == ["1", "2", "3"], path.name
        assert re.search(r"手册|handbook", text), path.name
    # The last two sections, cut off in the handbook, are ours.
    for path in CONTENT.glob("chapters/6-*/*.md"):
        assert re.search(r"自己写|我们写|我们补|our own|ours|we wrote", path.read_text("utf-8")), path.name


def test_the_readme_shows_three_chapters_as_they_are() -> None:
    shown = re.findall(r"\(docs/img/(chapter-\d)-(?:zh|en)\.png\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(set(shown)) >= 3
    assert all(list(ROOT.glob(f"docs/img/{name}-*.png")) for name in shown)
