"""Best and worst: choose the best and the worst reply to a situation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from annotated_types import Len

from curriculum.checks import broken_links, duplicate_ids, rationales, repeated, stranger
from curriculum.model import Choose, Fault, ItemId, Key, Model, Public, Rationale, Response, Text

MAX_REPLIES = 6


class Reply(Model):
    id: ItemId
    text: Text


class BestWorstPublic(Public):
    replies: Annotated[tuple[Reply, ...], Len(4, MAX_REPLIES)]


class BestWorstKey(Key):
    """`order` is all replies from best to worst; those in `red_lines` stand at its end."""

    order: Annotated[tuple[ItemId, ...], Len(4, MAX_REPLIES)]
    red_lines: tuple[ItemId, ...] = ()
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)


class BestWorstResponse(Response):
    best: str | None = None
    worst: str | None = None


def check(public: BestWorstPublic, key: BestWorstKey) -> Iterator[Fault]:
    ids = [reply.id for reply in public.replies]
    yield from duplicate_ids(("public", "replies"), ids, "reply")
    yield from broken_links(("key", "order"), key.order, ids, "reply")
    yield from repeated(("key", "order"), key.order)
    for name in ids:
        if name not in key.order:
            yield Fault("unscored-choice", ("key", "order"), f"“{name}” has no place in the order; add it")
    yield from broken_links(("key", "red_lines"), key.red_lines, ids, "reply")
    red = [name in key.red_lines for name in key.order]
    if red != sorted(red) or all(red):
        message = "a reply that crosses a red line stands above one that does not; move it to the end"
        yield Fault("contradiction", ("key", "order"), message)
    if sorted(ids) in (list(key.order), list(reversed(key.order))):
        message = "the ids in alphabetical order give the answer away; rename some"
        yield Fault("order-given-away", ("public", "replies"), message)
    yield from rationales(key.rationales, ids, "reply", key.order[1:])


def unknown(public: BestWorstPublic, response: BestWorstResponse) -> str | None:
    chosen = [name for name in (response.best, response.worst) if name is not None]
    return stranger(chosen, {reply.id for reply in public.replies})


def missing(public: BestWorstPublic, response: BestWorstResponse) -> Text | None:
    if response.best is None and response.worst is None:
        return Text(zh="还没有选最好和最差的回应。", en="The best and the worst reply are still to be chosen.")
    if response.best is None:
        return Text(zh="还没有选最好的回应。", en="The best reply is still to be chosen.")
    if response.worst is None:
        return Text(zh="还没有选最差的回应。", en="The worst reply is still to be chosen.")
    return None


def release(public: BestWorstPublic) -> BestWorstPublic:
    return public.model_copy(update={"replies": tuple(sorted(public.replies, key=lambda reply: reply.id))})


def labels(public: BestWorstPublic, key: BestWorstKey) -> dict[str, Text]:
    return {reply.id: reply.text for reply in public.replies}


def play(public: BestWorstPublic, key: BestWorstKey, choose: Choose) -> dict[str, str]:
    left = list(public.replies)

    def pick(right: str) -> str:
        ids = [reply.id for reply in left]
        # The right one is gone where it was taken for the other end.
        at = ids.index(right) if right in ids else 0
        return left.pop(choose([reply.text for reply in left], at)).id

    return {"best": pick(key.order[0]), "worst": pick(key.order[-1])}
