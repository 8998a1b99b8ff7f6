"""Credit for ordering: distance to the nearest order that obeys the constraints.

With n steps and d deletions and insertions (a moved step costs two, a missing
one costs one) to the nearest valid order, earned = max(0, n − d) of n. Source:
Poulsen et al., Efficient Feedback and Partial Credit Grading for Proof Blocks
Problems, arXiv 2204.04196. The steps to delete are a least vertex cover of the
graph of broken constraints; what then remains can be completed to a valid order.
"""

from __future__ import annotations

from functools import cache

from curriculum.items.ordering.model import OrderingKey, OrderingPublic, OrderingResponse, broken_pairs
from curriculum.model import Evidence, Score, Text

WORDS = {
    "placed": Text(zh="“{ref}”的位置合适。", en="“{ref}” is well placed."),
    "misplaced": Text(
        zh="“{ref}”的位置不对：“{other}”应当在它之前。",
        en="“{ref}” is misplaced: “{other}” belongs before it.",
    ),
    "late": Text(
        zh="“{ref}”的位置不对：它应当在“{other}”之前。",
        en="“{ref}” is misplaced: it belongs before “{other}”.",
    ),
    "left-out": Text(zh="“{ref}”没有排进去。", en="“{ref}” was left out."),
    "critical": Text(
        zh="关键顺序颠倒：“{ref}”必须先于“{other}”。这一处错了，其余排得再好，本题最多得 {cap}%。",
        en="A critical pair is the wrong way round: “{ref}” must come before “{other}”. "
        "However well the rest stands, the exercise then earns at most {cap} %.",
    ),
}


def score(public: OrderingPublic, key: OrderingKey, response: OrderingResponse) -> Score:
    order = response.order
    n = len(public.steps)
    broken = broken_pairs(key, order)
    cover = least_vertex_cover(broken)
    left_out = [step.id for step in public.steps if step.id not in order]
    earned = float(max(0, n - 2 * len(cover) - len(left_out)))

    place = {step: i for i, step in enumerate(order)}
    flags: tuple[str, ...] = ()
    evidence: list[Evidence] = []
    for step in order:
        if step not in cover:
            evidence.append(Evidence("placed", step, True, 1))
            continue
        early, late = next(pair for pair in broken if step in pair)
        rule, other = ("misplaced", late) if step == early else ("late", early)
        evidence.append(Evidence(rule, step, False, -1, other))
    evidence += [Evidence("left-out", step, False, 0) for step in left_out]
    for pair in key.critical:
        if place.get(pair.before, n) > place.get(pair.after, n):
            flags = ("critical-pair",)
            cap = pair.cap * n
            evidence.append(
                Evidence("critical", pair.before, False, min(0.0, cap - earned), pair.after, {"cap": 100 * pair.cap})
            )
            earned = min(earned, cap)
    return Score(earned, n, flags, tuple(evidence))


def least_vertex_cover(edges: list[tuple[str, str]]) -> frozenset[str]:
    """Return a smallest set of vertices that touches every edge; among several, the first by name."""
    names = sorted({vertex for edge in edges for vertex in edge})
    neighbours = [0] * len(names)
    for first, then in edges:
        i, j = names.index(first), names.index(then)
        neighbours[i] |= 1 << j
        neighbours[j] |= 1 << i

    def members(cover: int) -> list[int]:
        return [i for i in range(len(names)) if cover >> i & 1]

    @cache
    def search(left: int) -> int:
        busiest = max(members(left), key=lambda i: ((neighbours[i] & left).bit_count(), -i), default=0)
        linked = neighbours[busiest] & left if left else 0
        if not linked:
            return 0
        # Either the busiest vertex is in the cover, or all its neighbours are.
        with_it = search(left & ~(1 << busiest)) | 1 << busiest
        without = search(left & ~(1 << busiest | linked)) | linked
        return min(with_it, without, key=lambda cover: (cover.bit_count(), members(cover)))

    return frozenset(names[i] for i in members(search((1 << len(names)) - 1)))
