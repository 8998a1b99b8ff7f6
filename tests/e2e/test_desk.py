"""The auditor's desk as an auditor uses it: in JupyterLab and as a file, in both languages, with the keyboard alone."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from autograde.audit import sandbox
from autograde.audit.book import read_book
from autograde.audit.page import write_report
from autograde.audit.pseudonyms import Pseudonyms
from autograde.audit.sample import read, summary
from autograde.serve import DESK, Lab, auditors_place
from tests.audit.class_of_three import config_of, course_at, make
from tests.e2e.conftest import violations

pytestmark = pytest.mark.browser

OURS = {"include": [[".ca"]]}
# Each scheme with each language, each with each width: half of all there are.
VIEWS = {"zh": (("light", 1100), ("dark", 420)), "en": (("dark", 1100), ("light", 420))}
PLACES = (
    "book",
    "learner/average-lin",
    "learner/average-lin/ch3",
    "grade/average-lin/ch3/e3-1-1",
    "grade/average-lin/ch3/e3-3-4",
    "grade/expert/ch3/e3-4-2",
    "changes",
    "looks",
    "sample",
    "about",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("class") / "course")


@pytest.fixture(scope="module")
def report(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert write_report(path, read_book(config_of(folder)))
    return path


@contextmanager
def page_of(browser: Browser, language: str = "en", **more: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page, and all that goes wrong on it."""
    locale = {"zh": "zh-CN", "en": "en-GB"}[language]
    context = browser.new_context(locale=locale, viewport={"width": 1100, "height": 900}, **more)
    page, troubles = context.new_page(), list[str]()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda asked: troubles.append(asked.url) if asked.url.startswith("http") else None)
    yield page, troubles
    context.close()


def text_of(page: Page, selector: str = ".ca-main") -> str:
    return " ".join(page.locator(selector).inner_text().split())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_file_opens_from_disk_without_network_and_without_a_fault(
    browser: Browser, report: Path, language: str
) -> None:
    with page_of(browser, language, offline=True) as (page, troubles):
        for place in PLACES:
            page.goto(f"{report.as_uri()}#{place}")
            page.reload()
            expect(page.locator(".ca-heading")).to_be_visible()
            expect(page.locator(".ca-main")).not_to_contain_text({"zh": "正在", "en": "Reading…"}[language])
            for scheme, width in VIEWS[language]:
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_timeout(150)  # colours and boxes move for a moment
                assert violations(page) == [], f"{place}, {scheme}, {width} px"
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{place} is too wide"
        assert troubles == []


def test_every_answer_is_shown_as_its_learner_saw_it(browser: Browser, report: Path, folder: Path) -> None:
    with page_of(browser) as (page, troubles):
        for item in read_book(config_of(folder)).course.chapter("ch3").points:
            page.goto(f"{report.as_uri()}#grade/expert/ch3/{item}")
            page.reload()
            card = page.locator(".ca-answer .cs-card")
            expect(card.locator(".cs-host")).not_to_be_empty()
            # Nothing in it can be changed; only the table of an analysis can still be looked through.
            fields = card.locator("input, textarea").all() if item != "e3-4-2" else []
            for field in fields:
                assert field.evaluate("node => node.disabled || node.readOnly || !node.offsetParent"), item
        page.goto(f"{report.as_uri()}#grade/expert/ch3/e3-1-1")
        page.reload()
        # The fourteen steps as the learner put them, in words.
        expect(page.locator(".ca-answer .cs-card")).to_contain_text("Log in and try out the printer")
        assert troubles == []


