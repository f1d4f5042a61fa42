"""A statement that was paid at the bank: a finance operator writes the transfer down, another one confirms it.

Neither acts for the institution. A sum that a credit has lowered since goes back, as money from the cashier would."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import yuan
from marketplace.orders.institutions import keeping
from marketplace.orders.institutions.models import AccountStatement, Institution
from marketplace.orders.institutions.paying_bills import NothingToPay, locked
from marketplace.orders.institutions.payments import PURPOSE
from marketplace.orders.institutions.states import PAYABLE
from marketplace.payments.by_bank import recording
from marketplace.payments.by_bank.states import Way


class OtherSum(Refusal):
    status = 422

    def __init__(self, due_fen: int) -> None:
        super().__init__(str(due_fen))
        said = _l("The statement asks for %(sum)s. Another sum is not taken: the bank sends it back.", sum=yuan(due_fen))
        self.message = said


def record(session: Session, *, institution: str, statement: str, fen: int, number: str, on: date, person_id: int) -> str:
    """What the bank says has come for a statement. Raises NotFound, OwnApplication, NothingToPay, OtherSum, KnownAlready."""
    owner = keeping.get_by_another(session, institution, person_id)
    row = locked(session, statement)
    if row is None or row.institution_id != owner.id:
        raise NotFound(statement)
    if row.state not in PAYABLE:
        raise NothingToPay(statement)
    if fen != row.due_fen:
        raise OtherSum(row.due_fen)
    about: dict[str, Any] = {"purpose": PURPOSE, "reference": statement, "fen": fen, "number": number}
    return recording.record(session, of=Way.IN, **about, on=on, person_id=person_id)


def confirm(session: Session, *, transfer: str, person_id: int) -> None:
    """Raises NotFound, OwnApplication, SamePerson, StaleState."""
    refuse_own(session, transfer, person_id)
    recording.confirm(session, transfer=transfer, person_id=person_id)


def refuse_own(session: Session, transfer: str, person_id: int) -> None:
    """Whoever acts for the institution does not say that it has paid, nor that it has its money back."""
    reference = recording.paid_for(session, transfer)
    wanted = select(Institution.public_id).join(AccountStatement, AccountStatement.institution_id == Institution.id)
    owner = session.scalar(wanted.where(AccountStatement.public_id == reference))
    if owner is not None:
        keeping.get_by_another(session, owner, person_id)
