"""What of a parcel was not given back to its buyer, by line: units, goods, shipping. Refunds that failed gave nothing back.

Price and fee are frozen for each unit. Where a part of the price went back since the goods weighed less, k of the n units
that are left have k / n of the rest, rounded down, and the last ones all of it. What was paid for bad parts of packs (cases)
lessens those packs alone: whole ones go back first, at their own price (docs/adr/0067).

A line's shipping is frozen as one sum: of k units of n that go back with their shipping it is s * k // n in all, so that any
order of refunds ends exactly at s, also where one of them failed.

What promotions took off a line lies within these figures and goes back with its part of the price, the last units with all
of it that is left (`apportioning`), so that whatever the order of refunds what was paid goes back to the fen. Shipping that
was free by a promotion goes back to the province, which paid for it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, case, func, select, union_all
from sqlalchemy.orm import Session

from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.ledger import books
from marketplace.orders.apportioning import Price
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.institutions.models import BillCredit
from marketplace.orders.models import OrderLine, Parcel, RefundLine
from marketplace.orders.promotions.ending import GRANT
from marketplace.orders.receiving import named
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.states import ParcelState as S
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState

SUMS: Final = (
    *("shipping_back_fen", "units_with_shipping_back", "goods_back_fen", "fee_back_fen"),
    *("seller_discount_back_fen", "platform_discount_back_fen"),
    *("packs_in_part", "goods_in_part_fen", "fee_in_part_fen"),
)
PAYABLE: Final = {"seller_held": "seller_payable", "station_held": "station_payable"}


@record
class LineLeft:
    """One line and what went back of it: units, those of them with their shipping, and goods and shipping in fen."""

    id: int
    public_id: str
    parcel_id: int
    seller: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    unit_price_fen: int
    unit_service_fee_fen: int
    quantity: int
    refunded_quantity: int
    shipping_fen: int
    shipping_back_fen: int
    units_with_shipping_back: int
    goods_back_fen: int = 0
    fee_back_fen: int = 0  # within the goods
    seller_discount_fen: int = 0  # off the goods, of all units
    platform_discount_fen: int = 0
    shipping_discount_fen: int = 0  # all of the shipping, or nothing
    seller_discount_back_fen: int = 0
    platform_discount_back_fen: int = 0
    packs_in_part: int = 0  # of which a part was bad and paid for, and with them, of what went back, goods and fee
    goods_in_part_fen: int = 0
    fee_in_part_fen: int = 0

    @property
    def units(self) -> int:
        """Bought and not yet given back."""
        return self.quantity - self.refunded_quantity

    @property
    def goods_fen(self) -> int:
        """The price of the goods that was not yet given back, before anything came off it."""
        return self.unit_price_fen * self.quantity - self.goods_back_fen

    @property
    def unit_fen(self) -> int:
        """What one of them costs, a whole one first, now that a part of the price may have gone back; rounded down."""
        return self.of_units(self.goods_fen, self.goods_in_part_fen, 1) if self.goods_back_fen else self.unit_price_fen

    @property
    def service_fee_fen(self) -> int:
        """Of these goods."""
        return self.unit_service_fee_fen * self.quantity - self.fee_back_fen

    @property
    def discounts(self) -> tuple[int, int]:
        """What came off these goods, borne by the seller and by the province."""
        seller_fen = self.seller_discount_fen - self.seller_discount_back_fen
        return seller_fen, self.platform_discount_fen - self.platform_discount_back_fen

    @property
    def price(self) -> Price:
        """Of these goods, with whose it is."""
        return Price(self.goods_fen, self.service_fee_fen, *self.discounts)

    def shipping_discount(self, shipping_fen: int) -> int:
        """Of so much of its shipping."""
        return shipping_fen if self.shipping_discount_fen else 0

    def part(self, units: int, *, with_shipping: bool) -> "Part":
        """What giving back so many more units means."""
        due = self.shipping_fen * (self.units_with_shipping_back + units) // self.quantity if with_shipping else 0
        goods_fen = self.of_units(self.goods_fen, self.goods_in_part_fen, units)
        fee_fen = self.of_units(self.service_fee_fen, self.fee_in_part_fen, units)
        stays = self.units - units if self.packs_in_part else 0
        price = self.price.part(goods_fen, fee_fen, stays=stays)
        return self.part_of(price, units, max(0, due - self.shipping_back_fen), with_shipping=with_shipping)

    def of_units(self, left_fen: int, in_part_fen: int, units: int) -> int:
        """Of what is left so many units' share: first of whole packs, which bear nothing of what went back for parts."""
        in_part = min(self.packs_in_part, self.units)
        paid_fen = in_part_fen * in_part // max(self.packs_in_part, 1)
        among_these = max(0, units - (self.units - in_part))
        return (left_fen + paid_fen) * units // max(self.units, 1) - paid_fen * among_these // max(in_part, 1)

    def of_price(self, fen: int, fee_fen: int) -> "Part":
        """So much of the price and of the fee in it, of no unit: a fen of each unit that is left stays."""
        return self.part_of(self.price.part(fen, fee_fen, stays=self.units), 0, 0, with_shipping=False)

    def part_of(self, price: Price, units: int, shipping_fen: int, *, with_shipping: bool) -> "Part":
        off = (price.seller_discount_fen, price.platform_discount_fen, self.shipping_discount(shipping_fen))
        return Part(self, units, price.goods_fen, price.service_fee_fen, shipping_fen, with_shipping, *off)

    @property
    def rest(self) -> "Part":
        """All units that are left and all shipping, also of units that went back without theirs."""
        shipping_fen = self.shipping_fen - self.shipping_back_fen
        return self.part_of(self.price, self.units, shipping_fen, with_shipping=True)