def test_from_the_group_to_the_rule_with_the_keyboard_alone(browser: Browser, report: Path) -> None:
    def tab_to(selector: str) -> None:
        for _press in range(200):
            if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard can't reach {selector}")

    with page_of(browser, "zh") as (page, troubles):
        page.goto(report.as_uri())
        expect(page.locator(".ca tbody tr")).to_have_count(3)
        tab_to("input[type=search]")
        page.keyboard.type("LIN")
        expect(page.locator(".ca tbody tr")).to_have_count(1)
        expect(page.locator(".ca-live")).to_have_text("显示 1 / 3 名学员")
        tab_to('[data-key="to:learner/average-lin/ch3"]')
        page.keyboard.press("Enter")
        expect(page.locator(".ca-heading")).to_be_focused()
        tab_to('[data-key="to:grade/average-lin/ch3/e3-1-1"]')
        page.keyboard.press("Enter")
        expect(page.locator(".ca-heading")).to_be_focused()
        expect(page.locator(".ca-rules tbody tr").first).to_be_visible()
        expect(page.locator(".ca-rules")).to_contain_text("ordering.")
        tab_to('[data-key="key"]')
        page.keyboard.press("Enter")
        expect(page.locator(".ca-key")).to_have_attribute("open", "")
        # Switched in place: the same grade in the other language, and the focus stays.
        page.keyboard.press("Control+Home")
        page.locator('.ca-languages [data-key="en"]').focus()
        page.keyboard.press("Enter")
        expect(page.locator(".ca-heading")).to_contain_text("From opening check to farewell")
        expect(page.locator('.ca-languages [data-key="en"]')).to_be_focused()
        page.go_back()
        expect(page.locator(".ca-heading")).to_contain_text("average-lin")
        assert troubles == []


def test_a_grade_tells_who_changed_it_when_from_what_to_what_and_why(browser: Browser, report: Path) -> None:
    with page_of(browser) as (page, troubles):
        page.goto(f"{report.as_uri()}#grade/average-lin/ch3/e3-1-1")
        history = page.locator(".ca-section", has_text="Every change").locator("tbody tr")
        expect(history).to_have_count(3)  # the snapshot, and twice by hand
        first, second = history.nth(1), history.nth(2)
        expect(first).to_contain_text("score by hand")
        expect(first.locator(".ca-diff dd")).to_have_text("– → 6")
        expect(first).to_contain_text("the printer was broken")
        expect(second.locator(".ca-diff dd")).to_have_text("6 → 5")
        expect(second).to_contain_text("after release")
        expect(second).to_contain_text("a slip of the pen (added by os:")
        assert "Score 5.00 / 6 By rule 5.14 By hand 5.00" in text_of(page, ".ca-result")
        page.goto(f"{report.as_uri()}#grade/expert/ch3/e3-1-4")
        last = page.locator(".ca-section", has_text="Every change").locator("tbody tr").last
        expect(last).to_contain_text("unknown")
        expect(last).to_contain_text("no reason given")
        page.goto(f"{report.as_uri()}#grade/average-lin/ch3/e3-3-4")
        expect(page.locator(".ca-result")).to_contain_text("To mark")
        assert "By rule 1.50 By hand 0.50 To mark 3.75 State to be marked" in text_of(page, ".ca-result")
        mark = page.locator(".ca-section", has_text="Every change").locator("tbody tr").last
        expect(mark.locator(".ca-diff dd").first).to_have_text("– → 0.5")
        expect(mark).to_contain_text("first mark")
        marks = page.locator(".ca-section", has_text="Marked by a person").locator("tbody tr")
        expect(marks.first).to_contain_text("0.50")
        expect(marks.filter(has_text="not marked yet")).to_have_count(5)
        assert troubles == []


