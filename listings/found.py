"""One page of goods for a question: by the search index, or by the database alone when there is no index."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.orm import Session

from listings import cards, counting
from listings.conditions import UNIT, conditions
from listings.finding import Question
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core.db import Columns, rows
from marketplace.core.memory import remembered
from search_index import Alternative, Answer, Backend, Facets, Query, Sort

BEST: Final = (Listing.sold.desc(), Listing.published_at.desc(), Listing.id.desc())
NEWEST: Final = (Listing.published_at.desc(), Listing.id.desc())
MEASURED: Final = ("weight", "volume", "piece")
AFTER: Final = case((Variant.measure == "weight", 0), (Variant.measure == "volume", 1), else_=2) * 1_000_000_000
OFFERED: Final = (Variant.listing_id == Listing.id, Variant.is_offered)
CHEAPEST: Final = select(func.min(Variant.price_fen)).where(*OFFERED).scalar_subquery()
BY_MEASURE: Final = (
    select(func.min(AFTER + Variant.price_fen * UNIT * 1.0 / Variant.measure_amount))
    .where(*OFFERED, Variant.measure.in_(MEASURED), Variant.measure_amount > 0)
    .scalar_subquery()
)
ORDERS: Final[dict[Sort, Sequence[Any]]] = {
    Sort.RELEVANCE: BEST,
    Sort.SALES: BEST,
    Sort.NEWEST: NEWEST,
    Sort.PRICE: (CHEAPEST, Listing.id),
    Sort.UNIT_PRICE: (BY_MEASURE.is_(None), BY_MEASURE, Listing.id),
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
        return -(-self.total // self.answer.per_page)

    @property
    def facets(self) -> Facets:
        return self.answer.facets

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        return self.answer.alternatives


def without_index(session: Session, question: Question, today: date) -> Found:
    """The page as the database alone can find it."""
    which = conditions(question, today)
    counted = select(func.count(), func.count(Listing.station_code.distinct())).select_from(Listing).where(*which)
    total, stations = session.execute(counted).one()
    facets = counting.facets(session, question, today)
    answer = Answer(total, exact=total, page=question.page, per_page=question.per_page, facets=facets, counties=stations)
    return Found(browsed(session, question, today), total, answer, is_degraded=True)


def find(session: Session, index: Backend, question: Question, today: date) -> Found:
    """The page that the question asks for; what has neither words nor filters is only counted by the index.

    Raises IndexUnavailable."""
    if question.is_plain and question.sort in BROWSED:
        answer = counted(session, index, as_count(question.query(today)))
        whole = replace(answer, exact=answer.total, page=question.page, per_page=question.per_page)
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
    wanted = wanted.limit(question.per_page).offset((question.page - 1) * question.per_page)
    return cards.cards_of(session, [row.id for row in rows(session, wanted)])
