"""Finding one's place in a long chapter: its sections at the top and in the menu, and the name of the tab."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from autograde.serve import Lab
from curriculum.load import Theory, load_course
from curriculum.model import Language
from tests.e2e.conftest import Learner, violations

pytestmark = pytest.mark.browser

COURSE = load_course()
CHAPTER = COURSE.chapter("ch2")


def openings(language: Language) -> list[str]:
    parts = [section.parts[0] for section in CHAPTER.sections]
    return [part.text[language].splitlines()[0].removeprefix("# ") for part in parts if isinstance(part, Theory)]


def expect_on_top(heading: Locator) -> None:
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    box = heading.bounding_box()
    assert box
    assert box["y"] < 300


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_section_is_one_step_away(learner: Learner, lab: Lab, language: Language) -> None:
    page = learner.page
    with lab.running():
        learner.open(lab, "ch2")
        page.locator(f'.counterside-languages button[value="{language}"]').click()
        expect(page).to_have_title(CHAPTER.plan.title[language])

        links = page.locator('.jp-MarkdownCell:visible li a[href^="#2."]')
        expect(links).to_have_text(openings(language))
        links.last.focus()
        learner.press("Enter")
        expect_on_top(page.get_by_role("heading", name=openings(language)[-1], exact=True))

        # From anywhere in the chapter, by its name in the bar.
        page.locator("button.counterside-title").click()
        menu = page.locator(".counterside-sections a")
        expect(menu).to_have_text(openings(language))
        assert violations(page, {"include": [[".counterside-chapters"]]}) == []
        menu.nth(1).click()
        expect_on_top(page.get_by_role("heading", name=openings(language)[1], exact=True))
        expect(menu.first).to_be_hidden()
    assert learner.troubles + learner.console == []
