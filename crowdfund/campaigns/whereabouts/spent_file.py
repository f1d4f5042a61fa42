"""Which gift paid which line of which invoice, as a file that `verify.py --spent` checks (docs/ledger.md)."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.ledger_figures import Named
from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.ledger_rows import CORRECTION, PAYMENT, REPAYMENT
from crowdfund.campaigns.models import Disbursement, PublicRow
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment
from crowdfund.campaigns.whereabouts.following import FOLLOW_QUIETLY
from crowdfund.campaigns.whereabouts.models import BillLine, GivenMoney, MoneyFollowed, SpentMoney
from marketplace.core import csv_rows
from marketplace.core.db import rows

PAGE: Final = 1_000
STATUS: Final = {"repayment": "repaid", "correction": "corrected"}  # of rows that are about a provider's money
HEAD: Final = ("gift_row", "kind", "status", "yuan", "payment_row", "payment", "provider", "invoice", "line", "what")


def lines(session: Session, campaign: Named, book: str) -> Iterator[bytes]:
    """Every gift and match of a campaign, fen by fen: rows of one `gift_row` add up to what came.

    The last line says up to which row of the ledger, and what the bytes before it come to. It is missing where money was
    paid or sent back while this was written: then the pages may be of different moments, and `verify.py` says so."""
    until = followed(session)
    whole = hashlib.sha256()
    for part in chain(parts(session, campaign.id, book, until), repaid(session, campaign.id, book, until)):
        whole.update(part)
        yield part
    if not has_moved(session, campaign.id, book, until):
        yield f"end,{campaign.public_id},{book},{until},{whole.hexdigest()}\r\n".encode()


def followed(session: Session) -> int:
    return session.scalar(select(MoneyFollowed.number)) or 0


def has_moved(session: Session, campaign: int, book: str, since: int) -> bool:
    """Whether the worker has followed a row behind `since` that changes where older money is."""
    later = exists().where(SealedRow.campaign_id == campaign, SealedRow.book == book, SealedRow.number > since)
    later = later.where(SealedRow.number <= followed(session), SealedRow.kind.not_in(sorted(FOLLOW_QUIETLY)))
    return bool(session.scalar(select(later)))


def parts(session: Session, campaign: int, book: str, until: int) -> Iterator[bytes]:
    """A page of gifts at a time."""
    yield ("\ufeff" + csv_rows.row(HEAD)).encode()
    last = 0
    while True:
        mine = select(GivenMoney.number, GivenMoney.kind, GivenMoney.came_fen, GivenMoney.back_fen, GivenMoney.spent_fen)
        mine = mine.where(GivenMoney.campaign_id == campaign, GivenMoney.book == book)
        mine = mine.where(GivenMoney.number > last, GivenMoney.number <= until)
        found = rows(session, mine.order_by(GivenMoney.number).limit(PAGE))
        if not found:
            return
        first, last = found[0].number, found[-1].number
        spent = {
            number: list(paid)
            for number, paid in groupby(rows(session, spent_between(campaign, first, last)), attrgetter("number"))
        }
        session.rollback()  # a slow reader holds no snapshot
        yield "".join(line for each in found for line in lines_of(each, spent.get(each.number, []))).encode()


def spent_between(campaign: int, first: int, last: int) -> Any:
    paid: Any = select(SpentMoney.number, SpentMoney.fen, SealedRow.number.label("payment_row"), Disbursement.public_id)
    paid = paid.add_columns(Disbursement.provider_zh, Disbursement.invoice_number, BillLine.position, BillLine.what_zh)
    paid = paid.join(GivenMoney, GivenMoney.number == SpentMoney.number)
    paid = paid.join(BillLine, BillLine.id == SpentMoney.bill_line_id)
    paid = paid.join(Disbursement, Disbursement.id == BillLine.disbursement_id)
    paid = paid.join(PublicRow, PublicRow.reference == PAYMENT + Disbursement.public_id)
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


def repaid(session: Session, campaign: int, book: str, until: int) -> Iterator[bytes]:
    """Of each line of an invoice what its provider paid back or, by a correction, had not; `gift_row` is the row of that."""
    paid, back = aliased(PublicRow), aliased(SealedRow)
    wanted: Any = select(
        SealedRow.number, SealedRow.kind, RepaidLine.fen, back.number.label("payment_row"), Disbursement.public_id
    )
    wanted = wanted.add_columns(Disbursement.provider_zh, Disbursement.invoice_number, BillLine.position, BillLine.what_zh)
    wanted = wanted.join(PublicRow, PublicRow.id == SealedRow.row_id)
    its = (REPAYMENT + Repayment.public_id, CORRECTION + Repayment.public_id)
    wanted = wanted.join(Repayment, PublicRow.reference.in_(its))
    wanted = wanted.join(RepaidLine, RepaidLine.repayment_id == Repayment.id)
    wanted = wanted.join(BillLine, BillLine.id == RepaidLine.bill_line_id)
    wanted = wanted.join(Disbursement, Disbursement.id == Repayment.disbursement_id)
    wanted = wanted.join(paid, paid.reference == PAYMENT + Disbursement.public_id).join(back, back.row_id == paid.id)
    wanted = wanted.where(SealedRow.campaign_id == campaign, SealedRow.book == book, SealedRow.kind.in_(tuple(STATUS)))
    found = rows(session, wanted.where(SealedRow.number <= until).order_by(SealedRow.number, BillLine.position))
    session.rollback()
    for part in found:
        whom = (str(part.payment_row), part.public_id, part.provider_zh, part.invoice_number)
        begin = (str(part.number), part.kind, STATUS[part.kind], csv_rows.yuan(part.fen))
        yield csv_rows.row((*begin, *whom, str(part.position), part.what_zh)).encode()
