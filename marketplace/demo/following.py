"""What the demonstration's buyer keeps in mind: five packs, two of them with something to be told."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.following import keeping
from listings.following.models import Favourite
from marketplace.core import clock
from marketplace.demo.people import ids_of, person_id

BUYER: Final = person_id("buyer")
SAVED: Final = (  # pack, days ago, by how many fen it was dearer then
    ("P0002-1", 40, 0),
    ("P0290-1", 21, 300),
    ("P0384-1", 12, 0),
    ("P0076-1", 6, -400),
    ("P0271-1", 2, 0),
)
ALERTS: Final[dict[str, dict[str, Any]]] = {
    "P0271-1": {"tells_price": True, "tells_return": True, "wish_fen": 5000},
    "P0076-1": {"tells_price": True, "tells_return": False},
}


def load(session: Session) -> None:
    """Unless there is something already."""
    buyer = ids_of(session, [BUYER])[BUYER]
    if session.scalar(select(Favourite.id).where(Favourite.person_id == buyer).limit(1)) is not None:
        return
    for variant, days, dearer in SAVED:
        with clock.at(clock.now() - timedelta(days=days)):
            keeping.save(session, person_id=buyer, variant=variant)
        row = session.scalars(select(Favourite).where(Favourite.person_id == buyer, Favourite.variant_code == variant)).one()
        row.saved_price_fen += dearer
    session.flush()
    for variant, wanted in ALERTS.items():
        keeping.choose_alerts(session, person_id=buyer, variant=variant, **wanted)
