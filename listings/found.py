"""One page of goods for a question: by the search index, or by the database alone when there is no index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from listings import cards, shelves
from listings.finding import PER_PAGE, Question
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.stations.models import County
from search_index import Alternative, Answer, Backend, Facets, IndexUnavailable, Query, Sort

BEST: Final = (Listing.sold.desc(), Listing.published_at.desc(), Listing.id)
NEWEST: Final = (Listing.published_at.desc(), Listing.id)
CHEAPEST: Final = select(func.min(Variant.price_fen)).where(Variant.listing_id == Listing.id, Variant.is_offered)
ORDERS: Final[dict[Sort, Sequence[Any]]] = {
    Sort.RELEVANCE: BEST,
    Sort.SALES: BEST,
    Sort.NEWEST: NEWEST,
    Sort.PRICE: (CHEAPEST.scalar_subquery(), Listing.id),
    Sort.UNIT_PRICE: (CHEAPEST.scalar_subquery(), Listing.id),
}
BROWSED: Final = frozenset({Sort.RELEVANCE, Sort.SALES, Sort.NEWEST})  # as quick and as right in the database
KEPT: Final = 256
UNIT: Final = case((Variant.measure == "weight", 500), (Variant.measure == "volume", 1000), else_=1)

_counts: dict[tuple[int, int, Query], Answer] = {}


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


def find(session: Session, index: Backend, question: Question, today: date) -> Found:
    """The page that the question asks for. Never fails for want of an index."""
    try:
        if question.is_plain and question.sort in BROWSED:
            answer = counted(index.generation(), as_count(question.query(today)), index)
            whole = replace(answer, exact=answer.total, page=question.page, per_page=PER_PAGE)
            return Found(browsed(session, question, today), answer.total, whole)
        answer = index.search(question.query(today))
    except IndexUnavailable:
        total = session.scalar(select(func.count()).select_from(Listing).where(*conditions(question, today))) or 0
        nothing = Answer(total=total, exact=total, page=question.page, per_page=PER_PAGE)
        return Found(browsed(session, question, today), total, nothing, is_degraded=True)
    return Found(by_code(session, answer.codes), answer.total, answer)


def counted(generation: int, query: Query, index: Backend) -> Answer:
    """Total and facets of a question, counted once for each state of the index."""
    key = (id(index), generation, query)
    if key not in _counts:
        answer = index.search(query)
        while len(_counts) >= KEPT:
            _counts.pop(next(iter(_counts)), None)
        _counts[key] = answer
    return _counts[key]


def as_count(query: Query) -> Query:
    """The same question without what does not change its counts."""
    return replace(query, page=1, per_page=1, sort=Sort.RELEVANCE)


def by_code(session: Session, codes: Sequence[str]) -> list[cards.Card]:
    """Cards in the order of the codes; what was unpublished meanwhile is left out."""
    wanted = select(Listing.id, Listing.code).where(Listing.code.in_(codes), Listing.state == ListingState.PUBLISHED)
    ids = {row.code: row.id for row in session.execute(wanted)}
    return cards.cards_of(session, [ids[code] for code in codes if code in ids])


def browsed(session: Session, question: Question, today: date) -> list[cards.Card]:
    order = ORDERS[question.sort]
    wanted = select(Listing.id).where(*conditions(question, today)).order_by(*order)
    wanted = wanted.limit(PER_PAGE).offset((question.page - 1) * PER_PAGE)
    return cards.cards_of(session, session.scalars(wanted).all())


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
    return or_(Listing.category_code == category, Listing.category_code.startswith(f"{category}-", autoescape=True))


def costs_between(least: int, most: int | None) -> ColumnElement[bool]:
    """Some pack's price by measure lies between; compared without dividing."""
    pack = select(Variant.id).where(Variant.listing_id == Listing.id, Variant.is_offered, Variant.measure_amount > 0)
    pack = pack.where(Variant.price_fen * UNIT >= least * Variant.measure_amount)
    if most is not None:
        pack = pack.where(Variant.price_fen * UNIT <= most * Variant.measure_amount)
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
