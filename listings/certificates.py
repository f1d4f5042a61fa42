"""Papers that a listing names: stated by its seller, verified once somebody at the station has seen the paper itself."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from listings.announcing import announce
from listings.models import Certificate, Listing
from marketplace.core import audit, clock
from marketplace.core.db import Columns, add_rows, rows
from marketplace.core.errors import Refusal

MOST: Final = 8
KINDS: Final[dict[str, LazyString]] = {
    "geographical_indication": _l("Geographical indication"),
    "organic": _l("Organic"),
    "green_food": _l("Green food"),
    "test_report": _l("Test report"),
    "food_licence": _l("Food licence"),
    "other": _l("Another paper"),
}
STATED: Final = "stated"
VERIFIED: Final = "verified"


class TooManyCertificates(Refusal):
    status = 422
    message = _l("Eight papers are enough for one listing.")


def of_listing(session: Session, listing_id: int) -> Sequence[Certificate]:
    papers = select(Certificate).where(Certificate.listing_id == listing_id).order_by(Certificate.id)
    return session.scalars(papers).all()


def paper(kind: str, name: str, number: str, picture: str | None) -> dict[str, Any]:
    """A certificate as an edit carries it; `picture` is the public id of a picture."""
    return {"kind": kind, "name_zh": name, "name_en": "", "number": number, "picture": picture}


def content_of(session: Session, listing_id: int) -> list[dict[str, Any]]:
    return [content(row) for row in of_listing(session, listing_id)]


def columns() -> Columns:
    """Those that `content` reads, and whose they are."""
    said = (Certificate.kind, Certificate.name_zh, Certificate.name_en, Certificate.number, Certificate.media_public_id)
    return select(Certificate.id, Certificate.listing_id, *said)


def content(row: Certificate | Row[Any]) -> dict[str, Any]:
    return paper(row.kind, row.name_zh, row.number, row.media_public_id) | {"name_en": row.name_en}


def arrange(session: Session, listing: Listing, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Make the listing's papers these: what stays stays verified, what is new is stated. Raises TooManyCertificates."""
    if len(wanted) > MOST:
        raise TooManyCertificates(listing.code)
    arrange_all(session, {listing.id: wanted})


def arrange_all(session: Session, wanted: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
    """As `arrange` of many listings (by id), none with too many, in three statements."""
    session.flush()
    missing = {listing: list(papers) for listing, papers in wanted.items()}
    gone = []
    for row in rows(session, columns().where(Certificate.listing_id.in_(wanted)).order_by(Certificate.id)):
        if content(row) in missing[row.listing_id]:
            missing[row.listing_id].remove(content(row))
        else:
            gone.append(row.id)
    session.execute(delete(Certificate).where(Certificate.id.in_(gone)))
    new = [row_of(listing, each) for listing, papers in missing.items() for each in papers]
    if new:
        add_rows(session, Certificate, *new)


def row_of(listing: int, new: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: new[name] for name in ("kind", "name_zh", "name_en", "number")}
    return {"listing_id": listing, "media_public_id": new["picture"], "status": STATED, **words}


def verify(session: Session, listing: Listing, papers: Collection[int], clerk_id: int) -> int:
    """Somebody at the station has seen these papers (by id); returns how many were only stated until now."""
    seen = [row for row in of_listing(session, listing.id) if row.id in papers and row.status != VERIFIED]
    for row in seen:
        row.status, row.verified_by, row.verified_at = VERIFIED, clerk_id, clock.now()
        actor, subject = f"person:{clerk_id}", f"listing:{listing.code}"
        audit.record(session, actor=actor, action="certificate.verified", subject=subject, kind=row.kind, number=row.number)
    if seen:
        announce(session, listing)
    return len(seen)
