"""Where a gift's money is, for its giver and for anybody with its receipt; which money paid a line; and the file of both."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.models import Campaign, Contribution, Disbursement, PublicRow
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.whereabouts.models import BillLine, GivenMoney, SpentMoney
from marketplace.core import csv_rows
from marketplace.core.db import rows
from marketplace.core.records import slim_record

PAGE: Final = 1_000
HEAD: Final = ("gift_row", "kind", "status", "yuan", "payment_row", "payment", "provider", "invoice", "line", "what")


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
    """A line of an invoice, and how many gifts paid it; `match_fen` came from matching funds."""

    what: str
    fen: int
    gifts: int
    gift_fen: int
    match_fen: int


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
    found = session.execute(wanted.order_by(BillLine.id))
    return [PaidLine(what, int(fen), int(gifts), int(given), int(match)) for what, fen, gifts, given, match in found]


def as_csv(session: Session, campaign: int, book: str) -> Iterator[bytes]:
    """Every gift and match of a campaign, fen by fen: rows of one `gift_row` add up to what came. A page at a time."""
    yield ("\ufeff" + csv_rows.row(HEAD)).encode()
    last = 0
    while True:
        mine = select(GivenMoney.number, GivenMoney.kind, GivenMoney.came_fen, GivenMoney.back_fen, GivenMoney.spent_fen)
        mine = mine.where(GivenMoney.campaign_id == campaign, GivenMoney.book == book, GivenMoney.number > last)
        found = rows(session, mine.order_by(GivenMoney.number).limit(PAGE))
        if not found:
            return
        first, last = found[0].number, found[-1].number
        spent = {
            number: list(parts)
            for number, parts in groupby(rows(session, spent_between(campaign, first, last)), attrgetter("number"))
        }
        session.rollback()  # a slow reader holds no snapshot
        yield "".join(line for each in found for line in lines_of(each, spent.get(each.number, []))).encode()


def spent_between(campaign: int, first: int, last: int) -> Any:
    paid: Any = select(SpentMoney.number, SpentMoney.fen, SealedRow.number.label("payment_row"), Disbursement.public_id)
    paid = paid.add_columns(Disbursement.provider_zh, Disbursement.invoice_number, BillLine.position, BillLine.what_zh)
    paid = paid.join(GivenMoney, GivenMoney.number == SpentMoney.number)
    paid = paid.join(BillLine, BillLine.id == SpentMoney.bill_line_id)
    paid = paid.join(Disbursement, Disbursement.id == BillLine.disbursement_id)
    paid = paid.join(PublicRow, PublicRow.reference == "disburse:" + Disbursement.public_id)
    paid = paid.join(SealedRow, SealedRow.row_id == PublicRow.id)
    paid = paid.where(GivenMoney.campaign_id == campaign, SpentMoney.number.between(first, last))
    return paid.order_by(SpentMoney.number, SpentMoney.bill_line_id)


def lines_of(given: Any, parts: Sequence[Any]) -> Iterator[str]:
    begin = (str(given.number), given.kind)
    for part in parts:
        whom = (str(part.payment_row), part.public_id, part.provider_zh, part.invoice_number)
        paid = (*whom, str(part.position), part.what_zh)
        yield csv_rows.row((*begin, "spent", csv_rows.yuan(part.fen), *paid))
    left = given.came_fen - given.back_fen - given.spent_fen
    for status, fen in (("not_spent", left), ("sent_back", given.back_fen)):
        if fen:
            yield csv_rows.row((*begin, status, csv_rows.yuan(fen), *[""] * 6))
