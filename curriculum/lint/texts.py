"""What the words of a course must not do: stay empty, cite the law from memory, promise what nobody may promise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from curriculum.load import Loader
from curriculum.model import LANGUAGES, Item, Language, Rationale, Text, find
from curriculum.source import Problem

PLACEHOLDER = re.compile(r"‹[^›]*›")
RULE = re.compile(r"\{\{\s*rule\b[^}]*\}\}")
SENTENCE: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(r"[^。！？；\n]+"),
    "en": re.compile(r"(?:[^.!?;\n]|[.](?=\S))+"),
}
LAW: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(r"《|法定|法律|法规|依法|条例|监管|民法典|第[一二三四五六七八九十百零\d]+条"),
    "en": re.compile(r"\b(?:laws?|legally|statut\w+|regulat\w+|supervis\w+ authorit\w+|Article|Order No)\b"),
}
AMOUNT: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(
        r"(?<![\d.])(\d[\d,]*(?:\.\d+)?|[一二三四五六七八九十百]+)\s*"
        r"(?:个?工作日|个自然日|天|日(?!期|常|子|程)|小时|个月|年(?!龄|轻)|周岁|万?元|%|％)"
    ),
    "en": re.compile(r"(?<![\d.])(\d[\d,]*(?:\.\d+)?)[\s-]*(?:(?:working|business|calendar) )?"
                     r"(?:days?|hours?|months?|years?|weeks?|yuan|per ?cent|%)"),
}  # fmt: skip
CALENDAR_YEAR = re.compile(r"^(?:19|20)\d\d$")


def check(loader: Loader) -> Iterator[Problem]:
    for item in loader.sound_items:
        yield from check_item(loader, item)
    for path in sorted(loader.root.glob("chapters/*/*.md")):
        language = path.name.split(".")[-2]
        for number, line in enumerate(loader.text(path).splitlines(), start=1):
            for rule, message in faults(RULE.sub("", line), language if language in LANGUAGES else "en"):
                yield Problem(loader.name(path), number, rule, message)


def check_item(loader: Loader, item: Item) -> Iterator[Problem]:
    held = {"title": item.head.title, "public": item.public, "key": item.key}
    # A rationale that names a rule speaks of that rule, which stands beside it on the page.
    cited = [path for path, rationale in find(Rationale, held) if rationale.rule]
    for path, text in find(Text, held):
        for language in LANGUAGES:
            for rule, message in faults(text[language], language):
                if rule != "legal-number" or not any(path[: len(place)] == place for place in cited):
                    yield loader.problem(item, (*path, language), rule, message)


def faults(text: str, language: Language) -> Iterator[tuple[str, str]]:
    """Yield the lint rule that `text` breaks, and a sentence about it."""
    placeholder = PLACEHOLDER.search(text)
    if placeholder:
        yield "placeholder", f"“{placeholder[0]}” still stands as the template has it; write the text"
    for sentence in SENTENCE[language].findall(text):
        if LAW[language].search(sentence):
            for amount in AMOUNT[language].finditer(sentence):
                if not CALENDAR_YEAR.match(amount[1]):
                    remedy = "take it from rules.yml with {{ rule … }} or, in a rationale, with `rule:`"
                    yield "legal-number", f"“{amount[0]}” is said to be law; {remedy}"
