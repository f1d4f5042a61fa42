"""A seller's program writes listings, and sends them to the station."""

from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import drafting, reviewing
from listings.drafting import Details
from listings.forms import DetailsForm
from listings.models import Listing
from listings.states import ListingState
from listings.views.steps import details_of
from marketplace.api.doors import Unfit, check, typed
from marketplace.api.writing_schemas import NewListing, OwnListingAnswer
from marketplace.core.errors import NotFound

PLACES: Final = {
    **{name: f"#/{name}" for name in ("title", "unit", "stock", "village", "story", "storage")},
    "price": "#/price_fen",
    "months": "#/harvest_months",
    "weight": "#/net_weight_g",
    "tier_from": "#/tier/from_quantity",
    "tier_price": "#/tier/price_fen",
    "shelf_life": "#/shelf_life_days",
}


def details(asked: NewListing) -> Details:
    """By the rules of the seller's own form. Raises Unfit."""
    form = DetailsForm(
        typed(
            title=asked.title,
            unit=asked.unit,
            price=yuan(asked.price_fen),
            stock=asked.stock,
            village=asked.village,
            story=asked.story,
            months=asked.harvest_months,
            weight=asked.net_weight_g,
            tier_from=asked.tier.from_quantity if asked.tier else None,
            tier_price=yuan(asked.tier.price_fen) if asked.tier else None,
            shelf_life=asked.shelf_life_days,
            storage=asked.storage,
        )
    )
    check(form, PLACES)
    return details_of(form)


def yuan(fen: int) -> str:
    """As people write it into that form."""
    return f"{fen // 100}.{fen % 100:02d}"


def make(session: Session, *, person_id: int, category: str, entered: Details, submit: bool) -> OwnListingAnswer:
    """Raises Unfit for no such category, NoStation, TooManyDrafts."""
    try:
        code = drafting.begin(session, person_id=person_id, category=category)
    except NotFound:
        raise Unfit(("#/category", _("There is no such category for goods."))) from None
    drafting.describe(session, code=code, person_id=person_id, details=entered)
    if submit:
        drafting.submit(session, code=code, person_id=person_id)
    return show(session, code=code, person_id=person_id)


def submit(session: Session, *, code: str, person_id: int) -> OwnListingAnswer:
    """Raises NotFound for another's, NotFinished, NotEditable."""
    drafting.submit(session, code=code, person_id=person_id)
    return show(session, code=code, person_id=person_id)


def show(session: Session, *, code: str, person_id: int) -> OwnListingAnswer:
    """How it stands. Raises NotFound for another's."""
    listing = session.scalar(select(Listing).where(Listing.code == code, Listing.seller_id == person_id))
    if listing is None:
        raise NotFound(code)
    reason = reviewing.last_reason(session, listing.id) if listing.state is ListingState.REJECTED else ""
    return OwnListingAnswer(sku=code, state=listing.state.value, reason=reason, url=f"/listings/{code}")
