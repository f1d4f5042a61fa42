"""Promotions of the demonstration and what came of them: the province's code for a new autumn, a seller's own, and one that
waits for a second operator; two orders used them, and both buyers asked for an invoice."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.demo.people import ids_of, person_id
from marketplace.orders.invoices import issuing, requesting
from marketplace.orders.invoices.models import Invoice, InvoiceRequest
from marketplace.orders.invoices.requesting import Wanted
from marketplace.orders.invoices.states import InvoiceKind, Issuer
from marketplace.orders.models import Order
from marketplace.orders.promotions import ending, making
from marketplace.orders.promotions.making import Terms
from marketplace.orders.promotions.models import Promotion, PromotionUse
from marketplace.orders.promotions.states import Kind

Deed = tuple[datetime, Callable[[], None]]
BEGAN: Final = timedelta(days=22)
AUTUMN, MILLET = "XINQIU", "QINZHOU"
USED: Final = {("1", "12:41"): AUTUMN, ("20", "09:31"): MILLET}
"""Rows of orders.csv, by day and time, and the code that was typed."""

COMPANY: Final = Wanted(InvoiceKind.COMPANY, "太原示例食品有限公司（示例）", "invoice@demo.example", "91140100MA0GT1234P")
PERSON: Final = Wanted(InvoiceKind.PERSONAL, "王晓雯", "buyer@demo.example")


def deeds() -> list[Deed]:
    """(when, what)."""
    now = clock.now()
    return [(now - BEGAN, partial(in_transaction, begin)), (now - timedelta(minutes=50), partial(in_transaction, ask))]


def begin(session: Session) -> None:
    people = ids_of(session, [person_id(name) for name in ("operator", "operator2", "seller")])
    maker, approver, seller = (people[person_id(name)] for name in ("operator", "operator2", "seller"))
    today = clock.today()
    days: dict[str, Any] = {"first_day": today, "last_day": today + timedelta(days=60)}
    ten = Terms("新秋满减", "New autumn", AUTUMN, Kind.AMOUNT, 300_000, **days, amount_fen=1000, threshold_fen=9900)
    made = making.make(session, terms=ten, person_id=maker)
    ending.submit(session, promotion=made, seller=None, person_id=maker)
    ending.approve(session, promotion=made, person_id=approver)
    millet = Terms("沁州黄九折", "Millet, 10% off", MILLET, Kind.PERCENT, 100_000, **days, percent=10, most_fen=2000)
    own = making.make(session, terms=millet, person_id=seller, seller=person_id("seller"))
    ending.submit(session, promotion=own, seller=person_id("seller"), person_id=seller)
    free = Terms("冬储免运费", "Free winter shipping", "", Kind.FREE_SHIPPING, 200_000, **days, threshold_fen=19_900)
    waits = making.make(session, terms=free, person_id=maker)
    ending.submit(session, promotion=waits, seller=None, person_id=maker)


def ask(session: Session) -> None:
    """The seller has issued theirs for the first order already."""
    for code, wanted in ((AUTUMN, COMPANY), (MILLET, PERSON)):
        number = session.scalar(
            select(Order.number)
            .join(PromotionUse, PromotionUse.order_number == Order.number)
            .join(Promotion, Promotion.id == PromotionUse.promotion_id)
            .where(Promotion.code == code, Order.paid_at.is_not(None))
        )
        if number is not None:
            requesting.request(session, number=number, wanted=wanted, actor="guest")
    mine = select(Invoice.public_id).join(InvoiceRequest, InvoiceRequest.id == Invoice.request_id)
    issuer = (Issuer.SELLER, person_id("seller"))
    mine = mine.where(InvoiceRequest.kind == InvoiceKind.PERSONAL, Invoice.issuer == issuer[1])
    if invoice := session.scalar(mine):
        issuing.issue(session, invoice=invoice, issuer=issuer, number="26142000000012345678", actor="demo")
