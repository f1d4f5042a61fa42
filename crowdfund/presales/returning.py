"""Money of a presale on its way back: each place in a transaction of its own, as often as it takes, whatever interrupts it.

Before it is ordered a place is paid from escrow and from what was released at the start; after that its order's parcel is
refused, which refunds it as any other."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.presales import backing, grace
from crowdfund.presales.backing import PURPOSE, SYSTEM, escrow_of
from crowdfund.presales.models import Backing, Presale
from crowdfund.presales.states import BackingState as B, PresaleState as P
from listings import stock
from marketplace.accounts.models import Person
from marketplace.core import audit, outbox
from marketplace.core.db import in_transaction
from marketplace.core.errors import Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import subject_of, transition
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders import fulfilment, undelivered
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState
from marketplace.payments import refunds
from marketplace.payments.disputes import standing
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

RETURNS: Final = "presale.returns"  # the outbox's topics
ONE_RETURNS: Final = "backing.returns"
TOLD: Final = "backing.returned"
PAGE: Final = 100
LATER: Final = timedelta(hours=6)
OVER: Final = frozenset({P.FAILED, P.DEFAULTED, P.CLOSED})
NOT_REACHED, LEFT, NOT_SENT = "presale failed", "left", "presale not sent"
WORDS: Final = {
    NOT_REACHED: _l("The presale did not reach its goal"),
    LEFT: _l("Taken back by the buyer before the presale ended"),
    NOT_SENT: _l("Not sent in time after the harvest"),
}


class NoLongerOpen(Refusal):
    message = _l("The presale has ended, so your place is fixed. If it falls short, everything goes back by itself.")


def leave(session: Session, *, backing_id: str, actor: str) -> str:
    """Whoever paid takes it back while the presale is open; the refund's public id. Raises NotFound, NoLongerOpen,
    StaleState, PaymentIsDisputed."""
    row = locked(session, backing_id)
    if not backing.is_open(session, row):
        raise NoLongerOpen(backing_id)
    if row.state is not B.CONFIRMED:
        raise StaleState(backing_id)
    refund = pay_back(session, row, LEFT, actor=actor)
    backing.free(session, row)
    return refund


def return_page(*, presale: str, last: int = 0) -> None:
    """The listener of `presale.returns`: some places, and a note that more follow, so that nothing else waits for all."""
    found = in_transaction(waiting, presale=presale, after=last)
    for _number, backing_id in found:
        return_one(backing_id=backing_id)
    if found:
        in_transaction(go_on, presale=presale, last=found[-1][0])


def return_one(*, backing_id: str) -> None:
    """The listener of `backing.returns`. What a bank disputes waits for that, apart from the others."""
    try:
        in_transaction(give_back, backing_id=backing_id)
    except Refusal:
        in_transaction(come_again, backing_id=backing_id)


def go_on(session: Session, *, presale: str, last: int) -> None:
    outbox.put(session, RETURNS, presale=presale, last=last)


def come_again(session: Session, *, backing_id: str) -> None:
    outbox.put(session, ONE_RETURNS, after=LATER, backing_id=backing_id)


def waiting(session: Session, *, presale: str, after: int) -> Sequence[tuple[int, str]]:
    """Places whose money may have to go back, by their ids."""
    mine = select(Backing.id, Backing.public_id).join(Presale, Presale.id == Backing.presale_id)
    mine = mine.where(Presale.public_id == presale, Backing.state.in_((B.CONFIRMED, B.ORDERED)), Backing.id > after)
    return [(row.id, row.public_id) for row in session.execute(mine.order_by(Backing.id).limit(PAGE))]


def give_back(session: Session, *, backing_id: str) -> None:
    """What is not sent of a presale that is over; and once more what did not arrive. Asked again, nothing happens."""
    row = locked(session, backing_id)
    presale = session.get_one(Presale, row.presale_id, populate_existing=True)
    state = presale.state
    was_silent = state is P.DELIVERING and row.answered_at is None and grace.is_too_late(presale, None)
    if row.state is B.CONFIRMED and (state in OVER or was_silent):
        pay_back(session, row, NOT_REACHED if state is P.FAILED else NOT_SENT, actor=SYSTEM)
    elif row.state is B.ORDERED and state in OVER:
        refuse_unsent(session, row, presale)
    elif row.state is B.REFUNDED and kept_fen(session, row):
        request(session, row, LEFT if state is P.LIVE else NOT_REACHED if state is P.FAILED else NOT_SENT)


def pay_back(session: Session, row: Backing, reason: str, *, actor: str) -> str:
    transition(session, row, B.REFUNDED, expected=B.CONFIRMED, actor=actor, why=reason)
    outbox.put(session, TOLD, backing=row.public_id)
    return request(session, row, reason)


def request(session: Session, row: Backing, reason: str) -> str:
    """All of the place, from where it lies; a key for each try. Nothing where its buyer has all of it already.

    What a bank gave of it, or somebody on the provider's own pages, was the province's loss, and is made good by that."""
    standing.refuse_disputed(session, purpose=PURPOSE, reference=row.public_id)
    left = kept_fen(session, row)
    gone = Money(left - row.fen, row.currency)
    lies = shares_of(session, row) if lies_here(session, row) else {standing.LOSS: Money(row.fen, row.currency)}
    shares = {**lies, standing.LOSS: lies.get(standing.LOSS, Money(0, row.currency)) + gone}
    if left <= 0:
        if standing.LOSS not in lies:
            books.post(session, key=f"dispute_kept:{row.public_id}", book=row.book, reference=row.public_id, lines=shares)
        return ""
    tried = select(func.count(Refund.id)).join(Attempt, Attempt.id == Refund.attempt_id)
    tried = tried.where(Attempt.purpose == PURPOSE, Attempt.reference == row.public_id, ~Attempt.is_surplus)
    failed = int(session.scalar(tried.where(Refund.state == RefundState.FAILED)) or 0)
    return refunds.request(
        session,
        purpose=PURPOSE,
        reference=row.public_id,
        reason_key=f"presale:{failed}",
        amount=Money(left, row.currency),
        shares=shares,
        reason=reason,
    )


def shares_of(session: Session, row: Backing) -> Mapping[books.Account, Money]:
    """Where the money of a place lies before it is ordered."""
    presale = session.get_one(Presale, row.presale_id)
    shares: dict[books.Account, Money] = {escrow_of(presale.public_id): Money(row.fen - row.start_fen, row.currency)}
    if row.start_fen:
        shares["seller_held", seller_of(session, presale)] = Money(row.start_fen, row.currency)
    return shares


def seller_of(session: Session, presale: Presale) -> str:
    return session.scalars(select(Person.public_id).where(Person.id == presale.seller_id)).one()


def lies_here(session: Session, row: Backing) -> bool:
    """By the books: nothing of what was paid for this place has gone back, nor to a bank."""
    held = select(func.sum(Line.amount)).join(Entry, Entry.id == Line.entry_id)
    held = held.join(LedgerAccount, LedgerAccount.id == Line.account_id)
    escrow = held.where(LedgerAccount.kind == "presale_escrow", Entry.reference == row.public_id)
    return -int(session.scalar(escrow) or 0) == row.fen


def kept_fen(session: Session, row: Backing) -> int:
    """Fen of a place that is to be refunded and of which no refund is there or under way."""
    mine = select(Attempt).where(Attempt.purpose == PURPOSE, Attempt.reference == row.public_id, ~Attempt.is_surplus)
    attempt = session.scalar(mine.where(Attempt.state == "succeeded"))
    return refunds.left_of(session, attempt) if attempt else 0


def refuse_unsent(session: Session, row: Backing, presale: Presale) -> None:
    """The station did not send it in time: refused as any parcel; and its goods, which never came, are not on the shelf.
    What is packed goes back to its growers from there. What still has days is looked at again when they are over."""
    number = str(row.order_number)
    wanted = select(Parcel.public_id, Parcel.state).join(Order, Order.id == Parcel.order_id).where(Order.number == number)
    for parcel, state in session.execute(wanted.where(Parcel.state.in_(grace.UNSENT))).all():
        is_packed = state is ParcelState.PACKED
        if not grace.is_too_late(presale, row.answered_at, is_packed=is_packed):
            come_again(session, backing_id=row.public_id)
            continue
        if is_packed:
            undelivered.return_unsent(session, parcel=parcel, actor=SYSTEM)
            continue
        goods = fulfilment.quantities_of(session, fulfilment.get_parcel(session, parcel, station=None))
        fulfilment.refuse(session, parcel=parcel, station=None, actor=SYSTEM, reason=NOT_SENT)
        for code, packs in goods.items():
            stock.count(session, code, difference=-packs, reference=number)


def locked(session: Session, backing_id: str) -> Backing:
    """With its attempts before it, as money that comes in locks them. Raises NotFound."""
    mine = select(Attempt.id).where(Attempt.purpose == PURPOSE, Attempt.reference == backing_id)
    session.execute(mine.order_by(Attempt.id).with_for_update()).all()
    return backing.get(session, backing_id)


def note_failure(session: Session, row: Backing, *, refund: str, amount: Money) -> None:
    """It comes again by itself, later."""
    come_again(session, backing_id=row.public_id)
    subject = subject_of(row)
    audit.record(session, actor=SYSTEM, action="backing.refund_failed", subject=subject, why=refund, fen=amount.fen)
