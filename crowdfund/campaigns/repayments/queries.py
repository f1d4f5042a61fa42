"""What came back of payments: to everybody once two people have seen it, to the organisation's officers at once."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment, RepaymentCorrection
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
    """Let in by two people, and not corrected by two people since."""
    let_in = Repayment.decided_at.is_not(None) & (Repayment.refused_why == "")
    return let_in & Repayment.corrected_at.is_(None)


def select_shown() -> Any:
    officer, decider = aliased(Person), aliased(Person)
    wanted = select(Repayment, Disbursement.public_id, Campaign.title_zh, Disbursement.provider_zh, officer.name)
    wanted = wanted.add_columns(decider.name).join(Disbursement, Disbursement.id == Repayment.disbursement_id)
    wanted = wanted.join(Campaign, Campaign.id == Disbursement.campaign_id).join(officer, officer.id == Repayment.officer_id)
    return wanted.outerjoin(decider, decider.id == Repayment.decider_id)


def waiting(session: Session, organisations: Sequence[str]) -> list[Shown]:
    """For a second person, also those whose correction is, the oldest first. One statement."""
    doubted = select(RepaymentCorrection.repayment_id).where(RepaymentCorrection.decided_at.is_(None))
    is_open = Repayment.decided_at.is_(None) | Repayment.id.in_(doubted)
    mine = select_shown().where(Campaign.organisation_code.in_(organisations), is_open)
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


@slim_record
class ShownCorrection:
    """Somebody says that the repayment is not there; the names of who said so and who decided."""

    row: RepaymentCorrection
    officer: str
    decider: str | None


def corrections_of(session: Session, repayment_id: int) -> list[ShownCorrection]:
    """The oldest first, refused ones too. One statement."""
    officer, decider = aliased(Person), aliased(Person)
    mine = select(RepaymentCorrection, officer.name, decider.name)
    mine = mine.join(officer, officer.id == RepaymentCorrection.officer_id)
    mine = mine.outerjoin(decider, decider.id == RepaymentCorrection.decider_id)
    mine = mine.where(RepaymentCorrection.repayment_id == repayment_id).order_by(RepaymentCorrection.id)
    return [ShownCorrection(*row) for row in session.execute(mine)]


def corrected(session: Session, disbursement_id: int) -> list[tuple[str, datetime, str, int]]:
    """What was let in and was not there after all, for everybody: (why it was said to come, when corrected, why, fen)."""
    is_so = (RepaymentCorrection.repayment_id == Repayment.id) & (RepaymentCorrection.refused_why == "")
    mine = select(Repayment.why_zh, Repayment.corrected_at, RepaymentCorrection.why_zh.label("but"), Repayment.fen)
    mine = mine.join(RepaymentCorrection, is_so).where(Repayment.disbursement_id == disbursement_id)
    found = rows(session, mine.where(Repayment.corrected_at.is_not(None)).order_by(Repayment.id))
    return [(row.why_zh, row.corrected_at, row.but, row.fen) for row in found]


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


def is_correction_waiting(session: Session, campaign_id: int) -> bool:
    """For a second person."""
    waits = select(RepaymentCorrection.id).join(Repayment, Repayment.id == RepaymentCorrection.repayment_id)
    waits = waits.join(Disbursement, Disbursement.id == Repayment.disbursement_id)
    waits = waits.where(Disbursement.campaign_id == campaign_id, RepaymentCorrection.decided_at.is_(None))
    return session.scalar(waits.limit(1)) is not None
