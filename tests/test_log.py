"""The response log: what was acknowledged is on disk, and whatever a file holds is read without harm."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import curriculum.log
from curriculum.log import MAX_BYTES, MAX_LINE, MAX_LINES, Log, LogError, Record, Replay

Within = Callable[[float], AbstractContextManager[None]]


def append(log: Log, id: str, response: Any = None, *, item: str = "e3-1-3", base: int | None = None, **kw: Any) -> str:
    fields = {"hash": "", "lang": "zh", "kind": "answer", "ms": 0, **kw}
    return log.append(id=id, item=item, response=response, base=base, **fields)


def record(**changes: Any) -> dict[str, Any]:
    """A record as the format has it, first of its log."""
    fields = {"v": 1, "seq": 1, "at": "2026-11-23T16:40:11.000Z", "id": "m1", "item": "e3-1-3", "hash": "", "prev": ""}
    return {**fields, "lang": "zh", "kind": "answer", "response": {"marked": []}, "ms": 0, **changes}


def line(**changes: Any) -> bytes:
    return json.dumps(record(**changes)).encode()


def names_line_2(log: Log) -> bool:
    return any(re.search(r"\b2\b", note) for note in log.notes)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> Log:
    log = Log(path)
    log.refresh()
    return log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "responses" / "ch3.jsonl"


@pytest.fixture
def raw(path: Path) -> Path:
    path.parent.mkdir()
    return path


# --- appending


def test_appended_records_are_chained_lines_on_disk(path: Path) -> None:
    log = Log(path)
    for number in (1, 2, 3):
        assert append(log, f"m{number}", {"marked": ["微笑" * number]}) == "ok"
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    data = [json.loads(text) for text in lines]
    assert [r["seq"] for r in data] == [1, 2, 3]
    assert [r["prev"] for r in data] == ["", sha(lines[0]), sha(lines[1])]
    assert data[2]["response"] == {"marked": ["微笑微笑微笑"]}
    assert data[2].keys() == record().keys()
    again = read(path)
    assert again.records == log.records
    assert again.hashes == [sha(text) for text in lines]
    assert again.notes == []


def test_disk_is_reached_before_the_answer_is_acknowledged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _file: synced.append(path.read_bytes()))
    log = Log(path)
    append(log, "m1")
    append(log, "m2")
    assert [data.count(b"\n") for data in synced] == [1, 2]
    assert synced[-1] == path.read_bytes()


def test_same_message_again_is_dup_and_writes_nothing(path: Path) -> None:
    append(Log(path), "m1", 1)
    before = path.read_bytes()
    assert append(Log(path), "m1", 2) == "dup"
    assert append(Log(path), "m1", 2, base=0) == "dup"  # a retry whose acknowledgement was lost
    assert path.read_bytes() == before


def test_outdated_view_is_stale_and_writes_nothing(path: Path) -> None:
    one, other = Log(path), Log(path)
    assert append(one, "m1", base=0) == "ok"
    before = path.read_bytes()
    assert append(other, "m2", base=0) == "stale"
    assert path.read_bytes() == before
    # Answers to other exercises make no view outdated.
    assert append(other, "m3", item="e3-1-1", base=0) == "ok"
    assert append(other, "m4", base=1) == "ok"
    assert append(other, "m5", base=3) == "stale"


@pytest.mark.parametrize(
    "half",
    [b"{", line(id="torn")[:-30], b"\xe6\x88", line(id="torn")],
    ids=["a bracket", "half a line", "half a character", "all but the newline"],
)
def test_torn_last_line_is_dropped_and_the_next_append_is_intact(raw: Path, half: bytes) -> None:
    first = line()
    raw.write_bytes(first + b"\n" + half)
    log = read(raw)
    assert [r.id for r in log.records] == ["m1"]
    assert append(log, "m2") == "ok"
    for seen in (log, read(raw)):
        assert [r.id for r in seen.records] == ["m1", "m2"]
        assert [r.seq for r in seen.records] == [1, 2]
        assert seen.records[1].prev == sha(first)
        assert not any("follow" in note for note in seen.notes)


def test_four_processes_on_a_torn_line_give_one_unbroken_chain(raw: Path) -> None:
    raw.write_bytes(line(id="torn")[:40])
    script = (
        "import sys; from pathlib import Path; from curriculum.log import Log\n"
        "log = Log(Path(sys.argv[1]))\n"
        "for n in range(50): print(log.append(id=f'{sys.argv[2]}-{n}', item='e3-1-1', hash='', lang='zh',"
        " kind='answer', response={'n': n}, ms=0, base=None))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(raw), name], stdout=subprocess.PIPE, text=True)
        for name in "abcd"
    ]
    assert [process.communicate(timeout=60)[0].split() for process in processes] == [["ok"] * 50] * 4
    torn, *lines, rest = raw.read_bytes().split(b"\n")
    assert torn.startswith(line(id="torn")[:40])
    assert rest == b""
    data = [json.loads(text) for text in lines]
    assert [r["seq"] for r in data] == list(range(1, 201))
    assert [r["prev"] for r in data] == ["", *map(sha, lines[:-1])]
    for name in "abcd":
        assert [r["response"]["n"] for r in data if r["id"][0] == name] == list(range(50))
    assert len(read(raw).records) == 200


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "fields",
    [
        {"response": float("nan")},
        {"response": [float("inf")]},
        {"response": "\ud800"},
        {"response": nested(100_000)},
        {"response": "x" * MAX_LINE},
        {"ms": -1},
        {"ms": 10**30},
        {"lang": "fr"},
        {"kind": "erase"},
        {"hash": "x" * 81},
    ],
    ids=["nan", "inf", "surrogate", "deep", "long", "negative", "huge", "language", "kind", "hash"],
)
def test_what_the_format_cannot_hold_is_refused_and_writes_nothing(path: Path, fields: dict[str, Any]) -> None:
    log = Log(path)
    append(log, "m1")
    before = path.read_bytes()
    with pytest.raises(LogError):
        append(log, "m2", **fields)
    assert path.read_bytes() == before
    assert append(log, "m3") == "ok"


def test_full_log_refuses_more_and_stays_readable(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curriculum.log, "MAX_BYTES", 2000)
    accepted, refused = 0, 0
    for torn in range(300, 900):
        raw.write_bytes(b"x" * torn)
        try:
            accepted += append(Log(raw), "m1", item="", kind="submit") == "ok"
        except LogError:
            refused += 1
        assert raw.stat().st_size <= 2000
        assert not any("more than" in note for note in read(raw).notes)
    assert accepted
    assert refused


def test_log_of_the_most_lines_refuses_more(raw: Path) -> None:
    raw.write_bytes(b"\n" * MAX_LINES)
    with pytest.raises(LogError, match="too large"):
        append(Log(raw), "m1")
    assert raw.stat().st_size == MAX_LINES


@pytest.mark.parametrize(
    "response",
    ["[" + "[]," * 50_000 + "[]]", "[" + '{"a":1},' * 20_000 + "1]", "0"],
    ids=["lists", "objects", "small"],
)
def test_what_takes_long_to_read_weighs_more_than_its_bytes(raw: Path, response: str) -> None:
    # Eight million bytes of plain text are read; of values packed together, a fraction of that.
    texts = line(response="TEXT").replace(b'"TEXT"', response.encode())
    raw.write_bytes((texts + b"\n") * (MAX_BYTES // (len(texts) + 1)))
    log = read(raw)
    values = sum(text.count(sign) for text in (texts,) for sign in (b",", b"[", b"{"))
    # By hand: each line takes its bytes and 512 more, each value 24.
    assert len(log.records) == MAX_BYTES // (len(texts) + 1 + 512 + 24 * values)
    assert any("more than a log may hold" in note for note in log.notes)
    with pytest.raises(LogError, match="too large"):
        append(log, "m2", item="", kind="submit")


def test_no_more_is_read_of_what_is_no_log(raw: Path) -> None:
    raw.write_bytes(line() + b"\n" + b"{}\n" * 500 + line(seq=2, id="m2", prev=sha(line())) + b"\n")
    log = read(raw)
    assert [one.id for one in log.records] == ["m1"]
    assert any("more than a log may hold" in note for note in log.notes)


def test_log_full_of_answers_can_still_be_handed_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curriculum.log, "MAX_BYTES", 2**17)
    log = Log(path)
    # About 1,100 bytes an answer: a hundred of them are too many for 128 KiB less what is kept free.
    refused = 0
    for number in range(100):
        try:
            append(log, f"m{number}", "x" * 1000)
        except LogError:
            refused += 1
    assert refused
    assert append(log, "hand-in", item="", kind="submit") == "ok"
    assert append(log, "taken", item="", kind="received") == "ok"


def test_a_file_that_was_cut_or_exchanged_is_read_anew(path: Path) -> None:
    log, other = Log(path), Log(path.with_name("other.jsonl"))
    append(log, "m1")
    append(log, "m2")
    append(other, "n1")
    append(other, "n2")
    append(other, "n3")
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    log.refresh()
    assert [r.id for r in log.records] == ["m1"]
    other.path.replace(path)
    assert append(log, "n4") == "ok"
    assert [r.id for r in read(path).records] == ["n1", "n2", "n3", "n4"]
    assert (log.records, log.notes, read(path).notes) == (read(path).records, [], [])


# --- files that are none


def make(kind: str, path: Path) -> None:
    match kind:
        case "link":
            (path.parent / "secret").write_bytes(line() + b"\n")
            path.symlink_to("secret")
        case "dangling link":
            path.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "directory"])
def test_no_plain_file_is_refused_at_once(raw: Path, kind: str, within: Within) -> None:
    make(kind, raw)
    before = sorted(raw.parent.iterdir())
    with within(2), pytest.raises(LogError, match=r"ch3\.jsonl"):
        Log(raw).refresh()
    with within(2), pytest.raises(LogError, match=r"ch3\.jsonl"):
        append(Log(raw), "m1")
    assert sorted(raw.parent.iterdir()) == before
    if kind == "link":
        assert (raw.parent / "secret").read_bytes() == line() + b"\n"


def test_a_folder_that_is_a_link_is_refused(raw: Path) -> None:
    append(Log(raw), "m1")
    (raw.parent.parent / "mine").symlink_to(raw.parent)
    with pytest.raises(LogError, match=r"ch3\.jsonl can't be opened"):
        Log(raw.parent.parent / "mine" / raw.name).refresh()


def test_too_large_file_is_refused_with_a_sentence(raw: Path, within: Within) -> None:
    with raw.open("wb") as file:
        file.truncate(MAX_BYTES)
    read(raw)
    os.truncate(raw, 50 * 2**20)
    with within(2), pytest.raises(LogError, match=r"ch3\.jsonl has 50 MiB; 8 MiB is the limit"):
        read(raw)
    with within(2), pytest.raises(LogError):
        append(Log(raw), "m1")
    assert raw.stat().st_size == 50 * 2**20


def test_no_file_and_an_empty_file_are_an_empty_log(raw: Path) -> None:
    for _ in range(2):
        log = read(raw)
        assert (log.records, log.notes, log.receipt()) == ([], [], None)
        raw.touch()


# --- what a file may hold

BAD_LINES = {
    "binary": b"\x00\xff\xfe\x80PK\x03\x04",
    "no JSON": b"hello",
    "a number": b"1",
    "a list": b"[1, 2]",
    "null": b"null",
    "no fields": b"{}",
    "NaN": line().replace(b'{"marked": []}', b"NaN"),
    "Infinity": line().replace(b'{"marked": []}', b'{"marked": -Infinity}'),
    "not a finite number": line().replace(b'"ms": 0', b'"ms": 1e999'),
    "100,000 brackets": line().replace(b'{"marked": []}', b"[" * 100_000 + b"]" * 100_000),
    "30,000 brackets": line().replace(b'{"marked": []}', b"[" * 30_000 + b"]" * 30_000),
    "lone surrogate as id": line(id="\ud800"),
    "5 MB": line(response="x" * 5_000_000),
    "one byte too long": line(response="x" * (MAX_LINE + 1 - len(line(response="")))),
    "huge integer": line(ms=0).replace(b'"ms": 0', b'"ms": ' + b"9" * 5000),
    "big integer": line(ms=10**20),
    "seq as text": line(seq="1"),
    "seq as fraction": line(seq=1.0),
    "seq zero": line(seq=0),
    "seq true": line(seq=True),
    "no seq": json.dumps({k: v for k, v in record().items() if k != "seq"}).encode(),
    "another version": line(v=2),
    "unknown kind": line(kind="grade"),
    "unknown language": line(lang="fr"),
    "unknown field": line(score=100),
    "item as list": line(item=["e3-1-3"]),
    "long item": line(item="e" * 81),
}


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_noted_and_the_others_count(raw: Path, bad: bytes) -> None:
    first = line()
    second = line(seq=2, id="m2", prev=sha(first))
    raw.write_bytes(b"\n".join([first, bad, second, b""]))
    log = read(raw)
    assert [r.id for r in log.records] == ["m1", "m2"]
    assert len(log.notes) == 1
    assert names_line_2(log)
    assert append(log, "m3") == "ok"
    assert [r.seq for r in read(raw).records] == [1, 2, 3]


def test_the_longest_line_that_is_allowed_is_read(raw: Path) -> None:
    raw.write_bytes(line(response="x" * (MAX_LINE - len(line(response="")))) + b"\n")
    assert [len(r.response) for r in read(raw).records] == [MAX_LINE - len(line(response=""))]


@pytest.mark.parametrize(
    "second",
    [
        {"seq": 2, "prev": ""},
        {"seq": 2, "prev": sha(b"something else")},
        {"seq": 1, "prev": sha(line())},
        {"seq": 7, "prev": sha(line())},
    ],
    ids=["no prev", "forged prev", "seq twice", "seq leaps"],
)
def test_a_broken_chain_is_noted_and_read_on(raw: Path, second: dict[str, Any]) -> None:
    raw.write_bytes(b"\n".join([line(), line(id="m2", **second), b""]))
    log = read(raw)
    assert [r.id for r in log.records] == ["m1", "m2"]
    assert names_line_2(log)


def test_a_line_taken_out_is_noted(path: Path) -> None:
    log = Log(path)
    for number in range(4):
        append(log, f"m{number}")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    assert names_line_2(read(path))


def test_lines_beyond_the_most_are_not_read(raw: Path) -> None:
    raw.write_bytes(b"\n" * MAX_LINES + line() + b"\n" + line() + b"\n")
    log = read(raw)
    assert log.records == []
    assert len(log.notes) == 1


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
LINES = (
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(sorted(record())), JSON, max_size=3).map(lambda changes: line(**changes))
    | st.integers(0, 200).map(lambda end: line()[:end])
)


@given(st.lists(LINES, max_size=8).map(b"\n".join))
def test_any_bytes_are_read_without_harm(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ch3.jsonl"
        path.write_bytes(data)
        before = read(path)
        log = Log(path)
        try:
            status = append(log, "the-last", {"marked": ["微笑"]})
        except LogError:
            assert path.read_bytes() == data
            return
        assert status == "ok"
        assert path.read_bytes().startswith(data)
        assert log.records[-1].response == {"marked": ["微笑"]}
        assert log.records[: len(before.records)] == before.records
        assert read(path).records == log.records


# --- replay and receipt


def replay(*records: tuple[str, Any]) -> Replay:
    return Replay(Record.model_validate(record(kind=kind, response=response)) for kind, response in records)


@pytest.mark.parametrize(
    ("records", "count", "attempt", "scored", "shown"),
    [
        ([], 0, 1, None, None),
        ([("answer", "a")], 1, 1, "a", "a"),
        ([("answer", "a"), ("answer", "ab")], 2, 1, "ab", "ab"),
        ([("answer", "a"), ("restart", None)], 2, 2, "a", None),
        # The first attempt counts, whatever a later one brings.
        ([("answer", "a"), ("restart", None), ("answer", "best")], 3, 2, "a", "best"),
        ([("answer", "a"), ("answer", "ab"), ("restart", None), ("answer", "c"), ("restart", None)], 5, 3, "ab", None),
        ([("restart", None), ("answer", "best")], 2, 2, None, "best"),
    ],
)
def test_first_attempt_counts(
    records: list[tuple[str, Any]], count: int, attempt: int, scored: str | None, shown: str | None
) -> None:
    result = replay(*records)
    assert (result.count, result.attempt) == (count, attempt)
    assert (result.scored and result.scored.response) == scored
    assert (result.shown and result.shown.response) == shown


def test_receipt_is_the_start_of_the_hash_of_the_last_hand_in(path: Path) -> None:
    log = Log(path)
    append(log, "m1")
    assert log.receipt() is None
    append(log, "m2", item="", kind="submit")
    append(log, "m3", item="", kind="submit")
    append(log, "m4")
    code = sha(path.read_bytes().split(b"\n")[2])[:12].upper()
    assert log.receipt() == (log.records[2].at, f"{code[:4]}-{code[4:8]}-{code[8:]}")


def test_a_time_that_is_not_now(path: Path) -> None:
    log = Log(path)
    append(log, "m1", at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    append(log, "m2")
    assert log.records[0].at == "2026-11-23T08:00:00.000Z"
    assert log.records[1].at > "2026-11-30"
