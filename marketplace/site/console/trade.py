"""Which orders and parcels the console's figures count; a figure and its rows are of the same words of SQL.

An order counts at the moment it was placed, once it is paid or stands on account, whatever is refunded of it later. What is
sent in exchange is no order of its own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, or_, select

from marketplace.core import clock
from marketplace.core.hours import hours_after
from marketplace.orders.backlog import TO_PACK
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import GOES_AHEAD, OrderState, ParcelState as S
from marketplace.site.console.periods import Period
from marketplace.stations.models import Station

Conditions = tuple[ColumnElement[bool], ...]
SOON: Final = 24  # hours in which a parcel shall be on its way
LATE: Final = 48
UNSENT: Final = (*TO_PACK, S.PACKED)
SHELVED: Final = (S.PACKED, S.READY_FOR_PICKUP, S.UNCOLLECTED)
NEVER_SENT: Final = (S.AWAITING_GROUP, S.REFUSED, S.CANCELLED)


def taken(since: datetime, until: datetime, book: str) -> Conditions:
    """Orders of this time."""
    is_taken = Order.paid_at.is_not(None) | (Order.state == OrderState.PLACED_ON_ACCOUNT)
    return (Order.placed_at >= since, Order.placed_at < until, is_taken, ~Order.is_exchange, Order.book == book)


def ordered(period: Period, book: str) -> Conditions:
    """Their parcels."""
    return taken(period.since, period.until, book)


def due(period: Period, book: str) -> Conditions:
    """Parcels whose 24 hours ended in the period; a group's begin when it is complete, so that they are left out."""
    day = timedelta(hours=SOON)
    in_group = exists().where(GroupMember.order_id == Order.id)
    return (*taken(period.since - day, period.until - day, book), Parcel.state.not_in(NEVER_SENT), ~in_group)


def in_time() -> Any:
    """Of a parcel: it was on its way, or on the pickup shelf, within 24 hours of the order."""
    return Parcel.dispatched_at <= hours_after(Order.placed_at, SOON)


def late(_period: Period, book: str) -> Conditions:
    """Now: parcels that nobody has sent in 48 hours."""
    return (*waiting_in(UNSENT, book), *waited_since(clock.now() - timedelta(hours=LATE)))


def waited_since(before: datetime) -> Conditions:
    """Of a parcel that waits: it was ordered before then; one of a group, and the group was complete."""
    of_group = exists().where(GroupMember.order_id == Order.id, GroupMember.group_id == GroupBuy.id)
    too_new = of_group.where(or_(GroupBuy.reached_at.is_(None), GroupBuy.reached_at >= before))
    return (Order.placed_at < before, ~too_new)


def open_now(_period: Period, book: str) -> Conditions:
    """Now: whatever a station has still to send or to hand over."""
    return waiting_in(tuple(dict.fromkeys((*UNSENT, *SHELVED))), book)


def shelved(_period: Period, book: str) -> Conditions:
    """Now: parcels that stand packed on a shelf."""
    return waiting_in(SHELVED, book)


def waiting_in(states: tuple[S, ...], book: str) -> Conditions:
    """Named by station as well: so the index of both finds them."""
    at_a_station = Parcel.station_code.in_(select(Station.code))
    return (at_a_station, Parcel.state.in_(states), Order.state.in_(GOES_AHEAD), Order.book == book)


def sent(period: Period, book: str) -> Conditions:
    return (Parcel.dispatched_at >= period.since, Parcel.dispatched_at < period.until, Order.book == book)


WHICH: Final[dict[str, tuple[LazyString, Callable[[Period, str], Conditions]]]] = {
    "ordered": (_l("Ordered"), ordered),
    "due": (_l("To be sent within 24 hours"), due),
    "sent": (_l("Left the station"), sent),
    "late": (_l("Not sent after 48 hours"), late),
    "open": (_l("At the stations now"), open_now),
    "shelf": (_l("On the shelf now"), shelved),
}
