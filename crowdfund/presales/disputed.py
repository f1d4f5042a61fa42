"""A place whose buyer asked their bank for the money: nothing of it goes back or is sent while that is open.

Lost, it costs nobody more than was paid: what still lies in escrow bears it, the rest is the province's loss (ADR 16)."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from crowdfund.presales import backing, returning
from crowdfund.presales.backing import SYSTEM
from crowdfund.presales.models import Backing
from crowdfund.presales.states import BackingState as B
from marketplace.core import outbox
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.orders import disputed
from marketplace.orders.cases import paying_back
from marketplace.payments.disputes import standing

BANK_TOOK_IT: Final = "taken back by the bank"
SENT_ELSEWHERE: Final = "sent back on the provider's own pages"


def bear(session: Session, /, *, reference: str, dispute: str, amount: Money) -> Mapping[books.Account, Money]:
    """The buyer's bank has taken the payment: a place that is not ordered yet is given up for it, and so is what waits here
    for another refund; of an ordered one the province bears the loss, as of any order."""
    row = backing.get(session, reference)
    if row.state is B.ORDERED:
        return disputed.bear(session, reference=str(row.order_number), dispute=dispute, amount=amount)
    return give_up(session, row, amount, why=BANK_TOOK_IT)


def send_elsewhere(session: Session, /, *, reference: str, refund: str, amount: Money) -> Mapping[books.Account, Money]:
    """As `bear`, of what somebody has sent back on the payment provider's own pages."""
    row = backing.get(session, reference)
    return {} if row.state is B.ORDERED else give_up(session, row, amount, why=SENT_ELSEWHERE)


def keep_what_waits(session: Session, /, *, reference: str) -> None:
    """Of a place that is an order, as of any order."""
    row = backing.get(session, reference)
    if row.state is B.ORDERED:
        disputed.keep_what_waits(session, reference=str(row.order_number))


def give_up(session: Session, row: Backing, amount: Money, *, why: str) -> Mapping[books.Account, Money]:
    """A place of which all has gone: out of where it lies. Nothing of one that went in part."""
    if row.state not in {B.CONFIRMED, B.REFUNDED} or amount.fen != row.fen or not returning.lies_here(session, row):
        return {}
    if row.state is B.CONFIRMED:
        transition(session, row, B.REFUNDED, expected=B.CONFIRMED, actor=SYSTEM, why=why)
    return returning.shares_of(session, row)


def regain(session: Session, /, *, reference: str, dispute: str) -> None:
    """An appeal was won: the money lies where it lay, and goes back to whoever paid, since their place is given up."""
    row = backing.get(session, reference)
    if row.state is B.REFUNDED:
        move_to_loss(session, row, f"dispute_kept_back:{dispute}", fen=-row.fen)
        outbox.put(session, returning.ONE_RETURNS, backing_id=reference)


def came_back(session: Session, /, *, reference: str, refund: str, amount: Money) -> None:
    """A refund did not reach the buyer: its money lies where it lay. It is sent again by itself, later; but what the buyer
    has from the bank meanwhile lessens the loss that the province bore for it."""
    row = backing.get(session, reference)
    if row.state is B.ORDERED:
        paying_back.came_back(session, reference=str(row.order_number), refund=refund, amount=amount)
    elif row.state is B.REFUNDED and not (
        returning.lies_here(session, row) and move_to_loss(session, row, f"dispute_kept:{refund}", fen=row.fen)
    ):
        returning.note_failure(session, row, refund=refund, amount=amount)


def move_to_loss(session: Session, row: Backing, key: str, *, fen: int) -> bool:
    """All of a place, where the province bore just that for it; negative: where it has kept just that. True if so."""
    if standing.borne(session, row.public_id) != fen:
        return False
    sign = 1 if fen > 0 else -1
    lines = {account: Money(sign * share.fen, row.currency) for account, share in returning.shares_of(session, row).items()}
    lines[standing.LOSS] = Money(-fen, row.currency)
    books.post(session, key=key, book=row.book, reference=row.public_id, lines=lines)
    return True
