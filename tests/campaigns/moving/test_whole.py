"""A house with receipts of a year, cash at the bank, limits, a closed list, looked-at matches and an open fund."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crowdfund.campaigns import receipts
from crowdfund.campaigns.banking import depositing
from crowdfund.campaigns.banking.models import CashDeposit
from crowdfund.campaigns.banking.states import DepositState
from crowdfund.campaigns.criteria.models import Beneficiary, CampaignCriteria
from crowdfund.campaigns.invited.models import Invitation
from crowdfund.campaigns.matching import funds, queries as matching_queries, topping_up
from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.moving import reading, writing
from crowdfund.campaigns.moving.folder import MANIFEST
from crowdfund.campaigns.moving.writing import NotAtRest
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import FundState, HeldState
from crowdfund.campaigns.yearly.models import ReceiptGift, ReceiptYear
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments.gateways import gateways
from tests import cashiers, factories
from tests.auditing.test_giving import named
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import open_fund, paid_in
from tests.campaigns.matching.test_waiting import split
from tests.campaigns.moving.conftest import Opens, empty, fund, other, settle
from tests.campaigns.moving.test_moving import books, figures, ledger, quiet
from tests.campaigns.moving.whole import STUDENT_NAMES, Whole, whole
from tests.public_ledger import written
from tests.public_ledger.test_receipts import send_back

TAMPERING = {
    "years that came from another house belong to nobody": "UPDATE person SET is_active = TRUE",
    "funds from another house match nothing here": "UPDATE matching_fund SET contact_key = 'contact:x'",
    "beneficiaries are within what was published": "UPDATE campaign_criteria SET each_fen = 1",
    "years' receipts list their giver's gifts": "UPDATE giving_import SET begun_at = '2020-01-01 00:00:00'",
    "directed gifts come from the list": "UPDATE giving_import SET begun_at = '2020-01-01 00:00:00'",
}
__all__ = ["empty", "fund", "other", "whole"]


def standing() -> list[Any]:
    """Whatever of these the pages show, row by row."""
    db.session.rollback()
    rows: list[Any] = [
        select(Receipt.public_id, Receipt.state, Receipt.fen, Receipt.year_id, Receipt.contribution_id),
        select(ReceiptGift.receipt, ReceiptGift.contribution_id, ReceiptGift.fen),
        select(ReceiptYear.organisation_code, ReceiptYear.book, ReceiptYear.year),
        select(Campaign.public_id, Campaign.state, Campaign.channel),
        select(Disbursement.public_id, Disbursement.state, Disbursement.fen),
        select(CampaignCriteria.campaign_id, CampaignCriteria.most, CampaignCriteria.each_fen),
        select(Beneficiary.public_id, Beneficiary.county_code, Beneficiary.fen),
        select(MatchingFund.public_id, MatchingFund.state, MatchingFund.matched_fen, MatchingFund.held_fen),
        select(GiftMatch.contribution_id, GiftMatch.fen, GiftMatch.returned_fen),
        select(HeldMatch.public_id, HeldMatch.state, HeldMatch.fen, HeldMatch.released_fen),
    ]
    return [sorted(tuple(map(str, row)) for row in db.session.execute(wanted)) for wanted in rows]


def had_of(whole: Whole) -> tuple[Any, ...]:
    return books(), ledger(), figures(whole.open, whole.limited, whole.listed), standing()


@pytest.mark.parametrize("where", ["empty", pytest.param("other", marks=pytest.mark.full)])
def test_all_of_it_stands_in_the_other_house(
    whole: Whole, tmp_path: Path, where: str, request: pytest.FixtureRequest
) -> None:
    assert named() == set()
    folder = tmp_path / "export"
    writing.export(folder, quiet)
    had = had_of(whole)
    assert [len(rows) for rows in had[3]] == [13, 4, 1, 4, 2, 1, 2, 1, 2, 2]
    db.session.remove()
    opens: Opens = request.getfixturevalue(where)
    with opens() as app:
        reading.read_in(folder, quiet)
        assert had_of(whole) == had
        assert [written.complaint(file) for file in ledger()] == ["", ""]
        assert named() == set()
        assert [check for check, sql in TAMPERING.items() if check not in named(sql)] == []
        assert app.test_client().get(f"/campaigns/{whole.limited}").status_code == 200
    said = "".join(file.read_text("utf-8") for file in folder.iterdir())
    assert [name for name in (*STUDENT_NAMES, "year@example.test", "s1@example.test", "校友") if name in said] == []


def test_it_goes_on_there(whole: Whole, tmp_path: Path, empty: Opens) -> None:
    """A year's receipt follows its gifts, the bank's slip is confirmed, no gift is matched, a fund can be closed."""
    writing.export(tmp_path / "export", quiet)
    db.session.remove()
    with empty() as app:
        reading.read_in(tmp_path / "export", quiet)
        cashiers.opened(gateways().get("sandbox"))
        cashier: Any = gateways().get("sandbox")
        here = Fund(app, cashier, factories.make_person(), factories.make_person("finance_operator"))
        assert db.session.scalar(select(func.count()).select_from(Invitation)) == 0
        with clock.at(clock.now() + timedelta(days=1)):
            in_transaction(send_back, whole.yearly[1], 20)
            number, _code = receipts.of(db.session(), contribution=whole.yearly[0]) or ("", "")
            assert db.session.scalar(select(Receipt.fen).where(Receipt.public_id == number)) == 200
            paid_in_there = select(CashDeposit.public_id).where(CashDeposit.state == DepositState.PAID_IN)
            waits = db.session.scalars(paid_in_there).one()
            told: dict[str, Any] = {"found_fen": 40, "why": "", "person_id": here.approver.id}
            assert in_transaction(depositing.confirm, deposit=waits, **told) is DepositState.CONFIRMED
            made = select(func.count()).select_from(GiftMatch)
            before = db.session.scalar(made)
            gift = here.give(whole.open, 100, contact="new@example.test")
            assert gift and db.session.scalar(made) == before
            campaign = db.session.scalars(select(Campaign.id).where(Campaign.public_id == whole.open)).one()
            assert matching_queries.of_campaign(db.session(), campaign).offer is None
            with pytest.raises(topping_up.CannotBeToppedUp):
                in_transaction(topping_up.top_up, fund=whole.matched, more=Money(5), owner_id=here.officer.id)
            in_transaction(funds.close, fund=whole.matched, person=here.officer.id, why="够了")
            assert db.session.scalar(select(MatchingFund.state)) is FundState.CLOSED
        cashier.storage.dispose()


def test_what_waits_for_somebody_is_refused_by_name(fund: Fund, tmp_path: Path) -> None:
    campaign = fund.open()
    waits = paid_in(fund, campaign, 500)
    with pytest.raises(NotAtRest, match=waits):
        writing.export(tmp_path / "one", quiet)
    in_transaction(funds.close, fund=waits, person=fund.officer.id, why="不要了")
    settle(fund)
    open_fund(fund, fund.open(), giver_cap=1000)
    campaign = db.session.scalars(select(Campaign.public_id).order_by(Campaign.id.desc()).limit(1)).one()
    split(fund, campaign, 2, card="fp_1")
    held = db.session.scalars(select(HeldMatch.public_id).where(HeldMatch.state == HeldState.HELD)).one()
    with pytest.raises(NotAtRest, match=f"{held}: a match that waits for a person"):
        writing.export(tmp_path / "two", quiet)
    assert not (tmp_path / "two" / MANIFEST).exists()
