"""Credit for classification: the share of cards in place, corrected for chance.

With n cards, c categories and k cards in place, the share is
max(0, (p − 1/c) / (1 − 1/c)) with p = k/n: the usual correction for guessing, here
in cards: earned = max(0, k − (n − k) / (c − 1)) of n. An unsorted card is not in
place. A placement that gives too much away caps the share at the key's `cap`; one
that crosses a red line also raises the flag `red-line`. Source: assessment design,
code S-CM.
"""

from __future__ import annotations

from curriculum.items.classification.model import (
    WHOLE,
    ClassificationKey,
    ClassificationPublic,
    ClassificationResponse,
)
from curriculum.model import Evidence, Score, Text

WORDS = {
    "in-place": Text(zh="“{ref}”放在“{belongs}”，放对了。", en="“{ref}” is in place: {belongs}."),
    "misplaced": Text(
        zh="“{ref}”放在了“{put}”，应当归入“{belongs}”。",
        en="You put “{ref}” under “{put}”; it belongs under “{belongs}”.",
    ),
    "unsorted": Text(
        zh="“{ref}”没有分类，应当归入“{belongs}”。",
        en="“{ref}” was not sorted; it belongs under “{belongs}”.",
    ),
    "chance": Text(
        zh="全凭运气也能碰对几张，所以按没放对的张数，从放对的 {right} 张里扣回 {off} 张。",
        en="Luck alone puts some cards right, so {off} of {right} is taken off again for those not in place.",
    ),
    "over": Text(
        zh="“{ref}”放进“{put}”，放得太宽。其余分得再好，本题最多得 {cap}%。",
        en="“{ref}” under “{put}” gives too much away. However well the rest is sorted, "
        "the exercise then earns at most {cap} %.",
    ),
    "red-line": Text(
        zh="触及红线：“{ref}”放进了“{put}”。其余分得再好，本题最多得 {cap}%。",
        en="A red line was crossed: “{ref}” under “{put}”. However well the rest is sorted, "
        "the exercise then earns at most {cap} %.",
    ),
}


def score(public: ClassificationPublic, key: ClassificationKey, response: ClassificationResponse) -> Score:
    name = {category.id: category.label for category in public.categories}
    evidence: list[Evidence] = []
    right = 0
    for card in public.cards:
        put, belongs = response.placed.get(card.id), key.belongs[card.id]
        right += put == belongs
        if put is None:
            evidence.append(Evidence("unsorted", card.id, False, 0, values={"belongs": name[belongs]}))
        elif put == belongs:
            evidence.append(Evidence("in-place", card.id, True, 1, values={"belongs": name[belongs]}))
        else:
            values = {"put": name[put], "belongs": name[belongs]}
            evidence.append(Evidence("misplaced", card.id, False, 0, values=values))
    n, c = len(public.cards), len(public.categories)
    earned = max(0.0, right - (n - right) / (c - 1))
    if earned < right:
        off = right - earned
        evidence.append(Evidence("chance", WHOLE, False, -off, values={"right": right, "off": off}))
    crossed = [over for over in key.over if response.placed.get(over.card) == over.category]
    for i, over in enumerate(crossed):
        lost = 0.0 if i else min(0.0, key.cap * n - earned)
        rule = "red-line" if over.red_line else "over"
        said: dict[str, Text | float] = {"put": name[over.category], "cap": 100 * key.cap}
        evidence.append(Evidence(rule, over.card, False, lost, values=said))
    if crossed:
        earned = min(earned, key.cap * n)
    flags = ("red-line",) if any(over.red_line for over in crossed) else ()
    return Score(earned, n, flags, tuple(evidence))
