"""A rate table takes the place of its zone's older ones from its first day on, which lies ahead, until the next begins."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.db import add_rows
from marketplace.core.errors import Refusal
from marketplace.orders.models import Province, ShippingRate
from marketplace.orders.tariffs.reading import Step


class TooEarly(Refusal):
    status = 422
    message = _l("A rate table begins tomorrow at the earliest: what was promised today stays.")


def zones(session: Session) -> list[str]:
    return sorted(set(session.scalars(select(Province.zone))))


def tables(session: Session) -> list[ShippingRate]:
    """Those that hold now or later, by zone, first day and weight."""
    held = or_(ShippingRate.valid_until.is_(None), ShippingRate.valid_until >= clock.today())
    ordered = (ShippingRate.zone, ShippingRate.valid_from, ShippingRate.up_to_grams)
    return list(session.scalars(select(ShippingRate).where(held).order_by(*ordered)))


def no_longer_sent(session: Session, steps: Sequence[Step], day: date) -> list[tuple[str, int, int]]:
    """Zones, by name, whose heaviest parcel this table makes lighter than it was: (zone, now, before)."""
    named = {step.zone: 0 for step in steps}
    for step in steps:
        named[step.zone] = max(named[step.zone], step.up_to_grams)
    held = (ShippingRate.valid_until.is_(None)) | (ShippingRate.valid_until >= day - timedelta(days=1))
    most = select(ShippingRate.zone, func.max(ShippingRate.up_to_grams))
    most = most.where(ShippingRate.zone.in_(named), ShippingRate.valid_from < day, held).group_by(ShippingRate.zone)
    return sorted((zone, named[zone], grams) for zone, grams in session.execute(most) if named[zone] < grams)


def keep(session: Session, *, steps: Sequence[Step], valid_from: date, actor: str) -> None:
    """Of the zones that the table names: sent again it says the same, and one that begins later stays. Raises TooEarly."""
    if valid_from <= clock.today():
        raise TooEarly(valid_from.isoformat())
    named = sorted({step.zone for step in steps})
    one_after_the_other(session, named)
    of_zones = ShippingRate.zone.in_(named)
    session.execute(delete(ShippingRate).where(of_zones, ShippingRate.valid_from == valid_from))
    older = update(ShippingRate).where(of_zones, ShippingRate.valid_from < valid_from)
    older = older.where(or_(ShippingRate.valid_until.is_(None), ShippingRate.valid_until >= valid_from))
    session.execute(older.values(valid_until=valid_from - timedelta(days=1)))
    ends = last_days(session, valid_from)
    rows = [
        {"zone": step.zone, "up_to_grams": step.up_to_grams, "price_fen": step.price_fen, "days": step.days}
        | {"valid_from": valid_from, "valid_until": ends.get(step.zone)}
        for step in steps
    ]
    add_rows(session, ShippingRate, *rows)
    why = f"{', '.join(named)}: {len(rows)}"
    audit.record(session, actor=actor, action="shipping_rates.kept", subject=f"tariff:{valid_from}", why=why)


def one_after_the_other(session: Session, zones: Sequence[str]) -> None:
    """Whoever keeps another table of one of these zones at the same moment waits, and sees this one."""
    of_zones = select(Province.code).where(Province.zone.in_(zones)).order_by(Province.code)
    session.execute(of_zones.with_for_update()).all()


def last_days(session: Session, valid_from: date) -> Mapping[str, date]:
    """By zone, the day before another table begins that is kept already."""
    later = select(ShippingRate.zone, func.min(ShippingRate.valid_from)).where(ShippingRate.valid_from > valid_from)
    return {zone: first - timedelta(days=1) for zone, first in session.execute(later.group_by(ShippingRate.zone))}
