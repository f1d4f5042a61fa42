"""What every gateway must do, tried on all of them: the sandbox cashier, and Stripe's own library on Stripe-like servers.

The cashier has a Stripe-like face with Checkout Sessions, which no server of others has; localstripe (its own process) has
PaymentIntents, refunds and signed webhooks. STRIPE_TEST_KEY adds Stripe's own test mode."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from marketplace.core.money import Money
from marketplace.payments.gateways import (
    BadSignature,
    Invalid,
    KeyMismatch,
    OutcomeUnknown,
    PaymentGateway,
    PaymentRequest,
    RefundRequest,
    RemotePayment,
    gateways,
)
from marketplace.payments.sandbox.converting import Conversion
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.states import AttemptState, RefundState
from marketplace.payments.stripe import translation
from marketplace.payments.stripe.gateway import StripeGateway
from tests import cashiers, peers
from tests.answering import answering

BEGUN = datetime.now(UTC) - timedelta(minutes=1)
RETURN = "http://127.0.0.1:8000/orders/SX-7F3KQ2MD"
PAY_BY = datetime(2036, 11, 25, 12, tzinfo=UTC)
numbers = itertools.count(1)


@dataclass
class House:
    """A gateway, and the payer's side of it."""

    gateway: PaymentGateway
    pay: Callable[[RemotePayment], None]


@pytest.fixture(params=["the cashier", "Stripe's library on the cashier's face"])
def house(request: pytest.FixtureRequest, real_app: Flask) -> Iterator[House]:
    cashier = gateways().get("sandbox")
    assert isinstance(cashier, SandboxCashier)
    cashiers.opened(cashier)

    def pay(payment: RemotePayment) -> None:
        cashier.decide(payment.remote_id.removeprefix("cs_"), "succeeded")

    if request.param == "the cashier":
        yield House(cashier, pay)
    else:
        with_face = make_server("127.0.0.1", 0, real_app, threaded=True)
        with answering(with_face):
            yield House(stripe_at(f"http://127.0.0.1:{with_face.port}/sandbox-cashier", cashier.api_key), pay)
    cashier.storage.dispose()


def stripe_at(address: str, key: str, secret: str = "whsec_ours") -> StripeGateway:
    methods = ["card", "alipay", "wechat_pay"]
    return StripeGateway(key, webhook_secrets=[secret], address=address, methods=methods, pays_others=True)


def asked(fen: int = 3980, **changes: Any) -> PaymentRequest:
    name = f"attempt{os.getpid()}x{next(numbers)}"
    known: dict[str, Any] = {
        "attempt": name,
        "amount": Money(fen),
        "description": "SX-7F3KQ2MD 沁州黄小米",
        "pay_by": PAY_BY,
    }
    return PaymentRequest(**known | {"return_url": "http://127.0.0.1:8000/orders/SX-7F3KQ2MD"} | changes)


def test_a_payment_from_its_beginning_to_the_money(house: House) -> None:
    request = asked()
    started = house.gateway.start_payment(request, key=f"{request.attempt}:create")

    assert (started.attempt, started.amount) == (request.attempt, Money(3980))
    assert (started.status, started.book) == (AttemptState.REQUIRES_ACTION, "test")
    assert started.redirect_url.startswith("http")
    assert house.gateway.fetch_payment(started.remote_id) == started
    house.pay(started)
    paid = house.gateway.fetch_payment(started.remote_id)
    assert (paid.remote_id, paid.status, paid.amount) == (started.remote_id, AttemptState.SUCCEEDED, Money(3980))


def test_the_same_key_makes_the_same_payment_and_other_parameters_are_refused(house: House) -> None:
    request = asked()
    first = house.gateway.start_payment(request, key=f"{request.attempt}:create")

    assert house.gateway.start_payment(request, key=f"{request.attempt}:create").remote_id == first.remote_id
    with pytest.raises(KeyMismatch):
        house.gateway.start_payment(asked(1, attempt=request.attempt), key=f"{request.attempt}:create")
    assert house.gateway.fetch_payment(first.remote_id).amount == Money(3980)


def test_a_payment_is_found_by_our_own_name(house: House) -> None:
    request = asked()
    assert house.gateway.find_payment(request.attempt, since=BEGUN) is None

    started = house.gateway.start_payment(request, key=f"{request.attempt}:create")

    assert house.gateway.find_payment(request.attempt, since=BEGUN) == started


