"""What a parcel costs to send: one charge, by the zone it goes to and its weight, free from the station's threshold."""

from datetime import date, timedelta
from functools import cache
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import Date, bindparam, or_, select
from sqlalchemy.orm import Session

from marketplace.core.db import Columns, rows
from marketplace.core.errors import Refusal
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.orders.models import Province, ShippingRate

DAYS_TO_DISPATCH: Final = 1
PICKUP_READY_DAYS: Final = 1


class TooHeavy(Refusal):
    status = 422
    message = _l("That is too heavy for one parcel. Please order in two parts.")


@record
class Rate:
    up_to_grams: int
    price_fen: int
    days: int  # on the road


@record
class Tariff:
    """The rates to one destination that are valid on one day, lightest first."""

    rates: tuple[Rate, ...]
    day: date

    def rate_for(self, grams: int) -> Rate:
        """The lightest step that holds the weight. Raises TooHeavy beyond the last."""
        for rate in self.rates:
            if grams <= rate.up_to_grams:
                return rate
        raise TooHeavy(str(grams))

    def price_fen(self, grams: int, goods_fen: int, free_from_fen: int) -> int:
        """For one parcel, nothing from the station's threshold on. Raises TooHeavy, also for one that would be free."""
        price = self.rate_for(grams).price_fen
        return 0 if goods_fen >= free_from_fen else price

    def arrives_by(self, grams: int) -> date:
        """A day to pack it and the days on the road. Raises TooHeavy."""
        return self.day + timedelta(days=DAYS_TO_DISPATCH + self.rate_for(grams).days)


@remembered()
def tariff(session: Session, province: str, day: date) -> Tariff:
    """What sending to this province costs on `day`; where two tables overlap, the one that began later holds, with all of
    its steps and none of the other's."""
    found = rows(session, valid_rates(), province=province, day=day)
    first_day = max((row.valid_from for row in found), default=day)
    held = (row for row in found if row.valid_from == first_day)
    return Tariff(tuple(Rate(row.up_to_grams, row.price_fen, row.days) for row in held), day)


@cache
def valid_rates() -> Columns:
    day = bindparam("day", type_=Date)
    return (
        select(ShippingRate.up_to_grams, ShippingRate.price_fen, ShippingRate.days, ShippingRate.valid_from)
        .join(Province, Province.zone == ShippingRate.zone)
        .where(Province.code == bindparam("province"), ShippingRate.valid_from <= day)
        .where(or_(ShippingRate.valid_until.is_(None), ShippingRate.valid_until >= day))
        .order_by(ShippingRate.up_to_grams)
    )


@remembered()
def provinces(session: Session) -> tuple[tuple[str, str, str], ...]:
    """(code, Chinese name, English name), in the order of the list."""
    listed = select(Province.code, Province.name_zh, Province.name_en).order_by(Province.position, Province.code)
    return tuple((row.code, row.name_zh, row.name_en) for row in session.execute(listed))
