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
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from autograde.bench_browser import CHROMIUM
from autograde.course_data import CourseData
from autograde.serve import Lab, learner_environment, prepare_learner
from curriculum.load import load_course

EXERCISES = len(load_course().chapter("ch3").items)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "the browser tests need Debian's chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield chromium
        chromium.close()


@pytest.fixture
def course_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CourseData:
    """A course of its own, with chapter 3 released."""
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    data = CourseData()
    data.instructor("generate_assignment", "ch3", force=True)
    data.instructor("release_assignment", "ch3")
    return data


@pytest.fixture
def lab(course_data: CourseData, tmp_path: Path) -> Lab:
    """The JupyterLab of a learner who has fetched the chapter and never run it."""
    home = prepare_learner(course_data, "mei")
    return Lab(home, learner_environment(home), tmp_path / "lab.log")


class Learner:
    """Somebody at the keyboard, and nothing but the keyboard."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.troubles: list[str] = []
        page.on("pageerror", lambda error: self.troubles.append(str(error)))

    def item(self, name: str) -> Locator:
        return self.page.locator(f'[data-item="{name}"]')

    def tab_to(self, selector: str, back: bool = False) -> None:
        """Press Tab until the focus is on `selector`."""
        for _press in range(600):
            if self.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"the keyboard can't reach {selector}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self, name: str) -> None:
        """Wait until the answer is acknowledged."""
        self.item(name).locator('.cs-status[data-status="saved"]').wait_for(timeout=30_000)

    def log(self) -> list[dict[str, Any]]:
        path = self.folder / "responses" / "ch3.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []

    def kept(self, name: str) -> Any:
        """Return the last response that the log holds for an item."""
        return next(r["response"] for r in reversed(self.log()) if r["item"] == name and r["kind"] == "answer")

    def place(self, *steps: str) -> None:
        """Order steps, one after the other, from the pool."""
        for step in steps:
            self.tab_to(f'[data-item="e3-1-1"] [data-key="pool:{step}"]', back=self.is_before(f"pool:{step}"))
            self.press("Enter")

    def is_before(self, key: str) -> bool:
        return bool(
            self.page.evaluate(
                """key => {
                  const to = document.querySelector(`[data-item="e3-1-1"] [data-key="${key}"]`);
                  const at = document.activeElement;
                  return Boolean(to && at && (to.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_FOLLOWING));
                }""",
                key,
            )
        )

    def say(self, choice: str) -> None:
        """Choose a reply in the talk and say it."""
        group = '[data-item="e3-1-2"] input[type="radio"]'
        self.tab_to(group)
        for _press in range(6):
            if self.page.evaluate("() => document.activeElement.dataset.key") == choice:
                break
            self.press("ArrowDown")
        if not self.page.evaluate("() => document.activeElement.checked"):
            self.press("Enter")
        self.press("Enter")

    def mark(self, *spans: str) -> None:
        for span in spans:
            self.tab_to(f'[data-item="e3-1-3"] [data-span="{span}"]')
            self.press("Space")


@pytest.fixture
def learner(browser: Browser, lab: Lab) -> Iterator[Learner]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1100, "height": 900})
    page = context.new_page()
    yield Learner(page, lab.folder / "ch3")
    context.close()
