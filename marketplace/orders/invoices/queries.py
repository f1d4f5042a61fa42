"""Invoices as pages show them: a fixed number of statements."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from marketplace.core.records import slim_record
from marketplace.orders.invoices import amounts
from marketplace.orders.invoices.models import Invoice, InvoiceRequest
from marketplace.orders.invoices.states import InvoiceKind, InvoiceState, Issuer
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.stations.models import Station

MOST: Final = 100


@slim_record
class Shown:
    """One issuer's invoice; `paid_fen`: what their part of the order comes to now."""

    public_id: str
    order: str
    issuer_kind: Issuer
    issuer: str
    name_zh: str
    name_en: str
    state: InvoiceState
    kind: InvoiceKind
    title: str
    tax_number: str
    email: str
    number: str
    fen: int
    reason: str
    paid_fen: int
    requested_at: datetime

    @property
    def differs(self) -> bool:
        """Something came back since it was issued."""
        return self.state is InvoiceState.ISSUED and self.fen != self.paid_fen


def of_issuer(session: Session, issuer: tuple[Issuer, str]) -> list[Shown]:
    """Of orders that are paid: what waits first, then the latest."""
    kind, whose = issuer
    return found(session, (Invoice.issuer_kind == kind) & (Invoice.issuer == whose) & Order.paid_at.is_not(None))


def of_order(session: Session, number: str) -> list[Shown]:
    return found(session, Order.number == number)


def is_requested(session: Session, number: str) -> bool:
    return session.scalar(select(InvoiceRequest.id).where(InvoiceRequest.order_number == number)) is not None


def found(session: Session, which: ColumnElement[bool]) -> list[Shown]:
    waits = case((Invoice.state == InvoiceState.REQUESTED, 0), (Invoice.state == InvoiceState.VOID, 0), else_=1)
    wanted = select(Invoice, InvoiceRequest).join(InvoiceRequest, InvoiceRequest.id == Invoice.request_id)
    wanted = wanted.join(Order, Order.number == InvoiceRequest.order_number).where(which)
    rows = session.execute(wanted.order_by(waits, Invoice.id.desc()).limit(MOST)).all()
    numbers = sorted({request.order_number for _invoice, request in rows})
    paid = amounts.of_orders(session, numbers) if numbers else {}
    names = names_of(session, numbers) if numbers else {}
    shown = []
    for row, request in rows:
        party = (row.issuer_kind, row.issuer)
        same: dict[str, Any] = {
            name: getattr(row, name) for name in ("public_id", "issuer_kind", "issuer", "state", "number", "fen", "reason")
        }
        wants: dict[str, Any] = {
            name: getattr(request, name) for name in ("kind", "title", "tax_number", "email", "requested_at")
        }
        zh, en = names.get(party, ("", ""))
        paid_fen = paid[request.order_number].get(party, 0)
        shown.append(Shown(order=request.order_number, name_zh=zh, name_en=en, paid_fen=paid_fen, **same, **wants))
    return shown


def names_of(session: Session, numbers: list[str]) -> dict[amounts.Party, tuple[str, str]]:
    """Of sellers as they stood on the order, of stations as they are called."""
    sellers = select(OrderLine.seller_public_id, OrderLine.seller_name).join(Parcel, Parcel.id == OrderLine.parcel_id)
    sellers = sellers.join(Order, Order.id == Parcel.order_id).where(Order.number.in_(numbers)).distinct()
    found = {(Issuer.SELLER, row[0]): (row[1], row[1]) for row in session.execute(sellers)}
    stations = select(Station.code, Station.name_zh, Station.name_en).join(Parcel, Parcel.station_code == Station.code)
    stations = stations.join(Order, Order.id == Parcel.order_id).where(Order.number.in_(numbers)).distinct()
    return found | {(Issuer.STATION, row[0]): (row[1], row[2]) for row in session.execute(stations)}
