"""Anybody points goods out to the province: with an account, with an address or without either, or at a station's desk."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.complaints.models import Complaint
from listings.complaints.states import ComplaintState as C, Fault
from listings.models import Listing
from listings.states import FOR_SALE
from marketplace.core import ids
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace


class AlreadyPointedOut(Refusal):
    status = 422
    message = _l("You have pointed these goods out already. The province is looking at it; you need not do it again.")


class OwnGoods(Refusal):
    status = 422
    message = _l("These are your own goods. You can take them off sale yourself.")


def complain(
    session: Session,
    *,
    code: str,
    fault: Fault,
    words: str,
    language: str,
    reporter_id: int | None = None,
    address: str = "",
    station: str | None = None,
    remembered: str = "",
) -> str:
    """Returns the complaint's id; `remembered` is one that a stranger's browser knows of.

    Raises NotFound for what is not offered, OwnGoods, AlreadyPointedOut."""
    listing = session.scalar(select(Listing).where(Listing.code == code, Listing.state.in_(FOR_SALE)).with_for_update())
    if listing is None:
        raise NotFound(code)
    if reporter_id is not None and listing.seller_id == reporter_id:
        raise OwnGoods(code)
    row: dict[str, Any] = {"public_id": ids.public_id(), "listing_id": listing.id, "fault": fault, "words": words}
    row |= {"reporter_id": reporter_id, "address": None if reporter_id or not address else address}
    row |= {"reporter_fingerprint": who(reporter_id, address), "station_code": station, "language": language}
    if is_waiting(session, code, row["reporter_fingerprint"]) or is_open(session, code, remembered):
        raise AlreadyPointedOut(code)
    complaint = Complaint(**row, state=C.OPEN)
    session.add(complaint)
    session.flush()
    actor = f"person:{reporter_id}" if reporter_id else "guest"
    leave_trace(session, complaint, None, C.OPEN, actor=actor, why=fault.value, station=listing.station_code)
    return complaint.public_id


def who(reporter_id: int | None, address: str) -> str | None:
    """By which one person is known again: their account, else the address that they left."""
    if reporter_id is not None:
        return fingerprint(f"person:{reporter_id}", "complaint")
    return fingerprint(address, "complaint") if address else None


def is_waiting(session: Session, code: str, whose: str | None) -> bool:
    """Whether this person's word about these goods waits for the province."""
    if whose is None:
        return False
    mine = select(Complaint.id).join(Listing, Listing.id == Complaint.listing_id)
    mine = mine.where(Listing.code == code, Complaint.state == C.OPEN, Complaint.reporter_fingerprint == whose)
    return session.scalar(mine.limit(1)) is not None


def is_open(session: Session, code: str, complaint: str) -> bool:
    """Whether this complaint about these goods, which a stranger's browser remembers, waits still."""
    one = select(Complaint.id).join(Listing, Listing.id == Complaint.listing_id)
    one = one.where(Listing.code == code, Complaint.public_id == complaint, Complaint.state == C.OPEN)
    return session.scalar(one) is not None
