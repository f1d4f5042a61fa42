"""Sums as the law writes them."""

import pytest
from hypothesis import given, strategies as st

from crowdfund.campaigns.capitals import DIGITS, capitals


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (12760, "壹佰贰拾柒元陆角"),
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角"),
        (105, "壹元零伍分"),
        (2250, "贰拾贰元伍角"),
        (10000, "壹佰元整"),
        (100100, "壹仟零壹元整"),
        (1000000, "壹万元整"),
        (1000100, "壹万零壹元整"),
        (20000500, "贰拾万零伍元整"),
        (10001000000, "壹亿零壹万元整"),
        (123456789012, "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"),
    ],
)
def test_examples(fen: int, words: str) -> None:
    assert capitals(fen) == words


def value(words: str) -> int:
    """Read them back: another way round than they were made."""
    total = part = digit = 0
    fen = 0
    for letter in words.removesuffix("整"):
        if letter in DIGITS:
            digit = DIGITS.index(letter)
        elif letter in "拾佰仟":
            part += digit * {"拾": 10, "佰": 100, "仟": 1000}[letter]
            digit = 0
        elif letter in "万亿":
            if letter == "亿" and part + digit == 0:
                total *= 10**8  # 万亿
            else:
                total = (total + part + digit) * (10**4 if letter == "万" else 10**8)
            part = digit = 0
        elif letter == "元":
            fen, part, digit = (total + part + digit) * 100, 0, 0
        else:
            fen += digit * {"角": 10, "分": 1}[letter]
            digit = 0
    return fen


@given(st.integers(0, 10**10 - 1))
def test_every_sum_reads_back(fen: int) -> None:
    words = capitals(fen)
    assert value(words) == fen
    assert ("零零" not in words and not words.startswith("零")) or fen == 0


@pytest.mark.parametrize("fen", [-1, 10**18])
def test_what_no_receipt_says(fen: int) -> None:
    with pytest.raises(ValueError):
        capitals(fen)
