"""An institution whose claim its station did not agree to asks the province, once, within seven days; its word is the last.

The check stays as the station answered it. What the province grants comes off as if the station had agreed, also where the
statement was paid meanwhile: then it goes back. docs/adr/0061 says why."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.orders import disputed, fulfilment
from marketplace.orders.cases.opening import PaidByTheBank
from marketplace.orders.cases.rules import APPEAL_WITHIN
from marketplace.orders.institutions import checking, keeping, letters
from marketplace.orders.institutions.models import AccountOrder, GoodsCheck
from marketplace.orders.institutions.ordering import of_member
from marketplace.orders.institutions.states import CheckState
from marketplace.orders.models import Parcel


class TooLateToAsk(Refusal):
    message = _l("The seven days for asking the province are over.")


class AskedAlready(Refusal):
    message = _l("The province has been asked already.")


def may_ask(state: CheckState, ended_at: datetime | None, appealed_at: datetime | None) -> bool:
    """Of a check."""
    is_open = state is CheckState.REJECTED and appealed_at is None
    return is_open and ended_at is not None and clock.now() <= ended_at + APPEAL_WITHIN


def ask(session: Session, *, institution: str, parcel: str, words: str, person_id: int) -> None:
    """By a member. Raises NotFound, StaleState for what was not refused, AskedAlready, TooLateToAsk."""
    mine = of_member(session, institution, person_id)
    row = fulfilment.get_parcel(session, parcel, station=None)
    account, check = session.get(AccountOrder, row.order_id), check_of(session, row)
    if account is None or account.institution_id != mine.id or check is None:
        raise NotFound(parcel)
    if check.state is not CheckState.REJECTED:
        raise StaleState(f"{check.public_id}: {check.state}")
    if check.appealed_at is not None:
        raise AskedAlready(parcel)
    if not may_ask(check.state, check.ended_at, check.appealed_at):
        raise TooLateToAsk(parcel)
    check.appealed_at, check.appeal_words = clock.now(), words
    told = {"actor": f"person:{person_id}", "action": "goods_check.appealed", "why": words}
    audit.record(session, **told, subject=f"parcel:{row.public_id}")


def decide(session: Session, *, institution: int, check: str, grants: bool, why: str, person_id: int) -> None:
    """By somebody of the province who has no part in the institution. Raises NotFound for another institution's,
    OwnApplication, StaleState where nobody waits for an answer, PaymentIsDisputed, PaidByTheBank."""
    row, parcel = checking.of_station(session, check, None)
    account = session.get_one(AccountOrder, parcel.order_id)
    if account.institution_id != institution:
        raise NotFound(check)
    keeping.refuse_own(session, institution, person_id)
    if row.appealed_at is None or row.appeal_answered_at is not None:
        raise StaleState(f"{check}: nobody waits for an answer")
    row.appeal_answered_at, row.appeal_answer, row.appeal_is_granted = clock.now(), why, grants
    session.flush()
    if grants:
        disputed.refuse_disputed(session, parcel.order.number)
        if disputed.is_lost(session, parcel.order.number):
            raise PaidByTheBank(parcel.order.number)
        checking.credit_claims(session, row, parcel)
    told = {"actor": f"person:{person_id}", "action": f"goods_check.{'granted' if grants else 'upheld'}", "why": why}
    audit.record(session, **told, subject=f"parcel:{parcel.public_id}")
    letters.tell_of_decision(session, row, parcel)


def check_of(session: Session, parcel: Parcel) -> GoodsCheck | None:
    found = select(GoodsCheck).where(GoodsCheck.parcel_id == parcel.id)
    return session.scalar(found.execution_options(populate_existing=True))
