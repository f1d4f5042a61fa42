"""再留一会儿: whoever needs longer to pay gets it once."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.core import clock, outbox
from marketplace.core.errors import Refusal
from marketplace.orders.models import Order
from marketplace.orders.paying import get_order
from marketplace.orders.placing import TIME_TO_PAY
from marketplace.orders.states import OrderState, ParcelState


class TooLateToProlong(Refusal):
    message = _l("The time to pay can be prolonged once, and only while it runs.")


def prolong(session: Session, *, number: str) -> None:
    """The goods are kept for another TIME_TO_PAY, once, if asked before the first is over.

    Raises NotFound, TooLateToProlong."""
    order = get_order(session, number)
    if not can_be_prolonged(order):
        raise TooLateToProlong(number)
    order.pay_by += TIME_TO_PAY
    outbox.put(session, "order.expires", after=order.pay_by - clock.now(), number=number)


def can_be_prolonged(order: Order) -> bool:
    """It waits for its money within its first TIME_TO_PAY: the two times say whether this was asked for before.

    A place in a group is not kept longer: others of the group wait for it."""
    is_first = order.pay_by <= order.placed_at + TIME_TO_PAY
    is_alone = all(parcel.state is not ParcelState.AWAITING_GROUP for parcel in order.parcels)
    return order.state is OrderState.PENDING_PAYMENT and is_first and clock.now() < order.pay_by and is_alone
