"""Measurements of what a learner feels: a chapter opened, an exercise painted, an answer acknowledged on the screen."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograde.engine import course
from autograde.examples import write_examples
from autograde.place import ROOT, CourseError
from autograde.serve import LEARNER_LAB, Lab
from curriculum.load import Chapter

OPENINGS = 10
ROUNDS = 5
CLICKS = 100
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# From the click to the moment the widget shows “saved”, as the page itself sees it.
CLICK = """async ([item, number]) => {
  const card = document.querySelector(`[data-item="${item}"]`);
  const spans = card.querySelectorAll("[data-span]");
  const acknowledged = new Promise(done => addEventListener("counterside:saved", done, { once: true }));
  const began = performance.now();
  spans[number % spans.length].click();
  await acknowledged;
  return performance.now() - began;
}"""

# An exercise arrives with the message that opens its widget; its view is painted when something stands in it
# and that frame is over.
WATCH = """(() => {
  const arrived = new Map();
  const decoder = new TextDecoder();
  window.countersidePainted = 0;
  window.WebSocket = class extends WebSocket {
    constructor(...parts) {
      super(...parts);
      this.addEventListener("message", ({ data }) => {
        const now = performance.now();
        const text = typeof data === "string" ? data : decoder.decode(data);
        const item = text.includes('"comm_open"') && /"item": ?{"id": ?"([^"]+)"/.exec(text);
        if (item) arrived.set(item[1], now);
      });
    }
  };
  const look = () => {
    for (const [item, began] of arrived) {
      const card = document.querySelector(`[data-item="${item}"]`);
      if (!card?.querySelector(".cs-host > *")) continue;
      arrived.delete(item);
      setTimeout(() => {
        window.countersidePainted += 1;
        const detail = [card.dataset.type, performance.now() - began];
        window.dispatchEvent(new CustomEvent("counterside:painted", { detail }));
      });
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""
ALL_PAINTED = "number => window.countersidePainted >= number"
# Each exercise by itself: when a chapter opens, they queue for the page.
PAINT_EACH = """async () => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const found = [];
  for (const [place, cell] of notebook.widgets.entries()) {
    const item = cell.model.type === "code" && /play\\("([^"]+)"\\)/.exec(cell.model.sharedModel.getSource());
    if (!item) continue;
    notebook.activeCellIndex = place;
    cell.node.scrollIntoView();
    document.querySelector(`[data-item="${item[1]}"]`).remove();
    await new Promise(done => setTimeout(done, 200));
    const painted = new Promise(done => addEventListener("counterside:painted", done, { once: true }));
    jupyterapp.commands.execute("notebook:run-cell");
    found.push((await painted).detail);
  }
  return found;
}"""
EXPOSED = {"LabApp": {"expose_app_in_browser": True}}


def browser(console: Console) -> None:
    """Print the times of openings, of clicks to “saved”, and of first paints by item type. Raises CourseError."""
    try:
        from playwright.sync_api import Page, sync_playwright
    except ImportError as error:
        raise CourseError("this measurement needs the test tools; run “make test” once") from error
    program = shutil.which("chromium")
    if program is None:
        raise CourseError("this measurement needs Debian's chromium; as root: apt-get install chromium")
    chapter, item = next(
        (chapter, item.id)
        for chapter in course().chapters
        for item in chapter.items
        if item.kind.name == "violations" and not item.head.practice
    )
    first: dict[str, list[float]] = defaultdict(list)
    whole: dict[str, list[float]] = defaultdict(list)
    paints: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home, settings = Path(folder) / "home", Path(folder) / "settings"
        for one in course().chapters:
            shutil.copytree(ROOT / "release" / one.id, home / one.id)
        examples = write_examples(home / "examples")
        settings.mkdir()
        (settings / "jupyter_lab_config.json").write_text(json.dumps(EXPOSED))
        paths = os.pathsep.join((str(LEARNER_LAB), str(settings)))
        lab = Lab(home, {"JUPYTER_CONFIG_PATH": paths}, Path(folder) / "lab.log")
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))

        def opened(shown: Chapter) -> Page:
            """Open a chapter as somebody who was never here and wait until all of it is painted."""
            page = chromium.new_context(locale="zh-CN").new_page()
            page.add_init_script(WATCH)
            began = time.perf_counter()
            page.goto(lab.address(f"doc/tree/{shown.id}/{shown.id}.ipynb"))
            page.locator(".cs-player [data-key]").first.wait_for(timeout=60_000)
            first[shown.id].append(time.perf_counter() - began)
            page.wait_for_function(ALL_PAINTED, arg=len(shown.items), timeout=60_000)
            whole[shown.id].append(time.perf_counter() - began)
            return page

        def leave(page: Page) -> None:
            """Close a chapter and its kernel, which would keep this visit's widgets for the next."""
            page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
            page.context.close()

        def paint(page: Page) -> None:
            for _round in track(range(ROUNDS), description="Paints", console=console):
                for kind, took in page.evaluate(PAINT_EACH):
                    paints[kind].append(took)

        with lab.running():
            page = opened(examples)
            paint(page)
            leave(page)
            # In turn, so that whatever slows this machine for a while slows every chapter.
            for _opening in track(range(OPENINGS), description="Openings", console=console):
                for one in course().chapters:
                    leave(opened(one))
            page = opened(chapter)
            clicks = [
                page.evaluate(CLICK, [item, number])
                for number in track(range(CLICKS), description="Clicks", console=console)
            ]
            paint(page)
        chromium.close()
    table = Table(title="The learner's browser")
    for heading in ("measure", "number", "median", "95th percentile", "longest"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    rows = [
        *(
            (f"opening {one.id} to {what}", took[one.id], "s")
            for what, took in (("its first live exercise", first), ("all of them painted", whole))
            for one in course().chapters
        ),
        ("click to acknowledged", clicks, "ms"),
        *((f"first paint: {kind}", took, "ms") for kind, took in sorted(paints.items())),
    ]
    for name, values, unit in rows:
        high = statistics.quantiles(values, n=20, method="inclusive")[-1]
        numbers = (statistics.median(values), high, max(values))
        table.add_row(name, str(len(values)), *(f"{value:.{2 if unit == 's' else 0}f} {unit}" for value in numbers))
    console.print(table)
