"""What buyers and desks see of things that are offered instead, and the letter that tells of them."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.formats import local_datetime, yuan
from marketplace.core.languages import speaking
from marketplace.core.records import slim_record
from marketplace.orders import letters
from marketplace.orders.apportioning import Price
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.queries import ShownLine
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.states import SubstituteState as T


@slim_record
class What:
    """One pack by its names."""

    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str


@slim_record
class Shown:
    public_id: str
    order: str
    parcel: str
    line: str  # of the order: its own, once it is accepted
    state: T
    packs: int
    ordered: What
    instead: What
    less_fen: int  # what all of them cost less
    answer_by: datetime

    @property
    def is_open(self) -> bool:
        return self.state is T.OFFERED


def of_order(session: Session, number: str) -> list[Shown]:
    """What waits for an answer, and what was accepted: one statement."""
    return found(session, Order.number == number)


def of_parcel(session: Session, parcel: str) -> list[Shown]:
    return found(session, Parcel.public_id == parcel)


def found(session: Session, which: ColumnElement[bool]) -> list[Shown]:
    wanted = (
        select(Substitute, OrderLine, Order.number, Parcel.public_id)
        .join(OrderLine, OrderLine.id == Substitute.order_line_id)
        .join(Parcel, Parcel.id == OrderLine.parcel_id)
        .join(Order, Order.id == Parcel.order_id)
        .where(which, Substitute.state.in_((T.OFFERED, T.ACCEPTED)))
        .order_by(Substitute.id)
    )
    return [shown(*row) for row in session.execute(wanted)]


def shown(row: Substitute, line: OrderLine, order: str, parcel: str) -> Shown:
    ordered, instead = (What(each.title_zh, each.title_en, each.unit_zh, each.unit_en) for each in (line, row))
    told = (row.state, row.packs, ordered, instead, less_fen(row, line), row.answer_by)
    return Shown(row.public_id, order, parcel, line.public_id, *told)


def less_fen(row: Substitute, line: OrderLine) -> int:
    """What goes back of its price when it is accepted, as `dividing` and `remaining` reckon it."""
    fees = line.unit_service_fee_fen * row.packs
    theirs = (fen * row.packs // line.quantity for fen in (line.seller_discount_fen, line.platform_discount_fen))
    less = (line.unit_price_fen - row.unit_price_fen) * row.packs
    return Price(line.unit_price_fen * row.packs, fees, *theirs).part(less, 0, stays=row.packs).buyers_fen


def packed_instead(session: Session, parcels: Sequence[int]) -> dict[int, tuple[ShownLine, ...]]:
    """What buyers have accepted, as lines of what goes into their parcels: one statement."""
    names = ("listing_code", "seller_name", "return_policy", "drawing", "media_public_id", "net_weight_grams")
    wanted = select(OrderLine.parcel_id, Substitute, given_back(), *(getattr(OrderLine, name) for name in names))
    wanted = wanted.join(OrderLine, OrderLine.id == Substitute.order_line_id)
    wanted = wanted.where(OrderLine.parcel_id.in_(parcels), Substitute.state == T.ACCEPTED).order_by(Substitute.id)
    found: dict[int, tuple[ShownLine, ...]] = {}
    for row in session.execute(wanted):
        given = {name: getattr(row, name) for name in names}
        own = {
            name: getattr(row.Substitute, name) for name in ("title_zh", "title_en", "unit_zh", "unit_en", "unit_price_fen")
        }
        counted = {"refunded_quantity": row.given_back, "missing_quantity": 0, "replaced_quantity": 0}
        line = ShownLine(quantity=row.Substitute.packs, **counted, **given, **own)
        found[row.parcel_id] = (*found.get(row.parcel_id, ()), line)
    return found


def given_back() -> ColumnElement[int]:
    """SQL about a line and what is sent instead of all of it: packs of it that were refunded. Orders of before have lines of
    which a part is replaced; what was refunded of them is what was ordered."""
    is_own = OrderLine.replaced_quantity == OrderLine.quantity
    return case((is_own, OrderLine.refunded_quantity), else_=0).label("given_back")


def unanswered(session: Session, parcels: Sequence[int]) -> set[int]:
    """Those whose buyers have not said yet what goes into them: one statement."""
    asked = select(OrderLine.parcel_id).join(Substitute, Substitute.order_line_id == OrderLine.id)
    return set(session.scalars(asked.where(OrderLine.parcel_id.in_(parcels), Substitute.state == T.OFFERED)))


def tell(*, substitute: str) -> None:
    """The listener of substituting.OFFERED: the buyer reads it in their language."""
    in_transaction(write, substitute=substitute)


def write(session: Session, *, substitute: str) -> None:
    asked: Sequence[Shown] = found(session, Substitute.public_id == substitute)
    for each in asked:
        order = session.scalars(select(Order).where(Order.number == each.order)).one()
        is_english = order.language == "en"
        with speaking(order.language):
            text = words(each, is_english=is_english)
        letters.tell_buyer(session, order, fact=f"substitute:{substitute}", text=text)


def words(each: Shown, *, is_english: bool) -> str:
    names = [(what.title_en if is_english and what.title_en else what.title_zh) for what in (each.ordered, each.instead)]
    told = {"number": each.order, "ordered": names[0], "instead": names[1], "packs": each.packs}
    told |= {"time": local_datetime(each.answer_by, "en" if is_english else "zh")}
    if each.less_fen:
        less = yuan(each.less_fen)
        return str(
            _(
                "Order %(number)s: %(packs)s × %(ordered)s could not be brought. The grower offers %(instead)s instead, and "
                "%(less)s goes back. Please answer on the order's page by %(time)s; otherwise you get your money back.",
                less=less,
                **told,
            )
        )
    return str(
        _(
            "Order %(number)s: %(packs)s × %(ordered)s could not be brought. The grower offers %(instead)s instead, for the "
            "same price. Please answer on the order's page by %(time)s; otherwise you get your money back.",
            **told,
        )
    )
