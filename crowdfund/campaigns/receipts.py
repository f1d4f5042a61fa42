"""Receipts for gifts: numbered without a gap, at most one valid for a gift, and never for more than was given and stayed.

A gift stands on a receipt of its own or on its giver's one for the year (`yearly`), never on both."""

import re
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.receipt_numbers import numbered
from crowdfund.campaigns.states import ReceiptState
from crowdfund.campaigns.yearly import issuing
from marketplace.core import audit, outbox
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger.models import Entry, LedgerAccount, Line

NUMBER: Final = re.compile(r"T?20[0-9]{2}-[0-9]{7,}")
GOES_BACK: Final = "money goes back"
R = ReceiptState


class NothingToWaive(Refusal):
    message = _l("This gift has no receipt of its own that could be given up.")


def void(session: Session, *, contribution: str) -> None:
    """From here on nothing valid says that this gift stayed. To be called before its money leaves the campaign's account,
    which the database does not let go otherwise; `issue` follows when it has left."""
    gift = held(session, contribution)
    latest = latest_of(session, gift)
    if latest and latest.state is R.ISSUED:
        transition(session, latest, R.VOIDED, expected=R.ISSUED, actor="system", why=GOES_BACK)
    issuing.void_with(session, gift, why=GOES_BACK)


def issue(session: Session, *, contribution: str) -> str | None:
    """Make what is valid say what was given and stayed, by the books; its number, None where nothing stayed or the giver
    wants none.

    To be called in the transaction that moved the money, after its entry, as the last thing: when some of it went back, when
    a refund came back. A receipt for another sum is voided; called again, nothing happens."""
    gift = held(session, contribution)
    year = issuing.year_of(session, gift)
    if year is not None:
        return issuing.reissue(session, year)
    stayed = fen_that_stayed(session, contribution)
    latest = latest_of(session, gift)
    if latest and latest.state is R.WAIVED:
        return None
    if latest and latest.state is R.ISSUED:
        if latest.fen == stayed:
            return latest.public_id
        transition(session, latest, R.VOIDED, expected=R.ISSUED, actor="system", why=f"{stayed} fen stayed")
    if stayed <= 0:
        return None
    if latest and latest.state is R.VOIDED:
        transition(session, latest, R.REISSUED, expected=R.VOIDED, actor="system", why=f"for {stayed} fen")
        outbox.put(session, issuing.REPLACED, receipt=latest.public_id)
    book = session.scalars(select(Contribution.book).where(Contribution.id == gift)).one()
    return issue_for(session, gift=gift, book=book, fen=stayed)


def issue_for(session: Session, *, gift: int, book: str, fen: int) -> str:
    """A receipt for a gift that has no valid one; its number. The last thing in the transaction that received the gift."""
    made = numbered(session, book)
    add_rows(session, Receipt, {**made, "contribution_id": gift, "fen": fen})
    leave_trace(session, Receipt(public_id=made["public_id"]), None, R.ISSUED, actor="system", why="received")
    return str(made["public_id"])


def waive(session: Session, *, contribution: str) -> None:
    """The giver gives up the gift's own receipt, for good; that is kept on record. Raises NothingToWaive."""
    latest = latest_of(session, held(session, contribution))
    if latest is None or latest.state is not R.ISSUED:
        raise NothingToWaive(contribution)
    transition(session, latest, R.WAIVED, expected=R.ISSUED, actor="giver", why="waived")
    audit.record(session, actor="giver", action="receipt.waived", subject=f"receipt:{latest.public_id}")


def held(session: Session, contribution: str) -> int:
    """The gift's number, its row locked: a receipt of the year may refer to it meanwhile. Raises NotFound."""
    mine = select(Contribution.id).where(Contribution.public_id == contribution)
    gift = session.scalar(mine.with_for_update(key_share=True))
    if gift is None:
        raise NotFound(contribution)
    return gift


def latest_of(session: Session, gift: int) -> Receipt | None:
    mine = select(Receipt).where(Receipt.contribution_id == gift).order_by(Receipt.id.desc()).limit(1)
    return session.scalar(mine.execution_options(populate_existing=True))


def fen_that_stayed(session: Session, contribution: str) -> int:
    """Received less refunded, as campaigns' accounts have it."""
    moved = select(func.coalesce(func.sum(Line.amount), 0)).join(Entry, Entry.id == Line.entry_id)
    moved = moved.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(Entry.reference == contribution)
    return -int(session.scalar(moved.where(LedgerAccount.kind == "restricted")) or 0)


def of(session: Session, *, contribution: str) -> tuple[str, str] | None:
    """(number, check code) of the valid receipt that this gift stands on, for its giver's own page."""
    listed = issuing.receipts_with(select(Contribution.id).where(Contribution.public_id == contribution).scalar_subquery())
    mine = select(Receipt.public_id, Receipt.check_code).outerjoin(Contribution, Contribution.id == Receipt.contribution_id)
    mine = mine.where((Contribution.public_id == contribution) | Receipt.public_id.in_(listed))
    row = session.execute(mine.where(Receipt.state == R.ISSUED)).first()
    return (row.public_id, row.check_code) if row else None


def has_own(session: Session, *, contribution: str) -> bool:
    """It stands on a valid receipt of its own, which its giver may give up; a year's is for other gifts as well."""
    mine = select(Receipt.id).join(Contribution, Contribution.id == Receipt.contribution_id)
    wanted = mine.where(Contribution.public_id == contribution, Receipt.state == R.ISSUED)
    return session.scalar(wanted.limit(1)) is not None


def is_waived(session: Session, *, contribution: str) -> bool:
    mine = select(Receipt.id).join(Contribution, Contribution.id == Receipt.contribution_id)
    wanted = mine.where(Contribution.public_id == contribution, Receipt.state == R.WAIVED)
    return session.scalar(wanted.limit(1)) is not None
