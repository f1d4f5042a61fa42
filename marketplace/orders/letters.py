"""How a buyer is written to about an order: one letter for one fact, the one way by which they want it."""

from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.notifications import messages, preferences
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.models import Order


def tell_buyer(session: Session, order: Order, *, fact: str, text: str) -> None:
    """To the phone that the order names; by e-mail to an account that has one and wants no SMS about orders.

    Who ordered as a guest has given a phone number alone."""
    buyer = session.get(Person, order.buyer_id) if order.buyer_id is not None else None
    addresses = (order.phone, buyer.email if buyer else None)
    kind = MessageKind.ORDERS
    address = preferences.first_wanted(session, person_id=order.buyer_id, kind=kind, addresses=addresses)
    messages.send(session, fact=fact, address=address, text=text, person_id=order.buyer_id, kind=kind)
