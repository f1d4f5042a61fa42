"""Who gets what of goods that do not suffice, and what lighter goods cost. Pure: the same figures give the same answer.

First paid, first served: whole lines in the order in which their orders were paid, so that at most one line of a pack is
served in part. docs/adr/0023 says why nobody gets a fair share of a box."""

from collections.abc import Sequence
from typing import Final

LEAST_PART: Final = 2  # a half: of what was promised, what is below it is taken for a slip of the keyboard


def share(wanted: Sequence[int], brought: int) -> list[int]:
    """Packs for each line; `wanted` in the order of payment."""
    left, served = brought, []
    for packs in wanted:
        served.append(min(packs, left))
        left -= served[-1]
    return served


def lighter_by(fen: int, *, promised_grams: int, grams: int) -> int:
    """Fen that come off a price when goods weigh `grams` instead of `promised_grams`: what stays is rounded down.

    Nothing where they weigh as much or more."""
    return fen - fen * min(grams, promised_grams) // promised_grams if promised_grams else 0


def is_a_slip(grams: int, *, promised_grams: int) -> bool:
    """Whoever types a weight below half of what was promised has meant another unit, or has not weighed all of it."""
    return grams * LEAST_PART < promised_grams
