"""What was let in by mistake: two people take it out again, its lines are paid anew, and a stranger can follow all of it."""

from functools import partial
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import disbursing, lifecycle
from crowdfund.campaigns.models import PublicRow
from crowdfund.campaigns.repayments import correcting, paying_back, queries
from crowdfund.campaigns.repayments.models import Repayment, RepaymentCorrection
from crowdfund.campaigns.states import CampaignState as C
from crowdfund.campaigns.totals import sums
from crowdfund.campaigns.whereabouts import queries as whereabouts
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from tests.public_ledger.conftest import Giving
from tests.public_ledger.racing import race
from tests.public_ledger.test_desk import Desk
from tests.repayments.conftest import ask_correction, correct, enter, paid, pay_back, row_of
from tests.repayments.test_paying_back import at_the_gateway, in_account, left, refused
from tests.whereabouts.conftest import follow, refuse_another_order, refuse_any_difference


def test_it_leaves_the_account_by_two_people_and_its_lines_are_paid_again(
    app: Flask, giving: Giving, client: FlaskClient
) -> None:
    campaign, payment = paid(giving)
    there = at_the_gateway()
    made = pay_back(giving, payment, {1: 120, 2: 60}, bank_reference="HUI-1")
    follow(giving)
    assert left(campaign) == [(300, 280, 20), (150, 40, 110), (70, 0, 70)]

    ask_correction(giving, made, "是另一家退的")
    assert (in_account(campaign), at_the_gateway(), row_of(made).corrected_at) == (200, there + 180, None)
    assert queries.is_correction_waiting(db.session(), campaign.id)
    in_transaction(correcting.approve, repayment=made, approver_id=giving.approver)
    assert (in_account(campaign), at_the_gateway()) == (20, there) and not row_of(made).is_approved
    row = db.session.scalars(select(PublicRow).where(PublicRow.kind == "correction")).one()
    assert (row.fen, row.who, row.what) == (-180, "临汾新华书店", "是另一家退的")
    assert not queries.is_correction_waiting(db.session(), campaign.id)

    follow(giving)
    assert left(campaign) == [(300, 300, 0), (150, 150, 0), (70, 50, 20)]
    refuse_any_difference(campaign)
    refuse_another_order(app, campaign.public_id)
    lines = whereabouts.of_payment(db.session(), row_of(made).disbursement_id)
    assert [(line.fen, line.gift_fen, line.back_fen) for line in lines] == [(400, 400, 0), (100, 100, 0)]
    totals = db.session.execute(select(sums("test", campaign.id))).one()
    assert (totals.raised, totals.spent, totals.returned) == (520, 500, 0)
    page = client.get(f"/ledger/{campaign.public_id}/disbursements/{payment}").text
    assert "其实没有退回的" in page and "是另一家退的" in page
    assert "其实没退" in client.get(f"/ledger/{campaign.public_id}").text
    assert (
        client.get(f"/api/v1/campaigns/{campaign.public_id}/disbursements").get_json()["disbursements"][0]["repayments"]
        == []
    )

    pay_back(giving, payment, {1: 400}, bank_reference="HUI-1")  # of the bank's one credit, the right lines this time
    follow(giving)
    refuse_any_difference(campaign)
    refuse_another_order(app, campaign.public_id)


def test_another_person_decides_and_once(giving: Giving) -> None:
    campaign, payment = paid(giving)
    waiting = enter(giving, payment, {1: 10})
    refused(StaleState, ask_correction, giving, waiting)
    made = pay_back(giving, payment, {1: 10})
    ask_correction(giving, made)
    refused(StaleState, ask_correction, giving, made)
    own = {"repayment": made, "approver_id": giving.officer}
    refused(paying_back.SamePerson, in_transaction, correcting.approve, **own)
    refused(paying_back.SamePerson, in_transaction, correcting.refuse, reason="有", **own)
    in_transaction(correcting.refuse, repayment=made, approver_id=giving.approver, reason="对账单上有")
    assert in_account(campaign) == 30 and row_of(made).is_approved
    correct(giving, made)
    refused(StaleState, in_transaction, correcting.approve, repayment=made, approver_id=giving.approver)
    refused(StaleState, ask_correction, giving, made)
    assert in_account(campaign) == 20


def test_what_came_and_was_spent_again_cannot_be_taken_out(giving: Giving) -> None:
    campaign, payment = paid(giving)
    made = pay_back(giving, payment, {1: 100})
    giving.pay_out(campaign, 21)  # 20 were left before it came
    ask_correction(giving, made)
    told: dict[str, Any] = {"repayment": made, "approver_id": giving.approver}
    refusal = refused(correcting.SpentMeanwhile, in_transaction, correcting.approve, **told)
    assert "¥0.99" in str(refusal.message)
    giving.gift(campaign, 1)
    in_transaction(correcting.approve, **told)
    assert in_account(campaign) == 0


@pytest.mark.parametrize("state", [C.REPORTED, C.CLOSED, C.CANCELLED])
def test_a_campaign_that_is_over_is_not_corrected(giving: Giving, state: C) -> None:
    campaign, payment = paid(giving)
    made, other = pay_back(giving, payment, {1: 10}), pay_back(giving, payment, {2: 10})
    ask_correction(giving, made)
    db.session.execute(text("UPDATE campaign SET state = :state WHERE id = :id"), {"state": state, "id": campaign.id})
    db.session.commit()
    refused(paying_back.CampaignIsOver, in_transaction, correcting.approve, repayment=made, approver_id=giving.approver)
    refused(paying_back.CampaignIsOver, ask_correction, giving, other)


