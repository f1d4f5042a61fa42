"""A year's receipt: made of gifts whose own receipts it replaces, voided and made anew whenever one of them changes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.receipt_numbers import numbered
from crowdfund.campaigns.states import ReceiptState
from crowdfund.campaigns.yearly.models import ReceiptGift, ReceiptYear
from marketplace.core import outbox
from marketplace.core.db import Columns, add_rows, insert_or_ignore
from marketplace.core.transitions import leave_trace, transition, transition_all
from marketplace.ledger.models import Entry, LedgerAccount, Line

FOR_THE_YEAR = "for the whole year"
REPLACED = "receipt.replaced"  # the outbox's topic: whoever held the one before is told
R = ReceiptState


def receipts_with(gift: Any) -> Columns:
    """SQL: the numbers of the years' receipts that list this gift, valid or not."""
    return select(ReceiptGift.receipt).where(ReceiptGift.contribution_id == gift)


def year_of(session: Session, gift: int) -> int | None:
    """The year whose receipt lists this gift, or once did: it stays there whatever happens to its money."""
    return session.scalar(select(Receipt.year_id).where(Receipt.public_id.in_(receipts_with(gift))).limit(1))


def void_with(session: Session, gift: int, *, why: str) -> None:
    """The year's valid receipt that lists this gift, if there is one."""
    year = year_of(session, gift)
    if year is None:
        return
    held(session, year)
    latest = latest_of(session, year)
    if latest and latest.state is R.ISSUED:
        transition(session, latest, R.VOIDED, expected=R.ISSUED, actor="system", why=why)


def bring_together(session: Session, *, person: int, organisation: str, book: str, year: int, gifts: Sequence[int]) -> str:
    """These gifts, whose rows the caller has locked, stand on the receipt of this year from now on; its number.

    Their own receipts are voided in the same transaction."""
    known: dict[str, Any] = {"person_id": person, "organisation_code": organisation, "book": book, "year": year}
    insert_or_ignore(session, ReceiptYear, known)
    mine = session.scalars(select(ReceiptYear.id).filter_by(**known).with_for_update()).one()
    valid = select(Receipt.public_id).where(Receipt.contribution_id.in_(gifts), Receipt.state == R.ISSUED)
    singles = session.scalars(valid.order_by(Receipt.id)).all()
    for here, there in ((R.ISSUED, R.VOIDED), (R.VOIDED, R.REISSUED)):
        transition_all(session, Receipt, singles, there, expected=here, actor="system", why=FOR_THE_YEAR)
    made = reissue(session, mine, also=gifts)
    if made is None:
        raise ValueError(f"nothing stayed of {len(gifts)} gifts with receipts")
    return made


def reissue(session: Session, year: int, also: Sequence[int] = ()) -> str | None:
    """Make the year's receipt say what stayed of each of its gifts; its number, None where nothing did.

    Whoever changed one of them has locked it. Others that change at the same moment wait here, and see this one."""
    row = held(session, year)
    latest = latest_of(session, year)
    listed = select(ReceiptGift.contribution_id).join(Receipt, Receipt.public_id == ReceiptGift.receipt)
    gifts = {*session.scalars(listed.where(Receipt.year_id == year)), *also}
    stayed = all_that_stayed(session, gifts)
    if latest and latest.state is R.ISSUED:
        if items_of(session, latest.public_id) == stayed:
            return latest.public_id
        transition(session, latest, R.VOIDED, expected=R.ISSUED, actor="system", why="its gifts changed")
    if not stayed:
        return None
    if latest and latest.state is R.VOIDED:
        transition(session, latest, R.REISSUED, expected=R.VOIDED, actor="system", why=f"for {sum(stayed.values())} fen")
        if not also:  # who brings gifts together tells of it
            outbox.put(session, REPLACED, receipt=latest.public_id)
    return issue_year(session, row, stayed)


def issue_year(session: Session, year: ReceiptYear, stayed: dict[int, int]) -> str:
    made = numbered(session, year.book)
    number = str(made["public_id"])
    add_rows(session, ReceiptGift, *({"receipt": number, "contribution_id": gift, "fen": stayed[gift]} for gift in stayed))
    add_rows(session, Receipt, {**made, "year_id": year.id, "fen": sum(stayed.values())})
    leave_trace(session, Receipt(public_id=number), None, R.ISSUED, actor="system", why=FOR_THE_YEAR)
    return number


def held(session: Session, year: int) -> ReceiptYear:
    return session.get_one(ReceiptYear, year, with_for_update=True, populate_existing=True)


def latest_of(session: Session, year: int) -> Receipt | None:
    mine = select(Receipt).where(Receipt.year_id == year).order_by(Receipt.id.desc()).limit(1)
    return session.scalar(mine.execution_options(populate_existing=True))


def items_of(session: Session, number: str) -> dict[int, int]:
    mine = select(ReceiptGift.contribution_id, ReceiptGift.fen).where(ReceiptGift.receipt == number)
    return {row.contribution_id: row.fen for row in session.execute(mine)}


def all_that_stayed(session: Session, gifts: set[int]) -> dict[int, int]:
    """What stayed of each, by the books; those of which nothing did are left out. One statement."""
    moved = select(Contribution.id, -func.sum(Line.amount)).join(Entry, Entry.reference == Contribution.public_id)
    moved = moved.join(Line, Line.entry_id == Entry.id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    moved = moved.where(Contribution.id.in_(gifts), LedgerAccount.kind == "restricted").group_by(Contribution.id)
    return {gift: int(fen) for gift, fen in session.execute(moved.order_by(Contribution.id)) if fen > 0}
