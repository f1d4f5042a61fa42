"""What partners' machines are sent, as types: the document says it from here, and a test holds what is sent against it."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from marketplace.api.presale_schemas import PresaleWord
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


class CampaignData(Face):
    """`state` it is in now; `update` is the news where that is what it was told for."""

    campaign: str
    state: Literal["live", "paused", "ended", "cancelled", "disbursing", "reported", "closed"]
    county_code: str
    update: str | None
    is_demo: bool


class RowData(Face):
    """A sealed row of the public ledger: `who` is empty for an anonymous giver."""

    campaign: str
    number: Annotated[int, Field(ge=1)]
    hash: str
    fen: Annotated[int, Field(ge=1)]
    currency: str
    who: str
    is_test: bool


class PaymentData(RowData):
    """`who` is the provider, `what` it was paid for, why it paid back, or why that was not there after all."""

    disbursement: str
    what: str


class EvidenceData(Face):
    campaign: str
    disbursement: str
    kind: str
    sha256: str
    is_test: bool


class ReportData(Face):
    campaign: str
    report: str
    kind: Literal["periodic", "full"]
    since: date
    until: date
    sha256: str
    is_test: bool


class PresaleData(Face):
    """`state` it is in now; `update` is the news where that is what it was told for."""

    presale: str
    state: PresaleWord
    county_code: str
    update: str | None
    is_demo: bool


class PlaceData(Face):
    """`order` once the place is one."""

    place: str
    presale: str
    tier: str
    state: Literal["confirmed", "ordered", "refunded"]
    fen: Annotated[int, Field(ge=1)]
    currency: str
    order: str | None
    is_test: bool


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


class CampaignOpened(Event):
    type: Literal["campaign.opened"]
    data: CampaignData


class CampaignUpdated(Event):
    type: Literal["campaign.updated"]
    data: CampaignData


class CampaignClosed(Event):
    type: Literal["campaign.closed"]
    data: CampaignData


class GiftReceived(Event):
    type: Literal["gift.received"]
    data: RowData


class GiftRefunded(Event):
    type: Literal["gift.refunded"]
    data: RowData


class DisbursementMade(Event):
    type: Literal["disbursement.made"]
    data: PaymentData


class DisbursementRepaid(Event):
    type: Literal["disbursement.repaid"]
    data: PaymentData


class RepaymentCorrected(Event):
    type: Literal["disbursement.repayment_corrected"]
    data: PaymentData


class EvidenceAdded(Event):
    type: Literal["disbursement.evidence_added"]
    data: EvidenceData


class ReportPublished(Event):
    type: Literal["report.published"]
    data: ReportData


class PresaleOpened(Event):
    type: Literal["presale.opened"]
    data: PresaleData


class PresaleUpdated(Event):
    type: Literal["presale.updated"]
    data: PresaleData


class PresaleClosed(Event):
    type: Literal["presale.closed"]
    data: PresaleData


class PlaceConfirmed(Event):
    type: Literal["place.confirmed"]
    data: PlaceData


class PlaceOrdered(Event):
    type: Literal["place.ordered"]
    data: PlaceData


class PlaceRefunded(Event):
    type: Literal["place.refunded"]
    data: PlaceData


EVENTS: dict[str, type[Event]] = {
    "order.paid": OrderPaid,
    "parcel.shipped": ParcelShipped,
    "parcel.delivered": ParcelDelivered,
    "refund.succeeded": RefundSucceeded,
    "listing.published": ListingPublished,
    "campaign.opened": CampaignOpened,
    "campaign.updated": CampaignUpdated,
    "campaign.closed": CampaignClosed,
    "gift.received": GiftReceived,
    "gift.refunded": GiftRefunded,
    "disbursement.made": DisbursementMade,
    "disbursement.repaid": DisbursementRepaid,
    "disbursement.repayment_corrected": RepaymentCorrected,
    "disbursement.evidence_added": EvidenceAdded,
    "report.published": ReportPublished,
    "presale.opened": PresaleOpened,
    "presale.updated": PresaleUpdated,
    "presale.closed": PresaleClosed,
    "place.confirmed": PlaceConfirmed,
    "place.ordered": PlaceOrdered,
    "place.refunded": PlaceRefunded,
}
