"""A talk as a picture for its author: moments in rows from start to end, choices as arrows with their points.

Rows are longest-path layers; within a row, nodes stand near the mean place of
those that lead to them (the barycentre rule of Sugiyama et al., 1981).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean

from curriculum.items.dialogue.model import Choice, DialogueKey, DialoguePublic, Node, is_weaker
from curriculum.model import Language

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, EDGE = 176, 58, 26, 74, 8
WORDS = 12
STYLE = (
    "text{font:12px system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;fill:currentColor}"
    ".id{font-weight:600}.says{opacity:.75}rect{fill:var(--card,Canvas);stroke:currentColor;stroke-width:1.2}"
    ".end rect{stroke-dasharray:4 3}path{fill:none;stroke:currentColor;stroke-width:1;opacity:.45}"
    ".best path{stroke-width:2.4;opacity:.9}.red path{stroke-dasharray:2 3;opacity:.9}"
    ".points{font-weight:600;paint-order:stroke;stroke:Canvas;stroke-width:4px}"
)


def layers(public: DialoguePublic) -> list[list[Node]]:
    """Return the nodes in rows; every link leads to a lower row."""
    order = public.order
    if order is None:
        raise ValueError("a talk that runs in a circle has no rows")
    depth = dict.fromkeys(order, 0)
    for name in order:
        for choice in public.node(name).choices:
            depth[choice.to] = max(depth[choice.to], depth[name] + 1)
    rows: list[list[Node]] = [[] for _row in range(max(depth.values()) + 1)]
    for node in public.nodes:
        rows[depth[node.id]].append(node)
    place: dict[str, float] = {}
    for row in rows:
        row.sort(key=lambda node: fmean([place[above.id] for above in public.nodes if leads(above, node)] or [0.5]))
        place |= {node.id: (i + 0.5) / len(row) for i, node in enumerate(row)}
    return rows


def leads(node: Node, to: Node) -> bool:
    return any(choice.to == to.id for choice in node.choices)


def picture(public: DialoguePublic, key: DialogueKey, language: Language) -> str:
    """Return the talk as an SVG. Raises ValueError when it runs in a circle."""
    rows = layers(public)
    width = max(len(row) for row in rows) * (BOX_WIDTH + GAP_X) + GAP_X
    height = len(rows) * (BOX_HEIGHT + GAP_Y) - GAP_Y + 2 * EDGE
    corner = {
        node.id: (width * (i + 0.5) / len(row) - BOX_WIDTH / 2, EDGE + r * (BOX_HEIGHT + GAP_Y))
        for r, row in enumerate(rows)
        for i, node in enumerate(row)
    }
    arrows = [arrow(key, node, choice, i, corner) for node in public.nodes for i, choice in enumerate(node.choices)]
    boxes = [box(node, corner[node.id], language) for node in public.nodes]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(public.customer[language])}</title>'
    )
    return "".join([head, f"<style>{STYLE}</style>", *arrows, *boxes, "</svg>"])


def arrow(key: DialogueKey, node: Node, choice: Choice, number: int, corner: Mapping[str, Sequence[float]]) -> str:
    (left, top), (to_left, to_top) = corner[node.id], corner[choice.to]
    x, y = left + BOX_WIDTH * (number + 1) / (len(node.choices) + 1), top + BOX_HEIGHT
    end = to_left + BOX_WIDTH * (0.35 + 0.3 * (number + 1) / (len(node.choices) + 1))
    red = f"{node.id}.{choice.id}" in key.red_lines
    kind = "red" if red else "" if is_weaker(key, node, choice) else "best"
    points, bend = key.points[node.id][choice.id], GAP_Y * 0.7
    label = f"{points} ⛔" if red else str(points)
    return (
        f'<g class="{kind}"><title>{escape(choice.id)}: {points}</title>'
        f'<path d="M{x:.0f} {y}C{x:.0f} {y + bend:.0f} {end:.0f} {to_top - bend:.0f} {end:.0f} {to_top}"/>'
        f'<text class="points" x="{x:.0f}" y="{y + 18}" text-anchor="middle">{label}</text></g>'
    )


def box(node: Node, corner: Sequence[float], language: Language) -> str:
    x, y = corner
    says = node.says[language]
    room = WORDS if language == "zh" else 2 * WORDS
    short = says if len(says) <= room else f"{says[:room]}…"
    return (
        f'<g class="{"" if node.choices else "end"}"><title>{escape(says)}</title>'
        f'<rect x="{x:.0f}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="9"/>'
        f'<text class="id" x="{x + 10:.0f}" y="{y + 23}">{escape(node.id)} · {node.comfort}</text>'
        f'<text class="says" x="{x + 10:.0f}" y="{y + 43}">{escape(short)}</text></g>'
    )
