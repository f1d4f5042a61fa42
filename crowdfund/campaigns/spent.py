"""Payments to providers as programs read them: what was bought, line by line, and the hashes of what proves it."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import BudgetLine, Disbursement, Evidence
from crowdfund.campaigns.payments_out import PUBLIC
from crowdfund.campaigns.repayments.queries import Told, told_of
from crowdfund.campaigns.states import DisbursementState
from crowdfund.campaigns.whereabouts.models import BillLine
from marketplace.core import clock
from marketplace.core.db import rows
from marketplace.core.records import slim_record


@slim_record
class Proof:
    """A file or a sentence; everybody may know its hash, and open it where it has an id."""

    kind: str
    words: str
    sha256: str
    at: datetime
    public_id: str


@slim_record
class Bought:
    what: str
    fen: int


@slim_record
class Payment:
    public_id: str
    fen: int
    purpose: str
    budget_line: str
    beyond_why: str
    provider: str
    invoice_number: str
    paid_at: datetime | None
    evidence_due_on: date | None
    is_overdue: bool
    lines: Sequence[Bought]
    evidence: Sequence[Proof]
    repayments: Sequence[Told]


def page(session: Session, *, campaign: int, book: str, before: str = "", size: int) -> tuple[list[Payment], str]:
    """What was paid, the newest first, and where the next page goes on; nothing after the last. Four statements."""
    wanted = select(Disbursement, BudgetLine.name_zh).join(BudgetLine, BudgetLine.id == Disbursement.budget_line_id)
    wanted = wanted.where(Disbursement.campaign_id == campaign, Disbursement.book == book, Disbursement.state.in_(PUBLIC))
    if before:
        known = select(Disbursement.id).where(Disbursement.public_id == before, Disbursement.campaign_id == campaign)
        wanted = wanted.where(Disbursement.id < known.scalar_subquery())
    found = session.execute(wanted.order_by(Disbursement.id.desc()).limit(size + 1)).all()
    numbers = [row.id for row, _name in found[:size]]
    lines, proofs, back = lines_of(session, numbers), proofs_of(session, numbers), told_of(session, numbers)
    shown = [
        payment(row, name, lines.get(row.id, []), proofs.get(row.id, []), back.get(row.id, [])) for row, name in found[:size]
    ]
    return shown, shown[-1].public_id if len(found) > size else ""


def payment(
    row: Disbursement, budget_line: str, lines: list[Bought], proofs: list[Proof], repayments: list[Told]
) -> Payment:
    due = row.evidence_due_on
    return Payment(
        public_id=row.public_id,
        fen=row.fen,
        purpose=row.purpose_zh,
        budget_line=budget_line,
        beyond_why=row.beyond_why,
        provider=row.provider_zh,
        invoice_number=row.invoice_number,
        paid_at=row.paid_at,
        evidence_due_on=due,
        is_overdue=row.state is DisbursementState.PAID and due is not None and due < clock.today(),
        lines=lines,
        evidence=proofs,
        repayments=repayments,
    )


def lines_of(session: Session, payments: Sequence[int]) -> dict[int, list[Bought]]:
    wanted = select(BillLine.disbursement_id, BillLine.what_zh, BillLine.fen).where(BillLine.disbursement_id.in_(payments))
    bought: dict[int, list[Bought]] = {}
    for row in rows(session, wanted.order_by(BillLine.disbursement_id, BillLine.position)):
        bought.setdefault(row.disbursement_id, []).append(Bought(row.what_zh, row.fen))
    return bought


def proofs_of(session: Session, payments: Sequence[int]) -> dict[int, list[Proof]]:
    wanted = select(Evidence).where(Evidence.disbursement_id.in_(payments)).order_by(Evidence.id)
    proofs: dict[int, list[Proof]] = {}
    for each in session.scalars(wanted):
        name = each.public_id if each.is_public and each.file_name else ""
        proof = Proof(each.kind, each.words_zh, each.sha256, each.at, name)
        proofs.setdefault(each.disbursement_id, []).append(proof)
    return proofs
