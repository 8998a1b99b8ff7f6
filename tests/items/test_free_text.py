"""Free text: what the checklist sees and does not see, and what it gives for it."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.items import TYPES
from curriculum.items.free_text.lexicon import asserted, forbidden_promises
from curriculum.items.free_text.model import FreeTextKey, FreeTextPublic, FreeTextResponse, missing
from curriculum.items.free_text.personal import personal_data
from curriculum.items.free_text.score import score, shows
from curriculum.items.free_text.traditional import SIMPLIFIED, TRADITIONAL
from curriculum.items.free_text.wording import Reading, compiled
from curriculum.load import Loader
from curriculum.model import Head, Item, Language, Score
from curriculum.verdict import InvalidResponseError, explain, judge

CASES = yaml.safe_load((Path(__file__).parent / "free_text_cases.yml").read_text("utf-8"))
TYPE = TYPES["free_text"]
FOLDER = Path(__file__).parents[2] / "curriculum" / "items" / "free_text"
TEXT = {"zh": "甲", "en": "a"}
WRONG: dict[str, tuple[str, ...]] = {
    "zh": ("五星", "尽快*联系", "会赔"),
    "en": ("five stars", "call * soon", "will be paid"),
}
RATIONALE = {"why": TEXT, "better": TEXT}


def public(**changes: Any) -> FreeTextPublic:
    data: dict[str, Any] = {
        "prompt": {"zh": "给客户写一条短信说明情况。", "en": "Write a text message to the customer about this."},
        "channel": "sms",
        "facts": [{"zh": "补办的卡原定今天到网点，快递延误。", "en": "The new card was due at the branch today."}],
        "length": {"characters": {"least": 5, "most": 200}, "words": {"least": 5, "most": 120}},
        "allowed": ["400-555-0188", "010-5550-0166"],
    }
    return FreeTextPublic.model_validate({**data, **changes})


def key(**changes: Any) -> FreeTextKey:
    data: dict[str, Any] = {
        "elements": [
            {"id": "sorry", "label": TEXT, "weight": 1, "zh": [["抱歉", "对不起"]], "en": [["sorry", "apolog*"]]},
            {
                "id": "when",
                "label": TEXT,
                "weight": 3,
                "zh": [["电话", "联系"], ["明天*10点", "明天*十点"]],
                "en": [["call", "ring"], ["ten tomorrow", "tomorrow * ten"]],
            },
        ],
        "forbidden": [
            {"id": "stars", "label": TEXT, "cost": 1, "zh": ["五星"], "en": ["five stars"]},
            {"id": "pin", "label": TEXT, "red_line": True, "zh": ["告诉我*密码"], "en": ["tell me * pin"]},
        ],
        "jargon": [{"zh": ["核赔"], "en": ["adjudication"], "plain": TEXT}],
        "longest_sentence": {"characters": 40, "words": 20},
        "models": [
            {"language": "zh", "text": "很抱歉让您久等，明天上午10点我给您打电话。"},
            {"language": "en", "text": "I am sorry for the wait and will call you at ten tomorrow."},
        ],
        "rationales": dict.fromkeys(("sorry", "when", "stars", "pin"), RATIONALE),
    }
    return FreeTextKey.model_validate({**data, **changes})


PUBLIC, KEY = public(), key()
ITEM = Item(Head(id="x", type="free_text", sector="all", title=TEXT, covers=()), TYPE, PUBLIC, KEY)  # type: ignore[arg-type]
GOOD = {"zh": "很抱歉，明天上午10点给您打电话。", "en": "I am sorry and will call you at ten tomorrow."}
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def mark(text: str) -> Score:
    result = score(PUBLIC, KEY, FreeTextResponse(text=text))
    # Each reason says what it gave, and together they are the score.
    assert max(0.0, min(result.possible, sum(e.earned for e in result.evidence))) == pytest.approx(
        result.earned, abs=1e-9
    )
    return result


def cases(family: str, verdict: str) -> list[tuple[Language, str]]:
    return [(language, text) for language in LANGUAGES for text in CASES[language][family][verdict]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_cases_and_none_stands_twice(language: Language) -> None:
    def texts(verdict: str) -> list[str]:
        found: list[str] = []
        for family in CASES[language].values():
            listed = family[verdict]
            found += listed if isinstance(listed, list) else [text for kind in listed.values() for text in kind]
        return found

    fire, quiet = texts("fire"), texts("quiet")
    assert min(len(fire), len(quiet)) >= 30
    assert len({*fire, *quiet}) == len(fire) + len(quiet)


# --- the lexicon and its negation windows


@pytest.mark.parametrize(("language", "text"), cases("promise", "fire"))
def test_a_promise_is_found(language: Language, text: str) -> None:
    assert forbidden_promises(text, language)


@pytest.mark.parametrize(("language", "text"), cases("promise", "quiet"))
def test_a_denied_promise_is_none(language: Language, text: str) -> None:
    assert forbidden_promises(text, language) == []


@pytest.mark.parametrize(("language", "text"), cases("wrong", "fire"))
def test_an_items_own_phrase_is_found(language: Language, text: str) -> None:
    assert list(asserted(Reading(text), WRONG[language], language))


@pytest.mark.parametrize(("language", "text"), cases("wrong", "quiet"))
def test_an_items_own_phrase_denied_is_none(language: Language, text: str) -> None:
    assert not list(asserted(Reading(text), WRONG[language], language))


def test_the_quote_is_what_was_written() -> None:
    assert forbidden_promises("這款 產品 保　本！", "zh") == ["保 本"]
    assert forbidden_promises("Well: GUARANTEED  Returns!", "en") == ["GUARANTEED Returns"]


# --- personal data


@pytest.mark.parametrize("language", LANGUAGES)
def test_personal_data_are_found_and_named(language: Language) -> None:
    for kind, texts in CASES[language]["data"]["fire"].items():
        for text in texts:
            assert [datum.kind.zh for datum in personal_data(Reading(text), PUBLIC.allowed)] == [kind], text


@pytest.mark.parametrize(("language", "text"), cases("data", "quiet"))
def test_other_numbers_are_none(language: Language, text: str) -> None:
    assert list(personal_data(Reading(text), PUBLIC.allowed)) == []


def test_personal_data_are_never_quoted_in_full() -> None:
    for number in ("11010519491231002X", "6222021234567890128", "13800138000", "yu.xiao@example.com"):
        result = mark(f"{GOOD['zh']}找{number}")
        (entry,) = (e for e in result.evidence if e.rule == "data")
        assert number not in str(entry.values["quote"])
        assert result.earned == 3  # 1 + 3, less 1


# --- required elements


@pytest.mark.parametrize(("language", "text"), cases("element", "fire"))
def test_all_groups_of_all_elements_are_found(language: Language, text: str) -> None:
    assert all(shows(element, Reading(text), language) for element in KEY.elements)


@pytest.mark.parametrize(("language", "text"), cases("element", "quiet"))
def test_a_missing_group_is_a_missing_element(language: Language, text: str) -> None:
    assert not all(shows(element, Reading(text), language) for element in KEY.elements)


# --- the score, by hand: sorry weighs 1, when weighs 3; four in all


@pytest.mark.parametrize(
    ("text", "earned"),
    [
        (GOOD["zh"], 4),
        (GOOD["en"], 4),
        ("明天上午10点给您打电话，请稍候。", 3),
        ("很抱歉，我们还在了解情况。", 1),
        ("我们还在了解情况，请稍候。", 0),
        (GOOD["zh"] + "请给五星。", 3),  # 4 − 1
        (GOOD["zh"] + "不必给五星。", 4),
        (GOOD["en"] + " Give us five stars.", 3),
        (GOOD["zh"] + "还要核赔。", 3.5),  # 4 − .5
        (GOOD["zh"] + "请告诉我您的密码。", 0),  # red line
        (GOOD["zh"] + "这款产品保本。", 0),  # red line of the house
        (GOOD["zh"] + " It is risk free.", 0),  # in the other language too
        (GOOD["zh"] + "这款产品不保本。", 4),
        (GOOD["zh"] + "请致电13800138000或13900139000。", 2),  # 4 − 2 × 1
        (GOOD["zh"] + "好" * 40 + "。", 3.5),  # 1 of 2 sentences has 41 > 40? No: 40 and a stop are split; see below
        (GOOD["zh"] + "我们会一直跟进。" * 30, 3),  # 16 + 240 > 200: too long, 4 − 1
        ("很抱歉，call you at ten tomorrow", 4),  # mixed
        ("请给五星，会好的。", 0),  # 0 − 1 is below nothing
    ],
)
def test_by_hand(text: str, earned: float) -> None:
    if "好好好" in text:
        # Limit 40: forty characters are still fine, one more makes 1 of 2 sentences too long.
        assert mark(text).earned == 4
        text = text.replace("好。", "好好。")
    result = mark(text)
    assert (result.earned, result.possible) == (earned, 4)


def test_red_lines_are_flagged_and_nothing_else_is() -> None:
    assert mark(GOOD["zh"]).flags == ()
    assert mark(GOOD["zh"] + "保证收益。").flags == ("red-line",)
    assert mark(GOOD["en"] + " Tell me your PIN.").flags == ("red-line",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n　",
        "抱歉。",
        "sorry, call me",
        "给客户写一条短信说明情况。补办的卡原定今天到网点，快递延误。",
        "补办的卡原定今天到网点，快递延误。",
        "Write a text message to the customer about this. The new card was due at the branch today.",
        "給客戶寫一條短信說明情況。",
    ],
)
def test_unready_is_not_scored_and_shows_nothing_of_the_checklist(text: str) -> None:
    response = FreeTextResponse(text=text)
    assert missing(PUBLIC, response) is not None
    result = mark(text)
    assert (result.earned, [e.rule for e in result.evidence]) == (0, ["unready"])
    (row,) = explain(ITEM, result)
    assert row.better is None


def test_pasted_facts_with_an_own_message_are_an_answer() -> None:
    text = "补办的卡原定今天到网点，快递延误。" + GOOD["zh"]
    assert missing(PUBLIC, FreeTextResponse(text=text)) is None
    assert mark(text).earned == 4


def test_every_reason_is_a_sentence_in_both_languages() -> None:
    text = GOOD["zh"] + "保本。五星。核赔。13800138000。" + "这一句很长很长" * 40
    for answer in (text, "", GOOD["en"]):
        for row in explain(ITEM, mark(answer)):
            assert row.did.zh
            assert row.did.en
            assert row.why
            assert "{" not in row.did.zh + row.did.en


# --- properties

ELEMENTS = {"zh": ("很抱歉。", "电话明天10点打。"), "en": (" Sorry for it.", " We call, ten tomorrow.")}
CHINESE = (
    "您好，",
    "卡后天到网点。",
    "不承诺保本。",
    "请给五星。",
    "核赔，",
    "13800138000 ",
    "很抱歉。",
    "明天10点电话。",
)
ENGLISH = (
    "Dear Ms Li, ",
    "the card is late. ",
    "We are sorry. ",
    "call you at ten tomorrow. ",
    "five stars ",
    "not it. ",
)
WORDS = st.sampled_from((*CHINESE, *ENGLISH))
TEXTS = st.lists(WORDS, max_size=8).map("".join) | st.text(max_size=60)


@given(TEXTS, st.sampled_from(LANGUAGES), st.integers(0, 1))
def test_one_more_element_never_lowers(text: str, language: Language, which: int) -> None:
    assert mark(text + "\n" + ELEMENTS[language][which]).earned >= mark(text).earned


@given(TEXTS)
def test_bounds_and_repeatability(text: str) -> None:
    result = mark(text)
    assert 0 <= result.earned <= result.possible == 4
    assert mark(text) == result
    shuffled = key(elements=[*reversed(KEY.model_dump()["elements"])])
    assert score(PUBLIC, shuffled, FreeTextResponse(text=text)).earned == result.earned


WIDE = {ord(c): chr(ord(c) + 0xFEE0) for c in map(chr, range(0x21, 0x7F))}


@given(TEXTS)
def test_full_width_and_traditional_characters_earn_the_same(text: str) -> None:
    earned = mark(text).earned
    assert mark(text.translate(str.maketrans(SIMPLIFIED, TRADITIONAL))).earned == earned
    # Only the case of a half-width letter may change what is a sentence's end; widths may not.
    assert mark(text.translate({**WIDE, ord("."): "."})).earned == earned


def test_the_table_of_characters_is_one_to_one_in_length_and_has_no_chain() -> None:
    assert len(TRADITIONAL) == len(SIMPLIFIED) == len(set(TRADITIONAL))
    assert not set(TRADITIONAL) & set(SIMPLIFIED)


@settings(max_examples=60)
@given(st.text(alphabet="不保本收益证承诺没有，、。但五星抱歉明天10点 a.\n", max_size=300))
def test_dense_texts_raise_nothing(text: str) -> None:
    mark(text)


def test_arbitrary_answers_raise_nothing_but_invalid_response() -> None:
    chance = random.Random(7)
    pieces = [None, True, -1, 1e308, "", "text", "保本", "\ud800", "\x00", "很抱歉" * 400, "sorry " * 400, [], {}]

    def value(depth: int = 0) -> Any:
        kind = chance.random()
        if kind < 0.25 and depth < 3:
            return [value(depth + 1) for _ in range(chance.randrange(3))]
        if kind < 0.6 and depth < 3:
            return {chance.choice(["text", "marked", "Text", "\ud800"]): value(depth + 1) for _ in range(2)}
        return chance.choice(pieces)

    judged = 0
    for _ in range(2000):
        answer = value() if chance.random() < 0.5 else {"text": value(3)}
        try:
            result, _missing = judge(ITEM, answer)
        except InvalidResponseError:
            continue
        json.dumps([row.model_dump() for row in explain(ITEM, result)], ensure_ascii=False).encode()
        judged += 1
    assert judged > 100


@pytest.mark.parametrize(
    "piece", [GOOD["zh"], GOOD["en"], "不承诺保本、", "13800138000 ", "a" * 50, "1-", "@a.", "明天", "（" * 9]
)
def test_the_longest_answer_is_cheap(piece: str) -> None:
    response = FreeTextResponse(text=(piece * 2000)[:2000])
    score(PUBLIC, KEY, response)
    started = time.perf_counter()
    for _ in range(5):
        score(PUBLIC, KEY, response)
    # About 1 ms; the limit leaves room for a busy machine.
    assert (time.perf_counter() - started) / 5 < 0.02


# --- the content check


def faults(**changes: Any) -> set[tuple[str, tuple[str | int, ...]]]:
    of_public = {name: changes.pop(name) for name in ("length", "facts") if name in changes}
    return {(fault.rule, fault.path) for fault in TYPE.check(public(**of_public), key(**changes))}


def test_a_sound_item_has_no_fault() -> None:
    assert faults() == set()


DATA = KEY.model_dump()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"elements": [DATA["elements"][0]] * 2, "rationales": DATA["rationales"]}, "duplicate-id"),
        ({"forbidden": [{**DATA["forbidden"][0], "id": "sorry"}]}, "duplicate-id"),
        ({"length": {"characters": {"least": 90, "most": 80}, "words": {"least": 5, "most": 90}}}, "contradiction"),
        ({"rationales": {"sorry": RATIONALE, "when": RATIONALE, "stars": RATIONALE}}, "missing-rationale"),
        ({"rationales": {**DATA["rationales"], "sorry": {"why": TEXT}}}, "missing-better"),
        ({"rationales": {**DATA["rationales"], "nobody": RATIONALE}}, "broken-link"),
        ({"forbidden": [{**DATA["forbidden"][0], "zh": ["*五星"]}, DATA["forbidden"][1]]}, "broken-phrase"),
        ({"forbidden": [{**DATA["forbidden"][0], "en": ["a * b * c * d"]}, DATA["forbidden"][1]]}, "broken-phrase"),
        ({"jargon": [{"zh": ["　"], "en": ["x"], "plain": TEXT}]}, "wrong-value"),
        ({"models": [DATA["models"][0]] * 2}, "model-answer"),
        ({"models": [{**DATA["models"][0], "text": "抱歉，明天再说吧。"}, DATA["models"][1]]}, "model-answer"),
        ({"models": [{**DATA["models"][0], "text": GOOD["zh"] + "稳赚。"}, DATA["models"][1]]}, "model-answer"),
        ({"models": [{**DATA["models"][0], "text": "抱歉"}, DATA["models"][1]]}, "model-answer"),
        ({"models": [{**DATA["models"][0], "text": GOOD["en"]}, DATA["models"][1]]}, "model-answer"),
    ],
)
def test_each_fault_is_found(changes: dict[str, Any], expected: str) -> None:
    if expected == "wrong-value":
        with pytest.raises(ValueError, match="at least 1 character"):
            faults(**changes)
        return
    assert expected in {rule for rule, _path in faults(**changes)}


def test_phrases_that_match_anything_are_refused() -> None:
    for language, start in (("zh", "抱歉*"), ("en", "sorry *")):
        for phrase in ("*", "**", "* *", "* a", start):
            with pytest.raises(ValueError, match=r"\*"):
                compiled(phrase, language)


def test_the_template_loads(content: Path) -> None:
    path = content / "x-new.yml"
    path.write_text((FOLDER / "template.yml").read_text("utf-8").replace("‹ID›", "x-new"), "utf-8")
    loader = Loader(content)
    loader.rules, loader.teaching_points = loader.read_rules(), loader.read_teaching_points()
    assert loader.item(path) is not None
    assert loader.problems == []


def test_giving_the_exercise_back_earns_nothing() -> None:
    for at in range(2):
        raw = TYPE.play(PUBLIC, KEY, lambda _texts, _right, at=at: at)
        assert score(PUBLIC, KEY, FreeTextResponse.model_validate(raw)).earned == 0
