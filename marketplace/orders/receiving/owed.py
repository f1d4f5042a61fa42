"""What growers still have to bring to a station, line by line in the order of payment, and as one figure for each pack."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import CompoundSelect, func, select
from sqlalchemy.orm import Session

from listings.models import Variant
from marketplace.core.db import Columns
from marketplace.core.records import slim_record
from marketplace.orders import remaining
from marketplace.orders.institutions import payments
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import GOES_AHEAD, ParcelState as S
from marketplace.payments.disputes.states import OPEN, DisputeState

AWAITED: Final = (S.ACCEPTED, S.COLLECTING)
BY_WEIGHT: Final = "weight"
PAID_OR_PLACED: Final = func.coalesce(Order.paid_at, Order.placed_at)  # on account there is no payment to wait for


@slim_record
class Claim:
    """Packs of one line of an order that are still to be brought."""

    line_id: int
    order_id: int
    order_number: str
    parcel_id: int
    parcel: str
    parcel_number: int
    leave_by: date
    paid_at: datetime
    variant_code: str
    seller: str
    seller_name: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    unit_price_fen: int
    unit_service_fee_fen: int
    net_weight_grams: int
    measure: str | None
    wanted: int

    @property
    def label(self) -> str:
        return f"{self.order_number}-{self.parcel_number}"


@slim_record
class Pack:
    """Everything that one seller owes of one pack, the earliest paid first. Never empty."""

    claims: tuple[Claim, ...]

    @property
    def first(self) -> Claim:
        return self.claims[0]

    @property
    def code(self) -> str:
        return self.first.variant_code

    @property
    def wanted(self) -> int:
        return sum(claim.wanted for claim in self.claims)

    @property
    def grams(self) -> int:
        """Of one, as promised; 0 for what is not sold by weight."""
        return self.first.net_weight_grams if self.first.measure == BY_WEIGHT else 0

    @property
    def parcels(self) -> int:
        return len({claim.parcel for claim in self.claims})

    @property
    def soonest(self) -> date:
        return min(claim.leave_by for claim in self.claims)


@slim_record
class Delivery:
    """Everything that one seller owes a station. Never empty."""

    packs: tuple[Pack, ...]

    @property
    def seller(self) -> str:
        return self.packs[0].first.seller

    @property
    def seller_name(self) -> str:
        return self.packs[0].first.seller_name

    @property
    def claims(self) -> list[Claim]:
        return [claim for pack in self.packs for claim in pack.claims]

    @property
    def parcels(self) -> int:
        return len({claim.parcel for claim in self.claims})

    @property
    def soonest(self) -> date:
        return min(pack.soonest for pack in self.packs)

    @property
    def mark(self) -> str:
        """How it stood, in a word that a page can carry: whoever decides on an old one is told."""
        return mark(self.claims)


def mark(claims: Iterable[Claim]) -> str:
    told = ".".join(f"{claim.line_id}:{claim.wanted}" for claim in sorted(claims, key=attrgetter("line_id")))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def of_station(session: Session, station: str) -> list[Delivery]:
    """By seller, the most urgent first: one statement."""
    found = deliveries(claims(session, station=station))
    return sorted(found, key=lambda delivery: (delivery.soonest, delivery.seller_name, delivery.seller))


def of_seller(session: Session, seller: str, *, station: str | None = None) -> Delivery | None:
    """What one seller owes, to one station or to all; None where it is nothing. One statement."""
    return next(iter(deliveries(claims(session, station=station, seller=seller))), None)


def claims(session: Session, *, station: str | None = None, seller: str | None = None) -> list[Claim]:
    wanted = awaited()
    if station is not None:
        wanted = wanted.where(Parcel.station_code == station)
    if seller is not None:
        wanted = wanted.where(OrderLine.seller_public_id == seller)
    ordered = wanted.order_by(OrderLine.seller_public_id, OrderLine.variant_code, PAID_OR_PLACED, Order.id, OrderLine.id)
    return [Claim(*row) for row in session.execute(ordered)]


def deliveries(found: Sequence[Claim]) -> list[Delivery]:
    """`found` is sorted by seller and pack."""
    by_seller = (list(mine) for _seller, mine in groupby(found, attrgetter("seller")))
    return [
        Delivery(tuple(Pack(tuple(of_pack)) for _code, of_pack in groupby(mine, attrgetter("variant_code"))))
        for mine in by_seller
    ]


def count_sellers(session: Session, station: str) -> int:
    """How many have something to bring."""
    owing = awaited().where(Parcel.station_code == station).with_only_columns(OrderLine.seller_public_id).distinct()
    return int(session.scalar(select(func.count()).select_from(owing.subquery())) or 0)


def awaited() -> Columns:
    """Of parcels that a station has taken on and that nobody disputes: packs that were neither brought nor given up."""
    packs = remaining.packs_due() - OrderLine.received_quantity
    frozen = (OrderLine.title_zh, OrderLine.title_en, OrderLine.unit_zh, OrderLine.unit_en, OrderLine.unit_price_fen)
    columns: Columns = (
        select(OrderLine.id, Order.id, Order.number, Parcel.id, Parcel.public_id, Parcel.number, Parcel.leave_by)
        .add_columns(PAID_OR_PLACED, OrderLine.variant_code, OrderLine.seller_public_id, OrderLine.seller_name, *frozen)
        .add_columns(OrderLine.unit_service_fee_fen, OrderLine.net_weight_grams, Variant.measure, packs)
    )
    return (
        columns.select_from(OrderLine)
        .join(Parcel, Parcel.id == OrderLine.parcel_id)
        .join(Order, Order.id == Parcel.order_id)
        .outerjoin(Variant, Variant.code == OrderLine.variant_code)
        .where(Parcel.state.in_(AWAITED), Order.state.in_(GOES_AHEAD), packs > 0)
        .where(Order.number.not_in(in_dispute()))
    )


def in_dispute() -> CompoundSelect[str]:
    """Orders whose payer's bank decides, or has decided, where their money goes: nothing is given back of them here."""
    return payments.disputed_orders(OPEN | {DisputeState.LOST})
