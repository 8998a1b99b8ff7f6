"""Faults in the content: each is named with its file and line, all at once, and nothing is written."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from autograde import cli
from curriculum.lint.lock import lockable, write_lock
from curriculum.load import load_course

CHAPTER = "chapters/3-norms"
ZH, EN = f"{CHAPTER}/3-1.zh.md", f"{CHAPTER}/3-1.en.md"


def item(name: str) -> str:
    return f"{CHAPTER}/items/{name}.yml"


ORDERING, DIALOGUE, VIOLATIONS, REFLECTION = map(item, ("e3-1-1", "e3-1-2", "e3-1-3", "e3-1-4"))


@dataclass(frozen=True)
class Seed:
    """A fault: `old` becomes `new` in `file`, or the file goes; lint must name the rule, and say `says`.

    It must name the last line with `at`, or line 1, of the file, or of `where`. `also` are changes that
    the fault needs in the same files; `locked` says that the course was released before.
    """

    rule: str
    file: str | tuple[str, ...]
    old: str
    new: str | None
    at: str
    says: str
    where: str | None = None
    also: tuple[tuple[str, str], ...] = ()
    locked: bool = False

    def plant(self, content: Path) -> Named:
        """Change the content and return what must be named."""
        if self.locked:
            course = load_course(content)
            write_lock(content, course, lockable(course))
        files = (self.file,) if isinstance(self.file, str) else self.file
        for name in files:
            if self.new is None:
                (content / name).unlink()
                continue
            text = (content / name).read_text("utf-8")
            for old, new in ((self.old, self.new), *self.also):
                assert old in text
                text = text.replace(old, new, 1)
            (content / name).write_text(text, "utf-8")
        return self.named(content)

    def named(self, content: Path) -> Named:
        file = self.where or (self.file if isinstance(self.file, str) else self.file[0])
        return Named(f"{file}:{line_of(content / file, self.at) if self.at else 1}: ", self.says, self.rule)


class Named(NamedTuple):
    """How the line starts, what it says, and the rule at its end."""

    place: str
    says: str
    rule: str


def line_of(path: Path, words: str) -> int:
    return max(n for n, line in enumerate(path.read_text("utf-8").splitlines(), start=1) if words in line)


SEEDS = {
    # items: structure
    "broken link": Seed("broken-link", DIALOGUE, "to: settles", "to: nowhere", "to: nowhere", "nowhere"),
    "link in a circle": Seed("endless-path", DIALOGUE, "to: comes-back", "to: arrives", "  nodes:", "circle"),
    "start that is not there": Seed(
        "broken-link", DIALOGUE, "start: arrives", "start: arrive", "start: arrive", "arrive"
    ),
    "missing translation": Seed(
        "missing-translation",
        ORDERING,
        ', en: "From opening check to farewell"}',
        "}",
        "title: {zh",
        "English text is missing",
    ),
    "missing Chinese": Seed(
        "missing-translation", VIOLATIONS, '{zh: "柜台前的九十秒", en', "{en", "title: {en", "Chinese text is missing"
    ),
    "empty translation": Seed(
        "missing-translation",
        ORDERING,
        'en: "From opening check to farewell"',
        'en: "  "',
        'en: "  "',
        "English text is empty",
    ),
    "wrong value": Seed("wrong-value", DIALOGUE, "comfort: 45", "comfort: warm", "comfort: warm", "comfort"),
    "value out of range": Seed(
        "wrong-value", VIOLATIONS, "slip-spread: 2", "slip-spread: 4", "slip-spread: 4", "slip-spread"
    ),
    "text for a list": Seed(
        "wrong-value", REFLECTION, "covers: [3.1.6, 3.1.11]", "covers: 3.1.6", "covers: 3.1.6", "list"
    ),
    "unknown field": Seed(
        "unknown-field", VIOLATIONS, "sector: bank", "sector: bank\ncolour: red", "colour:", "colour"
    ),
    "missing field": Seed("missing-field", REFLECTION, "  entries: 3\n", "", "public:", "entries"),
    "unknown type": Seed("unknown-type", REFLECTION, "type: reflection", "type: essay", "type: essay", "essay"),
    "type that is a list": Seed("wrong-value", REFLECTION, "type: reflection", "type: [reflection]", "type: [", "type"),
    "id not of its file": Seed("name-mismatch", REFLECTION, "id: e3-1-4", "id: e3-1-5", "id: e3-1-5", "file name"),
    # items: options and keys
    "step id twice": Seed(
        "duplicate-id", ORDERING, "- id: test-printer", "- id: tidy-desk", "- id: tidy-desk", "tidy-desk"
    ),
    "span id twice": Seed("duplicate-id", VIOLATIONS, "{id: both-hands", "{id: drop-by", "{id: drop-by", "drop-by"),
    "choice id twice": Seed(
        "duplicate-id",
        DIALOGUE,
        "- id: cheerful-approach",
        "- id: keep-distance",
        "- id: keep-distance",
        "keep-distance",
    ),
    "node id twice": Seed(
        "duplicate-id", DIALOGUE, "    - id: cornered", "    - id: settles", "    - id: settles", "settles"
    ),
    "unknown option among the faults": Seed(
        "broken-link", VIOLATIONS, "{slip-spread: 2", "{slip-sprayed: 2", "slip-sprayed", "slip-sprayed"
    ),
    "unknown step that is needed": Seed(
        "broken-link", ORDERING, "hear-out: [ask-purpose]", "hear-out: [ask-why]", "[ask-why]", "ask-why"
    ),
    "unknown step in a critical pair": Seed(
        "broken-link", ORDERING, "{before: note-matters", "{before: note-it", "{before: note-it", "note-it"
    ),
    "unknown choice with points": Seed(
        "orphan-key", DIALOGUE, "parting: {any-time: 1", "parting: {bow-deep: 2, any-time: 1", "parting: {", "bow-deep"
    ),
    "choice without points": Seed(
        "unscored-choice", DIALOGUE, "parting: {any-time: 1, walk", "parting: {walk", "parting: {", "parting.any-time"
    ),
    "option without rationale": Seed(
        "missing-rationale", VIOLATIONS, "    both-hands:\n", "    one-hand:\n", "  rationales:", "both-hands"
    ),
    "rationale without option": Seed(
        "broken-link", VIOLATIONS, "    both-hands:\n", "    one-hand:\n", "one-hand:", "one-hand"
    ),
    "fault without a better sentence": Seed(
        "missing-better",
        VIOLATIONS,
        '      better: {zh: "打印前对照一遍',
        '      rule: F-CN-24\n    # {zh: "打印前对照一遍',
        "    prints-at-once:",
        "better",
    ),
    "key against the written order": Seed(
        "contradiction",
        ORDERING,
        "hear-out: [ask-purpose]",
        "hear-out: [bid-farewell]",
        "[bid-farewell]",
        "bid-farewell",
    ),
    "critical pair against the key": Seed(
        "contradiction",
        ORDERING,
        "{before: greet-seat, after: explain-id",
        "{before: explain-id, after: greet-seat",
        "{before: explain-id",
        "explain-id",
    ),
    "unknown field in a model log": Seed(
        "broken-link", REFLECTION, "      next:\n", "      later:\n", "      later:", "later"
    ),
    # items: points of the handbook and rules of law
    "unknown teaching point covered": Seed(
        "unknown-point", item("p3-1-1"), "covers: [3.1.8c", "covers: [3.9.9", "covers: [", "3.9.9"
    ),
    "unknown teaching point in a rationale": Seed(
        "unknown-point", ORDERING, "point: 3.1.7a", "point: 3.9.9", "point: 3.9.9", "3.9.9"
    ),
    "no teaching point at all": Seed(
        "wrong-value", ORDERING, "point: 3.1.7a", "point: norm 7", "point: norm 7", "point"
    ),
    "unknown rule in a rationale": Seed(
        "unknown-rule",
        ORDERING,
        "      point: 3.1.7a",
        "      rule: F-CN-99\n      point: 3.1.7a",
        "rule: F-CN-99",
        "F-CN-99",
    ),
    # any YAML
    "key twice": Seed("broken-yaml", ORDERING, "revision: 1", "revision: 1\nrevision: 2", "revision: 2", "revision"),
    "rationale twice": Seed(
        "broken-yaml", VIOLATIONS, "    both-hands:\n", "    looks-aside:\n", "    looks-aside:", "twice"
    ),
    "tab": Seed("broken-yaml", ORDERING, "sector: bank", "sector:\n\tbank", "\tbank", "write blanks"),
    "full-width colon": Seed("broken-yaml", ORDERING, "revision: 1", "revision：1", "practice: false", "full-width ："),
    "unquoted comma": Seed(
        "unknown-field",
        ORDERING,
        'en: "From opening check to farewell"}',
        "en: From opening, to farewell}",
        "title: {zh",
        "comma",
    ),
    "no YAML": Seed("broken-yaml", ORDERING, "sector: bank", "sector: bank: all", "sector: bank: all", "no valid YAML"),
    "impossible date": Seed(
        "wrong-value",
        "rules.yml",
        "last_checked: 2026-10-31",
        "last_checked: 2026-02-30",
        "last_checked: 2026-02-30",
        "last_checked",
    ),
    "unknown status of a rule": Seed("wrong-value", "rules.yml", "status: V2", "status: V9", "status: V9", "status"),
    # lessons
    "unknown teaching point taught": Seed(
        "unknown-point", EN, "{{ teaches 3.1.6 }}", "{{ teaches 3.9.9 }}", "3.9.9", "3.9.9"
    ),
    "unknown rule in a lesson": Seed(
        "unknown-rule", ZH, "{{ rule F-CN-05 }}", "{{ rule F-CN-99 }}", "F-CN-99", "F-CN-99"
    ),
    "unknown term in a lesson": Seed(
        "unknown-term", (EN, ZH), "{{ rule F-CN-05 }}", "{{ term G999 }}", "{{ term G999 }}", "G999"
    ),
    "term linked twice": Seed(
        "term-repeated",
        (EN, ZH),
        "{{ rule F-CN-05 }}",
        "{{ term G024 }}\n{{ term G024 so }}",
        "{{ term G024 so }}",
        "G024",
    ),
    "term linked in one language only": Seed(
        "languages-differ", ZH, "{{ rule F-CN-05 }}", "{{ term G024 }}", "", "G024", where=EN
    ),
    "unknown item in a lesson": Seed(
        "unknown-item", (EN, ZH), "{{ item p3-1-2 }}", "{{ item p3-9-9 }}", "p3-9-9", "p3-9-9"
    ),
    "unknown directive": Seed(
        "broken-directive", ZH, "{{ teaches 3.1.6 }}", "{{ teach 3.1.6 }}", "{{ teach 3.1.6", "teach"
    ),
    "missing picture": Seed(
        "missing-picture", EN, "img/visit.en.svg", "img/visits.en.svg", "img/visits.en.svg", "visits.en.svg"
    ),
    "item left out in one language": Seed(
        "languages-differ", EN, "{{ item e3-1-2 }}\n", "", "{{ item e3-1-3 }}", "e3-1-2"
    ),
    "item placed twice": Seed(
        "not-placed-once",
        (ZH, EN),
        "{{ item p3-1-2 }}",
        "{{ item p3-1-2 }}\n\n{{ item p3-1-2 }}",
        "",
        "2 times",
        item("p3-1-2"),
    ),
    "item not placed": Seed("not-placed-once", (ZH, EN), "{{ item p3-1-2 }}", "", "", "0 times", item("p3-1-2")),
    # points
    "graded item without points": Seed(
        "graded-without-points", "course.yml", "e3-1-3: 7, ", "", "", "needs points", VIOLATIONS
    ),
    "points without item": Seed(
        "unknown-item", "course.yml", "e3-1-4: 2", "e3-1-4: 2, e3-1-9: 5", "items: {", "e3-1-9"
    ),
    "practice with points": Seed(
        "points-on-practice", "course.yml", "e3-1-4: 2", "e3-1-4: 2, p3-1-1: 5", "", "practice", item("p3-1-1")
    ),
    "points in words": Seed("wrong-value", "course.yml", "e3-1-4: 2", "e3-1-4: five", "items: {", "e3-1-4"),
    "points that are no number": Seed("wrong-value", "course.yml", "e3-1-4: 2", "e3-1-4: .nan", "items: {", "e3-1-4"),
    "no points": Seed("wrong-value", "course.yml", "e3-1-4: 2", "e3-1-4: 0", "items: {", "e3-1-4"),
    # items: what only a whole look at them shows
    "node that nothing leads to": Seed(
        "unreachable-node", DIALOGUE, "to: maybe-later", "to: comes-back", "    - id: maybe-later", "maybe-later"
    ),
    "end at the start": Seed("dead-end", DIALOGUE, "start: arrives", "start: comes-back", "start: comes-back", "ends"),
    "one choice": Seed(
        "single-choice",
        item("p3-1-1"),
        "choices: []",
        'choices: [{id: nod, text: {zh: "点头", en: "Nod"}, to: sits-down}]',
        "choices: [{id: nod",
        "another",
    ),
    "choices that come to the same": Seed(
        "choice-without-effect",
        item("p3-1-1"),
        "{bright-welcome: 0, list-papers: 1, soft-pause: 3, own-grief: 1}",
        "{bright-welcome: 3, list-papers: 3, soft-pause: 3, own-grief: 3}",
        "# these",
        "at-desk",
        also=(
            ("      choices:\n", "      choices:  # these\n"),
            ("to: stiffens", "to: sits-down"),
            ("to: fumbles", "to: sits-down"),
            ("to: looks-away", "to: sits-down"),
        ),
    ),
    "talk that earns nothing": Seed(
        "unscored-choice",
        item("p3-1-1"),
        "{bright-welcome: 0, list-papers: 1, soft-pause: 3, own-grief: 1}",
        "{bright-welcome: 0, list-papers: 0, soft-pause: 0, own-grief: 0}",
        "  points:",
        "no path",
    ),
    "too many spans": Seed(
        "too-large",
        VIOLATIONS,
        "        - {id: glasses-ready",
        "".join(f'        - {{id: filler-{n}, text: {{zh: "…", en: "…"}}}}\n' for n in range(60))
        + "        - {id: glasses-ready",
        "  lines:",
        "too many",
    ),
    "faults that are not counted right": Seed("contradiction", VIOLATIONS, "seeded: 8", "seeded: 7", "seeded: 7", "8"),
    "ids in the order of the key": Seed(
        "order-given-away",
        item("p3-1-2"),
        """    register-matter: [say-pending]
    call-settlement: [register-matter]
    ask-number: [say-pending]
    hand-card: [call-settlement, ask-number]
    escort-out: [hand-card]
