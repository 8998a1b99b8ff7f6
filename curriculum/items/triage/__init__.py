"""Triage: a queue of chats on a simulated clock."""

from curriculum.items.triage import model
from curriculum.items.triage.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="triage",
    public=model.TriagePublic,
    key=model.TriageKey,
    response=model.TriageResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
    follows=model.follows,
)
