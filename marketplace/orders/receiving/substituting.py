"""Something else instead of what did not come: offered to the buyer until a given time, never dearer than what was paid.

It is the same seller's, so that the money stays whose it was. The buyer accepts it: it becomes a line of its own
(`dividing`), and what it costs less goes back. Or declines it or does not answer, and what did not come goes back."""

from datetime import timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from listings import stock
from listings.models import Category, Listing, Variant
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.core import clock, ids, outbox
from marketplace.core.db import add_rows, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import slim_record
from marketplace.core.transitions import leave_trace, transition
from marketplace.orders import disputed, fulfilment, remaining, repaying
from marketplace.orders.models import OrderLine, Parcel
from marketplace.orders.receiving import dividing, owed
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.planning import Share
from marketplace.orders.receiving.sharing import lighter_by
from marketplace.orders.receiving.states import SubstituteState as T
from marketplace.orders.remaining import LineLeft
from marketplace.orders.standing import AT_WORK
from marketplace.orders.states import ParcelState as S

TIME_TO_ANSWER: Final = timedelta(hours=24)
OFFERED, LAPSES = "substitute.offered", "substitute.lapses"  # the outbox's topics
CHEAPER: Final = "cheaper"
NOT_WANTED: Final = "short"
WAITING: Final = frozenset({S.ACCEPTED, S.COLLECTING})


class TooLateToAnswer(Refusal):
    message = _l("This offer is over. Here is how your order stands now.")


@slim_record
class Candidate:
    """A pack of the same seller that may be offered."""

    code: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    price_fen: int
    available: int


def candidates(session: Session, delivery: owed.Delivery, *, station: str) -> dict[str, Candidate]:
    """By code: what the seller has for sale at this station besides what they owe. Nothing that only adults may buy."""
    seller, without = delivery.seller, sorted(pack.code for pack in delivery.packs)
    available = Variant.on_hand - Variant.reserved
    found = (
        select(Variant.code, Listing.title_zh, Listing.title_en, Variant.unit_zh, Variant.unit_en, Variant.price_fen)
        .add_columns(available)
        .join(Listing, Listing.id == Variant.listing_id)
        .join(Person, Person.id == Listing.seller_id)
        .join(Category, Category.code == Listing.category_code)
        .where(Person.public_id == seller, Listing.station_code == station, Listing.state == ListingState.PUBLISHED)
        .where(Variant.is_offered, available > 0, ~Category.is_age_restricted, Variant.code.not_in(without))
        .order_by(Listing.title_zh, Variant.price_fen, Variant.code)
    )
    return {row[0]: Candidate(*row) for row in session.execute(found)}


def offer(session: Session, share: Share, instead: Candidate, *, arrival_line: int, station: str, actor: str) -> None:
    """Hold the goods and ask the buyer. Raises OutOfStock."""
    public_id = ids.public_id()
    row = {"public_id": public_id, "order_line_id": share.claim.line_id, "arrival_line_id": arrival_line}
    words = {name: getattr(instead, name) for name in ("title_zh", "title_en", "unit_zh", "unit_en")}
    price = min(instead.price_fen, share.claim.unit_price_fen)
    until = clock.now() + TIME_TO_ANSWER
    figures = {"variant_code": instead.code, "packs": share.offered, "unit_price_fen": price, "answer_by": until}
    stock.reserve(session, {instead.code: share.offered}, reference=reference(public_id))
    add_rows(session, Substitute, {**row, **words, **figures})
    mine = Substitute(public_id=public_id)
    leave_trace(session, mine, None, T.OFFERED, actor=actor, why=share.claim.label, station=station)
    outbox.put(session, OFFERED, substitute=public_id)
    outbox.put(session, LAPSES, after=TIME_TO_ANSWER, substitute=public_id)


def reference(substitute: str) -> str:
    """What its movements of stock are about."""
    return f"substitute:{substitute}"


def accept(session: Session, *, number: str, substitute: str, actor: str) -> None:
    """The buyer takes it. Raises NotFound for one of another order, TooLateToAnswer: also where a desk has given back what
    these packs would be paid with."""
    row, parcel = locked(session, substitute, number)
    if row.state is not T.OFFERED or row.answer_by <= clock.now() or parcel.state not in WAITING:
        raise TooLateToAnswer(substitute)
    line = next(line for line in remaining.of(session, parcel) if line.id == row.order_line_id)
    if packs_left(session, row, parcel, line) < row.packs:
        raise TooLateToAnswer(substitute)
    transition(session, row, T.ACCEPTED, expected=T.OFFERED, actor=actor, why="accepted", station=parcel.station_code)
    stock.sell(session, {row.variant_code: row.packs}, reference=reference(row.public_id))
    dividing.divide(session, row, line)
    line = next(line for line in remaining.of(session, parcel) if line.id == row.order_line_id)
    off = (line.unit_price_fen - row.unit_price_fen) * row.packs
    per_pack = lighter_by(line.unit_service_fee_fen, promised_grams=line.unit_price_fen, grams=row.unit_price_fen)
    part = line.of_price(off, per_pack * row.packs)
    if part.fen:
        repaying.repay(session, parcel, [part], reason_key=f"{CHEAPER}:{row.public_id}", reason=CHEAPER)
    collect_if_complete(session, parcel, actor=actor)


