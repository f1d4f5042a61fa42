"""How an order stands, in one sentence: read from where its parcels are, the same on its page and in the list."""

from collections.abc import Sequence
from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l, ngettext

from marketplace.core.formats import language
from marketplace.core.records import record
from marketplace.orders.states import ARRIVED, OrderState, ParcelState as S


@record
class Standing:
    """Where one parcel is, and whose it is to send."""

    state: S
    station_zh: str
    station_en: str

    @property
    def station(self) -> str:
        return self.station_en if language() == "en" else self.station_zh


GIVEN_BACK: Final = frozenset({S.REFUSED, S.CANCELLED})
WAITING: Final = frozenset({S.AWAITING_GROUP})
AT_WORK: Final = frozenset({S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING, S.PACKED})
TO_FETCH: Final = frozenset({S.READY_FOR_PICKUP, S.UNCOLLECTED})
SAID_ALIKE: Final = frozenset({S.PACKED, S.SHIPPED, *TO_FETCH, *ARRIVED})  # whether it is paid or on account
KINDS: Final = (TO_FETCH, ARRIVED, *(frozenset({each}) for each in (S.LOST, S.SHIPPED)), AT_WORK, WAITING)
KINDS_AFTER: Final = (frozenset({S.SETTLED}), frozenset({S.RETURNED_TO_SELLER}))

WITHOUT_PARCELS: Final[dict[OrderState, LazyString]] = {
    OrderState.PENDING_PAYMENT: _l("Waiting for your payment"),
    OrderState.PLACED_ON_ACCOUNT: _l("Ordered on account. The stations are working on it"),
    OrderState.PAID: _l("Paid. The stations are working on it"),
    OrderState.COMPLETED: _l("All done. Enjoy!"),
    OrderState.EXPIRED: _l("Not paid in time, so the order has expired"),
    OrderState.CANCELLED: _l("This order is cancelled"),
}
OF_ONE_STATE: Final[dict[S, LazyString]] = {
    S.AWAITING_GROUP: _l("Paid. Waiting for the group to be complete"),
    S.AWAITING_ACCEPTANCE: _l("Paid. The station will check it soon"),
    S.ACCEPTED: _l("Paid. The station has accepted it"),
    S.COLLECTING: _l("The growers are bringing it in"),
    S.PACKED: _l("Packed and leaving soon"),
    S.PICKED_UP: _l("Collected. Please open it and check"),
}
OF_A_REPLACEMENT: Final[dict[S, LazyString]] = {
    S.AWAITING_ACCEPTANCE: _l("A replacement, nothing to pay. The station will check it soon"),
    S.ACCEPTED: _l("A replacement, nothing to pay. The station has accepted it"),
}


def sentence(
    state: OrderState,
    parcels: Sequence[Standing],
    *,
    is_waiting: bool = False,
    was_paid: bool = True,
    is_exchange: bool = False,
) -> str:
    """What is true of the order now. `is_waiting`: the gateway is being asked; `was_paid`: money has come in;
    `is_exchange`: it is a replacement, of one parcel, that nobody paid for."""
    if is_waiting:
        return str(_("Checking with the payment provider. Please do not pay twice"))
    if state is OrderState.CANCELLED:
        return str(_("Cancelled. Your money is on its way back") if was_paid else _("Cancelled. You were not charged"))
    if state is OrderState.PLACED_ON_ACCOUNT and parcels and {each.state for each in parcels} <= SAID_ALIKE:
        return of_parcels(parcels)
    if is_exchange and parcels and (said := OF_A_REPLACEMENT.get(parcels[0].state)):
        return str(said)
    if state in {OrderState.PAID, OrderState.COMPLETED} and parcels:
        return of_parcels(parcels)
    return str(WITHOUT_PARCELS[state])


def of_parcels(parcels: Sequence[Standing]) -> str:
    """One sentence where all are alike, else how many are where: first what waits for the reader."""
    alive = [parcel for parcel in parcels if parcel.state not in GIVEN_BACK]
    groups = [[parcel for parcel in alive if parcel.state in kind] for kind in (*KINDS, *KINDS_AFTER)]
    present = [group for group in groups if group]
    told = [whole(present[0])] if len(present) == 1 else [part(group) for group in present]
    told += [part(gone) for each in (S.REFUSED, S.CANCELLED) if (gone := [row for row in parcels if row.state is each])]
    text = (", " if language() == "en" else "，").join(told)
    return text[:1].upper() + text[1:]


def whole(group: Sequence[Standing]) -> str:
    """All parcels of an order are of this kind."""
    states = {parcel.state for parcel in group}
    stations = names(group)
    if states <= TO_FETCH:
        return str(_("Waiting for you at %(station)s", station=stations))
    if S.LOST in states:
        return str(_("Lost in transit. Your money is on its way back"))
    if S.SHIPPED in states:
        return str(_("On the way") if len(group) == 1 else _("Everything is on its way"))
    if S.SETTLED in states:
        return str(_("All done. Enjoy!"))
    if S.RETURNED_TO_SELLER in states:
        return str(_("Not collected, so it went back to the grower"))
    if len(states) == 1 and (known := OF_ONE_STATE.get(group[0].state)):
        return str(known)
    return str(_("Delivered. Please open it and check")) if states <= ARRIVED else str(WITHOUT_PARCELS[OrderState.PAID])


def part(group: Sequence[Standing]) -> str:
    """Some of an order's parcels are of this kind."""
    state, number = group[0].state, len(group)
    if state in TO_FETCH:
        return str(
            ngettext(
                "%(num)s parcel is waiting for you at %(station)s",
                "%(num)s parcels are waiting for you at %(station)s",
                number,
                station=names(group),
            )
        )
    if state in ARRIVED:
        return str(
            ngettext(
                "%(num)s parcel has arrived; please check it", "%(num)s parcels have arrived; please check them", number
            )
        )
    if state in WAITING:
        return str(ngettext("%(num)s parcel waits for its group", "%(num)s parcels wait for their groups", number))
    if {each.state for each in group} == {S.AWAITING_ACCEPTANCE}:
        return str(ngettext("%(num)s parcel waits for its station", "%(num)s parcels wait for their stations", number))
    if state in AT_WORK:
        return str(ngettext("%(num)s parcel is being prepared", "%(num)s parcels are being prepared", number))
    if state is S.REFUSED:
        return str(
            ngettext(
                "%(num)s parcel could not be sent and is refunded",
                "%(num)s parcels could not be sent and are refunded",
                number,
            )
        )
    if state is S.CANCELLED:
        return str(ngettext("%(num)s parcel is cancelled", "%(num)s parcels are cancelled", number))
    if state is S.SHIPPED:
        return str(ngettext("%(num)s parcel is on its way", "%(num)s parcels are on their way", number))
    if state is S.LOST:
        return str(ngettext("%(num)s parcel was lost and is refunded", "%(num)s parcels were lost and are refunded", number))
    if state is S.SETTLED:
        return str(ngettext("%(num)s parcel is done", "%(num)s parcels are done", number))
    return str(ngettext("%(num)s parcel went back to the grower", "%(num)s parcels went back to the growers", number))


def names(group: Sequence[Standing]) -> str:
    """The stations of some parcels, each once."""
    return (", " if language() == "en" else "、").join(dict.fromkeys(parcel.station for parcel in group))
