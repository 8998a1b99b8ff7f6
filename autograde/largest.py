"""The largest item that a type allows, grown from the type's example.

Nothing here knows a type. The example is made larger as long as the type's models accept it, its check does
not call it too large, and its scorer gives a verdict. So a new type is measured at its own limits without a
line written for that. Learners' texts and lists get longer; whatever has an id is copied under a new one, in
the public part, the key and the response at once; parts that lead to one another, such as the moments of a
talk, come to stand in a row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from random import Random
from typing import Any

from autograde.examples import Example
from curriculum.model import Item
from curriculum.verdict import judge

# What grows that far has no limit; learners don't fill it, and the author keeps it short.
UNLIMITED, UNLIMITED_TEXT = 1000, 100_000
SHORT_TEXT = 100
MOST_COPIES = 100
PLAYS = 5

Keys = tuple[str | int, ...]
Data = dict[str, Any]
Accepts = Callable[[Data], bool]


@dataclass(frozen=True)
class Largest:
    """An item at its type's limits, and the longest response to it."""

    item: Item
    response: Any

    @property
    def size(self) -> int:
        """Characters of the response as JSON."""
        return len(json.dumps(self.response, ensure_ascii=False))


def largest(example: Example) -> Largest:
    """Return an example grown to its type's limits."""
    item = example.item
    data: Data = {
        "public": item.public.model_dump(mode="json"),
        "key": item.key.model_dump(mode="json"),
        "response": example.responses[0],
    }

    def accepts(grown: Data) -> bool:
        try:
            verify(built(item, grown), grown["response"])
        except Exception:  # the item is one that lint refuses, and then anything may go wrong
            return False
        return True

    for grow in (put_in_a_row, stretched, multiplied):
        data = grow(data, accepts)
    grown = built(item, data)
    candidates = [Largest(grown, response) for response in (data["response"], *guesses(grown))]
    return max(candidates, key=lambda candidate: candidate.size)


def built(item: Item, data: Data) -> Item:
    public, key = item.kind.public.model_validate(data["public"]), item.kind.key.model_validate(data["key"])
    return replace(item, public=public, key=key)


def verify(item: Item, response: Any) -> None:
    """Raise whatever the type raises, and ValueError where its check finds the item too large."""
    if any(fault.rule == "too-large" for fault in item.kind.check(item.public, item.key)):
        raise ValueError
    for given in (response, *guesses(item)):
        judge(item, given)


def guesses(item: Item) -> Iterator[Any]:
    """Yield responses of somebody who tries things out."""
    random = Random(item.id)
    for _play in range(PLAYS):
        yield item.kind.play(item.public, item.key, lambda texts, _right: random.randrange(len(texts)))


def put_in_a_row(data: Data, accepts: Accepts) -> Data:
    """Put copies of each part that leads to others of its kind between it and them."""
    for keys in part_keys(data["public"]):
        name = at(data["public"], keys)["id"]
        siblings = {part["id"] for part in at(data["public"], keys[:-1])} - {name}
        if siblings.isdisjoint(value for _keys, value in walk(at(data["public"], keys)) if isinstance(value, str)):
            continue
        for copy in new_names(name, data):
            # What was said so far is said as before: the response meets the copies when it gets longer.
            grown = {**with_copy(data, name, copy), "response": data["response"]}
            part = next(part for _keys, part in walk(grown["public"]) if is_part(part) and part["id"] == name)
            for place, value in walk(part):
                if isinstance(value, str) and value in siblings:
                    at(part, place[:-1])[place[-1]] = copy
            if not accepts(grown):
                break
            siblings.add(copy)
            data = grown
    return data


def stretched(data: Data, accepts: Accepts) -> Data:
    """Make texts and lists longer, and numbers of the public part larger, up to their limits."""
    names = {at(data["public"], keys)["id"] for keys in part_keys(data["public"])}
    for keys in [(top, *keys) for top in data for keys, _value in walk(data[top])]:
        value = at(data, keys)
        # What names parts grows with the parts; only a response may name one twice.
        if keys[0] == "response" or not isinstance(value, list) or not any(is_name(inner, names) for inner in value):
            data = stretched_at(keys, value, data, accepts)
    return data


def is_name(value: Any, names: Collection[str]) -> bool:
    return isinstance(value, str) and value in names


