"""A value as it stands in a cell: in exports, in the difference, and to see what a row leaves alone. Pure."""

from typing import Any, Final

from listings.sheets import papers
from listings.sheets.goods import Pack
from listings.sheets.parsing import Categories, clean
from marketplace.core.csv_rows import yuan

SUMS: Final = ("price", "tier_price")


def text_of(key: str, value: Any, categories: Categories) -> str:
    if value is None or value == "":
        return ""
    if key in SUMS:
        return yuan(int(value))
    if key == "category":
        return categories.names.get(value, value)
    if key == "minimum":
        return str(value) if value > 1 else ""
    if key == "certificates":
        return papers.in_words(value)
    if key == "months":
        return "、".join(str(month) for month in value)
    if key == "pictures":
        return "、".join(each["name"] for each in value)
    if key == "tiers":
        return "、".join(f"{least}+ {yuan(fen)}" for least, fen in value)
    return str(value)


def of_pack(pack: Pack, categories: Categories) -> dict[str, str]:
    """What an export says of it, without the columns that are there for the eye alone."""
    said = {key: text_of(key, value, categories) for key, value in pack.values.items()}
    return said | {"code": pack.name, "seen_stock": str(pack.on_hand), "pictures": ""}


def are_alike(one: str, other: str) -> bool:
    """Line breaks and blanks are no change: a CSV keeps them on one line."""
    return one == other or clean(one).split() == clean(other).split()
