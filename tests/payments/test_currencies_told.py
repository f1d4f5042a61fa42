"""Money in two currencies where something is not as usual, on its pages, and through Stripe's own library."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments import outcomes, refunds, sweeping
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.gateways import PaymentRequest, RemotePayment
from marketplace.payments.reconciliation import fees, running
from marketplace.payments.reconciliation.models import GatewayMovement
from marketplace.payments.reconciliation.states import Verdict
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.converting import Conversion, conversion_into
from marketplace.payments.states import AttemptState
from tests.factories import signed_in
from tests.payments.abroad import FEE, IN_HKD, Abroad, abroad, abroad_of, balance, clearing, refund_back
from tests.payments.test_reconciliation import ORDER, movements, paid
from tests.payments.test_stripe import StripeTill, shop

__all__ = ["abroad", "shop"]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"presented": 3981}, "3981 CNY there, 3980 in the books"),
        ({"presented_currency": "JPY"}, "3980 JPY there, 0 in the books"),
        ({"presented": None, "presented_currency": None}, f"{IN_HKD} HKD there, 0 in the books"),
        ({"gross": IN_HKD + 1}, f"{IN_HKD + 1} HKD there, booked otherwise"),
        ({"fee": FEE + 1}, f"fee {FEE + 1} there, {FEE} in the books"),
    ],
)
def test_what_the_gateway_tells_otherwise_later_is_a_difference(abroad: Abroad, change: dict[str, Any], note: str) -> None:
    paid(abroad.till)
    abroad.reconcile()
    before = (clearing("CNY"), clearing("HKD"))
    with abroad.till.cashier.writing() as connection:
        connection.execute(update(storage.movement).values(**change))

    standing = abroad.reconcile()

    (movement,) = movements()
    assert (movement.verdict, movement.note) == (Verdict.DIFFERS, note)
    assert standing.is_red and (clearing("CNY"), clearing("HKD")) == before


def test_another_sum_than_was_paid_is_never_converted(abroad: Abroad) -> None:
    attempt = abroad.till.start()
    abroad.till.pay(attempt)
    with abroad.till.cashier.writing() as connection:
        connection.execute(update(storage.movement).values(presented=3979))

    standing = abroad.reconcile()

    assert movements()[0].verdict is Verdict.DIFFERS and standing.is_red
    assert (clearing("CNY"), clearing("HKD"), balance("fx_conversion", "CNY")) == (3980, -FEE, 0)


def test_what_is_in_suspense_is_converted_too(abroad: Abroad) -> None:
    """A second payment under the name of one attempt."""
    attempt = paid(abroad.till)
    request = PaymentRequest(attempt, Money(500), "again", "http://127.0.0.1:8000/")
    second = abroad.till.cashier.start_payment(request, key="again")
    abroad.till.cashier.decide(second.remote_id, "succeeded")
    told = RemotePayment(second.remote_id, attempt, Money(500), AttemptState.SUCCEEDED, "succeeded", "test")
    in_transaction(outcomes.apply_payment, remote=told, gateway="sandbox", why="test")

    standing = abroad.reconcile()

    assert not standing.is_red and standing.counts == {"matched": 2}
    assert (balance("suspense", "CNY"), clearing("CNY"), clearing("HKD")) == (-500, 0, IN_HKD - FEE + 540 - 3)


def test_a_currency_without_smaller_parts(abroad: Abroad) -> None:
    abroad.rate_is("21.5", "JPY")
    paid(abroad.till)

    standing = abroad.reconcile()

    assert not standing.is_red and abroad.held() == {"JPY": 856 - 5}  # 855.7 yen, less 0.6 %
    assert (clearing("JPY"), clearing("CNY")) == (851, 0)


def test_the_grant_covers_fees_in_the_currency_that_they_were_taken_in(abroad: Abroad) -> None:
    month = clock.today()
    paid(abroad.till)
    abroad.reconcile()
    with time_machine.travel(clock.now() + timedelta(days=32)):
        assert in_transaction(fees.cover, month=month, book="test", actor="person:1") == {"HKD": FEE}
    assert balance("gateway_fee", "HKD", "test") == 0
    assert balance("operating_grant", "HKD", fees.PROVINCE) == FEE


def test_the_page_says_what_was_converted_and_what_it_cost(abroad: Abroad) -> None:
    browser: FlaskClient = abroad.till.app.test_client()
    attempt = paid(abroad.till)
    abroad.reconcile()
    signed_in(browser, "auditor")
    page = browser.get("/operator/reconciliation").text
    assert "换成了别的货币" in page and "¥39.80" in page and "42.98 HKD" in page
    assert "1.08" in browser.get(f"/operator/payments/{attempt}").text
    refund_back(abroad, 3980, "1.10", "parcel:1")
    abroad.reconcile()

    page = browser.get("/operator/reconciliation").text

    assert "退款时的汇率和付款时不一样，亏了" in page and "0.80 HKD" in page  # 43.78 less 42.98


def test_the_command_says_both_currencies(abroad: Abroad) -> None:
    paid(abroad.till)
    said = abroad.till.app.test_cli_runner().invoke(args=["payments", "reconcile"])
    assert said.exit_code == 0 and f"HKD: movements {IN_HKD - FEE}, books {IN_HKD - FEE}" in said.output


def test_stripe_tells_both_sums(shop: StripeTill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through Stripe's own library: a payment, a part of it back at another rate, a dispute over the rest."""
    abroad = abroad_of(shop.till, monkeypatch)
    attempt, session = shop.begin()
    shop.pay(session)
    assert not running.reconcile(shop.gateway, actor="test").is_red
    abroad.rate_is("1.10")
    back: dict[str, Any] = {"amount": Money(1000), "shares": {("seller_held", "s1"): Money(1000)}}
    in_transaction(refunds.request, purpose="order", reference=ORDER, reason_key="parcel:1", reason="refused", **back)
    assert sweeping.send_refund()
    shop.till.work_later()
    shop.till.cashier.open_dispute(session.removeprefix("cs_"))

    standing = running.reconcile(shop.gateway, actor="test")

    assert not standing.is_red and standing.counts == {"matched": 3}, standing
    told = db.session.execute(
        select(GatewayMovement.gross, GatewayMovement.presented, GatewayMovement.presented_currency, GatewayMovement.rate)
    ).all()
    assert sorted(tuple(row) for row in told) == [
        (-3278 - 1500, -2980, "CNY", "1.1"),
        (-1100, -1000, "CNY", "1.1"),
        (IN_HKD, 3980, "CNY", "1.08"),
    ]
    assert (clearing("CNY", "stripe"), clearing("HKD", "stripe")) == (0, IN_HKD - FEE - 1100 - 3278 - 1500)
    assert shop.gateway.balance() == {"HKD": clearing("HKD", "stripe")}
    row = db.session.scalars(select(Dispute)).one()
    assert (row.fee_fen, row.fee_currency) == (1500, "HKD")
    assert attempt


@pytest.mark.parametrize(
    ("fen", "rate", "currency", "settled"),
    [
        (3980, "1.08", "HKD", 4298),
        (1, "0.5", "HKD", 0),  # half to even
        (3, "0.5", "HKD", 2),
        (5, "0.5", "HKD", 2),
        (-3, "0.5", "HKD", -2),
        (100, "20", "JPY", 20),
        (100, "0.3", "KWD", 300),
        (10**13, "1.08", "HKD", 108 * 10**11),
    ],
)
def test_the_sandbox_rounds_as_banks_do(fen: int, rate: str, currency: str, settled: int) -> None:
    assert Conversion(currency, Decimal(rate)).of(Money(fen)) == Money(settled, currency)
    assert conversion_into("CNY") is None
