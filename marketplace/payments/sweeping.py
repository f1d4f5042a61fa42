"""What the worker does without being told: refunds are sent, and whatever hangs is asked after. It sends no mail."""

import logging
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.payments import outcomes, refunds
from marketplace.payments.attempts import cancel, describe, withdraw
from marketplace.payments.gateways import (
    Declined,
    GatewayError,
    Invalid,
    NotSupported,
    OutcomeUnknown,
    RemotePayment,
    RemoteRefund,
    gateways,
    unknown_unless_answered,
)
from marketplace.payments.models import IS_HANGING, IS_UNSENT, Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState

TIME_TO_ACT: Final = timedelta(hours=24)  # for whoever pays, on the gateway's page
DUE_ATTEMPTS: Final = outbox.due(Attempt, IS_HANGING)
DUE_REFUNDS: Final = outbox.due(Refund, IS_UNSENT)


def send_refund() -> bool:
    """Send or ask after one refund that is due; True if there was one."""
    taken = in_transaction(take_refund)
    if taken is None:
        return False
    refund, state = taken
    try:
        if state is RefundState.PENDING:
            ask_after_refund(refund)
        else:
            submit_refund(refund)
    except Exception:
        logging.getLogger(__name__).exception("refund %s", refund)
    return True


def take_refund(session: Session) -> tuple[int, RefundState] | None:
    rows = outbox.take(session, DUE_REFUNDS)
    return (rows[0].id, rows[0].state) if rows else None


def submit_refund(refund: int) -> None:
    asked = in_transaction(refunds.begin_submission, refund=refund)
    if asked is None:
        return
    try:
        with unknown_unless_answered(f"refund {asked.request.refund}"):
            remote = answer_to(asked)
    except (Declined, Invalid, NotSupported) as refusal:
        in_transaction(refunds.fail, refund=refund, why=type(refusal).__name__)
    except GatewayError:
        in_transaction(refunds.leave_unknown, refund=refund)
        raise
    else:
        in_transaction(outcomes.apply_refund, remote=remote, why="answer")


def answer_to(asked: refunds.Submission) -> RemoteRefund:
    """Raises OutcomeUnknown where the key is too old and the gateway knows nothing of it: a person has to look."""
    gateway = gateways().get(asked.gateway)
    if asked.may_be_sent:
        return gateway.refund(asked.request, key=f"refund:{asked.request.refund}:create")
    found = gateway.find_refund(asked.request)
    if found is None:
        raise OutcomeUnknown(f"refund {asked.request.refund}: too old to be sent again, and not at the gateway")
    return found


def ask_after_refund(refund: int) -> None:
    gateway, remote_id = in_transaction(where_is_refund, refund=refund)
    in_transaction(outcomes.apply_refund, remote=gateways().get(gateway).fetch_refund(remote_id), why="asked again")


def where_is_refund(session: Session, *, refund: int) -> tuple[str, str]:
    found = select(Attempt.gateway, Refund.remote_id).join(Attempt, Attempt.id == Refund.attempt_id)
    gateway, remote_id = session.execute(found.where(Refund.id == refund)).one()
    return str(gateway), str(remote_id)


def ask_after_attempt() -> bool:
    """Ask the gateway about one attempt of which nothing was heard for a while; True if there was one.

    One that another has overtaken, or that nobody has finished in a day, is cancelled there."""
    taken = in_transaction(take_attempt)
    if taken is None:
        return False
    try:
        if taken.is_surplus or taken.is_overdue:
            cancel(taken.attempt, is_overdue=taken.is_overdue)
        else:
            look_again(taken.attempt)
    except Exception:
        logging.getLogger(__name__).exception("attempt %s", taken.attempt)
    return True


class Taken(NamedTuple):
    attempt: str
    is_surplus: bool
    is_overdue: bool


def take_attempt(session: Session) -> Taken | None:
    rows = outbox.take(session, DUE_ATTEMPTS)
    if not rows:
        return None
    row: Attempt = rows[0]
    is_late = clock.now() - row.created_at > TIME_TO_ACT
    return Taken(row.public_id, row.is_surplus, is_late and row.state is AttemptState.REQUIRES_ACTION)


def look_again(attempt: str) -> None:
    known = in_transaction(describe, attempt=attempt)
    gateway = gateways().get(known.gateway)
    if known.remote_id:
        remote: RemotePayment | None = gateway.fetch_payment(known.remote_id)
    else:
        remote = gateway.find_payment(attempt, since=known.created_at)
    if remote is None:
        in_transaction(withdraw, attempt=attempt)
    else:
        in_transaction(outcomes.apply_payment, remote=remote, gateway=known.gateway, why="asked again")
