"""Charges without the payer: the cashier, and Stripe's library on the cashier's Stripe-like face."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Engine, create_engine, inspect, select

from crowdfund.campaigns.plans.periods import anniversary, end_of_month
from marketplace.core import clock
from marketplace.core.db import engine_options, prepare as prepare_connections
from marketplace.core.money import Money
from marketplace.payments.gateways import (
    ActionRequired,
    Declined,
    Invalid,
    KeyMismatch,
    MandateRequest,
    NotSupported,
    PaymentRequest,
    RefundRequest,
    gateways,
)
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.states import AttemptState, RefundState
from marketplace.payments.stripe import mandates, translation
from marketplace.payments.stripe.gateway import StripeGateway
from tests.payments.test_conformance import BEGUN, House, asked, house, stripe_at

__all__ = ["house"]


def cashier() -> SandboxCashier:
    return cast(SandboxCashier, gateways().get("sandbox"))


def agreed(house: House, later: str = "succeeds") -> str:
    """A payment whose payer agreed to be charged again; the gateway's id of it."""
    request = asked(for_later=True, pay_by=None)
    started = house.gateway.start_payment(request, key=f"{request.attempt}:create")
    cashier().choose_later(started.remote_id.removeprefix("cs_"), later)
    house.pay(started)
    return started.remote_id


def off_session(fen: int = 2000) -> PaymentRequest:
    return asked(fen, return_url="", pay_by=None)


def test_a_card_that_was_kept_is_charged_once_for_each_key(house: House) -> None:
    mandate = house.gateway.save_mandate(MandateRequest(agreed(house)), key="m1").remote_id
    request = off_session()
    first = house.gateway.charge_mandate(request, mandate, key=f"inst:{request.attempt}:1")

    assert (first.attempt, first.amount, first.status) == (request.attempt, Money(2000), AttemptState.SUCCEEDED)
    assert (first.book, first.redirect_url == "" or house.gateway.name == "sandbox") == ("test", True)
    again = house.gateway.charge_mandate(request, mandate, key=f"inst:{request.attempt}:1")
    assert again.remote_id == first.remote_id
    assert house.gateway.fetch_payment(first.remote_id) == first
    found = house.gateway.find_payment(request.attempt, since=BEGUN)
    assert found and (found.remote_id, found.status) == (first.remote_id, AttemptState.SUCCEEDED)
    with pytest.raises(KeyMismatch):
        house.gateway.charge_mandate(off_session(1), mandate, key=f"inst:{request.attempt}:1")
    refund = RefundRequest(f"{request.attempt}-r", first.remote_id, Money(2000))
    assert house.gateway.refund(refund, key=f"{refund.refund}:create").status is not RefundState.FAILED


@pytest.mark.parametrize(("later", "error"), [("declined", Declined), ("authentication", ActionRequired)])
def test_a_refusal_stays_one_under_its_key_and_can_be_found(house: House, later: str, error: type[Declined]) -> None:
    mandate = house.gateway.save_mandate(MandateRequest(agreed(house, later)), key="m2").remote_id
    request = off_session()
    for _again in range(2):
        with pytest.raises(Declined) as said:
            house.gateway.charge_mandate(request, mandate, key=f"inst:{request.attempt}:1")
        assert type(said.value) is error

    found = house.gateway.find_payment(request.attempt, since=BEGUN)
    assert found and found.status is AttemptState.FAILED


@pytest.mark.full
def test_nothing_is_kept_of_a_wallet_of_one_payment_or_of_none(house: House) -> None:
    with pytest.raises(NotSupported):
        house.gateway.save_mandate(MandateRequest(agreed(house, "kept_by_nobody")), key="m3")
    once = asked()
    paid = house.gateway.start_payment(once, key=f"{once.attempt}:create")
    house.pay(paid)
    with pytest.raises(NotSupported):
        house.gateway.save_mandate(MandateRequest(paid.remote_id), key="m4")
    unpaid = asked(for_later=True)
    started = house.gateway.start_payment(unpaid, key=f"{unpaid.attempt}:create")
    with pytest.raises(Invalid):
        house.gateway.save_mandate(MandateRequest(started.remote_id), key="m5")


