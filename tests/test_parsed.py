"""YAML that was read before is recalled, and nobody can tell but by the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from curriculum import parsed, source
from curriculum.model import Model
from curriculum.source import YamlSource

TEXT = "name: 名\nsteps:\n  - id: a\n    weight: 1.5\n  - id: b\n    weight: two\n"
DATA = {"name": "名", "steps": [{"id": "a", "weight": 1.5}, {"id": "b", "weight": "two"}]}


class Step(Model):
    id: str
    weight: float


class Thing(Model):
    name: str
    steps: tuple[Step, ...]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "kept"
    monkeypatch.setattr(parsed, "FOLDER", kept)
    return kept


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "thing.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def no_reading(*_args: object) -> None:
    raise AssertionError("this was read before")


def test_the_second_reading_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, TEXT)
    assert YamlSource(path, "thing.yml").data == DATA
    monkeypatch.setattr(source, "PlainLoader", no_reading)
    assert YamlSource(path, "thing.yml").data == DATA
    with pytest.raises(AssertionError, match="read before"):
        YamlSource(written(tmp_path, TEXT + "\n"), "thing.yml")


def test_faults_of_what_is_recalled_have_their_lines(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    for _time in range(2):
        found = YamlSource(path, "thing.yml")
        assert found.read(Thing) is None
        assert [(problem.line, problem.rule) for problem in found.problems] == [(6, "wrong-value")]


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", b"\xff\xfe", "1: one\n"])
def test_what_is_broken_or_no_json_is_not_kept(tmp_path: Path, folder: Path, text: str | bytes) -> None:
    said = [[str(problem) for problem in YamlSource(written(tmp_path, text), "t").problems] for _time in range(2)]
    assert said[0] == said[1]
    assert not folder.exists() or not list(folder.iterdir())


def test_a_damaged_or_missing_store_costs_only_time(tmp_path: Path, folder: Path) -> None:
    path = written(tmp_path, TEXT)
    YamlSource(path, "thing.yml")
    (kept,) = folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:7])
    assert YamlSource(path, "thing.yml").data == DATA
    for name in list(folder.iterdir()):
        name.unlink()
    folder.rmdir()
    folder.touch()  # no folder can be made here
    assert YamlSource(path, "thing.yml").data == DATA


def test_it_does_not_grow_without_end(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsed, "MOST", 3)
    for number in range(10):
        YamlSource(written(tmp_path, f"a: {number}\n"), "thing.yml")
        assert len(list(folder.iterdir())) <= 3
