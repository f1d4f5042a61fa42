"""A clerk lists for a farmer who has agreed: how, in which words, recorded by whom; and the farmer may object afterwards."""

from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings import drafting, revising
from listings.announcing import announce
from listings.models import Consent, Listing
from listings.owning import get_own
from listings.states import ListingState as L
from marketplace.accounts.models import Grant, Person
from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import transition
from marketplace.stations.models import Seller

WAYS: Final[dict[str, LazyString]] = {
    "in_person": _l("In person"),
    "by_phone": _l("By phone"),
    "on_paper": _l("On paper, signed"),
}
DESK: Final = ("station_manager", "station_clerk")


class OwnGoods(Refusal):
    status = 403
    message = _l("These are your own goods: list them in your own seller centre.")


class NoPaper(Refusal):
    status = 422
    message = _l("Take a picture of the signed paper.")


def begin_for(
    session: Session,
    *,
    seller: str,
    station: str,
    clerk_id: int,
    category: str,
    way: str,
    words: str,
    picture_digest: str | None = None,
) -> str:
    """A new draft for a farmer (by public id) of this station, with their word for it; returns its code.

    Raises NotFound for a farmer of another station, OwnGoods, NoPaper, TooManyDrafts."""
    person_id = get_farmer(session, seller, station).person_id
    if person_id == clerk_id:
        raise OwnGoods(seller)
    if way == "on_paper" and not picture_digest:
        raise NoPaper(seller)
    code = drafting.begin(session, person_id=person_id, category=category, by=clerk_id)
    listing = get_own(session, code, person_id)
    given = {"way": way, "words": words, "picture_digest": picture_digest}
    session.add(Consent(listing_id=listing.id, seller_id=person_id, clerk_id=clerk_id, **given))
    audit.record(session, actor=f"person:{clerk_id}", action="consent.recorded", subject=f"listing:{code}", way=way)
    return code


def get_farmer(session: Session, seller: str, station: str) -> Seller:
    """Raises NotFound for another station's."""
    wanted = select(Seller).join(Person, Person.id == Seller.person_id)
    found = session.scalar(wanted.where(Person.public_id == seller, Seller.station_code == station))
    if found is None:
        raise NotFound(seller)
    return found


def withdraw(session: Session, *, code: str, person_id: int, reason: str) -> None:
    """The farmer objects: it is paused, what waits at the station is taken back, and no clerk writes to it any more.

    It stays theirs, to be offered again or deleted. Raises NotFound."""
    listing = get_own(session, code, person_id)
    consent = session.get(Consent, listing.id)
    if consent is None:
        raise NotFound(code)
    if consent.withdrawn_at:
        return
    consent.withdrawn_at, consent.withdrawn_because = clock.now(), reason
    who = f"person:{person_id}"
    audit.record(session, actor=who, action="consent.withdrawn", subject=f"listing:{code}", why=reason)
    if row := revising.waiting(session, listing.id):
        revising.take_back(session, row, listing, by=person_id)
    stopped = {L.PUBLISHED: L.PAUSED, L.SUBMITTED: L.REJECTED}.get(listing.state)
    if stopped:
        here, station = listing.state, listing.station_code
        transition(session, listing, stopped, expected=here, actor=who, why="the farmer objects", station=station)
        announce(session, listing)


def has_others(session: Session, station: str, *, than: set[int]) -> bool:
    """Somebody else works at this station's desk."""
    staff = select(Grant.id).join(Person, Person.id == Grant.person_id)
    staff = staff.where(Grant.role.in_(DESK), Grant.scope_kind == "station", Grant.scope_id == station)
    return session.scalar(staff.where(Person.is_active, Person.id.not_in(than)).limit(1)) is not None


def of_listing(session: Session, listing_id: int) -> tuple[Consent, str] | None:
    """A farmer's word for this listing, and the name of the clerk who recorded it."""
    wanted = select(Consent, Person.name).join(Person, Person.id == Consent.clerk_id)
    found = session.execute(wanted.where(Consent.listing_id == listing_id)).first()
    return (found[0], found[1]) if found else None


def farmers(session: Session, station: str, typed: str = "", limit: int = 100) -> list[Any]:
    """The farmers of a station by name, with how many goods they have: one statement."""
    goods = select(func.count()).where(Listing.seller_id == Seller.person_id, Listing.state != L.ARCHIVED)
    wanted = (
        select(Seller.name_zh, Seller.name_en, Seller.village_zh, Seller.kind, Person.public_id)
        .add_columns(goods.correlate(Seller).scalar_subquery().label("goods"))
        .join(Person, Person.id == Seller.person_id)
        .where(Seller.station_code == station)
        .order_by(Seller.name_zh, Seller.person_id)
    )
    if typed:
        wanted = wanted.where(
            Seller.name_zh.icontains(typed, autoescape=True) | Seller.village_zh.icontains(typed, autoescape=True)
        )
    return list(session.execute(wanted.limit(limit)).all())


def listed_for_farmers(session: Session, station: str) -> list[Any]:
    """What clerks of this station have listed for farmers, latest first: one statement."""
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.state, Listing.seller_name)
        .add_columns(Consent.at, Consent.way, Consent.withdrawn_at, Person.name.label("clerk"))
        .join(Consent, Consent.listing_id == Listing.id)
        .join(Person, Person.id == Consent.clerk_id)
        .where(Listing.station_code == station, Listing.state != L.ARCHIVED)
        .order_by(Listing.id.desc())
    )
    return list(session.execute(wanted.limit(50)).all())
