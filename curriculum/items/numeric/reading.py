"""What a typed number means: its readings, by rule and without a look at the key.

view.js has the same rules, so that learners see how they are understood.
"""

from __future__ import annotations

import re
from typing import Literal

from curriculum.model import LANGUAGES, Text
from curriculum.numbers import (
    COUNTERS,
    CURRENCY_BEFORE,
    CURRENCY_BEHIND,
    PERCENT_BEFORE,
    PERCENT_BEHIND,
    WHOLE,
    number_of,
    plain,
)

Unit = Literal["percent", "yuan", "days", "months", "years", "count"]

# By unit: words before the number, powers of ten, words behind it.
FORMS: dict[Unit, tuple[str, str, str]] = {
    "percent": (PERCENT_BEFORE, "", PERCENT_BEHIND),
    "yuan": (CURRENCY_BEFORE, "万", CURRENCY_BEHIND),
    "days": ("", "", "天|日|days?"),
    "months": ("", "", "个月|月|months?"),
    "years": ("", "", "年|years?"),
    # A count is also that of minutes, or of the day of a month.
    "count": ("", "万", f"{COUNTERS}|号|日|天|分钟|minutes?|min"),
}
NUMBER = rf"(?P<number>{WHOLE}(?:\.[0-9]*)?|\.[0-9]+)"
SHAPES = {
    unit: re.compile(
        rf"(?P<sign>[+-]?) ?(?P<before>{before})? ?(?P<inner>[+-]?) ?{NUMBER}"
        rf" ?(?P<power>{power})? ?(?P<behind>{behind})?"
    )
    for unit, (before, power, behind) in FORMS.items()
}
SHOWN = {
    "percent": Text(zh="{}%", en="{} %"),
    "yuan": Text(zh="{} 元", en="{} yuan"),
    "days": Text(zh="{} 天", en="{} days"),
    "months": Text(zh="{} 个月", en="{} months"),
    "years": Text(zh="{} 年", en="{} years"),
    "count": Text(zh="{}", en="{}"),
}


def readings(text: str, unit: Unit) -> tuple[float, ...]:
    """Return what a typed text can mean in a field of this unit; nothing when it is no number.

    A number below 1 in a percent field that says neither % nor 百分之 has two
    readings, as a percentage and as a share of 1: 0.1304 is 0.1304 % or 13.04 %.
    """
    found = SHAPES[unit].fullmatch(plain(text))
    if not found or (found["sign"] and found["inner"]):
        return ()
    size = number_of(found["number"]) * (10_000 if found["power"] else 1)
    typed = -size if "-" in (found["sign"], found["inner"]) else size
    if unit == "percent" and not found["before"] and not found["behind"] and 0 < size < 1:
        return float(typed), float(typed * 100)
    return (float(typed),)


def shown(value: float, unit: Unit) -> Text:
    """Return a number with its unit, as a learner reads it."""
    digits = f"{round(value, 6) + 0.0:,.6f}".rstrip("0").rstrip(".")  # + 0.0: no minus before a zero
    zh, en = (SHOWN[unit][language].format(digits) for language in LANGUAGES)
    return Text(zh=zh, en=en.removesuffix("s") if value == 1 else en)
