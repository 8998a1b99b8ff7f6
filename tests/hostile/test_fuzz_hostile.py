"""Two thousand damaged notebooks and logs: none stops, changes or costs anything but itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograde import grade
from autograde.cohort import hand_in
from autograde.course_data import CourseData
from curriculum.load import Course
from tests.hostile.conftest import (
    EVIDENCE,
    GRADES,
    NEIGHBOURS,
    WATCH,
    Rows,
    autograded,
    copied,
    rows,
    said,
    states,
)
from tests.hostile.corpus import honest
from tests.hostile.fuzz import Fuzz

NOTEBOOKS, LOGS = 800, 1200


@dataclass(frozen=True)
class Fuzzed:
    """The course after grading; `logs` has the damaged log of each learner, `honest_log` the one it was made of."""

    data: CourseData
    out: str
    before: tuple[Rows, Rows]
    files: dict[str, bytes]
    logs: dict[str, bytes]
    honest_log: bytes
    seen: int

    def earned(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for (who, _chapter, item), row in rows(self.data, EVIDENCE).items():
            found.setdefault(who, {})[item] = row[1]
        return found


@pytest.fixture(scope="module")
def fuzzed(empty_course: Path, whole_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzz") / "course"
    chapter = whole_course.chapter("ch1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIDE_COURSE", str(folder))
        patch.setattr(grade, "SHOWN", 10**6)
        data = copied(empty_course, folder)
        hand_in(data, [chapter], len(NEIGHBOURS))
        assert said("grade", "ch1", "--workers", "1")[0] == 0
        before, files = (rows(data, GRADES), rows(data, EVIDENCE)), autograded(data)
        one = honest(data, whole_course, "honest", "ch1", NEIGHBOURS[0], folder)
        notebook, log = one.notebook.read_bytes(), one.log.read_bytes()
        fuzz, logs = Fuzz(notebook, log, [item for item in chapter.items if item.id in chapter.points]), {}
        for number, variant in enumerate(fuzz.notebooks(NOTEBOOKS)):
            honest(data, whole_course, f"n-{number:04}", "ch1", NEIGHBOURS[0], folder).put(variant)
        for number, variant in enumerate(fuzz.logs(LOGS)):
            learner = f"l-{number:04}"
            honest(data, whole_course, learner, "ch1", NEIGHBOURS[0], folder).log.write_bytes(variant)
            logs[learner] = variant
        already = len(WATCH.seen)
        with WATCH.on():
            _code, out = said("grade", "ch1", "--workers", "1", "--force")
        yield Fuzzed(data, out, before, files, logs, log, len(WATCH.seen) - already)


def test_each_is_graded_in_sentences_and_nothing_runs(fuzzed: Fuzzed) -> None:
    assert NOTEBOOKS + LOGS >= 2000
    assert len(states(fuzzed.data)) == NOTEBOOKS + LOGS + len(NEIGHBOURS) + 1
    assert "Traceback" not in fuzzed.out
    assert re.search(r"\w+Error\b", fuzzed.out) is None
    assert "could not be" not in fuzzed.out
    assert {character for character in fuzzed.out if not character.isprintable()} == {"\n"}
    assert fuzzed.seen == 0


def test_honest_ones_are_as_before(fuzzed: Fuzzed) -> None:
    for words, before in zip((GRADES, EVIDENCE), fuzzed.before, strict=True):
        assert {key: row for key, row in rows(fuzzed.data, words).items() if key[0] in NEIGHBOURS} == before
    assert autograded(fuzzed.data) == fuzzed.files


def test_a_damaged_notebook_changes_no_score(fuzzed: Fuzzed) -> None:
    found, earned = states(fuzzed.data), fuzzed.earned()
    damaged = [name for name in found if name.startswith("n-")]
    assert {found[name] for name in damaged} == {"graded", "warning"}
    assert [name for name in damaged if earned[name] != earned["honest"]] == []


def test_an_answer_that_was_not_touched_keeps_its_points(fuzzed: Fuzzed) -> None:
    earned, kept = fuzzed.earned(), 0
    whole = {
        line: item
        for line in fuzzed.honest_log.split(b"\n")
        for item in earned["honest"]
        if f'"{item}"'.encode() in line
    }
    for learner, log in fuzzed.logs.items():
        lines = log.split(b"\n")
        for line, item in whole.items():
            # Its line is there as it was, or with another number and hash only, and no other line speaks of it.
            about = [one for one in lines if item.encode() in one or b"\\u" in one]
            if [body(one) for one in about] == [body(line)] and not log.endswith(line):
                kept += 1
                assert earned[learner][item] == earned["honest"][item], (learner, item)
    assert kept > 1000


def body(line: bytes) -> bytes:
    """Return a record without its number and its hash."""
    return re.sub(rb'"seq":\d+|"prev":"[0-9a-f]*"', b"", line)


def test_a_line_that_was_changed_is_seen(fuzzed: Fuzzed) -> None:
    # Whatever changed of a log but its last line breaks the chain, unless it was forged from there on.
    found, lines = states(fuzzed.data), fuzzed.honest_log.splitlines()
    unchained = [name for number, name in enumerate(fuzzed.logs) if number % 4 < 2]
    changed = []
    for name in unchained:
        now = [line for line in fuzzed.logs[name].split(b"\n") if line.strip() and not line.endswith(b"~")]
        if now[: len(lines) - 1] != lines[:-1] and now != lines[: len(now)]:
            changed.append(name)
    assert len(changed) > 400
    unseen = [name for name in changed if found[name] not in ("look", "refused")]
    # A log that was cut off inside a line is one that a crash left: the torn line is dropped.
    assert [name for name in unseen if not torn(fuzzed.logs[name], lines)] == []


def torn(log: bytes, lines: list[bytes]) -> bool:
    now = log.split(b"\n")[:-1]
    whole = [line for line in now if line.strip() and not line.endswith(b"~")]
    return whole == lines[: len(whole)]


def test_no_score_is_out_of_bounds(fuzzed: Fuzzed) -> None:
    assert {0 <= row[1] <= row[2] for row in rows(fuzzed.data, EVIDENCE).values()} == {True}
    most = {cell: row[0] for (who, _chapter, cell), row in rows(fuzzed.data, EVIDENCE).items() if who == "honest"}
    assert most
