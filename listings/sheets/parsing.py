"""A cell's text to its value, or what is wrong with it. The bounds are those of the seller's own form (listings.forms)."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final

from wtforms.validators import Length, NumberRange

from listings import measures
from listings.forms import HEAVIEST_GRAMS, LARGEST_FEN, YUAN, DetailsForm
from listings.sheets import papers
from listings.sheets.wrong import MOST_OF_A_NAME, Wrong
from marketplace.core.forms import tidy
from marketplace.core.money import without_thousands
from marketplace.core.records import record

LONGEST_NUMBER: Final = 40  # characters of an article number
MOST_PICTURES: Final = 6
MOST_ALIKE: Final = 3  # categories that are named where one was not found
WHOLE: Final = re.compile(r"(-?\d{1,40})(?:\.0+)?")
FINER_THAN_FEN: Final = re.compile(r"\d{1,8}\.\d{3,40}")
OF_ANY_SIZE: Final = re.compile(r"-?\d{1,40}(\.\d{1,40})?")
BETWEEN_NUMBERS: Final = re.compile(r"[,，、;；\s/和]+")
BETWEEN_NAMES: Final = re.compile(r"[,，、;；\n|]+")
MONTH_RANGE: Final = re.compile(r"(\d{1,2})(?:[-~～至到—–]+(\d{1,2}))?")
ALL_YEAR: Final = frozenset({"全年", "四季", "all year", "all", "1-12"})


@record
class Categories:
    """What may be chosen, by everything that people call it: code, Chinese and English name, in small letters.

    A name that two have is nobody's."""

    by_word: Mapping[str, str]
    names: Mapping[str, str]  # code: the Chinese name, or the code itself where that name is not its own

    def code_of(self, text: str) -> str:
        found = self.by_word.get(text.lower())
        if found is None:
            typed, like = {"typed": text[:MOST_OF_A_NAME]}, self.like(text.lower())
            raise Wrong("nearly_category", {**typed, "like": like}) if like else Wrong("no_category", typed)
        return found

    def like(self, text: str) -> str:
        """The first of those that have the word in their name, as people write 小米 for 小米与黄米; empty without one."""
        codes = dict.fromkeys(code for word, code in self.by_word.items() if text in word)
        return "、".join(self.names[code] for code in [*codes][:MOST_ALIKE])


@cache
def bounds(name: str, kind: type) -> tuple[int, int]:
    """What the form allows: the least and the most of a length or of a number."""
    unbound: Any = getattr(DetailsForm, name)
    rule: Any = next(rule for rule in unbound.args[1] if isinstance(rule, kind))
    return (int(rule.min or 0), int(rule.max))


def words(name: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        least, most = bounds(name, Length)
        if not max(least, 0) <= len(text) <= most:
            raise Wrong("length", {"now": len(text), "least": max(least, 1), "most": most})
        return text

    return parse


def number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        found = WHOLE.fullmatch(without_thousands(text))
        if not found:
            raise Wrong("not_whole", {"typed": text[:MOST_OF_A_NAME]})
        if not least <= int(found[1]) <= most:
            raise Wrong("out_of_range", {"typed": int(found[1]), "least": least, "most": most})
        return int(found[1])

    return parse


def number_of(name: str) -> Callable[[str], int]:
    return lambda text: number(*bounds(name, NumberRange))(text)


def yuan(text: str) -> int:
    """A sum as people write it, in fen."""
    plain = without_thousands(text).removeprefix("¥").removesuffix("元").strip()
    if FINER_THAN_FEN.fullmatch(plain):
        raise Wrong("finer_than_fen", {"typed": text[:MOST_OF_A_NAME]})
    if not YUAN.fullmatch(plain) and OF_ANY_SIZE.fullmatch(plain):
        raise Wrong("price_range")
    if not YUAN.fullmatch(plain):
        raise Wrong("not_a_sum", {"typed": text[:MOST_OF_A_NAME]})
    fen = int(Decimal(plain) * 100)
    if not 1 <= fen <= LARGEST_FEN:
        raise Wrong("price_range")
    return fen


def unit(text: str) -> str:
    words("unit")(text)
    amount = measures.read(text).amount
    if amount is not None and not 1 <= amount <= HEAVIEST_GRAMS:
        raise Wrong("unit")
    return text


def months(text: str) -> list[int]:
    """`9、10`, `9月-11月` or `11-2`, in order; nothing where it is all year."""
    plain = text.replace("月份", "").replace("月", "").strip().lower()
    if plain in ALL_YEAR:
        return []
    found: set[int] = set()
    for part in filter(None, BETWEEN_NUMBERS.split(plain)):
        read = MONTH_RANGE.fullmatch(part)
        first, last = (int(read[1]), int(read[2] or read[1])) if read else (0, 0)
        if not (1 <= first <= 12 and 1 <= last <= 12):
            raise Wrong("months", {"typed": text[:MOST_OF_A_NAME]})
        found |= {month for month in range(1, 13) if is_within(month, first, last)}
    return sorted(found)


def is_within(month: int, first: int, last: int) -> bool:
    return first <= month <= last if first <= last else month >= first or month <= last


def pictures(text: str) -> list[str]:
    names = [name.strip().replace("\\", "/").rpartition("/")[2].lower() for name in BETWEEN_NAMES.split(text)]
    chosen = list(dict.fromkeys(filter(None, names)))
    if len(chosen) > MOST_PICTURES:
        raise Wrong("too_many_pictures", {"now": len(chosen), "most": MOST_PICTURES})
    return chosen


def article_number(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise Wrong("length", {"now": len(text), "least": 1, "most": LONGEST_NUMBER})
    return text


PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    "number": article_number,
    "title": words("title"),
    "unit": unit,
    "price": yuan,
    "stock": number_of("stock"),
    "seen_stock": number(0, 999_999_999),
    "village": words("village"),
    "story": words("story"),
    "weight": number_of("weight"),
    "months": months,
    "minimum": number_of("minimum"),
    "tier_from": number_of("tier_from"),
    "tier_price": yuan,
    "shelf_life": number_of("shelf_life"),
    "storage": words("storage"),
    "certificates": papers.read,
    "pictures": pictures,
}
NEEDED: Final = ("category", "title", "unit", "price", "stock", "village", "story")
BLANK: Final[dict[str, Any]] = {"minimum": 1, "months": [], "storage": "", "certificates": [], "pictures": []}  # else None


def parse(key: str, text: str, categories: Categories) -> Any:
    """The value of a cell. Raises Wrong, also where nothing is filled in and something has to be."""
    if not text:
        if key in NEEDED:
            raise Wrong("missing")
        return BLANK.get(key)
    return categories.code_of(text) if key == "category" else PARSERS[key](text)


@lru_cache(maxsize=2**14)  # villages, packs and stories come again and again
def clean(text: str) -> str:
    """What every form does to what is typed, and line breaks as one kind."""
    return str(tidy(text.replace("\r\n", "\n").replace("\r", "\n")))