@record
class Part:
    """Some units of a line with what goes back for them, in fen: goods and shipping less what promotions took off them."""

    line: LineLeft
    units: int
    goods_fen: int
    service_fee_fen: int  # within the goods
    shipping_fen: int
    with_shipping: bool
    seller_discount_fen: int = 0
    platform_discount_fen: int = 0
    shipping_discount_fen: int = 0

    @property
    def price_fen(self) -> int:
        """Of goods and shipping, before anything came off."""
        return self.goods_fen + self.shipping_fen

    @property
    def province_fen(self) -> int:
        """What the province has back of it."""
        return self.platform_discount_fen + self.shipping_discount_fen

    @property
    def fen(self) -> int:
        """What the buyer has back."""
        return self.price_fen - self.seller_discount_fen - self.province_fen


def of_parcels(session: Session, parcels: Sequence[int]) -> dict[int, list[LineLeft]]:
    """The lines of these parcels (by their rows' ids), as the database has them now: one statement."""
    gone = taken_off(parcels)
    went_back = (
        select(
            gone.c.order_line_id,
            func.sum(gone.c.shipping_fen).label("shipping"),
            func.sum(case((gone.c.with_shipping, gone.c.quantity), else_=0)).label("units"),
            func.sum(gone.c.goods_fen).label("goods"),
            func.sum(gone.c.service_fee_fen).label("fee"),
            func.sum(gone.c.seller_discount_fen).label("seller_discount"),
            func.sum(gone.c.platform_discount_fen).label("platform_discount"),
        )
        .group_by(gone.c.order_line_id)
        .subquery()
    )
    in_part = paid_in_part(parcels)
    wanted = (
        select(OrderLine.id, OrderLine.public_id, OrderLine.parcel_id, OrderLine.seller_public_id.label("seller"))
        .add_columns(*named.NAMES, OrderLine.unit_price_fen, OrderLine.unit_service_fee_fen)
        .add_columns(OrderLine.quantity, OrderLine.refunded_quantity, OrderLine.shipping_fen)
        .add_columns(OrderLine.seller_discount_fen, OrderLine.platform_discount_fen, OrderLine.shipping_discount_fen)
        .add_columns(func.coalesce(went_back.c.shipping, 0).label("shipping_back_fen"))
        .add_columns(func.coalesce(went_back.c.units, 0).label("units_with_shipping_back"))
        .add_columns(func.coalesce(went_back.c.goods, 0).label("goods_back_fen"))
        .add_columns(func.coalesce(went_back.c.fee, 0).label("fee_back_fen"))
        .add_columns(func.coalesce(went_back.c.seller_discount, 0).label("seller_discount_back_fen"))
        .add_columns(func.coalesce(went_back.c.platform_discount, 0).label("platform_discount_back_fen"))
        .add_columns(func.coalesce(in_part.c.packs, 0).label("packs_in_part"))
        .add_columns(func.coalesce(in_part.c.goods, 0).label("goods_in_part_fen"))
        .add_columns(func.coalesce(in_part.c.fee, 0).label("fee_in_part_fen"))
        .outerjoin(went_back, went_back.c.order_line_id == OrderLine.id)
        .outerjoin(in_part, in_part.c.order_line_id == OrderLine.id)
        .outerjoin(Substitute, named.SENT_INSTEAD)
        .where(OrderLine.parcel_id.in_(parcels))
        .order_by(OrderLine.id)
    )
    found: dict[int, list[LineLeft]] = {parcel: [] for parcel in parcels}
    for row in session.execute(wanted):
        sums = {name: int(getattr(row, name)) for name in SUMS}
        found[row.parcel_id].append(LineLeft(**{**row._mapping, **sums}))
    return found


