"""What partners' machines hear of goods: a listener of the outbox."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Listing
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.notifications.endpoints import EventKind
from marketplace.notifications.publishing import Audience, is_anybody_listening, publish

PUBLISHED: Final = "listing.published"


def listing_published(*, code: str) -> None:
    """The listener of `listing.published`: the station has let it in."""
    in_transaction(tell, code=code)


def tell(session: Session, *, code: str) -> None:
    if not is_anybody_listening(session):
        return
    listing = session.scalars(select(Listing).where(Listing.code == code)).one()
    kind, at = EventKind.LISTING_PUBLISHED, listing.published_at or clock.now()
    audience = Audience(frozenset({listing.seller_id}), frozenset({listing.station_code}))
    data = {"sku": code, "station": listing.station_code, "category": listing.category_code}
    publish(session, kind=kind, fact=f"{kind}:{code}", at=at, audience=audience, data=data)
