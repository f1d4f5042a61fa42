"""What a pack holds, read from its unit ("5斤箱", "500ml×2瓶", "30枚箱"), so that packs of different sizes compare. Pure."""

import re
from decimal import Decimal
from typing import Final

from marketplace.core.records import record

GRAMS: Final = {"kg": 1000, "公斤": 1000, "千克": 1000, "斤": 500, "两": 50, "g": 1, "克": 1}
MILLILITRES: Final = {"l": 1000, "升": 1000, "ml": 1, "毫升": 1}
PIECES: Final = "枚个穗根片张幅支双对"
CONTAINERS: Final = {
    "袋": ("bag", "bags"),
    "箱": ("box", "boxes"),
    "盒": ("box", "boxes"),
    "瓶": ("bottle", "bottles"),
    "罐": ("jar", "jars"),
    "桶": ("can", "cans"),
    "壶": ("jug", "jugs"),
    "册": ("album", "albums"),
    "包": ("sachet", "sachets"),
    "条": ("stick", "sticks"),
    "把": ("bundle", "bundles"),
    "碗": ("bowl", "bowls"),
    "杯": ("cup", "cups"),
    "块": ("block", "blocks"),
    "片": ("slice", "slices"),
    "只": ("piece", "pieces"),
}
CANS: Final = ("can", "cans")
PACK: Final = "份", ("pack", "packs")
ONES: Final = {"双": ("pair", "pairs"), "对": ("pair", "pairs"), "幅": ("piece", "pieces"), "个": ("piece", "pieces")}
OTHER_WORDS: Final = {
    "1双": "1 pair",
    "1对": "1 pair",
    "1个": "1 piece",
    "1方": "1 piece",
    "1件盒": "1 piece, boxed",
    "1壶4杯": "1 pot, 4 cups",
}
AMOUNT: Final = r"(\d+(?:\.\d+)?)\s*"
SCALES: Final = "|".join(sorted([*GRAMS, *MILLILITRES], key=len, reverse=True))
BY_SCALE: Final = re.compile(rf"(?:(\d+)个装?约)?{AMOUNT}({SCALES})(?:\s*[×x*]\s*(\d+))?(\D*)", re.IGNORECASE)
BY_PIECE: Final = re.compile(rf"(\d+)([{PIECES}])(\D*)")
SIZE: Final = re.compile(r"(\S+)\s+(\d+)×(\d+)cm")


@record
class Measure:
    """`kind` is weight, volume, piece or none; `amount` counts grams, millilitres or pieces of the whole pack."""

    kind: str = "none"
    amount: int | None = None
    word: str = ""  # the measure word of pieces: 枚, 穗


def read(unit: str) -> Measure:
    """The measure of a pack. A thing of a size, or a single piece, has none: its price compares with nothing."""
    text = unit.strip()
    if SIZE.fullmatch(text):
        return Measure()
    if found := BY_SCALE.fullmatch(text):
        _pieces, amount, scale, times, _container = found.groups()
        return scaled(Decimal(amount) * int(times or 1), scale.lower())
    if (found := BY_PIECE.fullmatch(text)) and int(found[1]) > 1:
        return Measure("piece", int(found[1]), found[2])
    return Measure()


def scaled(amount: Decimal, scale: str) -> Measure:
    if scale in GRAMS:
        return Measure("weight", int(amount * GRAMS[scale]))
    return Measure("volume", int(amount * MILLILITRES[scale]))


def word(unit: str) -> tuple[str, tuple[str, str]]:
    """What one pack is called, in Chinese and (one, several) in English: 箱 for "5斤箱". Several bags in one are a 份."""
    text = unit.strip()
    if found := SIZE.fullmatch(text):
        return word(found[1])
    if found := BY_SCALE.fullmatch(text):
        _pieces, _amount, scale, times, container = found.groups()
        if int(times or 1) > 1 or container not in CONTAINERS:
            return PACK
        return container, CANS if container == "罐" and scale.lower() in MILLILITRES else CONTAINERS[container]
    if found := BY_PIECE.fullmatch(text):
        number, piece, container = found.groups()
        if container in CONTAINERS:
            return container, CONTAINERS[container]
        if number == "1" and not container and piece in ONES:
            return piece, ONES[piece]
    return PACK


def in_english(unit: str) -> str:
    """The unit for English pages: "2.5 kg box", "2 × 500 ml bottles", "box of 30". What cannot be read stays as it is."""
    text = unit.strip()
    if text in OTHER_WORDS:
        return OTHER_WORDS[text]
    if found := SIZE.fullmatch(text):
        return f"{in_english(found[1])}, {found[2]} × {found[3]} cm"
    if found := BY_SCALE.fullmatch(text):
        pieces, amount, scale, times, container = found.groups()
        if pieces:
            return f"{pieces}, about {quantity(amount, scale)}"
        one, several = CANS if container == "罐" and scale.lower() in MILLILITRES else CONTAINERS.get(container, ("", ""))
        many = f"{times} × {quantity(amount, scale)} {several}"
        return (many if int(times or 1) > 1 else f"{quantity(amount, scale)} {one}").strip()
    if found := BY_PIECE.fullmatch(text):
        container = CONTAINERS.get(found[3], ("pack", ""))[0]
        return f"{container} of {found[1]}" if int(found[1]) > 1 else "1 piece"
    return {"1条": "1 piece", "1幅": "1 piece"}.get(text, unit)


def quantity(amount: str, scale: str) -> str:
    """In grams, kilograms, millilitres or litres, whichever was meant: 5斤 is "2.5 kg"."""
    measure = scaled(Decimal(amount), scale.lower())
    small, large = ("g", "kg") if measure.kind == "weight" else ("ml", "L")
    whole = measure.amount or 0
    return f"{whole} {small}" if whole < 1000 else f"{Decimal(whole) / 1000:f} {large}".replace(".0 ", " ")
