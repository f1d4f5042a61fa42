"""What a grower is told of after-sales cases about their goods: that there is one, and each decision about it.

A listener of the outbox. The letter says nothing about the buyer; what they wrote stands on the grower's page."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.core.languages import DEFAULT, speaking
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.cases import queries, telling
from marketplace.orders.cases.deciding import PAID_BY_BANK
from marketplace.orders.cases.finding import EVERYWHERE
from marketplace.orders.cases.opening import OPENED
from marketplace.orders.cases.queries import ShownCase

TEXTS: Final[dict[str, LazyString]] = {
    OPENED: _l("A buyer reported %(goods)s of order %(number)s: %(kind)s. The station decides. See %(url)s"),
    "refunded": _l("The buyer gets the money back for %(goods)s of order %(number)s. You may ask the province: %(url)s"),
    "exchanged": _l("%(goods)s of order %(number)s are sent once more for nothing, from your goods. See %(url)s"),
    "rejected": _l("The station refunds nothing for %(goods)s of order %(number)s. See %(url)s"),
    "cancelled": _l("The case about %(goods)s of order %(number)s is closed, nothing is refunded. See %(url)s"),
    PAID_BY_BANK: _l(
        "The buyer's bank gave the money back for %(goods)s of order %(number)s, which are at the station again. You give "
        "back what you had got for them. See %(url)s"
    ),
    "appeal_granted": _l(
        "The province decided about %(goods)s of order %(number)s: %(bearer)s Reason: %(why)s. See %(url)s"
    ),
    "appeal_left": _l("The province decided about %(goods)s of order %(number)s: it stays as it is. Reason: %(why)s"),
}
"""Of a decision of the province the one letter is enough, whatever it made of the case."""


def moved(*, case: str, fact: str) -> None:
    """The listener of `case.moved`."""
    if fact in TEXTS:
        in_transaction(tell, case=case, fact=fact)


def tell(session: Session, *, case: str, fact: str) -> None:
    shown = queries.show(session, case, EVERYWHERE)
    if is_told_otherwise(shown, fact):
        return
    seller = session.scalars(select(Person).where(Person.public_id == shown.line.seller_public_id)).one()
    with speaking(DEFAULT):
        text = words(shown, fact)
    messages.tell(session, seller, fact=f"case_seller_{fact}:{case}", text=text, kind=MessageKind.SELLING)


def is_told_otherwise(shown: ShownCase, fact: str) -> bool:
    """What was refunded at once is told as that; what the bank has refunded, or the province decided, in its own words."""
    if fact == OPENED:
        return shown.row.is_automatic
    if fact in {"refunded", "rejected", PAID_BY_BANK}:
        return shown.appeal is not None or (fact == "refunded" and shown.row.is_paid_by_bank)
    return False


def words(shown: ShownCase, fact: str) -> str:
    row, appeal = shown.row, shown.appeal
    told = {"number": shown.order.number, "goods": telling.goods(shown), "kind": telling.KINDS[row.kind]}
    told |= {"url": f"{settings().base_url}/seller/cases/{row.public_id}", "why": appeal.answer if appeal else ""}
    return str(TEXTS[fact]) % {**told, "bearer": telling.BORNE[appeal.bearer] if appeal and appeal.bearer else ""}
