"""What came back of payments: to everybody once two people have seen it, to the organisation's officers at once."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment
from crowdfund.campaigns.whereabouts.models import BillLine
from marketplace.accounts.models import Person
from marketplace.core.db import rows
from marketplace.core.errors import NotFound
from marketplace.core.records import slim_record

MOST: Final = 100


@slim_record
class Shown:
    """One credit, the lines that came back, (what, fen), and the names of who entered and who decided it."""

    lines: Sequence[tuple[str, int]]
    row: Repayment
    disbursement: str
    campaign_title: str
    provider: str
    officer: str
    decider: str | None


def is_approved() -> ColumnElement[bool]:
    return Repayment.decided_at.is_not(None) & (Repayment.refused_why == "")


def select_shown() -> Any:
    officer, decider = aliased(Person), aliased(Person)
    wanted = select(Repayment, Disbursement.public_id, Campaign.title_zh, Disbursement.provider_zh, officer.name)
    wanted = wanted.add_columns(decider.name).join(Disbursement, Disbursement.id == Repayment.disbursement_id)
    wanted = wanted.join(Campaign, Campaign.id == Disbursement.campaign_id).join(officer, officer.id == Repayment.officer_id)
    return wanted.outerjoin(decider, decider.id == Repayment.decider_id)


def waiting(session: Session, organisations: Sequence[str]) -> list[Shown]:
    """For a second person, the oldest first. One statement."""
    mine = select_shown().where(Campaign.organisation_code.in_(organisations), Repayment.decided_at.is_(None))
    return [Shown((), *row) for row in session.execute(mine.order_by(Repayment.id).limit(MOST))]


def of_payment(session: Session, disbursement_id: int, *, everything: bool = False) -> list[Shown]:
    """The oldest first; `everything`: also what waits and what was refused. Two statements."""
    mine = select_shown().where(Repayment.disbursement_id == disbursement_id).order_by(Repayment.id)
    found = session.execute(mine if everything else mine.where(is_approved())).all()
    lines = lines_by_repayment(session, [row[0].id for row in found])
    return [Shown(lines.get(row[0].id, ()), *row) for row in found]


def get(session: Session, organisations: Sequence[str], repayment: str) -> Shown:
    """One of theirs. Two statements. Raises NotFound."""
    mine = select_shown().where(Campaign.organisation_code.in_(organisations), Repayment.public_id == repayment)
    row = session.execute(mine).first()
    if row is None:
        raise NotFound(repayment)
    return Shown(lines_by_repayment(session, [row[0].id]).get(row[0].id, ()), *row)


def lines_by_repayment(session: Session, repayments: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    wanted = select(RepaidLine.repayment_id, BillLine.what_zh, RepaidLine.fen)
    wanted = wanted.join(BillLine, BillLine.id == RepaidLine.bill_line_id).where(RepaidLine.repayment_id.in_(repayments))
    found: dict[int, list[tuple[str, int]]] = {}
    for row in rows(session, wanted.order_by(RepaidLine.repayment_id, BillLine.position)) if repayments else ():
        found.setdefault(row.repayment_id, []).append((row.what_zh, row.fen))
    return found


def fen_of_payment() -> Any:
    """SQL, of the payment in the statement around it: what came back of it."""
    fen = cast(func.coalesce(func.sum(Repayment.fen), 0), BigInteger)
    mine = select(fen).where(Repayment.disbursement_id == Disbursement.id)
    return mine.where(is_approved()).correlate(Disbursement).scalar_subquery()


def is_all_back(session: Session, paid: Disbursement) -> bool:
    """It bought nothing and reached nobody."""
    mine = select(func.coalesce(func.sum(Repayment.fen), 0)).where(Repayment.disbursement_id == paid.id)
    return session.scalar(mine.where(is_approved())) == paid.fen


def fen_by_budget_line(campaign: str, book: str = "") -> Any:
    """SQL, a subquery (budget_line_id, fen): what came back to a campaign, by its public id; in both books unless one is
    named."""
    sums = select(Disbursement.budget_line_id, func.sum(Repayment.fen).label("fen"))
    sums = sums.join(Repayment, Repayment.disbursement_id == Disbursement.id)
    sums = sums.join(Campaign, Campaign.id == Disbursement.campaign_id)
    sums = sums.where(Campaign.public_id == campaign, is_approved())
    sums = sums.where(Disbursement.book == book) if book else sums
    return sums.group_by(Disbursement.budget_line_id).subquery()


@slim_record
class Told:
    """For programs."""

    repayment: str
    fen: int
    received_on: date
    approved_at: datetime
    why: str
    sha256: str


def told_of(session: Session, disbursements: Sequence[int]) -> Mapping[int, list[Told]]:
    """What everybody may know, by payment. One statement."""
    mine = select(Repayment).where(Repayment.disbursement_id.in_(disbursements), is_approved()).order_by(Repayment.id)
    found: dict[int, list[Told]] = {}
    for row in session.scalars(mine) if disbursements else ():
        at = row.decided_at or row.entered_at
        told = Told(row.public_id, row.fen, row.received_on, at, row.why_zh, row.sha256)
        found.setdefault(row.disbursement_id, []).append(told)
    return found


def payments_of(session: Session, repayments: Sequence[str]) -> dict[str, str]:
    """The payment, by the repayment's public id. One statement."""
    mine = select(Repayment.public_id, Disbursement.public_id.label("payment"))
    mine = mine.join(Disbursement, Disbursement.id == Repayment.disbursement_id).where(Repayment.public_id.in_(repayments))
    return {row.public_id: row.payment for row in rows(session, mine)} if repayments else {}
