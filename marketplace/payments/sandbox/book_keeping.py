"""What the cashier's balance is made of: one movement for each thing that it did with money."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, select, text

from marketplace.core import clock
from marketplace.core.money import Money
from marketplace.payments.gateway_news import Movement
from marketplace.payments.gateways import KeyMismatch, RefundRequest
from marketplace.payments.sandbox.converting import Conversion
from marketplace.payments.sandbox.statements import NEW_MOVEMENT
from marketplace.payments.sandbox.storage import movement

PAGE: Final = 500
PAYOUT, PAYOUT_FAILURE = PAYOUTS = ("payout", "payout_failure")


class BookKeeping:
    """Every method that writes does so in the transaction of what it is about.

    `fee_basis_points`: hundredths of a percent of each charge, which the cashier keeps. `conversion`: into what it settles
    whatever moves, where that is another currency; fees are taken in it too."""

    def __init__(self, storage: Engine, fee_basis_points: int, conversion: Conversion | None = None) -> None:
        self.storage, self.fee_basis_points, self.conversion = storage, fee_basis_points, conversion

    def fee_of(self, fen: int) -> int:
        """Rounded half up, at least one fen where there is a fee at all."""
        return max(1, (fen * self.fee_basis_points + 5_000) // 10_000) if self.fee_basis_points else 0

    def take_in(self, connection: Connection, payment: Row[Any]) -> None:
        shown = Money(payment.amount, payment.currency)
        fee = self.fee_of(self.settled(shown).fen)
        self.note(connection, "charge", payment.id, payment.attempt, shown, fee=fee)

    def send_back(self, connection: Connection, remote_id: str, request: RefundRequest) -> None:
        self.note(connection, "refund", remote_id, request.refund, -request.amount)

    def take_again(self, connection: Connection, refund: Row[Any]) -> None:
        self.note(connection, "refund_failure", refund.id, refund.refund, Money(refund.amount))

    def lend_to_the_bank(self, connection: Connection, remote_id: str, attempt: str, amount: Money, fee: Money) -> None:
        """A dispute takes the money and its own fee off the balance at once; the fee is settled already."""
        self.note(connection, "dispute", remote_id, attempt, -amount, besides=-fee)

    def get_back_from_the_bank(self, connection: Connection, remote_id: str, attempt: str, amount: Money) -> None:
        self.note(connection, "dispute_reversal", remote_id, attempt, amount)

    def transfer(self, connection: Connection, remote_id: str, ours: str, amount: Money) -> None:
        self.note(connection, "transfer", remote_id, ours, -amount)

    def reverse(self, connection: Connection, remote_id: str, ours: str, amount: Money) -> None:
        self.note(connection, "transfer_refund", remote_id, ours, amount)

    def can_pay(self, connection: Connection, amount: Money) -> bool:
        """There is as much, in what it is settled in; whoever pays out of it at the same time waits."""
        if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sandbox balance'))"))
        net = select(func.coalesce(func.sum(movement.c.gross - movement.c.fee), 0))
        settled = self.settled(amount)
        return int(connection.scalar(net.where(movement.c.currency == settled.currency)) or 0) >= settled.fen

    def pay_out(self, connection: Connection, amount: Money, key: str) -> None:
        """Once for each key; below zero the bank took it back. Raises KeyMismatch for the same key with another amount."""
        told = select(func.coalesce(movement.c.presented, movement.c.gross)).where(
            movement.c.type.in_(PAYOUTS), movement.c.source == key
        )
        known = connection.scalar(told)
        if known is None:
            self.note(connection, PAYOUT if amount.fen > 0 else PAYOUT_FAILURE, key, key, -amount)
        elif known != -amount.fen:
            raise KeyMismatch(key)

    def settled(self, shown: Money) -> Money:
        """What the balance gets for it today."""
        return self.conversion.of(shown) if self.conversion else shown

    def settles_in(self, currency: str) -> str:
        return self.conversion.currency if self.conversion else currency

    def note(
        self,
        connection: Connection,
        kind: str,
        source: str,
        ours: str,
        shown: Money,
        *,
        fee: int = 0,
        besides: Money | None = None,
    ) -> None:
        """`shown` is what the payer sees of it; `besides` moves with it and is settled already."""
        settled = self.settled(shown)
        gross = settled + besides if besides else settled
        what = {"id": f"txn_{secrets.token_hex(12)}", "type": kind, "source": source, "ours": ours, "at": clock.now()}
        figures: dict[str, Any] = {"gross": gross.fen, "fee": fee, "currency": gross.currency}
        if self.conversion:
            figures |= {"presented": shown.fen, "presented_currency": shown.currency, "rate": str(self.conversion.rate)}
        connection.execute(NEW_MOVEMENT, what | figures)

    def movements(self, since: datetime) -> Iterator[Movement]:
        """The oldest first; by keyset, so that what comes meanwhile moves no page."""
        at, last = since, ""
        while True:
            later = (movement.c.at > at) | ((movement.c.at == at) & (movement.c.id > last))
            wanted = select(movement).where(later).order_by(movement.c.at, movement.c.id).limit(PAGE)
            with self.storage.connect() as connection:
                page = connection.execute(wanted).all()
            yield from map(described, page)
            if len(page) < PAGE:
                return
            at, last = page[-1].at, page[-1].id

    def page_before(self, before: str, since: datetime, size: int) -> list[Movement]:
        """The newest first, from the one before this id on: the way Stripe lists them."""
        wanted = select(movement).where(movement.c.at >= since)
        with self.storage.connect() as connection:
            edge = connection.execute(select(movement.c.at, movement.c.id).where(movement.c.id == before)).first()
            if edge:
                earlier = (movement.c.at < edge.at) | ((movement.c.at == edge.at) & (movement.c.id < edge.id))
                wanted = wanted.where(earlier)
            newest = wanted.order_by(movement.c.at.desc(), movement.c.id.desc()).limit(size)
            return [described(row) for row in connection.execute(newest)]

    def balance(self) -> dict[str, int]:
        net = func.sum(movement.c.gross - movement.c.fee)
        with self.storage.connect() as connection:
            held = connection.execute(select(movement.c.currency, net).group_by(movement.c.currency)).all()
        return {currency: int(fen) for currency, fen in held}


def described(row: Row[Any]) -> Movement:
    known = (row.id, row.type, row.source, row.ours, row.gross, row.fee, row.gross - row.fee, row.currency, row.at)
    return Movement(*known, row.presented, row.presented_currency, row.rate)
