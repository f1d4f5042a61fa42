"""Who may benefit is published before the first gift, and nobody outside of it can be entered afterwards."""

from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import disbursing, drafting, evidence, lifecycle
from crowdfund.campaigns.criteria import publishing, reaching
from crowdfund.campaigns.criteria.models import Beneficiary
from crowdfund.campaigns.criteria.reaching import OutsideCriteria, Reached
from crowdfund.campaigns.models import Disbursement
from crowdfund.campaigns.repayments import correcting, paying_back
from crowdfund.campaigns.repayments.paying_back import Credit
from crowdfund.campaigns.states import DisbursementState
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.money import Money
from tests import factories
from tests.campaigns.conftest import STATION, Fund, post
from tests.public_ledger.racing import race

ELSEWHERE = "140430"
LINXIAN = partial(Reached, county_code=STATION)


def limited(fund: Fund, most: int = 3, each_fen: int = 4000) -> str:
    """A draft that promises: only Linxian, so many, so much for each."""
    if not db.session.scalar(text(f"SELECT 1 FROM county WHERE code = '{ELSEWHERE}'")):
        factories.make_station(ELSEWHERE, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    campaign = fund.draft()
    told: dict[str, Any] = {"person": fund.officer.id, "counties": [STATION], "most": most, "each_fen": each_fen}
    in_transaction(publishing.set_limits, campaign=campaign, **told)
    return campaign


def opened(fund: Fund, **limits: int) -> str:
    campaign = limited(fund, **limits)
    in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)
    in_transaction(lifecycle.approve, campaign=campaign, person=fund.approver.id)
    in_transaction(lifecycle.open_to_all, campaign=campaign, person=fund.officer.id)
    return campaign


def paid(fund: Fund, campaign: str, fen: int = 10_000, invoice: str = "INV1") -> str:
    fund.give(campaign, fen)
    return pay_out(fund, campaign, fen, invoice)


def pay_out(fund: Fund, campaign: str, fen: int, invoice: str = "INV1") -> str:
    bill = disbursing.Bill(Money(fen), "图书", "临汾新华书店", "91140000MA0K2X7Q3P", invoice)
    asked: Any = {"campaign": campaign, "budget_line": 1, "bill": bill, "requester_id": fund.officer.id}
    made = in_transaction(disbursing.request, **asked)
    in_transaction(disbursing.approve, disbursement=made, approver_id=fund.approver.id)
    in_transaction(disbursing.send, disbursement=made, officer_id=fund.officer.id)
    in_transaction(disbursing.confirm, disbursement=made, officer_id=fund.officer.id, bank_reference="B1")
    return made


def add(fund: Fund, payment: str, *reached: Reached) -> int:
    return in_transaction(reaching.add, disbursement=payment, officer_id=fund.officer.id, reached=reached)


def names(payment: str) -> list[tuple[str, int]]:
    db.session.rollback()
    mine = select(Disbursement.id).where(Disbursement.public_id == payment)
    return [(each.name, each.fen) for each in reaching.of_payment(db.session(), db.session.scalars(mine).one())]


def test_nobody_outside_the_published_criteria(fund: Fund) -> None:
    payment = paid(fund, opened(fund, most=4))
    assert add(fund, payment, LINXIAN("玉坪小学", fen=4000), LINXIAN("2 号农户", fen=3000)) == 2
    for wrong, why in (
        (Reached("沁县小学", ELSEWHERE, 100), "临县"),
        (LINXIAN("3 号农户", fen=4001), "¥40.00"),
        (LINXIAN(" 玉坪 小学 ", fen=1), "已经在名单上"),
        (LINXIAN("3 号农户", fen=3001), "¥29.99"),
    ):
        with pytest.raises(OutsideCriteria) as refused:
            add(fund, payment, LINXIAN("先行", fen=1), wrong)
        assert why in str(refused.value.message) and wrong.name in str(refused.value.message)
        assert names(payment) == [("玉坪小学", 4000), ("2 号农户", 3000)]
    add(fund, payment, LINXIAN("3 号农户", fen=1), LINXIAN("4 号农户", fen=1))
    with pytest.raises(OutsideCriteria, match="5 号"):
        add(fund, payment, LINXIAN("5 号农户", fen=1))


