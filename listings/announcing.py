"""A listing has changed in a way that shows: the index learns of it, and the pages made from it are made anew."""

from sqlalchemy.orm import Session

from listings.models import Listing
from marketplace.core import outbox, page_cache

TOPIC = "listing.changed"


def announce(session: Session, listing: Listing) -> None:
    listing.version += 1
    outbox.put(session, TOPIC, code=listing.code)
    page_cache.expire(session, f"listing:{listing.code}", f"station:{listing.station_code}")
