"""Our Stripe gateway in the house's hands: what its errors mean to us, and a payment's whole life through it."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe
from werkzeug.serving import make_server

from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments import attempts, inbox, refunds, sweeping
from marketplace.payments.gateways import (
    AuthFailed,
    Declined,
    GatewayError,
    InsufficientFunds,
    Invalid,
    KeyMismatch,
    OutcomeUnknown,
    RateLimited,
    RefundRequest,
    RefundWindowClosed,
    gateways,
)
from marketplace.payments.models import Refund
from marketplace.payments.states import AttemptState, RefundState
from marketplace.payments.stripe import translation
from marketplace.payments.stripe.gateway import StripeGateway
from tests.answering import answering
from tests.payments.conftest import ALLOCATED, RETURN, Till, booked, moved, state_of

SECRETS = ("whsec_new", "whsec_old")
ORDER = "SX-7F3KQ2MD"


def gateway_at(address: str, key: str = "sk_test_x") -> StripeGateway:
    return StripeGateway(key, webhook_secrets=SECRETS, address=address, methods=["card", "alipay", "wechat_pay"])


@dataclass
class Mouth:
    """A server that gives one answer to whatever it is asked, and remembers the questions."""

    status: int
    body: dict[str, Any]
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, idempotency key


@pytest.fixture
def mouth(request: pytest.FixtureRequest) -> Iterator[tuple[Mouth, StripeGateway]]:
    speaking = Mouth(*request.param)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            speaking.asked.append((self.path, self.headers.get("Idempotency-Key", "")))
            body = json.dumps(speaking.body).encode()
            self.send_response(speaking.status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    with answering(server):
        yield speaking, gateway_at(f"http://127.0.0.1:{server.server_port}")


def says(status: int, kind: str, code: str = "") -> tuple[int, dict[str, Any]]:
    return status, {"error": {"type": kind, "code": code, "message": "4242"}}


@pytest.mark.parametrize(
    ("mouth", "becomes", "times"),
    [
        (says(402, "card_error", "card_declined"), Declined, 1),
        (says(400, "invalid_request_error"), Invalid, 1),
        (says(404, "invalid_request_error"), Invalid, 1),
        (says(400, "idempotency_error"), KeyMismatch, 1),
        (says(400, "invalid_request_error", "charge_expired_for_refund"), RefundWindowClosed, 1),
        (says(400, "invalid_request_error", "balance_insufficient"), InsufficientFunds, 1),
        (says(401, "invalid_request_error"), AuthFailed, 1),
        (says(403, "invalid_request_error"), AuthFailed, 1),
        (says(429, "rate_limit_error"), RateLimited, 1),
        (says(500, "api_error"), OutcomeUnknown, 3),
        *(pytest.param(says(each, "api_error"), OutcomeUnknown, 3, marks=pytest.mark.full) for each in (409, 503)),
    ],
    indirect=["mouth"],
)
def test_what_stripe_says_in_our_words(
    mouth: tuple[Mouth, StripeGateway], becomes: type[GatewayError], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.01)
    speaking, gateway = mouth

    with pytest.raises(GatewayError) as said:
        gateway.refund(RefundRequest("r1", "pi_1", Money(1)), key="refund:r1:create")

    assert type(said.value) is becomes
    assert speaking.asked == [("/v1/refunds", "refund:r1:create")] * times  # its own repetitions keep our key


def test_a_word_we_do_not_know_is_no_outcome() -> None:
    intent = {"id": "pi_1", "status": "thinking", "amount": 1, "currency": "cny", "metadata": {}, "livemode": False}
    with pytest.raises(OutcomeUnknown):
        translation.payment_of_intent(intent)
    session = {"id": "cs_1", "status": "complete", "payment_status": "thinking", "payment_intent": None}
    with pytest.raises(OutcomeUnknown):
        translation.payment_of_session(session)


@dataclass
class StripeTill:
    """The shop with Stripe chosen; the cashier's Stripe-like face is the other side."""

    till: Till
    gateway: StripeGateway

    def begin(self) -> tuple[str, str]:
        """An attempt that was sent on to pay; its id, and that of its session."""
        attempt = self.till.start()
        page = attempts.submit(attempt, return_url=RETURN, description=ORDER)
        payment = page.rpartition("/")[2]
        assert page == self.till.cashier.page_of(payment)
        return attempt, f"cs_{payment}"

    def pay(self, session: str, status: str = "succeeded") -> None:
        self.till.cashier.decide(session.removeprefix("cs_"), status)

    def tell(self, kind: str, thing: str, name: str, event: str = "evt_1", secret: str = SECRETS[0], **changes: Any) -> int:
        subject = {"id": name, "object": thing}
        told = {"id": event, "object": "event", "type": kind, "livemode": False, "data": {"object": subject}} | changes
        raw = json.dumps(told)
        signed = stripe.WebhookSignature.generate_signature_header(raw, secret, int(time.time()))
        client = self.till.app.test_client()
        return client.post("/webhooks/stripe", data=raw, headers={"Stripe-Signature": signed}).status_code


