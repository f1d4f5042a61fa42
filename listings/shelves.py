"""The shop's eight shelves: the words above the goods. Seven gather top categories; 时令 is a question to the calendar."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Shelf:
    code: str  # in addresses: /categories/<code>
    name: Any  # lazy text
    categories: tuple[str, ...]  # top categories; none for the shelf of the season


IN_SEASON: Final = "season"

SHELVES: Final = (
    Shelf(IN_SEASON, _l("In season"), ()),
    Shelf("fresh-fruit", _l("Fruit"), ("fruit",)),
    Shelf("grains", _l("Millet and grains"), ("grain",)),
    Shelf("dried-fruit", _l("Nuts and dried fruit"), ("nut",)),
    Shelf("pantry", _l("Oil, drinks and honey"), ("oil", "drink", "honey")),
    Shelf("meat-eggs", _l("Meat and eggs"), ("meat",)),
    Shelf("mushrooms-herbs", _l("Mushrooms and herbs"), ("veg", "herb")),
    Shelf("crafts", _l("Crafts and gifts"), ("craft", "gift", "snack")),
)


def find_shelf(code: str) -> Shelf | None:
    return next((shelf for shelf in SHELVES if shelf.code == code), None)


def shelf_of(category: str) -> Shelf:
    """The shelf where goods of this category stand. Raises LookupError for a category of no shelf."""
    top = category.partition("-")[0]
    for shelf in SHELVES:
        if top in shelf.categories:
            return shelf
    raise LookupError(category)


def is_in_season(harvest_months: list[int], day: date) -> bool:
    """Whether something is harvested in this month. What is made all year has no season, and is never in it."""
    return 0 < len(harvest_months) < 12 and day.month in harvest_months
