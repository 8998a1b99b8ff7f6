"""Measurements of what a learner feels: opening a chapter, and an answer acknowledged on the screen."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograde.engine import course
from autograde.place import ROOT, CourseError
from autograde.serve import LEARNER_LAB, Lab

OPENINGS = 10
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


def browser(console: Console) -> None:
    """Print time from navigation to the first live exercise, and from a click to “saved”. Raises CourseError."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise CourseError("this measurement needs the test tools; run “make test” once") from error
    program = shutil.which("chromium")
    if program is None:
        raise CourseError("this measurement needs Debian's chromium; as root: apt-get install chromium")
    chapter = course().chapters[0]
    item = next(item.id for item in chapter.items if item.kind.name == "violations" and not item.head.practice)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder) / "home"
        shutil.copytree(ROOT / "release" / chapter.id, home / chapter.id)
        lab = Lab(home, {"JUPYTER_CONFIG_PATH": str(LEARNER_LAB)}, Path(folder) / "lab.log")
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        with lab.running():
            openings = []
            for opening in track(range(OPENINGS), description="Openings", console=console):
                page = chromium.new_context(locale="zh-CN").new_page()
                began = time.perf_counter()
                page.goto(lab.address(f"doc/tree/{chapter.id}/{chapter.id}.ipynb"))
                page.locator(".cs-player [data-key]").first.wait_for(timeout=60_000)
                openings.append(time.perf_counter() - began)
                if opening < OPENINGS - 1:
                    page.context.close()
            page.locator(f'[data-item="{item}"] [data-span]').first.wait_for()
            clicks = [
                page.evaluate(CLICK, [item, number])
                for number in track(range(CLICKS), description="Clicks", console=console)
            ]
        chromium.close()
    table = Table(title="The learner's browser")
    table.add_column("measure")
    table.add_column("median", justify="right")
    table.add_column("95th percentile", justify="right")
    for name, values, unit in (
        (f"opening to first live exercise, of {OPENINGS}", openings, "s"),
        (f"click to acknowledged, of {CLICKS}", clicks, "ms"),
    ):
        high = statistics.quantiles(values, n=20, method="inclusive")[-1]
        table.add_row(name, f"{statistics.median(values):.3g} {unit}", f"{high:.3g} {unit}")
    console.print(table)
