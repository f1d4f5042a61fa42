"""A campaign's money to a provider: never more than there is, never by one person alone, never without evidence."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import disbursing, evidence, telling
from crowdfund.campaigns.models import Campaign, Disbursement, PublicRow
from crowdfund.campaigns.reports import standing
from crowdfund.campaigns.states import CampaignState, DisbursementState as D
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.transitions import EventRow
from marketplace.ledger import books
from marketplace.payments.reconciliation import switch
from marketplace.payments.reconciliation.models import ReconciliationRun
from tests.public_ledger.conftest import Giving
from tests.public_ledger.racing import race

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)


def state(disbursement: str) -> D:
    db.session.expire_all()
    return db.session.scalars(select(Disbursement.state).where(Disbursement.public_id == disbursement)).one()


def test_from_the_bill_to_the_evidence(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 10_000)
    with time_machine.travel(NOON, tick=False):
        made = giving.request(campaign, 4815)
        in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
        in_transaction(disbursing.send, disbursement=made, officer_id=giving.officer)
        assert books.balance(db.session(), "restricted", campaign.public_id, book="test") == -5185
        assert books.balance(db.session(), "payout_in_transit", book="test") == -4815
        in_transaction(disbursing.confirm, disbursement=made, officer_id=giving.officer, bank_reference="B-77")

    row = db.session.scalars(select(Disbursement)).one()
    assert (row.state, row.bank_reference, row.paid_at) == (D.PAID, "B-77", NOON)
    assert row.evidence_due_on == date(2026, 11, 17)
    assert books.balance(db.session(), "payout_in_transit", book="test") == 0
    assert books.balance(db.session(), "gateway_clearing", "sandbox", book="test") == 5185
    shown = db.session.scalars(select(PublicRow).where(PublicRow.kind == "disbursement")).one()
    assert (shown.fen, shown.who, shown.what) == (-4815, "临汾新华书店", "玉坪乡图书 214 册")
    assert shown.reference == f"disburse:{made}"

    with pytest.raises(disbursing.NoEvidence):
        in_transaction(disbursing.complete, disbursement=made, officer_id=giving.officer)
    lay(made, giving)
    in_transaction(disbursing.complete, disbursement=made, officer_id=giving.officer)
    trace = select(EventRow.to_state).where(EventRow.subject == f"disbursement:{made}").order_by(EventRow.id)
    assert db.session.scalars(trace).all() == ["requested", "approved", "paying", "paid", "evidenced"]


def lay(made: str, giving: Giving, sha256: str = "ab" * 32) -> None:
    kept = evidence.Kept("", sha256)
    given: Any = {"kind": "invoice", "words": "", "is_public": False, "kept": kept}
    in_transaction(evidence.add, disbursement=made, officer_id=giving.officer, **given)


def test_no_bank_is_told_to_pay_while_payouts_are_closed(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 10_000)
    made = giving.request(campaign, 4815)
    in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
    run: dict[str, Any] = {"gateway": "sandbox", "actor": "test", "is_whole": True, "is_dry": False, "ended_at": NOON}
    db.session.add(ReconciliationRun(**run, is_red=True))
    db.session.commit()
    with pytest.raises(switch.PayoutsAreClosed):
        in_transaction(disbursing.send, disbursement=made, officer_id=giving.officer)
    assert state(made) is D.APPROVED
    assert books.balance(db.session(), "restricted", campaign.public_id, book="test") == -10_000


def test_nobody_approves_their_own(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 100)
    made = giving.request(campaign, 100)
    with pytest.raises(disbursing.SamePerson):
        in_transaction(disbursing.approve, disbursement=made, approver_id=giving.officer)
    with pytest.raises(disbursing.SamePerson):
        in_transaction(disbursing.reject, disbursement=made, approver_id=giving.officer, reason="no")
    assert state(made) is D.REQUESTED
    with pytest.raises(IntegrityError):
        db.session.execute(update(Disbursement).values(approver_id=giving.officer))


def test_never_more_than_is_free(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    giving.gift(giving.campaign(), 99_999)
    with pytest.raises(disbursing.NotEnough) as refused:
        giving.request(campaign, 1001)
    assert refused.value.free_fen == 1000

    first, second = giving.request(campaign, 700), giving.request(campaign, 700)
    in_transaction(disbursing.approve, disbursement=first, approver_id=giving.approver)
    for _each in ("approved", "at the bank", "paid"):
        with pytest.raises(disbursing.NotEnough) as refused:
            in_transaction(disbursing.approve, disbursement=second, approver_id=giving.approver)
        assert refused.value.free_fen == 300
        if state(first) is D.APPROVED:
            in_transaction(disbursing.send, disbursement=first, officer_id=giving.officer)
        elif state(first) is D.PAYING:
            in_transaction(disbursing.confirm, disbursement=first, officer_id=giving.officer, bank_reference="B")
    assert state(second) is D.REQUESTED


def test_a_rejection_frees_nothing_and_says_why(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.request(campaign, 1000)
    in_transaction(disbursing.reject, disbursement=made, approver_id=giving.approver, reason="发票抬头不对")
    why = select(EventRow.why).where(EventRow.to_state == "rejected")
    assert db.session.scalars(why).all() == ["发票抬头不对"]
    with pytest.raises(StaleState):
        in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
    giving.request(campaign, 1000)


def test_what_the_bank_could_not_pay_stays_promised_and_is_booked_once(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.request(campaign, 1000)
    in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
    in_transaction(disbursing.send, disbursement=made, officer_id=giving.officer)
    in_transaction(disbursing.fail, disbursement=made, officer_id=giving.officer, reason="账号错")
    with pytest.raises(disbursing.NotEnough):
        giving.request(campaign, 1)
    in_transaction(disbursing.send, disbursement=made, officer_id=giving.officer)
    in_transaction(disbursing.confirm, disbursement=made, officer_id=giving.officer, bank_reference="B")
    assert books.balance(db.session(), "restricted", campaign.public_id, book="test") == 0
    assert books.balance(db.session(), "payout_in_transit", book="test") == 0


def test_an_invoice_is_paid_once(giving: Giving) -> None:
    campaign, other = giving.campaign(), giving.campaign()
    giving.gift(campaign, 1000)
    giving.gift(other, 1000)
    giving.request(campaign, 10, invoice_number="INV-1")
    for each in (campaign, other):
        with pytest.raises(disbursing.InvoiceUsed):
            giving.request(each, 10, invoice_number="INV-1")
    giving.request(campaign, 10, invoice_number="INV-1", provider_credit_code="91140000MA0K2X7Q4P")


def test_what_was_rejected_is_asked_for_again_and_put_right(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    wrong = giving.request(campaign, 600, invoice_number="INV-1")
    in_transaction(disbursing.reject, disbursement=wrong, approver_id=giving.approver, reason="金额少写了")
    giving.request(campaign, 700, invoice_number="INV-1")
    with pytest.raises(disbursing.InvoiceUsed):
        giving.request(campaign, 10, invoice_number="INV-1")


def test_what_was_approved_is_called_off_until_the_bank_is_told(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.request(campaign, 1000)
    said: dict[str, Any] = {"disbursement": made, "reason": "店里没货了"}
    in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
    with pytest.raises(disbursing.SamePerson):
        in_transaction(disbursing.reject, approver_id=giving.officer, **said)
    in_transaction(disbursing.reject, approver_id=giving.approver, **said)
    with pytest.raises(StaleState):
        in_transaction(disbursing.send, disbursement=made, officer_id=giving.officer)
    sent = giving.request(campaign, 1000)
    in_transaction(disbursing.approve, disbursement=sent, approver_id=giving.approver)
    in_transaction(disbursing.send, disbursement=sent, officer_id=giving.officer)
    with pytest.raises(StaleState):
        in_transaction(disbursing.reject, approver_id=giving.approver, **said | {"disbursement": sent})
    assert books.balance(db.session(), "restricted", campaign.public_id, book="test") == 0


def test_what_the_bank_could_not_pay_is_given_up_and_the_money_is_the_campaigns_again(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.request(campaign, 1000, invoice_number="INV-1")
    in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
    in_transaction(disbursing.send, disbursement=made, officer_id=giving.officer)
    in_transaction(disbursing.fail, disbursement=made, officer_id=giving.officer, reason="账号注销了")
    for _twice in range(2):
        with suppress(StaleState):
            in_transaction(disbursing.reject, disbursement=made, approver_id=giving.approver, reason="店关了")
    assert books.balance(db.session(), "restricted", campaign.public_id, book="test") == -1000
    assert books.balance(db.session(), "payout_in_transit", book="test") == 0
    giving.pay_out(campaign, 1000, invoice_number="INV-1")
    assert books.balance(db.session(), "restricted", campaign.public_id, book="test") == 0


@pytest.mark.parametrize("where", [CampaignState.PAUSED, CampaignState.CANCELLED, CampaignState.REPORTED])
def test_a_campaign_that_does_not_spend(giving: Giving, where: CampaignState) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.request(campaign, 10)
    db.session.execute(update(Campaign).values(state=where))
    db.session.commit()
    with pytest.raises(disbursing.CampaignDoesNotSpend):
        giving.request(campaign, 10)
    with pytest.raises(disbursing.CampaignDoesNotSpend):
        in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
    assert state(made) is D.REQUESTED


def test_another_campaigns_budget_is_none_of_ours(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    asked: Any = {"campaign": campaign.public_id, "budget_line": 3, "bill": giving.bill(10)}
    with pytest.raises(NotFound):
        in_transaction(disbursing.request, requester_id=giving.officer, **asked)


def test_overdue_evidence_stops_this_campaign_and_no_other(giving: Giving) -> None:
    late, other = giving.campaign(), giving.campaign()
    with time_machine.travel(NOON, tick=False) as clock:
        giving.gift(late, 1000)
        giving.gift(other, 1000)
        made = giving.pay_out(late, 100)
        waiting = giving.request(late, 100)
        clock.shift(timedelta(days=30))
        giving.request(late, 1)  # the thirtieth day is still in time
        clock.shift(timedelta(days=1))
        for step in (
            lambda: giving.request(late, 1),
            lambda: in_transaction(disbursing.approve, disbursement=waiting, approver_id=giving.approver),
        ):
            with pytest.raises(disbursing.EvidenceOverdue):
                step()
        giving.pay_out(other, 1)
        lay(made, giving)
        in_transaction(disbursing.complete, disbursement=made, officer_id=giving.officer)
        in_transaction(disbursing.approve, disbursement=waiting, approver_id=giving.approver)


def test_what_the_bank_was_told_and_nobody_followed_stops_the_campaign_as_well(giving: Giving) -> None:
    late, other = giving.campaign(), giving.campaign()
    with time_machine.travel(NOON, tick=False) as clock:
        giving.gift(late, 1000)
        giving.gift(other, 1000)
        made, waiting = giving.request(late, 100), giving.request(late, 100)
        in_transaction(disbursing.approve, disbursement=made, approver_id=giving.approver)
        in_transaction(disbursing.send, disbursement=made, officer_id=giving.officer)
        clock.shift(timedelta(days=30))
        giving.request(late, 1)
        assert not standing.of(db.session(), late.public_id).is_late
        clock.shift(timedelta(days=1))
        for step in (
            lambda: giving.request(late, 1),
            lambda: in_transaction(disbursing.approve, disbursement=waiting, approver_id=giving.approver),
        ):
            with pytest.raises(disbursing.BankUnanswered):
                step()
        assert [each.fen for each in standing.of(db.session(), late.public_id).evidence] == [100]
        giving.pay_out(other, 1)
        in_transaction(disbursing.confirm, disbursement=made, officer_id=giving.officer, bank_reference="B-2")
        in_transaction(disbursing.approve, disbursement=waiting, approver_id=giving.approver)


def test_evidence_is_for_what_was_paid(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.request(campaign, 10)
    with pytest.raises(StaleState):
        lay(made, giving)
    paid = giving.pay_out(campaign, 10)
    for number in range(20):
        lay(paid, giving, f"{number:064x}")
    lay(paid, giving, f"{0:064x}")  # the same file again changes nothing
    with pytest.raises(evidence.TooManyFiles):
        lay(paid, giving, f"{20:064x}")


def test_what_was_spent_of_the_budget_is_from_the_books(giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 10_000)
    giving.pay_out(campaign, 4815)
    giving.request(campaign, 1000)  # promised is not spent
    found = telling.page(db.session(), campaign.public_id).spending
    assert [(line.name, line.planned_fen, line.spent_fen) for line in found.lines] == [
        ("图书", 3_360_000, 4815),
        ("书架", 1_440_000, 0),
    ]
    assert [(layer.name, layer.amount_fen) for layer in found.drawing.layers] == [("图书", 4815), ("还在账上", 5185)]
    assert (found.planned_fen, found.spent_fen) == (4_800_000, 4815)


def test_two_approvals_at_once_never_promise_the_same_fen(real_giving: Giving) -> None:
    campaign = real_giving.campaign()
    real_giving.gift(campaign, 1000)
    asked = [real_giving.request(campaign, 400) for _number in range(6)]
    refused = race([partial(approve, made, real_giving.approver) for made in asked])
    assert sorted(type(error).__name__ for error in refused if error) == ["NotEnough"] * 4
    taken = select(func.sum(Disbursement.fen)).where(Disbursement.state == D.APPROVED)
    assert db.session.scalar(taken) == 800


def approve(made: str, approver: int) -> None:
    in_transaction(disbursing.approve, disbursement=made, approver_id=approver)


def test_one_request_approved_by_many_is_approved_once(real_giving: Giving) -> None:
    campaign = real_giving.campaign()
    real_giving.gift(campaign, 1000)
    made = real_giving.request(campaign, 400)
    refused = race([lambda: approve(made, real_giving.approver)] * 5)
    assert sorted(type(error).__name__ for error in refused if error) == ["StaleState"] * 4
    refused = race([lambda: in_transaction(disbursing.send, disbursement=made, officer_id=real_giving.officer)] * 5)
    assert [error for error in refused if error] and sum(error is None for error in refused) == 1
    assert books.balance(db.session(), "restricted", campaign.public_id, book="test") == -600


def test_one_invoice_in_two_tabs_is_asked_for_once(real_giving: Giving) -> None:
    campaign = real_giving.campaign()
    real_giving.gift(campaign, 1000)
    refused = race([lambda: real_giving.request(campaign, 10, invoice_number="INV-9")] * 4)
    assert sorted(type(error).__name__ for error in refused if error) == ["InvoiceUsed"] * 3
