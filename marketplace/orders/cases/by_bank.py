"""The buyer's bank has given back the money of goods that were brought back for a case: nobody pays it a second time.

Whoever would have borne the refund bears it all the same, since the goods are theirs again: `dispute_kept:<case>`, out of
payable accounts into the province's loss, which it lessens (docs/adr/0030). The parcel settles as its lines say."""

from sqlalchemy.orm import Session

from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders import disputed
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.opening import PaidByTheBank
from marketplace.orders.cases.paying_back import PLATFORM
from marketplace.orders.cases.rules import Bearer
from marketplace.orders.cases.states import CaseState
from marketplace.orders.institutions import payments
from marketplace.orders.models import Parcel
from marketplace.orders.remaining import Part
from marketplace.payments import refunds
from marketplace.payments.disputes import standing


def has_given(session: Session, case: AfterSalesCase, parcel: Parcel, part: Part) -> bool:
    """A lost dispute left less of the payment than the case is about.

    Raises PaidByTheBank where no goods have come back: then nothing is owed to anybody."""
    number = parcel.order.number
    if not disputed.is_lost(session, number) or refunds.left_of(session, payments.attempt_of(session, number)) >= part.fen:
        return False
    if case.state is not CaseState.GOODS_RETURNED:
        raise PaidByTheBank(case.public_id)
    return True


def keep(session: Session, case: AfterSalesCase, parcel: Parcel, part: Part, bearer: Bearer) -> None:
    """The goods' money lessens the loss; what the bank gave less than it goes to the buyer, out of that loss."""
    order, attempt = parcel.order, payments.attempt_of(session, parcel.order.number)
    given = payments.lost(session, order.number)
    lines = {account: Money(fen, order.currency) for account, fen in bearers(parcel, part, bearer).items() if fen}
    key, total = f"dispute_kept:{case.public_id}", Money(part.fen, order.currency)
    books.post(session, key=key, book=order.book, reference=order.number, lines={**lines, standing.LOSS: -total})
    rest = min(part.fen - given, refunds.left_of(session, attempt))
    if rest > 0:
        shares = {standing.LOSS: Money(rest, order.currency)}
        reason_key = f"{refunds.OUT_OF_LOSS}:{case.public_id}"
        refunds.request_for(session, attempt, reason_key=reason_key, shares=shares, reason=case.kind)


def bearers(parcel: Parcel, part: Part, bearer: Bearer) -> dict[books.Account, int]:
    """From which accounts the goods' money comes, in fen; the province has its part of discounts back, as from a refund."""
    seller, station = ("seller_payable", part.line.seller), ("station_payable", parcel.station_code)
    of_seller = part.goods_fen - part.service_fee_fen - part.seller_discount_fen
    of_station = part.service_fee_fen + part.shipping_fen
    borne: dict[Bearer, dict[books.Account, int]] = {
        Bearer.EACH: {seller: of_seller, station: of_station},
        Bearer.SELLER: {seller: of_seller + of_station},
        Bearer.STATION: {station: of_seller + of_station},
        Bearer.PLATFORM: {PLATFORM: of_seller + of_station},
    }
    return {**borne[bearer], PLATFORM: borne[bearer].get(PLATFORM, 0) - part.province_fen}
