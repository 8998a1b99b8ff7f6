"""Data analysis: take numbers from a table, choose a chart of it, and draw the conclusion."""

from curriculum.items.data_analysis import model
from curriculum.items.data_analysis.check import check
from curriculum.items.data_analysis.score import WORDS, score
from curriculum.model import ItemType

TYPE = ItemType(
    name="data_analysis",
    public=model.DataAnalysisPublic,
    key=model.DataAnalysisKey,
    response=model.DataAnalysisResponse,
    check=check,
    unknown=model.unknown,
    missing=model.missing,
    score=score,
    release=model.release,
    labels=model.labels,
    words=WORDS,
    play=model.play,
    files=model.files,
)
