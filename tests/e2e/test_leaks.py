"""No key may reach a learner before grading: canaries in every key, searched wherever a learner can look.

The checkout is copied, every text of every graded item's key gets a canary that
names its item, and every number a conspicuous value where the model allows one.
Then the demo runs in the copy as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Error, Response, WebSocket, expect

from autograde.course_data import CourseData
from autograde.place import ROOT
from autograde.serve import Lab, learner_environment, prepare_learner
from curriculum.items import TYPES
from curriculum.load import load_course
from tests.e2e.conftest import EXERCISES

CANARY = "KEYCANARY"
CAP = 0.43721913
SIGNS = (CANARY.encode(), str(CAP).encode())
COURSE = load_course()
# What keys are made of: no field of such a name belongs anywhere in a graded item's public data.
SECRET = {"rationales", "red_lines", "requires", "critical", "faults", "points", "weaker", "slips", "models", "why"}
GRADED = tuple(name for chapter in COURSE.chapters for name in chapter.points)
WORDED = {
    item.id for chapter in COURSE.chapters for item in chapter.items if item.head.type in ("free_text", "reflection")
}
CODE = {".py", ".js", ".css", ".html"}


def plant(data: Any, canary: str) -> Any:
    """Return key data with a canary in every text, every list of phrases, every model answer and every cap."""
    if isinstance(data, dict):
        return {name: CAP if name == "cap" else planted_at(name, value, canary) for name, value in data.items()}
    return [plant(value, canary) for value in data] if isinstance(data, list) else data


def planted_at(name: str, value: Any, canary: str) -> Any:
    if name not in ("zh", "en", "text"):
        return plant(value, canary)
    if isinstance(value, list):
        # Phrases of a checklist, in one list or in groups: one more to look for changes no score.
        return (
            [planted_at(name, one, canary) for one in value]
            if isinstance(value[0], list)
            else [*value[:19], f"phrase{canary}"]  # of 20 that there may be
        )
    return f"{value} {canary}"


def canary(item: str) -> str:
    return f"{CANARY}-{item}-"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout whose keys are full of canaries, after its demo has run."""
    copy = tmp_path_factory.mktemp("planted") / "checkout"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", ".course", "tests", "*cache*", "dist", "build")
    )
    for path in (copy / "curriculum" / "chapters").rglob("items/e*.yml"):
        item = yaml.safe_load(path.read_text("utf-8"))
        item["key"] = plant(item["key"], canary(item["id"]))
        path.write_text(yaml.safe_dump(item, allow_unicode=True), "utf-8")
        assert canary(item["id"]) in path.read_text("utf-8")
    done = run(copy, "-m", "autograde.cli", "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return copy


def run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(copy), "COUNTERSIDE_COURSE": str(copy / ".course")}
    return subprocess.run(
        [sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True, timeout=300
    )


def received(path: Path) -> bytes:
    """Return what a file holds but for answers in words: simulated learners write the key's own model answers."""
    if path.suffix != ".jsonl":
        return path.read_bytes()
    lines = path.read_bytes().splitlines()
    return b"\n".join(line for line in lines if json.loads(line)["item"] not in WORDED)


def leaks(folder: Path) -> list[str]:
    """Return the files below `folder` that hold a canary."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, f"nothing to search in {folder}"
    return [str(path) for path in files if any(sign in received(path) for sign in SIGNS)]


def test_the_canaries_sing(planted: Path) -> None:
    # The expert answered everything, so the expert's own feedback holds reasons of every item.
    for chapter in COURSE.chapters:
        page = (planted / ".course" / "feedback" / "expert" / chapter.id / f"{chapter.id}.html").read_text("utf-8")
        assert [item for item in chapter.points if canary(item) not in page] == []


@pytest.mark.parametrize("place", ["source", "release", ".course/exchange/counterside/outbound", ".course/learners"])
def test_nothing_in_what_a_learner_receives(planted: Path, place: str) -> None:
    assert leaks(planted / place) == []


def test_no_key_field_in_public_data(planted: Path) -> None:
    for chapter in COURSE.chapters:
        released = yaml.safe_load((planted / "release" / chapter.id / "items.json").read_text("utf-8"))
        for item in released["items"]:
            if item["id"] not in GRADED:
                continue
            kind = TYPES[item["type"]]
            assert set(item) == {"id", "type", "practice", "hash", "title", "public"}
            assert set(item["public"]) <= set(kind.public.model_fields)
            assert not SECRET & fields(item)


def fields(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data) | {name for value in data.values() for name in fields(value)}
    return {name for value in data for name in fields(value)} if isinstance(data, list) else set()


def test_nothing_in_the_wheel_but_code(planted: Path, tmp_path: Path) -> None:
    done = run(planted, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if CANARY.encode() in archive.read(name)]
        code = [name for name in archive.namelist() if name.startswith(("curriculum/", "autograde/"))]
        assert "curriculum/player.js" in code
        assert "autograde/templates/feedback.html" in code
        assert {Path(name).suffix for name in code} <= CODE


def test_feedback_of_another_learner_tells_nothing(planted: Path) -> None:
    feedback = planted / ".course" / "feedback"
    blank = (feedback / "blank" / "ch3" / "ch3.html").read_text("utf-8")
    assert CANARY not in blank  # handing in nothing must not buy the answers
    half_way = (feedback / "half-way" / "ch3" / "ch3.html").read_text("utf-8")
    assert canary("e3-1-1") in half_way
    assert canary("e3-1-3") not in half_way
    assert canary("e3-1-4") not in half_way
    words = "上午九点半，一位老人进门后站在门口四处看。"  # the expert's own diary
    pages = {path.parts[-3]: path.read_text("utf-8") for path in feedback.glob("*/ch3/ch3.html")}
    assert [name for name, page in pages.items() if words in page] == ["expert"]


@pytest.mark.browser
def test_nothing_in_what_the_browser_receives(
    planted: Path, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIDE_COURSE", str(planted / ".course"))
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    home = prepare_learner(CourseData(planted / "nbgrader_config.py"), "curious")
    lab = Lab(home, learner_environment(home), tmp_path / "lab.log")
    received: list[bytes] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(frame if isinstance(frame, bytes) else frame.encode()))

    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.on("websocket", listen)
    bodies: list[Response] = []
    page.on("response", lambda response: bodies.append(response))
    with lab.running():
        page.goto(lab.address("doc/tree/ch3/ch3.ipynb"))
        expect(page.locator(".cs-player")).to_have_count(EXERCISES["ch3"], timeout=60_000)
        page.locator('[data-item="e3-1-1"] [data-key^="pool:"]').first.click()
        page.locator('[data-item="e3-1-2"] input').first.click()
        page.locator('[data-item="e3-1-2"] [data-key="say"]').click()
        page.locator('[data-item="e3-1-3"] [data-span]').first.click()
        for item in ("e3-1-1", "e3-1-2", "e3-1-3"):
            page.locator(f'[data-item="{item}"] .cs-status[data-status="saved"]').wait_for()
        received += [body for response in bodies if (body := body_of(response))]
        context.close()
    everything = b"\n".join(received)
    assert b"e3-1-1" in everything
    assert b"mirror-worry" in everything  # the public side of the talk came through, so keys would have shown
    assert not any(sign in everything for sign in SIGNS)


def body_of(response: Response) -> bytes | None:
    try:
        return response.body()
    except Error:  # redirects and cached files have no body to give
        return None
