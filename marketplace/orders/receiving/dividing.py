"""What a buyer took instead becomes a line of its own, so that whatever goes back of it goes back at its own price.

Nothing new is sold by that: the packs leave the line that was ordered with the part of the shipping and of the discounts
that is theirs, and both lines together are what was paid. docs/adr/0034 says why."""

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from listings.models import Variant
from marketplace.core import ids
from marketplace.core.db import add_row
from marketplace.core.errors import StaleState
from marketplace.orders.models import OrderLine
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.remaining import LineLeft

ALIKE: Final = (
    *("parcel_id", "listing_code", "variant_code", "seller_public_id", "seller_name", "title_zh", "title_en"),
    *("unit_zh", "unit_en", "unit_price_fen", "unit_service_fee_fen", "return_policy", "drawing", "media_public_id"),
)
"""What was ordered stays written on the line, but for the weight; what is sent stands in its substitute."""


def divide(session: Session, row: Substitute, line: LineLeft) -> None:
    """Give the packs of `row` a line of their own, if there are others on theirs. The caller has locked the order.

    In fen: of what is the whole line's they take their part by units, rounded down, as far as it is left.
    Raises StaleState where fewer packs are replaced."""
    grams = session.scalars(select(Variant.net_weight_grams).where(Variant.code == row.variant_code)).one()
    if row.packs == line.quantity:
        session.execute(update(OrderLine).where(OrderLine.id == line.id).values(net_weight_grams=grams))
        return
    whole = session.get_one(OrderLine, row.order_line_id, populate_existing=True)
    theirs = parts_of(whole, line, row.packs)
    rest = {name: getattr(OrderLine, name) - part for name, part in theirs.items()}
    counted = {"quantity": OrderLine.quantity - row.packs, "replaced_quantity": OrderLine.replaced_quantity - row.packs}
    shrunk = update(OrderLine).where(OrderLine.id == whole.id, OrderLine.replaced_quantity >= row.packs)
    if session.scalar(shrunk.values(**counted, **rest).returning(OrderLine.id)) is None:
        raise StaleState(f"{line.public_id}: {row.packs} packs are not replaced")
    own = {name: getattr(whole, name) for name in ALIKE} | theirs
    own |= {"public_id": ids.public_id(), "net_weight_grams": grams, "quantity": row.packs, "replaced_quantity": row.packs}
    row.order_line_id = add_row(session, OrderLine, own)
    session.flush()
    session.expire(whole)


def parts_of(whole: OrderLine, left: LineLeft, packs: int) -> dict[str, int]:
    """Their part by units of what is left of shipping and discounts; both lines have something left for everybody."""
    goods, fee = whole.unit_price_fen * packs, whole.unit_service_fee_fen * packs
    seller_fen, platform_fen = (
        fen * packs // whole.quantity for fen in (whole.seller_discount_fen, whole.platform_discount_fen)
    )
    theirs = left.price.with_discounts(goods, fee, seller_fen, platform_fen)
    shipping_fen = min(whole.shipping_fen * packs // whole.quantity, left.shipping_fen - left.shipping_back_fen)
    return {
        "shipping_fen": shipping_fen,
        "seller_discount_fen": theirs.seller_discount_fen,
        "platform_discount_fen": theirs.platform_discount_fen,
        "shipping_discount_fen": shipping_fen if whole.shipping_discount_fen else 0,
    }
