"""A new listing: begun, filled in, shown to the station. What is filled in of one for sale becomes an edit that waits."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings import packs, revising
from listings.drawings import drawing_of
from listings.models import Category, Listing, Variant
from listings.owning import actor, get_own
from listings.packs import Pack
from listings.states import REVISED, ListingState as L
from marketplace.core import clock, ids
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, transition
from marketplace.stations.models import Seller

MOST_DRAFTS: Final = 50
EDITABLE: Final = (L.DRAFT, L.REJECTED)


class NoStation(Refusal):
    status = 403
    message = _l("Your station has to check who you are before you can list anything.")


class TooManyDrafts(Refusal):
    message = _l("You have fifty drafts already. Please finish or drop some first.")


class NotFinished(Refusal):
    status = 422
    message = _l("Something is still missing. Please fill in what it is, its pack, price and stock.")


class NotEditable(Refusal):
    message = _l("This listing is under review or for sale, so it cannot be edited now.")


@record
class Details:
    """What is entered about a listing and its first pack; prices in fen, weights in grams."""

    title: str
    unit: str
    price_fen: int
    stock: int
    village: str
    story: str
    net_weight_grams: int
    harvest_months: tuple[int, ...] = ()
    minimum_quantity: int = 1
    tiers: packs.Tiers = ()
    shelf_life_days: int | None = None
    storage: str = ""
    title_en: str = ""
    story_en: str = ""

    @property
    def content(self) -> dict[str, Any]:
        """What it is, in the names of `revising.FIELDS`."""
        return {
            "title_zh": self.title,
            "title_en": self.title_en,
            "story_zh": self.story,
            "story_en": self.story_en,
            "origin_village_zh": self.village,
            "harvest_months": sorted(set(self.harvest_months)),
            "shelf_life_days": self.shelf_life_days,
            "storage_zh": self.storage,
        }

    @property
    def pack(self) -> Pack:
        return Pack(self.unit, self.net_weight_grams, self.price_fen, self.stock, self.minimum_quantity, self.tiers)


def begin(session: Session, *, person_id: int, category: str, by: int | None = None) -> str:
    """A new draft in a category; returns its code. Raises NoStation, TooManyDrafts, NotFound for no such category."""
    seller = session.get(Seller, person_id)
    if seller is None:
        raise NoStation
    chosen = get_category(session, category)
    drafts = select(func.count()).select_from(Listing).where(Listing.seller_id == person_id, Listing.state == L.DRAFT)
    if (session.scalar(drafts) or 0) >= MOST_DRAFTS:
        raise TooManyDrafts
    listing = Listing(code=f"G{ids.order_number().removeprefix('SX-')}", seller_id=person_id)
    listing.station_code, listing.seller_name = seller.station_code, seller.name_zh
    listing.origin_village_zh = seller.village_zh
    put_into(listing, chosen)
    session.add(listing)
    session.flush()
    who = actor(person_id, by)
    leave_trace(session, listing, None, L.DRAFT, actor=who, why="begun", station=listing.station_code)
    return listing.code


def get_category(session: Session, code: str) -> Category:
    """One that goods can be in. Raises NotFound."""
    found = session.get(Category, code)
    if found is None or found.parent_code is None:
        raise NotFound(code)
    return found


def put_into(listing: Listing, category: Category) -> None:
    """With what the category brings along: whether it keeps, whether it may be sent back, the drawing instead of a photo."""
    listing.category_code, listing.drawing = category.code, drawing_of(category.code)
    listing.is_perishable, listing.return_policy = category.is_perishable, category.return_policy


def get_editable(session: Session, code: str, person_id: int, by: int | None = None) -> Listing:
    """As `get_own`; one that was rejected becomes a draft again. Raises NotEditable."""
    listing = get_own(session, code, person_id, by)
    reopen(session, listing, by)
    return listing


def reopen(session: Session, listing: Listing, by: int | None = None) -> None:
    """What was rejected is a draft again. Raises NotEditable unless it is one then."""
    if listing.state is L.REJECTED:
        who = actor(listing.seller_id, by)
        transition(session, listing, L.DRAFT, expected=L.REJECTED, actor=who, why="edited")
    if listing.state is not L.DRAFT:
        raise NotEditable(listing.code)


def describe(
    session: Session, *, code: str, person_id: int, details: Details, category: str | None = None, by: int | None = None
) -> None:
    """Write what was entered into the draft, its first pack included, and the category it shall be in instead, if any.

    Raises NotFound, NotEditable, OutOfStock."""
    listing = get_editable(session, code, person_id, by)
    if category:
        put_into(listing, get_category(session, category))
    write(listing, details.content)
    variant, counted_by = packs.first(session, listing.id), actor(person_id, by)
    if variant is None:
        packs.add(session, listing, details.pack, counted_by)
    else:
        packs.write(session, variant, details.pack, counted_by)


def redescribe(
    session: Session,
    *,
    code: str,
    person_id: int,
    content: Mapping[str, Any],
    category: str | None = None,
    by: int | None = None,
) -> bool:
    """Write what it is, of a draft at once; of what is for sale as an edit, which leaves the category as it is.

    Whether the station has something to look at."""
    listing = get_own(session, code, person_id, by)
    if listing.state in REVISED:
        return revising.propose(session, code=code, person_id=person_id, changes=content, by=by)
    reopen(session, listing, by)
    if category:
        put_into(listing, get_category(session, category))
    write(listing, content)
    return False


def write(listing: Listing, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        setattr(listing, name, value)
    listing.version += 1


def submit(session: Session, *, code: str, person_id: int, by: int | None = None) -> None:
    """Ask the station to look at it; nothing is done where it was asked already. Raises NotFinished, NotEditable."""
    listing = get_own(session, code, person_id, by)
    if listing.state is L.SUBMITTED:
        return
    reopen(session, listing, by)
    has_pack = session.scalar(select(Variant.id).where(Variant.listing_id == listing.id, Variant.is_offered).limit(1))
    if not (listing.title_zh and listing.story_zh and listing.origin_village_zh) or has_pack is None:
        raise NotFinished(code)
    station, who = listing.station_code, actor(person_id, by)
    transition(session, listing, L.SUBMITTED, expected=L.DRAFT, actor=who, why="finished", station=station)
    listing.submitted_at = clock.now()
