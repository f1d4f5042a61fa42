"""What somebody is told about their review: that it was hidden, and why; what the province decided.

A listener of the outbox: in the language of the order, each fact once."""

from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.customer_reviews.models import CustomerReview
from listings.customer_reviews.words import REASONS
from marketplace.core.db import in_transaction
from marketplace.core.languages import speaking
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders import access
from marketplace.orders.models import Order, OrderLine, Parcel

TEXTS: Final[dict[str, LazyString]] = {
    "hidden": _l("Your review of %(goods)s is hidden: %(why)s. You can change it, or ask the province: %(link)s"),
    "restored": _l("The province decided about your review of %(goods)s: it is shown again. %(why)s"),
    "upheld": _l("The province decided about your review of %(goods)s: it stays hidden. %(why)s"),
}


def decided(*, review: str, fact: str) -> None:
    """The listener of `customer_review.decided`."""
    in_transaction(tell, review=review, fact=fact)


def tell(session: Session, *, review: str, fact: str) -> None:
    wanted = select(CustomerReview, OrderLine, Order).join(OrderLine, OrderLine.public_id == CustomerReview.order_line)
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).join(Order, Order.id == Parcel.order_id)
    found: Any = session.execute(wanted.where(CustomerReview.public_id == review)).one()
    row, line, order = found
    if fact == "hidden" and row.hidden_for is None:
        return  # written anew meanwhile, or shown again
    with speaking(order.language):
        text = words(row, line, order, fact)
    about: dict[str, Any] = {"person_id": order.buyer_id, "kind": MessageKind.ORDERS}
    times = f":{int(row.hidden_at.timestamp())}" if fact == "hidden" and row.hidden_at else ""
    messages.send(session, fact=f"review_{fact}:{review}{times}", address=order.phone, text=text, **about)


def words(row: CustomerReview, line: OrderLine, order: Order, fact: str) -> str:
    title = line.title_en if order.language == "en" and line.title_en else line.title_zh
    why = REASONS[row.hidden_for] if fact == "hidden" and row.hidden_for else row.appeal_answer
    key = access.link_key(order.number)
    told = {"goods": title, "why": why, "link": f"{settings().base_url}/orders/{order.number}?key={key}"}
    return (str(TEXTS[fact]) % told).strip()
