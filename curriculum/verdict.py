"""From a raw response to a verdict, and from a verdict to words.

Used by the player for practice items and by the grading engine for all others,
so that both judge alike.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from curriculum.model import Evidence, Item, ItemType, Model, PointId, Public, Rationale, Response, RuleId, Score, Text

BROKEN = Text(zh="这份作答的内容不是本题能产生的。", en="This response is none that the exercise can produce.")


class InvalidResponseError(ValueError):
    """The response can't have come from this item; the message says why."""


class Row(Model):
    """One line of feedback: by which rule, what was done, how it was, why, and what is better.

    `earned` is in the item's raw units, as in Evidence.
    """

    because: str
    did: Text
    good: bool
    earned: float
    why: Text | None = None
    better: Text | None = None
    point: PointId | None = None
    rule: RuleId | None = None


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


def judge(item: Item, raw: Any) -> tuple[Score, Text | None]:
    """Score a raw response; also say what is missing. Raises InvalidResponseError."""
    response = parse(item.kind, item.public, raw)
    return item.kind.score(item.public, item.key, response), item.kind.missing(item.public, response)


def explain(item: Item, score: Score) -> list[Row]:
    """Return the evidence of a score in words, one row for each reason."""
    labels = item.kind.labels(item.public)

    def row(evidence: Evidence) -> Row:
        rationale = item.key.rationale(evidence.ref) or Rationale(why=item.head.title)
        template, ref = item.kind.words[evidence.rule], labels[evidence.ref]
        other = labels[evidence.other] if evidence.other else ref
        return Row(
            because=f"{item.kind.name}.{evidence.rule}",
            did=Text(
                zh=template.zh.format(ref=ref.zh, other=other.zh),
                en=template.en.format(ref=ref.en, other=other.en),
            ),
            good=evidence.good,
            earned=evidence.earned,
            why=rationale.why,
            better=rationale.better,
            point=rationale.point,
            rule=rationale.rule,
        )

    return [row(evidence) for evidence in score.evidence]
