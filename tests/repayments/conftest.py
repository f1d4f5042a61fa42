"""A payment of two lines, and what its provider pays back of it."""

from datetime import date
from typing import Any

from sqlalchemy import select

from crowdfund.campaigns.evidence import Kept
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.repayments import correcting, paying_back
from crowdfund.campaigns.repayments.models import Repayment
from crowdfund.campaigns.repayments.paying_back import Credit
from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from tests.public_ledger.conftest import Giving, giving, make_giving, real_giving

__all__ = ["giving", "make_giving", "real_giving"]
PAPER = Kept("evidence/ab/ab.pdf", "ab" * 32)
SHELVES = (("绘本, 100 册", 400), ("书架", 100))


def enter(giving: Giving, payment: str, lines: dict[int, int], *, on: date | None = None, **given: Any) -> str:
    told = {"bank_reference": ids.public_id(), "why": "书架没有货了"} | given
    credit = Credit(lines, received_on=on or clock.today(), **told)
    return in_transaction(paying_back.enter, disbursement=payment, credit=credit, paper=PAPER, officer_id=giving.officer)


def approve(giving: Giving, repayment: str) -> None:
    in_transaction(paying_back.approve, repayment=repayment, approver_id=giving.approver)


def pay_back(giving: Giving, payment: str, lines: dict[int, int], **given: Any) -> str:
    made = enter(giving, payment, lines, **given)
    approve(giving, made)
    return made


def ask_correction(giving: Giving, repayment: str, why: str = "银行又划走了") -> str:
    return in_transaction(correcting.enter, repayment=repayment, why=why, officer_id=giving.officer)


def correct(giving: Giving, repayment: str) -> None:
    ask_correction(giving, repayment)
    in_transaction(correcting.approve, repayment=repayment, approver_id=giving.approver)


def paid(giving: Giving, **given: Any) -> tuple[Campaign, str]:
    """Gifts of 300, 150 and 70 fen, of which 500 paid a bill of two lines: 400 and 100."""
    campaign = giving.campaign(**given)
    for fen in (300, 150, 70):
        giving.gift(campaign, fen)
    return campaign, giving.pay_out(campaign, 500, lines=SHELVES)


def row_of(repayment: str) -> Repayment:
    db.session.expire_all()
    return db.session.scalars(select(Repayment).where(Repayment.public_id == repayment)).one()