""",
        "    say-pending: []\n",
        "  steps:",
        "alphabetical",
    ),
    "model log with a gap": Seed(
        "incomplete-model",
        REFLECTION,
        '      next:\n        zh: "今天下班前',
        '      later:\n        zh: "今天下班前',
        "    - moment:",
        "next",
    ),
    # words
    "placeholder": Seed(
        "placeholder", ORDERING, "From opening check to farewell", "From ‹first step› to farewell", "title:", "‹first"
    ),
    "placeholder in course.yml": Seed(
        "placeholder", "course.yml", "Reception etiquette", "‹title›", "‹title›", "‹title›"
    ),
    "law from memory, in English": Seed(
        "legal-number",
        EN,
        "## Three things",
        "By law a complaint is settled\nwithin 15 days.\n\n## Three things",
        "By law",
        "15 days",
    ),
    "law from memory, in Chinese": Seed(
        "legal-number",
        ZH,
        "## 带走三件事",
        "银行应当在十五个工作日内答复投诉。\n\n## 带走三件事",
        "十五个工作日",
        "十五个工作日",
    ),
    "law from memory in a rationale": Seed(
        "legal-number", VIOLATIONS, "没有问题：证件当面还", "监管规定 7 天内归还证件", "监管规定", "7 天"
    ),
    "law that the cited rule does not say": Seed(
        "legal-number",
        ORDERING,
        "      point: 3.1.7a",
        "      rule: F-CN-01\n      point: 3.1.7a",
        "监管规定",
        "20 天",
        also=(("道谢和送别收尾。", "道谢和送别收尾。监管规定投诉 20 天内答复。"),),
    ),
    "promise in a better sentence": Seed(
        "model-answer", VIOLATIONS, "“谢谢您，秦女士，", "“这款产品保证收益，", "保证收益", "保证收益"
    ),
    "promise in a model log": Seed(
        "model-answer",
        REFLECTION,
        "“Do sit down, I'll point to each entry for you.”",
        "“Do sit down, this one has guaranteed returns.”",
        "guaranteed returns",
        "guaranteed returns",
    ),
    "graded item without a competency": Seed(
        "missing-competency", ORDERING, "competencies: [C9, C3]\n", "", "", "competencies"
    ),
    "unknown competency": Seed("unknown-competency", ORDERING, "[C9, C3]", "[C9, C33]", "", "C33"),
    # guessing
    "any order will do": Seed(
        "chance-floor",
        ORDERING,
        """    stand-up: [tidy-desk, test-printer]
    greet-seat: [tidy-desk, test-printer]
    ask-purpose: [stand-up, greet-seat]
    hear-out: [ask-purpose]
    sum-up: [hear-out]
    note-matters: [hear-out]
    explain-id: [sum-up]
    replace-card: [explain-id, note-matters]
    check-slip: [replace-card]
    pass-query: [explain-id, note-matters]
    name-deadline: [pass-query]
    bid-farewell: [check-slip, name-deadline]
  critical:
    - {before: greet-seat, after: explain-id, cap: 0.5}
    - {before: note-matters, after: bid-farewell, cap: 0.6}
    - {before: name-deadline, after: bid-farewell, cap: 0.5}
