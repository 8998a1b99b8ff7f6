"""Free text: a short message to a customer; a checklist reads it, and a person marks it."""

from curriculum.items.free_text import model
from curriculum.items.free_text.check import check
from curriculum.items.free_text.rubric import RUBRIC
from curriculum.items.free_text.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="free_text",
    public=model.FreeTextPublic,
    key=model.FreeTextKey,
    response=model.FreeTextResponse,
    check=check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
    prose=model.prose,
    rubric=RUBRIC,
)
