"""Sums in the characters that cannot be changed by a stroke: what stands on every receipt. Pure."""

from typing import Final

DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
PLACES: Final = ("", "拾", "佰", "仟")
GROUPS: Final = ("", "万", "亿", "万亿")


def capitals(fen: int) -> str:
    """12760 is 壹佰贰拾柒元陆角; a sum without fen ends in 整. Raises ValueError below zero and from 10^16 yuan on."""
    yuan, rest = divmod(fen, 100)
    if fen < 0 or yuan >= 10**16:
        raise ValueError(fen)
    jiao, single = divmod(rest, 10)
    words = f"{whole(yuan)}元" if yuan else ""
    if not rest:
        return f"{words or '零元'}整"
    words += f"{DIGITS[jiao]}角" if jiao else (DIGITS[0] if yuan else "")
    return f"{words}{DIGITS[single]}分" if single else words


def whole(number: int) -> str:
    """Groups of four; one 零 wherever places are skipped before a later digit."""
    words, skipped = "", False
    for group in reversed(range(len(GROUPS))):
        part = number // 10_000**group % 10_000
        if part:
            words += DIGITS[0] if words and (skipped or part < 1000) else ""
            words += of_four(part) + GROUPS[group]
        skipped = not part
    return words


def of_four(part: int) -> str:
    words, skipped = "", False
    for place in reversed(range(4)):
        digit = part // 10**place % 10
        if digit:
            words += (DIGITS[0] if skipped and words else "") + DIGITS[digit] + PLACES[place]
        skipped = not digit
    return words
