"""Everybody can use it: axe-core, both colour schemes, both languages, a narrow screen, no extension."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from autograde.course_data import CourseData
from autograde.serve import LEARNER_LAB, Lab
from curriculum.model import Language
from curriculum.player import Chapter
from tests.e2e.conftest import EXERCISES, Learner, violations
from tests.e2e.plays import COURSE
from tests.e2e.test_types import ROUNDS

pytestmark = pytest.mark.browser

# What is ours in JupyterLab's page: exercises, lessons, the bar on top.
OURS = {"include": [[".cs-card"], [".jp-RenderedMarkdown"], [".counterside-bar"]]}
# Each scheme with each language, each with each width: half of all there are.
VIEWS: tuple[tuple[Literal["light", "dark"], Language, int], ...] = (
    ("light", "zh", 1100),
    ("dark", "en", 1100),
    ("light", "en", 420),
    ("dark", "zh", 420),
)
OVERFLOW = """() => [...document.querySelectorAll('.jp-WindowedPanel-outer, .cs-card')]
  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => `${e.className}: ${e.scrollWidth} > ${e.clientWidth}`)"""


@pytest.fixture
def open_chapter(lab: Lab, learner: Learner) -> Iterator[Learner]:
    with lab.running():
        learner.open(lab, "ch3")
        yield learner


def answer_everything(home: Path, chapter_id: str) -> None:
    """Bring each exercise into the middle of its use, and answer practice in full."""
    chapter = Chapter(home / chapter_id)
    halves = {one.item: one.half for one in ROUNDS}
    for item in COURSE.chapter(chapter_id).items:
        guess = item.kind.play(item.kind.release(item.public), item.key, lambda _texts, _right: 0)
        response = halves.get(item.id, guess)
        if not item.head.practice and "path" in response:
            response = {"path": response["path"][:2]}
        chapter.log.append(
            id=f"answer-to-{item.id}",
            item=item.id,
            hash=chapter.items[item.id]["hash"],
            lang="zh",
            kind="answer",
            response=response,
            ms=0,
            base=None,
        )


@pytest.mark.parametrize("chapter", list(EXERCISES))
def test_no_axe_violation_and_no_overflow_in_either_language_scheme_or_width(
    chapter: str, lab: Lab, learner: Learner
) -> None:
    page = learner.page
    with lab.running():
        learner.open(lab, chapter)
        assert violations(page, OURS) == []
        page.goto("about:blank")
    answer_everything(learner.home, chapter)
    with lab.running():
        learner.open(lab, chapter)
        # Practice shows its feedback.
        check = page.locator(".cs-actions .cs-button.cs-primary")
        while check.count():
            check.first.click()
        page.locator(".cs-hand-in-button").click()
        expect(page.locator(".cs-panel").first).not_to_be_empty()
        practice = sum(item.head.practice for item in COURSE.chapter(chapter).items)
        expect(page.locator(".cs-feedback:visible")).to_have_count(practice)
        for scheme, language, width in VIEWS:
            page.emulate_media(color_scheme=scheme)
            light = "true" if scheme == "light" else "false"
            expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
            page.locator(f'.counterside-languages button[value="{language}"]').click()
            spoken = page.locator(f'.cs-player[lang="{"zh-CN" if language == "zh" else "en"}"]')
            expect(spoken).to_have_count(EXERCISES[chapter])
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(400)  # colours and boxes move for a moment
            assert violations(page, OURS) == [], f"{scheme}, {language}, {width} px"
            assert page.evaluate(OVERFLOW) == [], f"{scheme}, {language}, {width} px"
    assert learner.troubles + learner.console == []


def test_roles_names_and_a_live_region_for_a_screen_reader(open_chapter: Learner) -> None:
    page = open_chapter.page
    page.locator('.counterside-languages button[value="en"]').click()
    ordering = page.get_by_role("article", name="From opening check to farewell")
    step = "Ask what you can do for her today"
    ordering.get_by_role("button", name=step).click()
    expect(ordering.get_by_role("status")).to_contain_text("now 1 of 14")
    expect(
        ordering.get_by_role("listitem").filter(has_text=step).get_by_role("button", name="Put back")
    ).to_be_visible()
    talk = page.get_by_role("article", name="First visit of a young investor")
    assert talk.get_by_role("radio").count() >= 3
    expect(talk.get_by_role("meter")).to_have_attribute("aria-valuenow", "45")
    transcript = page.get_by_role("article", name="Ninety seconds at the counter")
    span = transcript.get_by_role("button").first
    span.click()
    expect(span).to_have_attribute("aria-pressed", "true")
    diary = page.get_by_role("article", name="Three moments of the day")
    expect(diary.get_by_role("textbox", name="The moment").first).to_be_visible()


def test_without_the_extension_the_notebook_works_after_run_all(browser: Browser, lab: Lab, tmp_path: Path) -> None:
    settings = json.loads((LEARNER_LAB / "labconfig" / "page_config.json").read_text())
    settings["disabledExtensions"]["counterside"] = True
    (tmp_path / "plain" / "labconfig").mkdir(parents=True)
    (tmp_path / "plain" / "labconfig" / "page_config.json").write_text(json.dumps(settings))
    plain = Lab(lab.folder, {"JUPYTER_CONFIG_PATH": str(tmp_path / "plain")}, lab.log)
    page = browser.new_context(locale="en-GB").new_page()
    with plain.running():
        page.goto(plain.address("doc/tree/ch3/ch3.ipynb"))
        expect(page.locator(".jp-RenderedMarkdown h1").first).to_be_visible(timeout=60_000)
        # As a person would: JupyterLab drops what is run before the kernel is there.
        kernel = page.locator(".jp-Notebook-ExecutionIndicator")
        expect(kernel).to_have_attribute("data-status", "idle", timeout=60_000)
        page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
        page.get_by_text("Run All Cells", exact=True).click()
        expect(page.locator(".cs-player")).to_have_count(EXERCISES["ch3"], timeout=60_000)
        # Both languages of the lesson, and a language switch in each exercise.
        for title in ("3.1 接待礼仪", "3.1 Reception etiquette"):
            expect(page.locator(".jp-RenderedMarkdown h1", has_text=title)).to_be_visible()
        item = page.locator('[data-item="e3-1-1"]')
        item.get_by_role("button", name="中文").click()
        expect(item.locator(".cs-title")).to_have_text("从开门检查到送别")
        item.locator('[data-key^="pool:"]').first.click()
        item.locator('.cs-status[data-status="saved"]').wait_for()
        page.context.close()


def test_feedback_pages(browser: Browser, course_data: CourseData) -> None:
    from autograde.demo.run import attend, read_cohort

    cohort = [learner for learner in read_cohort() if learner.name in ("expert", "average-lin", "tamperer")]
    for learner in cohort:
        attend(course_data, learner, COURSE.chapter("ch3"))
    course_data.instructor("collect", "ch3", update=True)
    for learner in cohort:
        course_data.instructor("autograde", "ch3", student_id=learner.name, force=True)
        course_data.instructor("generate_feedback", "ch3", student_id=learner.name, force=True)
    pages = sorted((course_data.folder / "feedback").glob("*/ch3/ch3.html"))
    assert len(pages) == 3
    page = browser.new_context().new_page()
    for path in pages:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": 420, "height": 900})
            page.goto(path.as_uri())
            for details in page.locator("details").all()[:3]:
                details.locator("summary").click()
            assert violations(page) == [], f"{path.name}, {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path.name} is too wide"
    page.context.close()
