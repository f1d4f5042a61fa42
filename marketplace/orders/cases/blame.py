"""What was refunded or replaced of what was sold, unit by unit, and on whom it fell: one statement, no unit twice."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, case, false, func, literal, or_, select, union_all

from marketplace.core.transitions import EventRow
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal
from marketplace.orders.cases.rules import Bearer
from marketplace.orders.cases.states import CaseState
from marketplace.orders.institutions.models import BillCredit
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.orders.quoting import PICKUP
from marketplace.orders.states import ParcelState
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState

ARRIVED: Final = "arrived"  # beside the causes: what was sold and came
OTHERS: Final = (Bearer.STATION, Bearer.PLATFORM)
NEVER_BROUGHT: Final = ("short:", "declined:")  # how the keys of refunds begin that `receiving` makes for what did not come
LIGHTER: Final = "lighter:"
CHECKED: Final = "check:"  # by an institution, which says which of its words it means
WEIGHED_LESS: Final = "lighter"
LOST: Final = "lost:"
CALLED_OFF: Final = (ParcelState.CANCELLED, ParcelState.RETURNED_TO_SELLER)


class Cause(StrEnum):
    """Who bore it, or why nobody did."""

    SELLER = "seller"  # with what the station had got of it, unless the province said otherwise
    STATION = "station"
    PROVINCE = "province"
    NOT_SENT = "not_sent"
    CALLED_OFF = "called_off"
    REPLACED = "replaced"
    LIGHTER = "lighter"
    SPOILED = "spoiled"  # a part of the pack, paid for by weight or by the piece


def sums(*, by_station: bool, since: datetime) -> Any:
    """By owner, cause and whether it arrived: packs since then, and ever."""
    owner = Parcel.station_code if by_station else OrderLine.seller_public_id
    sources = union_all(
        *(of_arrived(owner, literal(ARRIVED), OrderLine.quantity).where(OrderLine.quantity > 0), given_back(owner)),
        *(off_bills(owner), by_banks(owner)),
        *(rest_of_lines(owner, cause) for cause in (Cause.REPLACED, Cause.LIGHTER, Cause.SPOILED)),
    ).subquery()
    recent = func.sum(case((sources.c.at >= since, sources.c.packs), else_=0)).label("lately")
    named = (sources.c.owner, sources.c.cause, sources.c.has_arrived)
    return select(*named, recent, func.sum(sources.c.packs).label("ever")).where(sources.c.packs > 0).group_by(*named)


def of_lines(owner: Any, cause: Any, packs: Any, at: Any) -> Any:
    """Lines of what was sold; a replacement was not."""
    has_arrived = Parcel.delivered_at.is_not(None).label("has_arrived")
    wanted = select(owner.label("owner"), cause.label("cause"), packs.label("packs"), at.label("at"), has_arrived)
    wanted = wanted.select_from(OrderLine).join(Parcel, Parcel.id == OrderLine.parcel_id)
    return wanted.join(Order, Order.id == Parcel.order_id).where(~Order.is_exchange)


def of_arrived(owner: Any, cause: Any, packs: Any) -> Any:
    return of_lines(owner, cause, packs, Parcel.delivered_at).where(Parcel.delivered_at.is_not(None))


def given_back(owner: Any) -> Any:
    """By refunds, of the order's own money."""
    laid: dict[Bearer, Any] = {bearer: Refund.public_id.in_(laid_on(bearer)) for bearer in OTHERS}
    laid[Bearer.STATION] = laid[Bearer.STATION] | RefundLine.by_station | Refund.public_id.in_(lost_replacements())
    cause = why(Refund.reason_key, laid)
    wanted = of_lines(owner, cause, RefundLine.quantity, func.coalesce(Parcel.delivered_at, Refund.created_at))
    wanted = wanted.join(RefundLine, RefundLine.order_line_id == OrderLine.id)
    return wanted.join(Refund, Refund.public_id == RefundLine.refund_public_id).where(Refund.state != RefundState.FAILED)


def off_bills(owner: Any) -> Any:
    """What is not paid yet and was taken off."""
    cause = why(BillCredit.reason_key, {})
    wanted = of_lines(owner, cause, BillCredit.quantity, func.coalesce(Parcel.delivered_at, BillCredit.at))
    return wanted.join(BillCredit, BillCredit.order_line_id == OrderLine.id)


def by_banks(owner: Any) -> Any:
    """Goods that came back after a bank had taken what was paid for them."""
    laid = {
        bearer: AfterSalesCase.id.in_(laid_on(bearer, AfterSalesCase.id)) for bearer in (Bearer.STATION, Bearer.PLATFORM)
    }
    wanted = of_arrived(owner, why(literal(""), laid), AfterSalesCase.returned_quantity)
    return wanted.join(AfterSalesCase, AfterSalesCase.order_line_id == OrderLine.id).where(AfterSalesCase.is_paid_by_bank)


