"""What every gateway that pays others must do: on the sandbox cashier, and by Stripe's library on the cashier's face."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.core.money import Money
from marketplace.payments.gateways import InsufficientFunds, Invalid, KeyMismatch, NotSupported, gateways
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.stripe import transfers
from marketplace.payments.stripe.gateway import StripeGateway
from marketplace.payments.transfers.asking import ReversalRequest, TransferRequest
from marketplace.payments.transfers.states import PayeeState
from tests.payments.test_conformance import House, asked, house, numbers

__all__ = ["house"]

BACK = "http://127.0.0.1:8000/seller/account"
BEGUN = datetime.now(UTC) - timedelta(minutes=1)


def cashier() -> SandboxCashier:
    found = gateways().get("sandbox")
    assert isinstance(found, SandboxCashier)
    return found


def a_payee(house: House) -> str:
    """One whom the gateway knows; returns its id of them."""
    name = f"payee{next(numbers)}"
    remote = house.gateway.open_payee(name, key=f"{name}:create").remote_id
    cashier().say_who_they_are(remote, PayeeState.VERIFIED, "7890")
    return remote


def a_transfer(payee: str, fen: int = 3662) -> TransferRequest:
    return TransferRequest(f"transfer{next(numbers)}", payee, Money(fen), "PB-7F3KQ2MD")


def back(transfer: str, fen: int) -> ReversalRequest:
    return ReversalRequest(f"reversal{next(numbers)}", transfer, Money(fen))


def fill(house: House, fen: int = 10_000) -> None:
    """Let our own balance there have something to pay with, the fee taken off."""
    request = asked(fen)
    house.pay(house.gateway.start_payment(request, key=f"{request.attempt}:create"))


@pytest.mark.full
def test_a_payee_says_who_they_are_on_the_gateways_own_page(house: House) -> None:
    opened = house.gateway.open_payee("p1", key="p1:create")
    assert (opened.payee, opened.state, opened.last4, opened.book) == ("p1", PayeeState.INCOMPLETE, "", "test")
    assert house.gateway.open_payee("p1", key="p1:create") == opened
    with pytest.raises(KeyMismatch):
        house.gateway.open_payee("p2", key="p1:create")

    assert house.gateway.payee_status(opened.remote_id).url == ""
    url = house.gateway.payee_status(opened.remote_id, return_url=BACK).url
    page = f"{cashier().base_url}/sandbox-cashier/payees/{opened.remote_id}"
    assert url == f"{page}?return=http%3A%2F%2F127.0.0.1%3A8000%2Fseller%2Faccount"
    cashier().say_who_they_are(opened.remote_id, PayeeState.VERIFIED, "7890")
    known = house.gateway.payee_status(opened.remote_id, return_url=BACK)
    assert (known.state, known.last4, known.url) == (PayeeState.VERIFIED, "7890", "")
    cashier().say_who_they_are(opened.remote_id, PayeeState.RESTRICTED, "7890")
    assert house.gateway.payee_status(opened.remote_id).state is PayeeState.RESTRICTED
    with pytest.raises(Invalid):
        house.gateway.payee_status("acct_nothing")


def test_a_transfer_is_made_once_for_its_key_and_found_by_our_own_id(house: House) -> None:
    fill(house)
    payee = a_payee(house)
    request = a_transfer(payee)
    assert house.gateway.find_transfer(request, since=BEGUN) is None

    made = house.gateway.transfer(request, key=f"{request.transfer}:create")

    assert (made.ours, made.amount, made.book) == (request.transfer, Money(3662), "test")
    assert house.gateway.transfer(request, key=f"{request.transfer}:create") == made
    assert house.gateway.find_transfer(request, since=BEGUN) == made
    other = TransferRequest(request.transfer, payee, Money(1), request.group)
    with pytest.raises(KeyMismatch):
        house.gateway.transfer(other, key=f"{request.transfer}:create")
    assert cashier().look_up_payee(payee).balance == 3662


@pytest.mark.full
def test_nobody_is_paid_whom_the_gateway_does_not_know_and_nothing_that_is_not_there(house: House) -> None:
    unknown = house.gateway.open_payee("p1", key="p1:create").remote_id
    fill(house, 1000)
    with pytest.raises(Invalid):
        house.gateway.transfer(a_transfer(unknown, 1), key="t1")
    payee = a_payee(house)
    with pytest.raises(InsufficientFunds):
        house.gateway.transfer(a_transfer(payee, 995), key="t2")
    assert house.gateway.balance() == {"CNY": 994}
    house.gateway.transfer(a_transfer(payee, 994), key="t3")
    assert house.gateway.balance() == {"CNY": 0}


@pytest.mark.full
def test_what_was_sent_comes_back_in_parts_as_long_as_the_payee_has_it(house: House) -> None:
    fill(house)
    payee = a_payee(house)
    sent = house.gateway.transfer(a_transfer(payee, 1000), key="t1").remote_id
    part = back(sent, 300)
    assert house.gateway.find_reversal(part) is None

    made = house.gateway.reverse_transfer(part, key="r1")

    assert (made.ours, made.amount, made.book) == (part.reversal, Money(300), "test")
    assert house.gateway.reverse_transfer(part, key="r1") == made
    assert house.gateway.find_reversal(part) == made
    with pytest.raises(Invalid):
        house.gateway.reverse_transfer(back(sent, 701), key="r2")
    house.gateway.transfer(a_transfer(payee, 50), key="t2")
    assert cashier().pay_payee_out(payee) == 750
    house.gateway.transfer(a_transfer(payee, 60), key="t3")
    with pytest.raises(InsufficientFunds):
        house.gateway.reverse_transfer(back(sent, 61), key="r3")
    house.gateway.reverse_transfer(back(sent, 60), key="r4")
    assert cashier().look_up_payee(payee).balance == 0
    with pytest.raises(Invalid):
        house.gateway.reverse_transfer(back("tr_nothing", 1), key="r5")


@pytest.mark.full
def test_transfers_and_reversals_are_movements_of_our_balance(house: House) -> None:
    fill(house)
    since = datetime.now(UTC) - timedelta(seconds=2)
    request = a_transfer(a_payee(house), 1000)
    sent = house.gateway.transfer(request, key="t1").remote_id
    part = back(sent, 300)
    come = house.gateway.reverse_transfer(part, key="r1").remote_id

    moved = {movement.type: movement for movement in house.gateway.movements(since) if movement.type != "charge"}

    assert set(moved) == {"transfer", "transfer_refund"}
    there, home = moved["transfer"], moved["transfer_refund"]
    assert (there.source_id, there.ours, there.gross, there.fee) == (sent, request.transfer, -1000, 0)
    assert (home.source_id, home.ours, home.gross, home.fee) == (come, part.reversal, 300, 0)
    assert house.gateway.balance() == {"CNY": 10_000 - 60 - 700}


@pytest.mark.full
def test_a_change_of_a_payee_is_told(house: House) -> None:
    payee = a_payee(house)
    (raw,) = house.gateway.events_since(datetime.now(UTC) - timedelta(minutes=1))
    notice = house.gateway.read_webhook(raw)
    assert (notice.type, notice.concerns, notice.remote_id) == ("account.updated", "payee", payee)


def test_stripe_without_connect_pays_nobody() -> None:
    alone = StripeGateway("sk_test_x", webhook_secrets=["w"], address="http://127.0.0.1:1", methods=["card"])
    assert not alone.caps.transfers
    for call in (lambda: alone.open_payee("p", key="k"), lambda: alone.transfer(a_transfer("acct_1"), key="k")):
        with pytest.raises(NotSupported):
            call()


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, PayeeState.VERIFIED),
        ({"payouts_enabled": False}, PayeeState.INCOMPLETE),
        ({"capabilities": {"transfers": "pending"}}, PayeeState.INCOMPLETE),
        ({"capabilities": {}}, PayeeState.INCOMPLETE),
        (
            {"payouts_enabled": False, "requirements": {"disabled_reason": "rejected.fraud"}},
            PayeeState.RESTRICTED,
        ),
        (
            {"payouts_enabled": False, "requirements": {"disabled_reason": "requirements.past_due"}},
            PayeeState.INCOMPLETE,
        ),
    ],
)
def test_what_stripe_says_of_an_account(changes: dict[str, Any], state: PayeeState) -> None:
    account = {"id": "acct_1", "metadata": {"payee": "p1"}, "payouts_enabled": True}
    account |= {"capabilities": {"transfers": "active"}, "requirements": {"disabled_reason": None}}
    banks = [{"last4": "1111", "default_for_currency": False}, {"last4": "2222", "default_for_currency": True}]
    told = transfers.status_of(account | {"external_accounts": {"data": banks}} | changes, book="test")
    assert (told.remote_id, told.payee, told.state, told.last4) == ("acct_1", "p1", state, "2222")
    assert transfers.last4_of({"external_accounts": {"data": banks[:1]}}) == "1111"
    assert transfers.last4_of({}) == ""