def test_what_counted_as_all_back_is_proved_first_and_no_campaign_is_called_off_meanwhile(giving: Giving) -> None:
    campaign, payment = paid(giving)
    made = pay_back(giving, payment, {1: 400, 2: 100})
    in_transaction(disbursing.complete, disbursement=payment, officer_id=giving.officer)
    ask_correction(giving, made)
    refused(correcting.NotProvedThen, in_transaction, correcting.approve, repayment=made, approver_id=giving.approver)
    told: dict[str, Any] = {"campaign": campaign.public_id, "person": giving.officer, "why": "学校合并了"}
    refused(lifecycle.CorrectionWaits, lambda: in_transaction(lifecycle.cancel, **told))


def test_nothing_counts_as_proved_since_it_came_back_while_that_is_corrected(
    real_giving: Giving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One person says that all evidence is there, and has seen that all came back; another agrees at that moment."""
    _campaign, payment = paid(real_giving)
    made = pay_back(real_giving, payment, {1: 400, 2: 100})
    ask_correction(real_giving, made)
    has_looked, has_agreed, all_back = Event(), Event(), queries.is_all_back

    def look(*given: Any) -> bool:
        found = all_back(*given)
        if not has_looked.is_set():
            has_looked.set()
            has_agreed.wait(0.5)  # the other comes between, unless the campaign's row holds them up
        return found

    def agree() -> None:
        has_looked.wait()
        in_transaction(correcting.approve, repayment=made, approver_id=real_giving.approver)
        has_agreed.set()

    monkeypatch.setattr(queries, "is_all_back", look)
    complete = partial(in_transaction, disbursing.complete, disbursement=payment, officer_id=real_giving.officer)
    done, agreed = race([complete, agree])
    assert done is None and isinstance(agreed, correcting.NotProvedThen)
    assert row_of(made).is_approved


def test_the_database_itself_corrects_nothing_alone(giving: Giving) -> None:
    _campaign, payment = paid(giving)
    made = pay_back(giving, payment, {1: 10})
    waiting = enter(giving, payment, {2: 10})
    columns = "public_id, repayment_id, why_zh, officer_id, entered_at, refused_why"
    late = f"INSERT INTO repayment_correction ({columns}) SELECT 'x', id, 'x', officer_id, entered_at, '' FROM repayment"
    for sql in (
        "UPDATE repayment SET corrected_at = decided_at WHERE decided_at IS NOT NULL",
        "UPDATE repayment SET decided_at = NULL, decider_id = NULL",
        f"{late} WHERE decided_at IS NULL",
    ):
        with pytest.raises(IntegrityError):
            db.session.execute(text(sql))
        db.session.rollback()
    correct(giving, made)
    for sql in (
        "UPDATE repayment SET corrected_at = NULL WHERE corrected_at IS NOT NULL",
        "UPDATE repayment SET refused_why = 'x' WHERE corrected_at IS NOT NULL",
        "UPDATE repayment_correction SET refused_why = 'x'",
        "DELETE FROM repayment_correction",
        f"{late} WHERE decided_at IS NOT NULL",
    ):
        with pytest.raises(IntegrityError):
            db.session.execute(text(sql))
        db.session.rollback()
    assert row_of(made).corrected_at is not None and row_of(waiting).decided_at is None


def test_ten_people_at_once_correct_it_once(real_giving: Giving) -> None:
    campaign, payment = paid(real_giving)
    made = pay_back(real_giving, payment, {1: 100})
    asked = race([lambda: ask_correction(real_giving, made)] * 4)
    assert asked.count(None) == 1
    agreed = race([lambda: in_transaction(correcting.approve, repayment=made, approver_id=real_giving.approver)] * 10)
    assert agreed.count(None) == 1 and in_account(campaign) == 20


def test_officers_ask_and_agree_on_its_page(app: Flask, giving: Giving) -> None:
    _campaign, payment = paid(giving)
    desk, made = Desk(app, giving), pay_back(giving, payment, {1: 10})
    here = f"/charity/repayments/{made}"
    assert desk.post(desk.officer, f"{here}/corrections", {"why": " ", "idempotency_key": "k"}).status_code == 422
    asked = {"why": "银行又划走了", "idempotency_key": "k"}
    for _twice in range(2):
        assert desk.post(desk.officer, f"{here}/corrections", asked).headers["Location"] == here
    assert db.session.query(RepaymentCorrection).count() == 1
    assert "银行又划走了" in desk.approver.get(here).text and "要由另一个人确认" in desk.officer.get(here).text
    assert here in desk.approver.get("/charity/disbursements").text
    assert desk.post(desk.officer, f"{here}/correction/approval", {}).status_code in {403, 404}
    assert desk.post(desk.approver, f"{here}/correction/refusal", {"reason": " "}).status_code == 422
    assert desk.post(desk.approver, f"{here}/correction/approval", {}).headers["Location"] == here
    db.session.expire_all()
    assert db.session.scalars(select(Repayment.corrected_at)).one() is not None
    assert "已更正：没有到账" in desk.officer.get(f"/charity/disbursements/{payment}").text
    assert "已更正：没有到账" in desk.officer.get(here).text
