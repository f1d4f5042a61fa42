"""A presale on its way to the station: written by its seller, tier by tier, and handed in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from crowdfund.presales.models import Presale, PresaleTier
from crowdfund.presales.states import PresaleState as P
from listings import offers
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core import audit, clock, ids, outbox, page_cache
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound, Refusal, StaleState, UnfitField
from marketplace.core.money import per_mille
from marketplace.core.transitions import leave_trace, subject_of, transition
from marketplace.payments.gateways import current_book

MOVED: Final = "presale.moved"  # the outbox's topic
MOST_TIERS: Final = 6
LONGEST_DAYS: Final = 120  # that one may be open
GRAMS_OF_A_TENTH: Final = 100  # a tenth of a mu that bears a kilogram a mu bears 100 grams
SELLS: Final = (ListingState.PUBLISHED, ListingState.PAUSED)


class ClosesInThePast(UnfitField):
    field = "closes_on"
    message = _l("The last day lies between tomorrow and 120 days from now.")


class HarvestBeforeEnd(UnfitField):
    field = "harvest_on"
    message = _l("The harvest comes after the last day of the presale.")


class MoreThanTheField(UnfitField):
    field = "most"
    message = _l("One place alone is more than the declared field bears.")


class OnlyForAdults(UnfitField):
    field = "variant"
    message = _l("What only adults may buy cannot be sold ahead.")


class TooManyTiers(Refusal):
    message = _l("Six tiers are enough. Remove one first.")


class GoalOutOfReach(UnfitField):
    field = "goal"
    message = _l(
        "Even if every place is paid, or all that the field bears, the goal is not reached. Lower it or add places."
    )


@dataclass(frozen=True)
class Terms:
    """Fen, tenths of a mu, kilograms from one mu, per cent and days."""

    title_zh: str
    title_en: str
    story_zh: str
    plan_zh: str
    goal_fen: int
    area_tenths: int
    yield_kg: int
    start_percent: int
    closes_on: date
    harvest_on: date
    grace_days: int

    @property
    def cap_grams(self) -> int:
        """What the field bears: nobody sells more of it."""
        return self.area_tenths * self.yield_kg * GRAMS_OF_A_TENTH


@dataclass(frozen=True)
class Tier:
    """So many packs of a variant, fen of one pack and of sending them all, and how many places there are."""

    title_zh: str
    variant: str
    packs: int
    unit_price_fen: int
    shipping_fen: int
    most: int


def draft(session: Session, *, listing: str, terms: Terms, seller: int) -> str:
    """Of goods of the seller's own; its public id. Raises NotFound, ClosesInThePast, HarvestBeforeEnd."""
    wanted = select(Listing).where(Listing.code == listing, Listing.seller_id == seller, Listing.state.in_(SELLS))
    goods = session.scalar(wanted)
    if goods is None:
        raise NotFound(listing)
    refuse_days(terms)
    row = Presale(public_id=ids.public_id(), listing_id=goods.id, seller_id=seller, station_code=goods.station_code)
    row.book = current_book()
    write(row, terms)
    session.add(row)
    session.flush()
    leave_trace(session, row, None, P.DRAFT, actor=f"person:{seller}", why="drafted")
    return row.public_id


def rewrite(session: Session, *, presale: str, terms: Terms, seller: int) -> None:
    """Before it is handed in. Raises NotFound, StaleState, ClosesInThePast, HarvestBeforeEnd."""
    row = get_draft(session, presale, seller)
    refuse_days(terms)
    write(row, terms)


def write(row: Presale, terms: Terms) -> None:
    for name, value in asdict(terms).items():
        setattr(row, name, value)
    row.cap_grams = terms.cap_grams


def refuse_days(terms: Terms) -> None:
    """Raises ClosesInThePast, also for a day that is too far away, and HarvestBeforeEnd."""
    tomorrow = clock.today() + timedelta(days=1)
    if not tomorrow <= terms.closes_on <= tomorrow + timedelta(days=LONGEST_DAYS):
        raise ClosesInThePast(str(terms.closes_on))
    if terms.harvest_on <= terms.closes_on:
        raise HarvestBeforeEnd(str(terms.harvest_on))


