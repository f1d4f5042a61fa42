"""A payment that the bank had confirmed, and took back afterwards: its owner is owed again.

The line stays confirmed, since it was; that it was taken back is a fact beside its state, with an entry of its own."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import subject_of
from marketplace.orders.batches import owed
from marketplace.orders.batches.approving import account_of, hold, post
from marketplace.orders.batches.confirming import PaidByTheGateway
from marketplace.orders.batches.models import BatchLine
from marketplace.payments.transfers import sending


class NotConfirmed(StaleState):
    message = _l("Only a payment that was confirmed can be taken back, and only once.")


def bounce(session: Session, *, batch: str, line: str, reason: str, actor: str) -> None:
    """The money is back at our bank. `payout_bounced:<line>`. Raises NotConfirmed, NotFound, PaidByTheGateway.

    Where the payee still has the account that was paid, nothing more goes there until a person has looked at it."""
    row = hold(session, batch)
    wanted = select(BatchLine).where(BatchLine.public_id == line, BatchLine.batch_id == row.id)
    payment = session.scalar(wanted.execution_options(populate_existing=True))
    if payment is None:
        raise NotFound(line)
    if sending.of_reference(session, line) is not None:
        raise PaidByTheGateway(line)
    if not payment.may_bounce:
        raise NotConfirmed(line)
    payment.bounced_at, payment.bounced_because = clock.now(), reason
    session.flush()
    amount = Money(payment.fen, payment.currency)
    post(session, row, payment, "payout_bounced", {("gateway_clearing", row.gateway): amount, account_of(payment): -amount})
    told = {"actor": actor, "subject": subject_of(payment), "why": reason}
    audit.record(session, action="settlement.bounced", **told, fen=payment.fen)
    freeze_account(session, payment, actor, reason)


def freeze_account(session: Session, line: BatchLine, actor: str, reason: str) -> None:
    owner = (line.owner_kind, line.owner)
    account = owed.hold_accounts(session, [owner]).get(owner)
    if account is None or account.revision != line.account_revision or account.frozen_because:
        return
    account.frozen_because = reason
    subject = f"{account.__tablename__}:{account.public_id}"
    audit.record(session, actor=actor, action="payee.frozen", subject=subject, why=reason)
