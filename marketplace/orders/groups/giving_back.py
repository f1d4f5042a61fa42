"""A member of a group that failed: what was paid goes back, what was not paid is withdrawn at the gateway first."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.orders import paying, undelivered
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.groups.states import GroupState, MemberState as M
from marketplace.orders.models import Order
from marketplace.orders.states import OrderState

ACTOR: Final = "system"
WHY: Final = "the group failed"


def give_back(*, member: str) -> None:
    """The listener of `group.gives_back`. Raises OutcomeUnknown while the gateway does not answer: it is called again."""
    number, state = in_transaction(place_of, member=member)
    if state is M.HELD:
        paying.withdraw(number, OrderState.CANCELLED, actor=ACTOR, why=WHY)
    in_transaction(refund, number=number)


def place_of(session: Session, *, member: str) -> tuple[str, M]:
    wanted = select(Order.number, GroupMember.state).join(GroupMember, GroupMember.order_id == Order.id)
    row = session.execute(wanted.where(GroupMember.public_id == member)).one()
    return row.number, row.state


def refund(session: Session, *, number: str) -> None:
    """Once: who left meanwhile, or never paid, has nothing there."""
    order = paying.get_order(session, number)
    wanted = select(GroupMember.state, GroupBuy.state.label("group_state")).join(
        GroupBuy, GroupBuy.id == GroupMember.group_id
    )
    row = session.execute(wanted.where(GroupMember.order_id == order.id)).one()
    if row.state is M.PAID and row.group_state is GroupState.FAILED and order.state is OrderState.PAID:
        undelivered.call_off(session, order, actor=ACTOR, why=WHY, reason="group failed")
