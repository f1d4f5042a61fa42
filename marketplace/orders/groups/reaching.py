"""A group is complete: what its members paid for goes to the station, all in one transaction, which holds the group."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import clock, outbox, page_cache
from marketplace.core.transitions import transition
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.groups.states import COUNTED, GroupState, MemberState as M
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState as S

ACTOR: Final = "system"
MOVED: Final = "group.moved"  # the outbox's topic: what members are told


def reach(session: Session, group: GroupBuy, *, why: str) -> None:
    transition(session, group, GroupState.REACHED, expected=group.state, actor=ACTOR, why=why, reached_at=clock.now())
    free(session, group)
    close_if_full(session, group)


def free(session: Session, group: GroupBuy) -> None:
    """Every place that is paid is ordered: its parcel waits for the station from now on, and its promise begins to run."""
    paid = select(GroupMember, Parcel, Order.number).join(Order, Order.id == GroupMember.order_id)
    paid = paid.join(Parcel, Parcel.order_id == Order.id).where(
        GroupMember.group_id == group.id, GroupMember.state == M.PAID
    )
    found = session.execute(paid.order_by(GroupMember.id).execution_options(populate_existing=True)).all()
    for member, parcel, number in found:
        transition(session, member, M.ORDERED, expected=M.PAID, actor=ACTOR, why="the group is complete")
        told: dict[str, Any] = {"actor": ACTOR, "why": "the group is complete", "station": parcel.station_code}
        by = clock.today() + timedelta(days=member.days_to_arrive)
        days: dict[str, Any] = {"promised_by": by, "leave_by": by - (parcel.promised_by - parcel.leave_by)}
        transition(session, parcel, S.AWAITING_ACCEPTANCE, expected=S.AWAITING_GROUP, **told, **days)
        outbox.put(session, "order.paid", number=number)
        outbox.put(session, MOVED, group=group.public_id, member=member.public_id, fact="reached")


def close_if_full(session: Session, group: GroupBuy) -> None:
    """All packs are paid for: nobody joins any more."""
    counted = select(func.sum(GroupMember.packs)).where(GroupMember.group_id == group.id, GroupMember.state.in_(COUNTED))
    if group.state is GroupState.REACHED and int(session.scalar(counted) or 0) >= group.most_packs:
        close(session, group, why="all packs are paid")


def close(session: Session, group: GroupBuy, *, why: str) -> None:
    transition(session, group, GroupState.ORDERED, expected=GroupState.REACHED, actor=ACTOR, why=why)


def announce(session: Session, group: GroupBuy) -> None:
    """Pages that show how it stands are made anew."""
    page_cache.expire(session, tag_of(group.listing_code))


def tag_of(listing: str) -> str:
    """Of the pages that show a listing's groups."""
    return f"groups:{listing}"
