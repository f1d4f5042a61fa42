"""A listing has changed in a way that shows: the index learns of it, and the pages made from it are made anew."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from listings.models import Listing
from marketplace.core import outbox, page_cache

TOPIC = "listing.changed"


def announce(session: Session, listing: Listing) -> None:
    listing.version += 1
    outbox.put(session, TOPIC, code=listing.code)
    page_cache.expire(session, f"listing:{listing.code}", f"station:{listing.station_code}")


def announce_all(session: Session, stations: Mapping[str, str]) -> None:
    """Many at once: the code of each and its station. Their versions are raised by whoever wrote the rows."""
    if stations:
        outbox.put_all(session, TOPIC, [{"code": code} for code in stations])
        page_cache.expire(session, *(f"listing:{code}" for code in stations), *{f"station:{c}" for c in stations.values()})