def why(key: Any, laid: Mapping[Bearer, ColumnElement[bool]]) -> Any:
    """SQL: the province's word first, then what became of the parcel, whoever asked for the refund, and however often;
    everything else is its seller's."""
    never_left = (Parcel.state == ParcelState.RETURNED_TO_SELLER) & (Parcel.delivery != PICKUP)
    return case(
        (laid.get(Bearer.PLATFORM, false()), literal(Cause.PROVINCE)),
        (laid.get(Bearer.STATION, false()) | key.startswith(LOST), literal(Cause.STATION)),
        (or_(*map(key.startswith, NEVER_BROUGHT)), literal(Cause.NOT_SENT)),
        ((Parcel.state == ParcelState.REFUSED) | never_left, literal(Cause.NOT_SENT)),
        (Parcel.state.in_(CALLED_OFF), literal(Cause.CALLED_OFF)),
        else_=literal(Cause.SELLER),
    )


def laid_on(bearer: Bearer, column: Any = AfterSalesCase.refund_public_id) -> Any:
    """SQL: refunds, or `column` of the cases, that the province had somebody bear."""
    laid = select(column).join(CaseAppeal, CaseAppeal.case_id == AfterSalesCase.id)
    return laid.where(CaseAppeal.bearer == bearer, column.is_not(None))


def lost_replacements() -> Any:
    """SQL: refunds for what was exchanged and lost on its way by the station that sent it."""
    lost = select(AfterSalesCase.refund_public_id).join(Order, Order.number == AfterSalesCase.exchange_number)
    lost = lost.join(Parcel, Parcel.order_id == Order.id)  # settled since
    lost = lost.join(EventRow, EventRow.subject == literal("parcel:") + Parcel.public_id)
    lost = lost.where(EventRow.to_state == ParcelState.LOST.value)
    return lost.where(AfterSalesCase.refund_public_id.is_not(None))


def rest_of_lines(owner: Any, cause: Cause) -> Any:
    """What arrived and was refunded neither by the house nor by a bank: so much was replaced, or else weighed less, or else
    was bad in part."""
    free = OrderLine.quantity - OrderLine.refunded_quantity - returned(AfterSalesCase.is_paid_by_bank)
    swapped = OrderLine.replaced_quantity + returned(AfterSalesCase.state == CaseState.EXCHANGED)
    replaced = case((swapped < free, swapped), else_=free)
    bad = case((spoiled() < free - replaced, spoiled()), else_=free - replaced)
    packs = {
        Cause.REPLACED: replaced,
        Cause.LIGHTER: case((weighed_less(), free - replaced), else_=0),
        Cause.SPOILED: case((weighed_less(), 0), else_=bad),
    }
    return of_arrived(owner, literal(cause), packs[cause])


def returned(which: Any) -> Any:
    """SQL: units of the line that came back for such cases and were not refunded."""
    units = select(func.coalesce(func.sum(AfterSalesCase.returned_quantity), 0)).outerjoin(
        Refund, Refund.public_id == AfterSalesCase.refund_public_id
    )
    units = units.where(AfterSalesCase.order_line_id == OrderLine.id, which)
    unpaid = or_(Refund.public_id.is_(None), Refund.state == RefundState.FAILED)
    return units.where(unpaid).correlate(OrderLine).scalar_subquery()


def spoiled() -> Any:
    """SQL: packs of the line of which a part was bad, and paid for: of one bad piece no more than one pack."""
    each, pieces = AfterSalesCase.quantity, AfterSalesCase.spoiled_pieces
    packs = select(func.coalesce(func.sum(case((pieces < each, pieces), else_=each)), 0))
    packs = packs.join(Refund, Refund.public_id == AfterSalesCase.refund_public_id).where(Refund.state != RefundState.FAILED)
    in_part = or_(AfterSalesCase.spoiled_grams.is_not(None), AfterSalesCase.spoiled_pieces.is_not(None))
    packs = packs.where(AfterSalesCase.order_line_id == OrderLine.id, in_part)
    return packs.correlate(OrderLine).scalar_subquery()


def weighed_less() -> ColumnElement[bool]:
    """SQL: a part of the line's price went back, without units."""
    back = select(Refund.id).join(RefundLine, RefundLine.refund_public_id == Refund.public_id)
    back = back.where(RefundLine.order_line_id == OrderLine.id, Refund.reason_key.startswith(LIGHTER))
    back = back.where(Refund.state != RefundState.FAILED).correlate(OrderLine)
    credited = select(BillCredit.public_id).where(BillCredit.order_line_id == OrderLine.id)
    by_check = BillCredit.reason_key.startswith(CHECKED) & (BillCredit.reason == WEIGHED_LESS)
    lighter = BillCredit.reason_key.startswith(LIGHTER) | by_check
    return back.exists() | credited.where(lighter).correlate(OrderLine).exists()
