"""What the browser tells learners of their numbers is what the grader reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import curriculum.items
from curriculum.items.numeric.reading import readings, shown
from curriculum.model import LANGUAGES

CASES = json.loads((Path(__file__).parents[1] / "items" / "readings.json").read_text("utf-8"))
READ = """async ([source, cases, languages]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { readings, shown } = await import(url);
  const said = (value, unit) => languages.map(language => shown(value, unit, language));
  return cases.map(([unit, text]) => readings(text, unit).map(value => [value, ...said(value, unit)]));
}"""


@pytest.mark.browser
def test_the_view_reads_numbers_as_the_grader_does(browser: Browser) -> None:
    source = (Path(curriculum.items.__file__).parent / "numeric" / "view.js").read_text("utf-8")
    cases = [case for case in CASES if "\ud800" not in case[1]]  # which no browser can be sent
    page = browser.new_page()
    found = page.evaluate(READ, [source, cases, list(LANGUAGES)])
    page.close()
    for (unit, text, _expected), there in zip(cases, found, strict=True):
        here = [[value, *(shown(value, unit)[language] for language in LANGUAGES)] for value in readings(text, unit)]
        assert [row[0] for row in there] == pytest.approx([row[0] for row in here]), text
        if len(text) < 20:  # beyond sixteen digits the two write a number differently
            assert [row[1:] for row in there] == [row[1:] for row in here], text


DATA_CASES = json.loads((Path(__file__).parents[1] / "items" / "data_readings.json").read_text("utf-8"))
READABLE = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { isReadable } = await import(url);
  const units = { entries: ["条", "entries"], days: ["天", "days"], yuan: ["元", "yuan"] };
  const record = { zh: "条记录", en: "entries" };
  return cases.map(([percent, unit, text]) => {
    const [zh, en] = units[unit] ?? [];
    return isReadable({ record }, { percent, unit: zh ? { zh, en } : null }, text);
  });
}"""


@pytest.mark.browser
def test_the_table_of_data_marks_what_the_grader_cannot_read(browser: Browser) -> None:
    source = (Path(curriculum.items.__file__).parent / "data_analysis" / "view.js").read_text("utf-8")
    page = browser.new_page()
    found = page.evaluate(READABLE, [source, DATA_CASES])
    page.close()
    assert found == [expected is not None for _percent, _unit, _text, expected in DATA_CASES]