def test_what_is_cancelled_can_no_longer_be_paid_and_what_is_paid_is_not_cancelled(house: House) -> None:
    dropped, paid = (house.gateway.start_payment(request, key=f"{request.attempt}:create") for request in (asked(), asked()))
    house.pay(paid)

    assert house.gateway.cancel_payment(dropped.remote_id, key="cancel-1").status in {
        AttemptState.CANCELLED,
        AttemptState.EXPIRED,
    }
    assert house.gateway.cancel_payment(paid.remote_id, key="cancel-2").status is AttemptState.SUCCEEDED
    house.pay(dropped)
    assert house.gateway.fetch_payment(dropped.remote_id).status is not AttemptState.SUCCEEDED


def test_refunds_in_parts_up_to_what_was_paid(house: House) -> None:
    request = asked()
    payment = house.gateway.start_payment(request, key=f"{request.attempt}:create")
    house.pay(payment)
    part = RefundRequest(f"{request.attempt}-a", payment.remote_id, Money(3000))
    sent = house.gateway.refund(part, key=f"{part.refund}:create")

    assert (sent.refund, sent.amount, sent.book) == (part.refund, Money(3000), "test")
    assert sent.status in {RefundState.PENDING, RefundState.SUCCEEDED}
    assert house.gateway.refund(part, key=f"{part.refund}:create").remote_id == sent.remote_id
    assert house.gateway.fetch_refund(sent.remote_id).amount == Money(3000)
    assert house.gateway.find_refund(part) == house.gateway.fetch_refund(sent.remote_id)
    assert house.gateway.fetch_payment(sent.payment).attempt == request.attempt
    too_much = RefundRequest(f"{request.attempt}-b", payment.remote_id, Money(981))
    with pytest.raises(Invalid):
        house.gateway.refund(too_much, key=f"{too_much.refund}:create")
    assert house.gateway.find_refund(too_much) is None
    rest = RefundRequest(f"{request.attempt}-c", payment.remote_id, Money(980))
    assert house.gateway.refund(rest, key=f"{rest.refund}:create").amount == Money(980)


def test_the_balance_is_made_of_movements(house: House) -> None:
    """Charges and refunds with their fees, each found by our own id; whatever the balance was before, they explain it."""
    since, before = datetime.now(UTC) - timedelta(seconds=2), house.gateway.balance().get("CNY", 0)
    request = asked()
    payment = house.gateway.start_payment(request, key=f"{request.attempt}:create")
    house.pay(payment)
    part = RefundRequest(f"{request.attempt}-a", payment.remote_id, Money(1000))
    refund = house.gateway.refund(part, key=f"{part.refund}:create")

    moved = {movement.type: movement for movement in house.gateway.movements(since)}
    assert set(moved) == {"charge", "refund"}
    charge, back = moved["charge"], moved["refund"]
    assert (charge.ours, charge.gross, charge.fee, charge.net, charge.currency) == (request.attempt, 3980, 24, 3956, "CNY")
    assert house.gateway.fetch_payment(charge.source_id).remote_id == payment.remote_id
    assert (back.ours, back.source_id, back.gross, back.fee, back.net) == (part.refund, refund.remote_id, -1000, 0, -1000)
    assert house.gateway.balance() == {"CNY": before + 3956 - 1000}
    assert list(house.gateway.movements(datetime.now(UTC) + timedelta(minutes=1))) == []


