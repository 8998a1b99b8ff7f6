"""Dialogue: a branching talk with a customer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from annotated_types import Interval, Len

from curriculum.checks import broken_links, duplicate_ids, rationales
from curriculum.model import Choose, Fault, ItemId, Key, Model, Public, Rationale, Response, Text

MAX_NODES = 60


class Choice(Model):
    id: ItemId
    text: Text
    to: ItemId


class Node(Model):
    """A moment of the talk. `comfort`, 0 to 100, is how the customer visibly feels.

    `speaker` is who speaks here in the customer's place; how the customer feels doesn't show then.
    """

    id: ItemId
    speaker: Text | None = None
    says: Text
    comfort: Annotated[int, Interval(ge=0, le=100)]
    choices: Annotated[tuple[Choice, ...], Len(0, 6)] = ()


class DialoguePublic(Public):
    customer: Text
    start: ItemId
    nodes: Annotated[tuple[Node, ...], Len(2, MAX_NODES)]

    @cached_property
    def by_id(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def order(self) -> list[str] | None:
        """Node ids so that every link leads forward, or None when there is a loop."""
        back: dict[str, set[str]] = {node.id: set() for node in self.nodes}
        for node in self.nodes:
            for choice in node.choices:
                back.setdefault(choice.to, set()).add(node.id)
        try:
            return list(TopologicalSorter(back).static_order())
        except CycleError:
            return None

    def node(self, node_id: str) -> Node:
        return self.by_id[node_id]


class DialogueKey(Key):
    """`points` by node and choice; `red_lines` and `rationales` by "node.choice"."""

    points: Mapping[ItemId, Mapping[ItemId, Annotated[int, Interval(ge=0, le=3)]]]
    red_lines: tuple[str, ...] = ()
    rationales: Mapping[str, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        return self.rationales.get(ref)


class DialogueResponse(Response):
    """The choices made, in order, from the start node on."""

    path: Annotated[tuple[str, ...], Len(0, MAX_NODES)]


def walk(public: DialoguePublic, response: DialogueResponse) -> tuple[list[tuple[Node, Choice]], Node, str | None]:
    """Follow the path: the turns taken, the node reached, and the first choice that isn't there."""
    nodes, turns = public.by_id, list[tuple[Node, Choice]]()
    node = nodes[public.start]
    for name in response.path:
        choice = next((c for c in node.choices if c.id == name), None)
        if choice is None:
            return turns, node, name
        turns.append((node, choice))
        node = nodes[choice.to]
    return turns, node, None


def best_total(public: DialoguePublic, key: DialogueKey) -> int:
    """Return the highest sum of points on any path from the start to an end."""
    return best_totals(public, key)[public.start]


def best_totals(public: DialoguePublic, key: DialogueKey) -> dict[str, int]:
    """Return, by node, the highest sum of points on any path from there to an end."""
    nodes, total = public.by_id, dict[str, int]()
    for name in reversed(public.order or ()):
        choices = nodes[name].choices
        total[name] = max((key.points[name][choice.id] + total[choice.to] for choice in choices), default=0)
    return total


def check(public: DialoguePublic, key: DialogueKey) -> Iterator[Fault]:
    faults = [*check_refs(public, key), *check_paths(public)]
    yield from faults
    if not faults and not best_total(public, key):
        yield Fault(
            "unscored-choice", ("key", "points"), "no path earns a point; give the best reply of each turn some"
        )


