"""What a receipt says: to everybody whether it is valid, to whoever holds its check code all of it."""

import secrets
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution, Organisation
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import ReceiptState
from crowdfund.campaigns.yearly.models import ReceiptGift, ReceiptYear
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.ledger.models import Entry


@record
class Listed:
    """A gift on a year's receipt."""

    received_on: date
    campaign_title: str
    filing_number: str
    fen: int


@record
class Shown:
    """`giver` and `check_code` are empty for whoever does not know the code, so is the title of a closed campaign.
    A year's receipt (`year` is not 0) tells them no sum and no gifts either: gifts of somebody anonymous cannot be put
    together by it."""

    number: str
    state: ReceiptState
    fen: int
    book: str
    issued_on: date
    received_on: date | None
    campaign: str
    campaign_title: str
    organisation: str
    credit_code: str
    filing_number: str
    replaced_by: str
    giver: str
    check_code: str
    year: int = 0
    gifts: tuple[Listed, ...] = ()

    @property
    def is_valid(self) -> bool:
        return self.state is ReceiptState.ISSUED

    @property
    def is_waived(self) -> bool:
        return self.state is ReceiptState.WAIVED

    @property
    def went_into_a_year(self) -> bool:
        """A gift's own receipt that was replaced, and by none of its own."""
        return self.state is ReceiptState.REISSUED and not self.replaced_by and not self.year


def is_known(session: Session, number: str) -> bool:
    """It was given out, whatever has become of it."""
    return session.scalar(select(Receipt.id).where(Receipt.public_id == number)) is not None


def find(session: Session, number: str, *, code: str = "") -> Shown:
    """Three statements at most. Raises NotFound for a number that was never given out."""
    receipt = session.scalar(select(Receipt).where(Receipt.public_id == number))
    if receipt is None:
        raise NotFound(number)
    knows = bool(code) and secrets.compare_digest(code.encode(), receipt.check_code.encode())
    told: dict[str, Any] = {
        "number": receipt.public_id,
        "state": receipt.state,
        "book": receipt.book,
        "issued_on": clock.local(receipt.issued_at).date(),
        "replaced_by": session.scalar(later(receipt)) or "" if knows or receipt.year_id is None else "",
        "check_code": receipt.check_code if knows else "",
    }
    of_kind = of_gift if receipt.year_id is None else of_year
    return Shown(**told, **of_kind(session, receipt, knows=knows))


def later(receipt: Receipt) -> Columns:
    """SQL: the number of the receipt that took its place."""
    same = Receipt.contribution_id == receipt.contribution_id
    if receipt.year_id is not None:
        same = Receipt.year_id == receipt.year_id
    return select(Receipt.public_id).where(same, Receipt.id > receipt.id).order_by(Receipt.id).limit(1)


def of_gift(session: Session, receipt: Receipt, *, knows: bool) -> dict[str, Any]:
    wanted = select(Contribution.giver, Contribution.received_at, Campaign.public_id, Campaign.title_zh)
    wanted = wanted.add_columns(Campaign.channel, Campaign.filing_number, Organisation.name_zh, Organisation.credit_code)
    wanted = wanted.join(Campaign, Campaign.id == Contribution.campaign_id)
    wanted = wanted.join(Organisation, Organisation.code == Campaign.organisation_code)
    row = session.execute(wanted.where(Contribution.id == receipt.contribution_id)).one()
    return {
        "fen": receipt.fen,
        "received_on": clock.local(row.received_at or receipt.issued_at).date(),
        "campaign": row.public_id,
        "campaign_title": row.title_zh if knows or row.channel != "directed" else "",
        "organisation": row.name_zh,
        "credit_code": row.credit_code,
        "filing_number": row.filing_number,
        "giver": (row.giver or "") if knows else "",
    }


def of_year(session: Session, receipt: Receipt, *, knows: bool) -> dict[str, Any]:
    """The name on it is the one that was given last with these gifts."""
    mine = select(ReceiptYear.year, Organisation.name_zh, Organisation.credit_code)
    mine = mine.join(Organisation, Organisation.code == ReceiptYear.organisation_code)
    year = session.execute(mine.where(ReceiptYear.id == receipt.year_id)).one()
    gifts = listed(session, receipt.public_id) if knows else []
    return {
        "fen": receipt.fen if knows else 0,
        "received_on": None,
        "campaign": "",
        "campaign_title": "",
        "organisation": year.name_zh,
        "credit_code": year.credit_code,
        "filing_number": "",
        "giver": next((row.giver for row in reversed(gifts) if row.giver), ""),
        "year": year.year,
        "gifts": tuple(
            Listed(clock.local(row.received_at).date(), row.title_zh, row.filing_number, row.fen) for row in gifts
        ),
    }


def listed(session: Session, number: str) -> list[Any]:
    wanted = select(Contribution.received_at, Contribution.giver, Campaign.title_zh, Campaign.filing_number, ReceiptGift.fen)
    wanted = wanted.join(Contribution, Contribution.id == ReceiptGift.contribution_id)
    wanted = wanted.join(Campaign, Campaign.id == Contribution.campaign_id).where(ReceiptGift.receipt == number)
    return list(session.execute(wanted.order_by(Contribution.received_at, Contribution.id)))


def rows_of(number: str) -> Columns:
    """SQL: the references of the public rows that moved the gift of this receipt; a year's leads nobody to its gifts."""
    gift = select(Contribution.public_id).join(Receipt, Receipt.contribution_id == Contribution.id)
    return select(Entry.key).where(Entry.reference.in_(gift.where(Receipt.public_id == number)))
