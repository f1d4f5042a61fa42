"""Numbers as people type them. Pure."""

import re
import unicodedata
from typing import Final

SHAPE: Final = re.compile(r"[A-Z0-9]{6,32}")
SEPARATORS: Final = re.compile(r"[\s\-_./·]+")
IDENTITY: Final = re.compile(r"[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[0-9X]", re.ASCII)
ENDING: Final = re.compile(r"[A-Z0-9]{6}")
WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def normalise(typed: str, length: int = 0) -> str:
    """A voucher's number as it is compared: no spaces or strokes, plain capital letters and digits.

    Where a bank's numbers have so many digits, leading zeros that a spreadsheet has lost are put back, and such as
    somebody has added are taken away; elsewhere they stand as they were typed. Empty for what can be no number."""
    plain = unicodedata.normalize("NFKC", typed)
    plain = SEPARATORS.sub("", "".join(letter for letter in plain if unicodedata.category(letter)[0] != "C")).upper()
    if length and plain.isascii() and plain.isdigit():
        plain = plain.lstrip("0").rjust(length, "0") if len(plain.lstrip("0")) <= length else plain
    return plain if SHAPE.fullmatch(plain) else ""


def luhn(digits: str) -> bool:
    """The check digit of an IMEI or a bank card is right."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_imei(text: str) -> bool:
    return len(text) == 15 and luhn(text)


def is_identity(text: str) -> bool:
    """An identity number of eighteen places with its check digit."""
    if not IDENTITY.fullmatch(text):
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(text[:17], WEIGHTS, strict=True)) % 11
    return "10X98765432"[rest] == text[17]


def born(identity: str) -> str:
    """The day of birth that an identity number tells, as YYYYMMDD."""
    return identity[6:14]


def ending(document: str) -> str:
    """The last six places of an identity document, of which nothing else is ever asked; empty for what cannot be one."""
    plain = normalise(document)[-6:]
    return plain if ENDING.fullmatch(plain) else ""


def is_card(text: str) -> bool:
    """A bank card: what nobody should type here."""
    return 16 <= len(text) <= 19 and luhn(text)
