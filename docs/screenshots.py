"""Takes the pictures in docs/img/ from the running product: python docs/screenshots.py

It runs the demo in a temporary folder, so nobody's course data are touched, and
lets one more learner hand in the answers of `played.yml`.
Needs what the browser tests need: Debian's chromium and a font for Chinese.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from rich.console import Console

from autograde.audit.trail import record_release
from autograde.audit.who import because
from autograde.authoring import print_coverage
from autograde.bench_browser import CHROMIUM
from autograde.course_data import CourseData
from autograde.demo.run import attend, read_cohort, run
from autograde.preview import preview_server
from autograde.serve import DESK, Lab, auditors_place, learner_environment, prepare_learner
from autograde.tables import gradebook
from curriculum.load import load_course

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "img"
PLAYED = ROOT / "docs" / "played.yml"
COURSE = load_course()
LEARNER = "mei"
WIDE = {"width": 1000, "height": 760}
# An item of each type, the language of its picture, and how much of a long one is shown.
TYPES = {
    "ordering": ("e3-1-1", "en", 1300),
    "dialogue": ("e3-1-2", "en", 1150),
    "violations": ("e3-1-3", "zh", 1250),
    "rating": ("e2-2-1", "zh", 1350),
    "best_worst": ("e3-4-3", "en", 1200),
    "multi_select": ("e2-2-5", "zh", 1000),
    "classification": ("e3-4-4", "en", 1000),
    "numeric": ("e2-2-4", "zh", 1350),
    "data_analysis": ("e3-4-2", "en", 1350),
    "plan": ("e3-4-1", "en", 1200),
    "triage": ("e3-3-1", "zh", 1150),
    "free_text": ("e2-2-3", "en", 1000),
    "reflection": ("e3-1-4", "zh", 1000),
}
MESSAGE = "e2-2-3"
MARKS = {"truth": 0.5, "empathy": 0.75, "clarity": 0.75, "action": 0.5, "rules": 0.75, "form": 0.75}
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


def shoot(page: Page, name: str, focus: Locator | None = None, room: int = 40, most: int | None = None) -> None:
    """Save what is on the screen, with `focus` near the top of it; with `most`, nothing but `focus`, cut off there."""
    for _time in range(4 if focus else 0):  # heights of passages not drawn before are estimates
        focus.evaluate(SCROLL, room)
        page.wait_for_timeout(300)
    page.mouse.move(2, 2)
    page.wait_for_timeout(500)
    clip = None
    if focus and most:
        box = focus.bounding_box()
        assert box
        edge = 8
        height = min(box["height"], most) + (2 * edge if box["height"] <= most else edge)
        clip = {"x": box["x"] - edge, "y": box["y"] - edge, "width": box["width"] + 2 * edge, "height": height}
    page.screenshot(path=IMAGES / name, animations="disabled", clip=clip)  # type: ignore[arg-type]
    print(f"docs/img/{name}  {(IMAGES / name).stat().st_size // 1024} kB", flush=True)


def open_chapter(page: Page, lab: Lab, chapter: str) -> None:
    page.goto(lab.address(f"doc/tree/{chapter}/{chapter}.ipynb"))
    last = len(COURSE.chapter(chapter).items) - 1
    page.locator(".cs-player").nth(last).wait_for(state="attached", timeout=60_000)
    page.locator(".cs-hand-in").wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(1500)


def item(page: Page, name: str) -> Locator:
    return page.locator(f'[data-item="{name}"]')


def saved(page: Page, name: str) -> None:
    item(page, name).locator('.cs-status[data-status="saved"]').wait_for(timeout=30_000)


def chapter_of(name: str) -> str:
    return next(chapter.id for chapter in COURSE.chapters if name in chapter.points)


def type_pictures(browser: Browser, lab: Lab) -> None:
    for lang in ("zh", "en"):
        for chapter in COURSE.chapters:
            with page_of(browser, lang, height=1500) as page:
                open_chapter(page, lab, chapter.id)
                for kind, (name, spoken, most) in TYPES.items():
                    if (spoken, chapter_of(name)) == (lang, chapter.id):
                        prepare(page, kind, item(page, name))
                        shoot(page, f"{kind}-{lang}.png", item(page, name), room=20, most=most)


def prepare(page: Page, kind: str, card: Locator) -> None:
    """Do what no saved answer brings back: the clock of a queue runs, a chat is open, a legend is folded."""
    if kind == "triage":
        card.locator('[data-key="continue"]').click()
        card.locator('[data-key="queue:wu-regulator-call"]').click()
        card.locator('input[data-key="wu-regulator-call:match-payee"]').check()
    elif kind == "plan":
        card.locator("summary").click()


def learner_pictures(browser: Browser, lab: Lab) -> None:
    with page_of(browser, "zh") as page:
        open_chapter(page, lab, "ch3")
        shoot(page, "opening-zh.png")

    with page_of(browser, "en", height=1080) as page:
        open_chapter(page, lab, "ch3")
        item(page, "p3-1-1").locator('input[data-key="list-papers"]').check()
        item(page, "p3-1-1").locator('[data-key="say"]').click()
        saved(page, "p3-1-1")
        item(page, "p3-1-1").locator(".cs-rows").wait_for()
        shoot(page, "practice-feedback-en.png", item(page, "p3-1-1").locator(".cs-host"), room=20)

    with page_of(browser, "zh", scheme="dark") as page:
        open_chapter(page, lab, "ch3")
        item(page, "p3-1-3").locator('[data-span="fixed-grin"]').click()
        saved(page, "p3-1-3")
        shoot(page, "dark-zh.png", item(page, "p3-1-3"), room=10)

    with page_of(browser, "en", width=420, height=860) as page:
        open_chapter(page, lab, "ch3")
        shoot(page, "narrow-en.png", item(page, "e3-4-4"), room=20)

    with page_of(browser, "en") as page:
        open_chapter(page, lab, "ch2")
        page.locator(".cs-hand-in-button").click()
        page.locator(".cs-hand-in .cs-panel-actions .cs-button:not(.cs-primary)").click()
        page.locator(".cs-receipt-head").wait_for(timeout=30_000)
        shoot(page, "receipt-en.png", page.locator(".cs-hand-in"), room=20)


def chapter_pictures(browser: Browser, lab: Lab) -> None:
    """Lessons as they are read: a picture with the text around it."""
    for chapter, lang, picture in (("ch2", "en", "fairness"), ("ch4", "zh", "complaint"), ("ch5", "en", "remedy")):
        with page_of(browser, lang, height=900) as page:
            open_chapter(page, lab, chapter)
            drawn = page.locator(f'.jp-RenderedMarkdown img[src*="{picture}"]:visible')
            drawn.wait_for(state="visible", timeout=30_000)
            shoot(page, f"chapter-{chapter[2:]}-{lang}.png", drawn, room=330)


def author_pictures(browser: Browser, coverage: Path) -> None:
    with page_of(browser, "en", width=1100, height=700) as page:
        page.goto(coverage.as_uri())
        shoot(page, "coverage.png", page.get_by_text("2.2.1a", exact=True), room=150)
    with preview_server("p3-4-3") as server, page_of(browser, "en", width=1800, height=1000) as page:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.goto(server.address)
        english = page.frame_locator('iframe[title="English"]')
        english.locator('input[type="radio"]').first.check()
        english.locator('[data-key="say"]').click()
        page.wait_for_timeout(1500)
        english.locator("#score").evaluate("node => node.scrollIntoView()")
        page.frame_locator('iframe[title="中文"]').locator("#score").evaluate("node => node.scrollIntoView()")
        shoot(page, "preview.png")
        server.shutdown()


def instructor_pictures(browser: Browser, lab: Lab, submissions: Mapping[str, str]) -> None:
    address = lab.address("formgrader")
    with page_of(browser, "en", width=1100, height=660) as page:
        page.goto(address)
        # The token has made a cookie; only now do formgrader's other pages open.
        page.goto(address.replace("formgrader", "formgrader/gradebook/ch2/ch2"))
        page.get_by_text("Submission #").first.wait_for(timeout=30_000)
        shoot(page, "formgrader-submissions.png")
        page.set_viewport_size({"width": 1100, "height": 900})
        page.goto(address.replace("formgrader", f"formgrader/submissions/{submissions['ch2']}"))
        page.locator(".counterside-evidence").last.wait_for(timeout=30_000)
        page.wait_for_timeout(2000)
        for criterion, points in MARKS.items():
            field = page.locator(f'[id="{MESSAGE}-{criterion}"].score')
            field.fill(str(points))
            with page.expect_response(lambda answer: "/api/grade/" in answer.url):
                field.press("Tab")
        shoot(page, "formgrader-rubric.png", page.locator(f'[id="{MESSAGE}-truth"].score'), room=420)
        page.goto(address.replace("formgrader", f"formgrader/submissions/{submissions['ch3']}"))
        page.locator(".counterside-evidence").last.wait_for(timeout=30_000)
        shoot(page, "formgrader-note.png", page.locator('[id="e3-1-4-note"].score'), room=460)


def auditor_pictures(browser: Browser, data: CourseData) -> None:
    """The desk, with what a trainer did after the feedback was out."""
    with gradebook(data.db_url) as engine:
        record_release(engine, "ch3", {"average-lin": "0" * 64})
    with because("appeal of 3 September: the note was read out to the customer"), Gradebook(data.db_url) as book:
        book.find_grade("e3-1-1", "ch3", "ch3", "average-lin").manual_score = 6
        book.db.commit()
    with Gradebook(data.db_url) as book:
        book.find_grade("e3-4-4", "ch3", "ch3", "careless").extra_credit = 1
        book.db.commit()
    with auditors_place() as lab, lab.running():
        with page_of(browser, "en", width=1280, height=860) as page:
            page.goto(lab.address(f"doc/tree/{DESK}"))
            page.locator(".ca-heading").wait_for(timeout=60_000)
            shoot(page, "auditor-gradebook.png")
        with page_of(browser, "zh", width=1280, height=980) as page:
            page.goto(lab.address(f"doc/tree/{DESK}"))
            page.get_by_role("button", name="careless, ch3").click(timeout=60_000)
            page.locator('[data-key="to:grade/careless/ch3/e3-1-2"]').click()
            page.locator(".ca-answer .cs-log").wait_for()
            shoot(page, "auditor-entry.png")


def feedback_picture(browser: Browser, data: CourseData, lang: str, learner: str, name: str, picture: str) -> None:
    chapter = chapter_of(name)
    with page_of(browser, lang) as page:
        page.goto((data.folder / "feedback" / learner / chapter / f"{chapter}.html").as_uri())
        marks = page.locator(f"#{name} .rows").nth(1)
        shoot(page, picture, marks if marks.count() else page.locator(f"#{name}"), room=60 if marks.count() else 10)


def take(browser: Browser, folder: Path) -> None:
    run(Console())
    data = CourseData()
    log = data.folder / "jupyterlab.log"
    (learner,) = read_cohort(PLAYED)
    for chapter in COURSE.chapters:
        attend(data, learner, chapter)
        data.instructor("collect", chapter.id, update=True)
        data.instructor("autograde", chapter.id, student_id=LEARNER, force=True)
        data.instructor("generate_feedback", chapter.id, student_id=LEARNER, force=True)
    feedback_picture(browser, data, "en", LEARNER, MESSAGE, "feedback-unmarked-en.png")
    home = prepare_learner(data, LEARNER)
    lab = Lab(home, learner_environment(home), log)
    with lab.running():
        type_pictures(browser, lab)
        learner_pictures(browser, lab)
        chapter_pictures(browser, lab)
    auditor_pictures(browser, data)
    with Gradebook(data.db_url) as gradebook:
        submissions = {
            chapter: gradebook.find_submission_notebook(chapter, chapter, learner).id
            for chapter, learner in (("ch2", LEARNER), ("ch3", "expert"))
        }
    lab = Lab(ROOT, {}, log)
    with lab.running():
        instructor_pictures(browser, lab, submissions)
    data.instructor("generate_feedback", chapter_of(MESSAGE), student_id=LEARNER, force=True)
    feedback_picture(browser, data, "en", LEARNER, MESSAGE, "feedback-marked-en.png")
    feedback_picture(browser, data, "zh", "average-zhao", "e3-1-2", "feedback-zh.png")
    with page_of(browser, "en", height=900) as page:
        page.goto((data.folder / "feedback" / "average-lin" / "ch3" / "ch3.html").as_uri())
        shoot(page, "mastery-en.png", page.locator(".mastery"), room=10)
    coverage = folder / "coverage.html"
    print_coverage(Console(quiet=True), COURSE, coverage)
    author_pictures(browser, coverage)


def main() -> None:
    program = shutil.which("chromium")
    if not program:
        sys.exit("the pictures need Debian's chromium: apt-get install chromium fonts-noto-cjk")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["COUNTERSIDE_COURSE"] = f"{folder}/course"
        os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        browser = playwright.chromium.launch(executable_path=program, args=[*CHROMIUM, "--hide-scrollbars"])
        take(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
