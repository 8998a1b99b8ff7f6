"""What is built: always the same bytes, in the two shapes that learners may run, and never a key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbgrader.preprocessors import ClearHiddenTests

from autograde.place import ROOT
from curriculum.build import build, chapter_files, outdated
from curriculum.load import Course, load_course

PLAY = re.compile(r'from curriculum\.player import play\nplay\("([a-z0-9-]+)"\)')
HAND_IN = "from curriculum.player import hand_in\nhand_in()"
POINTS = {"e3-1-1": 6, "e3-1-2": 9, "e3-1-3": 7, "e3-1-4": 2}
PRACTICE = {"p3-1-1", "p3-1-2", "p3-1-3"}


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def built(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    build(course, folder)
    return folder / "source"


@pytest.fixture(scope="module")
def cells(built: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((built / "ch3/ch3.ipynb").read_text("utf-8"))["cells"]
    return found


@pytest.fixture(scope="module")
def items(built: Path) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in json.loads((built / "ch3/items.json").read_text("utf-8"))["items"]}


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


# --- the same bytes


def test_building_again_gives_the_same_bytes(built: Path, content: Path, tmp_path: Path) -> None:
    before = files(built)
    assert set(before) == {"ch3/ch3.ipynb", "ch3/items.json", "ch3/img/visit.en.svg", "ch3/img/visit.zh.svg"}
    assert build(load_course(content), built.parent) == []
    build(load_course(content), tmp_path / "elsewhere")
    assert files(tmp_path / "elsewhere" / "source") == before


def test_source_in_the_repo_is_what_the_content_builds(whole_course: Course) -> None:
    assert outdated(whole_course, ROOT) == []


def test_source_holds_no_file_that_would_overwrite_answers() -> None:
    # nbgrader copies what lies in source/ over what learners hand in.
    assert not [path for path in (ROOT / "source").rglob("*") if "responses" in path.parts or path.suffix == ".jsonl"]


def test_changed_missing_and_leftover_files_are_outdated_and_mended(
    course: Course, built: Path, tmp_path: Path
) -> None:
    build(course, tmp_path)
    chapter = tmp_path / "source" / "ch3"
    (chapter / "items.json").write_text("{}")
    (chapter / "img/visit.en.svg").unlink()
    (chapter / "img/old.svg").touch()
    broken = [chapter / "img/old.svg", chapter / "img/visit.en.svg", chapter / "items.json"]
    assert outdated(course, tmp_path) == broken
    assert sorted(build(course, tmp_path)) == broken
    assert files(tmp_path) == files(built.parent)


# --- no key


def strings(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all strings below `data`."""
    if isinstance(data, str):
        yield path
    for name, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from strings(value, (*path, name))


