"""A refund of what was paid out by transfer: its share is asked back from the payee, and where that is refused they owe it.

The buyer is refunded in any case, by the refund's own way; nothing here stops it."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders.batches import owed
from marketplace.orders.batches.owed import Owner
from marketplace.orders.batches.payees import subject_of
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.models import GatewayPayee, Reversal, Transfer
from marketplace.payments.transfers.states import OPEN, TransferState

CURRENCY: Final = "CNY"
OWES: Final = "reversal refused"  # why a payee is frozen by itself; `telling` has the words


def cover_refund(session: Session, shares: Mapping[books.Account, int], *, book: str, refund: str) -> None:
    """Of what this refund took from owners' payables: what they do not have there is asked back from their transfers."""
    kinds = {owed.payable(kind): kind for kind in ("seller", "station")}
    owners = {(kinds[kind], owner): fen for (kind, owner), fen in shares.items() if kind in kinds}
    if owners:
        cover(session, owners, book=book, cause=f"refund:{refund}")


def cover(session: Session, most: Mapping[Owner, int], *, book: str, cause: str) -> None:
    """At most so much of each, once for each cause; never more than they owe and than was sent. The newest transfer first.

    Whoever pays or refunds the same owner waits."""
    asked = select(Reversal.id).where(Reversal.cause == cause).limit(1)
    if session.scalar(asked) is not None:
        return
    owed.hold_accounts(session, most)
    for owner, fen in sorted(most.items()):
        missing = min(fen, debt(session, owner, book=book))
        there = left_with(session, owner, book) if missing > 0 else []
        for (transfer, _left), part in zip(there, parts(missing, [left for _transfer, left in there]), strict=True):
            if part:
                sending.ask_back(session, transfer=transfer, cause=cause, amount=Money(part, CURRENCY))


def parts(missing: int, lefts: Sequence[int]) -> list[int]:
    """What is taken of each, the first ones first, until nothing is missing or nothing is left. Pure."""
    taken: list[int] = []
    for left in lefts:
        taken.append(max(0, min(missing - sum(taken), left)))
    return taken


def debt(session: Session, owner: Owner, *, book: str) -> int:
    """Fen that the owner owes us beyond what is being asked back already; zero or less where they owe nothing."""
    kind, whose = owner
    asked = select(func.coalesce(func.sum(Reversal.fen), 0)).join(Transfer, Transfer.id == Reversal.transfer_id)
    asked = asked.join(GatewayPayee, GatewayPayee.id == Transfer.payee_id).where(Reversal.state.in_(OPEN))
    theirs = (GatewayPayee.owner_kind == kind, GatewayPayee.owner == whose, GatewayPayee.book == book)
    coming = int(session.scalar(asked.where(*theirs)) or 0)
    return books.balance(session, owed.payable(kind), whose, book=book) - coming


def left_with(session: Session, owner: Owner, book: str) -> list[tuple[Transfer, int]]:
    """Their transfers, the newest first, each with what was not asked back of it."""
    back = select(func.coalesce(func.sum(Reversal.fen), 0))
    back = back.where(Reversal.transfer_id == Transfer.id, Reversal.state != TransferState.FAILED)
    kind, whose = owner
    wanted = select(Transfer, Transfer.fen - back.correlate(Transfer).scalar_subquery())
    wanted = wanted.join(GatewayPayee, GatewayPayee.id == Transfer.payee_id)
    wanted = wanted.where(GatewayPayee.owner_kind == kind, GatewayPayee.owner == whose, GatewayPayee.book == book)
    rows = session.execute(wanted.where(Transfer.state == TransferState.SUCCEEDED).order_by(Transfer.id.desc()))
    return [(transfer, int(left)) for transfer, left in rows]


def came_back(session: Session, reversal: Reversal) -> None:
    """`reversal:<reversal>`: it is at the gateway again, and they owe so much less."""
    transfer = session.get_one(Transfer, reversal.transfer_id)
    payee = session.get_one(GatewayPayee, transfer.payee_id)
    lines: dict[books.Account, Money] = {
        ("gateway_clearing", payee.gateway): reversal.amount,
        (owed.payable(payee.owner_kind), payee.owner): -reversal.amount,
    }
    books.post(session, key=reversal.entry, book=payee.book, reference=transfer.booked_under, lines=lines)


def refused(session: Session, reversal: Reversal) -> None:
    """They owe it: nothing more is paid to them by any way before a person of the province allows it again."""
    payee = sending.payee_of(session, reversal)
    owner = (payee.owner_kind, payee.owner)
    account = owed.hold_accounts(session, [owner])[owner]
    owes = books.balance(session, owed.payable(payee.owner_kind), payee.owner, book=payee.book)
    if owes <= 0 or account.frozen_because:
        return
    account.frozen_because = OWES
    subject = subject_of(account)
    audit.record(session, actor=payee.gateway, action="payee.frozen", subject=subject, why=OWES, fen=owes)
