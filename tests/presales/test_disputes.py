"""A buyer's bank takes back what was paid for a place: won and lost, before it is ordered, before it is sent and after."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crowdfund.presales import returning
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.ledger import books
from marketplace.orders import fulfilment
from marketplace.orders.receiving import owed
from marketplace.orders.states import ParcelState
from marketplace.payments import refunds
from marketplace.payments.disputes import following
from marketplace.payments.disputes.standing import PaymentIsDisputed
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateway_news import RemoteDispute
from marketplace.payments.models import Refund
from tests.orders.conftest import JIXIAN, balances, parcels
from tests.presales.conftest import ONE, TWO, Orchard, after, wrong
from tests.presales.test_lives import send, work_refund_failed


def disputed(orchard: Orchard, place: str) -> str:
    """The bank has the money for now; the cashier's id of the dispute."""
    remote = orchard.shop.cashier.open_dispute(orchard.shop.remote_of(place))
    orchard.shop.work()
    return remote


def decided(orchard: Orchard, remote: str, *, is_won: bool) -> None:
    orchard.shop.cashier.decide_dispute(remote, is_won=is_won)
    orchard.shop.work()


def appealed(lost: RemoteDispute) -> tuple[RemoteDispute, RemoteDispute]:
    """The bank decides once more, for us."""
    under_review = replace(lost, status=DisputeState.UNDER_REVIEW, raw_status="appeal_under_review", is_reinstated=False)
    return under_review, replace(lost, status=DisputeState.WON, raw_status="won", is_reinstated=True)


def loss() -> int:
    """Fen that the province bore."""
    db.session.rollback()
    return books.balance(db.session(), "chargeback_loss", "", book="test")


def asked() -> list[tuple[int, str]]:
    db.session.rollback()
    return [(each.fen, each.state.value) for each in db.session.scalars(select(Refund).order_by(Refund.id))]


def leave(place: str) -> None:
    in_transaction(returning.leave, backing_id=place, actor="guest")


def ordered(orchard: Orchard) -> tuple[str, str]:
    """A presale whose harvest is in; the first place and its order."""
    orchard.open()
    first, second = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    for place in (first, second):
        orchard.answer(place)
    orchard.harvest()
    return first, str(orchard.backing(first).order_number)


def test_growers_bring_nothing_for_what_a_bank_decides_or_has_taken(orchard: Orchard) -> None:
    place, number = ordered(orchard)
    (parcel,) = parcels(number)
    name, station = parcel.public_id, parcel.station_code
    in_transaction(fulfilment.accept, parcel=name, station=None, actor="test")

    def brought() -> list[str]:
        db.session.rollback()
        return [claim.order_number for claim in owed.claims(db.session(), station=station)]

    assert brought() == [number]
    remote = disputed(orchard, place)
    assert brought() == []
    decided(orchard, remote, is_won=False)
    assert brought() == []


def test_nobody_leaves_while_a_bank_decides_and_everybody_may_after_it_was_won(orchard: Orchard) -> None:
    orchard.open()
    place = orchard.paid()
    remote = disputed(orchard, place)
    with pytest.raises(PaymentIsDisputed):
        leave(place)
    assert orchard.states(place) == ["confirmed"] and (orchard.escrow(), asked()) == (ONE, []) and wrong(orchard) == []

    decided(orchard, remote, is_won=True)
    assert orchard.states(place) == ["confirmed"] and (orchard.escrow(), loss()) == (ONE, 0)
    leave(place)
    assert orchard.states(place) == ["refunded"] and orchard.escrow() == 0 and wrong(orchard) == []


def test_a_place_whose_money_the_bank_took_is_given_up_and_costs_nobody_anything(orchard: Orchard) -> None:
    orchard.open()
    place, other = orchard.paid(), orchard.paid(orchard.two)
    decided(orchard, disputed(orchard, place), is_won=False)
    assert orchard.states(place, other) == ["refunded", "confirmed"]
    assert (orchard.escrow(), loss(), asked()) == (TWO, 0, []) and wrong(orchard) == []

    orchard.end()  # without that money the goal is not reached
    assert orchard.row().state == "failed" and orchard.states(other) == ["refunded"]
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(TWO, "succeeded")]) and wrong(orchard) == []


def test_after_it_has_succeeded_the_bank_has_it_from_where_it_lies(orchard: Orchard) -> None:
    orchard.open()
    first, second = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    assert orchard.escrow() == ONE + TWO - 900 - 1980
    decided(orchard, disputed(orchard, first), is_won=False)
    assert orchard.states(first, second) == ["refunded", "confirmed"]
    assert balances(first) == {"seller_held": 1980, "gateway_clearing": -1500, "dispute_fee": 1500, "presale_escrow": -1980}
    assert (orchard.escrow(), loss()) == (ONE - 900, 0) and wrong(orchard) == []


def test_who_won_an_appeal_has_their_buyer_paid_back(orchard: Orchard) -> None:
    orchard.open()
    place = orchard.paid()
    remote = disputed(orchard, place)
    decided(orchard, remote, is_won=False)
    for news in appealed(orchard.shop.cashier.fetch_dispute(remote)):
        in_transaction(following.apply, remote=news, gateway="sandbox", why="appeal")
    assert (orchard.escrow(), loss(), orchard.states(place)) == (ONE, 0, ["refunded"])
    orchard.live_through(clock.now() + timedelta(minutes=1))
    assert (orchard.escrow(), asked()) == (0, [(ONE, "succeeded")]) and wrong(orchard) == []


