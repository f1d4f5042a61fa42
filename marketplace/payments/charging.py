"""Charges without the payer, on a mandate: the attempt is committed first, the gateway asked after, once for each key."""

from typing import Final

from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.transitions import transition
from marketplace.payments import attempts, outcomes
from marketplace.payments.gateways import (
    ActionRequired,
    Declined,
    GatewayError,
    Invalid,
    NotSupported,
    PaymentRequest,
    gateways,
    unknown_unless_answered,
)
from marketplace.payments.states import AttemptState

CONFIRM: Final = "authentication_required"  # what the attempt's `raw_status` says of a refusal
DECLINED: Final = "declined"
GONE: Final = "mandate_gone"


def charge(attempt: str, *, mandate: str, key: str, description: str) -> None:
    """Ask the gateway for an attempt's money. Outside any transaction; repeated with the same key it charges once.

    What came of it stands in the attempt. Raises OutcomeUnknown, RateLimited, AuthFailed: it is open, the sweeper asks."""
    asked = in_transaction(attempts.begin_submission, attempt=attempt)
    if asked is None:
        return
    gateway, amount, pay_by = asked
    request = PaymentRequest(attempt, amount, description, "", pay_by)
    try:
        with unknown_unless_answered(f"attempt {attempt}"):
            remote = gateways().get(gateway).charge_mandate(request, mandate, key=key)
    except (Declined, Invalid, NotSupported) as refusal:
        in_transaction(refuse, attempt=attempt, word=word_for(refusal))
    except GatewayError:
        in_transaction(attempts.move, attempt=attempt, to=AttemptState.UNKNOWN, why="no answer")
        raise
    else:
        in_transaction(outcomes.apply_payment, remote=remote, gateway=gateway, why="answer")


def word_for(refusal: GatewayError) -> str:
    if isinstance(refusal, ActionRequired):
        return CONFIRM
    return DECLINED if isinstance(refusal, Declined) else GONE


def refuse(session: Session, *, attempt: str, word: str) -> None:
    """The word is kept also where a webhook was faster."""
    row = attempts.get(session, attempt)
    if row.state is AttemptState.SUBMITTING:
        transition(session, row, AttemptState.FAILED, expected=row.state, actor=row.gateway, why=word)
    if row.state is AttemptState.FAILED:
        row.raw_status = word
