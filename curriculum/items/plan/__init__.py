"""Plan: a planning form with constraints that have to hold and goals that would be good."""

from curriculum.items.plan import model
from curriculum.items.plan.check import check
from curriculum.items.plan.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="plan",
    public=model.PlanPublic,
    key=model.PlanKey,
    response=model.PlanResponse,
    check=check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
)
