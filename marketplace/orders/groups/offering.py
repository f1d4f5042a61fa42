"""What a seller offers to groups, or the station for a farmer who has agreed to it."""

from dataclasses import asdict, dataclass
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import owning
from listings.models import Listing, Variant
from marketplace.core import clock, ids, page_cache
from marketplace.core.db import insert_or_ignore
from marketplace.core.errors import NotFound, Refusal, UnfitField
from marketplace.orders.groups import reaching
from marketplace.orders.groups.models import GroupOffer

LONGEST_DAYS: Final = 14
MOST_PACKS: Final = 200


class DearerThanAlone(UnfitField):
    field = "price"
    message = _l("The group price must be lower than the price for one.")


class LessThanThreshold(UnfitField):
    field = "most_packs"
    message = _l("The limit must be at least what makes the group complete.")


class MoreThanLimit(UnfitField):
    field = "most_per_member"
    message = _l("One person cannot order more than the whole group.")


class AlreadyOffered(Refusal):
    message = _l("This pack is offered to groups already. End that offer first.")


@dataclass(frozen=True)
class Terms:
    """The price in fen of one pack; packs; days; percent."""

    price_fen: int
    threshold_packs: int
    most_packs: int
    most_per_member: int
    days: int
    tolerance_percent: int
    prolong_days: int


@dataclass(frozen=True)
class Keeper:
    """Who offers: the seller, or a clerk (`by`) of the listing's station, at `station`, while the farmer's word stands."""

    person_id: int
    by: int | None = None


def offer(session: Session, *, variant: str, terms: Terms, keeper: Keeper) -> str:
    """Offer a pack that is for sale; returns the offer's public id.

    Raises NotFound, DearerThanAlone, LessThanThreshold, MoreThanLimit, AlreadyOffered."""
    pack = session.scalar(select(Variant).where(Variant.code == variant, Variant.is_offered))
    if pack is None:
        raise NotFound(variant)
    listing = get_own(session, pack.listing_id, keeper)
    if terms.price_fen >= pack.price_fen:
        raise DearerThanAlone(variant)
    if terms.most_packs < terms.threshold_packs:
        raise LessThanThreshold(variant)
    if terms.most_per_member > terms.most_packs:
        raise MoreThanLimit(variant)
    public_id = ids.public_id()
    about = {"public_id": public_id, "listing_code": listing.code, "variant_code": variant, "offered_at": clock.now()}
    if not insert_or_ignore(session, GroupOffer, {**about, **asdict(terms)}):
        raise AlreadyOffered(variant)
    page_cache.expire(session, reaching.tag_of(listing.code))
    return public_id


def end(session: Session, *, offer: str, keeper: Keeper) -> None:
    """No group is opened any more; the open ones go on as they were promised. Ended twice is ended. Raises NotFound."""
    found = session.scalar(select(GroupOffer).where(GroupOffer.public_id == offer))
    if found is None:
        raise NotFound(offer)
    owning.get_own(session, found.listing_code, keeper.person_id, keeper.by)  # its lock first, as `offer` takes them
    session.refresh(found, with_for_update=True)
    if found.ended_at is None:
        found.ended_at = clock.now()
        page_cache.expire(session, reaching.tag_of(found.listing_code))


def get_own(session: Session, listing: int, keeper: Keeper) -> Listing:
    code = session.scalars(select(Listing.code).where(Listing.id == listing)).one()
    return owning.get_own(session, code, keeper.person_id, keeper.by)
