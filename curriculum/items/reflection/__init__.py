"""Reflection: a structured log of the learner's own moments; complete or not."""

from curriculum.items.reflection import model
from curriculum.items.reflection.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="reflection",
    public=model.ReflectionPublic,
    key=model.ReflectionKey,
    response=model.ReflectionResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
    decides=False,
    prose=model.prose,
    note=model.note,
)
