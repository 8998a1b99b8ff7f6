"""What an installation brings: the extension, the kernel, the settings."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from autograde.place import ROOT

LAB = ROOT / "curriculum" / "lab"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SHARED = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]


def test_the_extension_names_its_own_content() -> None:
    # Browsers keep the file for a year; only another address brings a new one.
    files = ("remoteEntry.js", "style.css")
    content = b"".join((LAB / "extension" / "static" / name).read_bytes() for name in files)
    entry = json.loads((LAB / "extension" / "package.json").read_text())["jupyterlab"]["_build"]["load"]
    assert entry == f"static/remoteEntry.js?v={hashlib.sha256(content).hexdigest()[:8]}"


@pytest.mark.parametrize("source", SHARED)
def test_what_is_installed_is_what_stands_here(source: str) -> None:
    files = [path for path in (ROOT / source, *(ROOT / source).rglob("*")) if path.is_file()]
    assert files
    for path in files:
        installed = Path(sys.prefix) / SHARED[source] / path.relative_to(ROOT / source)
        assert installed.read_bytes() == path.read_bytes(), f"install again: {installed} is not as {path}"


def test_the_kernel_starts_where_no_file_beside_the_notebook_counts() -> None:
    argv = json.loads((LAB / "kernel.json").read_text())["argv"]
    assert argv[1] == "-P"
    assert "--InteractiveShellApp.ignore_cwd=True" in argv


@pytest.fixture
def client(tmp_path: Path) -> Iterator[BlockingKernelClient]:
    """A learner's kernel, in a folder with files that are named like what it imports."""
    for name in ("curriculum", "anywidget", "json"):
        (tmp_path / f"{name}.py").write_text(f"open('was-run', 'a').write('{name} ')\n")
    manager, client = start_new_kernel(kernel_name="counterside", cwd=str(tmp_path))
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def value(client: BlockingKernelClient, statement: str, expression: str) -> str:
    """Run a statement in a kernel and return what an expression then is."""
    reply = client.execute_interactive(statement, user_expressions={"it": expression}, timeout=60)
    assert reply["content"]["status"] == "ok"
    text: str = reply["content"]["user_expressions"]["it"]["data"]["text/plain"]
    return text


def test_a_file_beside_the_notebook_never_shadows_the_package(client: BlockingKernelClient, tmp_path: Path) -> None:
    value(client, "import curriculum.player, json", "0")
    assert not (tmp_path / "was-run").exists()


def test_a_kernel_loads_no_debugger_and_no_item_type_before_it_shows_one(client: BlockingKernelClient) -> None:
    loaded = json.loads(value(client, "import curriculum.player, json, sys", "json.dumps([*sys.modules])").strip("'"))
    assert "curriculum.items" in loaded
    needless = ("_pydevd", "pydevd", "debugpy.", "curriculum.items.", "yaml", "nbgrader")
    assert [name for name in loaded if name.startswith(needless)] == []
