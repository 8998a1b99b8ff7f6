"""What the content check refuses in a free text; above all a model answer that its own checklist would not pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from curriculum.checks import duplicate_ids, rationales
from curriculum.items.free_text.model import (
    WHOLE,
    FreeTextKey,
    FreeTextPublic,
    FreeTextResponse,
    ModelAnswer,
    labels,
    unready,
)
from curriculum.items.free_text.score import score
from curriculum.items.free_text.wording import Reading, compiled
from curriculum.model import LANGUAGES, Fault, Language, Text


def check(public: FreeTextPublic, key: FreeTextKey) -> Iterator[Fault]:
    ids = [*(element.id for element in key.elements), *(wrong.id for wrong in key.forbidden)]
    yield from duplicate_ids(("key", "elements"), [element.id for element in key.elements], "element")
    for i, wrong in enumerate(key.forbidden):
        if wrong.id in ids[: len(key.elements) + i]:
            message = f"id “{wrong.id}” is used twice; give each its own"
            yield Fault("duplicate-id", ("key", "forbidden", i, "id"), message)
    for unit, limits in (("characters", public.length.characters), ("words", public.length.words)):
        if limits.least >= limits.most:
            message = "`least` must be smaller than `most`; make room between them"
            yield Fault("contradiction", ("public", "length", unit), message)
    broken = list(broken_phrases(key))
    yield from broken
    yield from rationales(key.rationales, ids, "entry", ids)
    if not broken:
        yield from weak_models(public, key)


def broken_phrases(key: FreeTextKey) -> Iterator[Fault]:
    """Report phrases that could match anything, or that nobody can read."""

    def tried(path: tuple[str | int, ...], phrases: tuple[str, ...], language: Language) -> Iterator[Fault]:
        for i, phrase in enumerate(phrases):
            try:
                compiled(phrase, language)
            except ValueError:
                message = f"“{phrase}” needs words on both sides of each *, and at most two of them; write it anew"
                yield Fault("broken-phrase", (*path, i), message)

    for language in LANGUAGES:
        for i, element in enumerate(key.elements):
            for j, group in enumerate(element.groups(language)):
                yield from tried(("key", "elements", i, language, j), group, language)
        for i, wrong in enumerate(key.forbidden):
            yield from tried(("key", "forbidden", i, language), wrong.phrases(language), language)
        for i, jargon in enumerate(key.jargon):
            yield from tried(("key", "jargon", i, language), jargon.phrases(language), language)


def weak_models(public: FreeTextPublic, key: FreeTextKey) -> Iterator[Fault]:
    """Report model answers that don't earn the whole checklist, with the reason."""
    names = labels(public, key)
    for language in LANGUAGES:
        if all(model.language != language for model in key.models):
            message = f"there is no model answer in “{language}”; write one"
            yield Fault("model-answer", ("key", "models"), message)
    for i, model in enumerate(key.models):
        for reason in losses(public, key, model, names):
            yield Fault("model-answer", ("key", "models", i), f"this model answer {reason}")


def losses(public: FreeTextPublic, key: FreeTextKey, model: ModelAnswer, names: Mapping[str, Text]) -> Iterator[str]:
    """Yield why a model answer would not earn the whole checklist."""
    reading = Reading(model.text)
    reason = unready(public, reading)
    if reason is not None:
        yield f"would not be scored: {reason.en} Mend it"
    elif reading.language != model.language:
        yield f"is not in “{model.language}”; say which language it is in"
    else:
        for evidence in score(public, key, FreeTextResponse(text=model.text)).evidence:
            if evidence.ref != WHOLE and not evidence.good:
                quote = f" “{evidence.values['quote']}”" if "quote" in evidence.values else ""
                yield f"loses points ({evidence.rule}: {names[evidence.ref].en}{quote}); mend it or the key"
