"""Stripe's library on a Stripe that others wrote: seahaven-stripe-world, which keeps keys, declines, disputes and a balance.

With STRIPE_TEST_KEY (`sk_test_…`) the same is asked of Stripe's own test mode. Neither lets anybody pay a Checkout Session
by program, so payments are PaymentIntents here, as a payer's card makes them."""

import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.core.money import Money
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateways import ActionRequired, Declined, Invalid, KeyMismatch, PaymentRequest, RefundRequest
from marketplace.payments.states import AttemptState, RefundState
from marketplace.payments.stripe import mandates
from marketplace.payments.stripe.connection import asking
from marketplace.payments.stripe.gateway import StripeGateway
from tests import peers

STRIPE = "https://api.stripe.com"
pytestmark = pytest.mark.full  # to start it takes longer than everything that is asked of it
PATIENCE = 30.0  # Stripe's own disputes and balances take some seconds


@pytest.fixture(params=["stripe-world", "Stripe's test mode"])
def stripe(request: pytest.FixtureRequest) -> StripeGateway:
    key = os.environ.get("STRIPE_TEST_KEY", "")
    if request.param != "stripe-world" and not key:
        pytest.skip("STRIPE_TEST_KEY is not set: Stripe's own test mode is not asked")
    address = peers.stripe_world() if request.param == "stripe-world" else STRIPE
    known = key if address == STRIPE else "sk_test_world"
    assert known.startswith(("sk_test_", "rk_test_"))
    return StripeGateway(known, webhook_secrets=["whsec_x"], address=address, methods=["card"])


def named(what: str) -> str:
    return f"{what}-{secrets.token_hex(6)}"


def intent(stripe: StripeGateway, attempt: str, fen: int = 3980, card: str = "tok_visa", **more: Any) -> str:
    """A payment by a card, as its payer makes it on Stripe's page."""
    method = stripe.client.v1.payment_methods.create(params={"type": "card", "card": {"token": card}})
    wanted: Any = {"amount": fen, "currency": "cny", "metadata": {"attempt": attempt}, "payment_method": method.id}
    wanted |= {"payment_method_types": ["card"], "confirm": True}
    return str(stripe.client.v1.payment_intents.create(params=wanted | more).id)


