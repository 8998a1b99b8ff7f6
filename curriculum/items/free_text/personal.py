"""Personal data in a text: numbers that prove themselves, and addresses. view.js warns by the same rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from curriculum.items.free_text.wording import Reading, Span
from curriculum.model import Text

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10x98765432"
# Digits with single blanks or dashes between them; `+` in front for calls from abroad.
NUMBER = re.compile(r"(?<![a-z\d])\+?\d(?:[ -]{0,2}\d){9,22}x?(?![a-z\d])")
MAIL = re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}")
BIRTH_15 = re.compile(r"\d{6}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}")
MOBILE_CN = re.compile(r"(?:\+?86|0086)?1[3-9]\d{9}")
ABROAD = re.compile(r"\+[1-9]\d{9,14}")

ID_CARD = Text(zh="身份证号", en="ID card number")
BANK_CARD = Text(zh="银行卡号", en="Bank card number")
PHONE = Text(zh="手机号码", en="Mobile number")
ADDRESS = Text(zh="电子邮箱", en="E-mail address")


class Datum(NamedTuple):
    """A piece of personal data: what it is, where in the text, and the quote with its middle hidden."""

    kind: Text
    place: Span
    masked: str


def kind_of(number: str) -> Text | None:
    """Return what a number without blanks and dashes is, or None for any other number."""
    if len(number) == 18 and number[:17].isdecimal() and is_id(number):
        return ID_CARD
    if len(number) == 15 and BIRTH_15.fullmatch(number):
        return ID_CARD
    if MOBILE_CN.fullmatch(number) or ABROAD.fullmatch(number):
        return PHONE
    if 16 <= len(number) <= 19 and number.isdecimal() and passes_luhn(number):
        return BANK_CARD
    return None


def is_id(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], ID_WEIGHTS, strict=True))
    return ID_CHECKS[total % 11] == number[17]


def passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    # One figure throughout passes, and is no card.
    return (
        len(set(digits)) > 1
        and sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0
    )


def bare(quote: str) -> str:
    return quote.replace(" ", "").replace("-", "").lower()


def personal_data(reading: Reading, allowed: Sequence[str] = ()) -> Iterator[Datum]:
    """Yield the personal data in a text, but for what is `allowed`, such as the firm's own hotline."""
    found = [(kind, match) for match in NUMBER.finditer(reading.folded) if (kind := kind_of(bare(match[0])))]
    found += [(ADDRESS, match) for match in MAIL.finditer(reading.folded)] if "@" in reading.folded else []
    for kind, match in found:
        if bare(match[0]) not in {bare(Reading(entry).folded) for entry in allowed}:
            yield Datum(kind, reading.in_text(*match.span()), masked(match[0]))


def masked(quote: str) -> str:
    """Return the quote with its middle hidden: enough to find it again, too little to use it."""
    name, at, host = quote.partition("@")
    return f"{name[:2]}•••{at}{host}" if at else f"{quote[:3]}••••{quote[-2:]}"
