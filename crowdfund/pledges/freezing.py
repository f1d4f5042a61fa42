"""A pledge that ends before its device was handed over: who gets what back."""

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crowdfund.pledges import reminders
from crowdfund.pledges.models import Assignment, ChildCase, Pledge, Programme, Voucher
from crowdfund.pledges.states import ACTIVE, CaseState as C, PledgeState as P, VoucherState as V
from crowdfund.pledges.steps import changed, move
from marketplace.core import clock, outbox


def end(session: Session, pledge: Pledge, there: P, *, actor: str, why: str, voucher_to: V | None = None) -> None:
    """The pledge ends `there`: the child goes back to the list with the waiting time it had, the voucher is free again.

    `voucher_to`: where the voucher goes instead, such as `reversed`. Raises IllegalTransition, StaleState."""
    move(session, pledge, pledge.state, there, actor=actor, why=why)
    free_voucher(session, pledge, actor=actor, why=why, voucher_to=voucher_to)
    case = session.get_one(ChildCase, pledge.case_id, with_for_update=True, populate_existing=True)
    if case.state in {C.HELD, C.MATCHED}:
        move(session, case, case.state, C.LISTED, actor=actor, why=why)
    give_quota_back(session, pledge)


ENDS: Final = {
    P.HELD: P.CANCELLED,
    P.PROVISIONAL: P.REVOKED,
    P.ON_HOLD: P.REVOKED,
    P.CONFIRMED: P.REVOKED,
    P.ALLOCATED: P.REASSIGNED,
    P.AT_STATION: P.REASSIGNED,
}
"""How a pledge ends whose child is taken from the list."""


def freeze(session: Session, *, case: ChildCase, actor: str, why: str) -> None:
    """The child's family wants it no more, or the child is gone: whatever pledge there is stops where it stands.

    What the bank has not confirmed waits for a person; a device on its way stays where it is, free for another child."""
    pledge = active_pledge(session, case)
    if pledge is None:
        return
    if pledge.state not in {P.PROVISIONAL, P.ON_HOLD}:
        part(session, pledge, actor=actor, why=why)
        return
    outbox.put(session, reminders.CHILD_GONE, pledge=pledge.public_id)
    if pledge.state is P.PROVISIONAL:
        move(session, pledge, P.PROVISIONAL, P.ON_HOLD, actor=actor, why=why)


def let_go(session: Session, *, case: ChildCase, actor: str, why: str) -> None:
    """The child is off the list for a while: the pledge ends, and its saver may choose another child at once."""
    pledge = active_pledge(session, case)
    if pledge is not None:
        part(session, pledge, actor=actor, why=why)


def active_pledge(session: Session, case: ChildCase) -> Pledge | None:
    active = select(Pledge).where(Pledge.case_id == case.id, Pledge.state.in_(ACTIVE))
    return session.scalar(active.with_for_update())


def part(session: Session, pledge: Pledge, *, actor: str, why: str) -> None:
    """The pledge ends without its child: the voucher is free again, and so is a device, wherever it lies."""
    outbox.put(session, reminders.CHILD_GONE, pledge=pledge.public_id)
    move(session, pledge, pledge.state, ENDS[pledge.state], actor=actor, why=why)
    free_voucher(session, pledge, actor=actor, why=why)
    give_quota_back(session, pledge)
    release = update(Assignment).where(Assignment.pledge_id == pledge.id, Assignment.released_at.is_(None))
    session.execute(release.values(released_at=clock.now(), released_for="child", code_fingerprint=None))


def free_voucher(session: Session, pledge: Pledge, *, actor: str, why: str, voucher_to: V | None = None) -> None:
    voucher = session.get_one(Voucher, pledge.voucher_id, with_for_update=True, populate_existing=True)
    if voucher.state is V.DISPUTED:  # two people decide what becomes of it
        return
    there = voucher_to or (V.VERIFIED if voucher.confirmed_at else V.CLAIMED)
    if voucher.state is not there:
        move(session, voucher, voucher.state, there, actor=actor, why=why)


def give_quota_back(session: Session, pledge: Pledge) -> None:
    less = update(Programme).where(Programme.id == pledge.programme_id).values(claimed=Programme.claimed - 1)
    session.execute(less)
    changed(session)