def test_the_table_is_sorted_filtered_and_read_out(browser: Browser, report: Path, tmp_path: Path) -> None:
    with page_of(browser) as (page, troubles):
        page.goto(report.as_uri())
        names = page.locator(".ca tbody th")
        expect(names).to_have_text(["average-lin", "expert", "tamperer"])
        total = page.get_by_role("columnheader", name="Sum")
        total.get_by_role("button").click()
        expect(total).to_have_attribute("aria-sort", "descending")
        expect(names).to_have_text(["expert", "average-lin", "tamperer"])
        total.get_by_role("button").click()
        expect(total).to_have_attribute("aria-sort", "ascending")
        expect(names).to_have_text(["tamperer", "average-lin", "expert"])
        page.get_by_label("Only").select_option("late")
        expect(names).to_have_text(["tamperer"])
        page.get_by_label("Only").select_option("afterRelease")
        expect(names).to_have_text(["average-lin"])
        page.get_by_label("Only").select_option("")
        page.get_by_label("Cohort").select_option("Hangzhou")
        expect(names).to_have_text(["expert"])
        page.get_by_label("Cohort").select_option("")
        page.get_by_label("State").select_option("waiting")  # nobody has marked the expert's texts
        expect(names).to_have_text(["average-lin", "expert"])
        page.get_by_label("State").select_option("")
        page.get_by_label("Chapter").select_option("ch3")
        late = page.locator(".ca tbody tr", has_text="tamperer")
        expect(late.get_by_role("cell")).to_contain_text(["2099-09-01 14:00", "1.0 h", "1.50"])
        # Eight of ten shares of the points and no more than these are told of the plot.
        expect(page.get_by_role("img", name="The norms of service: 1 at 0–10 %")).to_be_visible()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Download this table").click()
        saved.value.save_as(tmp_path / "table.csv")
        lines = (tmp_path / "table.csv").read_text("utf-8-sig").splitlines()
        assert lines[0].startswith('"learner","cohort","chapter"')
        assert len(lines) == 4
        assert troubles == []


def test_what_deserves_a_look_leads_to_its_place(browser: Browser, report: Path) -> None:
    with page_of(browser) as (page, troubles):
        page.goto(f"{report.as_uri()}#looks")
        row = page.locator("tbody tr", has_text="Changed after release")
        expect(row).to_contain_text("chance brings none")
        row.get_by_role("button").click()
        expect(page.locator('[data-rule="after-release"]')).to_be_focused()
        page.get_by_role("button", name="average-lin ch3", exact=True).first.click()
        expect(page.locator(".ca-heading")).to_contain_text("average-lin")
        assert troubles == []


def test_changes_are_filtered_and_read_out(browser: Browser, report: Path) -> None:
    with page_of(browser) as (page, troubles):
        page.goto(f"{report.as_uri()}#changes")
        rows = page.locator(".ca tbody tr")
        everything = rows.count()
        page.get_by_label("Only").select_option("late")
        # A mark changed for average-lin, and the deadline of the chapter.
        expect(rows).to_have_count(2)
        expect(page.locator(".ca-live")).to_have_text(f"2 of {everything} changes shown")
        page.get_by_label("Find a learner").fill("LIN")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("a slip of the pen")
        page.get_by_label("Only").select_option("unexplained")
        expect(page.locator(".ca-empty")).to_have_text("No change fits what is asked for.")
        page.get_by_label("Find a learner").fill("")
        # The deadline, and the expert's extra credit from a hand past all programs.
        expect(rows).to_have_count(2)
        assert troubles == []


def test_in_chinese_types_tables_and_columns_are_chinese(browser: Browser, report: Path) -> None:
    with page_of(browser, "zh") as (page, troubles):
        page.goto(f"{report.as_uri()}#learner/average-lin/ch3")
        expect(page.locator(".ca-main")).to_contain_text("排序")
        expect(page.locator(".ca-more .ca-diff").first).to_be_visible()
        said = text_of(page)
        for word in ("ordering", "assignment", "digest", "graded"):
            assert word not in said
        assert troubles == []


def test_a_sample_is_judged_into_a_file_of_ones_own(browser: Browser, report: Path, tmp_path: Path) -> None:
    with page_of(browser) as (page, troubles):
        page.goto(f"{report.as_uri()}#sample")
        rows = page.locator(".ca-sample tbody tr")
        expect(rows).to_have_count(30)
        page.get_by_label("Your name").fill("Qian")
        rows.nth(0).get_by_role("combobox").select_option("agree")
        rows.nth(1).get_by_role("combobox").select_option("differ")
        expect(page.locator(".ca-summary")).to_have_text("1 of 30 judged, 1 agreed")  # by how much is not said yet
        rows.nth(1).get_by_role("spinbutton").fill("0.5")
        rows.nth(1).get_by_role("textbox").fill("too much for the farewell")
        expect(page.locator(".ca-summary")).to_have_text("2 of 30 judged, 1 agreed")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Download my record").click()
        saved.value.save_as(tmp_path / "mine.jsonl")
        assert troubles == []
    sample = read(tmp_path / "mine.jsonl")
    assert (len(sample.cases), summary(sample).judged, summary(sample).agreed) == (30, 2, 1)
    assert [(one.auditor, one.agrees, one.score, one.words) for one in sample.judgements] == [
        ("Qian", True, None, ""), ("Qian", False, 0.5, "too much for the farewell"),
    ]  # fmt: skip


