"""Reading what a learner wrote: folded for comparison, quoted as it was written.

Authors write plain phrases. `*` standing alone in English, or anywhere in Chinese, leaves
room for a few words of the same sentence; at the end of an English word it stands for
any ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

from curriculum.items.free_text.traditional import SIMPLIFIED, TRADITIONAL
from curriculum.model import Language

# As much as fits between two parts of a phrase: in both languages about a handful of words.
GAP = {"zh": 10, "en": 30}
MAX_GAPS = 2
CONTEXT = 8
LONGEST_QUOTE = 60

CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
LATIN = re.compile(r"[a-z]+")
WORD = re.compile(r"[^\W_]+(?:['.,:/@-][^\W_]+)*")
SENTENCE_END = re.compile(r"[。!?;\n]+|\.(?=\s|$)")
STOP = re.compile(r"[。！？!?；;\n]|\.(?=\s|$)")
SPACES = re.compile(r" {2,}")
HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
WITHIN = r"(?:[^。.!?;\n]|\.(?=[^\s]))"
SINGLE = {**dict.fromkeys("‘’ʼ′`´", "'"), **dict.fromkeys("‐‑−", "-"), **dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n")}


class Folding(dict[int, str]):
    """For str.translate: width, case, spaces and traditional characters made alike."""

    def __missing__(self, code: int) -> str:
        char = SINGLE.get(chr(code), chr(code))
        if unicodedata.category(char) == "Cf":
            folded = ""
        elif char.isspace():
            folded = "\n" if char == "\n" else " "
        else:
            folded = unicodedata.normalize("NFKC", char).casefold().translate(TO_SIMPLIFIED)
        # Rare planes are not kept: nobody's text may fill the memory.
        if code < 0x10000:
            self[code] = folded
        return folded


TO_SIMPLIFIED = str.maketrans(TRADITIONAL, SIMPLIFIED)
FOLD = Folding()


class Phrase(NamedTuple):
    """A phrase to look for; `literal` is the longest part that must be there as it stands."""

    literal: str
    pattern: re.Pattern[str]


class Span(NamedTuple):
    """A place in one language's reading of a text."""

    start: int
    end: int


class Reading:
    """A text, folded, as each language's phrases see it: Chinese without blanks, English with single ones."""

    def __init__(self, text: str) -> None:
        self.text = unicodedata.normalize("NFC", text)
        self.folded = self.text.translate(FOLD)
        self.views: dict[Language, str] = {
            "zh": self.folded.replace(" ", ""),
            "en": HYPHEN.sub(" ", SPACES.sub(" ", self.folded)),
        }

    @cached_property
    def language(self) -> Language:
        """The language of most of the text: Chinese characters against words in Latin letters."""
        characters = sum(map(len, CJK.findall(self.folded)))
        return "zh" if characters > len(LATIN.findall(self.folded)) else "en"

    def length(self, language: Language) -> int:
        """Characters without blanks in Chinese, words in English."""
        return measure(self.text if language == "zh" else self.folded, language)

    @cached_property
    def sentences(self) -> list[str]:
        return [part for part in SENTENCE_END.split(self.folded) if part.strip()]

    @cached_property
    def _folded_to_text(self) -> Sequence[int]:
        if len(self.folded) == len(self.text) and all(len(FOLD[ord(char)]) == 1 for char in set(self.text)):
            return range(len(self.text))
        return [at for at, char in enumerate(self.text) for _ in FOLD[ord(char)]]

    @cached_property
    def _chinese_to_folded(self) -> Sequence[int]:
        return [at for at, char in enumerate(self.folded) if char != " "]

    @cached_property
    def _english_to_folded(self) -> Sequence[int]:
        pairs = enumerate(zip(self.folded, f"x{self.folded}", strict=False))
        return [at for at, (char, before) in pairs if char != " " or before != " "]

    def in_text(self, start: int, end: int) -> Span:
        """Return the place in the text of a place in the folded text."""
        places = self._folded_to_text
        return Span(places[start], places[end - 1] + 1)

    def origin(self, language: Language, span: Span) -> Span:
        """Return the place in the text of a place in a language's view."""
        places = self._chinese_to_folded if language == "zh" else self._english_to_folded
        return self.in_text(places[span.start], places[span.end - 1] + 1)

    def quote(self, span: Span, context: int = CONTEXT) -> str:
        """Return what stands at a place of the text, with a little of the sentence around it."""
        stops = [match.end() for match in STOP.finditer(self.text, max(0, span.start - 4 * context), span.start)]
        line_start = stops[-1] if stops else max(0, span.start - 4 * context)
        stop = STOP.search(self.text, span.end)
        line_end = stop.start() if stop else len(self.text)
        first, last = max(line_start, span.start - context), min(line_end, span.end + context)
        if self.language == "en":
            # Half a word is no quotation.
            while first > line_start and self.text[first - 1].isalnum():
                first -= 1
            while last < line_end and self.text[last].isalnum():
                last += 1
        said = shown(self.text[first : min(last, first + LONGEST_QUOTE)])
        before, after = "…" if context and first > line_start else "", "…" if context and last < line_end else ""
        return f"{before}{said}{after}"


@lru_cache(maxsize=4)
def read(text: str) -> Reading:
    """Return the reading of a text; what is missing and what it earns are asked of the same one."""
    return Reading(text)


def measure(text: str, language: Language) -> int:
    return len("".join(text.split())) if language == "zh" else len(WORD.findall(text))


def shown(text: str) -> str:
    """Return text on one line, with nothing in it that can't be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def folded_phrase(phrase: str, language: Language) -> str:
    folded = " ".join(phrase.translate(FOLD).split())
    return folded.replace(" ", "") if language == "zh" else HYPHEN.sub(" ", folded)


@cache
def compiled(phrase: str, language: Language) -> Phrase:
    """Return a phrase ready for use. Raises ValueError for one that could match anything."""
    folded = folded_phrase(phrase, language)
    gap = f"{WITHIN}{{0,{GAP[language]}}}?"
    if language == "zh":
        parts = folded.split("*")
        pattern = gap.join(bounded(re.escape(part), part, r"\d") for part in parts)
    else:
        parts = [part.strip(" ") for part in re.split(r"(?<![^ ])\*(?![^ ])", folded)]
        pattern = gap.join(bounded(re.escape(part).replace(r"\*", r"\w*"), part, r"\w") for part in parts)
    if not all(part.strip(" *") for part in parts) or len(parts) - 1 > MAX_GAPS:
        raise ValueError(phrase)
    literal = max((piece for part in parts for piece in part.split("*")), key=len)
    return Phrase(literal, re.compile(pattern))


def bounded(pattern: str, part: str, kind: str) -> str:
    """Return a pattern that starts and ends where a word (or, in Chinese, a number) does."""
    starts = f"(?<!{kind})" if re.match(kind, part) else ""
    ends = f"(?!{kind})" if re.search(rf"{kind}$", part) else ""
    return f"{starts}{pattern}{ends}"


def find(reading: Reading, phrase: str, language: Language) -> Iterator[Span]:
    """Yield each place of a phrase in a language's view of the text."""
    view, wanted = reading.views[language], compiled(phrase, language)
    if wanted.literal in view:
        for match in wanted.pattern.finditer(view):
            yield Span(*match.span())
