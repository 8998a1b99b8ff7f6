"""Credit for multi-select: right choices less wrong ones.

earned = max(0, hits − false choices), possible = k, the number of options that
hold. Choosing everything is no response, and choosing nothing earns nothing.
Source: handbook/assessment_design.md, S-MULTI.
"""

from __future__ import annotations

from curriculum.items.multi_select.model import MultiSelectKey, MultiSelectPublic, MultiSelectResponse
from curriculum.model import Evidence, Score, Text

FALSE_CHOICE_COST = 1

WORDS = {
    "hit": Text(zh="选对：“{ref}”", en="Rightly chosen: “{ref}”"),
    "missed": Text(zh="漏选：“{ref}”", en="Not chosen: “{ref}”"),
    "false-choice": Text(zh="不该选：“{ref}”", en="Wrongly chosen: “{ref}”"),
}


def score(public: MultiSelectPublic, key: MultiSelectKey, response: MultiSelectResponse) -> Score:
    evidence: list[Evidence] = []
    for option in public.options:
        chosen, holds = option.id in response.chosen, option.id in key.correct
        if holds:
            evidence.append(Evidence("hit" if chosen else "missed", option.id, chosen, int(chosen)))
        elif chosen:
            evidence.append(Evidence("false-choice", option.id, False, -FALSE_CHOICE_COST))
    earned = max(0.0, sum(e.earned for e in evidence))
    return Score(earned, len(key.correct), (), tuple(evidence))
