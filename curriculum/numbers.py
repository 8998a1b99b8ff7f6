"""Numbers as people type them, on whatever keyboard: full-width signs, thousands set apart or not."""

from __future__ import annotations

import re
from decimal import Decimal

# What a Chinese input method types: full-width signs, the ideographic full stop, spaces and dashes of all sorts.
PLAIN: dict[int, int | str] = {
    **{0xFF01 + i: 0x21 + i for i in range(94)},
    **dict.fromkeys((0x9, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((*range(0x2010, 0x2014), 0x2212), "-"),
    0x3002: ".",
    0xFFE5: "¥",
}
# Thousands are set apart by one and the same sign, or not at all.
WHOLE = r"(?:[0-9]{1,3}(?P<gap>[, ])[0-9]{3}(?:(?P=gap)[0-9]{3})*|[0-9]+)"

# What people write behind a number of things, in whichever language; regular expressions.
COUNTERS = (
    "条|个|次|笔|件|人|位|名|户|家|张|份|项|对|例|起|封|分|entry|entries|records?|rows?|items?|pieces?|pairs?"
    "|times|cases?|calls?|complaints?|customers?|people|persons?|points?|marks?"
)
CURRENCY_BEFORE = "¥|rmb|cny|人民币"
CURRENCY_BEHIND = "元|圆|块|yuan|rmb|cny"
PERCENT_BEFORE = "百分之"
PERCENT_BEHIND = "%|percent|per cent"


def plain(text: str) -> str:
    """Return what was typed in ASCII signs where there are any, with single blanks, in lower case."""
    return re.sub(" +", " ", text.translate(PLAIN)).strip(" ").lower()


def number_of(digits: str) -> Decimal:
    """Return the value of digits that may be set apart in thousands."""
    return Decimal(re.sub("[, ]", "", digits))
