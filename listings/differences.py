"""An edit field by field, old beside new, in words that seller and station read alike."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l, ngettext

from listings.certificates import KINDS
from marketplace.core.formats import yuan
from marketplace.core.records import record

WORDS: Final[dict[str, LazyString]] = {
    "title_zh": _l("Product name"),
    "title_en": _l("Name in English"),
    "story_zh": _l("Description"),
    "story_en": _l("Description in English"),
    "origin_village_zh": _l("Town and village"),
    "harvest_months": _l("Harvest month"),
    "shelf_life_days": _l("Shelf life in days"),
    "storage_zh": _l("Storage advice"),
    "pictures": _l("Pictures"),
    "certificates": _l("Papers"),
    "new_packs": _l("Another pack"),
}
"""In the order in which they are shown."""


@record
class Side:
    """What a field was or will be: lines of text, or pictures by their public id."""

    lines: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.lines and not self.pictures


@record
class Difference:
    field: str
    words: LazyString
    before: Side
    after: Side


def of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(field, words, side(field, before.get(field)), side(field, after[field]))
        for field, words in WORDS.items()
        if field in after
    ]


def side(field: str, value: Any) -> Side:
    if field == "pictures":
        return Side(pictures=tuple(value or ()))
    if field == "certificates":
        return Side(tuple(map(certificate, value or ())), tuple(each["picture"] for each in value or () if each["picture"]))
    if field == "new_packs":
        return Side(tuple(map(pack, value or ())))
    if field == "harvest_months":
        return Side((months(value),)) if value else Side()
    return Side((str(value),)) if value not in (None, "") else Side()


def months(value: Sequence[int]) -> str:
    return str(_("month %(numbers)s", numbers=_(", ").join(str(month) for month in value)))


def certificate(entered: Mapping[str, Any]) -> str:
    kind = KINDS.get(entered["kind"], entered["kind"])
    return " ".join(part for part in (f"{kind}", entered["name_zh"], entered["number"]) if part)


def pack(entered: Mapping[str, Any]) -> str:
    number = ngettext("%(num)d pack in stock", "%(num)d packs in stock", entered["stock"])
    levels = [_("from %(number)s: %(price)s", number=least, price=yuan(fen)) for least, fen in entered["tiers"]]
    return str(_(", ").join([entered["unit"], yuan(entered["price_fen"]), *levels, number]))
