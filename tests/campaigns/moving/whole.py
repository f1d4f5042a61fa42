"""What a house may have besides: receipts of a year, cash at the bank, limits, a closed list, and a fund that is open."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from crowdfund.campaigns import disbursing, evidence
from crowdfund.campaigns.invited import inviting
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.states import HeldState
from crowdfund.campaigns.yearly import issuing
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests import factories
from tests.campaigns.conftest import FOUNDATION, Fund
from tests.campaigns.matching.conftest import open_fund
from tests.campaigns.matching.test_matching import send_back
from tests.campaigns.matching.test_waiting import decide, split
from tests.campaigns.moving.conftest import seal, settle
from tests.campaigns.test_banking import confirm, pay_in
from tests.campaigns.test_cash import take
from tests.campaigns.test_criteria import LINXIAN, add, opened, paid

STUDENT_NAMES = ("玉坪小学", "2 号农户")


@dataclass
class Whole:
    """`yearly` are two gifts of somebody on one receipt; `limited` reached people; `listed` is for a closed list."""

    fund: Fund
    open: str
    matched: str
    yearly: tuple[str, str]
    limited: str
    listed: str
    banked: str


@pytest.fixture
def whole(fund: Fund) -> Whole:
    campaign, cash = fund.open(), fund.open()
    matched = open_fund(fund, campaign, giver_cap=1000)
    _first, second, third = split(fund, campaign, 3, card="fp_1")
    for gift, verdict in ((second, HeldState.RELEASED), (third, HeldState.DENIED)):
        decide(gift, verdict, factories.make_person("charity_officer", organisation=FOUNDATION).id)
    yearly = years(fund, cash)
    take(cash, 5000), take(cash, 300)
    banked = pay_in(5300)
    confirm(banked, 5300)
    take(cash, 40)
    pay_in(40, "S2")
    listed, gift = of_a_list(fund)
    limited = reached(fund)
    settle(fund)
    seal()
    return Whole(fund, campaign, matched, yearly, limited, listed, banked)


def years(fund: Fund, campaign: str) -> tuple[str, str]:
    """The year's receipt is made, made anew when something of one gift went back, and each of them is kept."""
    person = factories.make_person().id
    first, second = (fund.give(campaign, fen, person_id=person, contact="year@example.test") for fen in (110, 120))
    mine = select(Contribution.id).where(Contribution.public_id.in_((first, second)))
    gifts = db.session.scalars(mine).all()
    whose: Any = {"person": person, "organisation": FOUNDATION, "book": "test", "year": clock.today().year}
    in_transaction(issuing.bring_together, **whose, gifts=gifts)
    in_transaction(send_back, first, campaign, 10)
    return first, second


def of_a_list(fund: Fund) -> tuple[str, str]:
    campaign, person = fund.open(channel="directed"), factories.make_person().id
    name = in_transaction(inviting.invite, campaign=campaign, person=fund.officer.id, note="校友")
    in_transaction(inviting.redeem, campaign=campaign, code=inviting.code_of(name), person_id=person)
    return campaign, fund.give(campaign, 77, person_id=person)


def reached(fund: Fund) -> str:
    """A payment that is proved, and one that is not yet."""
    campaign = opened(fund, most=5)
    for invoice in ("INV1", "INV2"):
        payment = paid(fund, campaign, invoice=invoice)
        if invoice == "INV1":
            add(fund, payment, *(LINXIAN(name, fen=4000) for name in STUDENT_NAMES))
            proof: Any = {"kind": "invoice", "words": "", "is_public": False, "kept": evidence.Kept("", "ab" * 32)}
            in_transaction(evidence.add, disbursement=payment, officer_id=fund.officer.id, **proof)
            in_transaction(disbursing.complete, disbursement=payment, officer_id=fund.officer.id)
    return campaign
