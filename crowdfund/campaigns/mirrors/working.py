"""What the worker does with platforms' files: a portion at a time, leased, so that a killed one goes on where it stood."""

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.mirrors import comparing, taking
from crowdfund.campaigns.mirrors.models import MirrorFile, MirrorRow
from crowdfund.campaigns.mirrors.states import AT_WORK, FileState as F
from listings.sheets import storing
from listings.sheets.reading import Unreadable
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.records import record
from marketplace.core.transitions import transition

DUE: Final = outbox.due(MirrorFile, MirrorFile.state.in_(AT_WORK))
MOST_TRIES: Final = 4  # of one portion; then the officer is told
ROWS_KEPT: Final = timedelta(days=7)  # of files that were dropped


@record
class Job:
    """A file that was taken up, as it stood then."""

    id: int
    state: F
    kept_as: str
    done: int
    tries: int


def work() -> bool:
    """One portion of the file that has waited longest; True if one waited."""
    job = in_transaction(take)
    if job is None:
        return False
    if job.state is F.TAKING:
        in_transaction(taking.take_portion, job.id)
    else:
        compare(job)
    return True


def take(session: Session) -> Job | None:
    for row in outbox.take(session, DUE):
        return Job(row.id, row.state, row.kept_as, row.done, row.tries)
    return None


def compare(job: Job) -> None:
    if job.tries > MOST_TRIES:
        in_transaction(give_up, job.id, "broken")
        return
    try:
        lines = comparing.read_portion(job.kept_as, job.done)
    except Unreadable as problem:
        in_transaction(give_up, job.id, problem.code)
        storing.drop(job.kept_as)
        return
    except Exception:
        logging.getLogger(__name__).exception("a platform's file cannot be read")
        return
    in_transaction(comparing.keep_portion, job.id, job.done, lines)
    if len(lines) < comparing.PORTION:
        storing.drop(job.kept_as)


def give_up(session: Session, file_id: int, code: str) -> None:
    row = session.get_one(MirrorFile, file_id, with_for_update=True)
    if row.state is F.COMPARING:
        transition(session, row, F.UNREADABLE, expected=F.COMPARING, actor="worker", why=code, problem=code)


def forget_dropped(session: Session) -> None:
    """The worker's duty: what stood in files that were dropped."""
    dropped = select(MirrorFile.id).where(MirrorFile.state.in_((F.DROPPED, F.UNREADABLE)))
    long_ago = dropped.where(MirrorFile.created_at < clock.now() - ROWS_KEPT)
    session.execute(delete(MirrorRow).where(MirrorRow.file_id.in_(long_ago)))
