"""Words that lead out of the house: phone and identity numbers, addresses on the net, accounts of messengers.

What holds one waits for a person's look; this is no judgement. Numbers written in Chinese or with signs between their digits
count as well. Pure."""

import re
from typing import Final

CHINESE_DIGITS: Final = str.maketrans("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "001234567891123456789")
BETWEEN: Final = re.compile(r"(?<=\d)[\s.\-_·、,，。/()（）]+(?=\d)")
NUMBERS: Final = (
    re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"),  # mobile phones
    re.compile(r"(?<!\d)0\d{2,3}\d{7,8}(?!\d)"),  # telephones with their area code
    re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"),  # identity cards
)
ADDRESSES: Final = (
    re.compile(r"https?:|www\.", re.I),
    re.compile(r"[a-z0-9-]+\.(com|cn|net|org|top|shop|vip|xyz|cc|me|io|tv|wang|store)\b", re.I),
    re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
)
MESSENGERS: Final = (
    re.compile(  # not within a word: 吕晓明 writes himself Lvxiaoming
        r"(微信|薇信|威信|v信|(?<![a-z])(?:weixin|wechat|vx|wx|qq))号?[^A-Za-z0-9]{0,4}[A-Za-z0-9_-]{5,}", re.I
    ),
    re.compile(r"(加|私|联系|找)[我咱你他她它]?[^，。！？]{0,3}(微信|薇信|威信|v信|vx|wx|qq)", re.I),
)


def holds_contact(words: str) -> bool:
    """Whether somebody could be reached by what stands here."""
    digits = BETWEEN.sub("", words.translate(CHINESE_DIGITS))
    if any(each.search(digits) for each in NUMBERS):
        return True
    return any(each.search(words) for each in (*ADDRESSES, *MESSENGERS))
