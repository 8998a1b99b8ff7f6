"""Faults in the content: each is named with its file and line, all at once, and nothing is written."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograde import cli
from curriculum.load import load_course

CHAPTER = "chapters/3-norms"
ZH, EN = f"{CHAPTER}/3-1.zh.md", f"{CHAPTER}/3-1.en.md"


def item(name: str) -> str:
    return f"{CHAPTER}/items/{name}.yml"


ORDERING, DIALOGUE, VIOLATIONS, REFLECTION = map(item, ("e3-1-1", "e3-1-2", "e3-1-3", "e3-1-4"))


@dataclass(frozen=True)
class Seed:
    """A fault: `old` becomes `new` in `file`; the last line with `at` must be named, and `says` be in the sentence.

    `where` is the file to be named when it is another one, on its line 1 or the last line with `at`.
    """

    file: str | tuple[str, ...]
    old: str
    new: str
    at: str
    says: str
    where: str | None = None

    def plant(self, content: Path) -> str:
        """Change the content and return the place that must be named."""
        files = (self.file,) if isinstance(self.file, str) else self.file
        for name in files:
            text = (content / name).read_text("utf-8")
            assert self.old in text
            (content / name).write_text(text.replace(self.old, self.new, 1), "utf-8")
        named = self.where or files[0]
        return f"{named}:{line_of(content / named, self.at) if self.at else 1}: "


def line_of(path: Path, words: str) -> int:
    return max(n for n, line in enumerate(path.read_text("utf-8").splitlines(), start=1) if words in line)


SEEDS = {
    # items: structure
    "broken link": Seed(DIALOGUE, "to: settles", "to: nowhere", "to: nowhere", "nowhere"),
    "link in a circle": Seed(DIALOGUE, "to: comes-back", "to: arrives", "  nodes:", "circle"),
    "start that is not there": Seed(DIALOGUE, "start: arrives", "start: arrive", "start: arrive", "arrive"),
    "missing translation": Seed(
        ORDERING, ', en: "From opening check to farewell"}', "}", "title: {zh", "English text is missing"
    ),
    "missing Chinese": Seed(VIOLATIONS, '{zh: "柜台前的九十秒", en', "{en", "title: {en", "Chinese text is missing"),
    "empty translation": Seed(
        ORDERING, 'en: "From opening check to farewell"', 'en: "  "', 'en: "  "', "English text is empty"
    ),
    "wrong value": Seed(DIALOGUE, "comfort: 45", "comfort: warm", "comfort: warm", "comfort"),
    "value out of range": Seed(VIOLATIONS, "slip-spread: 2", "slip-spread: 4", "slip-spread: 4", "slip-spread"),
    "text for a list": Seed(REFLECTION, "covers: [3.1.6, 3.1.11]", "covers: 3.1.6", "covers: 3.1.6", "list"),
    "unknown field": Seed(VIOLATIONS, "sector: bank", "sector: bank\ncolour: red", "colour:", "colour"),
    "missing field": Seed(REFLECTION, "  entries: 3\n", "", "public:", "entries"),
    "unknown type": Seed(REFLECTION, "type: reflection", "type: essay", "type: essay", "essay"),
    "type that is a list": Seed(REFLECTION, "type: reflection", "type: [reflection]", "type: [", "type"),
    "id not of its file": Seed(REFLECTION, "id: e3-1-4", "id: e3-1-5", "id: e3-1-5", "file name"),
    # items: options and keys
    "step id twice": Seed(ORDERING, "- id: test-printer", "- id: tidy-desk", "- id: tidy-desk", "tidy-desk"),
    "span id twice": Seed(VIOLATIONS, "{id: both-hands", "{id: drop-by", "{id: drop-by", "drop-by"),
    "choice id twice": Seed(
        DIALOGUE, "- id: cheerful-approach", "- id: keep-distance", "- id: keep-distance", "keep-distance"
    ),
    "node id twice": Seed(DIALOGUE, "    - id: cornered", "    - id: settles", "    - id: settles", "settles"),
    "unknown option among the faults": Seed(
        VIOLATIONS, "{slip-spread: 2", "{slip-sprayed: 2", "slip-sprayed", "slip-sprayed"
    ),
    "unknown step that is needed": Seed(
        ORDERING, "hear-out: [ask-purpose]", "hear-out: [ask-why]", "[ask-why]", "ask-why"
    ),
    "unknown step in a critical pair": Seed(
        ORDERING, "{before: note-matters", "{before: note-it", "{before: note-it", "note-it"
    ),
    "unknown choice with points": Seed(
        DIALOGUE, "parting: {any-time: 1", "parting: {bow-deep: 2, any-time: 1", "parting: {", "bow-deep"
    ),
    "choice without points": Seed(
        DIALOGUE, "parting: {any-time: 1, walk", "parting: {walk", "parting: {", "parting.any-time"
    ),
    "option without rationale": Seed(VIOLATIONS, "    both-hands:\n", "    one-hand:\n", "  rationales:", "both-hands"),
    "rationale without option": Seed(VIOLATIONS, "    both-hands:\n", "    one-hand:\n", "one-hand:", "one-hand"),
    "fault without a better sentence": Seed(
        VIOLATIONS,
        '      better: {zh: "打印前对照一遍',
        '      rule: F-CN-24\n    # {zh: "打印前对照一遍',
        "    prints-at-once:",
        "better",
    ),
    "key against the written order": Seed(
        ORDERING, "hear-out: [ask-purpose]", "hear-out: [bid-farewell]", "[bid-farewell]", "bid-farewell"
    ),
    "critical pair against the key": Seed(
        ORDERING,
        "{before: greet-seat, after: explain-id",
        "{before: explain-id, after: greet-seat",
        "{before: explain-id",
        "explain-id",
    ),
    "unknown field in a model log": Seed(REFLECTION, "      next:\n", "      later:\n", "      later:", "later"),
    # items: points of the handbook and rules of law
    "unknown teaching point covered": Seed(item("p3-1-1"), "covers: [3.1.8c", "covers: [3.9.9", "covers: [", "3.9.9"),
    "unknown teaching point in a rationale": Seed(ORDERING, "point: 3.1.7a", "point: 3.9.9", "point: 3.9.9", "3.9.9"),
    "no teaching point at all": Seed(ORDERING, "point: 3.1.7a", "point: norm 7", "point: norm 7", "point"),
    "unknown rule in a rationale": Seed(
        ORDERING, "      point: 3.1.7a", "      rule: F-CN-99\n      point: 3.1.7a", "rule: F-CN-99", "F-CN-99"
    ),
    # any YAML
    "key twice": Seed(ORDERING, "revision: 1", "revision: 1\nrevision: 2", "revision: 2", "revision"),
    "rationale twice": Seed(VIOLATIONS, "    both-hands:\n", "    looks-aside:\n", "    looks-aside:", "twice"),
    "no YAML": Seed(ORDERING, "sector: bank", "sector: bank: all", "sector: bank: all", "no valid YAML"),
    "impossible date": Seed(
        "rules.yml", "last_checked: 2026-10-31", "last_checked: 2026-02-30", "last_checked: 2026-02-30", "last_checked"
    ),
    "unknown status of a rule": Seed("rules.yml", "status: V2", "status: V9", "status: V9", "status"),
    # lessons
    "unknown teaching point taught": Seed(EN, "{{ teaches 3.1.6 }}", "{{ teaches 3.9.9 }}", "3.9.9", "3.9.9"),
    "unknown rule in a lesson": Seed(ZH, "{{ rule F-CN-05 }}", "{{ rule F-CN-99 }}", "F-CN-99", "F-CN-99"),
    "unknown item in a lesson": Seed((EN, ZH), "{{ item p3-1-2 }}", "{{ item p3-9-9 }}", "p3-9-9", "p3-9-9"),
    "unknown directive": Seed(ZH, "{{ teaches 3.1.6 }}", "{{ teach 3.1.6 }}", "{{ teach 3.1.6", "teach"),
    "missing picture": Seed(EN, "img/visit.en.svg", "img/visits.en.svg", "img/visits.en.svg", "visits.en.svg"),
    "item left out in one language": Seed(EN, "{{ item e3-1-2 }}\n", "", "{{ item e3-1-3 }}", "e3-1-2"),
    "item placed twice": Seed(
        (ZH, EN), "{{ item p3-1-2 }}", "{{ item p3-1-2 }}\n\n{{ item p3-1-2 }}", "", "2 times", item("p3-1-2")
    ),
    "item not placed": Seed((ZH, EN), "{{ item p3-1-2 }}", "", "", "0 times", item("p3-1-2")),
    # points
    "graded item without points": Seed("course.yml", "e3-1-3: 30, ", "", "", "needs points", VIOLATIONS),
    "points without item": Seed("course.yml", "e3-1-4: 5", "e3-1-4: 5, e3-1-9: 5", "items: {", "e3-1-9"),
    "practice with points": Seed("course.yml", "e3-1-4: 5", "e3-1-4: 5, p3-1-1: 5", "", "practice", item("p3-1-1")),
    "points in words": Seed("course.yml", "e3-1-4: 5", "e3-1-4: five", "items: {", "e3-1-4"),
    "points that are no number": Seed("course.yml", "e3-1-4: 5", "e3-1-4: .nan", "items: {", "e3-1-4"),
    "no points": Seed("course.yml", "e3-1-4: 5", "e3-1-4: 0", "items: {", "e3-1-4"),
}


def lint(content: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = cli.main(["lint", str(content)])
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return code, said.splitlines()


def assert_named(said: list[str], place: str, words: str) -> None:
    assert [line for line in said if line.startswith(place) and words in line], f"{place}…{words} not in {said}"


def test_clean_content_has_no_fault(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(content, capsys) == (0, [])


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
def test_each_fault_is_named_with_file_and_line(seed: Seed, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = seed.plant(content)
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, place, seed.says)


def test_directives_in_another_order_are_named_at_the_first_place_that_differs(
    content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = content / EN
    text = path.read_text("utf-8")
    text = text.replace("{{ item p3-1-1 }}", "{{ item ~ }}").replace("{{ item p3-1-3 }}", "{{ item p3-1-1 }}")
    path.write_text(text.replace("{{ item ~ }}", "{{ item p3-1-3 }}"), "utf-8")
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, f"{EN}:{line_of(path, '{{ item p3-1-3 }}')}: ", "p3-1-1")


def test_item_id_twice(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(content / ORDERING, content / item("e3-1-9"))
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, f"{item('e3-1-9')}:1: ", "e3-1-1")


def test_item_id_twice_in_two_chapters(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(content / CHAPTER, content / "chapters/4-copy")
    plan = content / "course.yml"
    text = plan.read_text("utf-8")
    chapter = text[text.index("  - id: ch3") :]
    plan.write_text(text + chapter.replace("ch3", "ch4").replace("3-norms", "4-copy"), "utf-8")
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, "chapters/4-copy/items/e3-1-1.yml:1: ", "e3-1-1")


@pytest.mark.parametrize("name", [ZH, EN])
def test_missing_language_of_a_lesson(name: str, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (content / name).unlink()
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, f"{name}:1: ", "translation is missing")


@pytest.mark.parametrize("name", [REFLECTION, "rules.yml", "course.yml", "points.tsv", EN])
def test_file_in_another_encoding(name: str, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = content / name
    path.write_bytes(path.read_bytes() + "# 礼仪\n".encode("gb18030"))
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, f"{name}:", "UTF-8")


@pytest.mark.parametrize("name", ["rules.yml", "points.tsv", "course.yml"])
def test_missing_file(name: str, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (content / name).unlink()
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, f"{name}:1: ", "")


WORDS = ["empty", "list", "text", "zero byte", "list as a key", "list in itself", "brackets"]


@pytest.mark.parametrize(
    "data", [b"", b"- 1\n", b"text\n", b"\x00", b"? [a]\n: b\n", b"&a [*a]\n", b"[" * 5000], ids=WORDS
)
@pytest.mark.parametrize("name", [REFLECTION, "rules.yml", "course.yml"])
def test_file_of_something_else(name: str, data: bytes, content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (content / name).write_bytes(data)
    code, said = lint(content, capsys)
    assert code == 1
    assert_named(said, f"{name}:1: ", "")


TOGETHER = [
    "broken link", "missing translation", "unknown option among the faults", "option without rationale",
    "step id twice", "unknown type", "unknown teaching point covered", "unknown rule in a lesson", "missing picture",
    "item placed twice", "practice with points",
]  # fmt: skip


def test_all_faults_are_named_at_once(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in TOGETHER:
        SEEDS[name].plant(content)
    places = [
        f"{named}:{line_of(content / named, seed.at) if seed.at else 1}: "
        for seed in (SEEDS[name] for name in TOGETHER)
        if (named := seed.where or (seed.file if isinstance(seed.file, str) else seed.file[0]))
    ]
    code, said = lint(content, capsys)
    assert code == 1
    for name, place in zip(TOGETHER, places, strict=True):
        assert_named(said, place, SEEDS[name].says)
    assert said[-1].startswith(f"{len(said) - 1} faults")


def test_a_faulty_item_is_not_called_missing(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The file is there; only one value in it is wrong. “Write items/e3-1-2.yml” would mislead.
    place = SEEDS["wrong value"].plant(content)
    _code, said = lint(content, capsys)
    assert [line for line in said[:-1] if not line.startswith(place)] == []


def test_build_writes_nothing_when_there_is_a_fault(
    content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "load_course", lambda: load_course(content))
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    place = SEEDS["broken link"].plant(content)
    assert cli.main(["build"]) == 1
    assert_named(capsys.readouterr().err.splitlines(), place, "nowhere")
    assert not (tmp_path / "source").exists()
    assert cli.main(["build", "--check"]) == 1

    path = content / DIALOGUE
    path.write_text(path.read_text("utf-8").replace("to: nowhere", "to: settles"), "utf-8")
    assert cli.main(["build"]) == 0
    assert (tmp_path / "source/ch3/ch3.ipynb").is_file()
    assert cli.main(["build", "--check"]) == 0
