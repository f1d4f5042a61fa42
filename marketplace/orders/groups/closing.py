"""A group's deadline: complete, prolonged once, or failed, and then whoever paid gets everything back.

Safe to be called early, late and twice: the outbox calls at the deadline, the worker looks every minute for the rest."""

from datetime import timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from listings.models import Listing
from listings.states import ListingState
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.transitions import transition
from marketplace.orders.groups import membership, reaching
from marketplace.orders.groups.joining import CLOSES, end_of
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.groups.states import COUNTED, GATHERING, JOINABLE, GroupState as G, MemberState as M

ACTOR: Final = "system"
GIVES_BACK: Final = "group.gives_back"  # the outbox's topic: one member of a group that failed
NEAR_ENOUGH_PERCENT: Final = 60  # of the threshold, with which it prolongs itself
GONE: Final = (ListingState.SUSPENDED, ListingState.ARCHIVED)


def close(*, group: str) -> None:
    """The listener of `group.closes`."""
    in_transaction(decide_by_name, group=group)


def close_one_due(session: Session) -> bool:
    """The worker's: one group whose deadline has passed, or whose goods are not for sale any more; True if there was one."""
    due = select(GroupBuy.id).outerjoin(Listing, Listing.code == GroupBuy.listing_code)
    is_over = GroupBuy.state.in_(JOINABLE) & (GroupBuy.closes_at <= clock.now())
    is_gone = GroupBuy.state.in_(GATHERING) & Listing.state.in_(GONE)
    found = session.scalar(due.where(or_(is_over, is_gone)).order_by(GroupBuy.id).limit(1))
    if found is None:
        return False
    decide(session, membership.lock(session, found))
    return True


def decide_by_name(session: Session, *, group: str) -> None:
    found = session.scalar(select(GroupBuy.id).where(GroupBuy.public_id == group))
    if found is not None:
        decide(session, membership.lock(session, found))


def decide(session: Session, group: GroupBuy) -> None:
    """What becomes of a locked group now; nothing before its deadline, unless its goods are gone."""
    if group.state in GATHERING and is_gone(session, group):
        fail(session, group, why="its goods are not for sale any more")
    elif group.state not in JOINABLE or clock.now() < group.closes_at:
        return
    elif group.state is G.REACHED:
        reaching.close(session, group, why="its time is over")
    else:
        decide_gathering(session, group)
    reaching.announce(session, group)


def decide_gathering(session: Session, group: GroupBuy) -> None:
    paid = membership.packs_in(session, group, COUNTED)
    if paid >= group.enough_packs:
        reaching.reach(session, group, why=f"{paid} of {group.threshold_packs} packs are enough")
        if group.state is G.REACHED:
            reaching.close(session, group, why="its time is over")
    elif group.state is G.OPEN and group.prolong_days and paid * 100 >= group.threshold_packs * NEAR_ENOUGH_PERCENT:
        prolong(session, group)
    else:
        fail(session, group, why=f"{paid} of {group.threshold_packs} packs")


def is_gone(session: Session, group: GroupBuy) -> bool:
    return session.scalar(select(Listing.state).where(Listing.code == group.listing_code)) in GONE


def prolong(session: Session, group: GroupBuy) -> None:
    """Once, by whole days; decided late it still gets them."""
    last = clock.local(group.closes_at - timedelta(seconds=1)).date()
    until = end_of(max(last, clock.today() - timedelta(days=1)) + timedelta(days=group.prolong_days))
    transition(session, group, G.PROLONGED, expected=G.OPEN, actor=ACTOR, why="near enough", closes_at=until)
    outbox.put(session, CLOSES, after=until - clock.now(), group=group.public_id)
    paid = select(GroupMember.public_id).where(GroupMember.group_id == group.id, GroupMember.state == M.PAID)
    told = {"group": group.public_id, "fact": "prolonged"}
    outbox.put_all(session, reaching.MOVED, [{**told, "member": member} for member in session.scalars(paid)])


def fail(session: Session, group: GroupBuy, *, why: str) -> None:
    """From here on no money counts for it. Each member is seen to by itself, so that none waits for another's."""
    transition(session, group, G.FAILED, expected=group.state, actor=ACTOR, why=why)
    waiting = select(GroupMember.public_id).where(GroupMember.group_id == group.id, GroupMember.state.in_((M.HELD, M.PAID)))
    outbox.put_all(session, GIVES_BACK, [{"member": member} for member in session.scalars(waiting.order_by(GroupMember.id))])
