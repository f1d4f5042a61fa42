"""Organisations and campaigns as the public ledger's tests make them, and the worker that follows the money."""

import io

from flask import Flask
from sqlalchemy import func, select

from crowdfund.campaigns import verify
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment
from crowdfund.campaigns.whereabouts import following
from crowdfund.campaigns.whereabouts.models import BillLine, GivenMoney, SpentMoney
from marketplace.core.db import db
from marketplace.ledger import books
from tests.public_ledger.conftest import Giving, giving, make_giving, real_giving

__all__ = ["giving", "make_giving", "real_giving"]


def follow(giving: Giving) -> None:
    """Seal what was written, and follow it."""
    giving.seal()
    while following.follow():
        pass


def refuse_any_difference(campaign: Campaign) -> None:
    """Every gift is back, spent and left; a line is paid in full, less what came back; what is left is in the account."""
    session = db.session()
    session.expire_all()
    spent = dict(session.execute(select(SpentMoney.number, func.sum(SpentMoney.fen)).group_by(SpentMoney.number)).all())
    given = session.scalars(select(GivenMoney).where(GivenMoney.campaign_id == campaign.id)).all()
    for each in given:
        assert each.came_fen == each.back_fen + spent.get(each.number, 0) + each.left_fen and each.left_fen >= 0
        assert each.spent_fen == spent.get(each.number, 0)
    lines = select(BillLine.id, BillLine.fen, func.coalesce(func.sum(SpentMoney.fen), 0))
    lines = lines.outerjoin(SpentMoney, SpentMoney.bill_line_id == BillLine.id).group_by(BillLine.id, BillLine.fen)
    repaid = select(RepaidLine.bill_line_id, func.sum(RepaidLine.fen)).group_by(RepaidLine.bill_line_id)
    repaid = repaid.join(Repayment, Repayment.id == RepaidLine.repayment_id).where(Repayment.corrected_at.is_(None))
    back = dict(session.execute(repaid).all())
    assert all(fen == paid + back.get(line, 0) for line, fen, paid in session.execute(lines))
    in_account = -books.balance(session, "restricted", campaign.public_id, book="test")
    assert sum(each.left_fen for each in given) == in_account


def refuse_another_order(app: Flask, campaign: str) -> None:
    """A stranger makes the order of spending again from the rows alone, refunds included, and finds the same."""
    client = app.test_client()
    ledger, spent = verify.Ledger(keeps_rows=True), verify.Spent()
    ledger.read(iter(io.BytesIO(client.get("/ledger.csv").data)))
    spent.read(iter(io.BytesIO(client.get(f"/ledger/{campaign}/spent.csv").data)))
    spent.check(ledger.rows or {}, ledger.last)
    assert spent.nameless == 0
