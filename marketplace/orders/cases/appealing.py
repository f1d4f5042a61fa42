"""The province is asked: by whom a decision went against, within seven days, or by the deadline. Its answer is the last."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, ids, outbox
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger import books
from marketplace.orders import refunding
from marketplace.orders.cases import deciding, paying_back
from marketplace.orders.cases.finding import EVERYWHERE, Reach, appeal_of, get_case, refuse_own
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal
from marketplace.orders.cases.opening import MOVED
from marketplace.orders.cases.rules import APPEAL_WITHIN, Bearer
from marketplace.orders.cases.states import MAY_APPEAL, AppealState, CaseState as C, Party
from marketplace.orders.models import Order, Parcel


class NotAppealable(Refusal):
    message = _l("There is no decision here that you could ask the province about.")


class TooLateToAppeal(Refusal):
    message = _l("The seven days for asking the province are over.")


class AskedBefore(Refusal):
    message = _l("The province has been asked about this case already.")


class GoodsAreBack(Refusal):
    message = _l("The goods are back at the station, so the money has to go back too.")


class BornAlready(Refusal):
    message = _l("Who bears this refund was decided before.")


def ask(session: Session, *, case: str, reach: Reach, party: Party, words: str, actor: str) -> str:
    """Ask the province, once for each case; returns the appeal's id. Raises NotAppealable, TooLateToAppeal, AskedBefore."""
    row, parcel = get_case(session, case, reach)
    if not is_appealable(row, party):
        raise NotAppealable(case)
    if appeal_of(session, row) is not None:
        raise AskedBefore(case)
    if clock.now() > appeal_until(session, row):
        raise TooLateToAppeal(case)
    return write_down(session, row, parcel, party, words, actor)


def may_ask(session: Session, case: AfterSalesCase, party: Party) -> bool:
    """Whether `ask` would be heard; for pages."""
    is_open = appeal_of(session, case) is None and clock.now() <= appeal_until(session, case)
    return is_open and is_appealable(case, party)


def is_appealable(case: AfterSalesCase, party: Party) -> bool:
    """What the bank has given back is decided, and who bears it with it."""
    is_theirs = party is not Party.STATION or case.is_automatic
    return case.state in MAY_APPEAL[party] and is_theirs and not case.is_paid_by_bank


def appeal_until(session: Session, case: AfterSalesCase) -> datetime:
    """Seven days after the decision; after an exchange seven days from when the replacement arrived, or from now."""
    decided = case.decided_at or case.opened_at
    if case.state is C.EXCHANGED:
        of_exchange = select(Parcel.delivered_at).join(Order, Order.id == Parcel.order_id)
        arrived = session.scalar(of_exchange.where(Order.number == case.exchange_number))
        decided = arrived or clock.now()
    return decided + APPEAL_WITHIN


def write_down(session: Session, case: AfterSalesCase, parcel: Parcel, party: Party, words: str, actor: str) -> str:
    asked = {"public_id": ids.public_id(), "case_id": case.id, "asked_by": party, "words": words}
    appeal = CaseAppeal(**asked, state=AppealState.ASKED, asked_at=clock.now())
    session.add(appeal)
    session.flush()
    leave_trace(session, appeal, None, AppealState.ASKED, actor=actor, why=party, station=parcel.station_code)
    subject = f"after_sales_case:{case.public_id}"
    audit.record(session, actor=actor, action="case.appealed", subject=subject, why="", by=party.value)
    outbox.put(session, MOVED, case=case.public_id, fact="appealed")
    return appeal.public_id


