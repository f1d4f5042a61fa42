"""Fresh goods of which a part is bad are paid for by weight: so much of the price as its share of what was bought weighs.

No pack goes back with that, no shipping, and the other goods stay paid for."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings import measures
from marketplace.core.errors import Refusal
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import Kind, Wish
from marketplace.orders.models import OrderLine
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.states import SubstituteState
from marketplace.orders.remaining import LineLeft, Part
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState


class NotByWeight(Refusal):
    status = 422
    message = _l("Only damage of goods that are sold by weight is refunded by weight. Otherwise say how many packs.")


class TooHeavy(Refusal):
    """The packs that were said hold only `grams`."""

    status = 422
    message = _l("So many packs do not weigh that much.")

    def __init__(self, line: str, grams: int) -> None:
        super().__init__(line)
        self.grams = grams


class TooLight(Refusal):
    status = 422
    message = _l("So little is worth less than a fen.")


def grams_of_pack(session: Session, line: OrderLine) -> int | None:
    """None for what is not sold by weight, and where something else was sent."""
    is_weighed = measures.read(line.unit_zh).kind == "weight"
    instead = select(Substitute.id).where(Substitute.order_line_id == line.id, Substitute.state == SubstituteState.ACCEPTED)
    return line.net_weight_grams if is_weighed and session.scalar(instead.limit(1)) is None else None


def check(session: Session, line: OrderLine, *, grams: int, quantity: int, kind: Kind, wish: Wish) -> int | None:
    """So much of that many packs; None where it is all of them. Raises NotByWeight, TooLight, TooHeavy."""
    pack = grams_of_pack(session, line)
    if pack is None or kind is not Kind.DAMAGED or wish is not Wish.REFUND:
        raise NotByWeight(line.public_id)
    if grams < 1:
        raise TooLight(line.public_id)
    if grams > pack * quantity:
        raise TooHeavy(line.public_id, pack * quantity)
    return grams if grams < pack * quantity else None


def part(session: Session, case: AfterSalesCase, line: LineLeft, *, grams: int) -> Part:
    """What so much of the line is worth: never more than it cost, and no more than its share of what is still paid for."""
    pack = session.get_one(OrderLine, case.order_line_id).net_weight_grams
    good = max(grams, line.units * pack - paid_before(session, case))
    fen = min(line.goods_fen * grams // good, line.unit_price_fen * grams // pack)
    return line.of_price(fen, line.service_fee_fen * fen // max(line.goods_fen, 1))


def paid_before(session: Session, case: AfterSalesCase) -> int:
    """Grams of the line that other cases were paid for."""
    others = select(func.sum(AfterSalesCase.spoiled_grams)).where(AfterSalesCase.order_line_id == case.order_line_id)
    others = others.join(Refund, Refund.public_id == AfterSalesCase.refund_public_id)
    return int(session.scalar(others.where(Refund.state != RefundState.FAILED)) or 0)
