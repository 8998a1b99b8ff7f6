"""JSON Schema of an item's YAML, for editors that complete and check while one types."""

from __future__ import annotations

import json
from typing import Any

from pydantic import create_model

from curriculum.items import TYPES
from curriculum.model import Head, ItemType


def schema(kind: ItemType[Any, Any, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a whole item of one type."""
    model = create_model(kind.name, __base__=Head, public=(kind.public, ...), key=(kind.key, ...))
    data = model.model_json_schema()
    data["properties"]["type"] = {"const": kind.name}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **data}


def schema_files() -> dict[str, bytes]:
    """Return the schema of every item type, by its path in the project."""
    return {
        f"curriculum/items/{kind.name}/schema.json": (
            json.dumps(schema(kind), ensure_ascii=False, indent=1) + "\n"
        ).encode()
        for kind in TYPES.values()
    }
