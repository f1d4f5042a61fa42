"""What belongs to a listing besides its words: pictures, papers, packs. A draft's at once, what is for sale by an edit."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from listings import certificates, packs, pictures, revising
from listings.drafting import reopen
from listings.models import Listing
from listings.owning import actor, get_own
from listings.packs import Pack
from listings.states import REVISED
from marketplace.core.errors import NotFound


def get_changeable(session: Session, code: str, person_id: int, by: int | None) -> Listing:
    """One's own listing, for sale or a draft (again). Raises NotFound, NotEditable."""
    listing = get_own(session, code, person_id, by)
    if listing.state not in REVISED:
        reopen(session, listing, by)
    return listing


def propose(session: Session, listing: Listing, by: int | None, **changes: Any) -> None:
    revising.propose(session, code=listing.code, person_id=listing.seller_id, changes=changes, by=by)


def add_picture(session: Session, *, code: str, person_id: int, made: dict[str, Any], by: int | None = None) -> str:
    """Put a re-encoded picture behind the others. Raises NotFound, NotEditable, TooManyPictures."""
    listing = get_changeable(session, code, person_id, by)
    if listing.state in REVISED:
        shown = revising.proposed(session, listing)["pictures"]
        new = pictures.keep(session, uploader_id=by or person_id, made=made)
        propose(session, listing, by, pictures=[*shown, new])
    else:
        pictures.attach(session, listing=listing, uploader_id=by or person_id, made=made)
    return code


def remove_picture(session: Session, *, code: str, person_id: int, media: str, by: int | None = None) -> None:
    """Raises NotFound, NotEditable."""
    listing = get_changeable(session, code, person_id, by)
    if listing.state not in REVISED:
        pictures.detach(session, listing=listing, media=media)
        return
    shown = revising.proposed(session, listing)["pictures"]
    if media not in shown:
        raise NotFound(media)
    propose(session, listing, by, pictures=[each for each in shown if each != media])


def add_certificate(
    session: Session,
    *,
    code: str,
    person_id: int,
    kind: str,
    name: str,
    number: str,
    made: dict[str, Any] | None,
    by: int | None = None,
) -> str:
    """Name a paper, with a re-encoded picture of it. Raises NotFound, NotEditable, TooManyCertificates."""
    listing = get_changeable(session, code, person_id, by)
    picture = pictures.keep(session, uploader_id=by or person_id, made=made) if made else None
    named = certificates.paper(kind, name, number, picture)
    arrange_certificates(session, listing, by, [*revising.proposed(session, listing)["certificates"], named])
    return code


def remove_certificate(session: Session, *, code: str, person_id: int, name: str, by: int | None = None) -> None:
    """The paper of this `name_of`. Raises NotFound, NotEditable."""
    listing = get_changeable(session, code, person_id, by)
    arrange_certificates(session, listing, by, without(revising.proposed(session, listing)["certificates"], name))


def arrange_certificates(session: Session, listing: Listing, by: int | None, named: list[dict[str, Any]]) -> None:
    if listing.state in REVISED:
        propose(session, listing, by, certificates=named)
    else:
        certificates.arrange(session, listing, named)
        listing.version += 1


def add_pack(session: Session, *, code: str, person_id: int, pack: Pack, by: int | None = None) -> str:
    """A further pack. Raises NotFound, NotEditable, TooManyPacks."""
    listing = get_changeable(session, code, person_id, by)
    if listing.state in REVISED:
        new = revising.proposed(session, listing)["new_packs"]
        propose(session, listing, by, new_packs=[*new, revising.as_entered(pack)])
    else:
        packs.add(session, listing, pack, actor(person_id, by))
        listing.version += 1
    return code


def change_pack(session: Session, *, code: str, person_id: int, pack: str, entered: Pack, by: int | None = None) -> None:
    """Write a pack of a draft anew. Raises NotFound, NotEditable, OutOfStock."""
    listing = get_own(session, code, person_id, by)
    reopen(session, listing, by)
    packs.write(session, packs.get(session, listing, pack), entered, actor(person_id, by))
    listing.version += 1


def remove_pack(session: Session, *, code: str, person_id: int, pack: str, by: int | None = None) -> None:
    """Drop a pack of a draft; one that was for sale is only no longer offered. Raises NotFound, NotEditable, LastPack."""
    listing = get_own(session, code, person_id, by)
    reopen(session, listing, by)
    if len(packs.of_listing(session, listing.id)) == 1:
        raise packs.LastPack(pack)
    packs.drop(session, packs.get(session, listing, pack), actor(person_id, by))
    listing.version += 1


def remove_new_pack(session: Session, *, code: str, person_id: int, name: str, by: int | None = None) -> None:
    """Take back a pack that waits for the station, by its `name_of`. Raises NotFound, NotForSale."""
    listing = get_own(session, code, person_id, by)
    propose(session, listing, by, new_packs=without(revising.proposed(session, listing)["new_packs"], name))


def without(entered: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """All but the first of that name. Raises NotFound where there is none, as when the same is asked twice."""
    place = next((place for place, each in enumerate(entered) if name_of(each) == name), None)
    if place is None:
        raise NotFound(name)
    return entered[:place] + entered[place + 1 :]


def name_of(entered: Mapping[str, Any]) -> str:
    """What a paper or a pack of an edit is called in addresses: by what it says, since its place may change."""
    return hashlib.sha256(json.dumps(entered, sort_keys=True).encode()).hexdigest()[:16]