@pytest.fixture
def shop(till: Till) -> Iterator[StripeTill]:
    server = make_server("127.0.0.1", 0, till.app, threaded=True)
    gateway = gateway_at(f"http://127.0.0.1:{server.port}/sandbox-cashier", till.cashier.api_key)
    gateways().by_name["stripe"], gateways().chosen = gateway, "stripe"
    with answering(server):
        yield StripeTill(till, gateway)


CAPTURED = moved("capture", "gateway_clearing:stripe", "buyer_clearing:")


@pytest.mark.parametrize(
    ("kind", "thing"), [("checkout.session.completed", "checkout.session"), ("payment_intent.succeeded", "payment_intent")]
)
def test_a_webhook_tells_of_the_payment_and_it_is_booked_once(shop: StripeTill, kind: str, thing: str) -> None:
    attempt, session = shop.begin()
    shop.pay(session)
    name = session if thing == "checkout.session" else session.replace("cs_", "pi_")

    for event, secret in (("evt_1", SECRETS[0]), ("evt_2", SECRETS[1]), ("evt_1", SECRETS[0])):
        assert shop.tell(kind, thing, name, event, secret) == 200
    while inbox.work():
        pass

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED


def test_a_webhook_that_never_comes_is_not_needed(shop: StripeTill) -> None:
    attempt, session = shop.begin()
    shop.pay(session)

    sweeping.look_again(attempt)

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED


def test_forged_live_and_foreign_webhooks_are_refused(shop: StripeTill) -> None:
    _attempt, session = shop.begin()
    told = ("checkout.session.completed", "checkout.session", session)

    assert shop.tell(*told, secret="whsec_other") == 400
    assert shop.tell(*told, livemode=True) == 400
    assert not inbox.work()


def test_an_answer_that_was_lost_is_found_by_our_own_name(shop: StripeTill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe made the session; what it answered never came."""
    attempt = shop.till.start()
    start = shop.gateway.start_payment

    def swallow(*args: Any, **kwargs: Any) -> Any:
        start(*args, **kwargs)
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(shop.gateway, "start_payment", swallow)
        with pytest.raises(OutcomeUnknown):
            attempts.submit(attempt, return_url=RETURN, description=ORDER)
    assert state_of(attempt) is AttemptState.UNKNOWN
    sweeping.look_again(attempt)

    assert state_of(attempt) is AttemptState.REQUIRES_ACTION
    shop.pay(f"cs_{shop.till.remote_of(attempt)}")
    sweeping.look_again(attempt)
    assert booked() == CAPTURED | ALLOCATED


def test_what_is_given_up_here_cannot_be_paid_there(shop: StripeTill) -> None:
    attempt, session = shop.begin()

    assert attempts.cancel(attempt) is AttemptState.EXPIRED
    shop.pay(session)
    sweeping.look_again(attempt)

    assert state_of(attempt) is AttemptState.EXPIRED
    assert booked() == {}


def test_what_was_paid_meanwhile_is_not_given_up(shop: StripeTill) -> None:
    attempt, session = shop.begin()
    shop.pay(session)

    assert attempts.cancel(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED


def test_a_refund_goes_back_the_way_it_came(shop: StripeTill) -> None:
    attempt, session = shop.begin()
    shop.pay(session)
    sweeping.look_again(attempt)
    back: dict[str, Any] = {"amount": Money(1000), "shares": {("seller_held", "s1"): Money(1000)}}
    in_transaction(refunds.request, purpose="order", reference=ORDER, reason_key="parcel:1", reason="refused", **back)

    assert sweeping.send_refund()
    shop.till.work_later()

    db.session.rollback()
    sent = db.session.query(Refund).one()
    assert (sent.state, sent.fen) == (RefundState.SUCCEEDED, 1000)
    assert booked() == CAPTURED | ALLOCATED | moved("refund", "seller_held:s1", "refund_in_transit:", 1000) | moved(
        "refund_done", "refund_in_transit:", "gateway_clearing:stripe", 1000
    )


@pytest.mark.parametrize(
    "path", ["checkout/sessions", "checkout/sessions/cs_1", "payment_intents", "payment_intents/pi_1", "refunds/re_1"]
)
@pytest.mark.parametrize("key", ["", "sk_test_wrong"])
def test_the_cashiers_face_asks_for_its_key(till: Till, path: str, key: str) -> None:
    headers, client = {"Authorization": f"Bearer {key}"} if key else {}, till.app.test_client()
    assert client.get(f"/sandbox-cashier/v1/{path}", headers=headers).status_code == 401
    assert client.post("/sandbox-cashier/v1/refunds", data={"amount": "1"}, headers=headers).status_code == 401


@pytest.mark.parametrize("sent", [{}, {"amount": "ten"}, {"payment_intent": "pi_1", "metadata": "x", "amount": "1"}])
def test_rubbish_at_the_cashiers_face_is_an_error_of_stripes_form(till: Till, sent: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {till.cashier.api_key}", "Idempotency-Key": "k"}
    for path in ("refunds", "checkout/sessions", "payment_intents"):
        answer = till.app.test_client().post(f"/sandbox-cashier/v1/{path}", data=sent, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]["type"]) == (400, "invalid_request_error")
