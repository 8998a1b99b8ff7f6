"""Numeric: work out what a customer must be told, and choose the sentence that tells it fairly."""

from curriculum.items.numeric import model
from curriculum.items.numeric.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="numeric",
    public=model.NumericPublic,
    key=model.NumericKey,
    response=model.NumericResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
)
