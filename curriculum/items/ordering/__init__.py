"""Ordering: put the steps of a procedure into an order that works."""

from curriculum.items.ordering import model
from curriculum.items.ordering.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="ordering",
    public=model.OrderingPublic,
    key=model.OrderingKey,
    response=model.OrderingResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
)
