"""An order in words and pictures: the way of each parcel, what to do when one is late or bad, where the money went."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.core import clock
from marketplace.core.formats import language, local_datetime, short_date
from marketplace.core.records import record
from marketplace.core.strata import Layer, Section, section
from marketplace.core.timeline import Stop
from marketplace.orders.cases.rules import CLAIM_WITHIN
from marketplace.orders.offline.pickup_keys import in_groups
from marketplace.orders.queries import MoneyShares, ShownParcel
from marketplace.orders.standing import TO_FETCH
from marketplace.orders.states import FINAL_PARCEL, ParcelState as S

TITLES: Final[dict[S, LazyString]] = {
    S.AWAITING_GROUP: _l("Waiting for the group to be complete"),
    S.AWAITING_ACCEPTANCE: _l("The station has the order"),
    S.ACCEPTED: _l("Accepted"),
    S.COLLECTING: _l("The growers are bringing it in"),
    S.PACKED: _l("Packed"),
    S.SHIPPED: _l("On the way"),
    S.READY_FOR_PICKUP: _l("Waiting for you at the station"),
    S.DELIVERED: _l("Arrived"),
    S.PICKED_UP: _l("Collected"),
    S.UNCOLLECTED: _l("Not collected yet"),
    S.LOST: _l("Lost in transit"),
    S.REFUSED: _l("The station could not send it"),
    S.CANCELLED: _l("Cancelled"),
    S.RETURNED_TO_SELLER: _l("Returned to the grower"),
    S.SETTLED: _l("Confirmed. The growers and the station are paid"),
}
CONFIRMED: Final = _l("Confirmed")
BY_COURIER: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING, S.PACKED, S.SHIPPED, S.DELIVERED, S.SETTLED)
BY_PICKUP: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING, S.PACKED, S.READY_FOR_PICKUP, S.PICKED_UP, S.SETTLED)
ARRIVED: Final = frozenset({S.DELIVERED, S.PICKED_UP, S.SETTLED})
NOT_LATE: Final = frozenset({S.AWAITING_GROUP, S.READY_FOR_PICKUP, S.UNCOLLECTED, S.LOST})
BACK_TO_THE_BUYER: Final = frozenset({S.REFUSED, S.CANCELLED, S.RETURNED_TO_SELLER})


def is_lost(parcel: ShownParcel) -> bool:
    """Growers and station have settled it between them; for the buyer it never came."""
    return S.LOST in parcel.steps


def timeline(parcel: ShownParcel, *, is_exchange: bool = False, was_paid: bool = True) -> list[Stop]:
    """Steps that were taken, the one that is now, and those ahead while the parcel is on its usual way; nobody is paid for
    a replacement."""
    titles = TITLES | ({S.SETTLED: CONFIRMED} if is_exchange else {})
    before = (S.AWAITING_GROUP,) if S.AWAITING_GROUP in parcel.steps else ()
    usual = (*before, *(BY_PICKUP if parcel.is_pickup else BY_COURIER))
    now = S.LOST if is_lost(parcel) else parcel.row.state
    told = explanation(parcel, was_paid=was_paid)
    taken = [state for state in parcel.steps if state not in {now, parcel.row.state}]
    if not parcel.is_pickup:  # what was never sent went back by way of the station's shelf: no step of its buyer's
        taken = [state for state in taken if state not in TO_FETCH]
    ahead = usual[usual.index(now) + 1 :] if now in usual else ()
    return [
        *(Stop("done", str(titles[state]), moment(parcel.steps[state])) for state in taken),
        Stop("done" if not ahead else "now", str(titles[now]), moment(parcel.steps.get(now)), told),
        *(Stop("ahead", str(titles[state])) for state in ahead),
    ]


def moment(at: datetime | None) -> str:
    return local_datetime(at, language()) if at else ""


def explanation(parcel: ShownParcel, *, was_paid: bool) -> str:
    """What the reader wants to know about where the parcel is now; what was never paid is not paid back."""
    row = parcel.row
    if row.state is S.AWAITING_GROUP:
        return str(_("The station begins once the group is complete."))
    if row.state is S.SHIPPED:
        told = {"carrier": row.carrier, "number": row.tracking_number, "day": short_date(row.promised_by, language())}
        return str(_("%(carrier)s %(number)s, arriving by %(day)s", **told))
    if row.state is S.READY_FOR_PICKUP:
        address = parcel.station.address_en if language() == "en" else parcel.station.address_zh
        return str(_("Your code: %(code)s. %(address)s", code=in_groups(row.pickup_code), address=address))
    if row.state in BACK_TO_THE_BUYER or is_lost(parcel):
        return str(_("Your refund comes automatically.") if was_paid else _("It is not billed."))
    return ""


def late_note(parcel: ShownParcel, today: date) -> str:
    """What happens next with a parcel that is not there on the promised day; empty for one that is in time."""
    row = parcel.row
    if row.promised_by >= today or row.state in FINAL_PARCEL | ARRIVED | NOT_LATE:
        return ""
    told = {"day": short_date(row.promised_by, language()), "phone": parcel.station.phone}
    if row.state is S.SHIPPED:
        return str(
            _(
                "Late: it was due by %(day)s. Call %(phone)s and the station will ask the courier where it is.",
                **told,
            )
        )
    return str(
        _("Late: it was promised by %(day)s. Call %(phone)s. What the station cannot send is refunded in full.", **told)
    )


@record
class Claim:
    """Until when something bad can be claimed, and how many full hours that leaves."""

    by: datetime
    hours: int


def claim(parcel: ShownParcel) -> Claim | None:
    """None before the parcel has arrived, and once its 48 hours are over."""
    row = parcel.row
    if row.state not in ARRIVED or row.delivered_at is None or is_lost(parcel):
        return None
    left = row.delivered_at + CLAIM_WITHIN - clock.now()
    return Claim(row.delivered_at + CLAIM_WITHIN, int(left.total_seconds()) // 3600) if left > timedelta() else None


def money(shares: MoneyShares) -> Section:
    """Where the money of a paid order went, as the books have it."""
    names: Any = (_("The growers"), _("The stations, for collecting and packing"), _("The couriers"))
    amounts = (shares.sellers, shares.stations, shares.shipping)
    return section([Layer(name, fen) for name, fen in zip(names, amounts, strict=True)] if shares.total else [])
