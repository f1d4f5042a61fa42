"""What a buyer is told about a refund: what comes back and why; later that it is there, or that it did not get through.

Listeners of the outbox: in the buyer's language, each fact once."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.orders import letters, refunded
from marketplace.orders.institutions import payments
from marketplace.orders.models import Order
from marketplace.orders.refunded import ShownRefund


def requested(*, refund: str) -> None:
    in_transaction(tell, refund=refund, fact="requested")


def arrived(*, purpose: str, reference: str, refund: str) -> None:
    """The listener of `refund.succeeded`, which tells of gifts as well."""
    if purpose in payments.PURPOSES:
        in_transaction(tell, refund=refund, fact="arrived")


def failed(*, refund: str) -> None:
    in_transaction(tell, refund=refund, fact="failed")


def tell(session: Session, *, refund: str, fact: str) -> None:
    shown = refunded.one(session, refund)
    if shown is None:
        return  # a surplus: the order's page says so
    order = session.scalars(select(Order).where(Order.number == shown.order)).one()
    with speaking(order.language):
        text = words(shown, fact, is_english=order.language == "en")
    letters.tell_buyer(session, order, fact=f"refund_{fact}:{refund}", text=text)


def words(shown: ShownRefund, fact: str, *, is_english: bool) -> str:
    told = {"number": shown.order, "sum": yuan(shown.fen), "what": what(shown, is_english), "why": shown.why}
    if fact == "requested":
        return str(_("Order %(number)s: %(sum)s is on its way back to you, for %(what)s. Reason: %(why)s", **told))
    if fact == "arrived":
        return str(_("Order %(number)s: %(sum)s was refunded to where you paid from, for %(what)s.", **told))
    return str(_("Order %(number)s: the refund of %(sum)s did not get through. We are looking into it.", **told))


def what(shown: ShownRefund, is_english: bool) -> str:
    """The units, and the shipping where it comes back too."""
    titles = [each.title_en if is_english and each.title_en else each.title_zh for each in shown.units]
    counted = zip(titles, shown.units, strict=True)
    parts = [f"{title} × {each.quantity}" if each.quantity else title for title, each in counted]
    if shown.shipping_fen:
        parts.append(str(_("shipping %(sum)s", sum=yuan(shown.shipping_fen))))
    return (", " if is_english else "、").join(parts)
