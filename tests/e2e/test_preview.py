"""The preview of one item: both languages, one answer, its score, and faults while the author is at work."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from autograde.authoring import new_item
from autograde.place import CourseError
from autograde.preview import PreviewServer, preview_server
from curriculum.load import Course
from curriculum.model import LANGUAGES

pytestmark = pytest.mark.browser
ITEM = "chapters/3-norms/items/e3-1-2.yml"


@contextmanager
def serving(item: str, content: Path) -> Iterator[PreviewServer]:
    with preview_server(item, content) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def served(content: Path) -> Iterator[PreviewServer]:
    with serving("e3-1-2", content) as server:
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


def test_an_answer_in_one_language_is_scored_in_both(served: PreviewServer, page: Page) -> None:
    page.goto(served.address)
    zh, en = page.frame_locator("iframe").nth(0), page.frame_locator("iframe").nth(1)
    zh.get_by_text("年轻投资者的第一次来访").wait_for()
    en.get_by_text("First visit of a young investor").wait_for()
    zh.locator('input[value="keep-distance"]').check()
    zh.locator("button.cs-primary").click()
    # keep-distance is worth 3 points of the best path's 21.
    for frame in (zh, en):
        frame.locator("#score .mark").get_by_text("14.29 / 100 %").wait_for()
    en.locator(".cs-mine").get_by_text("Look around as long as you like").wait_for()
    # The way it went and every other one: 15 moments, each a box.
    assert en.locator(".picture svg rect").count() == zh.locator(".picture svg rect").count() > 10


def test_faults_are_shown_while_the_author_is_at_work(served: PreviewServer, page: Page, content: Path) -> None:
    path = content / ITEM
    path.write_text(path.read_text("utf-8").replace("to: settles", "to: nowhere", 1), "utf-8")
    page.goto(served.address)
    page.frame_locator("iframe").nth(1).get_by_text("nowhere").wait_for()


def test_trying_again_starts_at_the_first_control(course: Course, content: Path, page: Page) -> None:
    path = new_item("plan", "p3-1-9", course, content)
    text = re.sub("‹([^›]*)›", r"\1", path.read_text("utf-8")).replace("practice: false", "practice: true")
    path.write_text(text, "utf-8")
    for language in LANGUAGES:
        lesson = content / f"chapters/3-norms/3-1.{language}.md"
        lesson.write_text(lesson.read_text("utf-8") + "\n{{ item p3-1-9 }}\n", "utf-8")
    with serving("p3-1-9", content) as server:
        page.goto(f"{server.address}en/")
        choices = page.locator(".cs-plan select")
        choices.first.wait_for()
        for number in range(choices.count()):
            choices.nth(number).select_option(index=1)
        page.get_by_role("button", name="Check my answer").click()
        page.get_by_role("button", name="Try again").click()
        expect(choices.first).to_be_focused()
        expect(choices.first).to_have_value("")


def test_an_item_that_has_no_place_yet_can_be_looked_at(served: PreviewServer, page: Page, content: Path) -> None:
    plan = content / "course.yml"
    plan.write_text(plan.read_text("utf-8").replace("e3-1-2: 40, ", ""), "utf-8")
    for lesson in content.glob("chapters/3-norms/3-1.*.md"):
        lesson.write_text(lesson.read_text("utf-8").replace("{{ item e3-1-2 }}", ""), "utf-8")
    page.goto(served.address)
    page.frame_locator("iframe").nth(1).locator("#score").get_by_text("You did not answer").wait_for()


def test_the_address_is_the_key_to_it(served: PreviewServer) -> None:
    root = served.address.split("/", 3)
    for path in ("", "en/score", "wrong-key/en/score"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{root[0]}//{root[2]}/{path}")
        assert error.value.code == 404
        error.value.close()


def test_no_such_item(content: Path) -> None:
    with pytest.raises(CourseError, match="counterside new"), preview_server("e9-9-9", content):
        pass
