"""Editing what is for sale: the station sees old beside new and decides, while buyers go on seeing the old version."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import certificates, packs, pictures
from listings.announcing import announce
from listings.models import Listing, Media, Revision
from listings.owning import actor, get_own
from listings.states import REVISED, RevisionState as R
from marketplace.core import audit, clock
from marketplace.core.audit import AuditRecord
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import EventRow, leave_trace, transition

COLUMNS: Final = (
    *("title_zh", "title_en", "story_zh", "story_en", "origin_village_zh"),
    *("harvest_months", "shelf_life_days", "storage_zh"),
)
CHANGED: Final = "edit.changed"
FIELDS: Final = frozenset({*COLUMNS, "pictures", "certificates", "new_packs"})


class NotForSale(Refusal):
    message = _l("Only what is for sale is edited this way. A draft is simply written anew.")


def content_of(session: Session, listing: Listing) -> dict[str, Any]:
    """What a listing is, as an edit carries it: its columns, its pictures by public id, its papers; packs are only added."""
    shown = select(Media.public_id).where(Media.listing_id == listing.id).order_by(Media.position)
    lists = {"pictures": list(session.scalars(shown)), "certificates": certificates.content_of(session, listing.id)}
    return {name: getattr(listing, name) for name in COLUMNS} | lists | {"new_packs": []}


def waiting(session: Session, listing_id: int) -> Revision | None:
    """The edit that the station has not decided yet."""
    mine = select(Revision).where(Revision.listing_id == listing_id, Revision.state == R.SUBMITTED)
    return session.scalar(mine)


def latest(session: Session, listing_id: int) -> Revision | None:
    return session.scalar(select(Revision).where(Revision.listing_id == listing_id).order_by(Revision.id.desc()).limit(1))


def proposed(session: Session, listing: Listing) -> dict[str, Any]:
    """The content as it would be: what is for sale, with what waits."""
    row = waiting(session, listing.id)
    return content_of(session, listing) | (row.after if row else {})


def has_written(session: Session, row: Revision, person_id: int) -> bool:
    """Whether this person wrote any of it: began it, or changed it later."""
    subject, who = subject_of(row), actor(person_id, None)
    began = select(EventRow.id).where(EventRow.subject == subject, EventRow.from_state == "", EventRow.actor == who)
    record = (AuditRecord.subject == subject, AuditRecord.action == CHANGED, AuditRecord.actor == who)
    return bool(session.scalar(select(began.exists() | select(AuditRecord.id).where(*record).exists())))


def subject_of(row: Revision) -> str:
    return f"{Revision.__tablename__}:{row.public_id}"


def propose(session: Session, *, code: str, person_id: int, changes: Mapping[str, Any], by: int | None = None) -> bool:
    """Ask the station for these changes of a listing for sale, fields of `FIELDS`; whether anything waits now.

    What an edit that waits already proposes besides stays proposed. Where nothing differs from the shop any more, the
    waiting edit is taken back. Raises NotFound, NotForSale, TooManyPictures, TooManyCertificates, TooManyPacks; ValueError
    for an unknown field."""
    if unknown := changes.keys() - FIELDS:
        raise ValueError(f"no fields of a listing: {sorted(unknown)}")
    listing = get_own(session, code, person_id, by)
    if listing.state not in REVISED:
        raise NotForSale(code)
    now, row = content_of(session, listing), waiting(session, listing.id)
    known = now | (row.after if row else {})
    wanted = known | dict(changes)
    refuse_too_much(session, listing, wanted)
    refuse_strange_pictures(session, {*wanted["pictures"]} - {*now["pictures"], *known["pictures"]}, {person_id, by})
    after = {name: value for name, value in wanted.items() if value != now[name]}
    before = {name: now[name] for name in after}
    author = by or person_id
    if not after:
        if row:
            take_back(session, row, listing, by=author)
        return False
    if row is None:
        row = Revision(listing_id=listing.id, author_id=author, before=before, after=after)
        session.add(row)
        session.flush()
        leave_trace(session, row, None, R.SUBMITTED, actor=actor(person_id, by), why="edited", station=listing.station_code)
    elif (row.before, row.after) != (before, after):
        row.before, row.after, row.author_id = before, after, author
        row.version, row.submitted_at = row.version + 1, clock.now()
        who, subject = actor(person_id, by), subject_of(row)
        audit.record(session, actor=who, action=CHANGED, subject=subject, version=row.version)
    return True


def refuse_too_much(session: Session, listing: Listing, wanted: Mapping[str, Any]) -> None:
    """Raises TooManyPictures, TooManyCertificates, TooManyPacks."""
    if len(wanted["pictures"]) > pictures.MOST_OF_A_LISTING:
        raise pictures.TooManyPictures(listing.code)
    if len(wanted["certificates"]) > certificates.MOST:
        raise certificates.TooManyCertificates(listing.code)
    if len(wanted["new_packs"]) + len(packs.of_listing(session, listing.id)) > packs.MOST:
        raise packs.TooManyPacks(listing.code)


def refuse_strange_pictures(session: Session, added: Collection[str], uploaders: Collection[int | None]) -> None:
    """Raises NotFound unless each was sent by one of these people and belongs to no listing."""
    sent = select(Media.public_id).where(Media.public_id.in_(added), Media.listing_id.is_(None))
    known = set(session.scalars(sent.where(Media.uploader_id.in_([each for each in uploaders if each is not None]))))
    for strange in sorted(set(added) - known):
        raise NotFound(strange)


def withdraw(session: Session, *, code: str, person_id: int, by: int | None = None) -> None:
    """Take back the edit that waits; nothing is done where none does any more. Raises NotFound."""
    listing = get_own(session, code, person_id, by)
    if row := waiting(session, listing.id):
        take_back(session, row, listing, by=by or person_id)


def take_back(session: Session, row: Revision, listing: Listing, *, by: int) -> None:
    """Its author wants it no more."""
    gone: dict[str, Any] = {"decided_at": clock.now(), "reason": ""}
    transition(
        session,
        row,
        R.REJECTED,
        expected=R.SUBMITTED,
        actor=f"person:{by}",
        why="taken back",
        station=listing.station_code,
        **gone,
    )


def apply(session: Session, listing: Listing, row: Revision) -> None:
    """Write the edit into the listing. Raises StaleState where the listing is no longer what the edit began from."""
    now = content_of(session, listing)
    if any(now[name] != value for name, value in row.before.items()):
        raise StaleState(f"{listing.code}: no longer what was edited")
    for name in row.after.keys() & set(COLUMNS):
        setattr(listing, name, row.after[name])
    if "storage_zh" in row.after:
        listing.storage_en = ""  # it said the same in English
    if "pictures" in row.after:
        pictures.arrange(session, listing, row.after["pictures"])
    if "certificates" in row.after:
        certificates.arrange(session, listing, row.after["certificates"])
    for new in row.after.get("new_packs", []):
        packs.add(session, listing, pack_of(new), f"person:{row.author_id}")
    announce(session, listing)


def as_entered(pack: packs.Pack) -> dict[str, Any]:
    """A pack as an edit carries it."""
    return vars(pack) | {"tiers": [list(tier) for tier in pack.tiers]}


def pack_of(entered: Mapping[str, Any]) -> packs.Pack:
    tiers = tuple((int(least), int(fen)) for least, fen in entered["tiers"])
    return packs.Pack(**{**entered, "tiers": tiers})
