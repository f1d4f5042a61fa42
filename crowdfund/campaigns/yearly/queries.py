"""All that somebody gave in a year, with what of it stayed and which receipts say so: for their own records."""

from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution, Organisation
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import ContributionState, ReceiptState
from crowdfund.campaigns.yearly import issuing
from crowdfund.campaigns.yearly.models import ReceiptGift
from marketplace.core import clock
from marketplace.core.formats import in_language
from marketplace.core.records import record


@record
class Gift:
    """`receipt` is the number of the valid one that it stands on, with its check code; empty where there is none."""

    id: str
    received_on: date
    title: str
    organisation: str
    filing_number: str
    fen: int
    stayed_fen: int
    receipt: str
    check_code: str

    @property
    def back_fen(self) -> int:
        return self.fen - self.stayed_fen


@record
class Year:
    """Oldest first; one book, so that test money and real money are never added up."""

    year: int
    book: str
    gifts: tuple[Gift, ...]

    @property
    def fen(self) -> int:
        return sum(gift.fen for gift in self.gifts)

    @property
    def stayed_fen(self) -> int:
        return sum(gift.stayed_fen for gift in self.gifts)


def years_of(session: Session, person_id: int) -> list[int]:
    """Those in which something was received, the latest first."""
    received = (Contribution.person_id == person_id, Contribution.state == ContributionState.RECEIVED)
    ends = select(func.min(Contribution.received_at), func.max(Contribution.received_at)).where(*received)
    first, last = session.execute(ends).one()
    return list(range(clock.local(last).year, clock.local(first).year - 1, -1)) if first and last else []


def of_year(session: Session, person_id: int, year: int, *, book: str) -> Year:
    """Three statements, however much was given."""
    wanted = select(Contribution.id, Contribution.public_id, Contribution.fen, Contribution.received_at, Campaign.title_zh)
    wanted = wanted.add_columns(Campaign.title_en, Campaign.filing_number, Organisation.name_zh, Organisation.name_en)
    wanted = wanted.join(Campaign, Campaign.id == Contribution.campaign_id)
    wanted = wanted.join(Organisation, Organisation.code == Campaign.organisation_code)
    wanted = wanted.where(Contribution.person_id == person_id, Contribution.state == ContributionState.RECEIVED)
    wanted = wanted.where(Contribution.received_at >= clock.start_of(date(year, 1, 1)), Contribution.book == book)
    wanted = wanted.where(Contribution.received_at < clock.start_of(date(year + 1, 1, 1)))
    found = session.execute(wanted.order_by(Contribution.received_at, Contribution.id)).all()
    numbers = {row.id for row in found}
    stayed, receipts = issuing.all_that_stayed(session, numbers), valid_receipts(session, numbers)
    return Year(year, book, tuple(gift_of(row, stayed, receipts) for row in found))


def gift_of(row: Any, stayed: dict[int, int], receipts: dict[int, tuple[str, str]]) -> Gift:
    day = clock.local(row.received_at).date()
    title, name = in_language(row.title_zh, row.title_en), in_language(row.name_zh, row.name_en)
    number, code = receipts.get(row.id, ("", ""))
    return Gift(row.public_id, day, title, name, row.filing_number, row.fen, stayed.get(row.id, 0), number, code)


def valid_receipts(session: Session, gifts: set[int]) -> dict[int, tuple[str, str]]:
    """(number, check code) by gift: its own, or its year's."""
    columns = (Receipt.public_id, Receipt.check_code)
    own = select(Receipt.contribution_id.label("gift"), *columns).where(Receipt.contribution_id.in_(gifts))
    listed = select(ReceiptGift.contribution_id.label("gift"), *columns)
    listed = listed.join(Receipt, Receipt.public_id == ReceiptGift.receipt).where(ReceiptGift.contribution_id.in_(gifts))
    is_valid = Receipt.state == ReceiptState.ISSUED
    found = session.execute(own.where(is_valid).union_all(listed.where(is_valid)))
    return {row.gift: (row.public_id, row.check_code) for row in found}
