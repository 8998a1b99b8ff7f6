"""What a response log tells: order, what was wrong, how fast. Logs are hostile files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from autograde.audit.traces import Reader, reading_seconds, seconds
from curriculum.load import Course
from curriculum.log import Log, Record
from curriculum.model import Text

START = "2026-11-30T08:{:02}:{:02}.000Z"


def line(number: int, item: str, response: Any, at: float, ms: int, **more: Any) -> dict[str, Any]:
    time = START.format(int(at // 60), int(at % 60))
    return {
        "v": 1, "seq": number, "at": time, "id": f"m-{number}", "item": item, "hash": f"hash-of-{item}", "lang": "en",
        "kind": "answer", "response": response, "ms": ms, "prev": "",
    } | more  # fmt: skip


def log(folder: Path, lines: Sequence[Mapping[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ch3.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    return folder


def test_reading_is_timed_by_words_and_characters() -> None:
    # 238 words or 255 characters a minute, three times as fast: 20 s. Neither spaces nor the other language count.
    text = Text(en="word " * 238, zh="字 " * 255)
    assert reading_seconds([text], "en") == pytest.approx(20)
    assert reading_seconds([text], "zh") == pytest.approx(20)
    assert reading_seconds([text, text], "zh") == pytest.approx(40)


def test_order_pace_and_the_record_that_counts(course: Course, perfect: Mapping[str, Any], tmp_path: Path) -> None:
    wrong = perfect["e3-1-1"]["order"][::-1]
    records = [
        line(1, "e3-1-3", perfect["e3-1-3"], at=60, ms=50_000),
        line(2, "e3-1-1", {"order": wrong}, at=90, ms=80_000),
        line(3, "e3-1-1", None, at=91, ms=500, kind="restart"),
        line(4, "e3-1-1", perfect["e3-1-1"], at=92, ms=500),
    ]
    trace = Reader(course).trace("anna", "ch3", log(tmp_path, records))
    assert trace is not None
    assert trace.order == ("e3-1-3", "e3-1-1")
    assert trace.wrong.keys() == {"e3-1-1"}, "the first attempt counts; what is right is left out"
    raw = (json.dumps(records[1])).encode()
    assert trace.counted["e3-1-1"] == (hashlib.sha256(raw).hexdigest(), "hash-of-e3-1-1")
    # 80 s since it was touched, but only 30 since the other exercise was answered.
    item = course.items["e3-1-1"]
    words = len(item.public.prompt.en.split())
    words += sum(len(step.text.en.split()) for step in item.public.steps)  # type: ignore[attr-defined]
    assert trace.pace["e3-1-1"] == pytest.approx(30 / (60 * words / 238 / 3))


def test_of_a_talk_only_what_was_chosen_was_surely_read(
    course: Course, perfect: Mapping[str, Any], tmp_path: Path
) -> None:
    item, path = course.items["e3-1-2"], perfect["e3-1-2"]["path"]
    trace = Reader(course).trace("anna", "ch3", log(tmp_path, [line(1, "e3-1-2", {"path": path}, 0, 60_000)]))
    choices = [choice for node in item.public.nodes for choice in node.choices]  # type: ignore[attr-defined]
    words = len(item.public.prompt.en.split()) + sum(len(c.text.en.split()) for c in choices if c.id in path)
    assert trace is not None
    assert trace.pace["e3-1-2"] == pytest.approx(60 / (60 * words / 238 / 3))


def test_the_order_of_clicks_tells_nothing(course: Course, perfect: Mapping[str, Any], tmp_path: Path) -> None:
    marked = perfect["e3-1-3"]["marked"][1:]
    reader = Reader(course)
    one, other, third = (
        reader.trace(str(n), "ch3", log(tmp_path / str(n), [line(1, "e3-1-3", {"marked": order}, 0, 1)]))
        for n, order in enumerate((marked, marked[::-1], marked[1:]))
    )
    assert one is not None
    assert other is not None
    assert third is not None
    assert one.wrong == other.wrong != third.wrong


def test_a_clock_that_goes_back_leaves_what_the_browser_counted() -> None:
    records = [
        Record(**line(1, "a", None, at=100, ms=7_000)),
        Record(**line(2, "a", None, at=50, ms=8_000)),
        Record(**line(3, "a", None, at=52, ms=9_000)),
        Record(**(line(4, "a", None, at=0, ms=3_000) | {"at": "no time at all"})),
    ]
    assert list(seconds(records).values()) == [7, 8, 2, 3]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff\n" * 100,
        b"[" * 100_000 + b"\n",
        json.dumps(line(1, "e3-1-1", {"order": ["not-here"]}, 0, 1)).encode() + b"\n",
        json.dumps(line(1, "../../etc", {"order": []}, 0, 1)).encode() + b"\n",
        (
            json.dumps(line(1, "e3-1-1", 0, 0, 1)).replace('"response": 0', '"response": ' + "[" * 900 + "]" * 900)
        ).encode()
        + b"\n",
        b"x" * (17 * 2**20),
    ],
)
def test_what_is_no_answer_tells_nothing(course: Course, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "ch3.jsonl").write_bytes(data)
    trace = Reader(course).trace("anna", "ch3", tmp_path)
    assert trace is None or (trace.wrong, trace.pace) == ({}, {})


def test_a_link_is_not_followed(course: Course, perfect: Mapping[str, Any], tmp_path: Path) -> None:
    log(tmp_path / "elsewhere", [line(1, "e3-1-1", perfect["e3-1-1"], 0, 1)])
    (tmp_path / "ch3.jsonl").symlink_to(tmp_path / "elsewhere" / "ch3.jsonl")
    assert Reader(course).trace("anna", "ch3", tmp_path) is None
    assert Log(tmp_path / "elsewhere" / "ch3.jsonl").records == []
