"""An order on account: within what may be owed, its goods sold at once, and nothing of it booked before it is paid."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from listings import stock
from marketplace.core import clock
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound, Refusal
from marketplace.orders.institutions.models import AccountOrder, AccountStatement, Institution, InstitutionMember
from marketplace.orders.institutions.states import PAYABLE, InstitutionState, StatementState
from marketplace.orders.models import Order


class NotOpen(Refusal):
    message = _l("This institution cannot order on account now. You can still pay at once.")


class OwesTooLong(Refusal):
    message = _l("A statement is overdue. Pay it first; until then you can order and pay at once.")


class BeyondLimit(Refusal):
    message = _l("This order does not fit into what may be ordered on account. Order less, or pay at once.")


def place_on_account(
    session: Session, *, institution: str, person_id: int | None, number: str, total_fen: int, goods: Mapping[str, int]
) -> None:
    """Count the order as owed and sell its held goods.

    One guarded statement counts and looks at the limit, so that two orders at once never go beyond it. Raises NotFound for
    whoever is no member, NotOpen, OwesTooLong, BeyondLimit."""
    row = of_member(session, institution, person_id)
    if row.state is not InstitutionState.ACTIVE:
        raise NotOpen(institution)
    if is_overdue(session, row.id):
        raise OwesTooLong(institution)
    more = update(Institution).where(Institution.id == row.id, Institution.state == InstitutionState.ACTIVE)
    more = more.where(Institution.outstanding_fen + total_fen <= Institution.limit_fen)
    more = more.values(outstanding_fen=Institution.outstanding_fen + total_fen)
    counted = more.returning(Institution.outstanding_fen, Institution.limit_fen)
    after = session.execute(counted.execution_options(synchronize_session=False)).first()
    if after is None:
        raise BeyondLimit(institution)
    order = session.scalars(select(Order.id).where(Order.number == number)).one()
    whose = {"order_id": order, "institution_id": row.id, "person_id": person_id, "statement_id": None}
    add_rows(session, AccountOrder, {**whose, "outstanding_fen": after.outstanding_fen, "limit_fen": after.limit_fen})
    stock.sell(session, goods, reference=number)


def of_member(session: Session, institution: str, person_id: int | None, *, role: str | None = None) -> Institution:
    """The institution, for one of its members. Raises NotFound for everybody else, alike for one that does not exist."""
    wanted = select(Institution).join(InstitutionMember, InstitutionMember.institution_id == Institution.id)
    wanted = wanted.where(Institution.public_id == institution, InstitutionMember.person_id == person_id)
    if role is not None:
        wanted = wanted.where(InstitutionMember.role == role)
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(institution)
    return found


def is_overdue(session: Session, institution: int) -> bool:
    """A statement's day has passed, whether the worker has said so already or not."""
    late = (AccountStatement.state == StatementState.OVERDUE) | (AccountStatement.due_on < clock.today())
    owed = exists().where(AccountStatement.institution_id == institution, AccountStatement.state.in_(sorted(PAYABLE)), late)
    return bool(session.scalar(select(owed)))
