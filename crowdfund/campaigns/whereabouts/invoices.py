"""What an invoice is for, sealed in the public ledger with its payment: no line changes afterwards (ADR 45)."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Disbursement
from crowdfund.campaigns.whereabouts.models import BillLine
from marketplace.core.db import rows
from marketplace.core.sealing import canonical


def fingerprint(number: str, lines: Sequence[tuple[str, int]]) -> str:
    """SHA-256 of an invoice's number and of its lines in their order, as docs/ledger.md writes them."""
    return hashlib.sha256(canonical({"invoice": number, "lines": [list(line) for line in lines]})).hexdigest()


def of_payment(session: Session, paid: Disbursement) -> str:
    lines = select(BillLine.what_zh, BillLine.fen).where(BillLine.disbursement_id == paid.id).order_by(BillLine.position)
    return fingerprint(" ".join(paid.invoice_number.split()), [(row.what_zh, row.fen) for row in rows(session, lines)])


def of_repayment(payment: str, lines: Sequence[tuple[int, int]]) -> str:
    """How the row of what a provider paid back names the payment's row and the lines (position, fen) that came back."""
    named = {"kind": "disbursement", "lines": [list(line) for line in lines], "reference": f"disburse:{payment}"}
    return hashlib.sha256(canonical(named)).hexdigest()


def of_correction(repayment: str) -> str:
    """How the row of a correction names the row of what had been let in, as other rows name what came before them."""
    return hashlib.sha256(canonical({"kind": "repayment", "reference": f"repaid:{repayment}"})).hexdigest()
