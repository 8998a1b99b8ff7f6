"""Reflection: a structured log of the learner's own moments; complete or not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated

from annotated_types import Interval, Len
from pydantic import StringConstraints

from curriculum.checks import broken_links, duplicate_ids
from curriculum.model import Choose, Fault, ItemId, Key, Language, Model, PointId, Public, Rationale, Response, Text

MAX_CHARS = 4000
LEAST_DISTINCT = 4
NOTHING = Text(zh="。", en=".")

FreeText = Annotated[str, StringConstraints(max_length=MAX_CHARS)]


class Field(Model):
    """One question. `min_chars` counts a wide (Chinese) character as two."""

    id: ItemId
    label: Text
    hint: Text
    min_chars: Annotated[int, Interval(ge=1, le=400)]


class ReflectionPublic(Public):
    entries: Annotated[int, Interval(ge=1, le=6)]
    fields: Annotated[tuple[Field, ...], Len(1, 8)]
    note: Text


class ReflectionKey(Key):
    """A model log to compare with, shown after grading; nothing here decides points."""

    model: tuple[Mapping[ItemId, Text], ...]
    point: PointId

    def rationale(self, ref: str) -> Rationale | None:
        entry, _, field = ref.partition(".")
        if not field or int(entry) > len(self.model):
            return None
        return Rationale(
            why=Text(
                zh="对照范例，看看哪里可以更具体。", en="Compare with the model: where could yours be more specific?"
            ),
            better=self.model[int(entry) - 1].get(field),
            point=self.point,
        )


class ReflectionResponse(Response):
    entries: Annotated[tuple[Mapping[str, FreeText], ...], Len(0, 6)]
    note: FreeText = ""


def width(text: str) -> int:
    """Return the length of `text` without outer blanks; wide characters count two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text.strip())


def is_filled(field: Field, text: str) -> bool:
    # Few characters decide it nearly always; learners may write 4,000 in each of 48 fields.
    words, least = text.strip(), field.min_chars
    is_long = len(words) >= least or width(words) >= least
    return is_long and (len(set(words[:least])) >= LEAST_DISTINCT or len(set(words)) >= LEAST_DISTINCT)


def blanks(public: ReflectionPublic, response: ReflectionResponse) -> list[tuple[int, Field]]:
    """Return entry number (from 1) and field of all that is not filled yet."""
    entries = [*response.entries, *({} for _ in range(public.entries - len(response.entries)))]
    return [
        (number, field)
        for number, entry in enumerate(entries, start=1)
        for field in public.fields
        if not is_filled(field, entry.get(field.id, ""))
    ]


def play(public: ReflectionPublic, key: ReflectionKey, choose: Choose) -> dict[str, object]:
    """Who has nothing to say writes a dot everywhere."""
    has_something = choose([NOTHING], 1) == 1
    models = [key.model[number % len(key.model)] for number in range(public.entries)]
    entries = [{name: text.zh if has_something else NOTHING.zh for name, text in entry.items()} for entry in models]
    return {"entries": entries, "note": ""}


def check(public: ReflectionPublic, key: ReflectionKey) -> Iterator[Fault]:
    ids = [field.id for field in public.fields]
    yield from duplicate_ids(("public", "fields"), ids, "field")
    for i, entry in enumerate(key.model):
        yield from broken_links(("key", "model", i), entry, ids, "field")
        for name in ids:
            if name not in entry:
                message = f"the model log leaves field “{name}” empty; fill it"
                yield Fault("incomplete-model", ("key", "model", i), message)


def unknown(public: ReflectionPublic, response: ReflectionResponse) -> str | None:
    if len(response.entries) > public.entries:
        return f"entry {public.entries + 1}"
    ids = {field.id for field in public.fields}
    return next((name for entry in response.entries for name in entry if name not in ids), None)


def missing(public: ReflectionPublic, response: ReflectionResponse) -> Text | None:
    left = blanks(public, response)
    if not left:
        return None
    number, field = left[0]
    return Text(
        zh=f"还有 {len(left)} 格没有写完，先看第 {number} 则的“{field.label.zh}”。",
        en=(
            f"{len(left)} {'field is' if len(left) == 1 else 'fields are'} not filled in yet; "
            f"next: “{field.label.en}” of entry {number}."
        ),
    )


def release(public: ReflectionPublic) -> ReflectionPublic:
    return public


def labels(public: ReflectionPublic, key: ReflectionKey) -> dict[str, Text]:
    return {
        f"{number}.{field.id}": Text(zh=f"{number}. {field.label.zh}", en=f"{number}. {field.label.en}")
        for number in range(1, public.entries + 1)
        for field in public.fields
    }


def prose(public: ReflectionPublic, response: ReflectionResponse, language: Language) -> str:
    lines = [
        f"{number}. {field.label[language]}\n{entry.get(field.id, '').strip() or '—'}\n"
        for number, entry in enumerate(response.entries, start=1)
        for field in public.fields
    ]
    return "\n".join(lines).strip()


def note(response: ReflectionResponse) -> str:
    return response.note.strip()
