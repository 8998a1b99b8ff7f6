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
    topological_order,
    walk,
)
from curriculum.model import Evidence, Score, Text

RED_LINE_CAP = 0.4

WORDS = {
    "best": Text(zh="你说：“{ref}”", en="You said: “{ref}”"),
    "weaker": Text(zh="你说：“{ref}”", en="You said: “{ref}”"),
    "red-line": Text(
        zh="触及红线：“{ref}”。本题得分因此封顶。",
        en="A red line was crossed: “{ref}”. This caps the score.",
    ),
}


def score(public: DialoguePublic, key: DialogueKey, response: DialogueResponse) -> Score:
    possible = best_total(public, key)
    earned = 0.0
    crossed = False
    evidence: list[Evidence] = []
    for node, choice in walk(public, response)[0]:
        points = key.points[node.id][choice.id]
        best = points == max(key.points[node.id].values())
        ref = f"{node.id}.{choice.id}"
        earned += points
        evidence.append(Evidence("best" if best else "weaker", ref, best, points))
        if ref in key.red_lines:
            crossed = True
            evidence.append(Evidence("red-line", ref, False, 0))
    if crossed:
        earned = min(earned, RED_LINE_CAP * possible)
    return Score(earned, possible, ("red-line",) if crossed else (), tuple(evidence))


def best_total(public: DialoguePublic, key: DialogueKey) -> int:
    """Return the highest sum of points on any path from the start to an end."""
    total: dict[str, int] = {}
    for name in reversed(topological_order(public) or ()):
        choices = public.node(name).choices
        total[name] = max((key.points[name][choice.id] + total[choice.to] for choice in choices), default=0)
    return total[public.start]
