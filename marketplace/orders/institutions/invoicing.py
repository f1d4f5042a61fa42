"""The invoice of a statement: its number and date, written down when it was sent; the institution sees them."""

from datetime import date

from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.errors import NotFound
from marketplace.orders.institutions import queries
from marketplace.orders.institutions.paying_bills import locked


def note(session: Session, *, institution: str, statement: str, number: str, invoiced_on: date, actor: str) -> None:
    """Raises NotFound."""
    owner = queries.one(session, institution)
    row = locked(session, statement)
    if row is None or row.institution_id != owner.id:
        raise NotFound(statement)
    row.invoice_number, row.invoiced_on = number, invoiced_on
    subject = f"account_statement:{statement}"
    audit.record(session, actor=actor, action="statement.invoiced", subject=subject, invoice=number)
