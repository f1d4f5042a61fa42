"""The gateway's side of the sandbox: what Stripe would do, with test money."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, insert, select, text, update

from marketplace.core import clock
from marketplace.core.money import Money
from marketplace.payments import signatures
from marketplace.payments.gateway_news import Movement, Notice
from marketplace.payments.gateways import (
    Book,
    Invalid,
    KeyMismatch,
    PaymentRequest,
    RefundRequest,
    RemotePayment,
    RemoteRefund,
)
from marketplace.payments.sandbox import statements
from marketplace.payments.sandbox.book_keeping import BookKeeping
from marketplace.payments.sandbox.converting import conversion_into
from marketplace.payments.sandbox.storage import payment, refund, webhook
from marketplace.payments.states import AttemptState, RefundState

REFUND_TAKES: Final = timedelta(seconds=1)
SLOW_PAYMENT_TAKES: Final = timedelta(minutes=1)
TOLD_AS: Final = {
    "succeeded": "payment_intent.succeeded",
    "failed": "payment_intent.payment_failed",
    "processing": "payment_intent.processing",
}
STATUS: Final = {
    "requires_payment_method": AttemptState.REQUIRES_ACTION,
    "processing": AttemptState.PROCESSING,
    "succeeded": AttemptState.SUCCEEDED,
    "failed": AttemptState.FAILED,
    "canceled": AttemptState.CANCELLED,
}


class Cashier:
    """Payments and refunds, kept in a database of its own."""

    name = "sandbox"
    book: Book = "test"
    pays_out = True

    def __init__(
        self,
        storage: Engine,
        *,
        secret: str,
        base_url: str,
        fee_basis_points: int = 0,
        faults: Sequence[str] = (),
        settles_in: str = "CNY",
    ) -> None:
        self.storage = storage
        self.secret, self.faults = secret, tuple(faults)
        self.base_url = base_url.rstrip("/")
        self.book_keeping = BookKeeping(storage, fee_basis_points, conversion_into(settles_in))

    @property
    def api_key(self) -> str:
        """Opens the cashier's Stripe-like face."""
        return f"sk_test_{hmac.new(self.secret.encode(), b'api key', hashlib.sha256).hexdigest()[:32]}"

    def start_payment(self, request: PaymentRequest, *, key: str) -> RemotePayment:
        """Repeated with the same key it gives the same payment. Raises KeyMismatch, Invalid."""
        if request.amount.fen <= 0 or request.amount.currency != "CNY":
            raise Invalid(str(request.amount))
        values = {
            "attempt": request.attempt,
            "amount": request.amount.fen,
            "currency": request.amount.currency,
            "description": request.description,
            "return_url": request.return_url,
            "pay_by": request.pay_by,
        }
        with self.writing() as connection:
            known = recall(connection, key, values)
            if known is None:
                known = f"pay_{secrets.token_hex(12)}"
                state = {"id": known, "status": "requires_payment_method", "created_at": clock.now()}
                row = connection.execute(statements.NEW_PAYMENT, values | state).one()
                remember(connection, key, values, known)
            else:
                row = connection.execute(statements.PAYMENT, {"wanted": known}).one()
            return self.describe(row)

    def fetch_payment(self, remote_id: str) -> RemotePayment:
        return self.describe(self.look_up(remote_id))

    def look_up(self, remote_id: str) -> Row[Any]:
        """The payment as it is kept. Raises Invalid for one that does not exist."""
        with self.storage.connect() as connection:
            found = connection.execute(statements.PAYMENT, {"wanted": remote_id}).first()
        if found is None:
            raise Invalid(remote_id)
        return found

    def find_payment(self, attempt: str, *, since: datetime | None = None) -> RemotePayment | None:
        with self.storage.connect() as connection:
            found = connection.execute(select(payment).where(payment.c.attempt == attempt)).first()
        return self.describe(found) if found else None

    def opened_since(self, moment: datetime) -> Sequence[Row[Any]]:
        """The payments as they are kept, the newest first."""
        with self.storage.connect() as connection:
            opened = select(payment).where(payment.c.created_at >= moment)
            return connection.execute(opened.order_by(payment.c.created_at.desc())).all()

    def cancel_payment(self, remote_id: str, *, key: str) -> RemotePayment:
        with self.writing() as connection:
            open_one = payment.c.id == remote_id, payment.c.status.in_(("requires_payment_method", "failed"))
            connection.execute(update(payment).where(*open_one).values(status="canceled"))
        return self.fetch_payment(remote_id)

    def decide(self, remote_id: str, status: str, payer: str = "") -> RemotePayment:
        """The payer decided on the cashier's page: `succeeded`, `failed`, or `processing` for a bank that takes its time;
        `payer` names the card, where it is one.

        A payment that is over stays as it is."""
        with self.writing() as connection:
            decided = {"wanted": remote_id, "decision": status, "now": clock.now(), "card": payer or None}
            row = connection.execute(statements.DECIDED, decided).first()
            if row:
                self.tell_of_payment(connection, row)
        return self.describe(row) if row else self.fetch_payment(remote_id)

    def tell_of_payment(self, connection: Connection, row: Row[Any]) -> None:
        if row.status == "succeeded":
            self.book_keeping.take_in(connection, row)
        self.announce(connection, TOLD_AS[row.status], {"id": row.id, "object": "payment_intent", "status": row.status})

    def finish_slow_payments(self) -> bool:
        """What a slow bank does in its own time; True if there were any."""
        if not self.finds(statements.SLOW_PAYMENT, then=clock.now() - SLOW_PAYMENT_TAKES):
            return False
        with self.writing() as connection:
            over = payment.c.status == "processing", payment.c.decided_at <= clock.now() - SLOW_PAYMENT_TAKES
            done = connection.execute(update(payment).where(*over).values(status="succeeded").returning(*payment.c)).all()
            for row in done:
                self.tell_of_payment(connection, row)
        return bool(done)

    def refund(self, request: RefundRequest, *, key: str) -> RemoteRefund:
        """Raises KeyMismatch, and Invalid when more would go back than was paid."""
        values = {"refund": request.refund, "payment_id": request.payment, "amount": request.amount.fen}
        with self.writing() as connection:
            known = recall(connection, key, values)
            if known is None:
                known = f"re_{secrets.token_hex(12)}"
                self.take_back(connection, request)
                state = {"id": known, "status": "pending", "due_at": clock.now() + REFUND_TAKES}
                connection.execute(insert(refund).values(values | state))
                self.book_keeping.send_back(connection, known, request)
                remember(connection, key, values, known)
        return self.fetch_refund(known)

    def take_back(self, connection: Connection, request: RefundRequest) -> None:
        left = payment.c.amount - payment.c.refunded >= request.amount.fen
        step = update(payment).where(payment.c.id == request.payment, payment.c.status == "succeeded", left)
        taken = step.values(refunded=payment.c.refunded + request.amount.fen).returning(payment.c.id)
        if connection.execute(taken).first() is None:
            raise Invalid(f"{request.payment}: {request.amount.fen} cannot be refunded")

    def find_refund(self, request: RefundRequest) -> RemoteRefund | None:
        with self.storage.connect() as connection:
            known = connection.scalar(select(refund.c.id).where(refund.c.refund == request.refund))
        return self.fetch_refund(known) if known else None

    def refunds_of(self, remote_id: str) -> list[RemoteRefund]:
        with self.storage.connect() as connection:
            made = connection.scalars(select(refund.c.id).where(refund.c.payment_id == remote_id)).all()
        return [self.fetch_refund(known) for known in made]

    def fetch_refund(self, remote_id: str) -> RemoteRefund:
        with self.storage.connect() as connection:
            found = connection.execute(select(refund).where(refund.c.id == remote_id)).first()
        if found is None:
            raise Invalid(remote_id)
        sent = found.id, found.refund, Money(found.amount), RefundState(found.status), found.status
        return RemoteRefund(*sent, self.book, found.payment_id)

    def finish_refunds(self) -> bool:
        """What Stripe does in its own time: pending refunds succeed and are announced. True if there were any."""
        if not self.finds(statements.PENDING_REFUND, now=clock.now()):
            return False
        with self.writing() as connection:
            due = update(refund).where(refund.c.status == "pending", refund.c.due_at <= clock.now())
            done = connection.execute(due.values(status="succeeded").returning(refund.c.id)).scalars().all()
            for remote_id in done:
                self.announce(connection, "refund.updated", {"id": remote_id, "object": "refund", "status": "succeeded"})
        return bool(done)

    def fail_refund(self, remote_id: str) -> None:
        """What the payer's bank may do, even days later: the money comes back. For tests, and for who tries things out."""
        with self.writing() as connection:
            standing = update(refund).where(refund.c.id == remote_id, refund.c.status != "failed")
            row = connection.execute(standing.values(status="failed").returning(*refund.c)).first()
            if row is None:
                return
            paid = update(payment).where(payment.c.id == row.payment_id)
            connection.execute(paid.values(refunded=payment.c.refunded - row.amount))
            self.book_keeping.take_again(connection, row)
            self.announce(connection, "refund.failed", {"id": remote_id, "object": "refund", "status": "failed"})

    def movements(self, since: datetime) -> Iterator[Movement]:
        return self.book_keeping.movements(since)

    def balance(self) -> dict[str, int]:
        return self.book_keeping.balance()

    def pay_out(self, amount: Money, *, key: str) -> None:
        with self.writing() as connection:
            self.book_keeping.pay_out(connection, amount, key)

    def events_since(self, moment: datetime) -> Iterator[bytes]:
        with self.storage.connect() as connection:
            made = select(webhook.c.body).where(webhook.c.made_at >= moment).order_by(webhook.c.made_at, webhook.c.id)
            bodies = connection.scalars(made).all()
        return (body.encode() for body in bodies)

    def announce(self, connection: Connection, kind: str, subject: dict[str, Any]) -> None:
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "type": kind,
            "livemode": False,
            "created": int(clock.now().timestamp()),
            "data": {"object": subject},
        }
        row = {"id": event["id"], "body": json.dumps(event), "next_at": clock.now(), "made_at": clock.now()}
        connection.execute(statements.NEW_WEBHOOK, row)

    def parse_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Notice:
        signatures.verify(raw, headers.get("Stripe-Signature", ""), [self.secret], now=clock.now())
        return self.read_webhook(raw)

    def read_webhook(self, raw: bytes) -> Notice:
        return signatures.read(raw)

    def describe(self, row: Row[Any]) -> RemotePayment:
        return RemotePayment(
            remote_id=row.id,
            attempt=row.attempt,
            amount=Money(row.amount, row.currency),
            status=STATUS[row.status],
            raw_status=row.status,
            book=self.book,
            redirect_url=self.page_of(row.id),
            payer=row.payer or "",
        )

    def page_of(self, remote_id: str) -> str:
        """Where whoever pays decides."""
        return f"{self.base_url}/sandbox-cashier/pay/{remote_id}"

    def finds(self, wanted: Select[str], **values: Any) -> bool:
        """A look before anything is locked: the worker asks all day, and mostly nothing waits."""
        with self.storage.connect() as connection:
            return connection.execute(wanted, values).first() is not None

    def writing(self) -> Any:
        """A transaction of the sandbox's own; on SQLite it takes the write lock before the first read."""
        return self.storage.execution_options(sqlite_begin="IMMEDIATE").begin()


def recall(connection: Connection, key: str, parameters: dict[str, Any]) -> str | None:
    """What this key made before; who comes with the same key waits. Raises KeyMismatch for other parameters."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"sandbox:{key}"})
    found = connection.execute(statements.ANSWER, {"wanted": key}).first()
    if found is None:
        return None
    if found.parameters != digest(parameters):
        raise KeyMismatch(key)
    return str(found.object_id)


def remember(connection: Connection, key: str, parameters: dict[str, Any], object_id: str) -> None:
    connection.execute(statements.NEW_ANSWER, {"key": key, "parameters": digest(parameters), "object_id": object_id})


def digest(parameters: dict[str, Any]) -> str:
    def plain(value: Any) -> str:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=plain).encode()).hexdigest()
