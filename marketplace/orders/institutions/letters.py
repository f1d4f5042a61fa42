"""What members of an institution are told: a new statement, one that is overdue. Listeners of the outbox; each fact once."""

from typing import Any

from flask_babel import force_locale, gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.core.formats import short_date, yuan
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.institutions.keeping import PAYER
from marketplace.orders.institutions.models import AccountStatement, Institution, InstitutionMember

LANGUAGE = "zh_CN"


def issued(*, statement: str) -> None:
    in_transaction(tell, statement=statement, fact="issued")


def overdue(*, statement: str) -> None:
    in_transaction(tell, statement=statement, fact="overdue")


def tell(session: Session, *, statement: str, fact: str) -> None:
    """Every payer, where they can be reached."""
    row = session.scalars(select(AccountStatement).where(AccountStatement.public_id == statement)).one()
    institution = session.get_one(Institution, row.institution_id)
    with force_locale(LANGUAGE):
        told = {"name": institution.name, "number": statement, "sum": yuan(row.due_fen), "day": short_date(row.due_on, "zh")}
        text = str(
            _("%(name)s: statement %(number)s is there, %(sum)s to be paid by %(day)s.", **told)
            if fact == "issued"
            else _("%(name)s: statement %(number)s over %(sum)s was due by %(day)s. Please pay it now.", **told)
        )
    payers = select(Person).join(InstitutionMember, InstitutionMember.person_id == Person.id)
    payers = payers.where(InstitutionMember.institution_id == row.institution_id, InstitutionMember.role == PAYER)
    for person in session.scalars(payers.order_by(Person.id)):
        address = person.phone or person.email
        if address:
            about: dict[str, Any] = {"person_id": person.id, "kind": MessageKind.ORDERS}
            messages.send(session, fact=f"statement_{fact}:{statement}:{person.id}", address=address, text=text, **about)
