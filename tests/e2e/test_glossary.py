"""A term in a lesson says what it means where it stands."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from autograde.serve import Lab
from curriculum.load import load_course
from curriculum.model import Language
from tests.e2e.conftest import Learner, violations

pytestmark = pytest.mark.browser

COURSE = load_course()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_meaning_opens_beside_the_term_and_gives_the_keyboard_back(
    learner: Learner, lab: Lab, language: Language
) -> None:
    page = learner.page
    term = COURSE.glossary[COURSE.chapter("ch3").sections[0].terms[0]]
    with lab.running():
        learner.open(lab, "ch3")
        page.locator(f'.counterside-languages button[value="{language}"]').click()
        link = page.locator(f'.jp-MarkdownCell a[href="{term.anchor}"]:visible').first
        link.focus()
        learner.press("Enter")
        note = page.get_by_role("dialog", name=term.heading)
        expect(note).to_contain_text(term.meaning[language])
        expect(note).to_be_in_viewport(ratio=1)
        expect(note).to_be_focused()
        learner.press("Escape")
        expect(note).to_be_hidden()
        expect(link).to_be_focused()
        page.set_viewport_size({"width": 420, "height": 900})
        link.click()
        expect(note).to_be_in_viewport(ratio=1)
        assert violations(page, {"include": [[".counterside-term"]]}) == []
    assert learner.troubles + learner.console == []
