"""Dialogue: points of the choices made, of the best path there is, whatever path was taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from curriculum.items.dialogue.model import DialogueKey, DialoguePublic, DialogueResponse, Node, check, release
from curriculum.items.dialogue.score import score
from curriculum.load import Course
from curriculum.model import Score

TEXT = {"zh": "甲", "en": "a"}


class Talk:
    """node: {choice: (next node, points)}; a node without choices is an end. The first node is the start."""

    def __init__(self, nodes: dict[str, dict[str, tuple[str, int]]], red_lines: Iterable[str] = ()) -> None:
        self.nodes, self.start = nodes, next(iter(nodes))
        self.public = DialoguePublic.model_validate(
            {"prompt": TEXT, "customer": TEXT, "start": self.start, "nodes": [self._node(name) for name in nodes]}
        )
        self.key = DialogueKey.model_validate(
            {
                "points": {name: {c: points for c, (_, points) in node.items()} for name, node in nodes.items()},
                "red_lines": list(red_lines),
                "rationales": {f"{name}.{c}": {"why": TEXT} for name, node in nodes.items() for c in node},
            }
        )

    def _node(self, name: str) -> dict[str, Any]:
        choices = [{"id": c, "text": TEXT, "to": to} for c, (to, _) in self.nodes[name].items()]
        return {"id": name, "says": TEXT, "comfort": 50, "choices": choices}

    def score(self, path: Iterable[str], public: DialoguePublic | None = None) -> Score:
        return score(public or self.public, self.key, DialogueResponse(path=tuple(path)))

    def totals(self, node: str | None = None) -> Iterator[int]:
        """The points of every path from `node` to an end, by walking them all."""
        choices = self.nodes[node or self.start]
        if not choices:
            yield 0
        for to, points in choices.values():
            yield from (points + rest for rest in self.totals(to))

    def points(self, path: Sequence[str]) -> int:
        node, total = self.start, 0
        for choice in path:
            node, total = self.nodes[node][choice][0], total + self.nodes[node][choice][1]
        return total


# Best: greet-ask-explain 3 + 3 + 2 = 8. The way by machine brings 1 + 3 at most.
VISIT = {
    "door": {"greet": ("seat", 3), "machine": ("queue", 1)},
    "seat": {"ask": ("needs", 3), "pitch": ("needs", 0), "leaflet": ("end", 1)},
    "queue": {"sorry": ("end", 3), "next": ("end", 0)},
    "needs": {"explain": ("end", 2), "sign": ("end", 0)},
    "end": {},
}


@pytest.mark.parametrize(
    ("path", "earned"),
    [
        ("greet ask explain", 8),
        ("greet pitch explain", 5),
        ("machine sorry", 4),  # the best of this branch, and yet half of what there is
        ("greet leaflet", 4),
        ("greet", 3),  # dodging after one good turn: 3 of 8, not 3 of 3
        ("machine next", 1),
        ("", 0),
    ],
)
def test_by_hand(path: str, earned: float) -> None:
    result = Talk(VISIT).score(path.split())
    assert (result.earned, result.possible, result.flags) == (earned, 8, ())


@pytest.mark.parametrize(
    ("path", "earned", "flagged"),
    [
        ("greet ask explain", 8, False),
        ("greet pitch explain", 3.2, True),  # 5, capped at .4 · 8
        ("greet pitch sign", 3, True),  # 3 is below the cap
    ],
)
def test_red_line_caps_and_flags(path: str, earned: float, flagged: bool) -> None:
    result = Talk(VISIT, ["seat.pitch"]).score(path.split())
    assert result.earned == pytest.approx(earned, abs=1e-12)
    assert ("red-line" in result.flags) == flagged


def test_first_visit_of_the_course(course: Course) -> None:
    item = course.items["e3-1-2"]
    # 1 + 2 + 2 + 3 + 1: the machine, an apology, plain words, the limits, a form; then the talk breaks off.
    path = ("point-machine", "beg-pardon", "plain-words", "state-limits", "routine-form")
    result = item.kind.score(item.public, item.key, DialogueResponse(path=path))
    assert (result.earned, result.possible) == (9, 21)  # seven turns of 3 points at best


@st.composite
def talks(draw: st.DrawFn) -> Talk:
    """A talk of 2 to 7 nodes, each leading to later ones only, written in any order after the first."""
    n = draw(st.integers(2, 7))
    nodes: dict[str, dict[str, tuple[str, int]]] = {}
    for i in range(n):
        count = 0 if i == n - 1 else draw(st.sampled_from([2, 3] if i == 0 else [0, 2, 3]))
        targets = [f"n{draw(st.integers(i + 1, n - 1))}" for _ in range(count)]
        names = draw(st.permutations(["yes", "no", "later"][:count]))
        points = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
        nodes[f"n{i}"] = dict(zip(names, zip(targets, points, strict=True), strict=True))
    order = ["n0", *draw(st.permutations([name for name in nodes if name != "n0"]))]
    talk = Talk({name: nodes[name] for name in order})
    assume(max(talk.totals()) > 0)
    return talk


@st.composite
def held(draw: st.DrawFn) -> tuple[Talk, list[str]]:
    talk = draw(talks())
    node, path, turns = talk.start, list[str](), draw(st.integers(0, 7))
    while talk.nodes[node] and len(path) < turns:
        path.append(draw(st.sampled_from(sorted(talk.nodes[node]))))
        node = talk.nodes[node][path[-1]][0]
    return talk, path


@given(held())
def test_best_path_and_points_equal_brute_force(case: tuple[Talk, list[str]]) -> None:
    talk, path = case
    result = talk.score(path)
    assert (result.earned, result.possible) == (talk.points(path), max(talk.totals()))


@given(held(), st.data())
def test_any_red_line_on_the_path_caps(case: tuple[Talk, list[str]], data: st.DataObject) -> None:
    talk, path = case
    refs = [f"{name}.{choice}" for name, node in talk.nodes.items() for choice in node]
    red = data.draw(st.sets(st.sampled_from(refs)))
    taken, node = set(), talk.start
    for choice in path:
        taken.add(f"{node}.{choice}")
        node = talk.nodes[node][choice][0]
    result, best = Talk(talk.nodes, red).score(path), max(talk.totals())
    expected = min(talk.points(path), 0.4 * best) if taken & red else talk.points(path)
    assert result.earned == pytest.approx(expected, abs=1e-12)
    assert result.flags == (("red-line",) if taken & red else ())


@given(held())
def test_order_of_the_public_lists_says_nothing(case: tuple[Talk, list[str]]) -> None:
    talk, path = case
    assert talk.score(path, release(talk.public)) == talk.score(path)


@given(held())
def test_talking_on_or_choosing_better_never_lowers(case: tuple[Talk, list[str]]) -> None:
    talk, path = case
    node = talk.start
    for i, choice in enumerate(path):
        assert talk.score(path[:i]).earned <= talk.score(path[: i + 1]).earned
        to, points = talk.nodes[node][choice]
        for other, (target, more) in talk.nodes[node].items():
            if target == to and more >= points:
                assert talk.score([*path[:i], other, *path[i + 1 :]]).earned >= talk.score(path).earned
        node = to


def test_a_choice_that_is_not_there_is_unknown(course: Course) -> None:
    item = course.items["e3-1-2"]
    assert item.kind.unknown(item.public, DialogueResponse(path=("keep-distance", "walk-along"))) == "walk-along"
    assert item.kind.unknown(item.public, DialogueResponse(path=("keep-distance",))) is None


def test_a_talk_in_which_nothing_earns_points_is_a_fault() -> None:
    # Otherwise there is nothing to divide by, and grading fails instead of the content check.
    talk = Talk({"door": {"greet": ("end", 0), "machine": ("end", 0)}, "end": {}})
    assert list(check(talk.public, talk.key))


def test_a_weaker_choice_without_a_better_sentence_is_a_fault() -> None:
    # The contract: `better` is needed for each choice that isn't worth its node's full points.
    talk = Talk({"door": {"greet": ("end", 3), "machine": ("end", 1)}, "end": {}})
    assert any("door.machine" in str(fault) for fault in check(talk.public, talk.key))


def test_a_red_line_that_is_worth_the_most_is_a_fault() -> None:
    # Who takes the best way through the talk would be capped for it.
    def faults(points: int) -> list[str]:
        talk = Talk({"door": {"greet": ("end", 2), "push": ("end", points)}, "end": {}}, ["door.push"])
        return [fault.rule for fault in check(talk.public, talk.key)]

    assert "contradiction" in faults(3)
    assert "contradiction" in faults(2)
    assert "contradiction" not in faults(1)


def test_released_choices_and_nodes_are_sorted_by_id(course: Course) -> None:
    public = release(course.items["e3-1-2"].public)  # type: ignore[arg-type]
    nodes: Sequence[Node] = public.nodes
    assert [node.id for node in nodes] == sorted(node.id for node in nodes)
    for node in nodes:
        assert [choice.id for choice in node.choices] == sorted(choice.id for choice in node.choices)


def test_a_copy_with_other_choices_forgets_what_was_worked_out_before() -> None:
    public = Talk({"a": {"x": ("z", 3), "b": ("z", 0)}, "z": {}}).public
    assert [choice.id for choice in public.by_id["a"].choices] == ["x", "b"]
    assert [choice.id for choice in release(public).by_id["a"].choices] == ["b", "x"]
