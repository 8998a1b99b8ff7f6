"""The hash tree of RFC 9162 (section 2.1), kept as the few nodes that whole subtrees hash to.

A tree over n rows is known by at most log2(n) + 1 such nodes, and what was
added from m to n rows by twice as many. The nodes of m rows and of what was
added give those of n rows: that shows that nothing before m was touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


class Tree:
    """The part of a tree over the leaves from `start` on, as nodes from left to right, each with its level."""

    def __init__(self, start: int = 0, nodes: Iterable[bytes] = (), end: int | None = None) -> None:
        self.start = self.end = start
        self.nodes: list[tuple[int, bytes]] = []
        if end is not None:
            self.nodes = list(zip(levels(start, end), nodes, strict=True))
            self.end = end

    def add(self, node: bytes, level: int = 0) -> None:
        """Add a leaf, or a whole subtree of 2**level of them."""
        nodes = self.nodes
        self.end += 1 << level
        while nodes and nodes[-1][0] == level and not self.end & ((2 << level) - 1):
            node = sha256(b"\1" + nodes.pop()[1] + node).digest()
            level += 1
        nodes.append((level, node))

    def add_all(self, nodes: Iterable[tuple[int, bytes]]) -> None:
        for level, node in nodes:
            self.add(node, level)

    def copy(self) -> Tree:
        return Tree(self.start, self.hashes, self.end)

    @property
    def hashes(self) -> list[bytes]:
        return [node for _level, node in self.nodes]

    @property
    def root(self) -> bytes:
        """The root of a tree that starts at the first leaf."""
        *rest, found = self.hashes or [EMPTY]
        for node in reversed(rest):
            found = node_hash(node, found)
        return found


def levels(start: int, end: int) -> Sequence[int]:
    """Return the levels of the nodes that cover the leaves from `start` up to `end`."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append(level)
        start += 1 << level
    return found
