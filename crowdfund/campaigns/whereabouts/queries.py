"""Where a gift's money is, for its giver and for anybody with its receipt; and which money paid a line."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.models import Campaign, Contribution, Disbursement
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment
from crowdfund.campaigns.repayments.queries import is_approved
from crowdfund.campaigns.whereabouts.models import BillLine, GivenMoney, SpentMoney
from marketplace.core.records import slim_record


@slim_record
class Part:
    """Of a gift, what paid one line of an invoice."""

    fen: int
    what: str
    line_fen: int
    provider: str
    invoice: str
    paid_at: datetime
    payment: str


@slim_record
class Whereabouts:
    """All of a gift: what came is what is back, spent and left."""

    number: int  # of its row in the public ledger
    campaign: str
    came_fen: int
    back_fen: int
    left_fen: int
    parts: tuple[Part, ...]


@slim_record
class PaidLine:
    """A line of an invoice, and how many gifts paid it; `match_fen` came from matching funds, `back_fen` its provider paid
    back."""

    what: str
    fen: int
    gifts: int
    gift_fen: int
    match_fen: int
    back_fen: int


@slim_record
class Example:
    """A gift that paid a line, for whoever wants to follow one and has none of their own."""

    number: int
    campaign: str


def example(session: Session, *, book: str) -> Example | None:
    """The latest that paid a line; None while nothing was spent. One statement, along the key."""
    mine = select(SpentMoney.number, Campaign.public_id).join(GivenMoney, GivenMoney.number == SpentMoney.number)
    mine = mine.join(Campaign, Campaign.id == GivenMoney.campaign_id)
    mine = mine.where(GivenMoney.book == book, GivenMoney.kind == "gift", Campaign.channel != gate.DIRECTED)
    row = session.execute(mine.order_by(SpentMoney.number.desc()).limit(1)).first()
    return Example(row.number, row.public_id) if row else None


def of_gift(session: Session, gift: str) -> Whereabouts | None:
    """Two statements; None until the worker has seen its sealed row."""
    mine = select(GivenMoney, Campaign.public_id).join(Campaign, Campaign.id == GivenMoney.campaign_id)
    row = session.execute(mine.where(GivenMoney.kind == "gift", GivenMoney.reference == gift)).first()
    if row is None:
        return None
    given: GivenMoney = row[0]
    paid: Any = select(SpentMoney.fen, BillLine.what_zh, BillLine.fen, Disbursement.provider_zh, Disbursement.invoice_number)
    paid = paid.add_columns(Disbursement.paid_at, Disbursement.public_id)
    paid = paid.join(BillLine, BillLine.id == SpentMoney.bill_line_id)
    paid = paid.join(Disbursement, Disbursement.id == BillLine.disbursement_id)
    found = session.execute(paid.where(SpentMoney.number == given.number).order_by(SpentMoney.bill_line_id))
    parts = tuple(Part(*each) for each in found)
    return Whereabouts(given.number, row[1], given.came_fen, given.back_fen, given.left_fen, parts)


def of_receipt(session: Session, receipt: str) -> Whereabouts | None:
    """Whoever has the number of a receipt, valid or not, can follow its gift. Three statements."""
    wanted = select(Contribution.public_id).join(Receipt, Receipt.contribution_id == Contribution.id)
    gift = session.scalar(wanted.where(Receipt.public_id == receipt))
    return of_gift(session, gift) if gift else None


def of_payment(session: Session, disbursement: int) -> list[PaidLine]:
    """Its lines with what paid them. One statement."""
    is_gift = GivenMoney.kind == "gift"
    by_kind = [func.coalesce(func.sum(SpentMoney.fen).filter(which), 0) for which in (is_gift, ~is_gift)]
    wanted: Any = select(BillLine.what_zh, BillLine.fen, func.count(GivenMoney.number).filter(is_gift), *by_kind)
    wanted = wanted.outerjoin(SpentMoney, SpentMoney.bill_line_id == BillLine.id)
    wanted = wanted.outerjoin(GivenMoney, GivenMoney.number == SpentMoney.number)
    wanted = wanted.where(BillLine.disbursement_id == disbursement).group_by(BillLine.id, BillLine.what_zh, BillLine.fen)
    back = select(func.coalesce(func.sum(RepaidLine.fen), 0)).join(Repayment, Repayment.id == RepaidLine.repayment_id)
    back = back.where(RepaidLine.bill_line_id == BillLine.id, is_approved()).correlate(BillLine)
    found = session.execute(wanted.add_columns(back.scalar_subquery()).order_by(BillLine.id))
    return [PaidLine(what, *map(int, sums)) for what, *sums in found]
