"""What a buyer is told about their case: what to do next, or what was decided and why. Refunds have letters of their own.

A listener of the outbox: in the buyer's language, each fact once."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.formats import full_date, language
from marketplace.core.languages import speaking
from marketplace.orders import letters
from marketplace.orders.cases import queries, telling
from marketplace.orders.cases.deciding import PAID_BY_BANK
from marketplace.orders.cases.finding import EVERYWHERE
from marketplace.orders.cases.queries import ShownCase

TEXTS: Final[dict[str, LazyString]] = {
    "approved": _l("Order %(number)s: please bring %(goods)s back to %(station)s by %(day)s."),
    "rejected": _l(
        "Order %(number)s: %(station)s did not agree about %(goods)s. Reason: %(why)s. You may ask the province."
    ),
    "cancelled": _l("Order %(number)s: the case about %(goods)s is closed without a return. %(why)s"),
    "exchanged": _l("Order %(number)s: a replacement for %(goods)s is on its way. You pay nothing."),
    PAID_BY_BANK: _l(
        "Order %(number)s: %(goods)s came back to %(station)s. Your bank has already given you the money back, so it is not "
        "refunded once more."
    ),
    "appeal_granted": _l("Order %(number)s: the province decided about %(goods)s: refund. Reason: %(why)s"),
    "appeal_left": _l("Order %(number)s: the province decided about %(goods)s: it stays as it is. Reason: %(why)s"),
}


def moved(*, case: str, fact: str) -> None:
    """The listener of `case.moved`."""
    if fact in TEXTS:
        in_transaction(tell, case=case, fact=fact)


def tell(session: Session, *, case: str, fact: str) -> None:
    shown = queries.show(session, case, EVERYWHERE)
    order = shown.order
    with speaking(order.language):
        text = words(shown, fact)
    letters.tell_buyer(session, order, fact=f"case_{fact}:{case}", text=text)


def words(shown: ShownCase, fact: str) -> str:
    row = shown.row
    decided = shown.appeal.answer if fact.startswith("appeal") and shown.appeal else telling.answer(row.answer)
    told = {"number": shown.order.number, "goods": telling.goods(shown), "why": decided}
    told |= {"station": telling.station_name(shown), "day": full_date(row.return_by, language()) if row.return_by else ""}
    return (str(TEXTS[fact]) % told).strip()
