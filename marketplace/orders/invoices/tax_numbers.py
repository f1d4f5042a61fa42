"""Numbers of taxpayers: 15 to 20 letters and digits; those of 18 are unified social credit codes (GB 32100-2015).

Their last sign is a check: the weighted sum of all signs is a multiple of 31. I, O, S, V and Z are not used. Pure."""

import re
from typing import Final

SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
FORM: Final = re.compile(r"[0-9A-Z]{15,20}")
UNIFIED: Final = 18


def is_possible(number: str) -> bool:
    """Whether there can be such a number; `number` without blanks, in upper case."""
    return FORM.fullmatch(number) is not None and (len(number) != UNIFIED or has_right_check(number))


def has_right_check(code: str) -> bool:
    """Of 18 signs."""
    if any(sign not in SIGNS for sign in code):
        return False
    total = sum(SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:-1]))
    return SIGNS.index(code[-1]) == -total % 31
