"""A learner's way through the released chapter, by keyboard, with everything going wrong in between."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest
from playwright.sync_api import expect

from autograde.course_data import CourseData
from autograde.place import ROOT
from autograde.serve import Lab
from tests.e2e.conftest import Learner
from tests.e2e.plays import play

pytestmark = pytest.mark.browser

# A right order (free pairs the other way round), as in tests/test_cohort.py.
ORDER = [
    "test-printer", "tidy-desk", "greet-seat", "stand-up", "ask-purpose", "hear-out", "note-matters",
    "sum-up", "explain-id", "pass-query", "replace-card", "name-deadline", "check-slip", "bid-farewell",
]  # fmt: skip
TALK = ["keep-distance", "ask-purpose", "mirror-worry", "risk-formula", "trust-memory", "name-hurry", "any-time"]
MARKS = ["eyes-on-screen", "points-ear", "same-volume", "prints-at-once", "drop-by", "both-hands"]
DIARY = "Tuesday at three a man came in and asked about his card."
# All 14 steps of 6; 3+3+3+1+1+3+1 = 15 of 21 points of 9; 2+2+3+3 found less 2 false = 8 of 18 of 7; complete.
# 17.54 of 100 in all.
EXPECTED = {"e3-1-1": 6, "e3-1-2": 9 * 15 / 21, "e3-1-3": 7 * 8 / 18, "e3-1-4": 2}


def kernels_of(server: subprocess.Popen[bytes]) -> list[int]:
    """Return the kernels that a server started, by process id."""
    found = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(server.pid)], capture_output=True, text=True)
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "curriculum.kernel" in line]


def test_a_whole_chapter_by_keyboard_through_reload_crash_and_restart(
    learner: Learner, lab: Lab, course_data: CourseData
) -> None:
    page = learner.page
    with lab.running() as server:
        # Everything is live without a click, and no code is to be seen.
        learner.open(lab, "ch3")
        assert page.locator(".jp-CodeCell .jp-Cell-inputWrapper:visible").count() == 0
        expect(page.locator(".jp-MarkdownCell:visible h1").first).to_contain_text("3.1 接待礼仪")

        play(learner, "e3-1-1", {"order": ORDER[:6]})
        learner.saved("e3-1-1")
        assert learner.kept("e3-1-1") == {"order": ORDER[:6]}

        # Reload in the middle: what was acknowledged is on the screen again.
        page.reload()
        expect(learner.item("e3-1-1").locator(".cs-step")).to_have_count(6, timeout=60_000)

        # The kernel is killed in the middle of working.
        (kernel,) = kernels_of(server)
        os.kill(kernel, signal.SIGKILL)
        play(learner, "e3-1-1", {"order": ORDER})
        learner.saved("e3-1-1")
        assert learner.kept("e3-1-1") == {"order": ORDER}

        play(learner, "e3-1-2", {"path": TALK[:3]})
        learner.saved("e3-1-2")

        # The other language in the middle: theory and exercises follow, no answer is lost.
        learner.switch("en")
        expect(page.locator(".jp-MarkdownCell:visible h1").first).to_contain_text("3.1 Reception etiquette")
        expect(learner.item("e3-1-2").locator(".cs-mine")).to_have_count(3)
        expect(learner.item("e3-1-2").locator(".cs-title")).to_have_text("First visit of a young investor")

    # The server is gone. What is answered now is not saved, and the learner is told so.
    play(learner, "e3-1-2", {"path": TALK[:4]})
    expect(learner.item("e3-1-2").locator(".cs-status")).to_contain_text("Not saved yet", timeout=30_000)
    assert learner.kept("e3-1-2") == {"path": TALK[:3]}

    with lab.running():
        # It heals by itself when the server is back.
        learner.item("e3-1-2").locator('.cs-status[data-status="saved"]').wait_for(timeout=90_000)
        assert learner.kept("e3-1-2") == {"path": TALK[:4]}
        play(learner, "e3-1-2", {"path": TALK})
        expect(learner.item("e3-1-2").locator(".cs-closing")).to_be_visible()
        learner.saved("e3-1-2")

        play(learner, "e3-1-3", {"marked": MARKS})
        learner.saved("e3-1-3")

        for _field in range(12):
            learner.tab_to('[data-item="e3-1-4"] textarea')
            page.keyboard.type(DIARY)
            learner.press("Tab")
        learner.tab_to('[data-item="e3-1-4"] textarea')
        page.keyboard.type("Thank you! <b>bold</b>")
        learner.press("Tab")
        learner.saved("e3-1-4")
        expect(learner.item("e3-1-4").locator(".cs-missing")).to_contain_text("Complete")

        # Six of eight are marked: the learner is told in words, and may hand in all the same.
        learner.tab_to(".cs-hand-in-button")
        learner.press("Enter")
        expect(page.locator(".cs-panel").first).to_contain_text("Not finished: Ninety seconds at the counter")
        learner.tab_to(".cs-panel-actions .cs-button:not(.cs-primary)")
        learner.press("Enter")
        receipt = page.locator(".cs-hand-in")
        # With the zone of the learner's clock, so that it can be held against a deadline anywhere.
        zoned = re.compile(r"Handed in \d{4}-\d\d-\d\d \d\d:\d\d:\d\d (UTC|GMT([+−]\d+(:\d\d)?)?), receipt")
        expect(receipt).to_contain_text(zoned, timeout=30_000)
        expect(receipt).not_to_contain_text("false")
        expect(page.locator(".jp-Dialog")).to_have_count(0)

        # Every acknowledged answer is in the log and, after one more reload, on the screen.
        assert learner.kept("e3-1-2") == {"path": TALK}
        assert set(learner.kept("e3-1-3")["marked"]) == set(MARKS)
        page.reload()
        expect(learner.item("e3-1-1").locator(".cs-step")).to_have_count(14, timeout=60_000)
        expect(learner.item("e3-1-2").locator(".cs-mine")).to_have_count(7)
        expect(learner.item("e3-1-3").locator('[aria-pressed="true"]')).to_have_count(6)
        expect(learner.item("e3-1-4").locator("textarea").first).to_have_value(DIARY)
        # The receipt of the last hand-in stays, too.
        expect(page.locator(".cs-hand-in")).to_contain_text("Handed in", timeout=60_000)
    assert learner.troubles == []

    course_data.instructor("collect", "ch3", update=True)
    course_data.instructor("autograde", "ch3", student_id="mei", force=True)
    connection = sqlite3.connect(course_data.folder / "gradebook.db")
    scores = dict(
        connection.execute(
            "select base_cell.name, grade.auto_score from grade join base_cell on base_cell.id = grade.cell_id"
        ).fetchall()
    )
    connection.close()
    assert {name: scores[name] for name in EXPECTED} == pytest.approx(EXPECTED, abs=1e-9)
    course_data.instructor("generate_feedback", "ch3", student_id="mei", force=True)
    page_text = (course_data.folder / "feedback" / "mei" / "ch3" / "ch3.html").read_text("utf-8")
    assert '<html lang="en">' in page_text
    assert "&lt;b&gt;bold&lt;/b&gt;" in page_text  # a learner's text is text
    notebook = (course_data.folder / "autograded" / "mei" / "ch3" / "ch3.ipynb").read_text("utf-8")
    assert "Thank you" in notebook

    # The learner finds the feedback where the chapter was handed in.
    course_data.instructor("release_feedback", "ch3")
    with lab.running():
        page.goto(lab.address("doc/tree/ch3/ch3.ipynb"))
        expect(page.locator(".cs-look-button")).to_be_visible(timeout=60_000)
        learner.tab_to(".cs-look-button")
        learner.press("Enter")
        link = page.get_by_role("link", name="Open it")
        expect(link).to_be_visible(timeout=30_000)
        with page.expect_popup() as opened:
            link.click()
        expect(opened.value.locator("h1")).to_contain_text("Your feedback")
        expect(opened.value.locator(".total")).to_contain_text("17.54 of 100 points")


def test_single_letters_never_change_the_notebook(learner: Learner, lab: Lab) -> None:
    page = learner.page
    with lab.running():
        learner.open(lab, "ch3")
        cells = len(json.loads((ROOT / "release" / "ch3" / "ch3.ipynb").read_bytes())["cells"])
        expect(page.locator(".jp-Cell")).to_have_count(cells)  # JupyterLab adds the last ones when it has time
        for selector in ('[data-item="e3-1-1"] [data-key^="pool:"]', '[data-item="e3-1-2"] input', "body"):
            if selector != "body":
                learner.tab_to(selector)
            else:
                page.locator(".jp-MarkdownCell:visible").first.click()
            learner.press("Escape", "b", "a", "d", "d", "m", "y", "x", "v")
        time.sleep(0.5)
        expect(page.locator(".jp-Cell")).to_have_count(cells)


def test_two_windows_keep_both_answers_and_the_later_one_wins(learner: Learner, lab: Lab) -> None:
    first = learner.page
    with lab.running():
        learner.open(lab, "ch3")
        second = Learner(first.context.new_page(), learner.home)
        second.open(lab, "ch3")
        learner.page.bring_to_front()
        play(learner, "e3-1-1", {"order": ["tidy-desk"]})
        learner.saved("e3-1-1")
        second.page.bring_to_front()
        play(second, "e3-1-1", {"order": ["tidy-desk", "test-printer"]})
        second.page.wait_for_timeout(3000)
        answers = [r["response"]["order"] for r in learner.log() if r["item"] == "e3-1-1"]
        # The first window's answer is kept, and neither window shows anything but the newest.
        assert answers[0] == ["tidy-desk"]
        newest = answers[-1]
        for someone in (learner, second):
            steps = someone.item("e3-1-1").locator(".cs-step")
            expect(steps).to_have_count(len(newest), timeout=10_000)
