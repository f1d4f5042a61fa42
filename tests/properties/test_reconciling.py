"""Whatever is paid, refunded, lost and paid out, in whatever order: the proof is exact to the fen."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select

from marketplace.auditing import checks
from marketplace.auditing.checks import Difference
from marketplace.auditing.movements import MOVEMENTS
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import refunds, sweeping
from marketplace.payments.models import Refund
from marketplace.payments.reconciliation import running
from marketplace.payments.sandbox.book_keeping import BookKeeping
from marketplace.payments.sandbox.converting import Conversion
from tests.payments.abroad import clearing
from tests.payments.conftest import Till, quick_till

__all__ = ["quick_till"]

NUMBERS = count(1)
DEEDS = st.sampled_from(
    [
        "pay",
        "pay and lose the word",
        "refund",
        "send",
        "finish",
        "fail",
        "pay out",
        "take back",
        "change the rate",
        "compare",
    ]
)
CURRENCIES = ("CNY", "HKD", "JPY")


class Shop:
    """What may happen, each a deed by its name."""

    def __init__(self, till: Till) -> None:
        self.till = till

    def do(self, deed: str, fen: int) -> None:
        getattr(self, deed.replace(" ", "_"))(fen)

    def pay(self, fen: int) -> None:
        self.pay_and_lose_the_word(fen)
        self.till.work()

    def pay_and_lose_the_word(self, fen: int) -> None:
        self.till.pay(self.till.start(f"P-{next(NUMBERS)}", fen))

    def refund(self, fen: int) -> None:
        share: dict[books.Account, Money] = {("seller_held", "s1"): Money(1)}
        for reference in self.till.told[-1:]:
            asked: dict[str, Any] = {"purpose": "order", "reference": reference, "reason_key": f"parcel:{fen}"}
            with suppress(refunds.RefundTooLarge):
                in_transaction(refunds.request, **asked, amount=Money(1), shares=share, reason="test")

    def send(self, _fen: int) -> None:
        sweeping.send_refund()

    def finish(self, _fen: int) -> None:
        self.till.work_later()

    def fail(self, _fen: int) -> None:
        for remote in db.session.scalars(select(Refund.remote_id).where(Refund.remote_id.is_not(None)).limit(1)).all():
            db.session.rollback()
            self.till.cashier.fail_refund(str(remote))

    def pay_out(self, fen: int) -> None:
        self.post("payout_paid", fen)

    def take_back(self, fen: int) -> None:
        """What our bank had paid."""
        self.post("payout_bounced", -fen)

    def post(self, kind: str, fen: int) -> None:
        lines: dict[books.Account, Money] = {("seller_held", "s1"): Money(fen), ("gateway_clearing", "sandbox"): Money(-fen)}
        in_transaction(books.post, key=f"{kind}:{next(NUMBERS)}", book="test", reference="b", lines=lines)

    def change_the_rate(self, fen: int) -> None:
        """To any at all, and of any currency: yuan are not converted."""
        currency, rate = CURRENCIES[fen % len(CURRENCIES)], Decimal(1 + fen % 997) / 100
        self.till.cashier.book_keeping.conversion = None if currency == "CNY" else Conversion(currency, rate)

    def compare(self, _fen: int) -> None:
        standing = running.reconcile(self.till.cashier, actor="test")
        assert not standing.is_red, standing


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.tuples(DEEDS, st.integers(1, 10**9)), min_size=3, max_size=10))
def test_the_proof_holds_after_every_deed(
    quick_till: Till, monkeypatch: pytest.MonkeyPatch, deeds: list[tuple[str, int]]
) -> None:
    """Each example goes on in the shop that the one before has left. In the end the books hold what the cashier does."""
    monkeypatch.setattr(quick_till.cashier.book_keeping, "conversion", None)
    shop = Shop(quick_till)
    for deed, fen in deeds:
        shop.do(deed, fen)
    shop.finish(0)
    with time_machine.travel(clock.now() + timedelta(minutes=10)):
        shop.compare(0)
    held = quick_till.cashier.balance()
    assert {currency: clearing(currency) for currency in CURRENCIES} == dict.fromkeys(CURRENCIES, 0) | held
    connection = db.session.connection()
    assert [one for one in checks.run(connection, MOVEMENTS) if isinstance(one, Difference)] == []


@pytest.mark.parametrize(("fen", "fee"), [(1, 1), (249, 1), (250, 2), (3980, 24), (12_500, 75), (10**9, 6_000_000)])
def test_a_fee_is_rounded_half_up_and_at_least_a_fen(fen: int, fee: int) -> None:
    engine: Any = None
    assert BookKeeping(engine, 60).fee_of(fen) == fee
    assert BookKeeping(engine, 0).fee_of(fen) == 0