@pytest.mark.parametrize("is_won", [True, False])
def test_a_presale_that_failed_waits_for_the_bank_with_that_place_alone(orchard: Orchard, is_won: bool) -> None:
    orchard.open()
    place, other = orchard.paid(), orchard.paid(contact="b@example.test")
    remote = disputed(orchard, place)
    orchard.end()
    assert orchard.row().state == "failed" and orchard.states(place, other) == ["confirmed", "refunded"]
    assert (orchard.escrow(), asked()) == (ONE, [(ONE, "succeeded")]) and wrong(orchard) == []

    decided(orchard, remote, is_won=is_won)
    orchard.live_through(after(orchard.row().closes_on) + returning.LATER + timedelta(hours=1))
    assert orchard.states(place) == ["refunded"]
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(ONE, "succeeded")] * (2 if is_won else 1))
    assert wrong(orchard) == []


def test_nothing_is_sent_while_a_bank_decides_and_all_of_it_when_it_was_won(orchard: Orchard) -> None:
    place, number = ordered(orchard)
    remote = disputed(orchard, place)
    with pytest.raises(PaymentIsDisputed):
        send(number)
    assert parcels(number)[0].state is ParcelState.PACKED and orchard.escrow() == ONE + TWO - 900 - 1980

    decided(orchard, remote, is_won=True)
    told: Any = {"parcel": parcels(number)[0].public_id, "station": JIXIAN, "actor": "test"}
    in_transaction(fulfilment.ship, **told, carrier="中通", tracking_number="ZT123456")
    assert (orchard.escrow(), loss()) == (ONE - 900, 0) and wrong(orchard) == []


def test_what_was_not_sent_when_the_bank_took_it_is_refused_without_a_second_refund(orchard: Orchard) -> None:
    place, number = ordered(orchard)
    decided(orchard, disputed(orchard, place), is_won=False)
    assert orchard.states(place) == ["ordered"] and loss() == TWO and wrong(orchard) == []
    told: Any = {"parcel": parcels(number)[0].public_id, "station": JIXIAN, "actor": "test"}
    in_transaction(fulfilment.refuse, **told, reason="霜")
    assert (orchard.escrow(), loss(), asked()) == (ONE - 900, 0, []) and wrong(orchard) == []


def test_a_parcel_that_is_disputed_when_the_grace_ends_waits_for_the_bank(orchard: Orchard) -> None:
    place, number = ordered(orchard)
    remote = disputed(orchard, place)
    row = orchard.row()
    end = after(row.harvest_on + timedelta(days=row.grace_days))
    orchard.live_through(end)
    assert orchard.row().state == "defaulted" and parcels(number)[0].state is ParcelState.AWAITING_ACCEPTANCE
    assert asked() == [(ONE, "succeeded")] and wrong(orchard) == []

    decided(orchard, remote, is_won=True)
    orchard.live_through(end + returning.LATER + timedelta(hours=1))
    assert parcels(number)[0].state is ParcelState.REFUSED
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(ONE, "succeeded"), (TWO, "succeeded")])
    assert wrong(orchard) == []


def test_of_what_was_sent_the_province_bears_the_loss(orchard: Orchard) -> None:
    place, number = ordered(orchard)
    send(number)
    held = balances(number)
    decided(orchard, disputed(orchard, place), is_won=False)
    assert (orchard.escrow(), loss()) == (ONE - 900, TWO) and balances(number) == held and wrong(orchard) == []


def refund_failed_first(orchard: Orchard) -> str:
    """A place that was left, and its refund did not arrive."""
    orchard.open()
    place = orchard.paid()
    leave(place)
    work_refund_failed(db.session.scalars(select(Refund.id)).one())
    assert orchard.escrow() == ONE
    return place


def test_what_waits_for_another_refund_goes_to_the_bank_that_took_it(orchard: Orchard) -> None:
    place = refund_failed_first(orchard)
    decided(orchard, disputed(orchard, place), is_won=False)
    assert (orchard.escrow(), loss()) == (0, 0)
    orchard.live_through(clock.now() + returning.LATER + timedelta(minutes=1))
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(ONE, "failed")]) and wrong(orchard) == []


def bank_was_quicker(orchard: Orchard) -> RemoteDispute:
    """A refund is under way when the bank takes the same money, and then it does not arrive."""
    orchard.open()
    place = orchard.paid()
    remote = disputed(orchard, place)
    decided(orchard, remote, is_won=True)
    leave(place)
    refund = db.session.scalars(select(Refund.id)).one()
    in_transaction(refunds.begin_submission, refund=refund)
    known = replace(orchard.shop.cashier.fetch_dispute(remote), remote_id="dp_again", is_reinstated=False)
    lost = replace(known, status=DisputeState.LOST, raw_status="lost")
    in_transaction(following.apply, remote=lost, gateway="sandbox", why="the bank")
    assert (orchard.escrow(), loss()) == (0, ONE)
    in_transaction(refunds.fail, refund=refund, why="refused")
    return lost


def test_a_refund_that_fails_after_the_bank_took_it_makes_the_loss_good(orchard: Orchard) -> None:
    bank_was_quicker(orchard)
    assert (orchard.escrow(), loss(), asked()) == (0, 0, [(ONE, "failed")]) and wrong(orchard) == []


def test_and_an_appeal_brings_it_back_to_its_buyer(orchard: Orchard) -> None:
    lost = bank_was_quicker(orchard)
    for news in appealed(lost):
        in_transaction(following.apply, remote=news, gateway="sandbox", why="appeal")
    assert (orchard.escrow(), loss()) == (ONE, 0) and wrong(orchard) == []
    orchard.live_through(clock.now() + timedelta(minutes=1))
    assert (orchard.escrow(), loss()) == (0, 0) and [fen for fen, _state in asked()] == [ONE, ONE]
