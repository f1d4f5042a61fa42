"""A buyer asks for invoices: with the order, or afterwards until thirty days after its last parcel settled.

One request leads to one invoice of each seller, for their goods, and of each station that was paid for shipping."""

from datetime import timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import clock, ids
from marketplace.core.db import add_row, add_rows
from marketplace.core.errors import Refusal
from marketplace.core.records import slim_record
from marketplace.core.transitions import EventRow, leave_trace
from marketplace.orders.institutions.models import AccountOrder
from marketplace.orders.invoices import amounts
from marketplace.orders.invoices.models import Invoice, InvoiceRequest
from marketplace.orders.invoices.states import InvoiceKind, InvoiceState
from marketplace.orders.models import Order
from marketplace.orders.paying import get_order
from marketplace.orders.states import OrderState, ParcelState

ASKED_WITHIN: Final = timedelta(days=30)
OPEN: Final = frozenset({OrderState.PENDING_PAYMENT, OrderState.PAID, OrderState.COMPLETED})


class AlreadyRequested(Refusal):
    message = _l("You have asked for an invoice for this order already.")


class TooLateForInvoice(Refusal):
    message = _l("Invoices can be asked for until 30 days after everything has arrived and is settled.")


@slim_record
class Wanted:
    """As they typed it. The tax number of companies alone."""

    kind: InvoiceKind
    title: str
    email: str
    tax_number: str = ""


def request(session: Session, *, number: str, wanted: Wanted, actor: str) -> str:
    """Returns the order's number. Raises NotFound, AlreadyRequested, TooLateForInvoice."""
    order = get_order(session, number)
    if session.scalar(select(InvoiceRequest.id).where(InvoiceRequest.order_number == number)) is not None:
        raise AlreadyRequested(number)
    if not may_be_requested(session, order):
        raise TooLateForInvoice(number)
    kept = {"order_number": number, "kind": wanted.kind, "title": wanted.title, "email": wanted.email}
    row = add_row(session, InvoiceRequest, {**kept, "tax_number": wanted.tax_number})
    issuers = sorted(issuer for issuer, fen in amounts.of_orders(session, [number])[number].items() if fen > 0)
    made = [
        {"public_id": ids.public_id(), "request_id": row, "issuer_kind": kind, "issuer": issuer} for kind, issuer in issuers
    ]
    if made:
        add_rows(session, Invoice, *made)
    for each in made:
        mine = Invoice(public_id=each["public_id"])
        leave_trace(session, mine, None, InvoiceState.REQUESTED, actor=actor, why=f"order:{number}")
    return number


def may_be_requested(session: Session, order: Order) -> bool:
    """A replacement costs nothing, what was given up is not invoiced, and what was on account was with its statement."""
    if order.is_exchange or order.state not in OPEN or session.get(AccountOrder, order.id) is not None:
        return False
    if order.state is not OrderState.COMPLETED:
        return True
    subjects = [f"parcel:{parcel.public_id}" for parcel in order.parcels]
    last = select(func.max(EventRow.at)).where(EventRow.subject.in_(subjects), EventRow.to_state == ParcelState.SETTLED)
    settled_at = session.scalar(last)
    return settled_at is None or clock.now() <= settled_at + ASKED_WITHIN
