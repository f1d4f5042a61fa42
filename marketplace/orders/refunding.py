"""A person at the desk gives back a part of a parcel: so many units of its lines, with their shipping or without.

The goods are where they are: nothing is for sale again by that. Whoever gives all of an unsent parcel back refuses it."""

from collections.abc import Mapping, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.core import audit, ids
from marketplace.core.errors import NotFound, Refusal
from marketplace.orders import disputed, fulfilment, remaining, repaying
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.states import CaseState
from marketplace.orders.models import Parcel
from marketplace.orders.remaining import LineLeft, Part
from marketplace.orders.standing import AT_WORK
from marketplace.orders.states import OrderState


class NothingToRefund(Refusal):
    status = 422
    message = _l("Say how many to refund.")


class TooManyUnits(Refusal):
    """`line` has only `left` units that were not given back."""

    status = 422
    message = _l("There are not that many left to refund.")

    def __init__(self, line: LineLeft) -> None:
        super().__init__(line.public_id)
        self.line, self.left = line.public_id, line.units


class ReplacedUnits(TooManyUnits):
    """So many of `line` were replaced for a case that this would pay for what was made good already."""

    message = _l("Some of these were replaced for an after-sales case. Only the province may refund them besides.")


class AlreadyRefunded(Refusal):
    message = _l("All of this parcel has been refunded.")


class NothingLeftToSend(Refusal):
    message = _l("Then nothing would be left to send. If none of it can be sent, refuse the parcel instead.")


class RefundedMeanwhile(Refusal):
    message = _l("Something of this parcel was refunded meanwhile. Please look again before you refund more.")


class GoodsAreBack(Refusal):
    message = _l("Some of these goods were brought back for an after-sales case. Refund them there.")


def refund_units(
    session: Session,
    *,
    parcel: str,
    station: str | None,
    units: Mapping[str, int],
    with_shipping: bool,
    reason: str,
    actor: str,
    seen: str | None = None,
) -> str:
    """Give back so many units of these lines (by their public ids); returns the refund's id.

    `seen`: how the lines stood (`mark`) when the person decided. Raises NotFound, NotPaid, AlreadyRefunded,
    RefundedMeanwhile, GoodsAreBack, ReplacedUnits at a station's desk, and what `parts_of` raises."""
    row, lines = lines_left(session, parcel, station=station, seen=seen)
    parts = parts_of(row, lines, units, with_shipping=with_shipping)
    return give_back(session, row, parts, station=station, reason=reason, actor=actor)


def refund_rest(
    session: Session, *, parcel: str, station: str | None, reason: str, actor: str, seen: str | None = None
) -> str:
    """Give back everything that is left, shipping included; returns the refund's id. Raises as `refund_units`."""
    row, lines = lines_left(session, parcel, station=station, seen=seen)
    return give_back(session, row, rest_of(row, lines), station=station, reason=reason, actor=actor)


def refuse_returned(session: Session, parts: Sequence[Part]) -> None:
    """Units that were brought back for a case go back by that case alone: it could not end without them, and what a bank
    has given back for it does not go back twice.

    Raises GoodsAreBack."""
    of_cases = (AfterSalesCase.state == CaseState.GOODS_RETURNED) | AfterSalesCase.is_paid_by_bank
    returned = units_of_cases(session, parts, of_cases)
    for part in parts:
        if part.units > part.line.units - returned.get(part.line.id, 0):
            raise GoodsAreBack(part.line.public_id)


def refuse_replaced(session: Session, parts: Sequence[Part], *, station: str | None) -> None:
    """What a case has replaced is made good: a desk does not pay for it besides, the province may.

    Raises ReplacedUnits."""
    if station is None:
        return
    was_replaced = (AfterSalesCase.state == CaseState.EXCHANGED) & AfterSalesCase.refund_public_id.is_(None)
    taken = (AfterSalesCase.state == CaseState.GOODS_RETURNED) | AfterSalesCase.is_paid_by_bank
    gone = units_of_cases(session, parts, was_replaced | taken)
    for part in parts:
        if part.units > max(0, part.line.units - gone.get(part.line.id, 0)):
            raise ReplacedUnits(part.line)


