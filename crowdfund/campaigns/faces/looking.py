"""The worker has each picture looked at before anybody may see it, and a second person may overrule what was found."""

import logging
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import UNSEEN, Campaign, Disbursement, Evidence
from marketplace.core import audit, clock, page_cache
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.settings import settings

PATIENCE: Final = 60  # seconds
TAKEN_BACK: Final = "evidence.taken_back"  # the audit log's word
UNKNOWN: Final = -1  # it could not be looked at: a person has to
ROOT: Final = Path(__file__).parent.parent.parent.parent

WAITING: Final = select(Evidence.public_id, Evidence.file_name).where(UNSEEN).order_by(Evidence.id).limit(1)


class OwnPicture(Refusal):
    status = 403
    message = _l("Whoever added the picture cannot decide that it is shown. Another person must.")


class NoReason(Refusal):
    status = 422
    message = _l("Please give a reason. It is kept on record.")


def look_at_one() -> bool:
    """The worker's step: one picture, outside any transaction; True if one waited."""
    session = db.session()
    row = session.execute(WAITING).first()
    session.rollback()
    if row is None:
        return False
    in_transaction(note, evidence=row.public_id, faces=count(settings().media_folder.resolve() / row.file_name))
    return True


def count(file: Path) -> int:
    """How many faces a process of its own finds; UNKNOWN where it cannot say."""
    command = [sys.executable, "-m", "crowdfund.campaigns.faces.finding", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, cwd=ROOT, check=True)
        return int(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        logging.getLogger(__name__).exception("%s could not be looked at", file.name)
        return UNKNOWN


def note(session: Session, *, evidence: str, faces: int) -> None:
    """What was found; a picture without a face is public from now on. Told again, nothing happens."""
    row = get(session, evidence)
    if row.faces is not None:
        return
    row.faces, row.looked_at, row.is_public = faces, clock.now(), faces == 0 and row.wants_public
    audit.record(session, actor="system", action="evidence.looked_at", subject=f"evidence:{evidence}", faces=faces)
    freshen(session, row)


def overrule(session: Session, *, evidence: str, person_id: int, reason: str) -> None:
    """What the machine took for a face is none, or its owner may be seen: a second person says so, and it is kept.

    Raises NotFound, OwnPicture, NoReason; StaleState where nothing was refused."""
    row = get(session, evidence)
    if row.added_by == person_id:
        raise OwnPicture(evidence)
    if not reason.strip():
        raise NoReason(evidence)
    if not row.is_refused:
        raise StaleState(evidence)
    row.overruled_by, row.overruled_why, row.is_public = person_id, reason.strip(), True
    subject, actor = f"evidence:{evidence}", f"person:{person_id}"
    audit.record(session, actor=actor, action="evidence.overruled", subject=subject, why=reason.strip(), faces=row.faces)
    freshen(session, row)


def take_back(session: Session, *, evidence: str, person_id: int, reason: str) -> None:
    """A file that shows what it should not is not shown any more, at one person's word: its hash stays, and nobody shows it
    again. The reason is kept.

    Raises NotFound, NoReason; StaleState for a file that is not public, nor about to be."""
    row = get(session, evidence)
    if not reason.strip():
        raise NoReason(evidence)
    if not row.file_name or not row.wants_public:
        raise StaleState(evidence)
    row.wants_public = row.is_public = False
    subject, actor = f"evidence:{evidence}", f"person:{person_id}"
    audit.record(session, actor=actor, action=TAKEN_BACK, subject=subject, why=reason.strip())
    freshen(session, row)


def reasons_of_taken_back(session: Session, files: Iterable[str]) -> dict[str, str]:
    """Of those among these files that were taken back, why."""
    mine = select(AuditRecord.subject, AuditRecord.why).where(AuditRecord.action == TAKEN_BACK)
    rows = session.execute(mine.where(AuditRecord.subject.in_([f"evidence:{each}" for each in files])))
    return {row.subject.partition(":")[2]: row.why for row in rows}


def get(session: Session, evidence: str) -> Evidence:
    """Locked. Raises NotFound."""
    mine = select(Evidence).where(Evidence.public_id == evidence).with_for_update()
    found = session.scalar(mine.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(evidence)
    return found


def freshen(session: Session, row: Evidence) -> None:
    mine = select(Campaign.public_id).join(Disbursement, Disbursement.campaign_id == Campaign.id)
    campaign = session.scalars(mine.where(Disbursement.id == row.disbursement_id)).one()
    page_cache.expire(session, "giving", "ledger", f"campaign:{campaign}")
