"""What one box costs to send to Taiyuan, when it would arrive, and whose its price is: examples for pages of strangers."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from listings.models import Category, Listing, Variant
from marketplace.core.formats import language
from marketplace.core.money import per_mille
from marketplace.core.strata import Layer, Section, section
from marketplace.orders.models import Province, ShippingRate
from marketplace.stations.models import Station

EXAMPLE_PROVINCE: Final = "140000"
DAYS_TO_DISPATCH: Final = 1


@dataclass(frozen=True)
class Delivery:
    price_fen: int
    arrives_by: date


def to_taiyuan(session: Session, grams: int, today: date) -> Delivery | None:
    """By the rate table as it is valid today; None for a weight that no rate covers."""
    rate = (
        select(ShippingRate.price_fen, ShippingRate.days)
        .join(Province, Province.zone == ShippingRate.zone)
        .where(Province.code == EXAMPLE_PROVINCE, ShippingRate.up_to_grams >= grams, ShippingRate.valid_from <= today)
        .where(or_(ShippingRate.valid_until.is_(None), ShippingRate.valid_until >= today))
        .order_by(ShippingRate.up_to_grams, ShippingRate.valid_from.desc())
        .limit(1)
    )
    found = session.execute(rate).one_or_none()
    return Delivery(found.price_fen, today + timedelta(days=DAYS_TO_DISPATCH + found.days)) if found else None


def box(session: Session, variant: str, today: date) -> Section:
    """The section through the price of one pack, sent alone to Taiyuan: grower, station, courier."""
    wanted = (
        select(Variant.price_fen, Variant.net_weight_grams, Listing.seller_name, Category.service_fee_per_mille)
        .add_columns(Station.name_zh, Station.name_en, Station.free_shipping_from_fen)
        .join(Listing, Listing.id == Variant.listing_id)
        .join(Category, Category.code == Listing.category_code)
        .join(Station, Station.code == Listing.station_code)
        .where(Variant.code == variant)
    )
    row = session.execute(wanted).one_or_none()
    sent = to_taiyuan(session, row.net_weight_grams, today) if row else None
    if row is None or sent is None:
        return section([])
    shipping = 0 if row.price_fen >= row.free_shipping_from_fen else sent.price_fen
    return shares(row.price_fen, row.service_fee_per_mille, shipping, getattr(row, f"name_{language()}"))


def shares(price_fen: int, rate: int, shipping_fen: int, station: str) -> Section:
    fee = per_mille(price_fen, rate)
    return section(
        [
            Layer(_("The grower, 7 days after arrival"), price_fen - fee),
            Layer(_("%(station)s: collects, sorts, packs", station=station), fee),
            Layer(_("Courier to Taiyuan"), shipping_fen),
        ]
    )