def test_without_scripts_the_file_still_has_the_gradebook(browser: Browser, report: Path) -> None:
    with page_of(browser, java_script_enabled=False) as (page, _troubles):
        page.goto(report.as_uri())
        row = page.locator("tbody tr", has_text="average-lin")
        expect(row).to_be_visible()
        expect(row).to_contain_text("to be marked")


def test_with_other_names_nothing_in_the_file_is_a_learners(browser: Browser, folder: Path, tmp_path: Path) -> None:
    path, names = tmp_path / "report.html", Pseudonyms(b"k" * 32)
    write_report(path, read_book(config_of(folder)), chapter="ch3", names=names)
    with page_of(browser) as (page, troubles):
        # What is packed in the file, as the browser unpacks it.
        page.goto(path.as_uri())
        texts = page.evaluate(
            """async () => {
              const bytes = (packed) => Uint8Array.from(atob(packed), c => c.charCodeAt(0));
              const unpack = async (packed) => new Response(new Blob([bytes(packed)])
                .stream().pipeThrough(new DecompressionStream('gzip'))).text();
              const held = (id) => JSON.parse(document.getElementById(id).textContent);
              const { found, items, ...more } = held('details');
              const all = [held('data'), items, ...Object.values(more), ...Object.values(found)];
              return Promise.all(all.map(unpack));
            }"""
        )
        assert len(texts) == 1 + 1 + 2 + 3
        for text in [path.read_text("utf-8"), *texts]:
            for learner in ("average-lin", "tamperer", '"expert"'):
                assert learner not in text
        page.get_by_role("button", name=names.name("average-lin"), exact=True).click()
        expect(page.locator(".ca-heading")).to_contain_text(names.name("average-lin"))
        assert troubles == []


# ---- in JupyterLab --------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[Lab]:
    with course_at(folder), auditors_place() as lab, lab.running():
        yield lab


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_desk_is_simply_there_in_jupyterlab(browser: Browser, lab: Lab, language: str) -> None:
    words = {
        "zh": ("成绩册", "从开门检查到送别", "成绩册 › average-lin"),
        "en": ("Gradebook", "From opening check", "Gradebook ›"),
    }
    with page_of(browser, language) as (page, troubles):
        page.goto(lab.address(f"doc/tree/{DESK}"))
        expect(page.locator(".ca-heading")).to_have_text(words[language][0], timeout=60_000)
        expect(page.locator(".jp-InputArea-editor:visible")).to_have_count(0)
        page.get_by_role("button", name="average-lin, ch3").click()
        page.get_by_role("button", name=words[language][1]).click()
        expect(page.locator(".ca-answer .cs-card .cs-host > *").first).to_be_visible()
        expect(page.locator(".ca-path")).to_contain_text("average-lin")
        assert violations(page, OURS) == []
        other = "en" if language == "zh" else "zh"
        page.locator(f'.counterside-languages button[value="{other}"]').click()
        page.locator(".ca-tabs button").first.click()
        expect(page.locator(".ca-heading")).to_have_text(words[other][0])
        page.locator('[data-key="tab:looks"]').click()
        expect(page.locator(".ca tbody tr").first).to_be_visible(timeout=60_000)
        page.locator('[data-key="tab:sample"]').click()
        page.locator('[data-key="size"]').fill("3")
        page.locator('[data-key="seed"]').fill("agreed on Monday")
        page.locator('[data-key="draw"]').click()
        expect(page.locator(".ca-sample tbody tr")).to_have_count(3)
        assert [line for line in troubles if not line.startswith("http://127.0.0.1")] == []


