"""What breaks: the line to the gateway, the way of its webhooks, and our own processes at every commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from marketplace.core.db import db
from marketplace.core.money import Money
from marketplace.payments.gateway_news import Movement, RemoteDispute
from marketplace.payments.gateways import Invalid, RateLimited, RemotePayment, RemoteRefund
from marketplace.payments.sandbox.converting import Conversion
from marketplace.payments.sandbox.disputing import OPEN
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.sandbox.storage import dispute, payment, refund
from marketplace.payments.transfers.asking import PayeeStatus, RemoteTransfer
from tests.simulation.chance import Dice

T = TypeVar("T")
LOST = 0.05  # of calls on the way there, and as many on the way back
STUMBLES = 0.02
STANDING = select(dispute.c.id).where(dispute.c.status.in_(OPEN)).order_by(dispute.c.id)
PAID = select(payment.c.id).where(payment.c.status == "succeeded").order_by(payment.c.id)


class Crash(BaseException):
    """The process was killed here; whatever it had not committed is gone, and nobody heard of what it had."""


class LineIsDead(ConnectionError):
    """Between us and the gateway."""


@dataclass
class Drifting(Conversion):
    """Into another currency, at a rate that is never the same twice."""

    dice: Dice

    def of(self, amount: Money) -> Money:
        self.rate = Decimal(self.dice.randint(95, 120)) / 100
        return super().of(amount)


class UnreliableCashier(SandboxCashier):
    """The sandbox behind a bad line: a question or its answer is lost, it is asked too often, it is down for a while."""

    dice: Dice
    is_reachable = True
    is_faulty = True

    def over_the_line(self, call: Callable[[], T]) -> T:
        if not self.is_faulty:
            return call()
        if not self.is_reachable or self.dice.chance(LOST):
            raise LineIsDead("there")
        if self.dice.chance(STUMBLES):
            raise RateLimited("too fast")
        answer = call()
        if self.dice.chance(LOST):
            raise LineIsDead("back")
        return answer

    def start_payment(self, *given: Any, **options: Any) -> RemotePayment:
        return self.over_the_line(lambda: super(UnreliableCashier, self).start_payment(*given, **options))

    def fetch_payment(self, remote_id: str) -> RemotePayment:
        return self.over_the_line(lambda: super(UnreliableCashier, self).fetch_payment(remote_id))

    def find_payment(self, *given: Any, **options: Any) -> RemotePayment | None:
        return self.over_the_line(lambda: super(UnreliableCashier, self).find_payment(*given, **options))

    def cancel_payment(self, *given: Any, **options: Any) -> RemotePayment:
        return self.over_the_line(lambda: super(UnreliableCashier, self).cancel_payment(*given, **options))

    def refund(self, *given: Any, **options: Any) -> RemoteRefund:
        return self.over_the_line(lambda: super(UnreliableCashier, self).refund(*given, **options))

    def fetch_refund(self, remote_id: str) -> RemoteRefund:
        return self.over_the_line(lambda: super(UnreliableCashier, self).fetch_refund(remote_id))

    def find_refund(self, *given: Any, **options: Any) -> RemoteRefund | None:
        return self.over_the_line(lambda: super(UnreliableCashier, self).find_refund(*given, **options))

    def payee_status(self, *given: Any, **options: Any) -> PayeeStatus:
        return self.over_the_line(lambda: super(UnreliableCashier, self).payee_status(*given, **options))

    def transfer(self, *given: Any, **options: Any) -> RemoteTransfer:
        return self.over_the_line(lambda: super(UnreliableCashier, self).transfer(*given, **options))

    def find_transfer(self, *given: Any, **options: Any) -> RemoteTransfer | None:
        return self.over_the_line(lambda: super(UnreliableCashier, self).find_transfer(*given, **options))

    def reverse_transfer(self, *given: Any, **options: Any) -> RemoteTransfer:
        return self.over_the_line(lambda: super(UnreliableCashier, self).reverse_transfer(*given, **options))

    def find_reversal(self, *given: Any, **options: Any) -> RemoteTransfer | None:
        return self.over_the_line(lambda: super(UnreliableCashier, self).find_reversal(*given, **options))

    def fail_a_refund(self) -> bool:
        """The payer's bank sends one back, before or after it had arrived; True if there was one."""
        with self.storage.connect() as connection:
            open_ones = select(refund.c.id).where(refund.c.status.in_(("pending", "succeeded"))).order_by(refund.c.id)
            found = connection.scalars(open_ones).all()
        if found:
            self.fail_refund(self.dice.choice(found))
        return bool(found)

    def play_the_bank(self) -> str:
        """A payer disputes a payment, asks about one, or a dispute is decided."""
        with self.storage.connect() as connection:
            paid = connection.scalars(PAID).all()
        if self.dice.chance(0.5) and self.decide_one():
            return "a dispute is decided"
        if not paid:
            return "nothing to dispute"
        try:
            self.open_dispute(self.dice.choice(paid), is_inquiry=self.dice.chance(0.3))
        except Invalid:
            return "it is disputed already"
        return "a payment is disputed"

    def decide_one(self) -> bool:
        """Of the disputes that stand open; True if there was one."""
        with self.storage.connect() as connection:
            standing = connection.scalars(STANDING).all()
        if standing:
            self.decide_dispute(self.dice.choice(standing), is_won=self.dice.chance(0.5))
        return bool(standing)

    def fetch_dispute(self, remote_id: str) -> RemoteDispute:
        return self.over_the_line(lambda: super(UnreliableCashier, self).fetch_dispute(remote_id))

    def movements(self, since: datetime) -> Iterator[Movement]:
        return self.over_the_line(lambda: super(UnreliableCashier, self).movements(since))

    def balance(self) -> dict[str, int]:
        return self.over_the_line(super().balance)


