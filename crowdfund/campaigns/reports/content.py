"""What a report says: figures from the public ledger and the payments up to its last day, as one JSON document.

The rows up to a day that is over do not change, so that the draft and what is published say the same; evidence that comes
between the two changes the document, and its hash."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.models import BudgetLine, Campaign, Disbursement, Evidence, Organisation, PublicRow
from crowdfund.campaigns.repayments.models import Repayment
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.states import DisbursementState
from marketplace.core import clock, sealing
from marketplace.core.db import Columns
from marketplace.core.sealing import Seal

FORMAT: Final = 1
CHAIN: Final = "public"
KINDS: Final = ("gift", "match", "unmatch", "refund", "return", "disbursement", "repayment", "correction")
Content = dict[str, Any]


def of(session: Session, report: CampaignReport) -> Content:
    """Nine statements."""
    campaign = session.get_one(Campaign, report.campaign_id)
    organisation = session.get_one(Organisation, campaign.organisation_code)
    payments = payments_of(session, report)
    return {
        "format": FORMAT,
        "report": report.public_id,
        "kind": report.kind,
        "book": report.book,
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "campaign": campaign.public_id,
        "title": campaign.title_zh,
        "purpose": campaign.purpose_zh,
        "beneficiaries": campaign.beneficiaries_zh,
        "residue": campaign.residue_zh,
        "goal_fen": campaign.goal_fen,
        "organisation": organisation.name_zh,
        "credit_code": organisation.credit_code,
        "filing_number": campaign.filing_number,
        "words": report.words_zh,
        "period": sums(session, report, within=True),
        "whole": sums(session, report, within=False),
        "budget": budget_of(session, report, payments),
        "payments": payments,
        "chain": chain_of(session, report),
    }


def canonical(content: Mapping[str, Any]) -> str:
    """The text that is kept and hashed; as ADR 4 writes records."""
    return sealing.canonical(dict(content)).decode()


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(text: str) -> Content:
    """Reports from before providers could pay back say nothing of it: nothing had come back."""
    found: Content = json.loads(text)
    sums = {part: dict.fromkeys(KINDS, 0) | found[part] for part in ("period", "whole")}
    return found | sums | {"payments": [{"repaid_fen": 0} | each for each in found["payments"]]}


def balance(figures: Mapping[str, int]) -> int:
    """What is left of these sums, in fen."""
    return sum(figures[kind] for kind in KINDS)


def of_period(wanted: Any, report: CampaignReport, *, within: bool) -> Columns:
    """Its rows up to the last day; `within`: from the first day on."""
    end = clock.start_of(report.until + timedelta(days=1))
    wanted = wanted.where(PublicRow.campaign_id == report.campaign_id, PublicRow.book == report.book, PublicRow.at < end)
    found: Columns = wanted.where(PublicRow.at >= clock.start_of(report.since)) if within else wanted
    return found


def sums(session: Session, report: CampaignReport, *, within: bool) -> dict[str, int]:
    """Fen by kind of row, negative out of the account, and how many gifts."""
    wanted = of_period(select(PublicRow.kind, func.sum(PublicRow.fen), func.count()), report, within=within)
    found = {kind: (int(fen), int(number)) for kind, fen, number in session.execute(wanted.group_by(PublicRow.kind))}
    return {kind: found.get(kind, (0, 0))[0] for kind in KINDS} | {"gifts": found.get("gift", (0, 0))[1]}


def payments_of(session: Session, report: CampaignReport) -> list[Content]:
    """All that reached a provider up to the last day, in that order, with the hashes of what proves them."""
    wanted: Any = select(Disbursement, BudgetLine.position, PublicRow.at)
    wanted = wanted.join(PublicRow, PublicRow.reference == "disburse:" + Disbursement.public_id)
    wanted = wanted.join(BudgetLine, BudgetLine.id == Disbursement.budget_line_id).where(PublicRow.kind == "disbursement")
    rows = session.execute(of_period(wanted, report, within=False).order_by(PublicRow.at, Disbursement.id)).all()
    files: dict[int, list[Content]] = {row.id: [] for row, _position, _at in rows}
    proofs = select(Evidence).where(Evidence.disbursement_id.in_(files)).order_by(Evidence.id)
    for proof in session.scalars(proofs):
        files[proof.disbursement_id].append({"kind": proof.kind, "sha256": proof.sha256})
    back = repaid_by_payment(session, report)
    return [payment(row, position, at, files[row.id], back.get(row.id, 0)) for row, position, at in rows]


def repaid_by_payment(session: Session, report: CampaignReport) -> dict[int, int]:
    """Fen that providers paid back up to the last day, less what was corrected by then."""
    wanted: Any = select(Repayment.disbursement_id, func.sum(PublicRow.fen))
    its = ("repaid:" + Repayment.public_id, "repaid_undone:" + Repayment.public_id)
    wanted = wanted.join(PublicRow, PublicRow.reference.in_(its))
    found = session.execute(of_period(wanted, report, within=False).group_by(Repayment.disbursement_id))
    return {number: int(fen) for number, fen in found}


def payment(row: Disbursement, position: int, at: Any, files: list[Content], repaid_fen: int) -> Content:
    beyond = {"beyond_why": row.beyond_why} if row.beyond_why else {}
    return beyond | {
        "payment": row.public_id,
        "paid_on": clock.local(at).date().isoformat(),
        "fen": row.fen,
        "repaid_fen": repaid_fen,
        "purpose": row.purpose_zh,
        "provider": row.provider_zh,
        "credit_code": row.provider_credit_code,
        "invoice": row.invoice_number,
        "budget_line": position,
        "is_proved": row.state is DisbursementState.EVIDENCED,
        "evidence": files,
    }


def budget_of(session: Session, report: CampaignReport, payments: list[Content]) -> list[Content]:
    lines = select(BudgetLine).where(BudgetLine.campaign_id == report.campaign_id).order_by(BudgetLine.position)
    return [
        {
            "position": line.position,
            "name": line.name_zh,
            "planned_fen": line.fen,
            "spent_fen": sum(each["fen"] - each["repaid_fen"] for each in payments if each["budget_line"] == line.position),
        }
        for line in session.scalars(lines)
    ]


def chain_of(session: Session, report: CampaignReport) -> Content:
    """The last sealed row that the figures rest on: whoever reads the ledger's file finds it there."""
    wanted: Any = select(SealedRow.number, Seal.hash).join(PublicRow, PublicRow.id == SealedRow.row_id)
    wanted = wanted.join(Seal, (Seal.chain == CHAIN) & (Seal.number == SealedRow.number))
    last = of_period(wanted, report, within=False).order_by(SealedRow.number.desc()).limit(1)
    row = session.execute(last).first()
    return {"number": row.number if row else 0, "hash": row.hash if row else ""}
