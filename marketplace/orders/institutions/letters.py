"""What members of an institution are told: a new statement, one that is overdue, what comes off a bill. Each fact once."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import Columns, in_transaction
from marketplace.core.formats import short_date, yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders import refunded
from marketplace.orders.institutions.keeping import PAYER
from marketplace.orders.institutions.models import (
    AccountOrder,
    AccountStatement,
    BillCredit,
    GoodsCheck,
    Institution,
    InstitutionMember,
)
from marketplace.orders.models import Order, OrderLine, Parcel

LANGUAGE = "zh_CN"


def issued(*, statement: str) -> None:
    in_transaction(tell, statement=statement, fact="issued")


def overdue(*, statement: str) -> None:
    in_transaction(tell, statement=statement, fact="overdue")


def credited(*, credit: str) -> None:
    in_transaction(tell_of_credit, credit=credit)


def tell_of_credit(session: Session, *, credit: str) -> None:
    """Its payers, and whoever ordered: how much less there is to pay, for which parcel and why."""
    wanted: Columns = select(func.sum(BillCredit.fen()).label("fen"), BillCredit.reason)
    wanted = wanted.add_columns(BillCredit.reason_key, Order.number, Parcel.number.label("parcel"), AccountOrder.person_id)
    wanted = wanted.add_columns(Institution.id, Institution.name)
    wanted = wanted.join(OrderLine, OrderLine.id == BillCredit.order_line_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.join(Institution, Institution.id == AccountOrder.institution_id).where(BillCredit.public_id == credit)
    about = (BillCredit.reason, BillCredit.reason_key, Order.number, Parcel.number, AccountOrder.person_id)
    row = session.execute(wanted.group_by(*about, Institution.id, Institution.name)).one()
    with speaking(LANGUAGE):
        told = {"name": row.name, "parcel": f"{row.number}-{row.parcel}", "sum": yuan(row.fen)}
        is_by_a_person = row.reason_key.startswith(refunded.BY_A_PERSON)
        told["why"] = row.reason if is_by_a_person else str(refunded.WHY.get(row.reason, row.reason))
        text = str(_("%(name)s: %(sum)s less to pay for parcel %(parcel)s. Reason: %(why)s", **told))
    is_theirs = (InstitutionMember.role == PAYER) | (InstitutionMember.person_id == row.person_id)
    send(session, row.id, is_theirs, fact=f"bill_credited:{credit}", text=text)


def tell_of_decision(session: Session, check: GoodsCheck, parcel: Parcel) -> None:
    """Its payers, and whoever ordered: what the province has answered."""
    account = session.get_one(AccountOrder, parcel.order_id)
    institution = session.get_one(Institution, account.institution_id)
    told = {"name": institution.name, "parcel": f"{parcel.order.number}-{parcel.number}", "why": check.appeal_answer}
    with speaking(LANGUAGE):
        text = str(
            _("%(name)s: the province agrees with you about parcel %(parcel)s. Reason: %(why)s", **told)
            if check.appeal_is_granted
            else _("%(name)s: the province agrees with the station about parcel %(parcel)s. Reason: %(why)s", **told)
        )
    is_theirs = (InstitutionMember.role == PAYER) | (InstitutionMember.person_id == account.person_id)
    send(session, institution.id, is_theirs, fact=f"goods_check_decided:{check.public_id}", text=text)


def tell(session: Session, *, statement: str, fact: str) -> None:
    """Every payer, where they can be reached."""
    row = session.scalars(select(AccountStatement).where(AccountStatement.public_id == statement)).one()
    institution = session.get_one(Institution, row.institution_id)
    with speaking(LANGUAGE):
        told = {"name": institution.name, "number": statement, "sum": yuan(row.due_fen), "day": short_date(row.due_on, "zh")}
        text = str(
            _("%(name)s: statement %(number)s is there, %(sum)s to be paid by %(day)s.", **told)
            if fact == "issued"
            else _("%(name)s: statement %(number)s over %(sum)s was due by %(day)s. Please pay it now.", **told)
        )
    payers = InstitutionMember.role == PAYER
    send(session, row.institution_id, payers, fact=f"statement_{fact}:{statement}", text=text)


def send(session: Session, institution: int, members: ColumnElement[bool], *, fact: str, text: str) -> None:
    """To these members of it, where they can be reached."""
    wanted = select(Person).join(InstitutionMember, InstitutionMember.person_id == Person.id)
    wanted = wanted.where(InstitutionMember.institution_id == institution, members)
    for person in session.scalars(wanted.order_by(Person.id)):
        address = person.phone or person.email
        if address:
            about: dict[str, Any] = {"person_id": person.id, "kind": MessageKind.ORDERS}
            messages.send(session, fact=f"{fact}:{person.id}", address=address, text=text, **about)
