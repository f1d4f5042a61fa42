"""A question as the database can answer it by itself."""

from collections.abc import Callable
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, case, or_, select

from listings import cards, shelves
from listings.finding import Question
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core.formats import GRAMS_PER_JIN
from marketplace.stations.models import County

UNIT: Final = case((Variant.measure == "weight", 500), (Variant.measure == "volume", 1000), else_=1)


def conditions(question: Question, today: date) -> list[ColumnElement[bool]]:
    """The question as the database can answer it: each word must stand in title or story."""
    asked: list[ColumnElement[bool]] = [Listing.state == ListingState.PUBLISHED]
    if question.categories:
        asked.append(or_(*(stands_in(code) for code in question.categories)))
    elif shelf := shelves.find_shelf(question.place):
        asked.append(shelves.stands_on(shelf, today))
    elif question.place:
        asked.append(stands_in(question.place))
    if question.counties:
        asked.append(Listing.station_code.in_(question.counties))
    for word in question.text.split():
        texts = (Listing.title_zh, Listing.title_en, Listing.story_zh, Listing.origin_village_zh)
        asked.append(or_(*(text.icontains(word, autoescape=True) for text in texts)))
    asked += [FLAG_CONDITIONS[flag](today) for flag in sorted(question.flags)]
    if question.min_fen is not None or question.max_fen is not None:
        asked.append(costs_between(question.min_fen or 0, question.max_fen))
    return asked


def stands_in(category: str) -> ColumnElement[bool]:
    """The category itself; one at the top (no hyphen in its code) with all that is below it."""
    if "-" in category:
        return Listing.category_code == category
    return or_(Listing.category_code == category, Listing.category_code.startswith(f"{category}-", autoescape=True))


def costs_between(least: int, most: int | None) -> ColumnElement[bool]:
    """Some pack's price per 500 g lies between; compared without dividing."""
    pack = select(Variant.id).where(Variant.listing_id == Listing.id, Variant.is_offered, Variant.measure_amount > 0)
    pack = pack.where(Variant.measure == "weight", Variant.price_fen * GRAMS_PER_JIN >= least * Variant.measure_amount)
    if most is not None:
        pack = pack.where(Variant.price_fen * GRAMS_PER_JIN <= most * Variant.measure_amount)
    return pack.exists()


def comes_from_deep_poverty(today: date) -> ColumnElement[bool]:
    return Listing.station_code.in_(select(County.code).where(County.is_deep_poverty))


def is_in_stock(today: date) -> ColumnElement[bool]:
    pack = select(Variant.id).where(Variant.listing_id == Listing.id, Variant.is_offered)
    return pack.where(Variant.on_hand - Variant.reserved >= Variant.minimum_quantity).exists()


FLAG_CONDITIONS: Final[dict[str, Callable[[date], ColumnElement[bool]]]] = {
    "season": lambda today: shelves.is_harvested_in(today.month),
    "gi": lambda today: cards.has_mark(),
    "deep": comes_from_deep_poverty,
    "stock": is_in_stock,
}
