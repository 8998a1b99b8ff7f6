"""Multi-select: choose the given number of options that hold."""

from curriculum.items.multi_select import model
from curriculum.items.multi_select.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="multi_select",
    public=model.MultiSelectPublic,
    key=model.MultiSelectKey,
    response=model.MultiSelectResponse,
    check=model.check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
)
