"""Cards that the sandbox keeps: whoever agreed at the cashier's is charged again without being there.

What such a charge will come to is chosen on the cashier's page of the first payment: `succeeds`, `declined`,
`authentication` (the bank wants the payer there), `ends_soon` (it works, and the card's last day is at the end of the next
month), or `kept_by_nobody`, which is what WeChat and Alipay do."""

import secrets
from calendar import monthrange
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from marketplace.core import clock
from marketplace.payments.gateways import (
    ActionRequired,
    Declined,
    Invalid,
    MandateRequest,
    NotSupported,
    PaymentRequest,
    RemoteMandate,
    RemotePayment,
)
from marketplace.payments.sandbox import statements
from marketplace.payments.sandbox.cashier import Cashier, recall, remember
from marketplace.payments.sandbox.storage import mandate, payment

SUCCEEDS: Final = "succeeds"
DECLINED: Final = "declined"
AUTHENTICATION: Final = "authentication"
ENDS_SOON: Final = "ends_soon"
KEPT_BY_NOBODY: Final = "kept_by_nobody"
LATER: Final = (SUCCEEDS, DECLINED, AUTHENTICATION, ENDS_SOON, KEPT_BY_NOBODY)
WORKS: Final = frozenset({SUCCEEDS, ENDS_SOON})
CARDS_LAST: Final = 36  # months after the one in which they were kept


class RememberingCashier(Cashier):
    """The cashier with mandates. A mandate is agreed with a payment, and good once that has succeeded."""

    def start_payment(self, request: PaymentRequest, *, key: str) -> RemotePayment:
        started = super().start_payment(request, key=key)
        if request.for_later:
            with self.writing() as connection:
                if self.of_payment(connection, started.remote_id) is None:
                    kept = {"id": f"mdt_{secrets.token_hex(12)}", "payment_id": started.remote_id, "later": SUCCEEDS}
                    connection.execute(insert(mandate).values(kept))
        return started

    def later_of(self, remote_id: str) -> str | None:
        """What later charges will come to; None for a payment that is made once."""
        with self.storage.connect() as connection:
            found = self.of_payment(connection, remote_id)
        return str(found.later) if found else None

    def choose_later(self, remote_id: str, later: str) -> None:
        """The payer's choice on the cashier's page, one of LATER."""
        with self.writing() as connection:
            connection.execute(update(mandate).where(mandate.c.payment_id == remote_id).values(later=later))

    def save_mandate(self, request: MandateRequest, *, key: str) -> RemoteMandate:
        found = self.look_up(request.payment)
        with self.storage.connect() as connection:
            agreed = self.of_payment(connection, request.payment)
        if agreed is None or agreed.later == KEPT_BY_NOBODY:
            raise NotSupported(request.payment)
        if found.status != "succeeded":
            raise Invalid(f"{request.payment} is {found.status}")
        return RemoteMandate(agreed.id, last_day_of(found, agreed.later))

    def release_mandate(self, mandate: str) -> None:
        self.forget(mandate)

    def forget(self, mandate_id: str) -> bool:
        """False where there was nothing any more."""
        with self.writing() as connection:
            gone = delete(mandate).where(mandate.c.id == mandate_id).returning(mandate.c.id)
            return connection.execute(gone).first() is not None

    def charge_mandate(self, request: PaymentRequest, mandate_id: str, *, key: str) -> RemotePayment:
        """Decided at once. The same key gives the same answer, a refusal too."""
        values = {"attempt": request.attempt, "amount": request.amount.fen, "currency": request.amount.currency}
        with self.writing() as connection:
            kept = connection.execute(select(mandate).where(mandate.c.id == mandate_id)).first()
            if kept is None:
                raise Invalid(mandate_id)
            known = recall(connection, key, values | {"mandate": mandate_id})
            if known is None:
                known = self.decide_at_once(connection, values | {"description": request.description}, kept.later)
                remember(connection, key, values | {"mandate": mandate_id}, known)
            row = connection.execute(select(payment).where(payment.c.id == known)).one()
        if row.status == "succeeded":
            return self.describe(row)
        raise (ActionRequired if kept.later == AUTHENTICATION else Declined)(mandate_id)

    def decide_at_once(self, connection: Connection, values: dict[str, Any], later: str) -> str:
        made, now = f"pay_{secrets.token_hex(12)}", clock.now()
        status, kind = ("succeeded", "succeeded") if later in WORKS else ("failed", "payment_failed")
        state = {"id": made, "return_url": "", "status": status, "created_at": now, "decided_at": now}
        row = connection.execute(insert(payment).values(values | state).returning(*payment.c)).one()
        if status == "succeeded":
            self.book_keeping.take_in(connection, row)
        self.announce(connection, f"payment_intent.{kind}", {"id": made, "object": "payment_intent", "status": status})
        return made

    def of_payment(self, connection: Connection, remote_id: str) -> Any:
        return connection.execute(statements.MANDATE, {"wanted": remote_id}).first()


def last_day_of(paid: Row[Any], later: str) -> date:
    """Of the card that was kept with this payment."""
    kept_on = clock.local(paid.decided_at or paid.created_at).date()
    years, month = divmod(kept_on.month - 1 + (1 if later == ENDS_SOON else CARDS_LAST), 12)
    year, month = kept_on.year + years, month + 1
    return date(year, month, monthrange(year, month)[1])
