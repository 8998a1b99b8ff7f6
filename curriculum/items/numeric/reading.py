"""What a typed number means: its readings, by rule and without a look at the key.

view.js has the same rules, so that learners see how they are understood.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from curriculum.model import LANGUAGES, Text

Unit = Literal["percent", "yuan", "days", "months", "years", "count"]

# What a Chinese input method types: full-width signs, the ideographic full stop, spaces and dashes of all sorts.
PLAIN: dict[int, int | str] = {
    **{0xFF01 + i: 0x21 + i for i in range(94)},
    **dict.fromkeys((0x9, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((*range(0x2010, 0x2014), 0x2212), "-"),
    0x3002: ".",
    0xFFE5: "¥",
}
# By unit: words before the number, powers of ten, words behind it.
FORMS: dict[Unit, tuple[str, str, str]] = {
    "percent": ("百分之", "", "%|percent|per cent"),
    "yuan": ("¥|rmb|cny|人民币", "万", "元|圆|块|yuan|rmb|cny"),
    "days": ("", "", "天|日|days?"),
    "months": ("", "", "个月|月|months?"),
    "years": ("", "", "年|years?"),
    "count": ("", "万", "个|次|笔|件|人|户|张|份"),
}
NUMBER = r"(?P<number>(?:[0-9]{1,3}(?P<gap>[, ])[0-9]{3}(?:(?P=gap)[0-9]{3})*|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
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
    plain = re.sub(" +", " ", text.translate(PLAIN)).strip(" ").lower()
    found = SHAPES[unit].fullmatch(plain)
    if not found or (found["sign"] and found["inner"]):
        return ()
    value = Decimal(re.sub("[, ]", "", found["number"])) * (10_000 if found["power"] else 1)
    if "-" in (found["sign"], found["inner"]):
        value = -value
    if unit == "percent" and not found["before"] and not found["behind"] and 0 < abs(value) < 1:
        return float(value), float(value * 100)
    return (float(value),)


def shown(value: float, unit: Unit) -> Text:
    """Return a number with its unit, as a learner reads it."""
    digits = f"{round(value, 6) + 0.0:,.6f}".rstrip("0").rstrip(".")  # + 0.0: no minus before a zero
    zh, en = (SHOWN[unit][language].format(digits) for language in LANGUAGES)
    return Text(zh=zh, en=en.removesuffix("s") if value == 1 else en)
