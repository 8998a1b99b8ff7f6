"""How each item type is played at the keyboard, in either language, and how what it shows is read off the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curriculum.load import load_course
from curriculum.model import Language
from tests.e2e.conftest import Learner

COURSE = load_course()


def play(learner: Learner, item: str, wanted: Any) -> None:
    """Go on from what the log holds of an item until it is answered as wanted."""
    PLAYS[COURSE.items[item].head.type].go_on(learner, item, learner.kept(item) or {}, wanted)


def shown(learner: Learner, item: str) -> Any:
    """Return the answer that the page shows, read off its parts."""
    return learner.item(item).evaluate(PLAYS[COURSE.items[item].head.type].reads)


def seen(item: str, response: Any, language: Language) -> Any:
    """Return what `shown` must return for a response."""
    return PLAYS[COURSE.items[item].head.type].seen(item, response, language)


def at(item: str, part: str) -> str:
    return f'[data-item="{item}"] {part}'


def place_steps(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for step in wanted["order"][len(have.get("order", ())) :]:
        learner.tab_to(at(item, f'[data-key="pool:{step}"]'))
        learner.press("Enter")


def say(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for choice in wanted["path"][len(have.get("path", ())) :]:
        learner.pick(at(item, 'input[type="radio"]'), choice)
        learner.press("Enter")


def mark(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for span in wanted["marked"]:
        if span not in have.get("marked", ()):
            learner.tab_to(at(item, f'[data-span="{span}"]'))
            learner.press("Space")


def tick(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for option in wanted["chosen"]:
        if option not in have.get("chosen", ()):
            learner.tab_to(at(item, f'input[value="{option}"]'))
            learner.press("Space")


def rate(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for reply, level in wanted["ratings"].items():
        if reply not in have.get("ratings", {}):
            learner.pick(at(item, f'[data-reply="{reply}"] input'), str(level))


def choose_ends(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for side in ("best", "worst"):
        if wanted[side] != have.get(side):
            learner.pick(at(item, f'[data-side="{side}"] input'), wanted[side])


def keep_diary(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    def texts(response: Any) -> list[str]:
        return [text for entry in response["entries"] for text in entry.values()] + [response["note"]]

    before = texts(have) if have else [""] * len(texts(wanted))
    for number, (old, new) in enumerate(zip(before, texts(wanted), strict=True)):
        if old != new:
            # The fields have no names of their own.
            learner.item(item).locator("textarea").nth(number).evaluate("(node, n) => { node.dataset.at = n; }", number)
            learner.write(at(item, f'textarea[data-at="{number}"]'), new)


@dataclass(frozen=True)
class Type:
    go_on: Callable[[Learner, str, Any, Any], None]
    reads: str
    seen: Callable[[str, Any, Language], Any] = lambda _item, response, _language: response


def spoken(item: str, response: Any, language: Language) -> Any:
    public: Any = COURSE.items[item].public
    texts = {choice.id: choice.text[language] for node in public.nodes for choice in node.choices}
    return [texts[choice] for choice in response["path"]]


PLAYS = {
    "ordering": Type(
        place_steps,
        "card => ({order: [...card.querySelectorAll('.cs-step-text')].map(node => node.dataset.key.slice(5))})",
    ),
    "dialogue": Type(say, "card => [...card.querySelectorAll('.cs-mine p')].map(node => node.textContent)", spoken),
    "violations": Type(
        mark,
        """card => ({marked: [...card.querySelectorAll('[aria-pressed="true"]')].map(node => node.dataset.span)})""",
    ),
    "multi_select": Type(tick, "card => ({chosen: [...card.querySelectorAll(':checked')].map(node => node.value)})"),
    "rating": Type(
        rate,
        """card => ({ratings: Object.fromEntries([...card.querySelectorAll(':checked')]
          .map(node => [node.closest('[data-reply]').dataset.reply, Number(node.value)]))})""",
    ),
    "best_worst": Type(
        choose_ends,
        """card => Object.fromEntries(['best', 'worst']
          .map(side => [side, card.querySelector(`[data-side="${side}"] :checked`)?.value ?? null]))""",
    ),
    "reflection": Type(
        keep_diary,
        "card => [...card.querySelectorAll('textarea')].map(node => node.value)",
        lambda _item, response, _language: [
            *(text for entry in response["entries"] for text in entry.values()),
            response["note"],
        ],
    ),
}