def test_no_address_of_the_server_writes(folder: Path, lab: Lab) -> None:
    before, own = contents(folder), (lab.folder / DESK).read_bytes()
    base = lab.address("").split("?")[0]

    def ask(method: str, path: str, body: Any = None) -> int:
        request = urllib.request.Request(
            base + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {lab.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    assert ask("GET", f"api/contents/{DESK}") == 200
    text = {"type": "file", "format": "text", "content": "x"}
    refused = [
        ("PUT", f"api/contents/{DESK}", text), ("PUT", "api/contents/new.txt", text),
        ("POST", "api/contents", {"type": "notebook"}), ("POST", "api/contents", {"copy_from": DESK}),
        ("DELETE", f"api/contents/{DESK}", None), ("PATCH", f"api/contents/{DESK}", {"path": "other.ipynb"}),
        ("POST", f"api/contents/{DESK}/checkpoints", {}),
    ]  # fmt: skip
    for method, path, body in refused:
        assert ask(method, path, body) == 403, (method, path)
    # Not below the server's root, and no tools of the instructor.
    for path in (
        "api/contents/../gradebook.db", "api/contents/%2e%2e/%2e%2e/gradebook.db", f"files{folder}/gradebook.db",
        "files/../gradebook.db", "formgrader", "api/terminals",
    ):  # fmt: skip
        assert ask("GET", path) in (400, 403, 404), path
    assert ask("POST", "api/terminals", {}) in (403, 404, 405)
    assert ask("POST", "formgrader/api/grade/1", {}) in (403, 404, 405)
    assert contents(folder) == before
    assert (lab.folder / DESK).read_bytes() == own


def test_a_kernel_of_the_place_cannot_write_whatever_it_is_told(browser: Browser, folder: Path, lab: Lab) -> None:
    """Somebody goes past the page and runs code of their own, with all rights of the account."""
    if not sandbox.is_available():
        pytest.skip("this system has no Landlock that can hold files")
    before = contents(folder)
    code = (
        "import os, sqlite3, pathlib\n"
        f"book = pathlib.Path({str(folder / 'gradebook.db')!r})\n"
        "done = []\n"
        "def by_sql():\n"
        "    with sqlite3.connect(book) as database: database.execute('UPDATE grade SET manual_score = 99')\n"
        "def by_shell():\n"
        "    if os.system(f'echo x >> {book}'): raise OSError\n"
        "for attempt in (lambda: book.write_bytes(b''), lambda: book.unlink(), lambda: os.truncate(book, 0),\n"
        "                lambda: (book.parent / 'eve').write_text('x'), by_sql, by_shell):\n"
        "    try: attempt()\n"
        "    except Exception: pass\n"
        "    else: done.append(1)\n"
        "print('written', done, book.stat().st_size)"
    )
    with page_of(browser) as (page, _troubles):
        page.goto(lab.address(f"doc/tree/{DESK}"))
        expect(page.locator(".ca-heading")).to_be_visible(timeout=60_000)
        said = page.evaluate(
            """async ([base, token, code]) => {
              const [{ id }] = await (await fetch(`${base}api/kernels?token=${token}`)).json();
              const socket = new WebSocket(`${base.replace('http', 'ws')}api/kernels/${id}/channels?token=${token}`);
              await new Promise(done => { socket.onopen = done; });
              const header = { msg_id: crypto.randomUUID(), msg_type: 'execute_request', username: '', session: 'eve',
                               date: new Date().toISOString(), version: '5.3' };
              socket.send(JSON.stringify({ header, parent_header: {}, metadata: {}, channel: 'shell',
                content: { code, silent: false, store_history: false, user_expressions: {}, allow_stdin: false } }));
              return new Promise(done => { socket.onmessage = ({ data }) => {
                if (typeof data !== 'string') return;
                const { msg_type, content } = JSON.parse(data);
                if (msg_type === 'stream' || msg_type === 'error') done(content.text ?? content.evalue);
              }; });
            }""",
            [lab.address("").split("?")[0], lab.token, code],
        )
    assert said.strip() == f"written [] {(folder / 'gradebook.db').stat().st_size}"
    assert contents(folder) == before
