"""Classification: sort cards into the categories where they belong."""

from curriculum.items.classification import model
from curriculum.items.classification.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="classification",
    public=model.ClassificationPublic,
    key=model.ClassificationKey,
    response=model.ClassificationResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
    acts=False,
)
