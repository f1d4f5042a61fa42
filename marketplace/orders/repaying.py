"""Money of a parcel on its way back to the buyer: units are taken off the lines, the refund is asked for and written down.

Before the parcel settles it comes from what is held, after that from what is payable, which may go below zero: after a
payout the seller owes it. What promotions took off goes back to who bore it. What was paid by transfer is asked back, the
rest is netted by the next settlement. A lost parcel is paid back by its station alone."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.core import outbox
from marketplace.core.db import add_rows
from marketplace.core.errors import StaleState
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders import disputed, escrow, remaining
from marketplace.orders.batches import covering
from marketplace.orders.institutions import crediting, payments
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.orders.remaining import PAYABLE, Part
from marketplace.orders.states import ParcelState as S
from marketplace.payments import refunds
from marketplace.payments.models import Refund

REQUESTED, FAILED = "order.refund_requested", "order.refund_failed"  # the outbox's topics


def repay(session: Session, parcel: Parcel, parts: Sequence[Part], *, reason_key: str, reason: str) -> str:
    """Give these parts back; returns the refund's id. The caller has locked the order (`fulfilment.get_parcel`).

    What is on account and not paid is credited instead (`institutions.crediting`).

    Raises StaleState where fewer units are left than the parts say, refunds.RefundTooLarge beyond what was paid."""
    order, is_lost = parcel.order, remaining.is_lost(session, parcel)
    for part in parts:
        take_off(session, part)
    if order.paid_at is None:
        if is_lost:
            crediting.bear_lost(session, parcel, parts)
        return crediting.credit(session, parcel, parts, reason_key=reason_key, reason=reason)
    escrow.release(session, order)
    purpose, reference = payments.of_order(session, order.number)
    shares = bearers(parcel, parts, is_lost=is_lost)
    refund = refunds.request(
        session,
        purpose=purpose,
        reference=reference,
        reason_key=reason_key,
        amount=Money(sum(part.fen for part in parts), order.currency),
        shares={account: Money(fen, order.currency) for account, fen in shares.items()},
        reason=reason,
    )
    add_rows(session, RefundLine, *(line_of(refund, part, by_station=is_lost) for part in parts))
    covering.cover_refund(session, shares, book=order.book, refund=refund)
    outbox.put(session, REQUESTED, refund=refund)
    return refund


def repay_rest(session: Session, parcel: Parcel, *, reason_key: str, reason: str) -> str | None:
    """Everything of the parcel that was not given back yet; None where its buyer has everything back.

    Of a bill also what nobody would pay for, as shipping that was free: else it would be shared out with the rest."""
    parts = remaining.rest(session, parcel)
    is_owed = any(part.fen for part in parts) or (bool(parts) and parcel.order.paid_at is None)
    return repay(session, parcel, parts, reason_key=reason_key, reason=reason) if is_owed else None


def bearers(parcel: Parcel, parts: Iterable[Part], *, is_lost: bool) -> dict[books.Account, int]:
    """From which accounts these parts come, in fen."""
    if is_lost:
        return remaining.given_back_by_station(parts, parcel.station_code)
    held = remaining.given_back(parts, parcel.station_code)
    is_settled = parcel.state is S.SETTLED
    return {(PAYABLE.get(kind, kind) if is_settled else kind, owner): fen for (kind, owner), fen in held.items()}


def take_off(session: Session, part: Part) -> None:
    """Count the units as given back, in one guarded statement: two refunds at once never give back what is not left."""
    line = update(OrderLine).where(
        OrderLine.id == part.line.id, OrderLine.quantity - OrderLine.refunded_quantity >= part.units
    )
    taken = line.values(refunded_quantity=OrderLine.refunded_quantity + part.units).returning(OrderLine.id)
    if session.scalar(taken) is None:
        raise StaleState(f"{part.line.public_id}: {part.units} units are not left")


def line_of(refund: str, part: Part, *, by_station: bool) -> dict[str, object]:
    names = ("goods_fen", "service_fee_fen", "shipping_fen")
    off = ("seller_discount_fen", "platform_discount_fen", "shipping_discount_fen")
    figures = {name: getattr(part, name) for name in (*names, *off)}
    whose = {"refund_public_id": refund, "order_line_id": part.line.id, "quantity": part.units}
    return {**whose, **figures, "with_shipping": part.with_shipping, "by_station": by_station}


def came_back(session: Session, /, *, reference: str, refund: str, amount: Money) -> None:
    """A refund did not reach the buyer: its units can be refunded again, and its money is owed as that of its parcel.

    What was held when the refund was asked for has become payable if the parcel settled meanwhile."""
    lines = session.scalars(select(RefundLine).where(RefundLine.refund_public_id == refund)).all()
    if not lines:
        return  # a surplus was never anybody's goods
    order = session.scalars(select(Order).where(Order.number == reference).with_for_update()).one()
    for line in lines:
        back = update(OrderLine).where(OrderLine.id == line.order_line_id)
        session.execute(back.values(refunded_quantity=OrderLine.refunded_quantity - line.quantity))
    its = select(Parcel).join(OrderLine, OrderLine.parcel_id == Parcel.id).where(OrderLine.id == lines[0].order_line_id)
    parcel = session.scalars(its.execution_options(populate_existing=True)).one()
    if parcel.state is S.SETTLED:
        settle_late(session, order, parcel, refund)
    if disputed.is_lost(session, reference):
        disputed.keep_what_came_back(session, parcel)
    outbox.put(session, FAILED, refund=refund)


def settle_late(session: Session, order: Order, parcel: Parcel, refund: str) -> None:
    """`settle:<parcel>:refund:<refund>`: what came back into held accounts of a settled parcel is payable."""
    shares = session.scalars(select(Refund.shares).where(Refund.public_id == refund)).one()
    lines: dict[books.Account, Money] = {}
    for kind, owner, fen in shares:
        if kind in PAYABLE:
            part = Money(fen, order.currency)
            lines |= {(kind, owner): part, (PAYABLE[kind], owner): -part}
    if lines:
        key = f"settle:{parcel.public_id}:refund:{refund}"
        books.post(session, key=key, book=order.book, reference=order.number, lines=lines)
