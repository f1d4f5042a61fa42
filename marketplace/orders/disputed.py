"""An order whose payer asked their bank for the money: nothing of it is sent, settled or paid out while that is open.

Where it is lost the province bears it (docs/adr/0016): growers and stations have delivered what was paid, and it was the
province that answered the bank. What was not sent by then is nobody's any more: it goes to the province's loss."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.models import Entry
from marketplace.orders import escrow, remaining
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import LineState
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.institutions import payments
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState as S
from marketplace.payments import refunds
from marketplace.payments.disputes import standing
from marketplace.payments.disputes.standing import LOSS

NOT_SENT = frozenset({S.REFUSED, S.CANCELLED, S.RETURNED_TO_SELLER})


def refuse_disputed(session: Session, number: str) -> None:
    """Raises standing.PaymentIsDisputed."""
    standing.refuse_disputed(session, **payments.of_order(session, number)._asdict())


def refuse_unpaid_for(session: Session, parcel: Parcel) -> None:
    """Nothing leaves while what pays for it is disputed: of a replacement the first order's payment.

    Raises standing.PaymentIsDisputed."""
    number = parcel.order.number
    if parcel.order.is_exchange:
        first = select(Order.number).join(Parcel, Parcel.order_id == Order.id)
        first = first.join(AfterSalesCase, AfterSalesCase.parcel_id == Parcel.id)
        number = session.scalars(first.where(AfterSalesCase.exchange_number == number)).one()
    refuse_disputed(session, number)


def stopped(session: Session) -> set[str]:
    """Numbers of the orders of which nothing leaves now (see `refuse_unpaid_for`): one statement."""
    taken = payments.disputed_orders()
    again = select(AfterSalesCase.exchange_number).join(Parcel, Parcel.id == AfterSalesCase.parcel_id)
    again = again.join(Order, Order.id == Parcel.order_id).where(Order.number.in_(taken))
    numbers: Sequence[str | None] = session.scalars(union(*taken.selects, again)).all()
    return {number for number in numbers if number is not None}


def is_lost(session: Session, number: str) -> bool:
    """A bank has given the buyer this order's money back."""
    return standing.is_lost(session, **payments.of_order(session, number)._asdict())


def is_kept(session: Session, parcel: Parcel) -> bool:
    """What was held or owed for it went to the province's loss."""
    return books.is_posted(session, key_of(parcel))


def key_of(parcel: Parcel) -> str:
    return f"dispute_kept:{parcel.public_id}"


def keep(session: Session, parcel: Parcel, *, reason: str) -> None:
    """`dispute_kept:<parcel>`: nothing was sent, and the bank has given money back: what was held lessens that loss.

    What the bank did not give goes back to the buyer, out of that loss."""
    order = parcel.order
    escrow.release(session, order)
    shares = remaining.given_back(remaining.rest(session, parcel), parcel.station_code)
    post_kept(session, parcel, {account: Money(fen, order.currency) for account, fen in shares.items()})
    give_rest(session, parcel, sum(shares.values()), reason=reason)


def give_rest(session: Session, parcel: Parcel, fen: int, *, reason: str) -> None:
    """Of so much that was kept for it, what nobody has given its buyer yet goes back to them, out of the loss."""
    attempt = payments.attempt_of(session, parcel.order.number)
    fen = min(fen, refunds.left_of(session, attempt))
    if fen > 0:
        back = {LOSS: Money(fen, parcel.order.currency)}
        key = f"{refunds.OUT_OF_LOSS}:{parcel.public_id}"
        refunds.request_for(session, attempt, reason_key=key, shares=back, reason=reason)


def keep_unsent(session: Session, parcel: Parcel) -> None:
    """Nothing was sent and its refund did not arrive: nobody else comes for what is still held (see `keep`)."""
    if parcel.state in NOT_SENT and remaining.rest(session, parcel) and not is_kept(session, parcel):
        keep(session, parcel, reason="refused")


def keep_what_came_back(session: Session, parcel: Parcel) -> None:
    """Of a parcel that nobody has got, whose refund did not arrive: unsent (`keep`), or lost on the way (`bear_lost`)."""
    keep_unsent(session, parcel)
    if remaining.is_lost(session, parcel) and remaining.rest(session, parcel) and not is_kept(session, parcel):
        bear_lost(session, parcel)


def bear(session: Session, /, *, reference: str, dispute: str, amount: Money) -> Mapping[books.Account, Money]:
    """The province bears all of it; what had come back before the bank decided lessens that at once."""
    keep_what_waits(session, reference=reference)
    return {}


def keep_what_waits(session: Session, /, *, reference: str) -> None:
    """What is held for parcels that nobody has got, since a refund did not arrive, lessens the loss (see `keep`)."""
    order = session.scalars(select(Order).where(Order.number == reference).with_for_update()).one()
    for parcel in session.scalars(select(Parcel).where(Parcel.order_id == order.id).order_by(Parcel.id)):
        keep_what_came_back(session, parcel)


def bear_lost(session: Session, parcel: Parcel) -> None:
    """It was lost on the way, and the buyer has money from the bank: the station bears it all the same (ADR 7).

    What the bank did not give goes back to the buyer, as in `keep`."""
    shares = remaining.given_back_by_station(remaining.rest(session, parcel), parcel.station_code)
    post_kept(session, parcel, {account: Money(fen, parcel.order.currency) for account, fen in shares.items()})
    give_rest(session, parcel, sum(shares.values()), reason="lost on the way")


def post_kept(session: Session, parcel: Parcel, lines: dict[books.Account, Money]) -> None:
    order = parcel.order
    total = Money(sum(money.fen for money in lines.values()), order.currency)
    if total:
        books.post(session, key=key_of(parcel), book=order.book, reference=order.number, lines={**lines, LOSS: -total})


def frozen(session: Session, *, book: str) -> dict[tuple[str, str], int]:
    """Fen by owner ("seller" or "station", and which) that are payable, disputed and not paid out yet."""
    wanted = select(Parcel).join(Order, Order.id == Parcel.order_id).where(Parcel.state == S.SETTLED)
    wanted = wanted.where(Order.book == book, Order.number.in_(payments.disputed_orders()))
    found: dict[tuple[str, str], int] = defaultdict(int)
    for parcel in session.scalars(wanted):
        for (kind, owner), fen in remaining.shares(remaining.rest(session, parcel), parcel.station_code).items():
            if not is_paid_out(session, parcel, kind.removesuffix("_held"), owner):
                found[kind.removesuffix("_held"), owner] += fen
    return found


def is_paid_out(session: Session, parcel: Parcel, kind: str, owner: str) -> bool:
    """A batch has paid its owner since it was settled."""
    settled = select(Entry.at).where(Entry.key == f"settle:{parcel.public_id}:{owner}").scalar_subquery()
    paid = select(BatchLine.id).join(SettlementBatch, SettlementBatch.id == BatchLine.batch_id)
    paid = paid.where(BatchLine.owner_kind == kind, BatchLine.owner == owner, SettlementBatch.drafted_at >= settled)
    paid = paid.where(BatchLine.state.in_((LineState.SENT, LineState.CONFIRMED)), BatchLine.bounced_at.is_(None))
    return session.scalar(paid.limit(1)) is not None