def stretched_at(keys: Keys, value: Any, data: Data, accepts: Accepts) -> Data:
    longer, limit = stretcher(keys, value)
    if longer is None:
        return data
    more = most(lambda more: accepts(replaced(data, keys, longer(more))), limit)
    is_short = isinstance(value, str) and len(value) + more < SHORT_TEXT
    return data if is_short or not more else replaced(data, keys, longer(more))


def stretcher(keys: Keys, value: Any) -> tuple[Callable[[int], Any] | None, int]:
    """Return what makes a value larger by so and so much, and when it counts as unlimited."""
    if isinstance(value, list) and value and not is_part(value[-1]):
        return lambda more: [*value, *[value[-1]] * more], UNLIMITED
    if keys[0] == "public" and type(value) is int and len(keys) == 2:
        return lambda more: value + more, UNLIMITED
    if keys[0] == "public" and isinstance(value, str) and value.count("\n") > 1:
        lines = value.splitlines()
        return lambda more: "\n".join([*lines, *[lines[-1]] * more]), UNLIMITED
    if keys[0] == "response" and isinstance(value, str) and value:
        return lambda more: (value * (more // len(value) + 2))[: len(value) + more], UNLIMITED_TEXT
    return None, 0


def multiplied(data: Data, accepts: Accepts) -> Data:
    """Copy each part under new ids, inner parts first, until there is no room for more."""
    places = [(top, *keys) for top in ("public", "key") for keys in part_keys(data[top])]
    names = [at(data, keys)["id"] for keys in sorted(places, key=len, reverse=True)]
    for name in dict.fromkeys(names):
        for copy in new_names(name, data):
            grown = with_copy(data, name, copy)
            # Not every response can take the copy in: of two choices only one is made.
            fitting = next(filter(accepts, (grown, {**grown, "response": data["response"]})), None)
            if fitting is None:
                break
            data = fitting
    return data


def with_copy(data: Any, old: str, new: str) -> Any:
    """Return data where all that is said of `old` is said of `new` as well."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {renamed(name): renamed(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [renamed(inner) for inner in value]
        # Keys speak of a choice as "node.choice".
        return ".".join(new if word == old else word for word in value.split(".")) if isinstance(value, str) else value

    def is_about(value: Any) -> bool:
        if isinstance(value, dict):
            names = [value["id"]] if is_part(value) else value.values()
            return any(isinstance(name, str) and renamed(name) != name for name in names)
        return isinstance(value, str) and renamed(value) != value

    if isinstance(data, dict):
        copied = {name: with_copy(inner, old, new) for name, inner in data.items()}
        return copied | {renamed(name): renamed(inner) for name, inner in data.items() if renamed(name) != name}
    if isinstance(data, list):
        pairs = ((with_copy(inner, old, new), *([renamed(inner)] if is_about(inner) else ())) for inner in data)
        return [inner for pair in pairs for inner in pair]
    return data


def most(accepts: Callable[[int], bool], limit: int) -> int:
    """Return the largest number that is accepted, or 0 when there seems to be no limit."""
    if accepts(limit):
        return 0
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepts(middle) else (low, middle)
    return low


def walk(data: Any) -> Iterator[tuple[Keys, Any]]:
    """Yield keys and value of all that is in JSON data, the inner before the outer."""
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, inner in entries:
        yield from (((name, *keys), value) for keys, value in walk(inner))
    yield (), data


def is_part(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str)


def part_keys(data: Any) -> list[Keys]:
    """Return where the parts with an id are that stand in lists."""
    return [keys for keys, value in walk(data) if is_part(value) and keys and isinstance(keys[-1], int)]


def new_names(name: str, data: Data) -> Iterator[str]:
    used = {value for _keys, value in walk(data) if isinstance(value, str)}
    names = (f"{name}-{number}" for number in count(2))
    return islice((new for new in names if new not in used), MOST_COPIES)


def at(data: Any, keys: Keys) -> Any:
    for name in keys:
        data = data[name]
    return data


def replaced(data: Any, keys: Keys, value: Any) -> Any:
    """Return data with another value in one place."""
    if not keys:
        return value
    copy = data.copy()
    copy[keys[0]] = replaced(data[keys[0]], keys[1:], value)
    return copy