def add_tier(session: Session, *, presale: str, tier: Tier, seller: int) -> str:
    """Its public id. The station's fee is that of the goods' category now. Raises NotFound, StaleState, TooManyTiers,
    OnlyForAdults, MoreThanTheField."""
    row = get_draft(session, presale, seller)
    if int(session.scalar(select(func.count()).where(PresaleTier.presale_id == row.id)) or 0) >= MOST_TIERS:
        raise TooManyTiers(presale)
    of_listing = select(Variant.code).where(Variant.listing_id == row.listing_id, Variant.code == tier.variant)
    offer = offers.find(session, [tier.variant]).get(tier.variant)
    if offer is None or session.scalar(of_listing) is None:
        raise NotFound(tier.variant)
    if offer.is_age_restricted:
        raise OnlyForAdults(tier.variant)
    grams = max(1, offer.net_weight_grams) * tier.packs
    if grams > row.cap_grams:
        raise MoreThanTheField(presale)
    fee = per_mille(tier.unit_price_fen, offer.service_fee_per_mille)
    values = {"title_zh": tier.title_zh, "variant_code": tier.variant, "packs": tier.packs, "most": tier.most}
    values |= {"unit_price_fen": tier.unit_price_fen, "unit_service_fee_fen": fee, "shipping_fen": tier.shipping_fen}
    public_id = ids.public_id()
    add_rows(session, PresaleTier, {**values, "public_id": public_id, "presale_id": row.id, "grams": grams})
    return public_id


def remove_tier(session: Session, *, presale: str, tier: str, seller: int) -> None:
    """Removed twice is removed. Raises NotFound, StaleState."""
    row = get_draft(session, presale, seller)
    session.execute(delete(PresaleTier).where(PresaleTier.presale_id == row.id, PresaleTier.public_id == tier))


def submit(session: Session, *, presale: str, seller: int) -> None:
    """To the station. Raises NotFound, StaleState, GoalOutOfReach, ClosesInThePast."""
    row = get_draft(session, presale, seller)
    if row.closes_on <= clock.today():
        raise ClosesInThePast(presale)
    if reachable_fen(tiers_of(session, row.id), row.cap_grams) < row.goal_fen:
        raise GoalOutOfReach(presale)
    move(session, row, P.SUBMITTED, f"person:{seller}", "handed in")


def reachable_fen(tiers: Sequence[PresaleTier], cap_grams: int) -> int:
    """At most so much can come in: the dearest by weight first, until the field bears no more."""
    reached, left = 0, cap_grams
    for tier in sorted(tiers, key=lambda tier: tier.fen / tier.grams, reverse=True):
        places = min(tier.most, left // tier.grams)
        reached, left = reached + places * tier.fen, left - places * tier.grams
    return reached


def tiers_of(session: Session, presale: int) -> Sequence[PresaleTier]:
    wanted = select(PresaleTier).where(PresaleTier.presale_id == presale).order_by(PresaleTier.id)
    return session.scalars(wanted.execution_options(populate_existing=True)).all()


def get_draft(session: Session, presale: str, seller: int) -> Presale:
    """The seller's own, locked, while it may be changed. Raises NotFound, StaleState."""
    row = get(session, presale)
    if row.seller_id != seller:
        raise NotFound(presale)
    if row.state is not P.DRAFT:
        raise StaleState(presale)
    return row


def get(session: Session, presale: str) -> Presale:
    """Locked. Raises NotFound."""
    wanted = select(Presale).where(Presale.public_id == presale).with_for_update()
    row = session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(presale)
    return row


def move(session: Session, row: Presale, to: P, actor: str, why: str) -> None:
    """With its trace, its reason in the audit log, and fresh pages; partners' machines are told."""
    before = row.state
    transition(session, row, to, expected=before, actor=actor, why=why, station=row.station_code)
    audit.record(session, actor=actor, action=f"presale.{to}", subject=subject_of(row), why=why, before=str(before))
    outbox.put(session, MOVED, presale=row.public_id, state=str(to), at=clock.now().isoformat())
    page_cache.expire(session, tag_of(row.public_id), "presales")


def tag_of(presale: str) -> str:
    """Of the pages that show it."""
    return f"presale:{presale}"
