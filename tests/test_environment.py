"""environment.yml says the same requirements as pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograde.place import ROOT


def requirements(lines: Iterable[str]) -> dict[str, str]:
    """Return the versions that are asked for, by package."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in parsed}


def test_environment_and_pyproject_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    (by_pip,) = (part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    by_conda = [part for part in environment["dependencies"] if isinstance(part, str)]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(line for extra in sorted(extras) for line in extras[extra])]
    assert sorted(extras) == ["dask", "grading", "postgres", "test"]
    assert len(by_pip) == len(requirements(by_pip))  # nothing stands there twice
    assert requirements(by_pip) == requirements(asked)
    assert by_conda == [f"python{project['requires-python']}", "pip"]
    assert environment["name"] == project["name"]
    assert environment["channels"] == ["conda-forge"]
