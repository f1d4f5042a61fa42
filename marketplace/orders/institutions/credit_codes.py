"""The unified social credit code of GB 32100-2015: eighteen characters, the last of which checks the others. Pure."""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def check_character(first: str) -> str:
    """The eighteenth character for seventeen known ones. Raises ValueError for characters that a code does not have."""
    total = sum(ALPHABET.index(letter) * weight for letter, weight in zip(first, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def is_valid(code: str) -> bool:
    return len(code) == 18 and set(code) <= set(ALPHABET) and check_character(code[:17]) == code[17]
