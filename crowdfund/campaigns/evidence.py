"""Files that prove what was paid for: the hash of what was sent is kept, the file without anything personal in it."""

import hashlib
from pathlib import Path
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.disbursing import D, get
from crowdfund.campaigns.faces import looking
from crowdfund.campaigns.models import Campaign, Evidence
from listings.pictures import reencode
from marketplace.core import clock, outbox, page_cache
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.records import record
from marketplace.core.settings import settings

ADDED: Final = "evidence.added"  # told to partners' machines
KINDS: Final = ("invoice", "photo", "list")
LARGEST: Final = 10 * 2**20
MOST: Final = 20  # files of one disbursement
FOLDER: Final = "evidence"
WIDTH: Final = 1280  # of the re-encoded picture that is shown
PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class UnusableFile(Refusal):
    status = 422
    message = _l("We cannot keep this kind of file. PDF, JPEG and PNG are fine.")


class FileTooLarge(UnusableFile):
    message = _l("A file may have at most 10 MB.")


class TooManyFiles(Refusal):
    status = 422
    message = _l("One payment can have at most twenty files.")


@record
class Kept:
    """A file in the media folder: its name there, and the hash of what was sent."""

    file_name: str
    sha256: str

    @property
    def is_picture(self) -> bool:
        return self.file_name.endswith(".webp")


def keep(raw: bytes) -> Kept:
    """Put the file away, a picture re-encoded; outside any transaction. Raises UnusableFile or UnusablePicture."""
    if len(raw) > LARGEST:
        raise FileTooLarge
    digest = hashlib.sha256(raw).hexdigest()
    if raw.startswith(PICTURES):
        made = reencode(raw)["digest"]
        return Kept(f"{made[:2]}/{made}/{WIDTH}.webp", digest)
    if not raw.startswith(b"%PDF-") or b"%%EOF" not in raw[-1024:]:
        raise UnusableFile
    name = f"{FOLDER}/{digest[:2]}/{digest}.pdf"
    place = settings().media_folder.resolve() / name
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(".draft")
    draft.write_bytes(raw)
    draft.rename(place)
    return Kept(name, digest)


def add(session: Session, *, disbursement: str, officer_id: int, kind: str, words: str, kept: Kept, is_public: bool) -> None:
    """Lay a file to a paid disbursement. Whoever says that it is public says that no face and no child's name is in it;
    a picture waits all the same until it has been looked at (`faces`), a PDF until a second person has.

    Raises NotFound, TooManyFiles, and StaleState before it is paid."""
    row = get(session, disbursement)
    if row.state not in {D.PAID, D.EVIDENCED}:
        raise StaleState(f"{disbursement} is {row.state}")
    known = session.scalars(select(Evidence.sha256).where(Evidence.disbursement_id == row.id)).all()
    if kept.sha256 in known:
        return
    if len(known) >= MOST:
        raise TooManyFiles(disbursement)
    proof = Evidence(disbursement_id=row.id, kind=kind, words_zh=words, added_by=officer_id, wants_public=is_public)
    proof.is_picture, proof.is_public = kept.is_picture, is_public and not kept.file_name
    proof.sha256, proof.file_name = kept.sha256, kept.file_name
    if is_public and kept.file_name and not kept.is_picture:  # no machine here looks into a PDF: a second person does
        proof.faces, proof.looked_at = looking.UNKNOWN, clock.now()
    session.add(proof)
    session.flush()
    outbox.put(session, ADDED, evidence=proof.public_id)
    campaign = session.get_one(Campaign, row.campaign_id).public_id
    page_cache.expire(session, "giving", "ledger", f"campaign:{campaign}")


def path_of(session: Session, evidence: str, *, everything: bool = False) -> Path:
    """Where the file lies; those that are not public only for `everything`. Raises NotFound."""
    wanted = select(Evidence.file_name).where(Evidence.public_id == evidence, Evidence.file_name != "")
    name = session.scalar(wanted if everything else wanted.where(Evidence.is_public))
    if name is None:
        raise NotFound(evidence)
    return settings().media_folder.resolve() / name
