"""An order without one of its parcels: whether what was taken off it would have been given for what stays.

Of each of its promotions that covers something of it, by its own scope and threshold: one is not reached with the goods of
another (docs/adr/0026)."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Listing
from marketplace.core.records import record
from marketplace.orders.models import OrderLine, Parcel
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.models import Promotion, PromotionUse
from marketplace.orders.promotions.reducing import Rule
from marketplace.orders.promotions.states import UseState


@record
class Bought:
    """A line as far as a promotion's scope needs it."""

    parcel_id: int
    listing: str
    category: str
    seller: str
    station_code: str
    goods_fen: int  # before anything came off, of what was not refunded
    is_reduced: bool


def may_leave(session: Session, number: str, parcels: Collection[int]) -> set[int]:
    """Those of these parcels, which are all that is still sent, without which the others would have their discounts all the
    same: three statements at most."""
    rules, lines = rules_of(session, number), lines_of(session, parcels)
    return {each for each in parcels if would_be_given(rules, [line for line in lines if line.parcel_id != each])}


def rules_of(session: Session, number: str) -> list[Rule]:
    """Of what was taken off the order."""
    wanted = select(Promotion).join(PromotionUse, PromotionUse.promotion_id == Promotion.id)
    wanted = wanted.where(PromotionUse.order_number == number, PromotionUse.state != UseState.RETURNED)
    return choosing.rules(session, session.scalars(wanted.order_by(Promotion.id)).all())


def lines_of(session: Session, parcels: Collection[int]) -> list[Bought]:
    """What is left of these parcels."""
    wanted = select(OrderLine, Parcel.station_code, Listing.category_code).join(Parcel, Parcel.id == OrderLine.parcel_id)
    wanted = wanted.outerjoin(Listing, Listing.code == OrderLine.listing_code).where(Parcel.id.in_(parcels))
    return [bought(*row) for row in session.execute(wanted) if row.OrderLine.quantity > row.OrderLine.refunded_quantity]


def bought(line: OrderLine, station_code: str, category: str | None) -> Bought:
    return Bought(
        parcel_id=line.parcel_id,
        listing=line.listing_code,
        category=category or "",
        seller=line.seller_public_id,
        station_code=station_code,
        goods_fen=line.unit_price_fen * (line.quantity - line.refunded_quantity),
        is_reduced=line.discount_fen > 0,
    )


def would_be_given(rules: Iterable[Rule], lines: Sequence[Bought]) -> bool:
    """Those that took something off these lines, for these lines alone."""
    for rule in rules:
        covered = [line for line in lines if rule.covers(line)]
        if any(line.is_reduced for line in covered) and sum(line.goods_fen for line in covered) < rule.threshold_fen:
            return False
    return True
