"""What a buyer paid each issuer of an order's invoices, less what came back: goods the sellers, shipping the stations."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.orders import remaining
from marketplace.orders.invoices.states import Issuer
from marketplace.orders.models import Order, Parcel

Party = tuple[Issuer, str]


def of_orders(session: Session, numbers: Sequence[str]) -> dict[str, dict[Party, int]]:
    """By order and issuer, in fen: two statements."""
    wanted = select(Parcel.id, Parcel.station_code, Order.number).join(Order, Order.id == Parcel.order_id)
    parcels = {row.id: row for row in session.execute(wanted.where(Order.number.in_(numbers)))}
    found: dict[str, dict[Party, int]] = {number: defaultdict(int) for number in numbers}
    for parcel, lines in remaining.of_parcels(session, list(parcels)).items():
        mine = found[parcels[parcel].number]
        for line in lines:
            left = line.rest
            mine[Issuer.SELLER, line.seller] += left.goods_fen - left.seller_discount_fen - left.platform_discount_fen
            mine[Issuer.STATION, parcels[parcel].station_code] += left.shipping_fen - left.shipping_discount_fen
    return found
