"""What the words of a course must not do: stay empty, cite the law from memory, promise what nobody may promise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from curriculum.items.free_text.lexicon import forbidden_promises
from curriculum.load import Loader
from curriculum.model import LANGUAGES, Item, Language, RuleId, Text, find
from curriculum.source import Problem

PLACEHOLDER = re.compile(r"‹[^›]*›")
RULE = re.compile(r"\{\{\s*rule\b[^}]*\}\}")

# A line break ends a sentence where a paragraph, a list entry or a row of a table begins.
SENTENCE: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(r"(?:[^。！？；\n]|\n(?![\s>|*#-]))+"),
    "en": re.compile(r"(?:[^.!?;\n]|[.](?=\w)|(?<=\bNo)[.]|\n(?![\s>|*#-]))+"),
}
# What speaks of the law: its names, what firms are obliged to, and terms to which the law gives a number.
LAW: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        r"《|法定|法律|法规|依法|条例|监管|民法典|按规定|第[一二三四五六七八九十百零\d]+条|存款保险"
        r"|天的?犹豫期|犹豫期(?![^，]{0,3}[剩余到])"
        r"|(?:银行|公司|券商|机构|经营者)[^，]{0,12}(?:应当?|必须|不得|有义务)"
    ),
    "en": re.compile(
        r"\b(?:laws?|legal(?:ly)?|statut\w+|regulat\w+|supervisory|articles? \d+|order no|deposit insurance"
        r"|days? (?:of )?cooling[- ]off|cooling[- ]off period (?:of|is|lasts)"
        r"|(?:banks?|insurers?|brokers?|firms?|institutions?)\b[^,]{0,40}\b(?:must|shall|owes?|obliged|required))\b"
        r"|-day cooling[- ]off",
        re.IGNORECASE,
    ),
}
# “Three days are the handbook's own target, not law.”
NO_LAW: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(r"(?:不是|没有|哪条)[^，]{0,4}(?:法律|法规|监管)|(?:法律|法规|监管)[^，]{0,4}没有"),
    "en": re.compile(r"(?:\b(?:not?|never)|n't)(?: \w+)? (?:laws?|legal\w*|statut\w+|regulat\w+)\b", re.IGNORECASE),
}
DIGITS = "零一二三四五六七八九"
TENS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
COUNTED = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "ninety": 90,
}  # fmt: skip
NUMBER = r"\d[\d,]*(?:\.\d+)?"
NUMERAL = rf"[{DIGITS}两十百千]+"
# Neither an ordinal (第三天) nor a day of the calendar (3 月 15 日) nor a year of it.
AMOUNT: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        rf"(?<![\d.,第月哪那这每某同{DIGITS}两十百千万])(?<!月 )(?!(?:19|20)\d\d ?年)({NUMBER}|{NUMERAL}) ?(万?)"
        r"(?:个?工作日|个?自然日|天|日(?!期|常|子|程)|小时|个月|年(?!龄|轻)|周岁|元|%|％)"
        rf"|百分之({NUMERAL})"
    ),
    "en": re.compile(
        rf"(?<![\d.,\w])({NUMBER}|{'|'.join(COUNTED)})()[\s-](?:(?:working|business|calendar) )?"
        rf"(?:days?|hours?|months?|years?|weeks?|yuan|per ?cent)\b|(?<![\d.,\w])({NUMBER}) ?%",
        re.IGNORECASE,
    ),
}
# Where a key holds sentences for learners to take over.
MODEL = {"better", "model"}


def placeholders(loader: Loader) -> Iterator[Problem]:
    """Report each text that still stands as a template has it."""
    for source in loader.sources:
        for path, text in () if source.problems else find(str, source.data):
            for found in PLACEHOLDER.findall(text):
                message = f"“{found}” still stands as the template has it; write the text"
                yield Problem(source.name, source.line(path), "placeholder", message)


def check(loader: Loader) -> Iterator[Problem]:
    for item in loader.sound_items:
        yield from check_item(loader, item)
    for path in sorted(loader.root.glob("chapters/*/*.md")):
        lesson = RULE.sub("", loader.text(path))
        for language in LANGUAGES:
            for start, amounts in claims(lesson, language) if path.name.endswith(f".{language}.md") else ():
                remedy = "take it from rules.yml with {{ rule … }}"
                message = f"“{', '.join(amounts)}” is said to be law; {remedy}"
                yield Problem(loader.name(path), lesson.count("\n", 0, start) + 1, "legal-number", message)


def check_item(loader: Loader, item: Item) -> Iterator[Problem]:
    cited = {str(rule) for _path, rule in find(RuleId, item.key)}
    held = {"title": item.head.title, "public": item.public, "key": item.key}
    for path, text in find(Text, held):
        for language in LANGUAGES:
            for _start, amounts in claims(text[language], language):
                known = {n for rule in cited for n in amounts_of(loader.rules[rule].text[language], language).values()}
                # What people say in an exercise may be wrong on purpose; then the right number must be near.
                said = path[0] == "public" and path[1] != "prompt"
                if not (known if said else known & set(amounts.values())):
                    remedy = "let a rationale of this item name the rule that says so: `rule:`"
                    message = f"“{', '.join(amounts)}” is said to be law; {remedy}"
                    yield loader.problem(item, (*path, language), "legal-number", message)
            if MODEL & set(path):
                for promise in forbidden_promises(text[language], language):
                    message = (
                        f"this is shown as a model, and “{promise}” is a promise that nobody may make; say it without"
                    )
                    yield loader.problem(item, (*path, language), "model-answer", message)


def claims(text: str, language: Language) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield start and amounts of each sentence that says what the law asks for."""
    if not LAW[language].search(text):
        return
    for sentence in SENTENCE[language].finditer(text):
        if LAW[language].search(sentence[0]) and not NO_LAW[language].search(sentence[0]):
            amounts = amounts_of(sentence[0], language)
            if amounts:
                yield sentence.end() - len(sentence[0].lstrip()), amounts


def amounts_of(text: str, language: Language) -> dict[str, float]:
    """Return the amounts of a text: how they are written, and their numbers."""
    found = AMOUNT[language].finditer(text)
    return {amount[0]: value(amount[1] or amount[3]) * TENS.get(amount[2] or "", 1) for amount in found}


def value(number: str) -> float:
    if number[0].isascii():
        return COUNTED.get(number.lower()) or float(number.replace(",", ""))
    total = digit = 0
    for sign in number.replace("两", "二"):
        if sign in TENS:
            total, digit = total + (digit or 1) * TENS[sign], 0
        else:
            digit = DIGITS.index(sign)
    return total + digit