def rewrite(content: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the items whose answers count."""
    for path in content.glob("chapters/*/items/e*.yml"):
        data = yaml.safe_load(path.read_text("utf-8"))
        change(data)
        path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")


def test_no_text_of_a_key_is_built(content: Path, tmp_path: Path) -> None:
    planted = 0

    def plant(data: dict[str, Any]) -> None:
        nonlocal planted
        for path in strings(data["key"]):
            place = data["key"]
            for name in path[:-1]:
                place = place[name]
            if path[-1] in ("zh", "en"):
                place[path[-1]], planted = f"CANARY {planted} 金丝雀", planted + 1

    rewrite(content, plant)
    # 14 + 33 + 22 rationales and a model log of 3 × 4 fields, each in two languages, and the better sentences.
    assert planted > 2 * (14 + 33 + 22 + 12)
    build(load_course(content), tmp_path)
    for name, data in files(tmp_path / "source").items():
        assert b"CANARY" not in data, name
        assert "金丝雀" not in data.decode(), name


def test_built_files_do_not_depend_on_any_key(course: Course, content: Path) -> None:
    """Ids and numbers can't be canaries. But what is the same for two quite different keys tells neither."""

    def other_key(data: dict[str, Any]) -> None:
        key, public = data["key"], data["public"]
        if data["type"] == "ordering":
            key["requires"] = {"bid-farewell": ["tidy-desk"]}
            key["critical"] = [{"before": "tidy-desk", "after": "bid-farewell", "cap": 0.123}]
        if data["type"] == "dialogue":
            key["points"] = {
                node: {c: (p + 2) % 4 for c, p in choices.items()} for node, choices in key["points"].items()
            }
            key["red_lines"] = ["arrives.keep-distance"]
        if data["type"] == "violations":
            spans = [span["id"] for line in public["lines"] for span in line["spans"]]
            others = [span for span in spans if span not in key["faults"]]
            key["faults"] = dict.fromkeys(others[: len(key["faults"])], 3)  # how many there are is public
        for rationale in key.get("rationales", {}).values():
            rationale |= {"point": "1.1.1", "rule": "F-CN-24", "better": {"zh": "别的", "en": "else"}}
        key |= {"point": "1.1.1"} if "point" in key else {}

    rewrite(content, other_key)
    changed = load_course(content)
    for item in course.items.values():
        assert (changed.items[item.id].key != item.key) == (item.id in POINTS)
    chapter = course.chapter("ch3")
    assert chapter_files(changed, changed.chapter("ch3")) == chapter_files(course, chapter)


def test_practice_carries_its_key_and_nothing_else_does(course: Course, items: dict[str, dict[str, Any]]) -> None:
    assert items.keys() == POINTS.keys() | PRACTICE
    for name, item in items.items():
        assert item["practice"] == (name in PRACTICE)
        assert item.keys() - {"key"} == {"id", "type", "practice", "hash", "title", "public"}
        assert ("key" in item) == (name in PRACTICE)
    for name in PRACTICE:
        assert items[name]["key"] == json.loads(course.items[name].key.model_dump_json())


def test_options_are_sorted_by_id(course: Course, items: dict[str, dict[str, Any]]) -> None:
    seen = set()
    for item in items.values():
        lists = []
        if item["type"] == "ordering":
            lists = [item["public"]["steps"]]
        if item["type"] == "dialogue":
            lists = [item["public"]["nodes"], *(node["choices"] for node in item["public"]["nodes"])]
        for options in lists:
            names = [option["id"] for option in options]
            assert names == sorted(names)
            seen.add(item["type"])
    assert seen == {"ordering", "dialogue"}
    written = [step.id for step in course.items["e3-1-1"].public.steps]  # type: ignore[attr-defined]
    assert written != sorted(written)


# --- the notebook


def test_released_code_has_one_of_two_shapes(built: Path) -> None:
    notebook = nbformat.read(built / "ch3/ch3.ipynb", as_version=4)
    released, _resources = ClearHiddenTests().preprocess(notebook, {})
    code = [source(cell) for cell in released["cells"] if cell["cell_type"] == "code"]
    played = [match[1] for text in code if (match := PLAY.fullmatch(text))]
    assert sorted(played) == sorted(POINTS.keys() | PRACTICE)
    assert [text for text in code if not PLAY.fullmatch(text)] == [HAND_IN]


def test_hidden_test_asks_the_engine_by_item_id(cells: list[dict[str, Any]]) -> None:
    tests = {cell["id"]: source(cell) for cell in cells if "HIDDEN TESTS" in source(cell)}
    assert tests.keys() == POINTS.keys()
    for name, text in tests.items():
        hidden = text.split("### BEGIN HIDDEN TESTS\n")[1].split("\n### END HIDDEN TESTS")[0]
        assert hidden == f'from autograde.engine import earned\nearned("{name}")'


def test_grade_cells_are_worth_the_points_of_the_course(cells: list[dict[str, Any]]) -> None:
    graded = {c["metadata"]["nbgrader"]["grade_id"]: c for c in cells if "nbgrader" in c["metadata"]}
    worth = {name: cell["metadata"]["nbgrader"]["points"] for name, cell in graded.items()}
    # The note to the trainer is a cell to be answered, not to be marked.
    assert worth == {**POINTS, "e3-1-4-note": 0}
    for name in POINTS:
        data = graded[name]["metadata"]["nbgrader"]
        assert (data["grade"], data["locked"], data["solution"], data["task"]) == (True, True, False, False)
        assert data["schema_version"] == 3
    # Only a Markdown cell may be marked by hand: of a code cell the learner's value would be the score.
    note = graded["e3-1-4-note"]
    data = note["metadata"]["nbgrader"]
    assert note["cell_type"] == "markdown"
    assert (data["grade"], data["locked"], data["solution"], data["task"]) == (True, False, True, False)
    assert all(name.isascii() for name in worth)


def test_theory_stands_in_both_languages_side_by_side(cells: list[dict[str, Any]]) -> None:
    languages = [cell["metadata"].get("counterside", {}).get("lang") for cell in cells]
    theory = [language for language in languages if language]
    assert len(theory) >= 20
    assert theory == ["zh", "en"] * (len(theory) // 2)
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        assert not re.search(r"\{\{|\}\}", source(cell))
        assert (cell["metadata"]["editable"], cell["metadata"]["deletable"]) == (False, False)
