"""The lint rules that look at a whole course: law and promises, guessing, coverage, the lock. And their names."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograde.place import ROOT
from curriculum.items import TYPES
from curriculum.lint import lint
from curriculum.lint.chance import floors, right, share
from curriculum.lint.coverage import coverage
from curriculum.lint.lock import lockable, read_lock, write_lock
from curriculum.lint.texts import amounts_of, claims
from curriculum.load import CONTENT, Course, load_course
from curriculum.model import Head, Item, Language, Public, Text
from curriculum.source import ContentError, Problem
from tests.test_load import SEEDS

ITEMS = "chapters/3-norms/items"


def faults(content: Path) -> list[Problem]:
    try:
        lint(content)
    except ContentError as error:
        return error.problems
    return []


def rules(content: Path) -> list[str]:
    return [problem.rule for problem in faults(content)]


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


# --- names


def named(path: Path) -> Iterator[str]:
    """Yield each rule that the file names: whatever reports a fault is called by one of four names."""
    at = {"Fault": 0, "Problem": 2, "report": -2, "problem": 2}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            rule = node.args[at[name]] if name in at and node.args else None
            for one in (rule.body, rule.orelse) if isinstance(rule, ast.IfExp) else (rule,):
                if isinstance(one, ast.Constant):
                    yield one.value
                elif one is not None:
                    # Handed on from elsewhere, where it is a name that this finds.
                    assert ast.unparse(one) in {"rule", "fault.rule", "named(detail)"}, f"{path}:{node.lineno}"
        elif isinstance(node, ast.FunctionDef) and node.name == "named":
            returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
            yield from (value.value for value in returned if isinstance(value, ast.Constant))


def rules_in(*patterns: str) -> set[str]:
    return {rule for pattern in patterns for path in ROOT.glob(pattern) for rule in named(path)}


SHARED = rules_in(
    "curriculum/*.py",
    "curriculum/lint/*.py",
    *(f"curriculum/items/{name}/*.py" for name in ("dialogue", "ordering", "reflection", "violations")),
)
# Faults of whole files and of what a person marks, which section 3.1 has not; in tests of their own.
ELSEWHERE = {
    "best-falls-short",
    "flat-answer-pays",
    "point-not-acted-on",
    "missing-file",
    "not-utf-8",
    "ungainly-points",
}


def test_every_shared_rule_is_seeded_and_no_other() -> None:
    assert {seed.rule for seed in SEEDS.values()} | ELSEWHERE == SHARED


def test_every_rule_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "lint.md").read_text("utf-8")
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == rules_in("curriculum/**/*.py")


def test_points_that_a_rubric_cannot_share_out(tmp_path: Path) -> None:
    # Half of 10 points in six criteria of three steps each: 5 / 18 of a point, no quarter.
    shutil.copytree(CONTENT, tmp_path / "content", ignore=shutil.ignore_patterns("*.py", "*.js"))
    plan = tmp_path / "content" / "course.yml"
    plan.write_text(re.sub(r"e2-2-3: \d+", "e2-2-3: 10", plan.read_text("utf-8")), "utf-8")
    (found,) = (problem for problem in faults(tmp_path / "content") if problem.rule == "ungainly-points")
    assert found.file == "course.yml"
    assert "e2-2-3: 10" in plan.read_text("utf-8").splitlines()[found.line - 1]


# --- law


LAW: list[tuple[Language, str]] = [
    ("zh", "法律规定，投诉要在15天内答复。"),
    ("zh", "银行应当在十五个工作日内作出决定。"),
    ("zh", "按规定，犹豫期为 15 天。"),
    ("zh", "她有十五天的犹豫期。"),
    ("zh", "存款保险最多赔五十万元。"),
    ("zh", "《保险法》第二十三条：三十日内核定。"),
    ("zh", "监管要求\n保存三年。"),
    ("zh", "法律写着，罚款不超过百分之五。"),
    ("en", "By law, banks must decide within 15 days."),
    ("en", "Insurers must assess a claim within thirty days."),
    ("en", "It is a cooling-off period of 15 days."),
    ("en", "Deposit insurance pays up to 500,000 yuan."),
    ("en", "Order No. 3 gives them 15 days."),
    ("en", "Regulations ask for\nthree years of storage."),
    ("en", "Fines reach 5% under the statute."),
]
NO_LAW: list[tuple[Language, str]] = [
    ("zh", "三天是手册定的目标，不是法律。"),
    ("zh", "法律没有写三天。"),
    ("zh", "犹豫期到哪一天，改主意了怎么办？"),
    ("zh", "您的犹豫期只剩五天。"),
    ("zh", "这些法规最近核对：2026 年 10 月 31 日。"),
    ("zh", "三天内给您答复。法律是另一回事。"),
    ("zh", "法律条文，第二天才看懂。"),
    ("en", "Three days are the handbook's own target, not law."),
    ("en", "Ring back within two days."),
    ("en", "Thirty days isn't law."),
    ("en", "The law is one thing. Three days are another."),
    ("en", "We read the regulation in the text of 2016."),
]


@pytest.mark.parametrize(("language", "text"), LAW)
def test_a_number_said_to_be_law_is_found(language: Language, text: str) -> None:
    assert list(claims(text, language))


@pytest.mark.parametrize(("language", "text"), NO_LAW)
def test_other_numbers_are_not(language: Language, text: str) -> None:
    assert not list(claims(text, language))


@pytest.mark.parametrize(
    ("language", "text", "numbers"),
    [
        ("zh", "十五天，30 个工作日，二十五年，两年", {15, 30, 25, 2}),
        ("zh", "50 万元和一百二十元，第三天，10 月 31 日，2026 年", {500_000, 120}),
        ("en", "fifteen days, 30 working days, 500,000 yuan, 5%, a 10-day wait", {15, 30, 500_000, 5, 10}),
        ("en", "in 2026, on 31 October, counter 3", set()),
    ],
)
def test_amounts_are_read_in_both_scripts(language: Language, text: str, numbers: set[float]) -> None:
    assert set(amounts_of(text, language).values()) == numbers


@pytest.mark.parametrize(("days", "found"), [("15", []), ("20", ["legal-number"])])
def test_an_item_may_say_what_the_rule_it_names_says(days: str, found: list[str], content: Path) -> None:
    # F-CN-01: a decision within 15 days, at the longest 60; nothing about 20.
    path = content / ITEMS / "e3-1-3.yml"
    replace(path, "没有问题：证件当面还", f"监管规定 {days} 天内归还")
    replace(path, "      point: 3.1.9a\n    next-number:", "      point: 3.1.9a\n      rule: F-CN-01\n    next-number:")
    assert rules(content) == found


@pytest.mark.parametrize(("cited", "found"), [(True, []), (False, ["legal-number"])])
def test_people_may_be_wrong_about_the_law_where_the_right_number_is_near(
    cited: bool, found: list[str], content: Path
) -> None:
    path = content / ITEMS / "e3-1-3.yml"
    replace(path, "您过两天再来看看吧。", "法律规定 20 天，您过两天再来看看吧。")
    if cited:
        replace(
            path, "      point: 3.1.7b\n    both-hands:", "      rule: F-CN-01\n      point: 3.1.7b\n    both-hands:"
        )
    assert rules(content) == found


def test_a_rule_of_rules_yml_in_a_lesson_is_no_number_from_memory(content: Path) -> None:
    replace(content / "chapters/3-norms/3-1.en.md", "The rule: {{ rule F-CN-01 }}", "By law {{ rule F-CN-01 }}")
    assert rules(content) == []


# --- guessing


def exercise(kind: str, public: dict[str, Any], key: dict[str, Any]) -> Item:
    type_ = TYPES[kind]
    title = Text(zh="题", en="Item")
    head = Head(id="e3-1-9", type=kind, sector="all", title=title, covers=())
    prompt = {"zh": "选。", "en": "Choose."}
    parts: tuple[Public, Any] = (
        type_.public.model_validate({"prompt": prompt, **public}),
        type_.key.model_validate(key),
    )
    return Item(head, type_, *parts)


def one_question(texts: dict[str, tuple[str, str]], points: dict[str, int]) -> Item:
    """Return a talk of one turn with the replies `texts`, in Chinese and English."""
    choices = [{"id": name, "text": {"zh": zh, "en": en}, "to": "end"} for name, (zh, en) in texts.items()]
    says = {"zh": "……", "en": "…"}
    nodes = [
        {"id": "ask", "says": says, "comfort": 50, "choices": choices},
        {"id": "end", "says": says, "comfort": 50, "choices": []},
    ]
    key = {"points": {"ask": points}, "rationales": {}}
    return exercise("dialogue", {"customer": says, "start": "ask", "nodes": nodes}, key)


def test_each_way_of_guessing_takes_its_option() -> None:
    # By id: apple, bread, cream. 1 of 3, 2 of 3 and 3 of 3 points.
    item = one_question(
        {"cream": ("一", "one"), "apple": ("一二三", "one"), "bread": ("一二", "one")},
        {"apple": 1, "bread": 2, "cream": 3},
    )
    shares = floors(item)
    assert (shares["first"], shares["last"], shares["longest"]) == pytest.approx((1 / 3, 1, 1 / 3))


def test_the_longest_option_is_that_of_the_language_in_which_it_pays() -> None:
    texts = {"apple": ("一二三四", "one"), "bread": ("一", "one two three")}
    assert floors(one_question(texts, {"apple": 0, "bread": 3}))["longest"] == 1
    assert floors(one_question(texts, {"apple": 3, "bread": 0}))["longest"] == 1


def test_one_level_for_all_replies_is_a_way_of_guessing() -> None:
    # Levels 4, 3, 2, 1 and a red line: 3 for all earns 2/3 + 1 + 2/3 + 0 of 4, 2 for all 1/3 + 2/3 + 1 + 2/3 of 4.
    replies = [{"id": name, "text": {"zh": "一", "en": "one"}} for name in ("ask", "brief", "cold", "deny")]
    key = {"levels": {"ask": 4, "brief": 3, "cold": 2, "deny": 1}, "red_lines": ["deny"], "rationales": {}}
    assert floors(exercise("rating", {"replies": replies}, key))["same"] == pytest.approx(8 / 12)


def test_where_each_question_has_its_own_answers_none_is_the_same() -> None:
    assert "same" not in floors(
        one_question({"apple": ("一", "one"), "bread": ("二", "two")}, {"apple": 0, "bread": 3})
    )


def test_the_longest_option_must_not_give_practice_away(content: Path) -> None:
    replace(
        content / ITEMS / "p3-1-1.yml",
        "There is no hurry; we will do it",
        "There is no hurry at all; we will do all of it",
    )
    (problem,) = faults(content)
    assert problem.rule == "chance-floor"
    assert "always taking the longest option earns 100% of “p3-1-1”" in problem.message


def test_random_play_comes_to_the_mean() -> None:
    # One of four replies earns all: .25 on average, with a standard error of .014 in 1,000 plays.
    texts = dict.fromkeys(("apple", "bread", "cream", "dates"), ("一", "one"))
    item = one_question(texts, {"apple": 0, "bread": 3, "cream": 0, "dates": 0})
    assert floors(item, plays=1000)["random"] == pytest.approx(0.25, abs=0.05)
    assert floors(item) == floors(item)


def test_writing_nothing_earns_nothing(course: Course) -> None:
    assert set(floors(course.items["e3-1-4"]).values()) == {0}


def test_who_always_knows_what_is_right_earns_everything(whole_course: Course) -> None:
    assert {name: share(item, right) for name, item in whole_course.items.items()} == dict.fromkeys(
        whole_course.items, 1
    )


def test_practice_may_be_guessed(content: Path) -> None:
    # Graded, this order would be refused: the test of seeds shows it.
    path = content / ITEMS / "p3-1-2.yml"
    text = path.read_text("utf-8")
    requires = text[text.index("    register-matter: [say") : text.index("  critical:")]
    critical = text[text.index("  critical:") : text.index("  rationales:")]
    path.write_text(text.replace(requires, "    ask-number: [say-pending]\n").replace(critical, ""), "utf-8")
    assert [one.message for one in faults(content) if "always taking the longest option" not in one.message] == []


def test_an_item_that_is_not_filled_in_is_not_judged_by_chance(content: Path) -> None:
    SEEDS["any order will do"].plant(content)
    assert set(rules(content)) == {"chance-floor"}
    replace(content / ITEMS / "e3-1-1.yml", "From opening check", "‹From›")
    assert rules(content) == ["placeholder"]


# --- coverage


def test_coverage_names_sections_and_items(course: Course) -> None:
    found = {point.point: point for point in coverage(course)}
    assert len(found) == 234
    assert (found["3.1.11"].taught, found["3.1.11"].exercised) == (("3.1",), ("e3-1-4",))
    assert (found["1.1.1"].taught, found["1.1.1"].exercised) == ((), ())


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("items/e3-1-4.yml", "entries: 3", "entries: many"),
        ("items/e3-1-4.yml", "sector: all", "sector: all: all"),
        ("3-1.en.md", "{{ item e3-1-2 }}\n", ""),
    ],
)
def test_what_a_broken_file_covers_is_not_called_missing(name: str, old: str, new: str, content: Path) -> None:
    # e3-1-4 alone covers 3.1.11, and the lesson teaches all.
    replace(content / "chapters/3-norms" / name, old, new)
    assert rules(content)
    assert not {"point-not-taught", "point-not-exercised"} & set(rules(content))


def test_sections_that_are_not_written_owe_nothing(content: Path) -> None:
    # The sample has section 3.1 alone; the handbook has 234 points.
    assert rules(content) == []


# --- the lock


@pytest.fixture
def locked(content: Path) -> Path:
    """Section 3.1, released."""
    course = load_course(content)
    write_lock(content, course, lockable(course))
    return content


def test_a_course_as_it_was_locked_has_no_fault(locked: Path) -> None:
    assert rules(locked) == []


def test_the_lock_holds_graded_items_and_sections_and_no_words(locked: Path) -> None:
    assert sorted(read_lock(locked)) == ["3.1", "e3-1-1", "e3-1-2", "e3-1-3", "e3-1-4"]
    text = (locked / "course.lock").read_text("utf-8")
    assert text.isascii()
    assert "slip-spread" not in text.replace("rationales.slip-spread", "")


TITLE = '{zh: "柜台前的九十秒", en: "Ninety seconds at the counter"}'
BOTH = '{zh: "九十秒", en: "Ninety seconds"}'
ENGLISH = '{zh: "柜台前的九十秒", en: "Ninety seconds"}'
Change = list[tuple[str, str]]
CHANGES: dict[str, tuple[Change, list[str]]] = {
    "both languages, new revision": ([(TITLE, BOTH), ("revision: 1", "revision: 2")], []),
    "both languages, old revision": ([(TITLE, BOTH)], ["same-revision"]),
    "one language, new revision": ([(TITLE, ENGLISH), ("revision: 1", "revision: 2")], ["stale-translation"]),
    "one language, old revision": ([(TITLE, ENGLISH)], ["same-revision", "stale-translation"]),
    "a severity": ([("drop-by: 3", "drop-by: 2")], ["released-key-changed"]),
    "a severity, new revision": (
        [("drop-by: 3", "drop-by: 2"), ("revision: 1", "revision: 2")],
        ["released-key-changed"],
    ),
    "the points covered": ([("covers: [3.1.1, ", "covers: [")], []),
    "the point of a rationale": ([("      point: 3.1.9b\n", "      point: 3.1.9a\n")], []),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "found"), CHANGES.values(), ids=CHANGES)
def test_what_may_change_after_a_release(changes: Change, found: list[str], locked: Path) -> None:
    for old, new in changes:
        replace(locked / ITEMS / "e3-1-3.yml", old, new)
    assert sorted(rules(locked)) == found


def test_steps_may_be_written_in_another_order(locked: Path) -> None:
    path = locked / ITEMS / "e3-1-1.yml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "- id: tidy-desk" in line)
    lines[at : at + 4] = [*lines[at + 2 : at + 4], *lines[at : at + 2]]
    path.write_text("".join(lines), "utf-8")
    assert "released-key-changed" not in rules(locked)


def test_locking_one_again_accepts_it_and_leaves_the_others(locked: Path) -> None:
    for name in ("e3-1-3", "e3-1-4"):
        replace(locked / ITEMS / f"{name}.yml", 'en: "', 'en: "Now: ')
    before = read_lock(locked)
    write_lock(locked, load_course(locked), ["e3-1-3"])
    after = read_lock(locked)
    assert {name for name in before if before[name] != after[name]} == {"e3-1-3"}
    assert {problem.file for problem in faults(locked)} == {f"{ITEMS}/e3-1-4.yml"}


def drop_e314(content: Path) -> None:
    (content / ITEMS / "e3-1-4.yml").unlink()
    for name in ("3-1.zh.md", "3-1.en.md"):
        replace(content / "chapters/3-norms" / name, "{{ item e3-1-4 }}", "")
    replace(content / "course.yml", ", e3-1-4: 2", "")
    replace(content / ITEMS / "e3-1-3.yml", "covers: [", "covers: [3.1.11, ")


def name_an_heir(content: Path) -> None:
    drop_e314(content)
    replace(content / ITEMS / "e3-1-3.yml", "revision: 1", "revision: 1\nreplaces: e3-1-4")


@pytest.mark.parametrize(("change", "found"), [(drop_e314, ["released-item-gone"]), (name_an_heir, [])])
def test_a_released_item_may_go_when_another_takes_its_place(
    change: Callable[[Path], None], found: list[str], locked: Path
) -> None:
    change(locked)
    assert rules(locked) == found


def test_a_lesson_mended_in_both_languages_has_no_fault(locked: Path) -> None:
    for language, heading in (("zh", "## 开门之前："), ("en", "## Before opening: ")):
        replace(locked / f"chapters/3-norms/3-1.{language}.md", heading, "## ")
    assert rules(locked) == []


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff", b'{"e3-1-1": {}}', b"[" * 100_000])
def test_a_lock_that_is_none_is_said_and_not_overwritten(data: bytes, content: Path) -> None:
    (content / "course.lock").write_bytes(data)
    assert rules(content) == ["broken-lock"]
    course = load_course(content)
    with pytest.raises(ContentError):
        write_lock(content, course, lockable(course))
    assert (content / "course.lock").read_bytes() == data
