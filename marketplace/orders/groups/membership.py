"""What money does to a place in a group: paid, too late, never, or taken back before the group was complete.

Called by the commands of orders, which hold the order's lock. Locks are taken in one order everywhere: one's own order, the
group, parcels, stock; nobody who holds a group waits for an order (docs/adr/0027)."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.transitions import transition
from marketplace.orders.groups import reaching
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.groups.states import COMPLETE, COUNTED, JOINABLE, TAKING_ROOM, GroupState, MemberState as M
from marketplace.orders.models import Order
from marketplace.orders.states import ParcelState

ACTOR: Final = "system"


def waits(frozen: Sequence[Row[Any]]) -> bool:
    """Whether these lines of an order wait for a group."""
    return any(line.state is ParcelState.AWAITING_GROUP for line in frozen)


def may_pay(session: Session, order: Order) -> bool:
    """Whether the order's money can still be used. A place that was given up needs room again, in a group that is open.

    The group stays locked until the transaction ends."""
    member, group = hold(session, order)
    if member.state is M.HELD:
        return group.state is not GroupState.FAILED
    has_room = packs_in(session, group, TAKING_ROOM) + member.packs <= group.most_packs
    has_room &= packs_of(session, group, order.phone_fingerprint) + member.packs <= group.most_per_member
    return member.state is M.LAPSED and group.state in JOINABLE and clock.now() < group.closes_at and has_room


def pay(session: Session, order: Order) -> None:
    """The place is paid: it may be the one that completes the group. After that the station has it at once."""
    member, group = hold(session, order)
    transition(session, member, M.PAID, expected=member.state, actor=ACTOR, why="paid")
    if group.state in COMPLETE:
        reaching.free(session, group)
        reaching.close_if_full(session, group)
    elif packs_in(session, group, COUNTED) >= group.threshold_packs:
        reaching.reach(session, group, why="enough packs are paid")
    reaching.announce(session, group)


def lapse(session: Session, order: Order, why: str) -> None:
    """Not paid in time, or given up before: others may have the place."""
    member, group = hold(session, order)
    transition(session, member, M.LAPSED, expected=M.HELD, actor=ACTOR, why=why)
    reaching.announce(session, group)


def leave(session: Session, order: Order, *, actor: str, why: str) -> None:
    """Whoever paid takes it back: before the group is complete the place is free again, after that nothing changes in it.

    Does nothing for an order outside of groups. To be called before the order's parcels are looked at: the lock of the
    group is what keeps them from being freed meanwhile."""
    if find(session, order) is None:
        return
    member, group = hold(session, order)
    for parcel in order.parcels:
        session.refresh(parcel)
    if member.state is M.PAID:
        transition(session, member, M.REFUNDED, expected=M.PAID, actor=actor, why=why)
        reaching.announce(session, group)


def hold(session: Session, order: Order) -> tuple[GroupMember, GroupBuy]:
    """The order's place and its group, locked."""
    found = find(session, order)
    assert found is not None
    group = lock(session, found.group_id)
    session.refresh(found)
    return found, group


def find(session: Session, order: Order) -> GroupMember | None:
    return session.scalar(select(GroupMember).where(GroupMember.order_id == order.id))


def lock(session: Session, group: int) -> GroupBuy:
    wanted = select(GroupBuy).where(GroupBuy.id == group).with_for_update()
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def packs_of(session: Session, group: GroupBuy, phone_fingerprint: str) -> int:
    """Packs that one mobile number has in it."""
    counted = select(func.sum(GroupMember.packs)).join(Order, Order.id == GroupMember.order_id)
    counted = counted.where(GroupMember.group_id == group.id, GroupMember.state.in_(TAKING_ROOM))
    return int(session.scalar(counted.where(Order.phone_fingerprint == phone_fingerprint)) or 0)


def packs_in(session: Session, group: GroupBuy, states: frozenset[M]) -> int:
    """Packs of its members in these states."""
    counted = select(func.sum(GroupMember.packs)).where(GroupMember.group_id == group.id, GroupMember.state.in_(states))
    return int(session.scalar(counted) or 0)
