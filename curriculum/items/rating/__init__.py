"""Rating: say of each reply to a situation how suitable it is."""

from curriculum.items.rating import model
from curriculum.items.rating.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="rating",
    public=model.RatingPublic,
    key=model.RatingKey,
    response=model.RatingResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
    # Two levels off earns a third; to take something harmful for fairly suitable is no half-right answer.
    mistakes=frozenset({"far"}),
    acts=False,
)
