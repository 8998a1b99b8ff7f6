"""Credit for a plan: what has to hold passes or fails, what would be good counts by degrees.

Source: S-PLAN of the assessment design: “hard constraints pass/fail (each listed), soft goals 0–1
weighted, total 0 if a red constraint fails”. Of 100, what has to hold (red, hard) shares 60 and the
goals (soft) share 40, each by its weight; where there is only one of the two, it has all.

    value of a constraint = held · (settled + min(left out, left out in the model plan)) / size
    red, hard: weight · value if nothing goes against it, otherwise 0
    soft:      weight · value

`size` is how many places it speaks of: rows for a choice or a count, pairs of rows for neighbours.
A place is settled when it is filled, and for a choice filled as it should be; so what holds only
because nothing is planned earns nothing. `held` is 1, and for a count that misses its limit the
ratio of the two, averaged over the options if the limits hold for each of them. A red constraint that
something goes against makes the total 0; one that is only not planned yet does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum

from curriculum.items.plan.model import Constraint, PlanKey, PlanPublic, PlanResponse, all_tests
from curriculum.items.plan.standing import Board
from curriculum.model import Evidence, Score, Text, joined

POSSIBLE = 100
HARD_SHARE = 0.6

WORDS = {
    "kept": Text(zh="守住了：{ref}", en="Kept: {ref}"),
    "open": Text(
        zh="没有违反，但还没排全：{ref} 还差：{where}。", en="Not broken, but not all planned: {ref} Open: {where}."
    ),
    "broken": Text(zh="没有守住：{ref} 问题在：{where}。", en="Not kept: {ref} What breaks it: {where}."),
    "goal": Text(zh="做到了：{ref}", en="Reached: {ref}"),
    "short": Text(zh="还没做到家：{ref} 差在：{where}。", en="Reached in part: {ref} What is short: {where}."),
    "red-line": Text(
        zh="越过了红线：{ref} 问题在：{where}。这份计划因此不得分。",
        en="A red line was crossed: {ref} What crosses it: {where}. The plan therefore earns nothing.",
    ),
}


def worth(public: PlanPublic, key: PlanKey) -> dict[str, float]:
    """Return what each constraint can earn."""

    def part(constraints: list[Constraint], points: float) -> Iterable[tuple[str, float]]:
        total = fsum(key.weights.get(constraint.id, 1) for constraint in constraints)
        return ((constraint.id, points * key.weights.get(constraint.id, 1) / total) for constraint in constraints)

    soft = [constraint for constraint in public.constraints if constraint.level == "soft"]
    hard = [constraint for constraint in public.constraints if constraint.level != "soft"]
    share = HARD_SHARE if soft and hard else float(bool(hard))
    return dict([*part(hard, POSSIBLE * share), *part(soft, POSSIBLE * (1 - share))])


def score(public: PlanPublic, key: PlanKey, response: PlanResponse) -> Score:
    points, by_name = worth(public, key), all_tests(public, key)
    board, model = Board(public, response.plan), Board(public, key.model)
    evidence: list[Evidence] = []
    for constraint in public.constraints:
        test = by_name[constraint.id]
        standing = board.stands(test)
        # The model plan is asked only where it matters: it costs as much as the learner's.
        spare = len(model.stands(test).left_out) if standing.left_out else 0
        value, soft = standing.value(spare), constraint.level == "soft"
        where = standing.amiss(spare)
        if standing.breaks and not soft:
            rule, value, where = "red-line" if constraint.level == "red" else "broken", 0.0, [*standing.breaks]
        elif where:
            rule = "short" if soft else "open"
        else:
            rule = "goal" if soft else "kept"
        good = rule in ("kept", "goal")
        values = {} if good else {"where": joined(where)}
        evidence.append(Evidence(rule, constraint.id, good, points[constraint.id] * value, values=values))
    earned = min(fsum(e.earned for e in evidence), POSSIBLE)
    crossed = [i for i, e in enumerate(evidence) if e.rule == "red-line"]
    if crossed:
        first = evidence[crossed[0]]
        evidence[crossed[0]] = Evidence(first.rule, first.ref, False, -earned, values=first.values)
        earned = 0.0
    return Score(earned, POSSIBLE, ("red-line",) if crossed else (), tuple(evidence))
