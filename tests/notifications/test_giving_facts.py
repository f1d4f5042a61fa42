"""What partners' machines hear of campaigns: no more than everybody may read, each once, and who asked for it alone."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from crowdfund.campaigns import disbursing, lifecycle, partner_facts
from crowdfund.campaigns.disbursing import Bill
from crowdfund.campaigns.evidence import Kept, add
from crowdfund.campaigns.ledger_models import LedgerTold, SealedRow
from crowdfund.campaigns.news import telling
from crowdfund.campaigns.reports import content, publishing
from crowdfund.campaigns.reports.models import CampaignReport
from marketplace.api.event_schemas import EVENTS
from marketplace.core import clock, sealing
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.notifications.endpoints import EventKind as K
from marketplace.notifications.models import Delivery
from tests import factories
from tests.auditing.test_giving import named
from tests.campaigns.conftest import FOUNDATION, Fund, fund
from tests.notifications.partners import enter
from tests.public_ledger.conftest import Giving
from tests.repayments.conftest import correct, pay_back
from tests.statements import gathered

__all__ = ["fund"]
TAMPERING = {
    "campaigns that are told of have moved": (
        "UPDATE event SET to_state = 'x' WHERE subject LIKE 'campaign:%' AND to_state = 'live'",
        "DELETE FROM campaign_update",
    ),
    "ledger rows that are told of stand there": (
        "UPDATE sealed_row SET kind = 'match' WHERE kind = 'gift'",
        "UPDATE delivery SET fact = 'disbursement.made:1' WHERE kind = 'disbursement.made'",
        "UPDATE sealed_row SET kind = 'repayment' WHERE kind = 'correction'",
    ),
    "nothing is told before it is sealed": ("UPDATE ledger_told SET number = number + 100",),
    "evidence that is told of is there": ("UPDATE evidence SET public_id = 'x' || id",),
    "reports that are told of were published": ("UPDATE campaign_report SET public_id = 'x' || id",),
}


def spend(fund: Fund, campaign: str, fen: int) -> str:
    words: Any = {"provider": "临汾新华书店", "provider_credit_code": "91140000MA0K2X7Q3P", "invoice_number": "INV1"}
    bill = Bill(amount=Money(fen), purpose="图书 1 册", **words)
    made = in_transaction(disbursing.request, campaign=campaign, budget_line=1, bill=bill, requester_id=fund.officer.id)
    in_transaction(disbursing.approve, disbursement=made, approver_id=fund.approver.id)
    in_transaction(disbursing.send, disbursement=made, officer_id=fund.officer.id)
    in_transaction(disbursing.confirm, disbursement=made, officer_id=fund.officer.id, bank_reference="B-1")
    return made


def work(fund: Fund) -> None:
    """All that the worker would do now."""
    fund.work()
    while in_transaction(sealing.seal, chain="public"):
        pass
    while partner_facts.tell_of_rows():
        pass


def told() -> list[tuple[str, dict[str, Any]]]:
    """What is to be delivered, each as the document of the API describes it, and not a field more."""
    db.session.rollback()
    events = [json.loads(body) for body in db.session.scalars(select(Delivery.body).order_by(Delivery.id))]
    for event in events:
        assert EVENTS[event["type"]].model_validate(event).model_dump(mode="json")["data"] == event["data"]
    return [(event["type"], event["data"]) for event in events]


@pytest.fixture
def lived(fund: Fund, real_app: Flask) -> Iterator[str]:
    """A campaign to its report, with somebody who hears of it all; its public id."""
    stranger = factories.make_person()
    in_transaction(
        telling.tell,
        campaign=fund.open(),
        organisations=[FOUNDATION],
        author=fund.officer.id,
        words=("旧", "事"),
        pictures=[],
    )
    work(fund)  # before anybody listened
    enter(stranger, "https://example.org/", second_factor=False)
    campaign = fund.open()
    fund.give(campaign, 1000, name="王小明", anonymity="masked", contact="giver@example.test", message="加油")
    fund.give(campaign, 7, name="李小红", anonymity="anonymous")
    words: dict[str, Any] = {"words": ("书到了", "一共三十册"), "pictures": []}
    in_transaction(telling.tell, campaign=campaign, organisations=[FOUNDATION], author=fund.officer.id, **words)
    payment = spend(fund, campaign, 500)
    people = Giving(fund.officer.id, fund.approver.id)
    correct(people, pay_back(people, payment, {1: 20}, why="少发了一册"))
    kept = Kept(file_name="invoice.pdf", sha256="ab" * 32)
    given: dict[str, Any] = {"kind": "invoice", "words": "发票", "kept": kept, "is_public": True}
    in_transaction(add, disbursement=payment, officer_id=fund.officer.id, **given)
    for step, why in ((lifecycle.pause, {"why": "核对"}), (lifecycle.resume, {}), (lifecycle.end, {"why": "够了"})):
        in_transaction(step, campaign=campaign, person=fund.officer.id, **why)  # type: ignore[arg-type]
    with clock.at(clock.now() + timedelta(days=2)):
        asked: dict[str, Any] = {"kind": "full", "words": "一批书到了", "officer_id": fund.officer.id}
        report = in_transaction(publishing.draft, campaign=campaign, **asked)
        text = content.canonical(content.of(db.session(), db.session.scalars(select(CampaignReport)).one()))
        seen = {"seen": content.hash_of(text), "paper_sha256": "cd" * 32}
        in_transaction(publishing.publish, report=report, publisher_id=fund.approver.id, **seen)
        work(fund)
    yield campaign


def test_each_is_told_once_and_says_no_more_than_the_ledger(lived: str, fund: Fund) -> None:
    found = told()
    kinds = [kind for kind, _data in found]
    assert sorted(kinds) == sorted(
        [
            *(K.CAMPAIGN_OPENED, K.CAMPAIGN_UPDATED, K.CAMPAIGN_UPDATED, K.CAMPAIGN_UPDATED, K.CAMPAIGN_CLOSED),
            *(K.CAMPAIGN_UPDATED, K.GIFT_RECEIVED, K.GIFT_RECEIVED, K.DISBURSEMENT_MADE, K.EVIDENCE_ADDED),
            *(K.DISBURSEMENT_REPAID, K.REPAYMENT_CORRECTED, K.REPORT_PUBLISHED),
        ]
    )
    gifts = [data for kind, data in found if kind == K.GIFT_RECEIVED]
    assert [(data["fen"], data["who"], data["number"]) for data in gifts] == [(1000, "王**", 1), (7, "", 2)]
    (paid,) = [data for kind, data in found if kind == K.DISBURSEMENT_MADE]
    assert (paid["fen"], paid["who"], paid["what"]) == (500, "临汾新华书店", "图书 1 册")
    (back,) = [data for kind, data in found if kind == K.DISBURSEMENT_REPAID]
    assert (back["fen"], back["what"], back["disbursement"]) == (20, "少发了一册", paid["disbursement"])
    (undone,) = [data for kind, data in found if kind == K.REPAYMENT_CORRECTED]
    assert (undone["fen"], undone["what"], undone["disbursement"]) == (20, "银行又划走了", paid["disbursement"])
    states = [data["state"] for kind, data in found if kind == K.CAMPAIGN_UPDATED and data["update"] is None]
    assert states == ["paused", "live", "disbursing"]
    assert {data["campaign"] for _kind, data in found} == {lived}
    for body in db.session.scalars(select(Delivery.body)):
        assert not any(word in body for word in ("小明", "李", "example.test", "加油", "周予安", "沈若谷"))
    work(fund)
    in_transaction(lambda session: session.query(LedgerTold).update({"number": 0}))
    while partner_facts.tell_of_rows():
        pass
    assert told() == found


def test_a_refund_is_told_by_its_row(fund: Fund) -> None:
    enter(factories.make_person(), "https://example.org/", K.GIFT_REFUNDED, K.CAMPAIGN_CLOSED)
    campaign = fund.open()
    fund.give(campaign, 300, name="王小明", anonymity="named")
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="不办了")
    work(fund)
    found = told()
    assert sorted(kind for kind, _data in found) == [K.CAMPAIGN_CLOSED, K.GIFT_REFUNDED]
    assert [(data["fen"], data["who"]) for kind, data in found if kind == K.GIFT_REFUNDED] == [(300, "王小明")]


def test_where_nobody_listens_nothing_is_written_but_how_far_it_is(fund: Fund) -> None:
    campaign = fund.open()
    for _each in range(3):
        fund.give(campaign, 1)
    work(fund)
    last = db.session.scalar(select(func.max(SealedRow.number)))
    assert told() == [] and db.session.scalar(select(LedgerTold.number)) == last == 3
    enter(factories.make_person(), "https://example.org/")
    work(fund)
    assert told() == []  # what was before it is not told
    fund.give(campaign, 2)
    work(fund)
    assert [(kind, data["fen"]) for kind, data in told()] == [(K.GIFT_RECEIVED, 2)]
    with gathered() as sent:
        assert not partner_facts.tell_of_rows()
    assert len(sent) == 1


def test_what_is_told_is_no_difference_and_all_else_is_named(lived: str) -> None:
    db.session.remove()  # tampering takes the guards away, and waits for whoever reads
    checks = set(TAMPERING)
    assert named() & checks == set()
    silent = [(check, sql) for check, statements in TAMPERING.items() for sql in statements if check not in named(sql)]
    assert silent == []
