"""A payer's bank asks, takes money, decides: the books follow what was moved, and nothing goes out meanwhile."""

import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders import fulfilment, refunding, settlement, undelivered
from marketplace.orders.batches import owed, queries as batch_queries
from marketplace.orders.states import OrderState, ParcelState
from marketplace.payments import inbox, outcomes, refunds
from marketplace.payments.disputes import answering, following
from marketplace.payments.disputes.models import Dispute, DisputeEvidence
from marketplace.payments.disputes.standing import PaymentIsDisputed
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateways import RemotePayment
from marketplace.payments.models import Attempt
from marketplace.payments.operator import queries as looking
from marketplace.payments.reconciliation.running import reconcile
from marketplace.payments.sandbox import delivery, storage
from marketplace.payments.states import AttemptState, RefundState
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, Shop, balances, differences, get, parcels, post, shop, stock_of
from tests.payments.operators import audited, posted

__all__ = ["shop"]

FEE = 1500


def disputed(shop: Shop, **given: Any) -> tuple[str, str]:
    """(order, the cashier's id of the dispute): paid, and then taken back by the payer's bank."""
    number = shop.paid_order(shop.browser(), apples=2)
    remote = shop.cashier.open_dispute(shop.remote_of(number), **given)
    shop.work()
    return number, remote


def the_dispute() -> Dispute:
    db.session.rollback()
    return db.session.scalars(select(Dispute)).one()


def balance(kind: str, owner: str = "") -> int:
    db.session.rollback()
    return books.balance(db.session(), kind, owner, book="test")


def at_the_desk(shop: Shop, number: str, *steps: str) -> None:
    (parcel,) = parcels(number)
    entered = {
        "pack": {"shelf": "A"},
        "ship": {"carrier": "邮政", "tracking_number": "1"},
        "refuse": {"reason": "霜"},
    }
    for step in steps:
        given: dict[str, Any] = entered.get(step, {})
        in_transaction(getattr(fulfilment, step), parcel=parcel.public_id, station=JIXIAN, actor="clerk", **given)


def test_the_money_and_a_fee_are_gone_at_once_and_come_back_when_it_is_won(shop: Shop) -> None:
    _number, remote = disputed(shop)
    total = 2 * 3980 + 600
    assert (the_dispute().state, the_dispute().fen, the_dispute().fee_fen) == (DisputeState.NEEDS_RESPONSE, total, FEE)
    assert balance("gateway_clearing", "sandbox") == -FEE
    assert (balance("dispute_receivable", "sandbox"), balance("dispute_fee")) == (total, FEE)

    shop.cashier.decide_dispute(remote, is_won=True)
    shop.work()
    assert the_dispute().state is DisputeState.WON
    assert (balance("gateway_clearing", "sandbox"), balance("dispute_receivable", "sandbox")) == (total - FEE, 0)
    assert differences(shop) == []
    assert not reconcile(shop.cashier, actor="test").is_red


def test_what_is_lost_is_the_provinces_loss_and_growers_keep_what_they_delivered(shop: Shop) -> None:
    number, remote = disputed(shop)
    shop.cashier.decide_dispute(remote, is_won=False)
    shop.work()
    total = 2 * 3980 + 600
    assert the_dispute().state is DisputeState.LOST
    assert (balance("chargeback_loss"), balance("dispute_receivable", "sandbox")) == (total, 0)
    at_the_desk(shop, number, "accept", "collect", "pack", "ship")
    (parcel,) = parcels(number)
    in_transaction(settlement.confirm, number=number, parcel=parcel.public_id, actor="guest")
    assert balances(number)["seller_payable"] == -(7960 - 636)
    assert differences(shop) == []


def test_what_was_not_sent_when_it_is_lost_is_not_refunded_once_more(shop: Shop) -> None:
    number, remote = disputed(shop)
    shop.cashier.decide_dispute(remote, is_won=False)
    shop.work()
    at_the_desk(shop, number, "refuse")
    assert stock_of(shop.apples) == (100, 0)
    assert (balance("chargeback_loss"), balance("seller_held", "")) == (0, 0)
    assert refunds.of(db.session(), purpose="order", reference=number) == []
    assert {kind: fen for kind, fen in balances(number).items() if kind.endswith("held")} == {}
    assert differences(shop) == []


