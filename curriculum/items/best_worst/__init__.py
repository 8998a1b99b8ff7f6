"""Best and worst: choose the best and the worst reply to a situation."""

from curriculum.items.best_worst import model
from curriculum.items.best_worst.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="best_worst",
    public=model.BestWorstPublic,
    key=model.BestWorstKey,
    response=model.BestWorstResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
)
