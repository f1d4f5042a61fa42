"""The buyer says what was wrong with goods that arrived: which line, how many, what happened, with pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, ids, outbox
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, transition
from marketplace.orders import disputed, fulfilment, remaining
from marketplace.orders.cases import automatic, paying_back, spoiling
from marketplace.orders.cases.models import AfterSalesCase, CasePicture
from marketplace.orders.cases.rules import COMES_BACK, DECIDE_WITHIN, EXCHANGED, MOST_PICTURES, Kind, Wish, kinds_open
from marketplace.orders.cases.states import OPEN_CASE, CaseState
from marketplace.orders.institutions import payments
from marketplace.orders.models import OrderLine, Parcel
from marketplace.orders.states import ParcelState as S
from marketplace.payments import refunds

ARRIVED: Final = frozenset({S.DELIVERED, S.PICKED_UP, S.SETTLED})
MOVED: Final = "case.moved"  # the outbox's topic: somebody has asked for something, or decided it
OPENED: Final = "opened"


class NotThereYet(Refusal):
    message = _l("This parcel has not arrived yet. Until then the station helps by phone.")


class OfAnExchange(Refusal):
    message = _l("This came as a replacement. Ask the province on the page of the first case.")


class PaidByTheBank(Refusal):
    message = _l("The bank has given the money of this order back already.")


class TooLate(Refusal):
    status = 422
    message = _l("The time for this is over, or these goods cannot be returned for this reason.")


class TooManyUnits(Refusal):
    """Only `left` units of the line are in no case and not refunded."""

    status = 422
    message = _l("There are not that many left to ask about.")

    def __init__(self, line: str, left: int) -> None:
        super().__init__(line)
        self.left = left


class NothingToExchange(Refusal):
    status = 422
    message = _l("Only goods that are damaged or wrong can be exchanged.")


class PictureNeeded(Refusal):
    status = 422
    message = _l("Please add a picture that shows the damage.")


class TooManyPictures(Refusal):
    status = 422
    message = _l("Six pictures are enough.")


def open_case(
    session: Session,
    *,
    number: str,
    line: str,
    quantity: int,
    kind: Kind,
    wish: Wish,
    words: str,
    pictures: Sequence[Mapping[str, Any]],
    actor: str,
    spoiled_grams: int | None = None,
    spoiled_pieces: int | None = None,
) -> str:
    """Open a case about `quantity` units of a line of order `number`; returns its public id.

    `spoiled_grams`, `spoiled_pieces`: so much of them is bad, and paid for by weight or by the piece. `pictures` are
    re-encoded ones (digest, width, height). Whoever has a parcel that is marked as on its way says by this that it has
    arrived. What is due at once is refunded in the same transaction.

    Raises NotFound, NotPaid, NotThereYet, OfAnExchange, PaymentIsDisputed, PaidByTheBank, TooLate, TooManyUnits,
    NothingToExchange, PictureNeeded, TooManyPictures, and what `spoiling.check_weight` and `check_pieces` raise."""
    bought, parcel = get_line(session, number, line, actor=actor)
    refuse_unless_open(bought, parcel, kind)
    left = units_left(session, [bought.id])[bought.id]
    if not 0 < quantity <= left:
        raise TooManyUnits(line, left)
    if wish is Wish.EXCHANGE and kind not in EXCHANGED:
        raise NothingToExchange(line)
    shown = {picture["digest"]: picture for picture in pictures}
    if kind is Kind.DAMAGED and not shown:
        raise PictureNeeded(line)
    if len(shown) > MOST_PICTURES:
        raise TooManyPictures(line)
    said: dict[str, Any] = {"kind": kind, "wish": wish, "quantity": quantity, "words": words}
    of: dict[str, Any] = {"quantity": quantity, "kind": kind, "wish": wish}
    if spoiled_grams is not None:
        said |= spoiling.check_weight(session, bought, grams=spoiled_grams, **of)
    if spoiled_pieces is not None:
        said |= spoiling.check_pieces(session, bought, pieces=spoiled_pieces, **of)
    case = write_down(session, bought, parcel, said, list(shown.values()), actor=actor)
    if case.is_in_part and paying_back.worth(session, case, paying_back.line_left(session, case, parcel)).fen <= 0:
        raise spoiling.TooLight(line)
    is_short = is_given_back(session, case, parcel)
    if is_short and (case.is_in_part or kind not in COMES_BACK):
        raise PaidByTheBank(number)
    if not is_short and automatic.is_due(session, case, parcel, bought, has_pictures=bool(shown)):
        refund_at_once(session, case, parcel)
    return case.public_id


def is_given_back(session: Session, case: AfterSalesCase, parcel: Parcel) -> bool:
    """A bank, or somebody on the provider's pages, has left less of the payment than this is about.

    Of goods that are brought back the rest is owed (`by_bank`), of others nothing."""
    if not disputed.is_lost(session, parcel.order.number):
        return False
    left = refunds.left_of(session, payments.attempt_of(session, parcel.order.number))
    return paying_back.worth(session, case, paying_back.line_left(session, case, parcel)).fen > left


def get_line(session: Session, number: str, line: str, *, actor: str) -> tuple[OrderLine, Parcel]:
    """The line and its parcel, which has arrived, with the buyer's orders locked."""
    wanted = select(OrderLine, Parcel.public_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    found = session.execute(wanted.where(OrderLine.public_id == line, Parcel.order.has(number=number))).first()
    if found is None:
        raise NotFound(line)
    automatic.hold(session, number)
    parcel = fulfilment.get_paid_parcel(session, found[1], station=None)
    session.refresh(found[0])
    if parcel.order.paid_at is None:
        raise fulfilment.NotPaid(number)  # on account: the institution checks what came instead
    if parcel.order.is_exchange:
        raise OfAnExchange(number)
    disputed.refuse_disputed(session, number)
    if disputed.is_lost(session, number) and refunds.left_of(session, payments.attempt_of(session, number)) <= 0:
        raise PaidByTheBank(number)
    if parcel.state is S.SHIPPED:
        fulfilment.deliver(session, parcel=parcel.public_id, station=None, actor=actor, why="the buyer has it")
    if parcel.state not in ARRIVED or parcel.delivered_at is None or remaining.is_lost(session, parcel):
        raise NotThereYet(number)
    return found[0], parcel


def refuse_unless_open(line: OrderLine, parcel: Parcel, kind: Kind) -> None:
    if parcel.delivered_at is None or kind not in kinds_open(line.return_policy, parcel.delivered_at, clock.now()):
        raise TooLate(line.public_id)


def units_left(session: Session, lines: Sequence[int]) -> dict[int, int]:
    """By line, the units that were neither refunded, also by a bank, nor exchanged and that no open case is about: one
    statement."""
    asked = func.coalesce(AfterSalesCase.returned_quantity, AfterSalesCase.quantity)
    taken = select(AfterSalesCase.order_line_id, func.sum(asked).label("units"))
    is_gone = AfterSalesCase.state.in_(sorted(OPEN_CASE | {CaseState.EXCHANGED})) | AfterSalesCase.is_paid_by_bank
    taken = taken.where(is_gone)
    in_cases = taken.where(AfterSalesCase.refund_public_id.is_(None)).group_by(AfterSalesCase.order_line_id).subquery()
    wanted = select(OrderLine.id, OrderLine.quantity, OrderLine.refunded_quantity, in_cases.c.units)
    wanted = wanted.outerjoin(in_cases, in_cases.c.order_line_id == OrderLine.id).where(OrderLine.id.in_(lines))
    return {row.id: max(0, row.quantity - row.refunded_quantity - int(row.units or 0)) for row in session.execute(wanted)}


def write_down(
    session: Session,
    line: OrderLine,
    parcel: Parcel,
    said: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]],
    *,
    actor: str,
) -> AfterSalesCase:
    now = clock.now()
    whose = {"public_id": ids.public_id(), "parcel_id": parcel.id, "order_line_id": line.id}
    case = AfterSalesCase(**whose, **said, state=CaseState.REQUESTED, opened_at=now, decide_by=now + DECIDE_WITHIN)
    session.add(case)
    session.flush()
    for position, picture in enumerate(pictures, start=1):
        made = {name: picture[name] for name in ("digest", "width", "height")}
        session.add(CasePicture(case_id=case.id, position=position, **made))
    leave_trace(session, case, None, CaseState.REQUESTED, actor=actor, why=said["kind"], station=parcel.station_code)
    outbox.put(session, MOVED, case=case.public_id, fact=OPENED)
    return case


def refund_at_once(session: Session, case: AfterSalesCase, parcel: Parcel) -> None:
    refund = paying_back.give_back(session, case, parcel, reason=case.kind)
    also: dict[str, Any] = {"refund_public_id": refund, "is_automatic": True, "decided_at": clock.now()}
    also |= {"actor": "system", "why": "at once", "station": parcel.station_code}
    transition(session, case, CaseState.REFUNDED, expected=CaseState.REQUESTED, **also)
    told = {"actor": "system", "action": "case.refunded", "why": "at once"}
    audit.record(session, **told, subject=f"after_sales_case:{case.public_id}", refund=refund)
    outbox.put(session, MOVED, case=case.public_id, fact="refunded")
