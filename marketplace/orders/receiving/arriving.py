"""The station takes in what a seller brought: everybody's part is written down, and what they will not get is refunded."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace.core import ids
from marketplace.core.db import add_row, add_rows
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.orders import fulfilment, remaining, repaying
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.receiving import owed, substituting
from marketplace.orders.receiving.models import Allotment, Arrival, ArrivalLine, Forecast
from marketplace.orders.receiving.planning import (
    Consequence,
    Count,
    PackPlan,
    Share,
    consequence,
    plan_all,
    shares_by_parcel,
)
from marketplace.orders.remaining import Part

SHORT: Final = "short"
LIGHTER: Final = "lighter"  # how the keys of these refunds begin, and their reasons, which `refunded` has words for
NOT_BROUGHT: Final = "the grower could not bring it"


class OwedOtherwise(Refusal):
    message = _l("What this grower has to bring has changed meanwhile. Please look again.")


class NothingCame(Refusal):
    status = 422
    message = _l("Enter what came, or say that the rest will not come.")


def receive(
    session: Session,
    *,
    station: str,
    seller: str,
    counts: Mapping[str, Count] | None,
    seen: str,
    actor: str,
    agreed_fen: int | None = None,
) -> str:
    """Take in a delivery; returns its public id. `counts` by the packs' codes; None: all came.

    `seen`: how the delivery stood (`Delivery.mark`) when the person decided; `agreed_fen`: what they were shown to go back.
    Raises NotFound where the seller owes this station nothing, OwedOtherwise, NothingCame, OutOfStock."""
    delivery = locked(session, station, seller)
    if delivery.mark != seen:
        raise OwedOtherwise(seller)
    instead = substituting.candidates(session, delivery, station=station)
    plans = plan_all(delivery, counts, {code: each.available for code, each in instead.items()})
    if not any(share.received or share.missing or share.offered for plan in plans for share in plan.shares):
        raise NothingCame(seller)
    if agreed_fen is not None and agreed_fen != sum(each.fen for each in consequences(session, plans).values()):
        raise OwedOtherwise(seller)
    public_id = ids.public_id()
    told = {"public_id": public_id, "station_code": station, "seller_public_id": seller, "actor": actor}
    arrival = add_row(session, Arrival, told)
    lighter: dict[int, Part] = {}
    for parcel, shares in shares_by_parcel(plans).items():
        lighter |= apply(session, parcel, shares, arrival=public_id, actor=actor)
    for plan in plans:
        line = write_down(session, arrival, plan, lighter)
        for share in plan.shares:
            if share.offered:
                offered = instead[str(plan.count.instead)]
                substituting.offer(session, share, offered, arrival_line=line, station=station, actor=actor)
    for parcel in shares_by_parcel(plans):
        substituting.collect_if_complete(session, session.get_one(Parcel, parcel, populate_existing=True), actor=actor)
    codes = [plan.pack.code for plan in plans]
    session.execute(delete(Forecast).where(Forecast.seller_public_id == seller, Forecast.variant_code.in_(codes)))
    return public_id


def consequences(session: Session, plans: Sequence[PackPlan]) -> dict[int, Consequence]:
    """By the parcels' rows; only of those that something goes back of, or that are not sent at all. One statement."""
    shares = shares_by_parcel(plans)
    lines = remaining.of_parcels(session, list(shares))
    found = {parcel: consequence(lines[parcel], of_parcel) for parcel, of_parcel in shares.items()}
    return {parcel: each for parcel, each in found.items() if each.fen or each.is_refused}


def locked(session: Session, station: str, seller: str) -> owed.Delivery:
    """What is owed, once the orders it is for are locked, in the order of their ids. Raises NotFound, OwedOtherwise."""
    found = owed.of_seller(session, seller, station=station)
    if found is None:
        raise NotFound(seller)
    orders = sorted({claim.order_id for claim in found.claims})
    session.scalars(select(Order).where(Order.id.in_(orders)).order_by(Order.id).with_for_update()).all()
    found = owed.of_seller(session, seller, station=station)
    if found is None:
        raise OwedOtherwise(seller)
    return found


def apply(session: Session, parcel: int, shares: Sequence[Share], *, arrival: str, actor: str) -> dict[int, Part]:
    """One parcel's part of the arrival: its counters, its refunds. What came off the price, by line."""
    for share in shares:
        count_packs(session, share)
    if not any(share.missing or share.lighter_fen for share in shares):
        return {}
    row = session.get_one(Parcel, parcel, populate_existing=True)
    found = consequence(remaining.of(session, row), shares)
    step: dict[str, Any] = {"parcel": row.public_id, "station": row.station_code, "actor": actor}
    if found.is_refused:
        fulfilment.refuse(session, **step, reason=NOT_BROUGHT)
        return {}
    for reason, parts in ((SHORT, found.missing), (LIGHTER, found.lighter)):
        if parts:
            repaying.repay(session, row, parts, reason_key=f"{reason}:{arrival}:{row.public_id}", reason=reason)
    return {part.line.id: part for part in found.lighter}


def count_packs(session: Session, share: Share) -> None:
    """In one guarded statement, with the database's own CHECK behind it."""
    known = OrderLine.received_quantity + OrderLine.missing_quantity + OrderLine.replaced_quantity
    packs = share.received + share.missing + share.offered
    line = update(OrderLine).where(OrderLine.id == share.claim.line_id, OrderLine.quantity - known >= packs)
    counted = line.values(
        received_quantity=OrderLine.received_quantity + share.received,
        missing_quantity=OrderLine.missing_quantity + share.missing,
        replaced_quantity=OrderLine.replaced_quantity + share.offered,
    )
    if session.scalar(counted.returning(OrderLine.id)) is None:
        raise StaleState(f"{share.claim.label}: {packs} packs are not awaited")


def write_down(session: Session, arrival: int, plan: PackPlan, lighter: Mapping[int, Part]) -> int:
    """The row of the arrival's line."""
    figures = {"expected": plan.pack.wanted, "came": plan.count.came, "damaged": plan.count.damaged}
    kept = {"arrival_id": arrival, "variant_code": plan.pack.code, "grams": plan.grams, "rest": plan.count.rest}
    kept["instead"] = plan.count.instead
    line = add_row(session, ArrivalLine, {**kept, **figures})
    rows = []
    for share in plan.shares:
        off = lighter.get(share.claim.line_id)
        packs = {"wanted": share.claim.wanted, "received": share.received, "missing": share.missing}
        packs["offered"] = share.offered
        fen = {"lighter_fen": off.goods_fen if off else 0, "lighter_fee_fen": off.service_fee_fen if off else 0}
        rows.append({"arrival_line_id": line, "order_line_id": share.claim.line_id, **packs, **fen})
    add_rows(session, Allotment, *rows)
    return line
