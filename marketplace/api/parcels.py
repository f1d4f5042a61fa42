"""A station's parcels for its own programs: what the desk's pages show, and the steps that are taken there."""

from collections.abc import Collection
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.api.buying import instead_of, lines_of, parcel_values
from marketplace.api.doors import Unfit, check, typed
from marketplace.api.writing_schemas import NewStep, ParcelAnswer, RecipientAnswer
from marketplace.core.errors import NotFound
from marketplace.orders import desk
from marketplace.orders.fulfilment import WrongPickupCode
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState
from marketplace.orders.views.desk import STEPS

GIVEN: Final = ("shelf", "carrier", "tracking_number", "code", "reason")


class OtherCode(WrongPickupCode):
    """`wrong` points at it."""

    def __init__(self, parcel: str) -> None:
        super().__init__(parcel)
        self.wrong = [("#/code", str(self.message))]


def get(session: Session, number: str, stations: Collection[str] | None) -> Parcel:
    """The parcel with this label, at one of these stations, None: at any. Raises NotFound for all others."""
    order, _hyphen, place = number.rpartition("-")
    wanted = select(Parcel).join(Order, Order.id == Parcel.order_id)
    wanted = wanted.where(Order.number == order, Parcel.number == (int(place) if is_small(place) else 0))
    if stations is not None:
        wanted = wanted.where(Parcel.station_code.in_(stations), Parcel.state != ParcelState.AWAITING_GROUP)
    found = session.scalar(wanted)
    if found is None:
        raise NotFound(number)
    return found


def is_small(place: str) -> bool:
    return place.isascii() and place.isdigit() and len(place) <= 3


def show(session: Session, *, number: str, stations: Collection[str] | None, with_recipient: bool) -> ParcelAnswer:
    """Four statements. Raises NotFound."""
    parcel = get(session, number, stations)
    order = session.get_one(Order, parcel.order_id)
    inside = lines_of(session, [parcel])[parcel.id], instead_of(session, [parcel])[parcel.id]
    return ParcelAnswer(
        **parcel_values(order.number, parcel, *inside),
        order=order.number,
        shelf=parcel.shelf,
        next_step=desk.next_step(parcel.state, parcel.delivery),
        recipient=recipient_of(order) if with_recipient else None,
    )


def recipient_of(order: Order) -> RecipientAnswer:
    where = {"province": order.province_code, "city": order.city, "street": order.street}
    return RecipientAnswer(name=order.recipient, phone=order.phone, note=order.note, **where)


def fields_of(asked: NewStep) -> dict[str, Any]:
    """What goes with this step, by the rules of the desk's own form. Raises Unfit, also for what does not go with it."""
    form = STEPS[asked.step].form(typed(**{name: getattr(asked, name) for name in GIVEN}))
    needless = [name for name in GIVEN if getattr(asked, name) is not None and name not in form]
    if needless:
        raise Unfit(*((f"#/{name}", _("This step takes no such thing.")) for name in needless))
    check(form, {name: f"#/{name}" for name in GIVEN})
    return form.data


def limit(parcel: str, asked: NewStep) -> None:
    """Pickup codes are not to be guessed, neither here nor at the desk. Raises TooMany."""
    if asked.step == "pickup":
        hit("pickup", parcel, limit=20, seconds=HOUR)


def take_step(
    session: Session, *, number: str, stations: Collection[str] | None, step: str, actor: str, fields: dict[str, Any]
) -> ParcelAnswer:
    """Raises NotFound, OtherCode, and what the step refuses."""
    parcel = get(session, number, stations)
    whose = {"parcel": parcel.public_id, "station": parcel.station_code, "actor": actor}
    try:
        STEPS[step].command(session, **whose, **fields)
    except WrongPickupCode:
        raise OtherCode(number) from None
    session.flush()
    return show(session, number=number, stations=stations, with_recipient=False)