def ask_when_overdue(session: Session) -> bool:
    """The worker's: one case that its station left unanswered goes to the province; True if there was one."""
    overdue = select(AfterSalesCase.public_id).outerjoin(CaseAppeal, CaseAppeal.case_id == AfterSalesCase.id)
    overdue = overdue.where(AfterSalesCase.state.in_(sorted(MAY_APPEAL[Party.DEADLINE])), CaseAppeal.id.is_(None))
    due = overdue.where(AfterSalesCase.decide_by <= clock.now()).order_by(AfterSalesCase.decide_by)
    found = session.scalar(due.limit(1))
    if found is None:
        return False
    row, parcel = get_case(session, found, EVERYWHERE)
    if row.state in MAY_APPEAL[Party.DEADLINE] and appeal_of(session, row) is None:  # else somebody was faster
        write_down(session, row, parcel, Party.DEADLINE, "", "system")
    return True


def grant(session: Session, *, case: str, bearer: Bearer, why: str, actor: str) -> None:
    """The buyer gets the money, unless they have it, and `bearer` bears it.

    Raises NotFound where nobody asked, OwnPurchase, StaleState where it is answered, BornAlready, RefundedMeanwhile,
    GoodsAreBack of `refunding`, RefundDidNotArrive, PaymentIsDisputed, PaidByTheBank."""
    row, parcel, appeal = get_asked(session, case, actor)
    if row.is_open:
        deciding.pay_back(session, row, parcel, actor=actor, why=why, bearer=bearer)
    elif row.refund_public_id is None:
        if row.state is not C.EXCHANGED:
            refuse_later_case(session, row, parcel)
        row.refund_public_id = paying_back.give_back(session, row, parcel, reason=why)
        session.flush()
    if row.refund_public_id is not None:
        bear(session, row, row.refund_public_id, bearer)
    answer(session, row, appeal, AppealState.GRANTED, why=why, actor=actor, bearer=bearer)


def refuse_later_case(session: Session, case: AfterSalesCase, parcel: Parcel) -> None:
    """Nothing kept the units of a case that was turned down: a later one may have replaced the same, or have them back and
    could not end without them. Raises RefundedMeanwhile, GoodsAreBack of `refunding`, PaymentIsDisputed."""
    paying_back.refuse_refunded(session, case, units=case.units_due)
    refunding.refuse_returned(session, [paying_back.part_due(session, case, parcel)])


def bear(session: Session, case: AfterSalesCase, refund: str, bearer: Bearer) -> None:
    if books.is_posted(session, f"case_borne:{refund}"):
        raise BornAlready(case.public_id)
    paying_back.bear(session, refund, bearer)


def leave(session: Session, *, case: str, why: str, actor: str) -> None:
    """It stays as it is; a request that nobody answered is rejected. Raises GoodsAreBack, and as `grant`."""
    row, parcel, appeal = get_asked(session, case, actor)
    if row.state is C.GOODS_RETURNED:
        raise GoodsAreBack(case)
    if row.state is C.REQUESTED:
        deciding.move(session, row, parcel, C.REJECTED, expected=C.REQUESTED, actor=actor, why=why)
    answer(session, row, appeal, AppealState.LEFT, why=why, actor=actor, bearer=None)


def get_asked(session: Session, case: str, actor: str) -> tuple[AfterSalesCase, Parcel, CaseAppeal]:
    row, parcel = get_case(session, case, EVERYWHERE)
    refuse_own(session, parcel.order, actor)
    appeal = appeal_of(session, row)
    if appeal is None:
        raise NotFound(case)
    if appeal.state is not AppealState.ASKED:
        raise StaleState(f"case_appeal:{appeal.public_id}: no longer asked")
    return row, parcel, appeal


def answer(
    session: Session,
    case: AfterSalesCase,
    appeal: CaseAppeal,
    to: AppealState,
    *,
    why: str,
    actor: str,
    bearer: Bearer | None,
) -> None:
    told: dict[str, Any] = {"answer": why, "bearer": bearer, "decided_at": clock.now()}
    transition(session, appeal, to, expected=AppealState.ASKED, actor=actor, why=why, **told)
    subject, borne = f"after_sales_case:{case.public_id}", bearer.value if bearer else None
    audit.record(session, actor=actor, action=f"case.appeal_{to}", subject=subject, why=why, bearer=borne)
    outbox.put(session, MOVED, case=case.public_id, fact=f"appeal_{to}")
