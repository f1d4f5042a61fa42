"""What the province and a station read of what was pointed out: each list one statement."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from listings.complaints.models import Complaint, SecondLook
from listings.complaints.states import ComplaintState as C, LookState
from listings.models import Listing
from listings.states import ListingState as L
from marketplace.core.db import Columns
from marketplace.stations.models import Station

MOST: Final = 50


def waiting(session: Session) -> Sequence[Any]:
    """Goods about which something waits for the province, what waits longest first: how many complaints, since when,
    whether their seller asks for a second look."""
    open_ones = select(Complaint.listing_id, func.count().label("number"), func.min(Complaint.reported_at).label("since"))
    grouped = open_ones.where(Complaint.state == C.OPEN).group_by(Complaint.listing_id).subquery()
    look = and_(SecondLook.listing_id == Listing.id, SecondLook.state == LookState.ASKED)
    since = func.coalesce(grouped.c.since, SecondLook.asked_at)
    wanted: Columns = select(Listing.code, Listing.title_zh, Listing.title_en, Listing.seller_name, Listing.state)
    wanted = wanted.add_columns(Station.name_zh, Station.name_en, func.coalesce(grouped.c.number, 0).label("number"))
    wanted = wanted.add_columns(since.label("since"), SecondLook.id.is_not(None).label("asks_again"))
    wanted = wanted.join(Station, Station.code == Listing.station_code)
    wanted = wanted.outerjoin(grouped, grouped.c.listing_id == Listing.id).outerjoin(SecondLook, look)
    wanted = wanted.where(or_(grouped.c.number > 0, and_(SecondLook.id.is_not(None), Listing.state == L.SUSPENDED)))
    return session.execute(wanted.order_by(since, Listing.id).limit(MOST)).all()


def open_about(session: Session, listing_id: int) -> list[Complaint]:
    """What waits about these goods, the oldest first."""
    rows = select(Complaint).where(Complaint.listing_id == listing_id, Complaint.state == C.OPEN)
    return list(session.scalars(rows.order_by(Complaint.id).limit(MOST)))


def decided_about(session: Session, listing_id: int) -> list[Complaint]:
    """What was decided about these goods, the latest first."""
    rows = select(Complaint).where(Complaint.listing_id == listing_id, Complaint.state != C.OPEN)
    return list(session.scalars(rows.order_by(Complaint.id.desc()).limit(MOST)))


def of_station(session: Session, station: str) -> Sequence[Any]:
    """What this station has pointed out, the latest first."""
    wanted: Columns = select(Listing.code, Listing.title_zh, Listing.title_en, Complaint.fault, Complaint.state)
    wanted = wanted.add_columns(Complaint.words, Complaint.answer, Complaint.reported_at)
    wanted = wanted.join(Listing, Listing.id == Complaint.listing_id).where(Complaint.station_code == station)
    return session.execute(wanted.order_by(Complaint.id.desc()).limit(MOST)).all()


def second_look(session: Session, listing_id: int) -> SecondLook | None:
    """What the seller asks now."""
    mine = select(SecondLook).where(SecondLook.listing_id == listing_id, SecondLook.state == LookState.ASKED)
    return session.scalar(mine)
