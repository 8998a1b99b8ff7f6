"""The registry: one word for each item type, which is also the name of its folder."""

from __future__ import annotations

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
TYPES: dict[str, ItemType[Any, Any, Any]] = {name: import_module(f"curriculum.items.{name}").TYPE for name in NAMES}
