"""What an installation brings: the extension, the kernel, the settings."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from pathlib import Path

import pytest

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


def test_a_file_beside_the_notebook_never_shadows_the_package(tmp_path: Path) -> None:
    from jupyter_client.manager import start_new_kernel

    for name in ("curriculum", "anywidget", "json"):
        (tmp_path / f"{name}.py").write_text(f"open('was-run', 'a').write('{name} ')\n")
    manager, client = start_new_kernel(kernel_name="counterside", cwd=str(tmp_path))
    try:
        reply = client.execute_interactive("import curriculum.player, json", timeout=60)
        assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not (tmp_path / "was-run").exists()
