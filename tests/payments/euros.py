"""Payments in euros that arrived, and what a bank took of them, past all pages."""

from typing import Any

from sqlalchemy import select

from marketplace.core.db import db
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import outcomes
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState

ORDER = "SX-7F3KQ2MD"
CLEARING: books.Account = ("buyer_clearing", "")
SUSPENSE: books.Account = ("suspense", "")
IN_TRANSIT: books.Account = ("refund_in_transit", "")


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


def paid(reference: str = ORDER, **facts: Any) -> Attempt:
    values = {"purpose": "order", "gateway": "sandbox", "book": "test", "fen": 3980, "currency": "EUR"} | facts
    values = {"remote_id": f"pay_{values['purpose']}_{reference}"} | values
    attempt = Attempt(reference=reference, state=AttemptState.SUCCEEDED, **values)
    db.session.add(attempt)
    db.session.flush()
    outcomes.capture(db.session(), attempt, CLEARING)
    return attempt


def dispute(attempt: Attempt, fen: int, state: DisputeState) -> None:
    facts = {"gateway": "sandbox", "remote_id": f"dp_{fen}", "fen": fen, "currency": "EUR"}
    db.session.add(Dispute(attempt_id=attempt.id, state=state, **facts))
    db.session.flush()


def asked() -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.session.execute(select(Refund.reason_key, Refund.fen, Refund.currency))]
