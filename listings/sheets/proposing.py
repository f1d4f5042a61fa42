"""What a sheet says of goods that are for sale goes to the station as an edit, as the seller's own page would send it.

Goods of which nothing waits get their edits in two statements, however many; an edit that waits already takes it in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import revising
from listings.models import Revision
from listings.sheets.goods import DESCRIBING, Pack, parts
from listings.sheets.models import ListingImport
from listings.states import FOR_SALE, RevisionState as R
from marketplace.core import clock, ids
from marketplace.core.db import add_rows, rows
from marketplace.core.transitions import leave_traces

FIELDS: Final = {
    "title": "title_zh",
    "village": "origin_village_zh",
    "story": "story_zh",
    "months": "harvest_months",
    "shelf_life": "shelf_life_days",
    "storage": "storage_zh",
    "certificates": "certificates",
}
"""Columns of a sheet that an edit carries, with its fields. Kind, way of packing and pictures are changed on their page."""
MARK: Final = "proposed"
"""In what a row was: it is an edit, and this waited for the station of its fields before."""


def waiting(session: Session, listings: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What the station has not decided yet, by listing: one statement for each 5,000."""
    found: dict[int, dict[str, Any]] = {}
    for part in parts(listings):
        wanted = select(Revision.listing_id, Revision.after).where(Revision.listing_id.in_(part))
        found |= {row.listing_id: row.after for row in rows(session, wanted.where(Revision.state == R.SUBMITTED))}
    return found


def is_proposed(pack: Pack, key: str) -> bool:
    return key in FIELDS and pack.state in FOR_SALE


def split(entry: Mapping[str, Any], was: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a row changes at once, and what it proposes."""
    if MARK not in was:
        return dict(entry), {}
    return (
        {key: value for key, value in entry.items() if key not in FIELDS},
        {key: value for key, value in entry.items() if key in FIELDS},
    )


def has_moved(pack: Pack, entry: Mapping[str, Any], was: Mapping[str, Any], waits: Mapping[str, Any]) -> bool:
    """Whether what would be an edit no longer is one, or something else waits than the seller was shown."""
    if MARK not in was:
        return any(key in DESCRIBING for key in entry) and not pack.is_editable
    fields = [FIELDS[key] for key in entry if key in FIELDS]
    return pack.state not in FOR_SALE or {name: waits[name] for name in fields if name in waits} != was[MARK]


def propose(
    session: Session, row: ListingImport, edits: Sequence[tuple[Pack, Mapping[str, Any], Mapping[str, Any]]], actor: str
) -> None:
    """`edits`: goods, what they become, what they are."""
    waits = waiting(session, [pack.listing_id for pack, _entry, _was in edits])
    made = []
    for pack, entry, was in edits:
        after = {FIELDS[key]: value for key, value in entry.items()}
        if pack.listing_id in waits:
            revising.propose(session, code=pack.code, person_id=row.seller_id, changes=after)
        else:
            before = {FIELDS[key]: was[key] for key in entry}
            made.append({"listing_id": pack.listing_id, "before": before, "after": after})
    if made:
        same = {"state": R.SUBMITTED, "author_id": row.seller_id, "version": 1, "submitted_at": clock.now(), "reason": ""}
        new = [{**same, **each, "public_id": ids.public_id()} for each in made]
        add_rows(session, Revision, *new)
        told: dict[str, Any] = {"actor": actor, "why": f"import:{row.public_id}", "station": row.station_code}
        leave_traces(session, Revision, [str(each["public_id"]) for each in new], None, R.SUBMITTED, **told)


def is_undecided(entry: Mapping[str, Any], waits: Mapping[str, Any]) -> bool:
    """The station has still to decide on just this."""
    return all(FIELDS[key] in waits and waits[FIELDS[key]] == value for key, value in entry.items())


def take_back(session: Session, row: ListingImport, pack: Pack, entry: Mapping[str, Any], was: Mapping[str, Any]) -> None:
    """What waited before waits again; an edit that proposes nothing else is withdrawn."""
    before = {FIELDS[key]: was[key] for key in entry} | was[MARK]
    revising.propose(session, code=pack.code, person_id=row.seller_id, changes=before)
