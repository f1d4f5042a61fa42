"""One page of goods for a question: by the search index, or by the database alone when there is no index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.orm import Session

from listings import cards, shelves
from listings.finding import PER_PAGE, Question
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core.db import Columns, rows
from marketplace.core.formats import GRAMS_PER_JIN
from marketplace.core.memory import remembered
from marketplace.stations.models import County
from search_index import Alternative, Answer, Backend, Facets, Query, Sort

BEST: Final = (Listing.sold.desc(), Listing.published_at.desc(), Listing.id.desc())
NEWEST: Final = (Listing.published_at.desc(), Listing.id.desc())
CHEAPEST: Final = select(func.min(Variant.price_fen)).where(Variant.listing_id == Listing.id, Variant.is_offered)
ORDERS: Final[dict[Sort, Sequence[Any]]] = {
    Sort.RELEVANCE: BEST,
    Sort.SALES: BEST,
    Sort.NEWEST: NEWEST,
    Sort.PRICE: (CHEAPEST.scalar_subquery(), Listing.id),
    Sort.UNIT_PRICE: (CHEAPEST.scalar_subquery(), Listing.id),
}
BROWSED: Final = frozenset({Sort.RELEVANCE, Sort.SALES, Sort.NEWEST})  # as quick and as right in the database


@dataclass(frozen=True)
class Found:
    """One page of goods, and how they were found. `is_degraded`: there was no index, words were taken as they stand."""

    goods: Sequence[cards.Card]
    total: int
    answer: Answer
    is_degraded: bool = False

    @property
    def exact(self) -> Sequence[cards.Card]:
        """Those with every word that was asked for."""
        return self.goods[: max(self.answer.exact - (self.answer.page - 1) * self.answer.per_page, 0)]

    @property
    def similar(self) -> Sequence[cards.Card]:
        """Those that come near: they follow when there are few exact ones."""
        return self.goods[len(self.exact) :]

    @property
    def pages(self) -> int:
        return -(-self.total // PER_PAGE)

    @property
    def facets(self) -> Facets:
        return self.answer.facets

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        return self.answer.alternatives


def without_index(session: Session, question: Question, today: date) -> Found:
    """The page as the database alone can find it."""
    counted = select(func.count(), func.count(Listing.station_code.distinct())).where(*conditions(question, today))
    total, stations = session.execute(counted).one()
    nothing = Answer(total=total, exact=total, page=question.page, per_page=PER_PAGE, counties=stations)
    return Found(browsed(session, question, today), total, nothing, is_degraded=True)


def find(session: Session, index: Backend, question: Question, today: date) -> Found:
    """The page that the question asks for; what has neither words nor filters is only counted by the index.

    Raises IndexUnavailable."""
    if question.is_plain and question.sort in BROWSED:
        answer = counted(session, index, as_count(question.query(today)))
        whole = replace(answer, exact=answer.total, page=question.page, per_page=PER_PAGE)
        return Found(browsed(session, question, today), answer.total, whole)
    answer = index.search(question.query(today))
    return Found(by_code(session, answer.codes), answer.total, answer)


@remembered("goods")
def counted(session: Session, index: Backend, query: Query) -> Answer:
    """Total and facets of a question, whichever page of it is shown."""
    return index.search(query)


def as_count(query: Query) -> Query:
    """The same question without what does not change its counts."""
    return replace(query, page=1, per_page=1, sort=Sort.RELEVANCE)


def by_code(session: Session, codes: Sequence[str]) -> list[cards.Card]:
    """Cards in the order of the codes; what was unpublished meanwhile is left out."""
    found = rows(session, ids_of_codes(), codes=codes) if codes else ()
    ids = {row.code: row.id for row in found if row.state == ListingState.PUBLISHED}
    return cards.cards_of(session, [ids[code] for code in codes if code in ids])


@cache
def ids_of_codes() -> Columns:
    """The state is compared afterwards: nearly all goods are published, and an index by state would be the wrong one."""
    wanted = Listing.code.in_(bindparam("codes", expanding=True))
    return select(Listing.id).add_columns(Listing.code, Listing.state).where(wanted)


def browsed(session: Session, question: Question, today: date) -> list[cards.Card]:
    order = ORDERS[question.sort]
    wanted = select(Listing.id).where(*conditions(question, today)).order_by(*order)
    wanted = wanted.limit(PER_PAGE).offset((question.page - 1) * PER_PAGE)
    return cards.cards_of(session, [row.id for row in rows(session, wanted)])


def conditions(question: Question, today: date) -> list[ColumnElement[bool]]:
    """The question as the database can answer it: words must stand in title or story."""
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
