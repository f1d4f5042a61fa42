"""What checkout would say of goods today: the day they arrive, what sending costs, from which day they can be fetched."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.memory import remembered
from marketplace.orders import backlog, shipping
from marketplace.orders.quoting import COURIER, Quote, QuotedParcel


@dataclass(frozen=True)
class Estimate:
    """Of one parcel; both None where no courier takes it: too heavy for one parcel, or there is no price list."""

    price_fen: int | None
    arrives_by: date | None
    pickup_from: date


@dataclass(frozen=True)
class SentParcel:
    """A parcel of a cart and its estimate."""

    parcel: QuotedParcel
    estimate: Estimate


def tags(_estimate: Estimate, *, station: str, **_more: object) -> tuple[str, ...]:
    return (f"station:{station}",)


@remembered(by=tags)
def of_pack(session: Session, *, station: str, grams: int, goods_fen: int, free_from_fen: int, province: str) -> Estimate:
    """Of so much goods sent alone from one station: two statements."""
    today = clock.today()
    wait = timedelta(days=backlog.delays(session, [station]).get(station, 0))
    pickup_from = today + timedelta(days=shipping.PICKUP_READY_DAYS) + wait
    tariff = shipping.tariff(session, province, today)
    try:
        price_fen = tariff.price_fen(grams, goods_fen, free_from_fen)
    except shipping.TooHeavy:
        return Estimate(None, None, pickup_from)
    return Estimate(price_fen, tariff.arrives_by(grams) + wait, pickup_from)


def of_cart(session: Session, quote: Quote, province: str) -> list[SentParcel]:
    """Of each parcel that has something to send, in the cart's order: two statements for all of them."""
    today = clock.today()
    parcels = [parcel for parcel in quote.parcels if parcel.sound_lines]
    tariff = shipping.tariff(session, province, today)
    delays = backlog.delays(session, {parcel.station_code for parcel in parcels})
    sent = [
        replace(parcel, delivery=COURIER, tariff=tariff, delay_days=delays.get(parcel.station_code, 0)) for parcel in parcels
    ]
    return [SentParcel(parcel, estimate_of(parcel, today)) for parcel in sent]


def estimate_of(parcel: QuotedParcel, today: date) -> Estimate:
    pickup_from = today + timedelta(days=shipping.PICKUP_READY_DAYS + parcel.delay_days)
    try:
        return Estimate(parcel.shipping_fen, parcel.promised_by(today), pickup_from)
    except shipping.TooHeavy:
        return Estimate(None, None, pickup_from)


def total_fen(sent: Iterable[SentParcel]) -> int | None:
    """What sending all of them costs; None where one of them cannot be sent."""
    prices = [each.estimate.price_fen for each in sent]
    return None if None in prices else sum(price for price in prices if price is not None)
