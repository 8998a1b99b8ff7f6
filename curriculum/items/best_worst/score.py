"""Credit for best and worst: half the points each, and half of that for the neighbour.

.5 for the key's best reply, .25 for its second; .5 for the key's worst reply as
worst, .25 for its second last. Choosing the key's worst reply, or one that crosses
a red line, as best earns nothing for the whole item; a red line raises a flag too.
Source: handbook/assessment_design.md, S-BW.
"""

from __future__ import annotations

from collections.abc import Sequence

from curriculum.items.best_worst.model import BestWorstKey, BestWorstPublic, BestWorstResponse
from curriculum.model import Evidence, Score, Text

EXACT, NEAR = 0.5, 0.25

WORDS = {
    "best-exact": Text(zh="最好的回应，你选对了：“{ref}”", en="The best reply, and you chose it: “{ref}”"),
    "best-near": Text(
        zh="你选为最好的是：“{ref}”——它排第二。最好的是：“{other}”",
        en="As best you chose “{ref}” – it comes second. The best reply: “{other}”",
    ),
    "best-off": Text(
        zh="你选为最好的是：“{ref}”——还有更好的。最好的是：“{other}”",
        en="As best you chose “{ref}” – others are better. The best reply: “{other}”",
    ),
    "best-open": Text(zh="没有选最好的回应。最好的是：“{ref}”", en="No reply chosen as best. The best: “{ref}”"),
    "worst-as-best": Text(
        zh="你选为最好的是：“{ref}”——它其实最差，本题因此不得分。最好的是：“{other}”",
        en="As best you chose “{ref}” – it is the worst, so this exercise earns nothing. The best reply: “{other}”",
    ),
    "red-line": Text(
        zh="你选为最好的是：“{ref}”——它触及红线，本题因此不得分。最好的是：“{other}”",
        en="As best you chose “{ref}” – it crosses a red line, so this exercise earns nothing. The best: “{other}”",
    ),
    "worst-exact": Text(zh="最差的回应，你选对了：“{ref}”", en="The worst reply, and you found it: “{ref}”"),
    "worst-near": Text(
        zh="你选为最差的是：“{ref}”——它确实不好，但还有更差的：“{other}”",
        en="As worst you chose “{ref}” – it is poor, but there is a worse one: “{other}”",
    ),
    "worst-off": Text(
        zh="你选为最差的是：“{ref}”——它没有那么差。最差的是：“{other}”",
        en="As worst you chose “{ref}” – it isn't that bad. The worst reply: “{other}”",
    ),
    "worst-open": Text(zh="没有选最差的回应。最差的是：“{ref}”", en="No reply chosen as worst. The worst: “{ref}”"),
}


def score(public: BestWorstPublic, key: BestWorstKey, response: BestWorstResponse) -> Score:
    best = judge("best", response.best, key.order)
    worst = judge("worst", response.worst, key.order[::-1])
    crossed = response.best in key.red_lines
    if response.best is not None and (crossed or response.best == key.order[-1]):
        rule = "red-line" if crossed else "worst-as-best"
        best = Evidence(rule, response.best, False, -worst.earned, key.order[0])
    return Score(best.earned + worst.earned, 2 * EXACT, ("red-line",) if crossed else (), (best, worst))


def judge(side: str, chosen: str | None, order: Sequence[str]) -> Evidence:
    """Compare a choice with the order, seen from the end at which the choice should lie."""
    first, second, *_ = order
    if chosen is None:
        return Evidence(f"{side}-open", first, False, 0)
    if chosen == first:
        return Evidence(f"{side}-exact", chosen, True, EXACT)
    if chosen == second:
        return Evidence(f"{side}-near", chosen, False, NEAR, first)
    return Evidence(f"{side}-off", chosen, False, 0, first)
