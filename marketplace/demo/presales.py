"""Three harvests that are sold ahead, by the real commands: drafted by their sellers, opened by their stations."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales import drafting, reviewing
from crowdfund.presales.drafting import Terms, Tier
from crowdfund.presales.models import Presale
from listings.models import Listing, Variant
from marketplace.core import clock
from marketplace.demo.people import ids_of, person_id
from marketplace.demo.tables import Row, read


def load(session: Session) -> None:
    """What is not there yet; what is there stays as it is."""
    known = set(session.scalars(select(Listing.code).join(Presale, Presale.listing_id == Listing.id)))
    for row in read("presales"):
        if row["listing"] not in known:
            live_through(session, row)


def live_through(session: Session, row: Row) -> None:
    listing = session.scalars(select(Listing).where(Listing.code == row["listing"])).one()
    first = select(Variant.code).where(Variant.listing_id == listing.id).order_by(Variant.position).limit(1)
    pack = session.scalars(first).one()
    manager = person_id(f"station.{row['station_code']}")
    reviewer = ids_of(session, [manager])[manager]
    presale = drafting.draft(session, listing=listing.code, terms=terms_of(row), seller=listing.seller_id)
    for each in row["tiers"].split():
        tier = tier_of(each, pack)
        drafting.add_tier(session, presale=presale, tier=tier, seller=listing.seller_id)
    drafting.submit(session, presale=presale, seller=listing.seller_id)
    seen: Any = {"field_seen": True, "figures_sane": True}
    reviewing.accept(session, presale=presale, station=row["station_code"], reviewer=reviewer, **seen)
    drafting.get(session, presale).is_demo = True
    session.flush()


def terms_of(row: Row) -> Terms:
    today = clock.today()
    return Terms(
        title_zh=row["title_zh"],
        title_en=row["title_en"],
        story_zh=row["story_zh"],
        plan_zh=row["plan_zh"],
        goal_fen=int(row["goal_yuan"]) * 100,
        area_tenths=int(row["area_tenths"]),
        yield_kg=int(row["yield_kg"]),
        start_percent=int(row["start_percent"]),
        closes_on=today + timedelta(days=int(row["closes_in"])),
        harvest_on=today + timedelta(days=int(row["harvest_in"])),
        grace_days=int(row["grace_days"]),
    )


def tier_of(text: str, pack: str) -> Tier:
    """name:packs:yuan of a pack:yuan of shipping:places"""
    name, packs, price, shipping, most = text.split(":")
    fen = [int(Decimal(sum_) * 100) for sum_ in (price, shipping)]
    return Tier(name, pack, int(packs), fen[0], fen[1], int(most))
