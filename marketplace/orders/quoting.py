"""What a cart would cost: its lines, a parcel for each station, what sending costs. Pure sums over what was looked up."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from listings.offers import Offer
from marketplace.core.money import apportion
from marketplace.core.records import record
from marketplace.orders.shipping import PICKUP_READY_DAYS, Tariff

COURIER, PICKUP = "courier", "pickup"


class Trouble(StrEnum):
    """Why a line of a cart cannot be ordered as it stands."""

    GONE = "gone"
    SOLD_OUT = "sold_out"
    TOO_FEW_LEFT = "too_few_left"
    BELOW_MINIMUM = "below_minimum"


@record
class QuotedLine:
    offer: Offer
    quantity: int
    seen_price_fen: int

    @property
    def unit_price_fen(self) -> int:
        return self.offer.price_for(self.quantity)

    @property
    def unit_service_fee_fen(self) -> int:
        return self.offer.service_fee_for(self.quantity)

    @property
    def goods_fen(self) -> int:
        return self.unit_price_fen * self.quantity

    @property
    def net_weight_grams(self) -> int:
        return self.offer.net_weight_grams * self.quantity

    @property
    def price_has_changed(self) -> bool:
        return self.seen_price_fen != self.unit_price_fen

    @property
    def trouble(self) -> Trouble | None:
        if not self.offer.is_published:
            return Trouble.GONE
        if self.offer.available < self.offer.minimum_quantity:
            return Trouble.SOLD_OUT
        if self.quantity > self.offer.available:
            return Trouble.TOO_FEW_LEFT
        return Trouble.BELOW_MINIMUM if self.quantity < self.offer.minimum_quantity else None


@record
class QuotedParcel:
    """One station's part. Without a tariff (the destination is not known yet) sending has no price."""

    lines: tuple[QuotedLine, ...]
    delivery: str
    tariff: Tariff | None
    delay_days: int = 0  # since the station has more to pack than it can
    waits_for_group: bool = False

    @property
    def station_code(self) -> str:
        return self.lines[0].offer.station_code

    @property
    def first(self) -> Offer:
        return self.lines[0].offer

    @cached_property
    def sound_lines(self) -> tuple[QuotedLine, ...]:
        """What can be ordered as it stands; nothing else is counted in sums."""
        return tuple(line for line in self.lines if line.trouble is None)

    @cached_property
    def goods_fen(self) -> int:
        return sum(line.goods_fen for line in self.sound_lines)

    @cached_property
    def service_fee_fen(self) -> int:
        return sum(line.unit_service_fee_fen * line.quantity for line in self.sound_lines)

    @cached_property
    def net_weight_grams(self) -> int:
        return sum(line.net_weight_grams for line in self.sound_lines)

    @property
    def free_shipping_from_fen(self) -> int:
        return self.first.free_shipping_from_fen

    @property
    def missing_for_free_shipping_fen(self) -> int:
        return max(0, self.free_shipping_from_fen - self.goods_fen)

    @property
    def shipping_fen(self) -> int:
        """Raises TooHeavy."""
        if self.delivery == PICKUP or self.tariff is None or not self.sound_lines:
            return 0
        return self.tariff.price_fen(self.net_weight_grams, self.goods_fen, self.free_shipping_from_fen)

    @property
    def shipping_parts(self) -> list[int]:
        """Each line's part of the shipping, in fen, by weight; by number where nothing weighs anything. Raises TooHeavy."""
        weights = [line.net_weight_grams for line in self.lines]
        return apportion(self.shipping_fen, weights if any(weights) else [line.quantity for line in self.lines])

    def promised_by(self, today: date) -> date:
        if self.delivery == PICKUP or self.tariff is None:
            return today + timedelta(days=PICKUP_READY_DAYS + self.delay_days)
        return self.tariff.arrives_by(self.net_weight_grams) + timedelta(days=self.delay_days)

    def leave_by(self, today: date) -> date:
        """The day on which it must leave its station, or lie on the shelf there, to keep the promise."""
        if self.delivery == PICKUP or self.tariff is None:
            return self.promised_by(today)
        return self.promised_by(today) - timedelta(days=self.tariff.rate_for(self.net_weight_grams).days)


@record
class Cut:
    """What comes off one line, in fen: off its goods what the seller bears and what the province bears; off its shipping."""

    seller_fen: int = 0
    platform_fen: int = 0
    shipping_fen: int = 0  # all of it or nothing, borne by the province

    @property
    def fen(self) -> int:
        return self.seller_fen + self.platform_fen + self.shipping_fen

    def __add__(self, other: "Cut") -> "Cut":
        goods = (self.seller_fen + other.seller_fen, self.platform_fen + other.platform_fen)
        return Cut(*goods, self.shipping_fen + other.shipping_fen)


@record
class Reduction:
    """What one promotion takes off, by the lines' variants."""

    promotion_id: int
    public_id: str
    code: str | None
    name_zh: str
    name_en: str
    cuts: Mapping[str, Cut]

    @property
    def fen(self) -> int:
        return sum(cut.fen for cut in self.cuts.values())

    @property
    def platform_fen(self) -> int:
        return sum(cut.platform_fen + cut.shipping_fen for cut in self.cuts.values())


@record
class Quote:
    parcels: tuple[QuotedParcel, ...]
    reductions: tuple[Reduction, ...] = ()

    @property
    def lines(self) -> list[QuotedLine]:
        return [line for parcel in self.parcels for line in parcel.lines]

    @property
    def sound_lines(self) -> list[QuotedLine]:
        return [line for parcel in self.parcels for line in parcel.sound_lines]

    @property
    def troubled_lines(self) -> list[QuotedLine]:
        return [line for line in self.lines if line.trouble]

    @property
    def goods_fen(self) -> int:
        return sum(parcel.goods_fen for parcel in self.parcels)

    @property
    def shipping_fen(self) -> int:
        return sum(parcel.shipping_fen for parcel in self.parcels)

    @property
    def discount_fen(self) -> int:
        return sum(each.fen for each in self.reductions)

    @property
    def total_fen(self) -> int:
        return self.goods_fen + self.shipping_fen - self.discount_fen

    def cut_of(self, variant: str) -> Cut:
        """What all promotions take off this line together."""
        return sum((each.cuts[variant] for each in self.reductions if variant in each.cuts), Cut())

    @property
    def is_age_restricted(self) -> bool:
        return any(line.offer.is_age_restricted for line in self.lines)

    @property
    def has_trouble(self) -> bool:
        return bool(self.troubled_lines)


def quote(
    contents: Sequence[tuple[str, int, int]],
    found: Mapping[str, Offer],
    *,
    tariff: Tariff | None = None,
    pickup: Collection[str] = (),
    delays: Mapping[str, int] | None = None,
) -> Quote:
    """Group a cart by station, in the order the stations first appear; `pickup`: stations whose parcel is fetched there.

    `delays`: days by station, where one has more to pack than it can."""
    by_station: dict[str, list[QuotedLine]] = {}
    for variant, quantity, seen in contents:
        if variant in found:
            line = QuotedLine(found[variant], quantity, seen)
            by_station.setdefault(line.offer.station_code, []).append(line)
    return Quote(
        tuple(
            QuotedParcel(tuple(lines), PICKUP if station in pickup else COURIER, tariff, (delays or {}).get(station, 0))
            for station, lines in by_station.items()
        )
    )
