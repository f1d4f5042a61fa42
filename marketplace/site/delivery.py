"""What one pack costs to send to Taiyuan, and whose its price is: an example for strangers."""

from datetime import date
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Category, Listing, Variant
from marketplace.core.formats import language
from marketplace.core.money import per_mille
from marketplace.core.strata import Layer, Section, section
from marketplace.orders import shipping
from marketplace.stations.models import Station

EXAMPLE_PROVINCE: Final = "140000"


def to_taiyuan(session: Session, *, grams: int, goods_fen: int, free_from_fen: int, today: date) -> int | None:
    """Fen for one pack sent alone, as checkout would say today; None for a weight that no rate covers."""
    tariff = shipping.tariff(session, EXAMPLE_PROVINCE, today)
    try:
        return tariff.price_fen(grams, goods_fen, free_from_fen)
    except shipping.TooHeavy:
        return None


def shares(price_fen: int, rate: int, sent_fen: int | None, station: str) -> Section:
    """The section through the price of one pack: grower, station, courier. `rate` is the service fee per mille."""
    if sent_fen is None:
        return section([])
    fee = per_mille(price_fen, rate)
    return section(
        [
            Layer(_("The grower, 7 days after arrival"), price_fen - fee),
            Layer(_("%(station)s, for its work", station=station), fee),
            Layer(_("Courier to Taiyuan"), sent_fen),
        ]
    )


def shares_of(session: Session, variant: str, today: date) -> Section:
    """The same for a pack of which only the code is known: two statements."""
    wanted = (
        select(Variant.price_fen, Variant.net_weight_grams, Category.service_fee_per_mille)
        .add_columns(Station.name_zh, Station.name_en, Station.free_shipping_from_fen)
        .join(Listing, Listing.id == Variant.listing_id)
        .join(Category, Category.code == Listing.category_code)
        .join(Station, Station.code == Listing.station_code)
        .where(Variant.code == variant)
    )
    row = session.execute(wanted).one()
    free_from, grams = row.free_shipping_from_fen, row.net_weight_grams
    sent = to_taiyuan(session, grams=grams, goods_fen=row.price_fen, free_from_fen=free_from, today=today)
    return shares(row.price_fen, row.service_fee_per_mille, sent, getattr(row, f"name_{language()}"))
