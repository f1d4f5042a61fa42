"""What a buyer is told of a parcel that waits at the station: with its code, once more after three days, and a last time.

Listeners of the outbox: in the buyer's language, each fact once. Whoever shows the code gets the goods, so it goes to the
buyer's own phone or e-mail and stands on the order's page and among their messages; what a parcel's QR code leads strangers
to, and what partners' machines are told, never has it. Shelved again, it is waited for anew."""

from datetime import date, datetime
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.formats import full_date, language
from marketplace.core.languages import speaking
from marketplace.core.transitions import EventRow
from marketplace.orders import letters
from marketplace.orders.models import Order, Parcel
from marketplace.orders.offline.pickup_keys import in_groups
from marketplace.orders.pickups.rules import REMINDERS, kept_until
from marketplace.orders.states import ParcelState as S
from marketplace.stations.models import Station

REMINDS: Final = "pickup.reminds"  # the outbox's topic
TEXTS: Final[dict[str, LazyString]] = {
    "ready": _l(
        "Order %(number)s: your parcel waits at %(station)s, %(address)s, open %(hours)s. Pickup code %(code)s. "
        "It is kept until %(day)s."
    ),
    "again": _l(
        "Order %(number)s: your parcel still waits at %(station)s, %(address)s, open %(hours)s. Pickup code %(code)s. "
        "It is kept until %(day)s."
    ),
    "last": _l(
        "Order %(number)s: please fetch your parcel at %(station)s by %(day)s, or call %(phone)s to have it kept longer. "
        "Open %(hours)s. Pickup code %(code)s."
    ),
    "uncollected": _l(
        "Order %(number)s: nobody has fetched your parcel at %(station)s. Call %(phone)s to have it kept, before it goes "
        "back to the growers and you get your money back."
    ),
}


def parcel_moved(*, parcel: str, state: str, **_what: str) -> None:
    """The listener of `parcel.moved`."""
    if state == S.READY_FOR_PICKUP:
        in_transaction(tell_of_shelving, parcel=parcel)
    elif state == S.UNCOLLECTED:
        in_transaction(tell_of_no_show, parcel=parcel)


def tell_of_shelving(session: Session, *, parcel: str) -> None:
    shelvings = shelved_at(session, parcel)
    tell(session, parcel, "ready", len(shelvings))
    for what, after in REMINDERS.items():
        waits = shelvings[-1] + after - clock.now()
        outbox.put(session, REMINDS, after=waits, parcel=parcel, shelving=len(shelvings), what=what)


def tell_of_no_show(session: Session, *, parcel: str) -> None:
    tell(session, parcel, "uncollected", len(shelved_at(session, parcel)))


def remind(*, parcel: str, shelving: int, what: str) -> None:
    """The listener of REMINDS."""
    in_transaction(tell, parcel, what, shelving)


def tell(session: Session, parcel: str, what: str, shelving: int) -> None:
    """Nothing where it has been fetched meanwhile, or was shelved once more: that has reminders of its own; nor where the
    worker comes so late that the day is over until which it was kept."""
    row = session.scalars(select(Parcel).where(Parcel.public_id == parcel)).one()
    shelvings = shelved_at(session, parcel)
    waits_as = S.UNCOLLECTED if what == "uncollected" else S.READY_FOR_PICKUP
    if row.state is not waits_as or len(shelvings) != shelving:
        return
    if row.state is S.READY_FOR_PICKUP and kept_until(shelvings[-1]) < clock.today():
        return
    order, station = row.order, session.get_one(Station, row.station_code)
    with speaking(order.language):
        text = words(order, row, station, what, kept_until(shelvings[-1]))
    letters.tell_buyer(session, order, fact=f"pickup_{what}:{parcel}:{shelving}", text=text)


def shelved_at(session: Session, parcel: str) -> list[datetime]:
    """When it was put on the shelf, each time."""
    its = select(EventRow.at).where(EventRow.subject == f"parcel:{parcel}", EventRow.to_state == S.READY_FOR_PICKUP)
    return list(session.scalars(its.order_by(EventRow.id)))


def words(order: Order, parcel: Parcel, station: Station, what: str, day: date) -> str:
    is_english = language() == "en"
    place = (station.name_en, station.address_en, station.opening_hours_en)
    if not is_english:
        place = (station.name_zh, station.address_zh, station.opening_hours_zh)
    told = dict(zip(("station", "address", "hours"), place, strict=True))
    told |= {"number": order.number, "phone": station.phone, "code": in_groups(parcel.pickup_code)}
    return str(TEXTS[what]) % {**told, "day": full_date(day, language())}
