"""Credit for a reflection: complete or not. Nobody marks what was lived."""

from __future__ import annotations

from curriculum.items.reflection.model import ReflectionKey, ReflectionPublic, ReflectionResponse, blanks
from curriculum.model import Evidence, Score, Text

WORDS = {
    "written": Text(zh="{ref}：已写", en="{ref}: written"),
    "blank": Text(zh="{ref}：空着或太短", en="{ref}: empty or too short"),
}


def score(public: ReflectionPublic, key: ReflectionKey, response: ReflectionResponse) -> Score:
    empty = {f"{number}.{field.id}" for number, field in blanks(public, response)}
    refs = [f"{number}.{field.id}" for number in range(1, public.entries + 1) for field in public.fields]
    # Only all of it counts, so an entry alone gives nothing.
    earned = 0 if empty else 1
    evidence = (
        Evidence("blank" if ref in empty else "written", ref, ref not in empty, earned / len(refs)) for ref in refs
    )
    return Score(earned, 1, (), tuple(evidence))
