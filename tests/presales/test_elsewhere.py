"""What somebody sends back of a place on the payment provider's own pages: nobody has it twice, and nobody waits for it."""

from datetime import timedelta

import pytest

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.orders import fulfilment
from marketplace.payments.gateways import RefundRequest
from tests.orders.conftest import JIXIAN, parcels
from tests.presales.conftest import ONE, TWO, Orchard, at, wrong
from tests.presales.test_disputes import asked, loss, ordered


def sent_back_there(orchard: Orchard, place: str, fen: int) -> str:
    shop = orchard.shop
    made = shop.cashier.refund(RefundRequest("", shop.remote_of(place), Money(fen)), key=f"by hand {fen}")
    orchard.live_through(clock.now() + timedelta(minutes=1))
    return str(made.remote_id)


def test_a_place_of_which_all_was_sent_back_is_given_up(orchard: Orchard) -> None:
    orchard.open()
    place, other = orchard.paid(), orchard.paid(orchard.two)
    sent_back_there(orchard, place, ONE)
    assert orchard.states(place, other) == ["refunded", "confirmed"]
    assert (orchard.escrow(), loss(), asked()) == (TWO, 0, [(ONE, "succeeded")]) and wrong(orchard) == []
    orchard.end()
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(ONE, "succeeded"), (TWO, "succeeded")])
    assert wrong(orchard) == []


def test_what_did_not_arrive_there_is_sent_by_us(orchard: Orchard) -> None:
    orchard.open()
    place = orchard.paid()
    there = sent_back_there(orchard, place, ONE)
    orchard.shop.cashier.fail_refund(there)
    orchard.live_through(clock.now() + timedelta(minutes=2))
    assert (orchard.states(place), orchard.escrow(), loss()) == (["refunded"], ONE, 0)
    orchard.live_through(clock.now() + timedelta(hours=7))
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(ONE, "failed"), (ONE, "succeeded")]) and wrong(orchard) == []


@pytest.mark.parametrize("fails", [False, True])
def test_of_a_presale_that_fails_its_buyer_gets_what_is_left(orchard: Orchard, fails: bool) -> None:
    orchard.open()
    place = orchard.paid()
    there = sent_back_there(orchard, place, 1000)
    assert (orchard.states(place), orchard.escrow(), loss()) == (["confirmed"], ONE, 1000) and wrong(orchard) == []
    orchard.end()
    assert orchard.row().state == "failed" and orchard.states(place) == ["refunded"]
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(1000, "succeeded"), (ONE - 1000, "succeeded")])
    assert wrong(orchard) == []
    if fails:
        orchard.shop.cashier.fail_refund(there)
        orchard.live_through(clock.now() + timedelta(days=22))
        orchard.live_through(clock.now() + timedelta(days=23))
        assert (orchard.escrow(), loss()) == (0, 0)
        assert asked() == [(1000, "failed"), (ONE - 1000, "succeeded"), (1000, "succeeded")]
        with at(clock.now() + timedelta(days=24)):
            assert wrong(orchard) == []


def test_of_an_order_whose_refund_had_not_arrived_before_what_is_held_again_lessens_the_loss(orchard: Orchard) -> None:
    place, number = ordered(orchard)
    told = {"parcel": parcels(number)[0].public_id, "station": JIXIAN, "actor": "test"}
    in_transaction(fulfilment.refuse, **told, reason="霜")
    orchard.live_through(clock.now() + timedelta(minutes=1))
    (made,) = orchard.shop.cashier.refunds_of(orchard.shop.remote_of(place))
    orchard.shop.cashier.fail_refund(made.remote_id)
    orchard.live_through(clock.now() + timedelta(minutes=2))
    assert asked() == [(TWO, "failed")]
    sent_back_there(orchard, place, TWO)
    orchard.live_through(clock.now() + timedelta(minutes=4))
    assert (loss(), asked()) == (0, [(TWO, "failed"), (TWO, "succeeded")]) and wrong(orchard) == []