def test_nothing_is_sent_settled_or_refunded_while_it_is_open(shop: Shop) -> None:
    number, _remote = disputed(shop)
    at_the_desk(shop, number, "accept", "collect", "pack")
    (parcel,) = parcels(number)
    with pytest.raises(PaymentIsDisputed):
        at_the_desk(shop, number, "ship")
    line = parcel.lines[0].public_id
    told: dict[str, Any] = {"units": {line: 1}, "with_shipping": False, "reason": "?", "actor": "clerk"}
    with pytest.raises(PaymentIsDisputed):
        in_transaction(refunding.refund_units, parcel=parcel.public_id, station=JIXIAN, **told)
    assert [each.state for each in parcels(number)] == [ParcelState.PACKED]
    assert refunds.of(db.session(), purpose="order", reference=number) == []


def test_what_arrived_before_waits_for_the_decision(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    at_the_desk(shop, number, "accept", "collect", "pack", "ship", "deliver")
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    shop.work()
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        assert not settlement.settle_one_due()
        shop.cashier.decide_dispute(remote, is_won=True)
        shop.work()
        assert settlement.settle_one_due()
    assert [each.state for each in parcels(number)] == [ParcelState.SETTLED]


def test_an_inquiry_moves_nothing(shop: Shop) -> None:
    number, remote = disputed(shop, is_inquiry=True)
    before = balances(number)
    assert the_dispute().state is DisputeState.INQUIRY
    at_the_desk(shop, number, "accept", "collect", "pack", "ship")
    shop.cashier.decide_dispute(remote, is_won=False)
    shop.work()
    assert the_dispute().state is DisputeState.CLOSED
    assert balances(number) == before
    assert differences(shop) == []


def test_told_five_times_and_in_any_order_it_is_booked_once(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    shop.cashier.decide_dispute(remote, is_won=False)  # both letters are on their way
    shop.work()
    for _again in range(4):
        with shop.cashier.writing() as connection:
            shop.cashier.tell_of_dispute(connection, "charge.dispute.funds_withdrawn", remote)
        shop.work()
    assert balance("chargeback_loss") == 3980 + 600
    assert differences(shop) == []


def test_a_part_was_refunded_before(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    (parcel,) = parcels(number)
    told: dict[str, Any] = {"units": {parcel.lines[0].public_id: 1}, "with_shipping": False, "reason": "?", "actor": "c"}
    in_transaction(refunding.refund_units, parcel=parcel.public_id, station=JIXIAN, **told)
    shop.work()
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    shop.cashier.decide_dispute(remote, is_won=False)
    shop.work()
    assert the_dispute().fen == 3980 + 600
    with pytest.raises(refunds.RefundTooLarge):
        in_transaction(
            refunds.request,
            purpose="order",
            reference=number,
            reason_key="more",
            amount=Money(1),
            shares={("seller_held", parcel.lines[0].seller_public_id): Money(1)},
            reason="?",
        )


def test_an_answer_is_kept_sent_once_and_shown(shop: Shop) -> None:
    disputed(shop)
    operator = shop.browser()
    signed_in(operator, "finance_operator")
    path = f"/operator/disputes/{the_dispute().public_id}"
    assert "等我们回复" in operator.get("/operator/disputes").text
    assert post(operator, f"{path}/evidence", {"words": ""}).status_code == 422
    wrong = post(operator, f"{path}/evidence", {"words": "已签收", "paper": (bytes_file(b"<html>"), "x.pdf")})
    assert wrong.status_code == 422 and "已签收" in wrong.text
    for _twice in range(2):
        sent = {"words": "已签收，附签收单", "paper": (bytes_file(b"%PDF-1.7 signed"), "签收单.pdf")}
        assert post(operator, f"{path}/evidence", sent).status_code == 303
    kept = db.session.scalars(select(DisputeEvidence)).one()
    assert (kept.words, kept.file_type, kept.content) == ("已签收，附签收单", "application/pdf", b"%PDF-1.7 signed")
    assert the_dispute().state is DisputeState.UNDER_REVIEW
    paper = operator.get(f"/operator/disputes/evidence/{kept.public_id}")
    assert paper.headers["Content-Disposition"].startswith("attachment") and paper.data == b"%PDF-1.7 signed"
    auditor = shop.browser()
    signed_in(auditor, "auditor")
    assert auditor.get(path).status_code == 200
    assert post(auditor, f"{path}/evidence", {"words": "?"}).status_code == 403


def test_disputes_are_found_by_whatever_one_knows_and_taken_as_a_table(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "PAGE", 1)
    monkeypatch.setattr(looking, "EXPORTED", 1)
    lost, first = disputed(shop)
    shop.cashier.decide_dispute(first, is_won=False)
    shop.work()
    asked, second = disputed(shop)
    operator = shop.browser()
    signed_in(operator, "operator")

    def numbers(query: str) -> list[str]:
        found = operator.get(f"/operator/disputes?{query}")
        assert found.status_code == 200, found.text
        return re.findall(r">(SX-[A-Z0-9]+)</a>", found.text)

    assert numbers("") == [asked]
    further = re.search(r'rel="next" href="/operator/disputes\?([^"]+)"', operator.get("/operator/disputes").text)
    assert further and numbers(further[1].replace("&amp;", "&")) == [lost]
    assert numbers("state=lost") == numbers(f"number={lost}") == numbers(f"number={first}") == [lost]
    assert numbers(f"number={shop.remote_of(asked)}") == numbers(f"since={clock.today()}&purpose=order") == [asked]
    assert numbers("least=1000") == numbers(f"until={clock.today() - timedelta(days=1)}") == []
    assert operator.get("/operator/disputes?state=nowhere").status_code == 422

    rows = posted(operator, "/operator/disputes.csv").get_data(as_text=True).split("\r\n")
    assert rows[0].startswith("\ufeffpublic_id,opened_at,attempt,purpose,reference,reason,state,fen,currency,fee_fen,")
    assert [(each.split(",")[4], *each.split(",")[6:10]) for each in rows[1:-1]] == [
        (asked, "needs_response", "8560", "CNY", "1500"),
        (lost, "lost", "8560", "CNY", "1500"),
    ]
    assert rows[1].endswith(f",test,sandbox,{second}")
    posted(operator, f"/operator/disputes.csv?state=lost&number={lost}")
    assert audited("disputes.exported") == [("disputes", ""), ("disputes", "state=lost")]


def test_an_answer_that_did_not_reach_the_bank_is_sent_again_as_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    disputed(shop)
    real = shop.cashier.answer_dispute

    def lost(*given: Any, **options: Any) -> Any:
        real(*given, **options)
        raise ConnectionError

    monkeypatch.setattr(shop.cashier, "answer_dispute", lost)
    given: dict[str, Any] = {"dispute": the_dispute().public_id, "words": "已签收", "file": None, "actor": "person:x"}
    with pytest.raises(Exception, match="dispute"):
        answering.answer(**given)
    monkeypatch.undo()
    answering.answer(**given)
    assert the_dispute().state is DisputeState.UNDER_REVIEW
    assert len(db.session.scalars(select(DisputeEvidence)).all()) == 1


def decided(shop: Shop, remote: str, *, is_won: bool) -> None:
    shop.cashier.decide_dispute(remote, is_won=is_won)
    shop.work()


def test_a_refund_on_its_way_waits_and_never_pays_twice(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    at_the_desk(shop, number, "refuse")  # asked for, and not sent yet
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    while inbox_hears(shop):
        pass
    shop.work()
    assert [each.state for each in refunds.of(db.session(), purpose="order", reference=number)] == [RefundState.REQUESTED]
    decided(shop, remote, is_won=False)
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        shop.work()
        db.session.rollback()
        assert [each.state for each in refunds.of(db.session(), purpose="order", reference=number)] == [RefundState.FAILED]
        assert balance("gateway_clearing", "sandbox") == -FEE
        assert (balance("chargeback_loss"), balance("refund_in_transit")) == (0, 0)
        assert differences(shop) == []


def test_a_refund_that_came_back_before_it_was_lost_is_not_held_for_ever(shop: Shop) -> None:
    """The bank gave the buyer the other parcel's price: what of this one it did not give is refunded once more."""
    number = shop.paid_order(shop.browser(), apples=2, millet=1)
    held = balances(number)
    (refused,) = [parcel for parcel in parcels(number) if parcel.station_code == JIXIAN]
    in_transaction(fulfilment.refuse, parcel=refused.public_id, station=JIXIAN, actor="clerk", reason="霜")
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=True):
        shop.work()
        shop.cashier.finish_refunds()
        shop.work()
        remote = shop.cashier.open_dispute(shop.remote_of(number))
        shop.work()
        (done,) = refunds.of(db.session(), purpose="order", reference=number)
        shop.cashier.fail_refund(str(done.remote_id))
        shop.work()
        assert {kind: balances(number)[kind] for kind in ("seller_held", "station_held")} == {
            kind: held[kind] for kind in ("seller_held", "station_held")
        }
        decided(shop, remote, is_won=False)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=True):
        shop.cashier.finish_refunds()
        shop.work()
        states = [each.state for each in refunds.of(db.session(), purpose="order", reference=number)]
        assert states == [RefundState.FAILED, RefundState.SUCCEEDED]
        assert balances(number) == {
            "gateway_clearing": -FEE,
            "dispute_fee": FEE,
            "seller_held": -5336,  # of the millet, which its station may still send
            "station_held": -1064,
            "chargeback_loss": 6400,
        }
        assert differences(shop) == []


def test_lost_before_we_heard_of_the_payment_it_is_recorded_and_used_by_nobody(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    shop.pay(number)
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    shop.cashier.decide_dispute(remote, is_won=False)
    lost = shop.cashier.fetch_dispute(remote)
    in_transaction(following.apply, remote=lost, gateway="sandbox", why="first")
    shop.work()
    assert get(number).paid_at is None
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        while outbox.deliver_slow():
            pass
    assert (get(number).state, stock_of(shop.apples)) == (OrderState.EXPIRED, (100, 0))
    assert refunds.of(db.session(), purpose="order", reference=number) == []
    assert (balance("suspense"), balance("chargeback_loss"), balance("gateway_clearing", "sandbox")) == (0, 0, -FEE)
    assert differences(shop) == []

    won = replace(lost, status=DisputeState.WON, raw_status="won", is_reinstated=True)
    in_transaction(following.apply, remote=won, gateway="sandbox", why="appeal")
    assert (balance("suspense"), balance("chargeback_loss"), balance("refund_in_transit")) == (0, 0, -4580)
    (refund,) = refunds.of(db.session(), purpose="order", reference=number)
    assert (refund.fen, refund.reason) == (4580, "surplus")


def inbox_hears(shop: Shop) -> bool:
    """The dispute is heard of before the refund is sent."""
    return delivery.deliver(shop.cashier, shop.send) or inbox.work()


def test_a_dispute_over_a_part_takes_no_more_than_that_from_the_buyer(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    with shop.cashier.writing() as connection:
        connection.execute(storage.dispute.update().values(amount=1000))
        connection.execute(storage.movement.update().where(storage.movement.c.type == "dispute").values(gross=-1000 - FEE))
    shop.work()
    decided(shop, remote, is_won=False)
    at_the_desk(shop, number, "refuse")
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        assert balance("chargeback_loss") == 0
        assert balances(number)["gateway_clearing"] == -FEE
        (parcel,) = parcels(number)
        with pytest.raises(refunding.AlreadyRefunded):
            in_transaction(refunding.refund_rest, parcel=parcel.public_id, station=JIXIAN, reason="?", actor="clerk")
        assert differences(shop) == []


def test_lost_on_the_way_and_given_back_by_the_bank_is_borne_by_the_station(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    at_the_desk(shop, number, "accept", "collect", "pack", "ship")
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    shop.work()
    decided(shop, remote, is_won=False)
    (parcel,) = parcels(number)
    in_transaction(undelivered.lose, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="车翻了")
    assert balance("chargeback_loss") == 0
    assert balances(number)["station_payable"] == 2 * 3980 + 600 - 636 - 600
    assert differences(shop) == []


@pytest.mark.parametrize("fails_first", [False, True])
def test_lost_on_the_way_with_a_refund_that_the_bank_overtook_is_borne_by_the_station_too(
    shop: Shop, fails_first: bool
) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    at_the_desk(shop, number, "accept", "collect", "pack", "ship")
    (parcel,) = parcels(number)
    in_transaction(undelivered.lose, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="车翻了")
    (refund,) = refunds.of(db.session(), purpose="order", reference=number)
    if fails_first:
        row = refund.id
        assert in_transaction(refunds.begin_submission, refund=row)
        in_transaction(refunds.fail, refund=row, why="the card was closed")
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    while inbox_hears(shop):
        pass
    decided(shop, remote, is_won=False)
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        shop.work()
        db.session.rollback()
        assert [each.state for each in refunds.of(db.session(), purpose="order", reference=number)] == [RefundState.FAILED]
        assert (balance("chargeback_loss"), balance("refund_in_transit")) == (0, 0)
        assert balances(number)["station_payable"] == 2 * 3980 + 600 - 636 - 600
        assert differences(shop) == []


def test_a_closed_inquiry_may_still_be_lost_and_old_news_opens_nothing(shop: Shop) -> None:
    _number, remote = disputed(shop, is_inquiry=True)
    decided(shop, remote, is_won=True)
    assert the_dispute().state is DisputeState.CLOSED
    told = shop.cashier.fetch_dispute(remote)
    lost = replace(told, status=DisputeState.LOST, raw_status="lost", is_withdrawn=True)
    in_transaction(following.apply, remote=lost, gateway="sandbox", why="late")
    assert the_dispute().state is DisputeState.LOST
    old = replace(told, status=DisputeState.UNDER_REVIEW, raw_status="under_review", is_withdrawn=True)
    in_transaction(following.apply, remote=old, gateway="sandbox", why="older")
    assert the_dispute().state is DisputeState.LOST
    appeal = replace(old, raw_status="appeal_under_review")
    in_transaction(following.apply, remote=appeal, gateway="sandbox", why="appeal")
    assert the_dispute().state is DisputeState.UNDER_REVIEW
    won = replace(told, status=DisputeState.WON, raw_status="won", is_withdrawn=True, is_reinstated=True)
    in_transaction(following.apply, remote=won, gateway="sandbox", why="won")
    assert (balance("chargeback_loss"), balance("dispute_receivable", "sandbox")) == (0, 0)


def test_surplus_money_is_recorded_though_the_first_payment_is_disputed(shop: Shop) -> None:
    number, _remote = disputed(shop)
    attempt = Attempt(purpose="order", reference=number, gateway="sandbox", book="test", fen=8560, is_surplus=True)
    attempt.state, attempt.remote_id = AttemptState.REQUIRES_ACTION, "pay_second"
    db.session.add(attempt)
    db.session.commit()
    paid = RemotePayment("pay_second", attempt.public_id, Money(8560), AttemptState.SUCCEEDED, "succeeded", "test")
    in_transaction(outcomes.apply_payment, remote=paid, gateway="sandbox", why="late")
    db.session.rollback()
    assert db.session.get_one(Attempt, attempt.id).state is AttemptState.SUCCEEDED
    assert [each.reason for each in refunds.of(db.session(), purpose="order", reference=number)] == ["surplus"]


def test_what_is_disputed_is_offered_to_nobody_for_payment(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    at_the_desk(shop, number, "accept", "collect", "pack", "ship")
    (parcel,) = parcels(number)
    in_transaction(settlement.confirm, number=number, parcel=parcel.public_id, actor="guest")
    balances_of = batch_queries.positive_balances(db.session(), "test")
    assert sum(balances_of.values()) == 2 * 3980 + 600
    assert owed.owed_to(db.session(), balances_of, "test") == balances_of  # what a batch would pay
    shop.cashier.open_dispute(shop.remote_of(number))
    shop.work()
    db.session.rollback()
    assert batch_queries.positive_balances(db.session(), "test") == {}
    assert owed.owed_to(db.session(), balances_of, "test") == dict.fromkeys(balances_of, 0)


def bytes_file(content: bytes) -> Any:
    return BytesIO(content)
