"""What becomes of each hostile submission, and what must become of nothing else."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path

import pytest

from autograde.place import ROOT
from tests.hostile.conftest import (
    EVIDENCE,
    GRADES,
    NEIGHBOURS,
    WATCH,
    Graded,
    autograded,
    expectations,
    rows,
    said,
    states,
)
from tests.hostile.corpus import CODE, KINDS, MARK, NAMES

EXPECTED = expectations()
# Written by somebody whose folder nobody may have.
AS_ROOT_ONLY, AS_ANYBODY_ONLY = {"log-device"}, {"log-unreadable"}


def earned(graded: Graded) -> dict[str, dict[str, float]]:
    """Return what each learner earned, by item."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (who, _chapter, item), row in rows(graded.data, EVIDENCE).items():
        found[who][item] = row[1]
    return found


def test_the_table_says_what_must_become_of_each_kind() -> None:
    assert len(KINDS) >= 60
    missing = AS_ROOT_ONLY if os.geteuid() else AS_ANYBODY_ONLY
    assert {*EXPECTED} - missing == {*KINDS}


def test_each_kind_gets_its_verdict(graded: Graded) -> None:
    found = states(graded.data)
    wrong = {}
    for name in KINDS:
        verdict, words = found.get(f"k-{name}", "absent"), graded.remarks(f"k-{name}")
        expected = EXPECTED[name]
        if verdict != expected.verdict or expected.words not in words or bool(words) != bool(expected.words):
            wrong[name] = (expected, verdict, words)
    assert wrong == {}


def test_each_kind_earns_what_its_answers_are_worth(graded: Graded) -> None:
    wrong, found = {}, earned(graded)
    for name, (chapter, _spoil) in KINDS.items():
        points = found[f"k-{name}"]
        honest = found["k-honest" if chapter == "ch1" else f"k-honest-{chapter[2]}"]
        right = {
            "same": points == honest,
            "none": bool(points) and not any(points.values()),
            "absent": not points,
            "-": points.keys() == honest.keys(),
        }
        if not right[EXPECTED[name].points]:
            wrong[name] = points
    assert wrong == {}


def test_no_score_is_out_of_bounds(graded: Graded) -> None:
    for (_who, chapter, _cell), (automatic, manual, _needs, extra) in rows(graded.data, GRADES).items():
        assert automatic is None or 0 <= automatic <= 40, chapter
        assert (manual, extra) == (None, None)
    assert {(row[1] <= row[2], row[1] >= 0) for row in rows(graded.data, EVIDENCE).values()} == {(True, True)}


def test_honest_ones_have_the_same_rows_and_files_as_when_graded_alone(graded: Graded) -> None:
    for words, before in zip((GRADES, EVIDENCE), graded.before, strict=True):
        now = {key: row for key, row in rows(graded.data, words).items() if key[0] in NEIGHBOURS}
        assert len(before) > 100
        assert now == before
    assert autograded(graded.data) == graded.files


def test_folders_of_no_learner_are_named_or_left_alone(graded: Graded) -> None:
    refused = [line for line in graded.out.splitlines() if "no name that a learner can have" in line]
    assert len(refused) == len(NAMES)
    assert not {name for name in (*NAMES, "a-link", "a-file") if name in states(graded.data)}
    assert not any((graded.data.autograded / name).exists() for name in (*NAMES, "a-link", "a-file"))


def processes() -> str:
    return "".join(
        path.read_bytes().decode("utf-8", "replace") for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)
    )


def readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:  # it has ended
        return False
    return True


def test_nothing_of_a_submission_was_run(graded: Graded) -> None:
    assert [*graded.canary.iterdir()] == []
    assert not (Path("/tmp") / MARK).exists()
    assert "COUNTERSIDE_CANARY" not in os.environ
    assert MARK not in processes()
    # Python itself tells before it compiles, executes, unpickles, forks or opens a connection.
    assert graded.seen == ()


