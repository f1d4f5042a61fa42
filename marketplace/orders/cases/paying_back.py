"""The money of a case on its way back, by the one guarded path of all refunds; and who bears it, where that was decided.

The refund itself always comes from those who got the line's money. What the province decides is an entry beside it,
`case_borne:<refund>`, in payable accounts: what is held still settles as the lines say."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders import disputed, remaining, repaying
from marketplace.orders.cases import spoiling
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import Bearer, Kind
from marketplace.orders.cases.states import CaseState
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.orders.remaining import LineLeft, Part
from marketplace.payments.models import Refund
from marketplace.payments.reconciliation.fees import PROVINCE
from marketplace.payments.states import RefundState

PLATFORM: Final[books.Account] = ("operating_grant", PROVINCE)


class RefundedMeanwhile(Refusal):
    message = _l("These units were refunded or replaced meanwhile, so there is nothing left to refund here.")


class RefundDidNotArrive(Refusal):
    message = _l("This refund did not get through. Refund it again at the station's desk first.")


def give_back(session: Session, case: AfterSalesCase, parcel: Parcel, *, reason: str) -> str:
    """Refund the case's units; returns the refund's id. Shipping goes back too, unless the buyer changed their mind.

    Raises RefundedMeanwhile, and what `repaying.repay` raises."""
    part = part_due(session, case, parcel)
    return repaying.repay(session, parcel, [part], reason_key=f"case:{case.public_id}", reason=reason)


def part_due(session: Session, case: AfterSalesCase, parcel: Parcel) -> Part:
    """What the case's units are worth now. Raises PaymentIsDisputed, RefundedMeanwhile."""
    disputed.refuse_disputed(session, parcel.order.number)
    part = worth(session, case, line_left(session, case, parcel))
    if case.is_in_part and part.fen <= 0:
        raise RefundedMeanwhile(case.public_id)
    return part


def worth(session: Session, case: AfterSalesCase, line: LineLeft) -> Part:
    """What the case asks for: units, or a part of them."""
    if case.is_in_part:
        return spoiling.part(session, case, line)
    return line.part(case.units_due, with_shipping=case.kind is not Kind.UNWANTED)


def at_stake(session: Session, case: AfterSalesCase, parcel: Parcel) -> int:
    """Fen that a refund of this case would give back now; 0 where there is nothing to refund any more. One statement."""
    line = next(each for each in remaining.of(session, parcel) if each.id == case.order_line_id)
    is_over = case.refund_public_id is not None or case.is_paid_by_bank or case.units_due > line.units
    return 0 if is_over else worth(session, case, line).fen


def line_left(session: Session, case: AfterSalesCase, parcel: Parcel) -> LineLeft:
    """The case's line, of which the units that are due have not gone back yet. Raises RefundedMeanwhile."""
    line = next(each for each in remaining.of(session, parcel) if each.id == case.order_line_id)
    if case.units_due > line.units:
        raise RefundedMeanwhile(case.public_id)
    return line


def refuse_refunded(session: Session, case: AfterSalesCase, *, units: int) -> None:
    """A desk may have refunded so many that these are gone, beside what was exchanged, or
    refunded by the bank, already. Raises RefundedMeanwhile."""
    others = select(func.sum(AfterSalesCase.returned_quantity)).where(AfterSalesCase.order_line_id == case.order_line_id)
    gone = (AfterSalesCase.state == CaseState.EXCHANGED) | AfterSalesCase.is_paid_by_bank
    others = others.where(gone, AfterSalesCase.refund_public_id.is_(None))
    bought = select(OrderLine.quantity - OrderLine.refunded_quantity).where(OrderLine.id == case.order_line_id)
    if units > int(session.scalars(bought).one()) - int(session.scalar(others) or 0):
        raise RefundedMeanwhile(case.public_id)


def bear(session: Session, refund: str, bearer: Bearer) -> None:
    """Once for each refund; `each` needs no entry. Raises RefundDidNotArrive."""
    row = session.scalars(select(Refund).where(Refund.public_id == refund)).one()
    if row.state is RefundState.FAILED:
        raise RefundDidNotArrive(refund)
    seller, station, order, seller_fen, station_fen = shares_of(session, refund)
    moved: dict[Bearer, dict[books.Account, int]] = {
        Bearer.EACH: {},
        Bearer.SELLER: {seller: station_fen, station: -station_fen},
        Bearer.STATION: {station: seller_fen, seller: -seller_fen},
        Bearer.PLATFORM: {PLATFORM: seller_fen + station_fen, seller: -seller_fen, station: -station_fen},
    }
    lines = {account: Money(fen, order.currency) for account, fen in moved[bearer].items() if fen}
    if lines:
        books.post(session, key=f"case_borne:{refund}", book=order.book, reference=order.number, lines=lines)


def shares_of(session: Session, refund: str) -> tuple[books.Account, books.Account, Order, int, int]:
    """The seller's and the station's payable accounts, the order, and the fen that each gave back with this refund."""
    wanted = select(RefundLine, OrderLine, Parcel).join(OrderLine, OrderLine.id == RefundLine.order_line_id)
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).where(RefundLine.refund_public_id == refund)
    back, line, parcel = session.execute(wanted).one()
    seller, station = ("seller_payable", line.seller_public_id), ("station_payable", parcel.station_code)
    seller_fen = back.goods_fen - back.service_fee_fen - back.seller_discount_fen
    return seller, station, parcel.order, seller_fen, back.service_fee_fen + back.shipping_fen


def came_back(session: Session, /, *, reference: str, refund: str, amount: Money) -> None:
    """A refund of an order did not arrive: nobody bears it any more. `case_borne_failed:<refund>`."""
    repaying.came_back(session, reference=reference, refund=refund, amount=amount)
    borne = books.lines_of(session, f"case_borne:{refund}")
    if borne:
        order = session.scalars(select(Order).where(Order.number == reference)).one()
        back = {account: -money for account, money in borne.items()}
        books.post(session, key=f"case_borne_failed:{refund}", book=order.book, reference=reference, lines=back)