class Post:
    """The way of a webhook: lost, doubled, kept back and brought later, damaged; and its receipt may be lost."""

    def __init__(self, dice: Dice, bring: Callable[[bytes, str], int]) -> None:
        self.dice, self.bring = dice, bring
        self.kept_back: list[tuple[bytes, str]] = []
        self.is_faulty = True

    def send(self, _url: str, body: bytes, signature: str) -> int:
        """As the cashier's delivery asks for: the HTTP status. Raises OSError."""
        if not self.is_faulty:
            return self.bring(body, signature)
        if self.dice.chance(0.08):
            raise OSError("the letter is lost")
        if self.dice.chance(0.08):
            self.kept_back.append((body, signature))
            return 200
        if self.dice.chance(0.04):
            place = self.dice.randrange(len(body))
            damaged = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            assert self.bring(damaged, signature) == 400, damaged
        status = self.bring(body, signature)
        if self.dice.chance(0.08):
            status = self.bring(body, signature)
        if self.dice.chance(0.06):
            raise OSError("the receipt is lost")
        return status

    def bring_what_was_kept(self) -> None:
        """Late, and in another order; older than five minutes it is refused, and only the sweeper can help."""
        self.dice.shuffle(self.kept_back)
        while self.kept_back:
            self.bring(*self.kept_back.pop())


@contextmanager
def crashing(dice: Dice, probability: float) -> Iterator[None]:
    """Meanwhile the process may be killed just before or just after any COMMIT."""

    def before(_session: Session) -> None:
        if dice.chance(probability):
            raise Crash("before the commit")

    def after(_session: Session) -> None:
        if dice.chance(probability):
            raise Crash("after the commit")

    heard = (("before_commit", before), ("after_commit", after))
    for name, listener in heard:
        event.listen(db.session, name, listener)
    try:
        yield
    finally:
        for name, listener in heard:
            event.remove(db.session, name, listener)
        db.session.remove()