def test_the_canaries_would_have_sung(tmp_path: Path) -> None:
    before = len(WATCH.seen)
    words = CODE.format(mark=MARK, canary=tmp_path, gradebook=tmp_path / "no.db").splitlines()
    with WATCH.on():
        exec("\n".join([*words[:4], f"'{MARK}'"]))
    assert os.environ.pop("COUNTERSIDE_CANARY") == MARK
    assert (tmp_path / "ran").exists()
    assert {event.split()[0] for event in WATCH.seen[before:]} == {"compile", "exec"}
    del WATCH.seen[before:]


def unfit(text: str) -> set[str]:
    """Return the characters that a terminal takes for commands, or that turn the order of what follows."""
    return {character for character in text if not character.isprintable() and character != "\n"}


def test_what_is_printed_is_sentences(graded: Graded) -> None:
    assert graded.code == 1
    assert "Traceback" not in graded.out
    assert re.search(r"\w+Error\b", graded.out) is None
    assert "could not be" not in graded.out
    assert unfit(graded.out) == set()
    assert max(map(len, graded.out.splitlines())) < 4000


@pytest.mark.parametrize(
    "command",
    [["feedback", "ch1", "ch2", "ch3", "ch4", "ch5"], ["gradebook"], ["explain", "k-text-with-controls", "e2-2-3"],
     ["explain", "k-time-terminal", "e1-1-1"], ["regrade", "ch1", "ch2", "--dry-run", "--workers", "1"]],
)  # fmt: skip
def test_commands_that_show_it_show_no_more(
    graded: Graded, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(graded.data.folder))
    code, out = said(*command)
    assert code in (0, 1)
    assert "Traceback" not in out
    assert "could not be" not in out
    assert unfit(out) == set()


def test_pages_hold_text_and_nobody_elses_secrets(graded: Graded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(graded.data.folder))
    assert said("feedback", "ch2", "--learners", "k-text-*")[0] == 0
    page = (graded.data.feedback / "k-text-with-script" / "ch2" / "ch2.html").read_text("utf-8")
    assert f"&lt;script&gt;{MARK}" in page
    assert f"<script>{MARK}" not in page
    assert "<img src=x" not in page
    course = (ROOT / "curriculum" / "course.yml").read_bytes()[:200]
    for folder in (graded.data.autograded, graded.data.feedback):
        for path in folder.glob("k-*-link*/*/*"):
            assert not path.is_symlink()
            assert course not in path.read_bytes()
    # The released notebook stands in the autograded one; of the submitted one nothing does.
    for name in ("notebook-runs-code", "outputs-with-script", "widget-state", "notebook-magics"):
        assert MARK not in (graded.data.autograded / f"k-{name}" / "ch1" / "ch1.ipynb").read_text("utf-8")


def test_feedback_is_released_to_everybody_who_can_fetch_it(graded: Graded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(graded.data.folder))
    code, out = said("feedback", "ch1")
    # nbgrader needs the time and the secret of each page, and gives up on all where one can't be read.
    without = {"time-missing", "time-link", "time-pipe", "time-is-garbage", "time-is-large", "secret-missing",
               "secret-link", "secret-huge", "secret-binary"}  # fmt: skip
    named = re.findall(r"^k-(\S+), ch1: no page was written", out, re.MULTILINE)
    assert (code, {*named}) == (1, without)
    folder = graded.data.folder / "exchange" / "counterside" / "feedback"
    folder.mkdir(parents=True)
    graded.data.instructor("release_feedback", "ch1")
    pages = {path.parents[1].name for path in graded.data.feedback.glob("*/ch1/ch1.html")}
    assert not {f"k-{name}" for name in without} & pages
    assert {*NEIGHBOURS} <= pages
    secrets = {(graded.data.feedback / name / "ch1" / "submission_secret.txt").read_text() for name in pages}
    assert len(list(folder.glob("*.html"))) == len(secrets) == len(pages)
