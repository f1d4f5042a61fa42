"""An issuer's answer: the number of the invoice they made outside of this house, or why there is none. The buyer is told."""

from typing import Any

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.core.transitions import transition
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.invoices import amounts
from marketplace.orders.invoices.models import Invoice, InvoiceRequest
from marketplace.orders.invoices.states import InvoiceState, Issuer
from marketplace.orders.models import Order


class NothingWasPaid(Refusal):
    message = _l("Nothing is left of what was paid, so there is nothing to invoice. Decline it and say why.")


class NotPaidYet(Refusal):
    message = _l("This order is not paid, so there is nothing to invoice yet.")


def issue(session: Session, *, invoice: str, issuer: tuple[Issuer, str], number: str, actor: str) -> None:
    """For the first time, or again after it was void. Raises NotFound, NotPaidYet, NothingWasPaid, IllegalTransition."""
    row, order = get(session, invoice, issuer)
    if order.paid_at is None:
        raise NotPaidYet(invoice)
    fen = amounts.of_orders(session, [order.number])[order.number].get(issuer, 0)
    if fen <= 0:
        raise NothingWasPaid(invoice)
    told: dict[str, Any] = {"number": number, "fen": fen, "reason": "", "changed_at": clock.now()}
    transition(session, row, InvoiceState.ISSUED, expected=row.state, actor=actor, why=f"{number}: {fen}", **told)
    tell(session, row, order)


def decline(session: Session, *, invoice: str, issuer: tuple[Issuer, str], reason: str, actor: str) -> None:
    """Raises NotFound, IllegalTransition."""
    row, order = get(session, invoice, issuer)
    now = clock.now()
    transition(
        session, row, InvoiceState.DECLINED, expected=row.state, actor=actor, why=reason, reason=reason, changed_at=now
    )
    tell(session, row, order)


def void(session: Session, *, invoice: str, issuer: tuple[Issuer, str], reason: str, actor: str) -> None:
    """It was wrong, or something came back since: another one follows. Raises NotFound, IllegalTransition."""
    row, order = get(session, invoice, issuer)
    now = clock.now()
    transition(session, row, InvoiceState.VOID, expected=row.state, actor=actor, why=reason, reason=reason, changed_at=now)
    tell(session, row, order)


def get(session: Session, invoice: str, issuer: tuple[Issuer, str]) -> tuple[Invoice, Order]:
    """Locked, and only their own. Raises NotFound."""
    kind, whose = issuer
    wanted = select(Invoice).where(Invoice.public_id == invoice, Invoice.issuer_kind == kind, Invoice.issuer == whose)
    row = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound(invoice)
    order = select(Order).join(InvoiceRequest, InvoiceRequest.order_number == Order.number)
    return row, session.scalars(order.where(InvoiceRequest.id == row.request_id)).one()


def tell(session: Session, row: Invoice, order: Order) -> None:
    with speaking(order.language):
        text = words(row, order)
    fact = f"invoice_{row.state}:{row.public_id}:{row.changed_at.isoformat()}"
    messages.send(session, fact=fact, address=order.phone, text=text, person_id=order.buyer_id, kind=MessageKind.ORDERS)


def words(row: Invoice, order: Order) -> str:
    told = {"order": order.number, "number": row.number, "sum": yuan(row.fen), "why": row.reason}
    if row.state is InvoiceState.ISSUED:
        return str(_("Order %(order)s: your invoice is issued. Number %(number)s, %(sum)s. It comes by e-mail.", **told))
    if row.state is InvoiceState.VOID:
        return str(_("Order %(order)s: invoice %(number)s is no longer valid. Reason: %(why)s", **told))
    return str(_("Order %(order)s: there will be no invoice for a part of it. Reason: %(why)s", **told))
