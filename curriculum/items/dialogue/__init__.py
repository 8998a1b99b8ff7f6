"""Dialogue: a branching talk with a customer."""

from curriculum.items.dialogue import model
from curriculum.items.dialogue.picture import picture
from curriculum.items.dialogue.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="dialogue",
    public=model.DialoguePublic,
    key=model.DialogueKey,
    response=model.DialogueResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
    follows=model.follows,
    picture=picture,
)