def taken_off(parcels: Sequence[int]) -> Subquery:
    """SQL: what refunds gave back of these parcels' lines, and what credits took off before they were paid."""
    refunded = select(*figures(RefundLine)).join(Refund, Refund.public_id == RefundLine.refund_public_id)
    refunded = refunded.join(OrderLine, OrderLine.id == RefundLine.order_line_id)
    refunded = refunded.where(Refund.state != RefundState.FAILED, OrderLine.parcel_id.in_(parcels))
    credited = select(*figures(BillCredit)).join(OrderLine, OrderLine.id == BillCredit.order_line_id)
    return union_all(refunded, credited.where(OrderLine.parcel_id.in_(parcels))).subquery()


def paid_in_part(parcels: Sequence[int]) -> Subquery:
    """SQL, by line: how many packs what was bad would fill at least, and the goods and the fee that went back for it."""
    bad = func.coalesce(AfterSalesCase.spoiled_grams, AfterSalesCase.spoiled_pieces)
    pack = func.max(func.coalesce(AfterSalesCase.pieces_of_pack, OrderLine.net_weight_grams))
    paid = select(RefundLine.order_line_id, ((func.sum(bad) + pack - 1) // func.nullif(pack, 0)).label("packs"))
    paid = paid.add_columns(func.sum(RefundLine.goods_fen).label("goods"), func.sum(RefundLine.service_fee_fen).label("fee"))
    paid = paid.join(AfterSalesCase, AfterSalesCase.refund_public_id == RefundLine.refund_public_id)
    paid = paid.join(Refund, Refund.public_id == RefundLine.refund_public_id).where(Refund.state != RefundState.FAILED)
    paid = paid.join(OrderLine, OrderLine.id == RefundLine.order_line_id).where(bad.is_not(None))
    return paid.where(OrderLine.parcel_id.in_(parcels)).group_by(RefundLine.order_line_id).subquery()


def figures(kind: type[RefundLine] | type[BillCredit]) -> tuple[Any, ...]:
    money = (kind.goods_fen, kind.service_fee_fen, kind.shipping_fen)
    discounts = (kind.seller_discount_fen, kind.platform_discount_fen)
    return (kind.order_line_id, kind.quantity, kind.with_shipping, *money, *discounts)


def of(session: Session, parcel: Parcel) -> list[LineLeft]:
    return of_parcels(session, [parcel.id])[parcel.id]


def rest(session: Session, parcel: Parcel) -> list[Part]:
    """Everything of a parcel that is left, without the lines of which nothing is."""
    return [line.rest for line in of(session, parcel) if line.rest.price_fen]


def packs_due() -> ColumnElement[int]:
    """SQL: packs of a line that are to be brought and sent as they were ordered (`queries.ShownLine.left`)."""
    back, missing = OrderLine.refunded_quantity, OrderLine.missing_quantity
    return OrderLine.quantity - case((back > missing, back), else_=missing) - OrderLine.replaced_quantity


def shares(parts: Iterable[Part], station: str) -> dict[books.Account, int]:
    """Whose these parts are while the parcel is held: price less fee and their own discount the seller's, fee and shipping
    the station's. With what the province put to it that is more than their buyer paid."""
    found: dict[books.Account, int] = defaultdict(int)
    for part in parts:
        found["seller_held", part.line.seller] += part.goods_fen - part.service_fee_fen - part.seller_discount_fen
        found["station_held", station] += part.service_fee_fen + part.shipping_fen
    return found


def given_back(parts: Iterable[Part], station: str) -> dict[books.Account, int]:
    """As `shares`, and what of it the province has back: together what the buyer has back.

    That is no promotion's money any more, whether it still runs or not: no other order could have it."""
    parts = list(parts)
    return {**shares(parts, station), GRANT: -sum(part.province_fen for part in parts)}


def given_back_by_station(parts: Iterable[Part], station: str) -> dict[books.Account, int]:
    """As `given_back`, of a lost parcel, which its station pays back alone."""
    parts = list(parts)
    of_province = sum(part.province_fen for part in parts)
    return {("station_payable", station): sum(part.fen for part in parts) + of_province, GRANT: -of_province}


def is_lost(session: Session, parcel: Parcel) -> bool:
    """Settled between growers and station; the buyer never got it."""
    was = select(EventRow.id).where(EventRow.subject == f"parcel:{parcel.public_id}", EventRow.to_state == S.LOST)
    return parcel.state is S.SETTLED and session.scalar(was.limit(1)) is not None
