"""Credit for a dialogue: points of the choices made, of the best path there is.

The maximum is that of the best path from the start to an end, whatever path was
taken: breaking off after one good reply earns that reply and no more. Taking a
red line caps the share at `RED_LINE_CAP` and raises a flag.
"""

from __future__ import annotations

from curriculum.items.dialogue.model import (
    DialogueKey,
    DialoguePublic,
    DialogueResponse,
    best_total,
    is_weaker,
    walk,
)
from curriculum.model import Evidence, Score, Text

RED_LINE_CAP = 0.4

WORDS = {
    "best": Text(zh="你说：“{ref}”", en="You said: “{ref}”"),
    "weaker": Text(zh="你说：“{ref}”", en="You said: “{ref}”"),
    "red-line": Text(
        zh="触及红线：“{ref}”。其余做得再好，本题最多得 {cap}%。",
        en="A red line was crossed: “{ref}”. However good the rest is, the exercise then earns at most {cap} %.",
    ),
}


def score(public: DialoguePublic, key: DialogueKey, response: DialogueResponse) -> Score:
    possible = best_total(public, key)
    earned = 0.0
    crossed: list[str] = []
    evidence: list[Evidence] = []
    for node, choice in walk(public, response)[0]:
        points = key.points[node.id][choice.id]
        best = not is_weaker(key, node, choice)
        ref = f"{node.id}.{choice.id}"
        earned += points
        evidence.append(Evidence("best" if best else "weaker", ref, best, points))
        if ref in key.red_lines:
            crossed.append(ref)
    if crossed:
        cap = RED_LINE_CAP * possible
        lost = min(0.0, cap - earned)
        values = {"cap": 100 * RED_LINE_CAP}
        evidence += [
            Evidence("red-line", ref, False, lost if ref == crossed[0] else 0, values=values) for ref in crossed
        ]
        earned = min(earned, cap)
    return Score(earned, possible, ("red-line",) if crossed else (), tuple(evidence))
