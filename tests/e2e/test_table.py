"""The table of a data analysis, saved for a spreadsheet, is the one that lies beside the notebook."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from autograde.preview import preview_server
from curriculum.build import item_files
from curriculum.load import CONTENT, Course
from curriculum.model import LANGUAGES, Item

pytestmark = pytest.mark.browser


def test_the_saved_table_is_the_released_one(browser: Browser, whole_course: Course, tmp_path: Path) -> None:
    item: Item = whole_course.items["e3-4-2"]
    released = item_files(item)
    with preview_server(item.id, CONTENT) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        page = browser.new_page()
        try:
            for language in LANGUAGES:
                page.goto(f"{server.address}{language}/")
                with page.expect_download() as download:
                    page.locator(".cs-data-file button").click()
                path = tmp_path / download.value.suggested_filename
                download.value.save_as(path)
                assert path.read_bytes() == released[f"data/{path.name}"]
        finally:
            page.close()
            server.shutdown()
            thread.join()
