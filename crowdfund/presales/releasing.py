"""What a presale holds in escrow becomes its seller's and its station's, in parts.

release:<presale>:start     at most 30 % of each place, to seller_held, when it has succeeded
release:<presale>:<order>   the rest, to seller_held and station_held, when the order's parcel is dispatched, or is refunded
                            before: then the refund takes it from there (docs/adr/0035)"""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales.backing import escrow_of
from crowdfund.presales.models import Backing, Presale, PresaleTier
from crowdfund.presales.returning import seller_of
from crowdfund.presales.states import BackingState as B
from marketplace.core import outbox
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders.models import Order

SUCCEEDED: Final = "backing.succeeded"  # the outbox's topic: each backer is asked where to


def release_start(session: Session, presale: Presale) -> None:
    """Of a locked presale that has just succeeded. Everybody in it is asked for their address."""
    places = select(Backing, PresaleTier).join(PresaleTier, PresaleTier.id == Backing.tier_id)
    places = places.where(Backing.presale_id == presale.id, Backing.state == B.CONFIRMED).order_by(Backing.id)
    found = session.execute(places).all()
    for backing, tier in found:
        backing.start_fen = min(backing.fen * presale.start_percent // 100, seller_share(tier))
    released = Money(sum(backing.start_fen for backing, _tier in found))
    if released:
        lines: dict[books.Account, Money] = {escrow_of(presale.public_id): released}
        lines["seller_held", seller_of(session, presale)] = -released
        books.post(
            session,
            key=f"release:{presale.public_id}:start",
            book=presale.book,
            reference=presale.public_id,
            lines=lines,
        )
    outbox.put_all(session, SUCCEEDED, [{"backing": backing.public_id} for backing, _tier in found])


def seller_share(tier: PresaleTier) -> int:
    """Fen of a place that are the seller's; the station has its fee and the shipping."""
    return (tier.unit_price_fen - tier.unit_service_fee_fen) * tier.packs


def release_order(session: Session, order: Order) -> None:
    """The rest of the place that this order came of, once: what is sent or refunded is held as of any order."""
    known = select(Backing, Presale, PresaleTier).join(Presale, Presale.id == Backing.presale_id)
    known = known.join(PresaleTier, PresaleTier.id == Backing.tier_id).where(Backing.order_number == order.number)
    backing, presale, tier = session.execute(known).one()
    key = f"release:{presale.public_id}:{order.number}"
    if books.is_posted(session, key):
        return
    rest = backing.fen - backing.start_fen
    of_seller = seller_share(tier) - backing.start_fen
    lines: dict[books.Account, int] = {escrow_of(presale.public_id): rest}
    lines["seller_held", seller_of(session, presale)] = -of_seller
    lines["station_held", presale.station_code] = of_seller - rest
    money = {account: Money(fen, backing.currency) for account, fen in lines.items()}
    books.post(session, key=key, book=presale.book, reference=order.number, lines=money)


def start_of(session: Session, order: Order) -> int:
    """Fen of this order's place that were released when the presale had succeeded."""
    return session.scalar(select(Backing.start_fen).where(Backing.order_number == order.number)) or 0


def booked_under(session: Session, backing: str) -> list[str]:
    """Under what the books have the money of a place once it was paid: its presale's start, and its order."""
    wanted = select(Presale.public_id, Backing.order_number).join(Backing, Backing.presale_id == Presale.id)
    found = session.execute(wanted.where(Backing.public_id == backing)).first()
    return [name for name in found if name] if found else []
