"""Credit for violations: severity found, less one for each false mark.

earned = max(0, Σ severity of the faults marked − number of false marks),
possible = Σ severity of all faults. Marking everything must not pay. Overlooking a fault that crosses a
red line raises a flag: who does not see it would let it pass. Source: S-SPOT of the assessment design.
"""

from __future__ import annotations

from curriculum.items.violations.model import FALSE_MARK_COST, ViolationsKey, ViolationsPublic, ViolationsResponse
from curriculum.model import Evidence, Score, Text

WORDS = {
    "found": Text(zh="找到问题：“{ref}”", en="Found: “{ref}”"),
    "overlooked": Text(zh="漏掉问题：“{ref}”", en="Overlooked: “{ref}”"),
    "red-line-overlooked": Text(
        zh="漏掉了越过红线的问题：“{ref}”", en="Overlooked, and it crosses a red line: “{ref}”"
    ),
    "false-mark": Text(zh="误标：“{ref}”", en="Marked, but fine: “{ref}”"),
}


def score(public: ViolationsPublic, key: ViolationsKey, response: ViolationsResponse) -> Score:
    evidence: list[Evidence] = []
    for span in public.spans:
        marked, severity = span.id in response.marked, key.faults.get(span.id)
        if severity is not None and marked:
            evidence.append(Evidence("found", span.id, True, severity))
        elif severity is not None:
            rule = "red-line-overlooked" if span.id in key.red_lines else "overlooked"
            evidence.append(Evidence(rule, span.id, False, 0))
        elif marked:
            evidence.append(Evidence("false-mark", span.id, False, -FALSE_MARK_COST))
    earned = max(0.0, sum(e.earned for e in evidence))
    flags = ("red-line",) if any(e.rule == "red-line-overlooked" for e in evidence) else ()
    return Score(earned, sum(key.faults.values()), flags, tuple(evidence))
