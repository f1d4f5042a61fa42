"""An order in words and pictures: the sentence on top, the way of each parcel, where the money went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.core.formats import language, local_datetime, short_date
from marketplace.core.strata import Layer, Section, section
from marketplace.orders.models import Order
from marketplace.orders.queries import MoneyShares, ShownParcel
from marketplace.orders.states import OrderState, ParcelState as S


@dataclass(frozen=True)
class Stop:
    """As templates/ui/timeline.html wants it."""

    state: str
    title: str
    when: str = ""
    text: str = ""
    url: str = ""
    url_words: str = ""


TITLES: Final[dict[S, LazyString]] = {
    S.AWAITING_ACCEPTANCE: _l("The station has the order"),
    S.ACCEPTED: _l("Taken on"),
    S.COLLECTING: _l("Being collected from the growers"),
    S.PACKED: _l("Packed"),
    S.SHIPPED: _l("On the road"),
    S.READY_FOR_PICKUP: _l("Waiting for you at the station"),
    S.DELIVERED: _l("Arrived"),
    S.PICKED_UP: _l("Fetched"),
    S.UNCOLLECTED: _l("Nobody came for it yet"),
    S.LOST: _l("Lost on the way"),
    S.REFUSED: _l("The station could not send it"),
    S.CANCELLED: _l("Cancelled"),
    S.RETURNED_TO_SELLER: _l("Back at the grower's"),
    S.SETTLED: _l("Confirmed; growers and station are paid"),
}
BY_COURIER: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING, S.PACKED, S.SHIPPED, S.DELIVERED, S.SETTLED)
BY_PICKUP: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING, S.PACKED, S.READY_FOR_PICKUP, S.PICKED_UP, S.SETTLED)
BACK_TO_THE_BUYER: Final = frozenset({S.REFUSED, S.CANCELLED, S.RETURNED_TO_SELLER})
SENTENCES: Final[dict[OrderState, LazyString]] = {
    OrderState.PENDING_PAYMENT: _l("Waiting for your payment"),
    OrderState.PLACED_ON_ACCOUNT: _l("Ordered on account"),
    OrderState.PAID: _l("Paid. The stations are at work"),
    OrderState.COMPLETED: _l("All done. Enjoy it"),
    OrderState.EXPIRED: _l("Not paid in time, so the order is over"),
    OrderState.CANCELLED: _l("This order is cancelled"),
}


def sentence(order: Order, parcels: Sequence[ShownParcel], *, is_waiting: bool) -> str:
    """What is true of the order now, in one sentence."""
    if is_waiting:
        return str(_("We are asking the payment provider; please do not pay twice"))
    if order.state is OrderState.PAID and parcels:
        sent = sum(parcel.row.dispatched_at is not None for parcel in parcels)
        if sent == len(parcels):
            return str(_("Everything is on its way"))
        if sent:
            return str(_("%(sent)s of %(all)s parcels are on their way", sent=sent, all=len(parcels)))
    if order.state is OrderState.COMPLETED and any(map(is_lost, parcels)):
        return str(_("What was lost on the way is paid back to you"))
    return str(SENTENCES[order.state])


def is_lost(parcel: ShownParcel) -> bool:
    """Growers and station have settled it between them; for the buyer it never came."""
    return S.LOST in parcel.steps


def timeline(parcel: ShownParcel) -> list[Stop]:
    """Steps that were taken, the one that is now, and those ahead while the parcel is on its usual way."""
    usual = BY_PICKUP if parcel.is_pickup else BY_COURIER
    now = S.LOST if is_lost(parcel) else parcel.row.state
    taken = [state for state in parcel.steps if state not in {now, parcel.row.state}]
    ahead = usual[usual.index(now) + 1 :] if now in usual else ()
    return [
        *(Stop("done", str(TITLES[state]), moment(parcel.steps[state])) for state in taken),
        Stop("done" if not ahead else "now", str(TITLES[now]), moment(parcel.steps.get(now)), explanation(parcel)),
        *(Stop("ahead", str(TITLES[state])) for state in ahead),
    ]


def moment(at: datetime | None) -> str:
    return local_datetime(at, language()) if at else ""


def explanation(parcel: ShownParcel) -> str:
    """What the reader wants to know about where the parcel is now."""
    row = parcel.row
    if row.state is S.SHIPPED:
        told = {"carrier": row.carrier, "number": row.tracking_number, "day": short_date(row.promised_by, language())}
        return str(_("%(carrier)s %(number)s, there by %(day)s", **told))
    if row.state is S.READY_FOR_PICKUP:
        address = parcel.station.address_en if language() == "en" else parcel.station.address_zh
        return str(_("Your code: %(code)s. %(address)s", code=row.pickup_code, address=address))
    if row.state in BACK_TO_THE_BUYER or is_lost(parcel):
        return str(_("Your money goes back by itself."))
    return ""


def money(order: Order, shares: MoneyShares, parcels: Sequence[ShownParcel]) -> Section:
    """Where the money of a paid order went, as the books have it."""
    lost = [parcel.row for parcel in parcels if is_lost(parcel)]
    kept = [parcel.row for parcel in parcels if parcel.row.state not in BACK_TO_THE_BUYER and not is_lost(parcel)]
    shipping = sum(row.shipping_fen for row in kept)
    paid_by_stations = sum(row.goods_fen - row.service_fee_fen for row in lost)  # not by this order
    names: Any = (_("The growers"), _("The stations, for collecting and packing"), _("The couriers"))
    amounts = (shares.sellers - paid_by_stations, shares.stations + paid_by_stations - shipping, shipping)
    return section([Layer(name, fen) for name, fen in zip(names, amounts, strict=True)] if shares.total else [])
