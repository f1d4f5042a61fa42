"""Goods on their way back: the station witnesses what came and how, or the buyer keeps them after all."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.errors import Refusal
from marketplace.orders.cases import deciding, paying_back
from marketplace.orders.cases.finding import EVERYWHERE, Reach, get_case
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import DECIDE_WITHIN, Condition
from marketplace.orders.cases.states import CaseState as C

NEVER_BROUGHT: Final = "never brought back"


class OtherQuantity(Refusal):
    status = 422
    message = _l("Enter how many came back, from one up to what the case is about.")


def witness(
    session: Session, *, case: str, reach: Reach, actor: str, quantity: int, condition: Condition, why: str = ""
) -> None:
    """So many came back, in this condition; refund or exchange follows.

    Raises OtherQuantity, WithTheProvince, RefundedMeanwhile: what is taken back has to end in the one or the other."""
    row, parcel = deciding.get_undecided(session, case, reach, actor)
    if not 0 < quantity <= row.quantity:
        raise OtherQuantity(case)
    if row.state is C.APPROVED:
        paying_back.refuse_refunded(session, row, units=quantity)
    seen = {"returned_quantity": quantity, "condition": condition, "decide_by": clock.now() + DECIDE_WITHIN}
    deciding.move(session, row, parcel, C.GOODS_RETURNED, expected=C.APPROVED, actor=actor, why=why, **seen)


def call_off(session: Session, *, case: str, reach: Reach, actor: str, why: str) -> None:
    """Nothing comes back: the buyer keeps the goods, or what was brought is not what was sold. The buyer may appeal."""
    row, parcel = get_case(session, case, reach)
    deciding.move(session, row, parcel, C.CANCELLED, expected=C.APPROVED, actor=actor, why=why)


def call_off_overdue(session: Session) -> bool:
    """The worker's: one case whose goods were not brought in time; True if there was one."""
    due = select(AfterSalesCase.public_id).where(AfterSalesCase.state == C.APPROVED, AfterSalesCase.return_by <= clock.now())
    found = session.scalar(due.order_by(AfterSalesCase.id).limit(1))
    if found is None:
        return False
    row, parcel = get_case(session, found, EVERYWHERE)
    if row.state is C.APPROVED:  # else somebody was faster
        deciding.move(session, row, parcel, C.CANCELLED, expected=C.APPROVED, actor="system", why=NEVER_BROUGHT)
    return True
