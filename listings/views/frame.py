"""Listing has two doors: a seller's own, and the station's desk for a farmer who agreed. One frame for both."""

from typing import Any

from flask import g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from listings.models import Consent, Listing
from listings.states import REVISED
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.stations.models import Station


def is_at_desk() -> bool:
    """A clerk is at work; else a seller, whose scope is their own goods and no station."""
    return bool(g.station)


def home() -> str:
    return "/station/sellers" if is_at_desk() else "/seller"


def get_own(code: str) -> Listing:
    """For a page: one's own listing, or a farmer's of one's station who agreed. Raises NotFound."""
    wanted = select(Listing).where(Listing.code == code)
    if is_at_desk():
        wanted = wanted.join(Consent, Consent.listing_id == Listing.id)
        wanted = wanted.where(Listing.station_code == g.station, Consent.withdrawn_at.is_(None))
    else:
        wanted = wanted.where(Listing.seller_id == g.person.id)
    found = db.session.scalar(wanted)
    if found is None:
        raise NotFound(code)
    return found


def whose(listing: Listing) -> dict[str, Any]:
    """The arguments of every command here that say which listing, whose it is, and which clerk writes for them."""
    by = {"by": g.person.id} if is_at_desk() else {}
    return {"code": listing.code, "person_id": listing.seller_id, **by}


def page(template: str, status: int = 200, listing: Listing | None = None, **shown: Any) -> ResponseReturnValue:
    """What is for sale belongs to the seller's goods, all else to listing something new."""
    current = "home" if listing and listing.state in REVISED else "new"
    frame: dict[str, Any] = {"base": "seller/base.html", "desk_current": current, "for_farmer": False, "home": home()}
    if is_at_desk():
        station = db.session.get_one(Station, g.station)
        frame |= {"base": "station/base.html", "desk_current": "sellers", "for_farmer": True}
        frame |= {"station": station, "waiting": 0, "today": clock.today()}
    return render_template(template, **frame | shown, listing=listing), status, {"Cache-Control": "no-store"}