def test_what_is_settled_in_another_currency_says_both_sums(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    books = cast(SandboxCashier, gateways().get("sandbox")).book_keeping
    monkeypatch.setattr(books, "conversion", Conversion("HKD", Decimal("1.08")))
    since = datetime.now(UTC) - timedelta(seconds=2)
    request = asked()
    payment = house.gateway.start_payment(request, key=f"{request.attempt}:create")
    house.pay(payment)
    monkeypatch.setattr(books, "conversion", Conversion("HKD", Decimal("1.1")))
    part = RefundRequest(f"{request.attempt}-a", payment.remote_id, Money(1000))
    house.gateway.refund(part, key=f"{part.refund}:create")

    assert house.gateway.fetch_payment(payment.remote_id).amount == Money(3980)
    moved = {movement.type: movement for movement in house.gateway.movements(since)}
    charge, back = moved["charge"], moved["refund"]
    assert (charge.gross, charge.fee, charge.net, charge.currency) == (4298, 26, 4272, "HKD")
    assert (charge.presented, charge.presented_currency, charge.rate) == (3980, "CNY", "1.08")
    assert (back.gross, back.fee, back.currency) == (-1100, 0, "HKD")
    assert (back.presented, back.presented_currency, back.rate) == (-1000, "CNY", "1.1")
    assert house.gateway.balance() == {"HKD": 4272 - 1100}


def test_lost_events_can_be_read_again(house: House) -> None:
    request = asked()
    house.pay(house.gateway.start_payment(request, key=f"{request.attempt}:create"))

    (raw,) = house.gateway.events_since(datetime.now(UTC) - timedelta(minutes=1))

    notice = house.gateway.read_webhook(raw)
    assert (notice.type, notice.concerns, notice.book) == ("payment_intent.succeeded", "payment", "test")
    assert house.gateway.fetch_payment(notice.remote_id).attempt == request.attempt


def test_what_was_never_paid_cannot_be_refunded(house: House) -> None:
    request = asked()
    payment = house.gateway.start_payment(request, key=f"{request.attempt}:create")

    with pytest.raises(Invalid):
        house.gateway.refund(RefundRequest("r", payment.remote_id, Money(1)), key=f"{request.attempt}:refund")


def test_what_does_not_exist_is_invalid(house: House) -> None:
    for call in (house.gateway.fetch_payment, house.gateway.fetch_refund):
        with pytest.raises(Invalid):
            call("cs_pay_nothing")


def test_a_stripe_that_does_not_answer_says_nothing() -> None:
    nobody = stripe_at(f"http://127.0.0.1:{peers.free_port()}", "sk_test_x")
    nobody.client._requestor._options.max_network_retries = 0
    with pytest.raises(OutcomeUnknown):
        nobody.fetch_payment("pi_1")


class Ear(BaseHTTPRequestHandler):
    """Keeps the webhooks that arrive."""

    heard: list[tuple[bytes, dict[str, str]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).heard.append((body, dict(self.headers)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_said: Any) -> None:
        pass


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    return stripe_at(peers.localstripe(), f"sk_test_{os.getpid()}", "whsec_localstripe")


def paid_intent(gateway: StripeGateway, attempt: str, fen: int = 3980) -> str:
    method = gateway.client.v1.payment_methods.create(
        params={"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2039, "cvc": "123"}}
    )
    intent = gateway.client.v1.payment_intents.create(
        params={"amount": fen, "currency": "cny", "metadata": {"attempt": attempt}, "payment_method": method.id}
    )
    gateway.client.v1.payment_intents.confirm(intent.id)
    return str(intent.id)


def test_localstripe_a_payment_is_read_and_refunded(local: StripeGateway) -> None:
    intent = paid_intent(local, "a1")
    payment = local.fetch_payment(intent)

    assert (payment.remote_id, payment.attempt, payment.amount) == (intent, "a1", Money(3980))
    assert (payment.status, payment.raw_status, payment.book) == (AttemptState.SUCCEEDED, "succeeded", "test")
    request = RefundRequest("r1", intent, Money(1980))
    refund = local.refund(request, key="r1:create")
    assert (refund.refund, refund.amount, refund.status) == ("r1", Money(1980), RefundState.SUCCEEDED)
    assert refund.payment == intent
    assert local.fetch_refund(refund.remote_id) == refund
    assert local.find_refund(request) == refund
    assert local.find_refund(RefundRequest("r2", intent, Money(1))) is None
    with pytest.raises(Invalid):
        local.fetch_payment("pi_nothing")


def test_localstripe_movements_name_what_they_were_made_for(local: StripeGateway) -> None:
    """As far as it does: its charges name neither intent nor metadata, it lists by no time, its balance looks otherwise."""
    intent = paid_intent(local, "a-moved", 3977)
    refund = local.refund(RefundRequest("r-moved", intent, Money(1980)), key="r-moved:create")

    listed = local.client.v1.balance_transactions.list(params={"limit": 100, "expand": ["data.source"]})
    moved = list(map(translation.movement_of, listed.data))

    (charge,) = (movement for movement in moved if movement.gross == 3977)
    assert (charge.type, charge.source_id[:3], charge.fee, charge.net, charge.currency) == ("charge", "ch_", 0, 3977, "CNY")
    (back,) = (movement for movement in moved if movement.source_id == refund.remote_id)
    assert (back.type, back.ours, back.gross, back.net) == ("refund", "r-moved", -1980, -1980)


def test_localstripe_signs_what_we_accept(local: StripeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ear, "heard", [], raising=False)
    ear = HTTPServer(("127.0.0.1", 0), Ear)
    with answering(ear):
        hook = {"url": f"http://127.0.0.1:{ear.server_port}/", "secret": "whsec_localstripe"}
        requests.post(f"{peers.localstripe()}/_config/webhooks/ours", json=hook, timeout=10).raise_for_status()
        local.client.v1.customers.create(params={"email": "buyer@example.org"})  # what it tells of: of payments, nothing
        peers.wait_until(lambda: bool(Ear.heard))

    body, headers = Ear.heard[0]
    told = local.parse_webhook(body, headers)
    assert (told.type, told.concerns, told.book) == ("customer.created", "nothing we know", "test")
    with pytest.raises(BadSignature):
        local.parse_webhook(body.replace(b"evt_", b"evt-", 1), headers)
