"""The registry: one line for each item type."""

from __future__ import annotations

from typing import Any

from curriculum.items import dialogue, ordering, reflection, violations
from curriculum.model import ItemType

TYPES: dict[str, ItemType[Any, Any, Any]] = {
    kind.name: kind
    for kind in (
        dialogue.TYPE,
        ordering.TYPE,
        reflection.TYPE,
        violations.TYPE,
    )
}
