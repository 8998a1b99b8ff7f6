"""Takes the pictures in docs/img/ from the running product: python docs/screenshots.py

It runs the demo in a temporary folder, so nobody's course data are touched.
Needs what the browser tests need: Debian's chromium and a font for Chinese.
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from autograde.bench_browser import CHROMIUM

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "img"
CHAPTER = "doc/tree/ch3/ch3.ipynb"
WIDE = {"width": 1000, "height": 760}
SCROLL = """(node, room) => {
  const scroller = node.closest('.jp-WindowedPanel-outer') ?? document.scrollingElement;
  const edge = scroller === document.scrollingElement ? 0 : scroller.getBoundingClientRect().top;
  scroller.scrollTop += node.getBoundingClientRect().top - edge - room;
}"""


@contextmanager
def page_of(browser: Browser, lang: str = "en", scheme: str = "light", **size: int) -> Iterator[Page]:
    """A page of a person who reads `lang`."""
    locale = {"zh": "zh-CN", "en": "en-GB"}[lang]
    context = browser.new_context(
        locale=locale,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={**WIDE, **size},  # type: ignore[typeddict-item]
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def shoot(page: Page, name: str, focus: Locator | None = None, room: int = 40) -> None:
    """Save what is on the screen, with `focus` near the top of it."""
    for _time in range(4 if focus else 0):  # heights of passages not drawn before are estimates
        focus.evaluate(SCROLL, room)
        page.wait_for_timeout(300)
    page.mouse.move(2, 2)
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / name, animations="disabled")
    print(f"docs/img/{name}  {(IMAGES / name).stat().st_size // 1024} kB", flush=True)


def open_chapter(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".cs-player").nth(6).wait_for(state="attached", timeout=60_000)
    page.locator(".cs-hand-in").wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(1500)


def item(page: Page, name: str) -> Locator:
    return page.locator(f'[data-item="{name}"]')


def saved(page: Page, name: str) -> None:
    item(page, name).locator('.cs-status[data-status="saved"]').wait_for(timeout=30_000)


def say(page: Page, name: str, choice: str) -> None:
    item(page, name).locator(f'input[data-key="{choice}"]').check()
    item(page, name).locator('[data-key="say"]').click()
    saved(page, name)


def learner_pictures(browser: Browser, address: str) -> None:
    with page_of(browser, "zh") as page:
        open_chapter(page, address)
        shoot(page, "opening-zh.png")

    with page_of(browser, "en", height=1080) as page:
        open_chapter(page, address)
        say(page, "p3-1-1", "list-papers")
        item(page, "p3-1-1").locator(".cs-rows").wait_for()
        shoot(page, "practice-feedback-en.png", item(page, "p3-1-1").locator(".cs-host"), room=20)

    with page_of(browser, "en") as page:
        open_chapter(page, address)
        for step in ("tidy-desk", "test-printer", "stand-up", "greet-seat", "ask-purpose"):
            item(page, "e3-1-1").locator(f'[data-key="pool:{step}"]').click()
        saved(page, "e3-1-1")
        shoot(page, "ordering-en.png", item(page, "e3-1-1"))

    with page_of(browser, "en", height=1240) as page:
        open_chapter(page, address)
        for choice in ("keep-distance", "ask-purpose"):
            say(page, "e3-1-2", choice)
        shoot(page, "dialogue-en.png", item(page, "e3-1-2"), room=10)

    with page_of(browser, "zh") as page:
        open_chapter(page, address)
        for span in ("eyes-on-screen", "same-volume", "drop-by"):
            item(page, "e3-1-3").locator(f'[data-span="{span}"]').click()
        saved(page, "e3-1-3")
        shoot(page, "violations-zh.png", item(page, "e3-1-3"))

    with page_of(browser, "zh", scheme="dark") as page:
        open_chapter(page, address)
        item(page, "p3-1-3").locator('[data-span="fixed-grin"]').click()
        saved(page, "p3-1-3")
        shoot(page, "dark-zh.png", item(page, "p3-1-3"), room=10)

    with page_of(browser, "en", width=420, height=860) as page:
        open_chapter(page, address)
        shoot(page, "narrow-en.png", item(page, "e3-1-2"), room=20)

    with page_of(browser, "en") as page:
        open_chapter(page, address)
        page.locator(".cs-hand-in-button").click()
        page.locator(".cs-hand-in .cs-panel-actions .cs-button:not(.cs-primary)").click()
        page.locator(".cs-receipt-head").wait_for(timeout=30_000)
        shoot(page, "receipt-en.png", page.locator(".cs-hand-in"), room=20)


def instructor_pictures(browser: Browser, address: str, note_of: str) -> None:
    with page_of(browser, "en", width=1100) as page:
        page.goto(address)
        # The token has made a cookie; only now do formgrader's other pages open.
        page.goto(address.replace("formgrader", "formgrader/gradebook/ch3/ch3"))
        page.get_by_text("Submission #").first.wait_for(timeout=30_000)
        shoot(page, "formgrader-submissions.png")
        page.goto(address.replace("formgrader", f"formgrader/submissions/{note_of}"))
        page.locator(".counterside-evidence").last.wait_for(timeout=30_000)
        shoot(page, "formgrader-answer.png", page.locator(".nbgrader_cell").last, room=360)


def auditor_pictures(browser: Browser, address: str) -> None:
    with page_of(browser, "en", width=1180, height=560) as page:
        page.goto(address)
        shoot(page, "auditor-gradebook.png")
    with page_of(browser, "en") as page:
        page.goto(address.replace("index.html", "ch3-careless.html"))
        shoot(page, "auditor-entry.png")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the pages in a folder, as `counterside open auditor` does."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


def main() -> None:
    program = shutil.which("chromium")
    if not program:
        sys.exit("the pictures need Debian's chromium: apt-get install chromium fonts-noto-cjk")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COUNTERSIDE_COURSE"] = folder
        os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        # The course's folder is read when these are imported or called, so it is set first.
        from nbgrader.api import Gradebook
        from rich.console import Console

        from autograde.course_data import CourseData
        from autograde.demo.run import run
        from autograde.report import write_pages
        from autograde.serve import Lab, learner_environment, prepare_learner

        run(Console())
        data = CourseData()
        log = data.folder / "jupyterlab.log"
        with Gradebook(data.db_url) as gradebook:
            note_of = gradebook.find_submission_notebook("ch3", "ch3", "expert").id
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=[*CHROMIUM, "--hide-scrollbars"])
            home = prepare_learner(data, "mei")
            lab = Lab(home, learner_environment(home), log)
            with lab.running():
                learner_pictures(browser, lab.address(CHAPTER))
            with page_of(browser, "zh") as page:
                page.goto((data.folder / "feedback" / "average-zhao" / "ch3" / "ch3.html").as_uri())
                shoot(page, "feedback-zh.png")
            with page_of(browser, "en") as page:
                page.goto((data.folder / "feedback" / "average-lin" / "ch3" / "ch3.html").as_uri())
                shoot(page, "feedback-en.png", page.locator("#e3-1-2"), room=10)
            with served(write_pages(data.folder / "audit").parent) as address:
                auditor_pictures(browser, address)
            lab = Lab(ROOT, {}, log)
            with lab.running():
                instructor_pictures(browser, lab.address("formgrader"), note_of)
            browser.close()


if __name__ == "__main__":
    main()