def check_refs(public: DialoguePublic, key: DialogueKey) -> Iterator[Fault]:
    ids = [node.id for node in public.nodes]
    yield from duplicate_ids(("public", "nodes"), ids, "node")
    if public.start not in ids:
        yield Fault("broken-link", ("public", "start"), f"there is no node “{public.start}” to start from")
    refs: dict[str, bool] = {}
    for i, node in enumerate(public.nodes):
        where = ("public", "nodes", i, "choices")
        if len(node.choices) == 1:
            yield Fault("single-choice", where, "one choice is no choice; add another or join the two nodes")
        yield from duplicate_ids(where, [choice.id for choice in node.choices], "choice")
        for j, choice in enumerate(node.choices):
            refs[f"{node.id}.{choice.id}"] = is_weaker(key, node, choice)
            if choice.to not in ids:
                message = f"the link leads to “{choice.to}”, and there is no such node"
                yield Fault("broken-link", (*where, j, "to"), message)
            if choice.id not in key.points.get(node.id, {}):
                message = f"choice “{node.id}.{choice.id}” has no points; add them"
                yield Fault("unscored-choice", ("key", "points", node.id, choice.id), message)
        effects = {
            (choice.to, key.points.get(node.id, {}).get(choice.id), f"{node.id}.{choice.id}" in key.red_lines)
            for choice in node.choices
        }
        if len(node.choices) > 1 and len(effects) == 1:
            message = f"whatever is chosen at “{node.id}” leads to the same place for the same points; let it matter"
            yield Fault("choice-without-effect", where, message)
    for name, points in key.points.items():
        for choice_id in points:
            if f"{name}.{choice_id}" not in refs:
                message = f"there is no choice “{name}.{choice_id}”; mend the id or take it out"
                yield Fault("orphan-key", ("key", "points", name, choice_id), message)
    yield from rationales(key.rationales, refs, "choice", [ref for ref, weaker in refs.items() if weaker])
    yield from broken_links(("key", "red_lines"), key.red_lines, refs, "choice")
    for i, ref in enumerate(key.red_lines):
        if refs.get(ref) is False:
            message = f"“{ref}” crosses a red line and is worth the most at its node; give another choice more"
            yield Fault("contradiction", ("key", "red_lines", i), message)


def is_weaker(key: DialogueKey, node: Node, choice: Choice) -> bool:
    """Return whether another choice of the node is worth more."""
    points = key.points.get(node.id, {})
    return points.get(choice.id, 0) < max(points.values(), default=0)


def check_paths(public: DialoguePublic) -> Iterator[Fault]:
    ids = {node.id for node in public.nodes}
    if public.order is None:
        message = "the talk runs in a circle; every path must come to an end"
        yield Fault("endless-path", ("public", "nodes"), message)
    reached, todo = set(), [public.start] if public.start in ids else []
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += [choice.to for choice in public.node(name).choices if choice.to in ids]
    for i, node in enumerate(public.nodes):
        if reached and node.id not in reached:
            message = f"no path leads to node “{node.id}”; link it or take it out"
            yield Fault("unreachable-node", ("public", "nodes", i), message)
    if public.start in ids and not public.node(public.start).choices:
        message = f"the talk ends where it starts, at “{public.start}”; give that node choices"
        yield Fault("dead-end", ("public", "start"), message)


def unknown(public: DialoguePublic, response: DialogueResponse) -> str | None:
    return walk(public, response)[2]


def missing(public: DialoguePublic, response: DialogueResponse) -> Text | None:
    if not walk(public, response)[1].choices:
        return None
    return Text(zh="谈话还没有结束。", en="The talk has not come to its end yet.")


def release(public: DialoguePublic) -> DialoguePublic:
    nodes = (
        node.model_copy(update={"choices": tuple(sorted(node.choices, key=lambda choice: choice.id))})
        for node in public.nodes
    )
    return public.model_copy(update={"nodes": tuple(sorted(nodes, key=lambda node: node.id))})


def labels(public: DialoguePublic, key: DialogueKey) -> dict[str, Text]:
    return {f"{node.id}.{choice.id}": choice.text for node in public.nodes for choice in node.choices}


def play(public: DialoguePublic, key: DialogueKey, choose: Choose) -> dict[str, list[str]]:
    node, path, total = public.node(public.start), [], best_totals(public, key)
    while node.choices:
        worth = [key.points[node.id][choice.id] + total[choice.to] for choice in node.choices]
        choice = node.choices[choose([choice.text for choice in node.choices], worth.index(max(worth)))]
        path.append(choice.id)
        node = public.node(choice.to)
    return {"path": path}


def follows(before: DialogueResponse, after: DialogueResponse) -> bool:
    """What was said in a talk can't be taken back."""
    return after.path[: len(before.path)] == before.path
