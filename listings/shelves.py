"""The shop's eight shelves: the words above the goods. Seven gather top categories; 时令 is a question to the calendar."""

from datetime import date
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import ColumnElement, String, cast, or_

from listings.models import Listing
from marketplace.core.records import record


@record
class Shelf:
    code: str  # in addresses: /categories/<code>
    name: LazyString
    categories: tuple[str, ...]  # top categories; none for the shelf of the season

    @property
    def url(self) -> str:
        return f"/categories/{self.code}"


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


def stands_on(shelf: Shelf, day: date) -> ColumnElement[bool]:
    """Which listings stand on this shelf on that day."""
    if shelf.code == IN_SEASON:
        return is_harvested_in(day.month)
    return or_(*(Listing.category_code.startswith(f"{category}-", autoescape=True) for category in shelf.categories))


def is_harvested_in(month: int) -> ColumnElement[bool]:
    """Whether the month is among the harvest months. What is made all year has none, and so is never in season."""
    months = cast(Listing.harvest_months, String)  # as JSON: [9, 10, 11]
    return or_(*(months.like(f"%{before}{month}{after}%") for before in ("[", " ") for after in (",", "]")))
