"""Multi-select: choose the given number of options that hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from annotated_types import Interval, Len
from pydantic import Strict

from curriculum.checks import broken_links, duplicate_ids, rationales, repeated, stranger
from curriculum.model import Choose, Fault, ItemId, Key, Model, Public, Rationale, Response, Text

MAX_OPTIONS = 10


class Option(Model):
    id: ItemId
    text: Text


class MultiSelectPublic(Public):
    """`choose` is how many options hold; learners are told, and can choose no more."""

    choose: Annotated[int, Strict(), Interval(ge=1)]
    options: Annotated[tuple[Option, ...], Len(4, MAX_OPTIONS)]


class MultiSelectKey(Key):
    """`correct` is the options that hold, in any order."""

    correct: Annotated[tuple[ItemId, ...], Len(1, MAX_OPTIONS)]
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)


class MultiSelectResponse(Response):
    chosen: Annotated[tuple[str, ...], Len(0, MAX_OPTIONS)]


def check(public: MultiSelectPublic, key: MultiSelectKey) -> Iterator[Fault]:
    ids = [option.id for option in public.options]
    yield from duplicate_ids(("public", "options"), ids, "option")
    yield from broken_links(("key", "correct"), key.correct, ids, "option")
    yield from repeated(("key", "correct"), key.correct)
    count = len(set(key.correct))
    if public.choose != count:
        message = f"`choose` says {public.choose}, and the key has {count} options; make them agree"
        yield Fault("contradiction", ("public", "choose"), message)
    if 2 * count > len(ids):
        message = f"{count} of {len(ids)} options hold, so that guessing pays; let at most half of them hold"
        yield Fault("key-too-large", ("key", "correct"), message)
    if {*key.correct} in ({*sorted(ids)[:count]}, {*sorted(ids)[-count:]}):
        message = "learners see the options sorted by id, and those that hold stand together at one end; rename some"
        yield Fault("order-given-away", ("public", "options"), message)
    yield from rationales(key.rationales, ids, "option")


def unknown(public: MultiSelectPublic, response: MultiSelectResponse) -> str | None:
    one_too_many = next(iter(response.chosen[public.choose :]), None)
    return stranger(response.chosen, {option.id for option in public.options}) or one_too_many


def missing(public: MultiSelectPublic, response: MultiSelectResponse) -> Text | None:
    left = public.choose - len(response.chosen)
    if left <= 0:
        return None
    return Text(
        zh=f"一共选 {public.choose} 项，还差 {left} 项。",
        en=f"Choose {public.choose}; {left} {'is' if left == 1 else 'are'} still to be chosen.",
    )


def release(public: MultiSelectPublic) -> MultiSelectPublic:
    return public.model_copy(update={"options": tuple(sorted(public.options, key=lambda option: option.id))})


def labels(public: MultiSelectPublic, key: MultiSelectKey) -> dict[str, Text]:
    return {option.id: option.text for option in public.options}


def play(public: MultiSelectPublic, key: MultiSelectKey, choose: Choose) -> dict[str, list[str]]:
    left, chosen = list(public.options), list[str]()
    for _choice in range(min(public.choose, len(left))):
        right = next((i for i, option in enumerate(left) if option.id in key.correct), 0)
        chosen.append(left.pop(choose([option.text for option in left], right)).id)
    return {"chosen": chosen}
