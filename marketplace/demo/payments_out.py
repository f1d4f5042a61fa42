"""Payments out of campaigns' accounts, lived through the real commands: disbursements.csv says what was paid when."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing, evidence
from crowdfund.campaigns.faces import looking
from crowdfund.campaigns.models import Disbursement, Evidence
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.demo.tables import Row, read

HOURS: Final = (2, 5, 26)  # after the request: approved, sent, at the provider
PAGE: Final = """%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length {length}>>stream
{content}
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def deeds(officer: int, approver: int) -> list[tuple[Any, Callable[[], None]]]:
    """(when, what) for each payment; the steps after the request follow by themselves."""
    return [(moment_of(row), partial(pay, row, officer, approver)) for row in read("disbursements")]


def moment_of(row: Row) -> Any:
    return clock.now() - timedelta(days=int(row["days_ago"]))


def fen_of(yuan: str) -> int:
    return int(Decimal(yuan) * 100)


def lines_of(text: str) -> tuple[tuple[str, int], ...]:
    """Of an invoice, written as `what=yuan`; nothing where its purpose is its only line."""
    return tuple((what, fen_of(yuan)) for what, _equals, yuan in (each.partition("=") for each in text.split("；") if each))


def pay(row: Row, officer: int, approver: int) -> None:
    """From the request to as far as the row says."""
    words: dict[str, Any] = {name: row[f"{name}_zh"] for name in ("purpose", "provider")}
    numbers: dict[str, Any] = {name: row[name] for name in ("provider_credit_code", "invoice_number")}
    bill = disbursing.Bill(amount=Money(fen_of(row["yuan"])), lines=lines_of(row["lines"]), **words, **numbers)
    asked: dict[str, Any] = {"campaign": row["campaign"], "budget_line": int(row["budget_line"]), "bill": bill}
    made = in_transaction(disbursing.request, requester_id=officer, **asked)
    if row["until"] == "requested":
        return
    began = clock.now()
    steps: tuple[Callable[[], object], ...] = (
        partial(in_transaction, disbursing.approve, disbursement=made, approver_id=approver),
        partial(in_transaction, disbursing.send, disbursement=made, officer_id=officer),
        partial(
            in_transaction, disbursing.confirm, disbursement=made, officer_id=officer, bank_reference=row["invoice_number"]
        ),
    )
    for hours, step in zip(HOURS, steps, strict=True):
        with clock.at(began + timedelta(hours=hours)):
            step()
    if row["until"] == "evidenced":
        with clock.at(began + timedelta(hours=HOURS[-1] + 20)):
            prove(made, row, officer)
        in_transaction(look_into, disbursement=made, approver=approver)


def prove(disbursement: str, row: Row, officer: int) -> None:
    """The provider's invoice, drawn for the demonstration."""
    kept = evidence.keep(invoice(row))
    shown: dict[str, Any] = {"kind": "invoice", "words": f"发票 {row['invoice_number']}（演示）", "is_public": True}
    in_transaction(evidence.add, disbursement=disbursement, officer_id=officer, kept=kept, **shown)
    in_transaction(disbursing.complete, disbursement=disbursement, officer_id=officer)


def look_into(session: Session, *, disbursement: str, approver: int) -> None:
    """No machine looks into a PDF: another officer does, before everybody may."""
    mine = select(Evidence.public_id).join(Disbursement, Disbursement.id == Evidence.disbursement_id)
    for proof in session.scalars(mine.where(Disbursement.public_id == disbursement)).all():
        looking.overrule(session, evidence=proof, person_id=approver, reason="演示用的发票，没有人像")


def invoice(row: Row) -> bytes:
    content = f"BT /F 16 Tf 30 140 Td (DEMONSTRATION INVOICE {row['invoice_number']}) Tj 0 -40 Td ({row['yuan']} CNY) Tj ET"
    return PAGE.format(length=len(content), content=content).encode("ascii")
