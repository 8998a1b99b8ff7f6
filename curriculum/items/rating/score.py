"""Credit for ratings: distance to the key's level, each reply by its weight.

A reply of weight w that is rated d levels away from its key earns
w · (1 − d / 3); possible is the sum of the weights. A reply that crosses a red
line and is rated on the acceptable side earns nothing and raises a flag. Source:
the linear distance of handbook/assessment_design.md, S-RATE.
"""

from __future__ import annotations

from curriculum.items.rating.model import LEVELS, RatingKey, RatingPublic, RatingResponse, credit, crosses
from curriculum.model import Evidence, Score, Text

WORDS = {
    "exact": Text(
        zh="“{ref}”：你评为“{given}”，与参考评级一致。", en="“{ref}”: you said “{given}”, and so does the key."
    ),
    "near": Text(
        zh="“{ref}”：你评为“{given}”，参考评级是“{expected}”，只差一级。",
        en="“{ref}”: you said “{given}”; the key says “{expected}”, one level away.",
    ),
    "far": Text(
        zh="“{ref}”：你评为“{given}”，参考评级是“{expected}”。",
        en="“{ref}”: you said “{given}”; the key says “{expected}”.",
    ),
    "red-line": Text(
        zh="“{ref}”：你评为“{given}”，但这句话触及红线，参考评级是“{expected}”，此处不得分。",
        en="“{ref}”: you said “{given}”, but this crosses a red line. The key says “{expected}”; no credit here.",
    ),
    "unrated": Text(
        zh="“{ref}”：没有评级；参考评级是“{expected}”。",
        en="“{ref}”: not rated; the key says “{expected}”.",
    ),
}


def score(public: RatingPublic, key: RatingKey, response: RatingResponse) -> Score:
    evidence: list[Evidence] = []
    for reply in public.replies:
        level, expected = response.ratings.get(reply.id), key.levels[reply.id]
        values = {"expected": LEVELS[expected]}
        if level is None:
            evidence.append(Evidence("unrated", reply.id, False, 0, values=values))
            continue
        distance = abs(level - expected)
        rule = "red-line" if crosses(key, reply.id, level) else ("exact", "near", "far", "far")[distance]
        earned = credit(key, reply.id, level)
        values["given"] = LEVELS[level]
        evidence.append(Evidence(rule, reply.id, not distance, earned, values=values))
    crossed = any(e.rule == "red-line" for e in evidence)
    possible = sum(key.weight(reply.id) for reply in public.replies)
    return Score(sum(e.earned for e in evidence), possible, ("red-line",) if crossed else (), tuple(evidence))
