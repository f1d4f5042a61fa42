"""The payer's bank, as the sandbox plays it: it asks, takes money back, and decides. Stripe's words throughout."""

import secrets
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from marketplace.core import clock
from marketplace.core.money import Money
from marketplace.payments.disputes.states import DisputeState as D
from marketplace.payments.gateway_news import RemoteDispute
from marketplace.payments.gateways import Book, Invalid
from marketplace.payments.sandbox.book_keeping import BookKeeping
from marketplace.payments.sandbox.cashier import Cashier, recall, remember
from marketplace.payments.sandbox.storage import dispute, payment

FEE: Final = 1500  # smallest units of what is settled in
ANSWER_WITHIN: Final = timedelta(days=7)
STATUS: Final = {
    "warning_needs_response": D.INQUIRY,
    "warning_under_review": D.INQUIRY,
    "warning_closed": D.CLOSED,
    "needs_response": D.NEEDS_RESPONSE,
    "under_review": D.UNDER_REVIEW,
    "won": D.WON,
    "lost": D.LOST,
}
OPEN: Final = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
ANSWERED: Final = {"warning_needs_response": "warning_under_review", "needs_response": "under_review"}
WAITING: Final = tuple(ANSWERED)


def begin(connection: Connection, books: BookKeeping, remote_id: str, *, is_inquiry: bool, reason: str) -> str:
    """Of a payment that succeeded, once at a time, for what was not refunded. Raises Invalid."""
    paid = connection.execute(select(payment).where(payment.c.id == remote_id, payment.c.status == "succeeded")).first()
    standing = select(dispute.c.id).where(dispute.c.payment_id == remote_id, dispute.c.status.in_((*OPEN, "lost")))
    if paid is None or paid.amount == paid.refunded or connection.execute(standing).first():
        raise Invalid(f"{remote_id} cannot be disputed")
    known, amount = f"du_{secrets.token_hex(12)}", Money(paid.amount - paid.refunded, paid.currency)
    fee = Money(FEE, books.settles_in(paid.currency))
    values = {"id": known, "payment_id": remote_id, "amount": amount.fen, "fee": 0 if is_inquiry else fee.fen}
    values["fee_currency"] = fee.currency
    values |= {"reason": reason, "status": "warning_needs_response" if is_inquiry else "needs_response", "evidence": ""}
    told = {"is_withdrawn": not is_inquiry, "is_reinstated": False, "answer_by": clock.now() + ANSWER_WITHIN}
    connection.execute(insert(dispute).values(values | told))
    if not is_inquiry:
        books.lend_to_the_bank(connection, known, paid.attempt, amount, fee)
    return known


def answer(connection: Connection, remote_id: str, words: str) -> None:
    """Raises Invalid where nothing is asked any more."""
    waiting = update(dispute).where(dispute.c.id == remote_id, dispute.c.status.in_(WAITING))
    was = connection.scalar(select(dispute.c.status).where(dispute.c.id == remote_id))
    then = waiting.values(evidence=words, status=ANSWERED.get(str(was), ""))
    if connection.execute(then.returning(dispute.c.id)).first() is None:
        raise Invalid(remote_id)


def decide(connection: Connection, books: BookKeeping, remote_id: str, *, is_won: bool) -> None:
    """The bank's word: the money comes again, or stays there. An inquiry only ends. Raises Invalid."""
    row = look_up(connection, remote_id)
    if row.status not in OPEN:
        raise Invalid(remote_id)
    status = ("won" if is_won else "lost") if row.is_withdrawn else "warning_closed"
    comes_back = status == "won"
    connection.execute(update(dispute).where(dispute.c.id == remote_id).values(status=status, is_reinstated=comes_back))
    if comes_back:
        books.get_back_from_the_bank(connection, remote_id, row.attempt, Money(row.amount, row.currency))


def look_up(connection: Connection, remote_id: str) -> Row[Any]:
    """With the attempt it is about. Raises Invalid."""
    wanted = select(dispute, payment.c.attempt, payment.c.currency).join(payment, payment.c.id == dispute.c.payment_id)
    found = connection.execute(wanted.where(dispute.c.id == remote_id)).first()
    if found is None:
        raise Invalid(remote_id)
    return found


def of_payment(connection: Connection, remote_id: str) -> str | None:
    """The dispute that stands open, if there is one."""
    return connection.scalar(select(dispute.c.id).where(dispute.c.payment_id == remote_id, dispute.c.status.in_(OPEN)))


def described(row: Row[Any], book: Book) -> RemoteDispute:
    return RemoteDispute(
        remote_id=row.id,
        attempt=row.attempt,
        amount=Money(row.amount, row.currency),
        fee=Money(row.fee, row.fee_currency or row.currency),
        fee_back=Money(0, row.fee_currency or row.currency),
        status=STATUS[row.status],
        raw_status=row.status,
        reason=row.reason,
        answer_by=row.answer_by,
        is_withdrawn=row.is_withdrawn,
        is_reinstated=row.is_reinstated,
        book=book,
    )


class DisputingCashier(Cashier):
    """The cashier with the payers' banks behind it."""

    def open_dispute(self, remote_id: str, *, is_inquiry: bool = False, reason: str = "product_not_received") -> str:
        """What a payer may ask their bank for; returns the dispute's id. Raises Invalid."""
        with self.writing() as connection:
            known = begin(connection, self.book_keeping, remote_id, is_inquiry=is_inquiry, reason=reason)
            self.tell_of_dispute(connection, "charge.dispute.created", known)
        return known

    def decide_dispute(self, remote_id: str, *, is_won: bool) -> None:
        """The bank's word. Raises Invalid."""
        with self.writing() as connection:
            decide(connection, self.book_keeping, remote_id, is_won=is_won)
            self.tell_of_dispute(connection, "charge.dispute.closed", remote_id)

    def fetch_dispute(self, remote_id: str) -> RemoteDispute:
        with self.storage.connect() as connection:
            return described(look_up(connection, remote_id), self.book)

    def answer_dispute(self, remote_id: str, words: str, *, key: str) -> RemoteDispute:
        with self.writing() as connection:
            if recall(connection, key, {"words": words}) is None:
                answer(connection, remote_id, words)
                remember(connection, key, {"words": words}, remote_id)
                self.tell_of_dispute(connection, "charge.dispute.updated", remote_id)
        return self.fetch_dispute(remote_id)

    def open_dispute_of(self, remote_id: str) -> str | None:
        with self.storage.connect() as connection:
            return of_payment(connection, remote_id)

    def tell_of_dispute(self, connection: Connection, kind: str, remote_id: str) -> None:
        self.announce(connection, kind, {"id": remote_id, "object": "dispute"})