def decline(session: Session, *, number: str, substitute: str, actor: str) -> None:
    """The buyer would rather have the money. Raises NotFound, TooLateToAnswer."""
    row, parcel = locked(session, substitute, number)
    if row.state is not T.OFFERED:
        raise TooLateToAnswer(substitute)
    give_up(session, row, parcel, to=T.DECLINED, actor=actor)


def lapse(*, substitute: str) -> None:
    """The listener of LAPSES: nobody has answered."""
    in_transaction(end, substitute=substitute)


def end(session: Session, *, substitute: str) -> None:
    row, parcel = locked(session, substitute, None)
    if row.state is T.OFFERED and row.answer_by <= clock.now():
        give_up(session, row, parcel, to=T.LAPSED, actor="system")


def locked(session: Session, substitute: str, number: str | None) -> tuple[Substitute, Parcel]:
    """The offer and its parcel, the order locked. Raises NotFound."""
    its: Select[str] = select(Parcel.public_id).join(OrderLine, OrderLine.parcel_id == Parcel.id)
    its = its.join(Substitute, Substitute.order_line_id == OrderLine.id).where(Substitute.public_id == substitute)
    public_id = session.scalar(its)
    if public_id is None:
        raise NotFound(substitute)
    parcel = fulfilment.get_parcel(session, public_id, station=None)
    if number is not None and parcel.order.number != number:
        raise NotFound(substitute)
    found = select(Substitute).where(Substitute.public_id == substitute).execution_options(populate_existing=True)
    return session.scalars(found).one(), parcel


def give_up(session: Session, row: Substitute, parcel: Parcel, *, to: T, actor: str) -> None:
    """The goods are for sale again, and what did not come goes back, unless it has."""
    transition(session, row, to, expected=T.OFFERED, actor=actor, why=to.value, station=parcel.station_code)
    stock.release(session, {row.variant_code: row.packs}, reference=reference(row.public_id))
    lines = remaining.of(session, parcel)
    mine = next(line for line in lines if line.id == row.order_line_id)
    packs = packs_left(session, row, parcel, mine)
    line = update(OrderLine).where(OrderLine.id == row.order_line_id)
    counted = {"replaced_quantity": OrderLine.replaced_quantity - row.packs}
    session.execute(line.values(**counted, missing_quantity=OrderLine.missing_quantity + row.packs))
    if disputed.is_lost(session, parcel.order.number):
        return
    if packs and parcel.state in WAITING and all(line.units == (packs if line is mine else 0) for line in lines):
        told: dict[str, Any] = {"parcel": parcel.public_id, "station": parcel.station_code, "actor": actor}
        fulfilment.refuse(session, **told, reason="the grower could not bring it")
        return
    if packs:
        parts = [mine.part(packs, with_shipping=True)]
        repaying.repay(session, parcel, parts, reason_key=f"declined:{row.public_id}", reason=NOT_WANTED)
    collect_if_complete(session, parcel, actor=actor)


def packs_left(session: Session, row: Substitute, parcel: Parcel, line: LineLeft) -> int:
    """Packs of an open offer that are still paid for.

    What a desk gives back of a parcel that has not left is what did not come (as in `owed.awaited`), not what is there."""
    others = select(OrderLine.received_quantity + OrderLine.replaced_quantity).where(OrderLine.id == line.id)
    there = int(session.scalars(others).one()) - row.packs if parcel.state in AT_WORK else 0
    return max(0, min(row.packs, line.units - there))


def collect_if_complete(session: Session, parcel: Parcel, *, actor: str) -> None:
    """It can be packed once nothing more has to be brought for it and nobody has to answer."""
    if parcel.state is S.ACCEPTED and not is_awaited(session, parcel):
        fulfilment.collect(session, parcel=parcel.public_id, station=parcel.station_code, actor=actor)


def is_awaited(session: Session, parcel: Parcel) -> bool:
    asked = select(Substitute.id).join(OrderLine, OrderLine.id == Substitute.order_line_id)
    asked = asked.where(OrderLine.parcel_id == parcel.id, Substitute.state == T.OFFERED)
    to_bring = owed.awaited().where(Parcel.id == parcel.id)
    return bool(session.execute(to_bring.limit(1)).all()) or session.scalar(asked.limit(1)) is not None
