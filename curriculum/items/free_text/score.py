"""Credit for the checklist of a free text; the other half is a person's (rubric.py).

possible = Σ weight of the required elements,
earned = max(0, Σ weight of the elements found − what forbidden phrases, personal data, jargon,
long sentences and excess length cost); 0 after a red line, and 0 for a text that is no answer yet.
Source: assessment design, section 5 (checklist with negation windows).
"""

from __future__ import annotations

from collections.abc import Iterator

from curriculum.items.free_text.lexicon import PROMISES, asserted
from curriculum.items.free_text.model import (
    UNIT,
    WHOLE,
    Element,
    FreeTextKey,
    FreeTextPublic,
    FreeTextResponse,
    unready,
)
from curriculum.items.free_text.personal import personal_data
from curriculum.items.free_text.wording import CJK, Reading, Span, find, measure, read
from curriculum.model import LANGUAGES, Evidence, Language, Score, Text

# One long sentence in three is a matter of style.
LONG_SHARE = 1 / 3
NOWHERE = Span(2**31, 2**31)

WORDS = {
    "found": Text(zh="写到了：{ref}（“{quote}”）", en="Included: {ref} (“{quote}”)"),
    "absent": Text(zh="没有写到：{ref}", en="Not included: {ref}"),
    "forbidden": Text(zh="不该这样写：{ref}（“{quote}”）", en="Should not be there: {ref} (“{quote}”)"),
    "red-line": Text(
        zh="红线：{ref}（“{quote}”）。自动评分这一半记 0 分",
        en="Red line: {ref} (“{quote}”). Nothing is left of the half that is scored automatically",
    ),
    "data": Text(zh="写进了个人信息：{kind}（{quote}）", en="Personal data in the message: {kind} ({quote})"),
    "jargon": Text(zh="客户不一定懂“{quote}”，可以说“{plain}”", en="“{quote}” is jargon; plainer: “{plain}”"),
    "long-sentences": Text(
        zh="{all} 句里有 {long} 句超过 {limit} {unit}，最长的一句：“{quote}”",
        en="{long} of {all} sentences have more than {limit} {unit}; the longest: “{quote}”",
    ),
    "too-long": Text(zh="写了 {written} {unit}，上限是 {most}", en="{written} {unit}, and {most} is the limit"),
    "unready": Text(zh="还不能评：{reason}", en="Not scored: {reason}"),
    "compare": Text(
        zh="整条信息：要点都在，可以再和范例对照", en="The message as a whole: all there; compare with a model"
    ),
    "compare-gaps": Text(
        zh="整条信息：和范例对照，还差什么", en="The message as a whole: what a model has and yours lacks"
    ),
}


def score(public: FreeTextPublic, key: FreeTextKey, response: FreeTextResponse) -> Score:
    possible = sum(element.weight for element in key.elements)
    reading = read(response.text)
    reason = unready(public, reading)
    if reason is not None:
        # Nothing of the checklist is shown: handing in blank must not buy it.
        return Score(0, possible, (), (Evidence("unready", "house.ready", False, 0, values={"reason": reason}),))
    evidence = [*elements(key, reading), *faults(public, key, reading)]
    flags = ("red-line",) if any(entry.rule == "red-line" for entry in evidence) else ()
    earned = min(possible, max(0.0, sum(entry.earned for entry in evidence)))
    whole = "compare" if earned == possible else "compare-gaps"
    evidence.append(Evidence(whole, WHOLE, earned == possible, 0))
    return Score(earned, possible, flags, tuple(evidence))


def elements(key: FreeTextKey, reading: Reading) -> Iterator[Evidence]:
    """Yield for each required element whether it is there, with the words that show it."""
    languages = spoken(reading)
    for element in key.elements:
        quote = next((quote for language in languages if (quote := shows(element, reading, language))), None)
        if quote is None:
            yield Evidence("absent", element.id, False, 0)
        else:
            yield Evidence("found", element.id, True, element.weight, values={"quote": quote})