def test_the_database_blocks_them_as_well(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = paid(fund, opened(fund, most=2))
    monkeypatch.setattr(reaching, "refuse_outside", lambda *_args, **_named: None)
    add(fund, payment, LINXIAN("玉坪小学", fen=4000))
    for wrong in (
        Reached("沁县小学", ELSEWHERE, 100),
        LINXIAN("2 号农户", fen=4001),
        LINXIAN("玉坪小学", fen=1),
    ):
        with pytest.raises(IntegrityError):
            add(fund, payment, wrong)
    add(fund, payment, LINXIAN("2 号农户", fen=1))
    with pytest.raises(IntegrityError, match="outside the published criteria"):
        add(fund, payment, LINXIAN("3 号农户", fen=1))
    assert names(payment) == [("玉坪小学", 4000), ("2 号农户", 1)]
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.execute(text("UPDATE beneficiary SET fen = 1"))


def test_what_was_published_is_not_changed(fund: Fund) -> None:
    campaign = opened(fund)
    told: dict[str, Any] = {"campaign": campaign, "person": fund.officer.id, "most": 9, "each_fen": 9}
    with pytest.raises(drafting.Locked):
        in_transaction(publishing.set_limits, **told, counties=[ELSEWHERE])
    for wrong in ("UPDATE campaign_criteria SET most = 9", "DELETE FROM criteria_county"):
        with pytest.raises(IntegrityError, match="promise"), db.session.begin_nested():
            db.session.execute(text(wrong))
    db.session.rollback()
    row = publishing.limits_of(db.session(), fund_campaign(campaign))
    assert row is not None and (row.names, row.most, row.each_fen) == (["临县"], 3, 4000)


def fund_campaign(campaign: str) -> int:
    return int(db.session.execute(text("SELECT id FROM campaign WHERE public_id = :it"), {"it": campaign}).scalar_one())


def test_the_last_place_goes_to_one(fund: Fund) -> None:
    campaign = opened(fund, most=1)
    payments = [paid(fund, campaign, 5000, f"INV{number}") for number in range(4)]
    told: dict[str, Any] = {"officer_id": fund.officer.id}
    lists = [(each, [LINXIAN(f"{each} 户", fen=1)]) for each in payments]
    results = race(
        [partial(in_transaction, reaching.add, disbursement=each, reached=reached, **told) for each, reached in lists]
    )
    assert sorted(type(each).__name__ for each in results) == ["NoneType", *["OutsideCriteria"] * 3]
    assert db.session.query(Beneficiary).count() == 1


def test_a_payment_is_proved_with_those_it_reached(fund: Fund) -> None:
    payment = paid(fund, opened(fund))
    proof: Any = {"kind": "invoice", "words": "", "is_public": False, "kept": evidence.Kept("", "ab" * 32)}
    in_transaction(evidence.add, disbursement=payment, officer_id=fund.officer.id, **proof)
    complete = partial(in_transaction, disbursing.complete, disbursement=payment, officer_id=fund.officer.id)
    with pytest.raises(disbursing.NobodyReached):
        complete()
    add(fund, payment, LINXIAN("玉坪小学", fen=4000), LINXIAN("写错的", fen=10))
    wrong = db.session.scalars(select(Beneficiary.public_id).where(Beneficiary.fen == 10)).one()
    remove: Any = {"disbursement": payment, "officer_id": fund.officer.id, "beneficiary": wrong}
    in_transaction(reaching.remove, **remove)
    with pytest.raises(NotFound):
        in_transaction(reaching.remove, **remove)
    complete()
    db.session.rollback()
    assert db.session.scalars(select(Disbursement.state)).one() is DisbursementState.EVIDENCED
    with pytest.raises(StaleState):
        add(fund, payment, LINXIAN("2 号农户", fen=1))
    assert names(payment) == [("玉坪小学", 4000)]


def test_what_came_back_in_full_and_was_not_there_is_proved_before_it_is_corrected(fund: Fund, officer: FlaskClient) -> None:
    """It counted as proved with nobody reached: whom it reached can be entered all the same, until it is corrected."""
    payment = paid(fund, opened(fund))
    credit = Credit({1: 10_000}, "HUI-1", clock.today(), "没有货了")
    entered: dict[str, Any] = {"disbursement": payment, "officer_id": fund.officer.id}
    back = in_transaction(paying_back.enter, credit=credit, paper=evidence.Kept("", "cd" * 32), **entered)
    in_transaction(paying_back.approve, repayment=back, approver_id=fund.approver.id)
    in_transaction(disbursing.complete, **entered)
    in_transaction(correcting.enter, repayment=back, why="银行又划走了", officer_id=fund.officer.id)
    agree = partial(in_transaction, correcting.approve, repayment=back, approver_id=fund.approver.id)
    proof: Any = {"kind": "invoice", "words": "", "is_public": False, "kept": evidence.Kept("", "ab" * 32)}
    in_transaction(evidence.add, **entered, **proof)
    with pytest.raises(correcting.NotProvedThen):
        agree()
    here = f"/charity/disbursements/{payment}/beneficiaries"
    assert post(officer, here, {"reached": "写错的 临县 40"}).status_code == 303
    wrong = db.session.scalars(select(Beneficiary.public_id)).one()
    assert f"{here}/{wrong}/removal" in officer.get(here).text
    in_transaction(reaching.remove, **entered, beneficiary=wrong)
    add(fund, payment, LINXIAN("玉坪小学", fen=4000))
    agree()
    with pytest.raises(StaleState):
        add(fund, payment, LINXIAN("2 号农户", fen=1))
    with pytest.raises(IntegrityError, match="proved"), db.session.begin_nested():
        db.session.execute(text("DELETE FROM beneficiary"))
    assert names(payment) == [("玉坪小学", 4000)]


def test_without_limits_nothing_is_listed_and_nothing_is_asked_for(fund: Fund) -> None:
    payment = paid(fund, fund.open())
    with pytest.raises(StaleState):
        add(fund, payment, LINXIAN("玉坪小学", fen=1))
    assert names(payment) == []


def test_on_the_pages(fund: Fund, officer: FlaskClient, approver: FlaskClient) -> None:
    campaign = limited(fund, most=5)
    page = f"/charity/campaigns/{campaign}/criteria"
    wrong = post(officer, page, {"counties": "临县、火星", "most": "0", "each": "x"})
    assert wrong.status_code == 422 and "“火星”不是我们的县" in wrong.text and "1 到 100000" in wrong.text
    assert "临县、火星" in wrong.text
    assert post(officer, page, {"counties": "临县", "most": "2", "each": "40"}).status_code == 303
    assert approver.get(page).status_code == 403
    in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)
    assert "最多 2 个，每个不超过 ¥40.00" in approver.get(f"/charity/campaigns/{campaign}").text
    assert post(officer, page, {"counties": "沁县", "most": "2", "each": "40"}).status_code == 409
    in_transaction(lifecycle.approve, campaign=campaign, person=fund.approver.id)
    in_transaction(lifecycle.open_to_all, campaign=campaign, person=fund.officer.id)
    assert "只限临县；最多 2 个，每个不超过 ¥40.00" in fund.browser().get(f"/campaigns/{campaign}").text

    payment = paid(fund, campaign)
    here = f"/charity/disbursements/{payment}/beneficiaries"
    typed = "玉坪小学 临县 40\n沁县小学，沁县，1"
    refused = post(officer, here, {"reached": typed})
    assert (
        refused.status_code == 422
        and "“沁县小学”：公布的标准只限临县" in refused.text
        and "玉坪小学 临县 40" in refused.text
    )
    assert names(payment) == []
    assert post(officer, here, {"reached": "乱写"}).status_code == 422
    assert post(officer, here, {"reached": "玉坪小学 临县 40\n2 号农户 临县 12.50"}).status_code == 303
    assert names(payment) == [("玉坪小学", 4000), ("2 号农户", 1250)]
    assert "玉坪小学" in officer.get(here).text and approver.get(here).status_code == 403
    public = fund.browser().get(f"/ledger/{campaign}/disbursements/{payment}").text
    assert "2 个 · ¥52.50" in public and "玉坪小学" not in public and "2 号农户" not in public
    other = db.session.scalars(select(Beneficiary.public_id).where(Beneficiary.fen == 1250)).one()
    assert post(officer, f"{here}/{other}/removal", {}).status_code == 303 and names(payment) == [("玉坪小学", 4000)]


def test_programs_read_the_limits_as_the_page_shows_them(fund: Fund) -> None:
    client = fund.browser()
    answer = client.get(f"/api/v1/campaigns/{opened(fund)}").get_json()
    assert answer["limits"] == {"counties": [STATION], "most": 3, "each_fen": 4000}
    assert client.get(f"/api/v1/campaigns/{fund.open()}").get_json()["limits"] is None
