"""States in words, and numbers of things."""

from __future__ import annotations

from collections.abc import Mapping

from curriculum.model import Text

STATES: Mapping[str, Text] = {
    "graded": Text(zh="已评分", en="graded"),
    "waiting": Text(zh="待评定", en="to be marked"),
    "warning": Text(zh="笔记本有改动", en="notebook changed"),
    "look": Text(zh="需查看", en="look at it"),
    "refused": Text(zh="记录被拒", en="log refused"),
    "unanswered": Text(zh="未作答", en="not answered"),
    "invalid": Text(zh="作答无效", en="no valid answer"),
}


def in_words(state: str) -> str:
    """Return a state in English; what a table has that is none stays as it is."""
    return STATES[state].en if state in STATES else state


def counted(count: int, thing: str) -> str:
    """Return a number of things, such as "1 row"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
