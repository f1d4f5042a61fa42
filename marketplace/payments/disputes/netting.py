"""Money that nobody could use: what of one payment waits in suspense, and what the province lost of it to the payer's bank.

Never both: what waits bears the loss first (ADR 64), and has it again when an appeal is won.

dispute_kept:<refund>   chargeback_loss   from suspense   it did not arrive, since the payer has it from the bank"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.standing import LOSS
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState

SUSPENSE: Final[books.Account] = ("suspense", "")


@record
class Stands:
    """Of one payment, in the smallest unit of its currency; `lost_fen` below zero: less was lost than what waited bore."""

    waits_fen: int
    lost_fen: int


def is_nobodys(session: Session, attempt: Attempt) -> bool:
    """It was not what we asked for, or came twice or too late."""
    return attempt.state is AttemptState.QUARANTINE or books.is_posted(session, f"surplus:{attempt.public_id}")


def of(session: Session, attempt: Attempt) -> Stands:
    """By the books, of a payment that is nobody's and whose row the caller has locked. Three statements."""
    refunds = session.scalars(select(Refund.public_id).where(Refund.attempt_id == attempt.id, is_of_its_own(attempt))).all()
    disputes = session.scalars(select(Dispute.public_id).where(Dispute.attempt_id == attempt.id)).all()
    names: Mapping[str, Sequence[str | None]] = {
        "surplus": [attempt.public_id],
        "suspense": [attempt.remote_id],
        "refund": refunds,
        "refund_failed": refunds,
        "dispute_kept": [attempt.public_id, *refunds],
        "dispute_lost": disputes,
        "dispute_appealed": disputes,
    }
    keys = [f"{kind}:{name}" for kind, of_kind in names.items() for name in of_kind]
    moved = select(LedgerAccount.kind, func.sum(Line.amount)).join(Line, Line.account_id == LedgerAccount.id)
    moved = moved.join(Entry, Entry.id == Line.entry_id).where(Entry.key.in_(keys), Entry.book == attempt.book)
    moved = moved.where(Line.commodity == attempt.currency, LedgerAccount.kind.in_((SUSPENSE[0], LOSS[0]))).group_by(
        LedgerAccount.kind
    )
    found = {kind: int(fen) for kind, fen in session.execute(moved)}
    return Stands(-found.get(SUSPENSE[0], 0), found.get(LOSS[0], 0))


def is_of_its_own(attempt: Attempt) -> ColumnElement[bool]:
    """SQL, of refunds: not of another payment that came under the same name."""
    return Refund.remote_payment.is_(None) | (Refund.remote_payment == attempt.remote_id)


def net(session: Session, attempt: Attempt, *, cause: str) -> None:
    """A refund of it did not arrive: what its payer has from the bank instead lessens that loss; where it was made on the
    provider's own pages, what had lessened its loss waits again. `cause`: its public id."""
    stands = of(session, attempt)
    both = Money(min(max(stands.waits_fen, 0), stands.lost_fen), attempt.currency)
    if both:
        lines: dict[books.Account, Money] = {SUSPENSE: both, LOSS: -both}
        books.post(session, key=f"dispute_kept:{cause}", book=attempt.book, reference=attempt.reference, lines=lines)
