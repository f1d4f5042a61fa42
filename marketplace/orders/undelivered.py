"""What never reaches its buyer, and who bears it. Whoever bought pays for nothing they did not get:

- cancelled by the buyer before any station took on a part: all of it goes back, from those who would have been owed it;
  one parcel alone before its own station did, whatever the others do: the same for what is in it, unless what stays would
  not have had its discount without it;
- never fetched and returned to the growers: the same; the goods are theirs again, not for sale until they are counted;
- packed, and no courier came while its buyer had to wait (a presale's days were over): the same;
- lost on the way: the grower delivered and is paid, the station earned its fee and the shipping, and then the station, which
  chose the carrier and is the one it answers to, pays the whole parcel back. What it is owed may go below zero by that.

What was refunded before, by line, stays so: "all of it" is what remains.

docs/adr/0007 says why. A refusal by the station is in `fulfilment`."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from listings import stock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import transition
from marketplace.orders import disputed, fulfilment, remaining, repaying, settlement
from marketplace.orders.groups import membership
from marketplace.orders.institutions import payments
from marketplace.orders.models import Order, Parcel
from marketplace.orders.paying import get_order
from marketplace.orders.promotions import staying, using
from marketplace.orders.states import GOES_AHEAD, OrderState, ParcelState as S
from marketplace.payments import refunds

WAITING: Final = frozenset({S.AWAITING_GROUP, S.AWAITING_ACCEPTANCE})
UNTOUCHED: Final = WAITING | {S.REFUSED, S.CANCELLED}
NEVER_LEFT: Final = (
    (S.PACKED, S.READY_FOR_PICKUP),
    (S.READY_FOR_PICKUP, S.UNCOLLECTED),
    (S.UNCOLLECTED, S.RETURNED_TO_SELLER),
)


class AlreadyBegun(Refusal):
    message = _l("A station has started on this order, so it can no longer be cancelled.")


class DiscountNeedsIt(Refusal):
    message = _l("Without this parcel the rest would not have had its discount, so it is not cancelled alone.")


def can_be_cancelled(order: Order) -> bool:
    """Paid, and no station has begun with any part of it. A replacement comes, or its money goes back by itself."""
    states = {parcel.state for parcel in order.parcels}
    is_open = order.state in GOES_AHEAD and not order.is_exchange
    return is_open and states <= UNTOUCHED and not states.isdisjoint(WAITING)


def can_be_parted(order: Order) -> bool:
    return order.state in GOES_AHEAD and not order.is_exchange and len(order.parcels) > 1


def sum_if_cancelled(session: Session, order: Order) -> int:
    """Fen that would go back: what a station has refused or refunded is on its way already, as is what a bank gave back, or
    somebody on the provider's own pages."""
    waiting = [parcel.id for parcel in order.parcels if parcel.state in WAITING]
    lines = remaining.of_parcels(session, waiting) if waiting else {}
    return still_there(session, order, sum(line.rest.fen for parcel in lines.values() for line in parcel))


def still_there(session: Session, order: Order, fen: int) -> int:
    """Of so much that a refund would give back, what is left of the order's payment."""
    if fen and order.paid_at is not None and disputed.is_lost(session, order.number):
        return max(min(fen, refunds.left_of(session, payments.attempt_of(session, order.number))), 0)
    return fen


def cancel_paid(session: Session, *, number: str, actor: str) -> int:
    """The buyer changed their mind: everything is for sale again, the money goes back by itself or is not asked for.

    Returns the fen.

    Raises AlreadyBegun once a station has taken on a part, StaleState for an order that is cancelled already."""
    return call_off(session, get_order(session, number), actor=actor, why="cancelled by the buyer", reason="cancelled")


def call_off(session: Session, order: Order, *, actor: str, why: str, reason: str) -> int:
    """As `cancel_paid`, whoever decided it, of an order that is locked; `reason` is one of refunded.WHY."""
    if order.state in GOES_AHEAD:
        membership.leave(session, order, actor=actor, why=why)
        if not can_be_cancelled(order):
            raise AlreadyBegun(order.number)
    fen = sum_if_cancelled(session, order)
    here = order.state if order.state in GOES_AHEAD else OrderState.PAID
    transition(session, order, OrderState.CANCELLED, expected=here, actor=actor, why=why)
    for parcel in order.parcels:
        if parcel.state in WAITING:
            drop(session, parcel, order.number, actor=actor, why=why, reason=reason)
    if order.discount_fen:
        using.give_back(session, order.number)
    return fen


