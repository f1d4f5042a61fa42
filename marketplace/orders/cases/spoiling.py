"""Fresh goods of which a part is bad are paid for by weight or by the piece: so much of the price as its share of what was
bought weighs, or is of all the pieces.

No pack goes back with that, no shipping, and the other goods stay paid for. docs/adr/0067 and 0068 say why."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from listings import measures
from listings.measures import Measure
from marketplace.core.errors import Refusal
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import Kind, Wish
from marketplace.orders.models import OrderLine
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.states import SubstituteState
from marketplace.orders.remaining import LineLeft, Part
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState

WEIGHT, PIECE = "weight", "piece"
IN_PARTS: Final = (WEIGHT, PIECE)
"""Kinds of `measures.read` of which a part may be paid for."""
HAS_SUBSTITUTE: Final = (
    exists()
    .where(Substitute.order_line_id == OrderLine.id, Substitute.state == SubstituteState.ACCEPTED)
    .correlate(OrderLine)
)
"""SQL: something else was sent for this line."""


class NotByWeight(Refusal):
    status = 422
    message = _l("Only damage of goods that are sold by weight is refunded by weight. Otherwise say how many packs.")


class NotByPiece(Refusal):
    status = 422
    message = _l("Only damage of goods that are sold by the piece is refunded by the piece. Otherwise say how many packs.")


class TooHeavy(Refusal):
    """The packs that were said hold only `grams`, or so much is all that other cases were not paid for."""

    status = 422
    message = _l("So many packs do not weigh that much, or some of it was paid for before.")

    def __init__(self, line: str, grams: int) -> None:
        super().__init__(line)
        self.grams = grams


class TooManyPieces(Refusal):
    """As TooHeavy."""

    status = 422
    message = _l("So many packs do not hold that many, or some were paid for before.")

    def __init__(self, line: str, pieces: int) -> None:
        super().__init__(line)
        self.pieces = pieces


class TooLight(Refusal):
    status = 422
    message = _l("So little is worth less than a fen.")


def measure_of_pack(session: Session, line: OrderLine) -> Measure:
    """What a pack weighs in grams, or how many pieces it holds; else, and where something else was sent, nothing."""
    read = measures.read(line.unit_zh)
    if read.kind not in IN_PARTS or session.scalar(select(HAS_SUBSTITUTE).where(OrderLine.id == line.id)):
        return Measure()
    return Measure(WEIGHT, line.net_weight_grams) if read.kind == WEIGHT else read


def check_weight(session: Session, line: OrderLine, *, grams: int, quantity: int, kind: Kind, wish: Wish) -> dict[str, int]:
    """What the case says then of so much of that many packs; nothing where it is all of them.

    Raises NotByWeight, TooLight, TooHeavy."""
    pack = measure_of_pack(session, line)
    if pack.kind != WEIGHT or not pack.amount or kind is not Kind.DAMAGED or wish is not Wish.REFUND:
        raise NotByWeight(line.public_id)
    if grams < 1:
        raise TooLight(line.public_id)
    if grams == pack.amount * quantity:
        return {}
    if grams > (most := most_of(session, line, pack.amount, quantity)):
        raise TooHeavy(line.public_id, most)
    return {"spoiled_grams": grams}


def check_pieces(session: Session, line: OrderLine, *, pieces: int, quantity: int, kind: Kind, wish: Wish) -> dict[str, int]:
    """The same for goods by the piece. Raises NotByPiece, TooLight, TooManyPieces."""
    pack = measure_of_pack(session, line)
    if pack.kind != PIECE or not pack.amount or kind is not Kind.DAMAGED or wish is not Wish.REFUND:
        raise NotByPiece(line.public_id)
    if pieces < 1:
        raise TooLight(line.public_id)
    if pieces == pack.amount * quantity:
        return {}
    if pieces > (most := most_of(session, line, pack.amount, quantity)):
        raise TooManyPieces(line.public_id, most)
    return {"spoiled_pieces": pieces, "pieces_of_pack": pack.amount}


def most_of(session: Session, line: OrderLine, pack: int, quantity: int) -> int:
    """So many packs hold no more, and nothing that was bought is paid for twice."""
    return min(pack * quantity, pack * line.quantity - paid_before(session, line.id))


def part(session: Session, case: AfterSalesCase, line: LineLeft) -> Part:
    """What is bad of the line is worth: never more than it cost, and no more than its share of what is still paid for."""
    bad = case.spoiled_grams or case.spoiled_pieces or 0
    pack = case.pieces_of_pack or session.get_one(OrderLine, case.order_line_id).net_weight_grams
    good = max(bad, line.units * pack - paid_before(session, case.order_line_id))
    fen = min(line.goods_fen * bad // good, line.unit_price_fen * bad // pack)
    return line.of_price(fen, line.service_fee_fen * fen // max(line.goods_fen, 1))


def paid_before(session: Session, line: int) -> int:
    """Grams, or pieces, of the line that other cases were paid for: a line has one measure."""
    bad = func.coalesce(AfterSalesCase.spoiled_grams, AfterSalesCase.spoiled_pieces)
    others = select(func.sum(bad)).where(AfterSalesCase.order_line_id == line)
    others = others.join(Refund, Refund.public_id == AfterSalesCase.refund_public_id)
    return int(session.scalar(others.where(Refund.state != RefundState.FAILED)) or 0)
