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


def sort_cards(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    public: Any = COURSE.items[item].kind.release(COURSE.items[item].public)
    figures = {category.id: str(number) for number, category in enumerate(public.categories, 1)}
    learner.tab_to(at(item, '[data-key="card"]'))
    for card in public.cards:
        if card.id not in have.get("placed", ()):
            learner.press(figures[wanted["placed"][card.id]] if card.id in wanted["placed"] else "ArrowRight")


def calculate(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for field, text in wanted["values"].items():
        if have.get("values", {}).get(field) != text:
            learner.write(at(item, f'[data-key="field:{field}"]'), text)
    if wanted["choice"] != have.get("choice"):
        learner.pick(at(item, ".cs-conclusion input"), wanted["choice"])


def write_message(learner: Learner, item: str, _have: Any, wanted: Any) -> None:
    learner.write(at(item, "textarea"), wanted["text"])


def answer_queue(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    if not have:
        begin_shift(learner, item, wanted["mode"])
    for event in wanted["events"][len(have.get("events", ())) :]:
        learner.tab_to(at(item, f'[data-key="queue:{event["case"]}"]'))
        learner.press("Enter")
        replies = learner.item(item).locator(".cs-options input")
        figure = replies.evaluate_all("(all, id) => all.findIndex(node => node.value === id) + 1", event["reply"])
        learner.press(str(figure), "Enter")
        learner.pick(at(item, ".cs-priorities input"), event["priority"])
        learner.press("Enter")
    if wanted["finished"]:
        for key in ("finish", "really"):
            learner.tab_to(at(item, f'[data-key="{key}"]'))
            learner.press("Enter")


def begin_shift(learner: Learner, item: str, mode: str) -> None:
    learner.tab_to(at(item, f'[data-key="{mode}"]'))
    learner.press("Enter")


def analyse(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    public: Any = COURSE.items[item].public
    for number, question in enumerate(public.questions, 1):
        text = wanted["values"].get(question.id)
        if text and have.get("values", {}).get(question.id) != text:
            learner.write(at(item, f".cs-data-question:nth-child({number}) input"), text)
    before = have.get("view") or dict.fromkeys(wanted["view"]) | {"type": "table"}
    for column, values in wanted["view"]["where"].items():
        for value in values:
            if value not in (before["where"] or {}).get(column, ()):
                learner.select(at(item, '[data-key="column"]'), column)
                learner.select(at(item, f'select:has(option[value="{value}"])'), value)
                learner.tab_to(at(item, ".cs-data-controls button"))
                learner.press("Enter")
    for name in ("sorted", "labelled", "base"):
        if wanted["view"][name] != bool(before[name]):
            learner.tab_to(at(item, f'input[type="checkbox"][value="{name}"]'))
            learner.press("Space")
    if wanted["view"]["by"] != before["by"]:
        learner.select(
            at(item, f'select:has(option[value="{wanted["view"]["by"]}"]):not([data-key])'), wanted["view"]["by"]
        )
    if wanted["view"]["type"] != before["type"]:
        learner.pick(at(item, '.cs-data-tool input[type="radio"]'), wanted["view"]["type"])
    if wanted["chart"] != have.get("chart"):
        learner.tab_to(at(item, ".cs-data-take button"))
        learner.press("Enter")
    if wanted["choice"] != have.get("choice"):
        learner.pick(at(item, '[data-key^="conclusion:"]'), wanted["choice"])


def fill_plan(learner: Learner, item: str, have: Any, wanted: Any) -> None:
    for row, fields in wanted["plan"].items():
        for field, option in fields.items():
            if have.get("plan", {}).get(row, {}).get(field) != option:
                learner.select(at(item, f'[data-key="{row}.{field}"]'), option)


@dataclass(frozen=True)
class Type:
    go_on: Callable[[Learner, str, Any, Any], None]
    reads: str
    seen: Callable[[str, Any, Language], Any] = lambda _item, response, _language: response


def spoken(item: str, response: Any, language: Language) -> Any:
    public: Any = COURSE.items[item].public
    texts = {choice.id: choice.text[language] for node in public.nodes for choice in node.choices}
    return [texts[choice] for choice in response["path"]]


def queue_or_figures(item: str, response: Any, _language: Language) -> Any:
    """Return who is waiting, or after the end how many were answered, only asked to wait, and left."""
    public: Any = COURSE.items[item].public
    holds = {(case.id, reply.id) for case in public.cases for reply in case.replies if reply.holds}
    answered = {e["case"] for e in response["events"] if (e["case"], e["reply"]) not in holds}
    if response["finished"]:
        asked = {e["case"] for e in response["events"]}
        return [len(answered), len(asked - answered), len(public.cases) - len(asked)]
    return [case.id for case in public.queue if case.arrives <= response["clock"] and case.id not in answered]


def tools_and_answers(item: str, response: Any, _language: Language) -> Any:
    public: Any = COURSE.items[item].public
    view = response["view"]
    return {
        "values": [response["values"].get(question.id, "") for question in public.questions],
        "where": [f"{column}:{value}" for column, values in view["where"].items() for value in values],
        "view": [view["type"], *(name for name in ("sorted", "labelled", "base") if view[name])],
        "chart": int(response["chart"] is not None),
        "choice": [response["choice"]] if response["choice"] else [],
    }


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
    "classification": Type(
        sort_cards,
        """card => ({placed: Object.fromEntries([...card.querySelectorAll('.cs-heap [data-sorted]')]
          .map(node => [node.dataset.sorted, node.closest('.cs-heap').dataset.into]))})""",
    ),
    "numeric": Type(
        calculate,
        """card => ({
          values: Object.fromEntries([...card.querySelectorAll('[data-key^="field:"]')]
            .filter(node => node.value).map(node => [node.dataset.key.slice(6), node.value])),
          choice: card.querySelector(':checked')?.value ?? null,
        })""",
    ),
    "free_text": Type(write_message, "card => ({text: card.querySelector('textarea').value})"),
    "triage": Type(
        answer_queue,
        """card => card.querySelector('.cs-shift-end')
          ? [...card.querySelectorAll('.cs-shift-end dd')].map(node => Number(node.textContent))
          : [...card.querySelectorAll('.cs-queue-card')].map(node => node.dataset.key.slice(6))""",
        queue_or_figures,
    ),
    "data_analysis": Type(
        analyse,
        """card => {
          const values = selector => [...card.querySelectorAll(selector)].map(node => node.value);
          return {
            values: values('.cs-data-question input'),
            where: [...card.querySelectorAll('.cs-data-chip')].map(node => node.dataset.key.slice(5)),
            view: values('.cs-data-tool :checked:not(option)'),
            chart: card.querySelectorAll('.cs-data-my-chart figure').length,
            choice: values('[data-key^="conclusion:"]:checked'),
          };
        }""",
        tools_and_answers,
    ),
    "plan": Type(
        fill_plan,
        """card => {
          const plan = {};
          for (const { value, dataset } of card.querySelectorAll('select')) {
            const [row, field] = dataset.key.split('.');
            if (value) (plan[row] ??= {})[field] = value;
          }
          return { plan };
        }""",
    ),
}
