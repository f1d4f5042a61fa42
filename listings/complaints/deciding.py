"""The province decides about goods that were pointed out: they stay, or go off sale; and looks again where a seller asks."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import reviewing, revising
from listings.announcing import announce
from listings.complaints import telling
from listings.complaints.models import Complaint, SecondLook
from listings.complaints.states import ComplaintState as C, LookState
from listings.letters import announce_decision
from listings.models import Listing
from listings.owning import get_own
from listings.states import ListingState as L, RevisionState
from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import leave_trace, transition


class NotSuspended(Refusal):
    message = _l("These goods are not kept off sale any more.")


class AlreadyAsked(Refusal):
    message = _l("You have asked already. The province's answer comes as a message.")


def dismiss(session: Session, *, code: str, seen: str, person_id: int, reason: str) -> int:
    """The goods stay; whoever pointed them out up to `seen` is told why. How many that were.

    Raises NotFound; StaleState where nothing of it waits any more."""
    listing = reviewing.get_of_station(session, code, None)
    open_ones = [row for row in waiting(session, listing) if row.id <= number_of(session, listing, seen)]
    if not open_ones:
        raise StaleState(code)
    close(session, listing, open_ones, C.DISMISSED, person_id, reason)
    told = {"actor": f"person:{person_id}", "subject": f"listing:{code}", "why": reason}
    audit.record(session, action="listing.complaints_dismissed", number=len(open_ones), **told)
    return len(open_ones)


def suspend(session: Session, *, code: str, person_id: int, reason: str) -> None:
    """Off sale, and every open complaint about it is upheld. Raises NotFound, IllegalTransition."""
    reviewing.suspend(session, code=code, actor=f"person:{person_id}", reason=reason)
    listing = reviewing.get_of_station(session, code, None)
    close(session, listing, waiting(session, listing), C.UPHELD, person_id, reason)


def waiting(session: Session, listing: Listing) -> list[Complaint]:
    mine = select(Complaint).where(Complaint.listing_id == listing.id, Complaint.state == C.OPEN)
    return list(session.scalars(mine.order_by(Complaint.id).with_for_update()))


def number_of(session: Session, listing: Listing, seen: str) -> int:
    """Up to which complaint the page had shown them; none where it is no complaint about these goods."""
    mine = select(Complaint.id).where(Complaint.listing_id == listing.id, Complaint.public_id == seen)
    return session.scalar(mine) or 0


def close(session: Session, listing: Listing, rows: list[Complaint], to: C, person_id: int, reason: str) -> None:
    decided: dict[str, Any] = {"answer": reason, "decided_by": person_id, "decided_at": clock.now()}
    actor, station = f"person:{person_id}", listing.station_code
    for row in rows:
        transition(session, row, to, expected=C.OPEN, actor=actor, why=reason, station=station, **decided)
        telling.tell(session, row, listing)


def ask_again(session: Session, *, code: str, person_id: int, words: str) -> str:
    """A seller wants the suspended goods looked at once more. Raises NotFound, NotSuspended, AlreadyAsked."""
    listing = get_own(session, code, person_id)
    if listing.state is not L.SUSPENDED:
        raise NotSuspended(code)
    if asked(session, listing) is not None:
        raise AlreadyAsked(code)
    row = SecondLook(listing_id=listing.id, asked_by=person_id, words=words, state=LookState.ASKED)
    session.add(row)
    session.flush()
    actor, station = f"person:{person_id}", listing.station_code
    leave_trace(session, row, None, LookState.ASKED, actor=actor, why="asked", station=station)
    return row.public_id


def asked(session: Session, listing: Listing) -> SecondLook | None:
    mine = select(SecondLook).where(SecondLook.listing_id == listing.id, SecondLook.state == LookState.ASKED)
    return session.scalar(mine.with_for_update())


def decline(session: Session, *, code: str, look: str, person_id: int, reason: str) -> None:
    """They stay off sale; the seller reads why, and may ask again. Raises NotFound, StaleState."""
    listing = reviewing.get_of_station(session, code, None)
    row = asked(session, listing)
    if row is None or row.public_id != look:
        raise StaleState(code)
    end(session, listing, row, LookState.DECLINED, person_id, reason)
    told = {"actor": f"person:{person_id}", "subject": f"listing:{code}", "why": reason}
    audit.record(session, action="listing.second_look_declined", **told)
    announce_decision(session, code=code, decision="kept_off_sale", why=reason)


def reinstate(session: Session, *, code: str, seen: str, person_id: int, reason: str) -> None:
    """On sale again, with what its seller has mended as `seen` names it (`mark`), and whoever asked is answered.

    Raises NotFound, IllegalTransition; StaleState where it was mended further since."""
    listing = reviewing.get_of_station(session, code, None)
    edit = revising.waiting(session, listing.id)
    if listing.state is L.SUSPENDED and seen != mark(edit):
        raise StaleState(code)
    row = asked(session, listing)
    reviewing.clear(session, code=code, actor=f"person:{person_id}", reason=reason)
    if edit is not None:
        reviewing.decide(session, edit, RevisionState.ACCEPTED, listing, person_id, why=reason, reason="")
        revising.apply(session, listing, edit)
        announce(session, listing)
    if row is not None:
        end(session, listing, row, LookState.GRANTED, person_id, reason)


def mark(edit: Any) -> str:
    """What names an edit as it stands; nothing where none waits."""
    return f"{edit.public_id}.{edit.version}" if edit else ""


def end(session: Session, listing: Listing, row: SecondLook, to: LookState, person_id: int, reason: str) -> None:
    decided: dict[str, Any] = {"answer": reason, "decided_by": person_id, "decided_at": clock.now()}
    actor, station = f"person:{person_id}", listing.station_code
    transition(session, row, to, expected=LookState.ASKED, actor=actor, why=reason, station=station, **decided)


def take_away(session: Session, *, code: str, person_id: int) -> None:
    """The seller gives suspended goods up for good; what they asked is asked no more. Raises NotFound, NotSuspended."""
    listing = get_own(session, code, person_id)
    if listing.state is not L.SUSPENDED:
        raise NotSuspended(code)
    if (edit := revising.waiting(session, listing.id)) is not None:
        revising.take_back(session, edit, listing, by=person_id)
    if (row := asked(session, listing)) is not None:
        end(session, listing, row, LookState.DROPPED, person_id, "taken away")
    actor = f"person:{person_id}"
    transition(
        session, listing, L.ARCHIVED, expected=L.SUSPENDED, actor=actor, why="taken away", station=listing.station_code
    )
    announce(session, listing)


def get_suspended(session: Session, listing: Listing) -> tuple[str, SecondLook | None]:
    """Why it is off sale, and what its seller asked last."""
    if listing.state is not L.SUSPENDED:
        raise NotFound(listing.code)
    mine = select(SecondLook).where(SecondLook.listing_id == listing.id).order_by(SecondLook.id.desc()).limit(1)
    return reviewing.why_suspended(session, listing), session.scalar(mine)
