import json
import time
from typing import Any

import pytest
import stripe
import time_machine
from sqlalchemy import select, text

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.payments import signatures
from marketplace.payments.models import GatewayEvent
from marketplace.payments.sandbox import delivery
from tests.payments.conftest import Till

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "livemode": False,
    "data": {"object": {"id": "pay_1", "object": "payment_intent"}},
}


def body(**changes: Any) -> bytes:
    return json.dumps(EVENT | changes).encode()


def header(secret: str, raw: bytes, shift: int = 0) -> str:
    """Made by Stripe's own library."""
    signature: str = stripe.WebhookSignature.generate_signature_header(raw.decode(), secret, int(time.time()) + shift)
    return signature


def kept() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(GatewayEvent.event_id)))


def test_what_stripe_signs_we_accept_and_what_we_sign_stripe_accepts(till: Till) -> None:
    assert till.send("", body(), header(till.cashier.secret, body())) == 200
    ours = signatures.sign(body(), till.cashier.secret, at=clock.now())
    stripe.WebhookSignature.verify_header(body().decode(), ours, till.cashier.secret)

    assert kept() == ["evt_1"]


def test_a_sandbox_in_which_nothing_waits_is_not_locked(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(till.cashier, "writing", None)
    assert not delivery.deliver(till.cashier)
    assert not till.cashier.finish_refunds() and not till.cashier.finish_slow_payments()


@pytest.mark.parametrize("shift", [-301, 301, 3600, -3600])
def test_old_and_future_signatures_are_refused(till: Till, shift: int) -> None:
    assert till.send("", body(), header(till.cashier.secret, body(), shift)) == 400
    assert kept() == []


@pytest.mark.parametrize(
    "forged",
    ["", "t=1", "v1=aa", "t=abc,v1=aa", "t=1,t=2,v1=aa", "t=9999999999999999999,v1=é", "t=²,v1=aa", ",,,", "=,="],
)
def test_rubbish_is_refused(till: Till, forged: str) -> None:
    assert till.send("", body(), forged) == 400
    assert kept() == []


def test_wrong_secret_altered_byte_or_v0_only_is_refused(till: Till) -> None:
    good = header(till.cashier.secret, body())

    assert till.send("", body(), header("whsec_other", body())) == 400
    assert till.send("", body()[:-1] + b" ", good) == 400
    assert till.send("", body(), good.replace("v1=", "v0=")) == 400
    assert kept() == []


def test_a_rotated_secret_may_sign_beside_the_old_one(till: Till) -> None:
    good = header(till.cashier.secret, body())
    assert till.send("", body(), good.replace(",v1=", f",v1={'0' * 64},v1=")) == 200


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b'{"id": 1}', b'{"data": {"object": []}}'])
def test_signed_but_unreadable_is_refused(till: Till, raw: bytes) -> None:
    stamp = int(time.time())
    assert till.send("", raw, f"t={stamp},v1={signatures.mac(raw, till.cashier.secret, stamp)}") == 400
    assert kept() == []


def test_live_money_never_enters_a_test_book(till: Till) -> None:
    raw = body(livemode=True)
    assert till.send("", raw, header(till.cashier.secret, raw)) == 400
    assert kept() == []


def test_too_large_is_refused_and_unknown_gateways_do_not_exist(till: Till) -> None:
    assert till.app.test_client().post("/webhooks/sandbox", data=b"x" * 65_537).status_code == 413
    assert till.app.test_client().post("/webhooks/paypal", data=b"{}").status_code == 404


def test_an_event_we_cannot_keep_is_asked_for_again(till: Till) -> None:
    db.session.execute(text("DROP TABLE gateway_event"))
    db.session.commit()

    assert till.send("", body(), header(till.cashier.secret, body())) == 503


def test_the_sandbox_sends_again_until_it_is_heard(till: Till) -> None:
    answers = iter([500, 503])
    till.pay(till.start())
    assert delivery.deliver(till.cashier, lambda *_sent: next(answers))
    assert not delivery.deliver(till.cashier, till.send)  # not yet due

    with time_machine.travel(clock.now() + delivery.FIRST_WAIT, tick=False):
        assert delivery.deliver(till.cashier, lambda *_sent: next(answers))
    with time_machine.travel(clock.now() + 3 * delivery.FIRST_WAIT, tick=False):
        till.deliver()

    assert len(kept()) == 1
