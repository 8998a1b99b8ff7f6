"""A real JupyterLab as a learner has it, and Chromium to drive it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from autograde.bench_browser import CHROMIUM
from autograde.course_data import CourseData
from autograde.serve import Lab, learner_environment, prepare_learner
from curriculum.load import load_course

EXERCISES = {chapter.id: len(chapter.items) for chapter in load_course().chapters}

BEHIND = """selector => {
  const to = document.querySelector(selector);
  return Boolean(to && document.activeElement?.compareDocumentPosition(to) & Node.DOCUMENT_POSITION_PRECEDING);
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "the browser tests need Debian's chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield chromium
        chromium.close()


def use(patch: pytest.MonkeyPatch, folder: Path) -> CourseData:
    patch.setenv("COUNTERSIDE_COURSE", str(folder))
    patch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    return CourseData()


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a course in which every chapter is released, and nothing else has happened."""
    folder = tmp_path_factory.mktemp("released") / "data"
    with pytest.MonkeyPatch.context() as patch:
        data = use(patch, folder)
        for chapter in EXERCISES:
            data.instructor("generate_assignment", chapter, force=True)
            data.instructor("release_assignment", chapter)
    return folder


@pytest.fixture
def course_data(released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CourseData:
    """A course of its own, with every chapter released."""
    shutil.copytree(released, tmp_path / "data")
    return use(monkeypatch, tmp_path / "data")


@pytest.fixture
def lab(course_data: CourseData, tmp_path: Path) -> Lab:
    """The JupyterLab of a learner who has fetched the chapter and never run it."""
    home = prepare_learner(course_data, "mei")
    return Lab(home, learner_environment(home), tmp_path / "lab.log")


def violations(page: Page, context: object = None) -> list[str]:
    found = Axe().run(page, context=context).response["violations"]
    return [f"{v['id']}: {n['target']} {n['failureSummary'][:300]}" for v in found for n in v["nodes"]]


class Learner:
    """Somebody at the keyboard, and nothing but the keyboard."""

    def __init__(self, page: Page, home: Path) -> None:
        self.page = page
        self.home = home
        self.troubles: list[str] = []
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        # Where a server is stopped on purpose, the console is full of lost connections.
        self.console: list[str] = []
        page.on("console", lambda said: self.console.append(said.text) if said.type == "error" else None)

    def open(self, lab: Lab, chapter: str) -> None:
        """Open a chapter and wait until all its exercises are live."""
        self.page.goto(lab.address(f"doc/tree/{chapter}/{chapter}.ipynb"))
        self.wait(chapter)

    def wait(self, chapter: str) -> None:
        expect(self.page.locator(".cs-player")).to_have_count(EXERCISES[chapter], timeout=60_000)

    def item(self, name: str) -> Locator:
        return self.page.locator(f'[data-item="{name}"]')

    def tab_to(self, selector: str) -> None:
        """Press Tab, or Shift and Tab where that is the way, until the focus is on `selector`."""
        back = self.page.evaluate(BEHIND, selector)
        for _press in range(1500):
            if self.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"the keyboard can't reach {selector}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def pick(self, radios: str, value: str) -> None:
        """Choose one of a group of radio buttons."""
        self.tab_to(radios)
        for _press in range(12):
            if self.page.evaluate("document.activeElement.value") == value:
                break
            self.press("ArrowDown")
        if not self.page.evaluate("document.activeElement.checked"):
            self.press("Space")

    def select(self, selector: str, value: str) -> None:
        """Choose from a list that stays folded up."""
        self.tab_to(selector)
        self.press("Home")
        for _press in range(60):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.press("ArrowDown")
        raise AssertionError(f"{selector} doesn't offer {value}")

    def write(self, selector: str, text: str) -> None:
        """Type into a field, in place of what stands there, and leave it."""
        self.tab_to(selector)
        self.press("Control+a")
        self.page.keyboard.type(text)
        self.press("Tab")

    def switch(self, language: str) -> None:
        self.tab_to(f'.counterside-languages button[value="{language}"]')
        self.press("Enter")

    def hand_in(self) -> None:
        """Hand in, though something is missing."""
        self.tab_to(".cs-hand-in-button")
        self.press("Enter")
        self.page.locator(".cs-panel-actions").first.wait_for()
        self.tab_to(".cs-panel-actions .cs-button:not(.cs-primary)")
        self.press("Enter")
        self.page.locator(".cs-receipt-head").wait_for(timeout=30_000)

    def saved(self, name: str) -> None:
        """Wait until the answer is acknowledged."""
        self.item(name).locator('.cs-status[data-status="saved"]').wait_for(timeout=30_000)

    def log(self) -> list[dict[str, Any]]:
        paths = sorted(self.home.glob("*/responses/*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]

    def kept(self, name: str) -> Any:
        """Return the last response that the log holds for an item."""
        return next((r["response"] for r in reversed(self.log()) if r["item"] == name and r["kind"] == "answer"), None)


@pytest.fixture
def learner(browser: Browser, lab: Lab) -> Iterator[Learner]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1100, "height": 900})
    page = context.new_page()
    yield Learner(page, lab.folder)
    context.close()
