"""What a buyer wants on the invoices of an order, and each issuer's answer."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.orders.invoices.states import INVOICE, InvoiceKind, InvoiceState, Issuer


class InvoiceRequest(Base):
    """One for an order. Without names: they are encrypted as the order's own are."""

    __tablename__ = "invoice_request"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_number: Mapped[str] = mapped_column(ForeignKey("order.number"), unique=True)
    kind: Mapped[InvoiceKind]
    title: Mapped[str] = mapped_column(Encrypted("invoice_request.title"))
    tax_number: Mapped[str] = mapped_column(Encrypted("invoice_request.tax_number"), default="")  # of companies
    email: Mapped[str] = mapped_column(Encrypted("invoice_request.email"))
    requested_at: Mapped[datetime] = mapped_column(default=clock.now)
    invoices: Mapped[list["Invoice"]] = relationship(order_by="Invoice.id", back_populates="request")


class Invoice(Base):
    """One issuer's. `fen` is what it says was paid, from the moment it was issued."""

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("request_id", "issuer_kind", "issuer"),
        CheckConstraint("(state IN ('issued', 'void')) = (number <> '' AND fen > 0)", "issued_with_number_and_sum"),
        CheckConstraint("(state = 'declined') = (reason <> '') OR state = 'void'", "declined_for_a_reason"),
        Index(None, "issuer_kind", "issuer", "state"),
    )
    TRANSITIONS = INVOICE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    request_id: Mapped[int] = mapped_column(ForeignKey("invoice_request.id"))
    issuer_kind: Mapped[Issuer]
    issuer: Mapped[str]
    state: Mapped[InvoiceState] = mapped_column(default=InvoiceState.REQUESTED)
    number: Mapped[str] = mapped_column(default="")
    fen: Mapped[int] = mapped_column(BigInteger, default=0)
    reason: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    request: Mapped[InvoiceRequest] = relationship(back_populates="invoices")
