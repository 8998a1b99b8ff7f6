"""From a raw response to a verdict, and from a verdict to words.

Used by the player for practice items and by the grading engine for all others,
so that both judge alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from curriculum.model import (
    Evidence,
    Item,
    ItemType,
    Language,
    Model,
    PointId,
    Public,
    Rationale,
    Response,
    RuleId,
    Score,
    Text,
)

BROKEN = Text(zh="这份作答的内容不是本题能产生的。", en="This response is none that the exercise can produce.")


class InvalidResponseError(ValueError):
    """The response can't have come from this item; the message says why."""


class Row(Model):
    """One line of feedback: by which rule, what was done, how it was, why, and what is better.

    `earned` is in the item's raw units, as in Evidence. `partly`: it was not good, but earned something.
    """

    because: str
    did: Text
    good: bool
    partly: bool = False
    earned: float
    why: Text | None = None
    better: Text | None = None
    point: PointId | None = None
    rule: RuleId | None = None

    def __hash__(self) -> int:
        # Rows are looked up often, and so much tells almost all of them apart.
        return hash((self.because, self.did.zh, self.earned))


def parse(kind: ItemType[Any, Any, Any], public: Public, raw: Any) -> Response:
    """Return `raw` as a response of this item. Raises InvalidResponseError."""
    try:
        response: Response = kind.response.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidResponseError(f"at {'.'.join(map(str, first['loc'])) or 'the top'}: {first['msg']}") from error
    stranger = kind.unknown(public, response)
    if stranger is not None:
        raise InvalidResponseError(f"“{stranger[:40]}” does not belong here")
    return response


def follower(kind: ItemType[Any, Any, Any], public: Public) -> Callable[[Any, Any], bool] | None:
    """Return whether one raw response can come after another, or None where any can.

    What is no response at all has nothing to keep, and never follows a valid one.
    """
    if kind.follows is None:
        return None
    follows = kind.follows
    # The two answers met last: each is asked about twice, and one that stays is asked about for each that is refused.
    met: list[tuple[Any, Response]] = []

    def parsed(raw: Any) -> Response:
        known = next((pair for pair in met if pair[0] is raw), None)
        pair = known or (raw, parse(kind, public, raw))
        met[:] = [*(one for one in met[-2:] if one is not pair), pair][-2:]
        return pair[1]

    def can_follow(before: Any, after: Any) -> bool:
        try:
            earlier = parsed(before)
        except InvalidResponseError:
            return True
        try:
            return follows(earlier, parsed(after))
        except InvalidResponseError:
            return False

    return can_follow


def judge(item: Item, raw: Any) -> tuple[Score, Text | None]:
    """Score a raw response; also say what is missing. Raises InvalidResponseError."""
    response = parse(item.kind, item.public, raw)
    return item.kind.score(item.public, item.key, response), item.kind.missing(item.public, response)


def filled(template: Text, values: Mapping[str, Text | str | float]) -> Text:
    """Return a sentence with its values, each in the sentence's language."""

    def word(value: Text | str | float, language: Language) -> str:
        if isinstance(value, Text):
            return value[language]
        return value if isinstance(value, str) else number(value)

    def words(language: Language) -> str:
        return template[language].format(**{name: word(value, language) for name, value in values.items()})

    return Text(zh=words("zh"), en=words("en"))


def number(value: float) -> str:
    """Return a number with at most two decimals and no idle zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def explain(item: Item, score: Score) -> list[Row]:
    """Return the evidence of a score in words, one row for each reason."""
    return [row(item, evidence) for evidence in score.evidence]


@lru_cache(maxsize=2**14)
def row(item: Item, evidence: Evidence) -> Row:
    """Return one reason in words. Many learners earn something for the same reason."""
    labels = item.kind.labels(item.public, item.key)
    rationale = item.key.rationale(evidence.ref) or Rationale(why=item.head.title)
    values = {"ref": labels[evidence.ref], **evidence.values}
    if evidence.other:
        values["other"] = labels[evidence.other]
    return Row(
        because=f"{item.kind.name}.{evidence.rule}",
        did=filled(item.kind.words[evidence.rule], values),
        good=evidence.good,
        partly=evidence.earned > 0 and not evidence.good and evidence.rule not in item.kind.mistakes,
        earned=evidence.earned,
        why=rationale.why,
        better=rationale.better,
        point=rationale.point,
        rule=rationale.rule,
    )