def spoken(reading: Reading) -> list[Language]:
    """Return the languages that a text has words of; what is not there need not be looked for."""
    other = CJK.search(reading.folded) is not None if reading.language == "en" else True
    return [reading.language, *(language for language in LANGUAGES if other and language != reading.language)]


def shows(element: Element, reading: Reading, language: Language) -> str | None:
    """Return the words in which an element occurs, or None."""
    spans: list[Span] = []
    for group in element.groups(language):
        found = min(next(find(reading, phrase, language), NOWHERE) for phrase in group)
        if found is NOWHERE:
            return None
        spans.append(found)
    return quotes(reading, language, spans)


def quotes(reading: Reading, language: Language, spans: list[Span]) -> str:
    """Return the places of a text as one quotation; what lies close together is quoted once."""
    merged: list[Span] = []
    for place in sorted(reading.origin(language, span) for span in spans):
        if merged and place.start - merged[-1].end <= 12:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, place.end))
        else:
            merged.append(place)
    return (
        " … ".join(reading.quote(place).strip("…") for place in merged) if len(merged) > 1 else reading.quote(merged[0])
    )


def faults(public: FreeTextPublic, key: FreeTextKey, reading: Reading) -> Iterator[Evidence]:
    """Yield all that costs points, each with the words that show it."""
    possible = sum(element.weight for element in key.elements)
    languages = spoken(reading)
    for language in languages:
        promise = next(asserted(reading, PROMISES[language], language), None)
        if promise is not None:
            quote = reading.quote(reading.origin(language, promise))
            yield Evidence("red-line", "house.promise", False, -possible, values={"quote": quote})
            break
    for wrong in key.forbidden:
        said = next(((lang, span) for lang in languages for span in asserted(reading, wrong.phrases(lang), lang)), None)
        if said is not None:
            # A red line takes all there is.
            rule, cost = ("red-line", possible) if wrong.red_line else ("forbidden", wrong.cost)
            yield Evidence(rule, wrong.id, False, -cost, values={"quote": reading.quote(reading.origin(*said))})
    for datum in personal_data(reading, public.allowed):
        values: dict[str, Text | str | float] = {"kind": datum.kind, "quote": datum.masked}
        yield Evidence("data", "house.data", False, -key.costs.data, values=values)
    for jargon in key.jargon:
        term = next(
            (
                (lang, span)
                for lang in languages
                for phrase in jargon.phrases(lang)
                for span in find(reading, phrase, lang)
            ),
            None,
        )
        if term is not None:
            values = {"quote": reading.quote(reading.origin(*term), 0), "plain": jargon.plain}
            yield Evidence("jargon", "house.jargon", False, -key.costs.jargon, values=values)
    yield from lengths(public, key, reading)


def lengths(public: FreeTextPublic, key: FreeTextKey, reading: Reading) -> Iterator[Evidence]:
    """Yield what the length of the text and of its sentences costs."""
    language = reading.language
    unit, written, most = UNIT[language], reading.length(language), public.length[language].most
    if written > most:
        values: dict[str, Text | str | float] = {"written": written, "unit": unit, "most": most}
        yield Evidence("too-long", "house.length", False, -key.costs.too_long, values=values)
    limit = key.longest_sentence[language]
    counted = [(measure(sentence, language), sentence) for sentence in reading.sentences]
    long = [(size, sentence) for size, sentence in counted if size > limit]
    if len(long) > LONG_SHARE * len(counted):
        values = {
            "all": len(counted),
            "long": len(long),
            "limit": limit,
            "unit": unit,
            "quote": beginning(max(long)[1]),
        }
        yield Evidence("long-sentences", "house.sentences", False, -key.costs.long_sentences, values=values)


def beginning(sentence: str) -> str:
    words = " ".join(sentence.split())
    return words if len(words) <= 30 else f"{words[:30]}…"
