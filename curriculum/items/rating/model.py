"""Rating: say of each reply to a situation how suitable it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from annotated_types import Interval, Len
from pydantic import Strict

from curriculum.checks import broken_links, duplicate_ids, keyed, orphans, rationales, stranger
from curriculum.model import Choose, Fault, ItemId, Key, Model, Public, Rationale, Response, Text

MAX_REPLIES = 20
LEVELS: Mapping[int, Text] = {
    1: Text(zh="有害", en="Harmful"),
    2: Text(zh="不太合适", en="Hardly suitable"),
    3: Text(zh="比较合适", en="Fairly suitable"),
    4: Text(zh="很合适", en="Very suitable"),
}
WORST, ACCEPTABLE, BEST = 1, 3, 4
FLAT_LIMIT = 0.6

Level = Annotated[int, Strict(), Interval(ge=WORST, le=BEST)]


class Reply(Model):
    id: ItemId
    text: Text


class RatingPublic(Public):
    replies: Annotated[tuple[Reply, ...], Len(4, MAX_REPLIES)]


class RatingKey(Key):
    """`levels` by reply, 4 very suitable to 1 harmful; `weights` of replies that count more than 1."""

    levels: Mapping[ItemId, Level]
    weights: Mapping[ItemId, Annotated[int, Strict(), Interval(ge=1, le=3)]] = {}
    red_lines: tuple[ItemId, ...] = ()
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)

    def weight(self, ref: str) -> int:
        return self.weights.get(ref, 1)


class RatingResponse(Response):
    ratings: Annotated[Mapping[str, Level], Len(0, MAX_REPLIES)]


def crosses(key: RatingKey, reply: str, level: int) -> bool:
    """Return whether this rating calls a red line acceptable."""
    return reply in key.red_lines and level >= ACCEPTABLE


def credit(key: RatingKey, reply: str, level: int) -> float:
    """Return what a rating earns of the reply's weight, in raw units."""
    if crosses(key, reply, level):
        return 0.0
    distance = abs(level - key.levels[reply])
    return key.weight(reply) * (1 - distance / (BEST - WORST))


def check(public: RatingPublic, key: RatingKey) -> Iterator[Fault]:
    ids = [reply.id for reply in public.replies]
    yield from duplicate_ids(("public", "replies"), ids, "reply")
    yield from keyed(("key", "levels"), key.levels, ids, "reply", "level; give it one, 1 to 4")
    yield from orphans(("key", "weights"), key.weights, ids, "reply")
    yield from broken_links(("key", "red_lines"), key.red_lines, ids, "reply")
    for i, name in enumerate(key.red_lines):
        if key.levels.get(name, WORST) != WORST:
            message = f"“{name}” crosses a red line and must be harmful; give it level {WORST}"
            yield Fault("contradiction", ("key", "red_lines", i), message)
    yield from check_flat(key, [name for name in ids if name in key.levels])
    yield from rationales(key.rationales, ids, "reply", [name for name in ids if key.levels.get(name, BEST) < BEST])


def check_flat(key: RatingKey, ids: list[str]) -> Iterator[Fault]:
    """Report a key that pays for giving all replies the same level."""
    if len({key.levels[name] for name in ids}) == 1:
        message = "all replies have the same level, so there is nothing to tell apart; change some"
        yield Fault("contradiction", ("key", "levels"), message)
        return
    possible = sum(key.weight(name) for name in ids)
    for level in LEVELS:
        if ids and sum(credit(key, name, level) for name in ids) >= FLAT_LIMIT * possible:
            message = (
                f"rating every reply {level} earns {FLAT_LIMIT:.0%} or more; "
                "give replies at both ends of the scale more weight, or add one"
            )
            yield Fault("flat-answer-pays", ("key", "levels"), message)


def unknown(public: RatingPublic, response: RatingResponse) -> str | None:
    return stranger(response.ratings, {reply.id for reply in public.replies})


def missing(public: RatingPublic, response: RatingResponse) -> Text | None:
    left = len(public.replies) - len(response.ratings)
    if left == 0:
        return None
    return Text(
        zh=f"还有 {left} 种回应没有评。",
        en="One reply is not rated yet." if left == 1 else f"{left} replies are not rated yet.",
    )


def release(public: RatingPublic) -> RatingPublic:
    return public.model_copy(update={"replies": tuple(sorted(public.replies, key=lambda reply: reply.id))})


def labels(public: RatingPublic, key: RatingKey) -> dict[str, Text]:
    return {reply.id: reply.text for reply in public.replies}


def play(public: RatingPublic, key: RatingKey, choose: Choose) -> dict[str, dict[str, int]]:
    levels, texts = list(LEVELS), list(LEVELS.values())
    return {
        "ratings": {reply.id: levels[choose(texts, levels.index(key.levels[reply.id]))] for reply in public.replies}
    }