@pytest.mark.full
def test_a_mandate_that_does_not_exist_is_invalid(house: House) -> None:
    for name in ("mdt_nothing", "cus_mdt_nothing:pm_mdt_nothing", ""):
        with pytest.raises(Invalid):
            house.gateway.charge_mandate(off_session(), name, key=f"inst:{name}:1")


def test_a_card_that_was_released_is_charged_no_more_and_released_again_without_harm(house: House) -> None:
    mandate = house.gateway.save_mandate(MandateRequest(agreed(house)), key="m6").remote_id
    other = house.gateway.save_mandate(MandateRequest(agreed(house)), key="m7").remote_id
    for _again in range(2):
        house.gateway.release_mandate(mandate)

    with pytest.raises(Invalid):
        house.gateway.charge_mandate(off_session(), mandate, key="inst:released:1")
    request = off_session()
    assert house.gateway.charge_mandate(request, other, key=f"inst:{request.attempt}:1").status is AttemptState.SUCCEEDED


@pytest.mark.parametrize(("later", "months"), [("succeeds", 36), ("ends_soon", 1)])
def test_a_card_is_good_until_the_end_of_its_month(house: House, later: str, months: int) -> None:
    kept = house.gateway.save_mandate(MandateRequest(agreed(house, later)), key=f"m8{later}")

    today = clock.today()
    assert kept.good_until == end_of_month(anniversary(today.replace(day=1), months))
    request = off_session()
    charged = house.gateway.charge_mandate(request, kept.remote_id, key=f"inst:{request.attempt}:1")
    assert charged.status is AttemptState.SUCCEEDED


def test_a_card_of_which_stripe_says_no_end_has_none() -> None:
    assert mandates.last_day_of({"id": "pm_1", "type": "card"}) is None
    assert mandates.last_day_of({"card": {"exp_month": 2, "exp_year": 2028}}) == date(2028, 2, 29)


def test_who_can_charge_again() -> None:
    assert SandboxCashier.caps.recurring
    assert stripe_at("http://127.0.0.1:1", "sk_test_x").caps.recurring
    wallets = StripeGateway("sk_test_x", webhook_secrets=[], address="http://127.0.0.1:1", methods=["alipay", "wechat_pay"])
    assert not wallets.caps.recurring and wallets.caps.least_fen == SandboxCashier.caps.least_fen == 1


def test_an_intent_off_session_that_waits_for_its_payer_was_declined() -> None:
    intent = {"id": "pi_1", "amount": 1, "currency": "cny", "livemode": False, "status": "requires_action"}
    by_hand: dict[str, Any] = {**intent, "metadata": {"attempt": "a"}}
    assert translation.payment_of_intent(by_hand).status is AttemptState.REQUIRES_ACTION
    off: dict[str, Any] = {**intent, "metadata": {"attempt": "a", "through": "mandate"}}
    assert translation.payment_of_intent(off).status is AttemptState.FAILED


def test_a_cashier_of_before_makes_room_for_mandates(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'sandbox.db'}"
    engine: Engine = create_engine(url, **engine_options(url))
    prepare_connections(engine)
    later = {"mandate", "dispute", "payee", "transfer", "reversal", "payout"}
    before = [table for name, table in storage.metadata.tables.items() if name not in later]
    opened = datetime.now(UTC) - timedelta(days=1)
    row = {"id": "pay_1", "attempt": "a", "amount": 1, "currency": "CNY", "description": "", "return_url": "/"}
    with engine.begin() as connection:
        storage.metadata.create_all(connection, tables=before)
        connection.execute(storage.version.insert().values(number=3))
        connection.execute(storage.payment.insert().values(**row, status="succeeded", created_at=opened))
    storage.prepare(engine)
    storage.prepare(engine)

    assert inspect(engine).has_table("mandate")
    with engine.connect() as connection:
        assert connection.scalars(select(storage.version.c.number)).one() == 1 + len(storage.CHANGES)
        assert connection.scalars(select(storage.payment.c.id)).all() == ["pay_1"]
    engine.dispose()
