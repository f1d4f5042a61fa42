"""A place becomes an ordinary order with its station's parcel: paid already, sent, refunded and settled like any other.

The harvest comes onto the shelf and leaves it in one moment, so that nobody else buys what was sold ahead; what is refused
afterwards is for sale to all."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales import backing
from crowdfund.presales.backing import SYSTEM
from crowdfund.presales.models import Backing, Presale, PresaleTier
from crowdfund.presales.states import BackingState as B, PresaleState as P
from listings import offers, stock
from listings.offers import Offer
from marketplace.core import clock, ids, outbox
from marketplace.core.db import in_transaction
from marketplace.core.transitions import transition
from marketplace.orders import placing, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.models import Order
from marketplace.orders.placing import Recipient
from marketplace.orders.quoting import COURIER, Quote, QuotedLine, QuotedParcel
from marketplace.orders.shipping import Tariff
from marketplace.orders.states import OrderState

ORDERS: Final = "presale.orders"  # the outbox's topics
ORDERED: Final = "backing.ordered"
PAGE: Final = 100
WHY: Final = "presale"


@dataclass(frozen=True)
class SoldAhead(Offer):
    """A pack at a tier's price and fee, of which there is what was sold."""

    unit_fee_fen: int = 0

    def service_fee_for(self, quantity: int) -> int:
        return self.unit_fee_fen


@dataclass(frozen=True)
class SentIncluded(Tariff):
    """Sending costs what the tier says, wherever it goes and whatever it weighs."""

    fen: int = 0

    def price_fen(self, grams: int, goods_fen: int, free_from_fen: int) -> int:
        return self.fen

    def arrives_by(self, grams: int) -> date:
        heaviest = max((rate.up_to_grams for rate in self.rates), default=grams)
        return super().arrives_by(min(grams, heaviest)) if self.rates else self.day


def order_page(*, presale: str, last: int = 0) -> None:
    """The listener of `presale.orders`: some places, each by itself, and a note that more follow."""
    found = in_transaction(waiting, presale=presale, after=last)
    for _number, backing_id in found:
        in_transaction(order, backing_id=backing_id)
    if found:
        in_transaction(go_on, presale=presale, last=found[-1][0])


def go_on(session: Session, *, presale: str, last: int) -> None:
    outbox.put(session, ORDERS, presale=presale, last=last)


def waiting(session: Session, *, presale: str, after: int) -> list[tuple[int, str]]:
    """Places that have said where to and are no orders yet."""
    mine = select(Backing.id, Backing.public_id).join(Presale, Presale.id == Backing.presale_id)
    mine = mine.where(Presale.public_id == presale, Backing.state == B.CONFIRMED, Backing.answered_at.is_not(None))
    found = session.execute(mine.where(Backing.id > after).order_by(Backing.id).limit(PAGE))
    return [(row.id, row.public_id) for row in found]


def order(session: Session, *, backing_id: str) -> str | None:
    """The number of its order. None where nothing is to be ordered: not answered, over, or ordered before."""
    row = backing.get(session, backing_id)
    presale = session.get_one(Presale, row.presale_id, populate_existing=True)
    if row.state is not B.CONFIRMED or row.answered_at is None or presale.state is not P.DELIVERING:
        return None
    tier = session.get_one(PresaleTier, row.tier_id)
    said = (row.recipient, row.phone, row.province_code, row.city, row.street, row.note or "")
    recipient = Recipient(*(str(value) for value in said))
    quote = quoted(session, tier, str(row.variant_code), recipient.province)
    number, goods = ids.order_number(), {str(row.variant_code): tier.packs}
    stock.count(session, str(row.variant_code), difference=tier.packs, reference=number)
    stock.reserve(session, goods, reference=number)
    placing.freeze(session, number, quote, recipient, CartOwner(row.person_id, None), row.language)
    stock.sell(session, goods, reference=number)
    placed = session.scalars(select(Order).where(Order.number == number)).one()
    placed.book, placed.backing = row.book, row.public_id
    told: dict[str, Any] = {"actor": SYSTEM, "why": WHY}
    transition(session, placed, OrderState.PAID, expected=OrderState.PENDING_PAYMENT, **told, paid_at=clock.now())
    transition(session, row, B.ORDERED, expected=B.CONFIRMED, **told, order_number=number)
    outbox.put(session, "order.paid", number=number)
    outbox.put(session, ORDERED, backing=backing_id)
    return number


def quoted(session: Session, tier: PresaleTier, variant: str, province: str) -> Quote:
    """What was promised when the place was paid: price, fee and shipping are the tier's."""
    found = offers.find(session, [variant])[variant]
    terms = {"price_fen": tier.unit_price_fen, "tiers": (), "minimum_quantity": 1, "available": tier.packs}
    known = {field.name: getattr(found, field.name) for field in fields(Offer)} | terms | {"is_published": True}
    tariff = shipping.tariff(session, province, clock.today())
    included = SentIncluded(tariff.rates, tariff.day, fen=tier.shipping_fen)
    line = QuotedLine(SoldAhead(**known, unit_fee_fen=tier.unit_service_fee_fen), tier.packs, tier.unit_price_fen)
    return Quote((QuotedParcel((line,), COURIER, included),))
