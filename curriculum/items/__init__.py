"""The registry: one word for each item type, which is also the name of its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from curriculum.model import ItemType

NAMES = (
    "best_worst",
    "classification",
    "data_analysis",
    "dialogue",
    "free_text",
    "multi_select",
    "numeric",
    "ordering",
    "plan",
    "rating",
    "reflection",
    "triage",
    "violations",
)


class Types(Mapping[str, ItemType[Any, Any, Any]]):
    """All item types by name. One is imported when it is asked for: a learner's kernel pays for those it shows."""

    def __getitem__(self, name: str) -> ItemType[Any, Any, Any]:
        if name not in NAMES:
            raise KeyError(name)
        kind: ItemType[Any, Any, Any] = import_module(f"curriculum.items.{name}").TYPE
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


TYPES = Types()