def eventually(what: Callable[[], Any]) -> Any:
    """What it says as soon as it says something."""
    deadline = time.monotonic() + PATIENCE
    while not (said := what()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return said


def test_a_payment_is_read(stripe: StripeGateway) -> None:
    attempt = named("attempt")
    paid = stripe.fetch_payment(intent(stripe, attempt))
    assert (paid.attempt, paid.amount, paid.book) == (attempt, Money(3980), "test")
    assert (paid.status, paid.raw_status) == (AttemptState.SUCCEEDED, "succeeded")
    with pytest.raises(Invalid):
        stripe.fetch_payment("pi_nothing")


def test_what_nobody_confirmed_is_cancelled_and_what_is_paid_is_not(stripe: StripeGateway) -> None:
    wanted: Any = {"amount": 100, "currency": "cny", "payment_method_types": ["card"]}
    open_one = str(stripe.client.v1.payment_intents.create(params=wanted).id)
    assert stripe.fetch_payment(open_one).status is AttemptState.REQUIRES_ACTION
    for _time in range(2):
        assert stripe.cancel_payment(open_one, key=named("cancel")).status is AttemptState.CANCELLED
    paid = intent(stripe, named("attempt"))
    assert stripe.cancel_payment(paid, key=named("cancel")).status is AttemptState.SUCCEEDED


def test_refunds_in_parts_up_to_what_was_paid(stripe: StripeGateway) -> None:
    payment, first, too_much = intent(stripe, named("attempt")), named("refund"), named("refund")
    part = RefundRequest(first, payment, Money(3000))
    sent = stripe.refund(part, key=f"{first}:create")

    assert (sent.refund, sent.amount, sent.status, sent.book) == (first, Money(3000), RefundState.SUCCEEDED, "test")
    assert stripe.refund(part, key=f"{first}:create") == sent
    assert stripe.fetch_refund(sent.remote_id) == stripe.find_refund(part) == sent and sent.payment == payment
    with pytest.raises(Invalid):
        stripe.refund(RefundRequest(too_much, payment, Money(981)), key=f"{too_much}:create")
    assert stripe.find_refund(RefundRequest(too_much, payment, Money(981))) is None
    rest = named("refund")
    assert stripe.refund(RefundRequest(rest, payment, Money(980)), key=f"{rest}:create").amount == Money(980)


def test_a_key_with_other_parameters_is_refused(stripe: StripeGateway) -> None:
    payment, refund = intent(stripe, named("attempt")), named("refund")
    stripe.refund(RefundRequest(refund, payment, Money(100)), key=f"{refund}:create")
    with pytest.raises(KeyMismatch):
        stripe.refund(RefundRequest(refund, payment, Money(200)), key=f"{refund}:create")
    assert (
        stripe.client.v1.payment_intents.retrieve(payment, params={"expand": ["latest_charge"]})["latest_charge"][
            "amount_refunded"
        ]
        == 100
    )


def kept_card(stripe: StripeGateway, card: str) -> str:
    customer = stripe.client.v1.customers.create(params={"name": "张三"})
    method = stripe.client.v1.payment_methods.create(params={"type": "card", "card": {"token": card}})
    stripe.client.v1.payment_methods.attach(method.id, params={"customer": customer.id})
    return f"{customer.id}:{method.id}"


def asked(attempt: str) -> PaymentRequest:
    return PaymentRequest(attempt, Money(2000), "monthly", "http://127.0.0.1:8000/")


def test_a_kept_card_is_charged_without_its_payer(stripe: StripeGateway) -> None:
    attempt, begun = named("attempt"), datetime.now(UTC) - timedelta(minutes=1)
    mandate = kept_card(stripe, "tok_visa")
    charged = stripe.charge_mandate(asked(attempt), mandate, key=f"{attempt}:charge")
    assert (charged.attempt, charged.amount, charged.status) == (attempt, Money(2000), AttemptState.SUCCEEDED)
    assert stripe.charge_mandate(asked(attempt), mandate, key=f"{attempt}:charge") == charged
    assert mandates.find(stripe.client, attempt, int(begun.timestamp())) == charged


def test_a_bank_that_wants_the_payer_there_says_so(stripe: StripeGateway) -> None:
    attempt = named("attempt")
    with pytest.raises(ActionRequired):
        stripe.charge_mandate(asked(attempt), kept_card(stripe, "tok_threeDSecure2Required"), key=f"{attempt}:charge")


def test_what_a_card_s_bank_refuses_is_declined(stripe: StripeGateway) -> None:
    with pytest.raises(Declined), asking("a card"):
        intent(stripe, named("attempt"), card="tok_visa_chargeDeclinedInsufficientFunds")


def test_movements_name_what_they_were_made_for_and_add_up(stripe: StripeGateway) -> None:
    since, attempt, refund = datetime.now(UTC) - timedelta(seconds=5), named("attempt"), named("refund")
    payment = intent(stripe, attempt)
    stripe.refund(RefundRequest(refund, payment, Money(1000)), key=f"{refund}:create")

    def both() -> dict[str, Any]:
        mine = {movement.ours: movement for movement in stripe.movements(since) if movement.ours in (attempt, refund)}
        return mine if len(mine) == 2 else {}

    moved = eventually(both)
    charge, back = moved[attempt], moved[refund]
    assert (charge.type, charge.source_id) == ("charge", payment)
    assert charge.net == charge.gross - charge.fee and charge.fee >= 0
    assert (back.type, back.net) == ("refund", back.gross - back.fee) and back.gross < 0
    if charge.currency == "CNY":
        assert (charge.gross, back.gross) == (3980, -1000)


def test_the_balance_is_what_the_movements_come_to(stripe: StripeGateway) -> None:
    if stripe.client._requestor._options.base_addresses["api"] == STRIPE:
        pytest.skip("an account of Stripe's has a past that cannot be read in a test")
    intent(stripe, named("attempt"))
    held: dict[str, int] = {}
    for movement in stripe.movements(datetime(2026, 1, 1, tzinfo=UTC)):
        held[movement.currency] = held.get(movement.currency, 0) + movement.net
    assert held == stripe.balance()


def test_lost_events_can_be_read_again(stripe: StripeGateway) -> None:
    since, attempt = datetime.now(UTC) - timedelta(seconds=5), named("attempt")
    payment = intent(stripe, attempt)

    def told() -> list[str]:
        notices = map(stripe.read_webhook, stripe.events_since(since))
        return [each.type for each in notices if each.remote_id == payment and each.concerns == "payment"]

    assert "payment_intent.succeeded" in eventually(told)


def disputed(stripe: StripeGateway, attempt: str, card: str) -> tuple[str, str]:
    """A payment, and the dispute that its card makes of it."""
    payment = intent(stripe, attempt, card=card)

    def of_it() -> list[str]:
        listed = stripe.client.v1.disputes.list(params={"payment_intent": payment, "limit": 10})
        return [str(dispute.id) for dispute in listed.data]

    (remote,) = eventually(of_it)
    return payment, remote


def test_an_inquiry_moves_no_money(stripe: StripeGateway) -> None:
    attempt = named("attempt")
    _payment, remote = disputed(stripe, attempt, "tok_visa_createDisputeInquiry")
    inquiry = stripe.fetch_dispute(remote)
    assert (inquiry.attempt, inquiry.status) == (attempt, DisputeState.INQUIRY)
    assert (inquiry.is_withdrawn, inquiry.fee.fen) == (False, 0)


def test_a_disputed_payment_is_read_and_answered(stripe: StripeGateway) -> None:
    attempt = named("attempt")
    payment, remote = disputed(stripe, attempt, "tok_createDispute")
    dispute = stripe.fetch_dispute(remote)
    assert (dispute.attempt, dispute.status, dispute.book) == (attempt, DisputeState.NEEDS_RESPONSE, "test")
    assert (dispute.is_withdrawn, dispute.is_reinstated, dispute.fee.fen > 0) == (True, False, True)
    assert dispute.answer_by is not None and dispute.answer_by > datetime.now(UTC)
    refund = RefundRequest(named("refund"), payment, Money(100))
    with pytest.raises(Invalid):
        stripe.refund(refund, key=f"{refund.refund}:create")
    answered = stripe.answer_dispute(remote, "The parcel arrived on 1 October.", key=named("answer"))
    assert answered.remote_id == remote and answered.status in {
        DisputeState.UNDER_REVIEW,
        DisputeState.WON,
        DisputeState.LOST,
    }