def parts_to_cancel(session: Session, order: Order) -> dict[str, int]:
    """Parcels that may be cancelled alone, by public id, with the fen that would go back: no station has begun with them.

    None without which a discount would not have been given, nor where there is one parcel only."""
    waiting = {parcel.id: parcel.public_id for parcel in order.parcels if parcel.state is S.AWAITING_ACCEPTANCE}
    if not can_be_parted(order) or not waiting:
        return {}
    if order.discount_fen:
        sent = [parcel.id for parcel in order.parcels if parcel.state not in (S.REFUSED, S.CANCELLED)]
        waiting = {number: waiting[number] for number in staying.may_leave(session, order.number, sent) & waiting.keys()}
    lines = remaining.of_parcels(session, list(waiting)) if waiting else {}
    found = {waiting[number]: sum(line.rest.fen for line in parcel) for number, parcel in lines.items()}
    return {parcel: still_there(session, order, fen) for parcel, fen in found.items()}


def cancel_part(session: Session, *, number: str, parcel: str, actor: str) -> int:
    """The buyer does without one parcel, the others come: as `cancel_paid`, for what is in it. The last one cancels it all.

    Raises NotFound, DiscountNeedsIt, AlreadyBegun."""
    order = get_order(session, number)
    row = next((each for each in order.parcels if each.public_id == parcel), None)
    if row is None:
        raise NotFound(parcel)
    fen = parts_to_cancel(session, order).get(parcel)
    if fen is None and can_be_parted(order) and row.state is S.AWAITING_ACCEPTANCE:
        raise DiscountNeedsIt(number)
    if fen is None:
        raise AlreadyBegun(number)
    if all(each is row or each.state in (S.REFUSED, S.CANCELLED) for each in order.parcels):
        return cancel_paid(session, number=number, actor=actor)
    drop(session, row, number, actor=actor, why="cancelled by the buyer", reason="cancelled")
    fulfilment.close_if_over(session, number)
    return fen


def drop(session: Session, parcel: Parcel, number: str, *, actor: str, why: str, reason: str) -> None:
    """What waits in it is for sale again, and its money goes back."""
    fulfilment.move(session, parcel, parcel.state, S.CANCELLED, actor, why)
    stock.put_back(session, fulfilment.quantities_of(session, parcel), reference=number)
    fulfilment.pay_back(session, parcel, reason=reason)
    fulfilment.announce(session, parcel)


def return_to_seller(session: Session, *, parcel: str, station: str | None, actor: str) -> None:
    """Nobody came for it, also later: the growers have their goods back, the buyer their money.

    An order of which nothing was kept is cancelled."""
    row = fulfilment.get_paid_parcel(session, parcel, station=station)
    fulfilment.move(session, row, S.UNCOLLECTED, S.RETURNED_TO_SELLER, actor, "never fetched")
    fulfilment.pay_back(session, row, reason="never fetched")
    fulfilment.close_if_over(session, row.order.number)
    fulfilment.announce(session, row)


def return_unsent(session: Session, *, parcel: str, actor: str) -> None:
    """Packed, and nobody came for it in time: it goes from the station's shelf back to its growers, the money to its buyer.

    Three events, since no shorter way leads back from `packed`; of the first two nobody is told (docs/adr/0056)."""
    row = fulfilment.get_paid_parcel(session, parcel, station=None)
    for here, there in NEVER_LEFT:
        fulfilment.move(session, row, here, there, actor, "no courier came in time")
    fulfilment.pay_back(session, row, reason="never left")
    fulfilment.close_if_over(session, row.order.number)
    fulfilment.announce(session, row)


def lose(session: Session, *, parcel: str, station: str | None, actor: str, reason: str) -> None:
    """The carrier says that it is lost: settled as if it had arrived, and paid back by the station. Two events."""
    row = fulfilment.get_paid_parcel(session, parcel, station=station)
    fulfilment.move(session, row, S.SHIPPED, S.LOST, actor, reason)
    fulfilment.announce(session, row, reason=reason)
    settlement.settle(session, row, actor=actor, why="lost on the way")
    if disputed.is_lost(session, row.order.number):
        disputed.bear_lost(session, row)
    else:
        repaying.repay_rest(session, row, reason_key=f"lost:{row.public_id}", reason="lost on the way")
