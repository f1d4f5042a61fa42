"""What partners' machines hear of orders: listeners of the outbox. Each hears of its own part, by public names alone."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.notifications.endpoints import EventKind
from marketplace.notifications.models import Endpoint
from marketplace.notifications.publishing import Audience, is_anybody_listening, listening, publish, write
from marketplace.orders import refunded
from marketplace.orders.institutions import payments
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import ParcelState as S
from marketplace.payments.models import Refund

OF_PARCELS: Final = {
    S.SHIPPED.value: EventKind.PARCEL_SHIPPED,
    S.DELIVERED.value: EventKind.PARCEL_DELIVERED,
    S.PICKED_UP.value: EventKind.PARCEL_DELIVERED,
}


def order_paid(*, number: str) -> None:
    """The listener of `order.paid`."""
    in_transaction(tell, tell_of_order, number=number)


def parcel_moved(*, parcel: str, state: str, **_what: str) -> None:
    """The listener of `parcel.moved`."""
    if state in OF_PARCELS:
        in_transaction(tell, tell_of_parcel, parcel=parcel, state=state)


def refund_succeeded(*, purpose: str, reference: str, refund: str) -> None:
    """The listener of `refund.succeeded`, which tells of gifts as well: only orders, however they were paid."""
    if purpose in payments.PURPOSES:
        in_transaction(tell, tell_of_refund, purpose=purpose, reference=reference, refund=refund)


def tell(session: Session, what: Callable[..., None], /, **of: str) -> None:
    if is_anybody_listening(session):
        what(session, **of)


def tell_of_order(session: Session, *, number: str) -> None:
    """The buyer and the province hear of all its parcels; a station, and who sells, of theirs."""
    order = session.scalars(select(Order).where(Order.number == number)).one()
    parcels = session.scalars(select(Parcel).where(Parcel.order_id == order.id).order_by(Parcel.number)).all()
    kind, theirs = EventKind.ORDER_PAID, dict[Endpoint, list[Parcel]]()
    for parcel in parcels:
        audience = Audience(sellers_of(session, parcel), frozenset({parcel.station_code}))
        for endpoint in listening(session, kind, audience):
            theirs.setdefault(endpoint, []).append(parcel)
    theirs |= {endpoint: list(parcels) for endpoint in listening(session, kind, Audience(buyer_of(order)))}
    told: dict[str, Any] = {"kind": kind, "fact": f"{kind}:{number}", "at": order.paid_at or clock.now()}
    for endpoint, seen in theirs.items():
        write(session, endpoint, **told, data=content(order, seen))


def tell_of_parcel(session: Session, *, parcel: str, state: str) -> None:
    row = session.scalars(select(Parcel).where(Parcel.public_id == parcel)).one()
    kind, people = OF_PARCELS[state], buyer_of(row.order) | sellers_of(session, row)
    audience = Audience(people, frozenset({row.station_code}))
    at = (row.dispatched_at if kind is EventKind.PARCEL_SHIPPED else row.delivered_at) or clock.now()
    data = {"order": row.order.number, "parcel": label(row.order, row), "state": state, "is_test": row.order.book == "test"}
    publish(session, kind=kind, fact=f"{kind}:{parcel}", at=at, audience=audience, data=data)


def tell_of_refund(session: Session, *, purpose: str, reference: str, refund: str) -> None:
    """The buyer, whose money it is, and the province. What a presale or a statement was paid too much for is no order's."""
    shown = refunded.one(session, refund)
    if shown is None and purpose != payments.OF_AN_ORDER:
        return
    number = shown.order if shown else reference
    order = session.scalars(select(Order).where(Order.number == number)).one()
    row = session.scalars(select(Refund).where(Refund.public_id == refund)).one()
    kind = EventKind.REFUND_SUCCEEDED
    data = {"order": number, "refund": refund, "fen": row.fen, "currency": row.currency, "is_test": order.book == "test"}
    audience = Audience(buyer_of(order))
    publish(session, kind=kind, fact=f"{kind}:{refund}", at=clock.now(), audience=audience, data=data)


def content(order: Order, parcels: Sequence[Parcel]) -> dict[str, Any]:
    labels = [label(order, parcel) for parcel in parcels]
    return {"order": order.number, "parcels": labels, "is_test": order.book == "test"}


def label(order: Order, parcel: Parcel) -> str:
    return f"{order.number}-{parcel.number}"


def buyer_of(order: Order) -> frozenset[int]:
    return frozenset() if order.buyer_id is None else frozenset({order.buyer_id})


def sellers_of(session: Session, parcel: Parcel) -> frozenset[int]:
    lines = select(Person.id).join(OrderLine, OrderLine.seller_public_id == Person.public_id)
    return frozenset(session.scalars(lines.where(OrderLine.parcel_id == parcel.id)))
