"""The self-test of every item type: its example passes the content checks and earns what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import curriculum.items
from curriculum.items import TYPES
from curriculum.load import Loader
from curriculum.model import LANGUAGES, Item
from curriculum.verdict import InvalidResponseError, explain, judge

FOLDER = Path(curriculum.items.__file__).parent
NAMES = sorted(TYPES)


def example(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((FOLDER / name / "example.yml").read_text("utf-8"))
    return data


def load(item: dict[str, Any], content: Path) -> Item:
    """Read an item with the checks of the course's loader, which must find nothing."""
    path = content / f"{item['id']}.yml"
    path.write_text(yaml.safe_dump(item, allow_unicode=True, sort_keys=False), "utf-8")
    loader = Loader(content)
    loader.rules, loader.teaching_points = loader.read_rules(), loader.read_teaching_points()
    loaded = loader.item(path)
    assert loader.problems == []
    assert loaded is not None
    return loaded


def swapped(data: Any) -> Any:
    """The same data with the two languages exchanged."""
    if isinstance(data, dict) and data.keys() == set(LANGUAGES):
        return {"zh": data["en"], "en": data["zh"]}
    if isinstance(data, dict):
        return {key: swapped(value) for key, value in data.items()}
    return [swapped(value) for value in data] if isinstance(data, list) else data


def test_each_type_is_one_folder_with_the_same_files() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/model.py")}
    assert folders == set(NAMES)
    for name in NAMES:
        assert not {"model.py", "score.py", "view.js", "view.css", "example.yml"} - {
            path.name for path in (FOLDER / name).iterdir()
        }
        assert TYPES[name].name == name


@pytest.mark.parametrize("name", NAMES)
def test_example_has_a_right_a_partly_right_a_wrong_and_an_invalid_response(name: str) -> None:
    responses = example(name)["responses"]
    assert {case["name"] for case in responses} == {"right", "partly", "wrong", "invalid"}
    for case in responses:
        assert case["why"]
        expected = {"right": 1, "wrong": 0, "invalid": None}
        assert case["share"] == expected.get(case["name"], case["share"])
        assert case["name"] == "invalid" or 0 <= case["share"] <= 1


@pytest.mark.parametrize("variant", ["as written", "languages exchanged", "public lists reversed", "released"])
@pytest.mark.parametrize("name", NAMES)
def test_each_response_earns_its_share(name: str, variant: str, content: Path) -> None:
    data = example(name)
    item = load(swapped(data["item"]) if variant == "languages exchanged" else data["item"], content)
    if variant == "released":
        item = Item(item.head, item.kind, item.kind.release(item.public), item.key)
    if variant == "public lists reversed":
        item = Item(item.head, item.kind, backwards(item), item.key)
    for case in data["responses"]:
        if case["share"] is None:
            with pytest.raises(InvalidResponseError):
                judge(item, case["response"])
            continue
        score, missing = judge(item, case["response"])
        assert score.share == pytest.approx(case["share"], abs=1e-12), case["why"]
        assert case["name"] != "right" or missing is None
        rows = explain(item, score)
        assert len(rows) == len(score.evidence)
        assert all(row.did.zh and row.did.en for row in rows)


def backwards(item: Item) -> Any:
    """The public part with its lists of options the other way round."""
    data = item.public.model_dump()
    for name in (
        "steps",
        "nodes",
        "lines",
        "fields",
        "replies",
        "options",
        "cases",
        "facts",
        "cards",
        "categories",
        "given",
        "questions",
        "conclusions",
        "rows",
        "columns",
        "constraints",
    ):
        data[name] = data[name][::-1] if name in data else None
    return type(item.public).model_validate({name: value for name, value in data.items() if value is not None})


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_of_a_view_is_held_to_its_own_cards(name: str) -> None:
    css = (FOLDER / name / "view.css").read_text("utf-8")
    keyframes = r"@keyframes[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}"
    for noise in (r"/\*.*?\*/", keyframes, r"@[^{};]*[{;]", r"\([^()]*\)", r"\([^()]*\)"):
        css = re.sub(noise, "", css, flags=re.DOTALL)
    selectors = [one.strip(" }\n") for part in re.findall(r"([^{}]+|\}\s*[^{}]+)\{", css) for one in part.split(",")]
    assert selectors
    assert [one for one in selectors if not one.startswith(".cs-card")] == []
