"""Free text: a short message to a customer; a checklist reads it, and a person marks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from annotated_types import Interval, Len
from pydantic import StringConstraints

from curriculum.items.free_text.wording import Reading, read
from curriculum.model import (
    Choose,
    ItemId,
    Key,
    Language,
    Model,
    Number,
    Public,
    Rationale,
    Response,
    Text,
    Words,
)

MAX_CHARS = 2000
# What a passage must at least have in common with the exercise to be taken from it, in folded characters.
PASSAGE: dict[Language, int] = {"zh": 12, "en": 30}
LETTERS_A_WORD = 5

Phrases = Annotated[tuple[Annotated[Words, StringConstraints(max_length=60)], ...], Len(1, 20)]
Groups = Annotated[tuple[Phrases, ...], Len(1, 4)]
Weight = Annotated[Number, Interval(ge=0.5, le=6)]
Cost = Annotated[Number, Interval(ge=0, le=6)]

UNIT: dict[Language, Text] = {"zh": Text(zh="字", en="characters"), "en": Text(zh="个英文词", en="words")}


class Limits(Model):
    """How long a message may be: `least` to `most`."""

    least: Annotated[int, Interval(ge=5, le=800)]
    most: Annotated[int, Interval(ge=10, le=1200)]


class Length(Model):
    """Limits by the language of the message: characters without blanks in Chinese, words in English."""

    characters: Limits
    words: Limits

    def __getitem__(self, language: Language) -> Limits:
        return self.characters if language == "zh" else self.words


class FreeTextPublic(Public):
    """`facts` are what the writer may rely on; `allowed` are numbers and addresses that are nobody's secret."""

    channel: Literal["sms", "chat", "e-mail", "letter"]
    facts: Annotated[tuple[Text, ...], Len(0, 12)]
    length: Length
    allowed: Annotated[tuple[Words, ...], Len(0, 8)] = ()

    @cached_property
    def passages(self) -> dict[Language, frozenset[str]]:
        """Every stretch of the exercise that would show a text to be taken from it."""
        found: dict[Language, set[str]] = {"zh": set(), "en": set()}
        for text in (self.prompt, *self.facts):
            for reading in (Reading(text.zh), Reading(text.en)):
                words, size = reading.views["zh"], PASSAGE[reading.language]
                found[reading.language] |= {words[at : at + size] for at in range(len(words) - size + 1)}
        return {language: frozenset(stretches) for language, stretches in found.items()}


class Element(Model):
    """What a good message has. Of each group one phrase must occur, all in one language."""

    id: ItemId
    label: Text
    weight: Weight = 1
    zh: Groups
    en: Groups

    def groups(self, language: Language) -> tuple[tuple[str, ...], ...]:
        return self.zh if language == "zh" else self.en


class Phrased(Model):
    """What can be said in any of several phrases."""

    zh: Phrases
    en: Phrases

    def phrases(self, language: Language) -> tuple[str, ...]:
        return self.zh if language == "zh" else self.en


class Wrong(Phrased):
    """What must not be said, unless it is denied. A red line leaves nothing of the checklist's points."""

    id: ItemId
    label: Text
    cost: Cost = 1
    red_line: bool = False


class Jargon(Phrased):
    """A word of the trade that a customer need not know, and what to say instead."""

    plain: Text


class LongestSentence(Model):
    """From where on a sentence is hard to read, in Chinese and in English."""

    characters: Annotated[int, Interval(ge=20, le=200)] = 60
    words: Annotated[int, Interval(ge=10, le=100)] = 30

    def __getitem__(self, language: Language) -> int:
        return self.characters if language == "zh" else self.words


class Costs(Model):
    """What the general faults cost, in the unit of the weights; `data` and `jargon` for each one found."""

    data: Cost = 1
    jargon: Cost = 0.5
    long_sentences: Cost = 0.5
    too_long: Cost = 1


class ModelAnswer(Model):
    """A message that earns the whole checklist; the first of each language is shown with the score."""

    language: Language
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_CHARS)]


