"""Classification: sort cards into the categories where they belong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated

from annotated_types import Interval, Len

from curriculum.checks import broken_links, duplicate_ids, keyed, rationales
from curriculum.model import Choose, Fault, ItemId, Key, Model, Number, Public, Rationale, Response, Text

MAX_CARDS = 20
WHOLE = ""  # what evidence about all cards together refers to; no card can be called that


class Card(Model):
    id: ItemId
    text: Text


class Category(Model):
    id: ItemId
    label: Text
    hint: Text | None = None


class ClassificationPublic(Public):
    categories: Annotated[tuple[Category, ...], Len(2, 6)]
    cards: Annotated[tuple[Card, ...], Len(4, MAX_CARDS)]


class Over(Model):
    """A placement that gives too much away, such as confidential data under “may be told”."""

    card: ItemId
    category: ItemId
    red_line: bool = False


class ClassificationKey(Key):
    """`belongs` maps a card to its category; a placement in `over` caps the share at `cap`."""

    belongs: Mapping[ItemId, ItemId]
    over: Annotated[tuple[Over, ...], Len(0, MAX_CARDS)] = ()
    cap: Annotated[Number, Interval(ge=0, lt=1)] = 0.4
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        if ref == WHOLE:
            return Rationale(
                why=Text(
                    zh="这样，随手乱放大致得不到分，真正分清的才算数。",
                    en="This way random sorting earns next to nothing, and what you can tell apart counts.",
                )
            )
        return self.rationales.get(ref)


class ClassificationResponse(Response):
    """Category by card; a card that isn't there is still unsorted."""

    placed: Annotated[Mapping[str, str], Len(0, MAX_CARDS)]


def check(public: ClassificationPublic, key: ClassificationKey) -> Iterator[Fault]:
    cards = [card.id for card in public.cards]
    categories = [category.id for category in public.categories]
    yield from duplicate_ids(("public", "cards"), cards, "card")
    yield from duplicate_ids(("public", "categories"), categories, "category")
    yield from keyed(("key", "belongs"), key.belongs, cards, "card", "category; say where it belongs")
    for card, category in key.belongs.items():
        if category not in categories:
            yield Fault("broken-link", ("key", "belongs", card), f"there is no category “{category}”; mend the id")
    for i, category in enumerate(categories):
        if category not in key.belongs.values():
            message = f"no card belongs to “{category}”; add one or take the category out"
            yield Fault("choice-without-effect", ("public", "categories", i), message)
    for i, over in enumerate(key.over):
        yield from broken_links(("key", "over", i, "card"), (over.card,), cards, "card")
        yield from broken_links(("key", "over", i, "category"), (over.category,), categories, "category")
        if key.belongs.get(over.card) == over.category:
            message = f"“{over.card}” belongs to “{over.category}”, so it can't give too much away there"
            yield Fault("contradiction", ("key", "over", i), message)
    yield from rationales(key.rationales, cards, "card", {over.card for over in key.over})
    sorted_by_id = [key.belongs.get(card) for card in sorted(cards)]
    changes = sum(before != after for before, after in pairwise(sorted_by_id))
    if changes < len(set(sorted_by_id)) < len(cards):
        message = "in alphabetical order the cards stand category by category; rename some"
        yield Fault("order-given-away", ("public", "cards"), message)


def unknown(public: ClassificationPublic, response: ClassificationResponse) -> str | None:
    cards = {card.id for card in public.cards}
    categories = {category.id for category in public.categories}
    for card, category in response.placed.items():
        if card not in cards:
            return card
        if category not in categories:
            return category
    return None


def missing(public: ClassificationPublic, response: ClassificationResponse) -> Text | None:
    left = len(public.cards) - len(response.placed)
    if left == 0:
        return None
    return Text(
        zh=f"还有 {left} 张卡片没有分类。",
        en="One card is not sorted yet." if left == 1 else f"{left} cards are not sorted yet.",
    )


def release(public: ClassificationPublic) -> ClassificationPublic:
    return public.model_copy(update={"cards": tuple(sorted(public.cards, key=lambda card: card.id))})


def labels(public: ClassificationPublic, key: ClassificationKey) -> dict[str, Text]:
    return {WHOLE: public.prompt, **{card.id: card.text for card in public.cards}}


def play(public: ClassificationPublic, key: ClassificationKey, choose: Choose) -> dict[str, dict[str, str]]:
    names, ids = [category.label for category in public.categories], [category.id for category in public.categories]
    return {"placed": {card.id: ids[choose(names, ids.index(key.belongs[card.id]))] for card in public.cards}}
