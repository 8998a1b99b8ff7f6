"""Single cards at the preview: what a learner types, presses and reads in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from curriculum.load import CONTENT, load_course
from curriculum.model import LANGUAGES
from tests.e2e.test_preview import serving

pytestmark = pytest.mark.browser

COURSE = load_course()
Open = Callable[[str], Page]
# Room for the longest choice of each list, by the browser's own measure of its letters.
CUT_OFF = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  return [...document.querySelectorAll(".cs-select")].filter((select) => {
    const style = getComputedStyle(select);
    pen.font = style.font;
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return [...select.options].some(({ text }) => pen.measureText(text).width > room);
  }).map(({ dataset }) => dataset.key);
}"""
SCROLLS_INSIDE = """() => [...document.querySelectorAll(".cs-plan *")]
  .filter((node) => ["auto", "scroll"].includes(getComputedStyle(node).overflowY)).map(({ className }) => className)"""


@pytest.fixture
def card(browser: Browser) -> Iterator[Open]:
    """Open an item's card in English."""
    with ExitStack() as stack:

        def open_card(item: str) -> Page:
            server = stack.enter_context(serving(item, CONTENT))
            context = browser.new_context(viewport={"width": 1100, "height": 800})
            stack.callback(context.close)
            page = context.new_page()
            page.goto(f"{server.address}en/")
            page.locator(".cs-host > *").first.wait_for()
            return page

        yield open_card


def test_a_number_that_cannot_be_read_is_marked_in_words_at_once(card: Open) -> None:
    page = card("e5-3-2")
    box = page.locator(".cs-data-question input").first
    note = page.locator(".cs-data-unread").first
    for typed, readable in (("16 entries", True), ("16 条", True), ("16 weeks", False), ("16", True), ("many", False)):
        box.fill(typed)
        box.press("Tab")
        expect(box).to_have_attribute("aria-invalid", "false" if readable else "true")
        expect(note).to_have_text("" if readable else "This can't be read as a number yet")


@pytest.mark.parametrize("start", ["card", "later", "into:me"])
def test_sorting_by_digits_never_loses_the_focus(card: Open, start: str) -> None:
    page = card("e3-4-4")
    page.locator(f'[data-key="{start}"]').focus()
    cards = len(COURSE.items["e3-4-4"].public.model_dump()["cards"])
    for left in range(cards - 1, -1, -1):
        page.keyboard.press("1")
        if left:
            expect(page.locator(".cs-deck-left")).to_have_text("1 card left" if left == 1 else f"{left} cards left")
        assert page.evaluate("Boolean(document.activeElement.dataset.key)"), left
    expect(page.locator(".cs-all-sorted")).to_be_visible()


PLANS = [item.id for item in COURSE.items.values() if item.kind.name == "plan"]


@pytest.mark.parametrize("name", PLANS)
def test_no_choice_of_a_plan_is_cut_off_and_no_panel_scrolls_inside(card: Open, name: str) -> None:
    page = card(name)
    for language in LANGUAGES:
        page.goto(re.sub("/(zh|en)/$", f"/{language}/", page.url))
        page.locator(".cs-select").first.wait_for()
        for width in (1100, 420):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(CUT_OFF) == [], (language, width)
            assert page.evaluate(SCROLLS_INSIDE) == [], (language, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)


def test_who_speaks_in_a_talk_has_a_bubble_of_their_own(card: Open) -> None:
    page = card("e5-2-2")
    who, head = page.locator(".cs-theirs .cs-who"), page.locator(".cs-talk-head")
    expect(who).to_have_text(["Shi, the trainer"])
    expect(head).to_be_hidden()
    page.locator('input[value="one-thing"]').check()
    page.locator("button.cs-primary").click()
    expect(who.last).to_contain_text("Mr Lu (played by Teng Yan) (uneasy, 26 of 100)")
    expect(head).to_be_visible()


def test_agreement_is_worked_out_and_not_read_off(card: Open) -> None:
    page = card("e5-3-4")
    table = page.locator(".cs-data-agreement")
    # By hand: the squared gaps add up to 30, 30 / 72 = .4167; by chance 1.6478; 1 − .4167 / 1.6478 = .75.
    expect(table.locator("tbody tr").last).to_have_text("Mean squared gap0.41671.6478")
    expect(table).not_to_contain_text("0.747")
