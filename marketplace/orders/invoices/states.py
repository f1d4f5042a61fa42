"""The way of one issuer's invoice for an order. Pure."""

from enum import StrEnum
from typing import Final


class InvoiceState(StrEnum):
    REQUESTED = "requested"
    ISSUED = "issued"
    DECLINED = "declined"
    VOID = "void"


INVOICE: Final[dict[InvoiceState, frozenset[InvoiceState]]] = {
    InvoiceState.REQUESTED: frozenset({InvoiceState.ISSUED, InvoiceState.DECLINED}),
    InvoiceState.ISSUED: frozenset({InvoiceState.VOID}),
    InvoiceState.VOID: frozenset({InvoiceState.ISSUED}),
    InvoiceState.DECLINED: frozenset(),
}


class InvoiceKind(StrEnum):
    PERSONAL = "personal"
    COMPANY = "company"


class Issuer(StrEnum):
    """Sellers for their goods, stations for the shipping."""

    SELLER = "seller"
    STATION = "station"
