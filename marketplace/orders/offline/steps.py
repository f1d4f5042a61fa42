"""The steps that a phone may write without a network: those that give no money back. The others wait for one."""

from collections.abc import Callable
from typing import Final

from marketplace.core.forms import Form
from marketplace.core.records import record
from marketplace.orders import fulfilment
from marketplace.orders.forms import DispatchForm, NothingForm, PackingForm, PickupForm
from marketplace.orders.quoting import COURIER, PICKUP as FETCHED
from marketplace.orders.states import ParcelState as S


@record
class OfflineStep:
    """Where it leads from and to, the command behind it, what is entered, and for which way of delivery it is."""

    here: S
    there: S
    command: Callable[..., None]
    form: type[Form] = NothingForm
    delivery: str = ""


PICKUP: Final = "pickup"
STEPS: Final = {
    "acceptance": OfflineStep(S.AWAITING_ACCEPTANCE, S.ACCEPTED, fulfilment.accept),
    "collection": OfflineStep(S.ACCEPTED, S.COLLECTING, fulfilment.collect),
    "packing": OfflineStep(S.COLLECTING, S.PACKED, fulfilment.pack, PackingForm),
    "dispatch": OfflineStep(S.PACKED, S.SHIPPED, fulfilment.ship, DispatchForm, COURIER),
    "shelving": OfflineStep(S.PACKED, S.READY_FOR_PICKUP, fulfilment.make_ready, delivery=FETCHED),
    PICKUP: OfflineStep(S.READY_FOR_PICKUP, S.PICKED_UP, fulfilment.hand_over, PickupForm),
    "no-show": OfflineStep(S.READY_FOR_PICKUP, S.UNCOLLECTED, fulfilment.leave_uncollected),
    "delivery": OfflineStep(S.SHIPPED, S.DELIVERED, fulfilment.deliver),
    "second-shelving": OfflineStep(S.UNCOLLECTED, S.READY_FOR_PICKUP, fulfilment.shelve_again),
}
