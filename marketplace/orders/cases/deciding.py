"""What a station decides about a request, unless the province was asked. Each decision is audited, with its words."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, outbox
from marketplace.core.errors import IllegalTransition, Refusal
from marketplace.core.transitions import transition
from marketplace.orders.cases import by_bank, paying_back
from marketplace.orders.cases.finding import Reach, appeal_of, get_case, refuse_own
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.opening import MOVED
from marketplace.orders.cases.rules import BRING_BACK_WITHIN, COMES_BACK, Bearer, Kind
from marketplace.orders.cases.states import CASE, AppealState, CaseState as C
from marketplace.orders.models import Parcel

PAID_BY_BANK: Final = "paid_by_bank"


class WithTheProvince(Refusal):
    message = _l("The province decides this case now.")


class NothingToReturn(Refusal):
    message = _l("What never arrived cannot be brought back. Refund it, or say why not.")


class SpoiledStays(Refusal):
    message = _l("What is bad in part is not brought back. Refund it, or say why not.")


class BringItBackFirst(Refusal):
    message = _l("The buyer changed their mind, so the goods have to come back before the refund.")


def approve(session: Session, *, case: str, reach: Reach, actor: str, why: str = "") -> None:
    """The goods are to be brought back to the station within BRING_BACK_WITHIN.

    Raises NothingToReturn, SpoiledStays, WithTheProvince, RefundedMeanwhile."""
    row, parcel = get_undecided(session, case, reach, actor)
    if row.kind not in COMES_BACK:
        raise NothingToReturn(case)
    if row.is_in_part:
        raise SpoiledStays(case)
    if row.state is C.REQUESTED:
        paying_back.refuse_refunded(session, row, units=row.quantity)
    until = clock.now() + BRING_BACK_WITHIN
    move(session, row, parcel, C.APPROVED, expected=C.REQUESTED, actor=actor, why=why, return_by=until)


def refund(session: Session, *, case: str, reach: Reach, actor: str, why: str = "") -> None:
    """The money goes back: without a return for a fault, or for what was brought back.

    Raises BringItBackFirst, WithTheProvince, RefundedMeanwhile, PaymentIsDisputed, PaidByTheBank."""
    row, parcel = get_undecided(session, case, reach, actor)
    if row.state is C.REQUESTED and row.kind is Kind.UNWANTED:
        raise BringItBackFirst(case)
    if row.state is C.REQUESTED:
        paying_back.refuse_refunded(session, row, units=row.quantity)
    pay_back(session, row, parcel, actor=actor, why=why)


def reject(session: Session, *, case: str, reach: Reach, actor: str, why: str) -> None:
    """No, and why not; the buyer may ask the province. Raises WithTheProvince."""
    row, parcel = get_undecided(session, case, reach, actor)
    move(session, row, parcel, C.REJECTED, expected=C.REQUESTED, actor=actor, why=why)


def get_undecided(session: Session, case: str, reach: Reach, actor: str) -> tuple[AfterSalesCase, Parcel]:
    """A case that this person of the station may decide. Raises NotFound, OwnPurchase, WithTheProvince."""
    row, parcel = get_case(session, case, reach)
    refuse_own(session, parcel.order, actor)
    appeal = appeal_of(session, row)
    if appeal is not None and appeal.state is AppealState.ASKED:
        raise WithTheProvince(case)
    return row, parcel


def pay_back(
    session: Session, case: AfterSalesCase, parcel: Parcel, *, actor: str, why: str, bearer: Bearer = Bearer.EACH
) -> None:
    """From where it stands to refunded; `bearer` bears what the buyer's bank has given back before us.

    Raises IllegalTransition before any money moves."""
    if C.REFUNDED not in CASE[case.state]:
        raise IllegalTransition(f"after_sales_case:{case.public_id}: {case.state} -> refunded")
    if by_bank.has_given(session, case, parcel, part := paying_back.part_due(session, case, parcel)):
        by_bank.keep(session, case, parcel, part, bearer)
        move(session, case, parcel, C.REFUNDED, expected=case.state, actor=actor, why=why, is_paid_by_bank=True)
        outbox.put(session, MOVED, case=case.public_id, fact=PAID_BY_BANK)
        return
    given = paying_back.give_back(session, case, parcel, reason=why or case.kind)
    move(session, case, parcel, C.REFUNDED, expected=case.state, actor=actor, why=why, refund_public_id=given)


def move(
    session: Session, case: AfterSalesCase, parcel: Parcel, to: C, *, expected: C, actor: str, why: str, **also: Any
) -> None:
    """One step of a case: its state, what was said to it, an audit record, and a letter to the buyer."""
    told = {"answer": why, "decided_at": clock.now(), **also}
    here = parcel.station_code
    transition(session, case, to, expected=expected, actor=actor, why=why or case.kind, station=here, **told)
    audit.record(session, actor=actor, action=f"case.{to}", subject=f"after_sales_case:{case.public_id}", why=why)
    outbox.put(session, MOVED, case=case.public_id, fact=to.value)