def units_of_cases(session: Session, parts: Sequence[Part], which: ColumnElement[bool]) -> dict[int, int]:
    """By line of these, how many units came back for such cases."""
    back = select(AfterSalesCase.order_line_id, func.sum(AfterSalesCase.returned_quantity).label("units"))
    back = back.where(AfterSalesCase.order_line_id.in_([part.line.id for part in parts]), which)
    return {row.order_line_id: int(row.units) for row in session.execute(back.group_by(AfterSalesCase.order_line_id))}


def lines_left(session: Session, parcel: str, *, station: str | None, seen: str | None) -> tuple[Parcel, list[LineLeft]]:
    """The paid parcel, its order locked, and what is left of it.

    Raises NotFound, NotPaid, AlreadyRefunded where a bank gave it back, RefundedMeanwhile."""
    row = fulfilment.get_paid_parcel(session, parcel, station=station)
    if row.order.paid_at is None and row.order.state is not OrderState.PLACED_ON_ACCOUNT:
        raise fulfilment.NotPaid(parcel)
    if disputed.is_kept(session, row):
        raise AlreadyRefunded(parcel)
    lines = remaining.of(session, row)
    if seen is not None and seen != mark(lines):
        raise RefundedMeanwhile(parcel)
    return row, lines


def give_back(
    session: Session, parcel: Parcel, parts: Sequence[Part], *, station: str | None, reason: str, actor: str
) -> str:
    refuse_returned(session, parts)
    refuse_replaced(session, parts, station=station)
    key = f"units:{parcel.public_id}:{ids.public_id()}"  # each decision is a cause of its own
    refund = repaying.repay(session, parcel, parts, reason_key=key, reason=reason)
    told = {"subject": f"parcel:{parcel.public_id}", "why": reason, "refund": refund}
    audit.record(session, actor=actor, action="parcel.refunded", **told, fen=sum(part.fen for part in parts))
    return refund


def rest_of(parcel: Parcel, lines: Sequence[LineLeft]) -> list[Part]:
    """Everything that is left. Raises AlreadyRefunded, NothingLeftToSend."""
    parts = [line.rest for line in lines if line.rest.price_fen]
    if not any(part.fen for part in parts):
        raise AlreadyRefunded(parcel.public_id)
    if parcel.state in AT_WORK:
        raise NothingLeftToSend(parcel.public_id)
    return parts


def parts_of(parcel: Parcel, lines: Sequence[LineLeft], units: Mapping[str, int], *, with_shipping: bool) -> list[Part]:
    """What giving so many units back means.

    Raises AlreadyRefunded, NothingToRefund, NotFound for a line of another parcel, TooManyUnits, NothingLeftToSend."""
    if not any(line.rest.fen for line in lines):
        raise AlreadyRefunded(parcel.public_id)
    known = {line.public_id: line for line in lines}
    wanted = {line: number for line, number in units.items() if number}
    if not wanted:
        raise NothingToRefund(parcel.public_id)
    for line, number in wanted.items():
        if line not in known:
            raise NotFound(line)
        if not 0 < number <= known[line].units:
            raise TooManyUnits(known[line])
    if parcel.state in AT_WORK and sum(wanted.values()) == sum(line.units for line in lines):
        raise NothingLeftToSend(parcel.public_id)
    return [known[line].part(number, with_shipping=with_shipping) for line, number in wanted.items()]


def mark(lines: Sequence[LineLeft]) -> str:
    """How much of each line has gone back, in a word that a page can carry: whoever decides on an old one is told."""
    return ".".join(f"{line.refunded_quantity}-{line.goods_back_fen}-{line.shipping_back_fen}" for line in lines)
