"""What partners' machines are sent, as types: the document says it from here, and a test holds what is sent against it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from marketplace.api.schemas import Face


class OrderPaidData(Face):
    """`parcels`: those that the receiver may see."""

    order: str
    parcels: list[str]
    is_test: bool


class ParcelData(Face):
    order: str
    parcel: str
    state: Literal["shipped", "delivered", "picked_up"]
    is_test: bool


class RefundData(Face):
    order: str
    refund: str
    fen: Annotated[int, Field(ge=1)]
    currency: str
    is_test: bool


class ListingData(Face):
    sku: str
    station: str
    category: str


class Event(Face):
    """`id` is the same however often it is sent."""

    id: str
    timestamp: datetime


class OrderPaid(Event):
    type: Literal["order.paid"]
    data: OrderPaidData


class ParcelShipped(Event):
    type: Literal["parcel.shipped"]
    data: ParcelData


class ParcelDelivered(Event):
    type: Literal["parcel.delivered"]
    data: ParcelData


class RefundSucceeded(Event):
    type: Literal["refund.succeeded"]
    data: RefundData


class ListingPublished(Event):
    type: Literal["listing.published"]
    data: ListingData


EVENTS: dict[str, type[Event]] = {
    "order.paid": OrderPaid,
    "parcel.shipped": ParcelShipped,
    "parcel.delivered": ParcelDelivered,
    "refund.succeeded": RefundSucceeded,
    "listing.published": ListingPublished,
}
