"""What members are told: the group is complete, or goes on for some days. What a failed one gives back has refund letters.

Listeners of the outbox: in the buyer's language, each fact once."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.formats import full_date, language
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.groups.models import GroupMember
from marketplace.orders.groups.telling import deadline
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.quoting import PICKUP


def moved(*, group: str, member: str, fact: str) -> None:
    """The listener of `group.moved`."""
    in_transaction(tell, member=member, fact=fact)


def tell(session: Session, *, member: str, fact: str) -> None:
    row = session.scalars(select(GroupMember).where(GroupMember.public_id == member)).one()
    order = row.order
    with speaking(order.language):
        text = words(session, row, order, fact)
    about: dict[str, Any] = {"person_id": order.buyer_id, "kind": MessageKind.ORDERS}
    messages.send(session, fact=f"group_{fact}:{member}", address=order.phone, text=text, **about)


def words(session: Session, member: GroupMember, order: Order, fact: str) -> str:
    parcel, line = session.execute(
        select(Parcel, OrderLine).join(OrderLine, OrderLine.parcel_id == Parcel.id).where(Parcel.order_id == order.id)
    ).one()
    goods = line.title_en if language() == "en" and line.title_en else line.title_zh
    told = {"number": order.number, "goods": f"{goods} × {line.quantity}"}
    if fact == "prolonged":
        told["day"] = deadline(member.group.closes_at)
        return str(_("Order %(number)s: the group for %(goods)s goes on until %(day)s. It is nearly complete.", **told))
    told["day"] = full_date(parcel.promised_by, language())
    if parcel.delivery == PICKUP:
        return str(_("Order %(number)s: the group for %(goods)s is complete. You can collect it by %(day)s.", **told))
    return str(_("Order %(number)s: the group for %(goods)s is complete. It arrives by %(day)s.", **told))
