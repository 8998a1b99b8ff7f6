"""Credit for violations: severity found, less one for each false mark.

earned = max(0, Σ severity of the faults marked − number of false marks),
possible = Σ severity of all faults. Marking everything must not pay.
"""

from __future__ import annotations

from curriculum.items.violations.model import FALSE_MARK_COST, ViolationsKey, ViolationsPublic, ViolationsResponse
from curriculum.model import Evidence, Score, Text

WORDS = {
    "found": Text(zh="找到问题：“{ref}”", en="Found: “{ref}”"),
    "overlooked": Text(zh="漏掉问题：“{ref}”", en="Overlooked: “{ref}”"),
    "false-mark": Text(zh="误标：“{ref}”", en="Marked, but fine: “{ref}”"),
}


def score(public: ViolationsPublic, key: ViolationsKey, response: ViolationsResponse) -> Score:
    evidence: list[Evidence] = []
    for span in public.spans:
        marked, severity = span.id in response.marked, key.faults.get(span.id)
        if severity is not None and marked:
            evidence.append(Evidence("found", span.id, True, severity))
        elif severity is not None:
            evidence.append(Evidence("overlooked", span.id, False, 0))
        elif marked:
            evidence.append(Evidence("false-mark", span.id, False, -FALSE_MARK_COST))
    earned = max(0.0, sum(e.earned for e in evidence))
    return Score(earned, sum(key.faults.values()), (), tuple(evidence))
