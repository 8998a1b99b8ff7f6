"""Violations: mark what goes against the norms in a transcript."""

from curriculum.items.violations import model
from curriculum.items.violations.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="violations",
    public=model.ViolationsPublic,
    key=model.ViolationsKey,
    response=model.ViolationsResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
)