""",
        "    stand-up: [tidy-desk]\n",
        "public:",
        "guessing",
    ),
    # coverage
    "point that nothing teaches": Seed(
        "point-not-taught", (EN, ZH), "{{ teaches 3.1.11 }}", "{{ teaches 3.1.6 }}", "", "3.1.11"
    ),
    "point that nothing exercises": Seed(
        "point-not-exercised", REFLECTION, "[3.1.6, 3.1.11]", "[3.1.6]", "", "3.1.11", where=EN
    ),
    # the rest of the course
    "chapter id twice": Seed(
        "duplicate-id",
        "course.yml",
        "chapters:\n",
        "chapters:\n  - {id: ch3, folder: 4-more, title: {zh: 更多, en: More}, sections: []}\n",
        "  - id: ch3",
        "ch3",
    ),
    "folder outside the course": Seed("wrong-value", "course.yml", "3-norms", "../3-norms", "folder:", "folder"),
    "points without their columns": Seed("missing-column", "points.tsv", "term_zh", "term", "", "term_zh"),
    "teaching point without words": Seed(
        "missing-column",
        "points.tsv",
        "1.1.1\t1.1\t1.1.1\tP\t\t竞争日趋激烈",
        "1.1.1\t1.1\t1.1.1\tP\t\t",
        "1.1.1\t1.1",
        "term_zh",
    ),
    "teaching point twice": Seed("duplicate-id", "points.tsv", "\n1.1.2\t", "\n1.1.1\t", "Know the chain", "1.1.1"),
    "directive that is not closed": Seed(
        "broken-directive", EN, "{{ item e3-1-2 }}", "{{ item e3-1-2", "{{ item e3-1-2", "closed"
    ),
    # after a release
    "key changed": Seed(
        "released-key-changed", VIOLATIONS, "slip-spread: 2", "slip-spread: 3", "key:", "put it back", locked=True
    ),
    "way changed": Seed(
        "released-key-changed", DIALOGUE, "to: maybe-later", "to: backs-off", "key:", "put it back", locked=True
    ),
    "item gone": Seed("released-item-gone", REFLECTION, "", None, "", "e3-1-4", where="course.lock", locked=True),
    "only the English mended": Seed(
        "stale-translation",
        VIOLATIONS,
        "Ninety seconds at the counter",
        "Ninety seconds",
        "title:",
        "mend the Chinese",
        locked=True,
    ),
    "only the Chinese of a lesson mended": Seed(
        "stale-translation",
        ZH,
        "## 开门之前：台面先开口",
        "## 开门之前",
        "## Before opening",
        "mend the English",
        where=EN,
        locked=True,
    ),
    "mended under the old revision": Seed(
        "same-revision",
        VIOLATIONS,
        '{zh: "柜台前的九十秒", en: "Ninety seconds at the counter"}',
        '{zh: "九十秒", en: "Ninety seconds"}',
        "revision: 1",
        "raise",
        locked=True,
    ),
    "lock written by hand": Seed(
        "broken-lock", "course.lock", '"revision"', '"version"', "", "last commit", locked=True
    ),
}


def lint(content: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = cli.main(["lint", str(content)])
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return code, said.splitlines()


def assert_named(said: list[str], named: tuple[str, str, str]) -> None:
    place, words, rule = named
    found = [line for line in said if line.startswith(place) and words in line and line.endswith(f" [{rule}]")]
    assert found, f"{place}…{words}…[{rule}] not in {said}"


def test_clean_content_has_no_fault(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(content, capsys) == (0, [])


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
def test_each_fault_is_named_with_file_and_line(seed: Seed, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = seed.plant(content)
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, named)


def test_directives_in_another_order_are_named_at_the_first_place_that_differs(
    content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = content / EN
    text = path.read_text("utf-8")
    text = text.replace("{{ item p3-1-1 }}", "{{ item ~ }}").replace("{{ item p3-1-3 }}", "{{ item p3-1-1 }}")
    path.write_text(text.replace("{{ item ~ }}", "{{ item p3-1-3 }}"), "utf-8")
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, (f"{EN}:{line_of(path, '{{ item p3-1-3 }}')}: ", "p3-1-1", "languages-differ"))


def test_item_id_twice(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(content / ORDERING, content / item("e3-1-9"))
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, (f"{item('e3-1-9')}:1: ", "e3-1-1", "duplicate-id"))


def test_item_id_twice_in_two_chapters(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(content / CHAPTER, content / "chapters/4-copy")
    plan = content / "course.yml"
    text = plan.read_text("utf-8")
    chapter = text[text.index("  - id: ch3") :]
    plan.write_text(text + chapter.replace("ch3", "ch4").replace("3-norms", "4-copy"), "utf-8")
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, ("chapters/4-copy/items/e3-1-1.yml:1: ", "e3-1-1", "duplicate-id"))


@pytest.mark.parametrize("name", [ZH, EN])
def test_missing_language_of_a_lesson(name: str, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (content / name).unlink()
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, (f"{name}:1: ", "translation is missing", "missing-translation"))


@pytest.mark.parametrize("name", [REFLECTION, "rules.yml", "course.yml", "points.tsv", "glossary.tsv", EN])
def test_file_in_another_encoding(name: str, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = content / name
    path.write_bytes(path.read_bytes() + "# 礼仪\n".encode("gb18030"))
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, (f"{name}:1: ", "UTF-8", "not-utf-8"))


@pytest.mark.parametrize("name", ["rules.yml", "points.tsv", "glossary.tsv", "course.yml"])
def test_missing_file(name: str, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (content / name).unlink()
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, (f"{name}:1: ", "", "missing-file"))


@pytest.mark.parametrize("name", ["rules.yml", "points.tsv", item("e3-1-9")])
def test_folder_where_a_file_belongs(name: str, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (content / name).unlink(missing_ok=True)
    (content / name).mkdir()
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, (f"{name}:1: ", "no file", "missing-file"))


OTHER = {
    "empty": (b"", "wrong-value"),
    "list": (b"- 1\n", "wrong-value"),
    "text": (b"text\n", "wrong-value"),
    "zero byte": (b"\x00", "broken-yaml"),
    "list as a key": (b"? [a]\n: b\n", "broken-yaml"),
    "list in itself": (b"&a [*a]\n", "broken-yaml"),
    "brackets": (b"[" * 5000, "broken-yaml"),
}


@pytest.mark.parametrize(("data", "rule"), OTHER.values(), ids=OTHER)
@pytest.mark.parametrize("name", [REFLECTION, "rules.yml", "course.yml"])
def test_file_of_something_else(
    name: str, data: bytes, rule: str, content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (content / name).write_bytes(data)
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, (f"{name}:1: ", "", rule))


TOGETHER = [
    "broken link", "missing translation", "unknown option among the faults", "option without rationale",
    "step id twice", "unknown type", "unknown teaching point covered", "unknown rule in a lesson", "missing picture",
    "item placed twice", "practice with points", "node that nothing leads to", "choices that come to the same",
    "unknown choice with points", "law from memory, in English", "point that nothing teaches",
    "point that nothing exercises",
]  # fmt: skip


def test_all_faults_are_named_at_once(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in TOGETHER:
        SEEDS[name].plant(content)
    code, said = lint(content, capsys)
    assert code == 1
    for name in TOGETHER:
        assert_named(said, SEEDS[name].named(content))
    assert said[-1].startswith(f"{len(said) - 1} faults")


def test_a_faulty_item_is_not_called_missing(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The file is there; only one value in it is wrong. “Write items/e3-1-2.yml” would mislead.
    named = SEEDS["wrong value"].plant(content)
    _code, said = lint(content, capsys)
    assert [line for line in said[:-1] if not line.startswith(named.place)] == []


def test_build_writes_nothing_when_there_is_a_fault(
    content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "load_course", lambda: load_course(content))
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    named = SEEDS["broken link"].plant(content)
    assert cli.main(["build"]) == 1
    assert_named(capsys.readouterr().err.splitlines(), named)
    assert not (tmp_path / "source").exists()
    assert cli.main(["build", "--check"]) == 1

    path = content / DIALOGUE
    path.write_text(path.read_text("utf-8").replace("to: nowhere", "to: settles"), "utf-8")
    assert cli.main(["build"]) == 0
    assert (tmp_path / "source/ch3/ch3.ipynb").is_file()
    assert cli.main(["build", "--check"]) == 0
