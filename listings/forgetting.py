"""Pictures that an edit proposed and that never came into the shop are deleted once nobody can want them any more."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from listings import pictures
from listings.models import Certificate, Media, Revision
from listings.sheets.models import ListingImportPicture
from listings.states import RevisionState as R
from marketplace.core import clock
from marketplace.core.settings import settings

KEPT_FOR: Final = timedelta(days=30)  # after the edit was refused, or taken back
LOOKED_AT_FOR: Final = timedelta(days=30)  # then their pictures are gone, unless no worker ran for all this time


def forget(session: Session) -> None:
    """The worker's hourly step. What was in the shop once stays: orders show it."""
    until = clock.now() - KEPT_FOR
    refused = select(Revision.listing_id).where(Revision.state == R.REJECTED, Revision.decided_at < until)
    its = select(Revision).where(Revision.listing_id.in_(refused.where(Revision.decided_at >= until - LOOKED_AT_FOR)))
    named: set[str] = set()
    kept: set[str] = set()
    for edit in session.scalars(its):
        kept.update(names_in(edit.before))
        (kept if is_of_use(edit) else named).update(names_in(edit.after))
    drop(session, named - kept)


def is_of_use(edit: Revision) -> bool:
    """In the shop, waiting for the station, or refused a short while ago."""
    return edit.state is not R.REJECTED or edit.decided_at is None or edit.decided_at >= clock.now() - KEPT_FOR


def names_in(content: dict[str, Any]) -> Iterable[str]:
    """Public ids of the pictures that one side of an edit names, of papers too."""
    papers = (paper["picture"] for paper in content.get("certificates", []))
    return [*content.get("pictures", []), *(name for name in papers if name)]


def drop(session: Session, names: set[str]) -> None:
    """Those that neither goods nor papers show; their files where nothing else has the same."""
    shown = or_(Media.listing_id.is_not(None), Media.public_id.in_(select(Certificate.media_public_id)))
    rows = session.scalars(select(Media).where(Media.public_id.in_(names), ~shown)).all()
    session.execute(delete(Media).where(Media.id.in_([row.id for row in rows])))
    digests = {row.digest for row in rows}
    used = set(session.scalars(select(Media.digest).where(Media.digest.in_(digests))))
    used |= {made.get("digest") for made in session.scalars(select(ListingImportPicture.made))} if digests else set()
    for digest in digests - used:
        pictures.remove(settings().media_folder, digest)