# Refs of what every item has; no id of an author's can hold a dot.
HOUSE: Mapping[str, tuple[Text, Rationale]] = {
    "house.promise": (
        Text(zh="承诺本金或收益", en="A promise of principal or return"),
        Rationale(
            why=Text(
                zh="本金和收益不由你决定，谁也不能向客户保证。这是红线，其他地方写得再好也补不回来。",
                en="Nobody may promise principal or return. Nothing else in the message makes up for it.",
            ),
            better=Text(
                zh="“收益会随市场变动，本金也可能亏损，具体请看风险揭示书。”",
                en="“The return moves with the market and you may lose money; the risk statement sets out how.”",
            ),
        ),
    ),
    "house.data": (
        Text(zh="个人信息", en="Personal data"),
        Rationale(
            why=Text(
                zh="短信、邮件都可能被别人看到；办这件事用不着写全号码。",
                en="Others may see a message, and nothing here needs the full number.",
            ),
            better=Text(
                zh="只写尾号，如“尾号 1234 的卡”。", en="Give the last digits only: “your card ending in 1234”."
            ),
        ),
    ),
    "house.length": (
        Text(zh="篇幅", en="Length"),
        Rationale(
            why=Text(
                zh="客户要的是结果和下一步；太长，要紧的就被埋没了。",
                en="The customer wants the result and the next step; in a long text they drown.",
            )
        ),
    ),
    "house.sentences": (
        Text(zh="句子长度", en="Sentence length"),
        Rationale(
            why=Text(zh="在手机上，一句话最好一眼看完。", en="On a phone a sentence should be taken in at a glance."),
            better=Text(zh="一句只说一件事，说完就用句号。", en="One thing to a sentence, and then a full stop."),
        ),
    ),
    "house.jargon": (
        Text(zh="行话", en="Jargon"),
        Rationale(
            why=Text(
                zh="客户要查字典才懂的词，等于没有告诉他。",
                en="A word that has to be looked up has told the customer nothing.",
            )
        ),
    ),
    "house.ready": (
        Text(zh="还不是一份作答", en="No answer yet"),
        Rationale(
            why=Text(
                zh="清单只看写给客户的话；写出来，这里才会说明每一处。",
                en="The checklist reads what is written to the customer; the reasons come with it.",
            )
        ),
    ),
}
WHOLE = "house.message"
WHOLE_LABEL = Text(zh="整条信息", en="The message as a whole")


class FreeTextKey(Key):
    elements: Annotated[tuple[Element, ...], Len(1, 12)]
    forbidden: Annotated[tuple[Wrong, ...], Len(0, 12)] = ()
    jargon: Annotated[tuple[Jargon, ...], Len(0, 20)] = ()
    longest_sentence: LongestSentence = LongestSentence()
    costs: Costs = Costs()
    models: Annotated[tuple[ModelAnswer, ...], Len(2, 8)]
    rationales: Mapping[ItemId, Rationale]

    def rationale(self, ref: str) -> Rationale | None:
        if ref == WHOLE:
            return Rationale(
                why=Text(
                    zh="对照一份写得好的，看看自己的哪里可以更具体。",
                    en="Compare with a good one: where could yours be more definite?",
                ),
                better=Text(zh=self.model("zh"), en=self.model("en")),
            )
        return HOUSE[ref][1] if ref in HOUSE else self.rationales.get(ref)

    def model(self, language: Language) -> str:
        return next(model.text for model in self.models if model.language == language)


class FreeTextResponse(Response):
    text: Annotated[str, StringConstraints(max_length=MAX_CHARS)]


def unknown(public: FreeTextPublic, response: FreeTextResponse) -> str | None:
    return None


def missing(public: FreeTextPublic, response: FreeTextResponse) -> Text | None:
    return unready(public, read(response.text))


def unready(public: FreeTextPublic, reading: Reading) -> Text | None:
    """Return why a text is no answer yet, or None: nothing, too little, or the exercise given back."""
    if not reading.text.strip():
        return Text(zh="还没有写。", en="Nothing is written yet.")
    language = reading.language
    least, written = public.length[language].least, reading.length(language)
    if written < least:
        return Text(
            zh=f"还太短：写了 {written} {UNIT[language].zh}，至少 {least}。",
            en=f"Too short so far: {written} of at least {least} {UNIT[language].en}.",
        )
    if not is_own(public, reading, least * (LETTERS_A_WORD if language == "en" else 1) / 2):
        return Text(
            zh="大部分是题目里的原文。请用自己的话写给客户。",
            en="Most of this is taken from the exercise. Write to the customer in your own words.",
        )
    return None


def is_own(public: FreeTextPublic, reading: Reading, enough: float) -> bool:
    """Return whether that many characters of a text, without blanks, are not taken from the exercise."""
    words = reading.views["zh"]
    own, taken_until = 0, 0
    stretches = [(size, public.passages[language]) for language, size in PASSAGE.items()]
    for at, char in enumerate(words):
        for size, passages in stretches:
            if words[at : at + size] in passages:
                taken_until = at + size
        own += at >= taken_until and not char.isspace()
        if own >= enough:
            return True
    return False


def release(public: FreeTextPublic) -> FreeTextPublic:
    return public


def labels(public: FreeTextPublic, key: FreeTextKey) -> dict[str, Text]:
    return {
        **{element.id: element.label for element in key.elements},
        **{wrong.id: wrong.label for wrong in key.forbidden},
        **{ref: label for ref, (label, _rationale) in HOUSE.items()},
        WHOLE: WHOLE_LABEL,
    }


def play(public: FreeTextPublic, key: FreeTextKey, choose: Choose) -> dict[str, str]:
    """Sentence by sentence of a model text: somebody with nothing to say gives back what the exercise says."""
    texts = [public.prompt, *public.facts]
    model = next(model.text for model in key.models if model.language == "zh")

    def sentence(right: str) -> str:
        at = choose(texts, len(texts))
        return right if at == len(texts) else texts[at].zh

    return {"text": "".join(map(sentence, re.findall(r"[^。！？]+[。！？]?", model)))}


def prose(public: FreeTextPublic, response: FreeTextResponse, language: Language) -> str:
    return response.text.strip()
