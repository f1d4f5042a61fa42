"""A person's word on a platform's file: send it, take what is new, drop it, follow a difference or leave it."""

from datetime import datetime
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting
from crowdfund.campaigns.mirrors.comparing import said_of, written
from crowdfund.campaigns.mirrors.models import MirroredGift, MirrorFile, MirrorRow, MirrorTotal
from crowdfund.campaigns.mirrors.states import OPEN, Decision, FileState as F, Verdict
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import PUBLIC
from marketplace.core import audit, clock, page_cache
from marketplace.core.db import add_rows, insert_or_ignore
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import leave_trace, transition

PORTION: Final = 2_000
LONGEST_NAME: Final = 100
MIRROR: Final = "mirror"


class NotMirrored(Refusal):
    message = _l("Only a campaign on a platform, once it is open, takes the platform's files.")


class OneIsOpen(Refusal):
    message = _l("A file of this campaign is still open. Take it or drop it first.")


class NothingNew(Refusal):
    message = _l("There is nothing new in this file.")


def receive(session: Session, *, campaign: str, person: int, file_name: str, kept_as: str) -> str:
    """A file for the worker to compare; its id. Raises NotFound, NotMirrored, OneIsOpen."""
    row = drafting.get(session, campaign)
    if row.channel != MIRROR or row.state not in PUBLIC:
        raise NotMirrored(campaign)
    mine = select(MirrorFile.id).where(MirrorFile.campaign_id == row.id, MirrorFile.state.in_(OPEN))
    if session.scalar(mine.limit(1)) is not None:
        raise OneIsOpen(campaign)
    file = MirrorFile(campaign_id=row.id, person_id=person, file_name=file_name[-LONGEST_NAME:], kept_as=kept_as)
    session.add(file)
    session.flush()
    leave_trace(session, file, None, F.COMPARING, actor=f"person:{person}", why="sent")
    return file.public_id


def get(session: Session, campaign: str, name: str) -> MirrorFile:
    """Of this campaign, locked. Raises NotFound."""
    row = drafting.get(session, campaign)
    mine = select(MirrorFile).where(MirrorFile.public_id == name, MirrorFile.campaign_id == row.id)
    found = session.scalar(mine.with_for_update())
    if found is None:
        raise NotFound(name)
    return found


def confirm(session: Session, *, campaign: str, name: str, person: int) -> None:
    """Take what is new. Raises NotFound, NothingNew, StaleState, IllegalTransition."""
    file = get(session, campaign, name)
    new = select(MirrorRow.id).where(MirrorRow.file_id == file.id, MirrorRow.verdict == Verdict.NEW)
    if file.state is F.READY and session.scalar(new.limit(1)) is None:
        raise NothingNew(name)
    told: dict[str, Any] = {"expected": F.READY, "actor": f"person:{person}", "why": "confirmed"}
    transition(session, file, F.TAKING, **told, next_at=clock.now(), tries=0)
    audit.record(session, actor=f"person:{person}", action="mirror.taken", subject=f"campaign:{campaign}", why=name)


def drop(session: Session, *, campaign: str, name: str, person: int) -> None:
    """Nothing of it is taken. Raises NotFound, StaleState, IllegalTransition."""
    file = get(session, campaign, name)
    transition(session, file, F.DROPPED, expected=file.state, actor=f"person:{person}", why="dropped")


def take_portion(session: Session, file_id: int) -> None:
    """The next of the new rows with their sum, in one transaction; after the last one the file is taken."""
    file = session.get_one(MirrorFile, file_id, with_for_update=True)
    if file.state is not F.TAKING:
        return
    wanted = select(MirrorRow).where(MirrorRow.file_id == file_id, MirrorRow.verdict == Verdict.NEW)
    found = session.scalars(wanted.order_by(MirrorRow.number).offset(file.taken).limit(PORTION)).all()
    if found:
        add_rows(session, MirroredGift, *(as_gift(file, row) for row in found))
        add_up(session, file.campaign_id, sums=[row.fen or 0 for row in found], latest=max(map(moment_of, found)))
    if len(found) == PORTION:
        file.taken, file.next_at, file.tries = file.taken + PORTION, clock.now(), 0
    else:
        done: dict[str, Any] = {"taken": file.taken + len(found), "taken_at": clock.now()}
        transition(session, file, F.TAKEN, expected=F.TAKING, actor="worker", why="taken", **done)
    refresh(session, file.campaign_id)


def as_gift(file: MirrorFile, row: MirrorRow) -> dict[str, Any]:
    said = {"platform_number": row.platform_number, "given_at": row.given_at, "fen": row.fen, "shown_as": row.shown_as}
    return {"campaign_id": file.campaign_id, "file_id": file.id, **said}


def moment_of(row: MirrorRow) -> datetime:
    if row.given_at is None:
        raise ValueError("a row without a time is refused when it is read")
    return row.given_at


def add_up(session: Session, campaign_id: int, *, sums: list[int], latest: datetime) -> None:
    """What gifts of these sums add to the campaign's total."""
    fresh = {"campaign_id": campaign_id, "fen": 0, "gifts": 0, "latest_at": latest}
    insert_or_ignore(session, MirrorTotal, fresh)
    mine = update(MirrorTotal).where(MirrorTotal.campaign_id == campaign_id)
    added = {"fen": MirrorTotal.fen + sum(sums), "gifts": MirrorTotal.gifts + sum(1 for fen in sums if fen)}
    session.execute(mine.values(added))
    session.execute(mine.where(MirrorTotal.latest_at < latest).values(latest_at=latest))


def decide(session: Session, *, campaign: str, name: str, number: int, decision: str, person: int) -> None:
    """A person has looked at a difference: the platform is followed, or what stands with us is kept.

    Raises NotFound, StaleState where it was decided already or the gift has changed since."""
    file = get(session, campaign, name)
    wanted = select(MirrorRow).where(MirrorRow.file_id == file.id, MirrorRow.number == number)
    row = session.scalar(wanted.where(MirrorRow.verdict == Verdict.CHANGED).with_for_update())
    if row is None or decision not in {Decision.FOLLOWED, Decision.KEPT}:
        raise NotFound(name)
    if row.decision or file.state not in {F.READY, F.TAKEN}:
        raise StaleState(name)
    if decision == Decision.FOLLOWED:
        follow(session, file, row)
    row.decision, row.decided_by, row.decided_at = str(decision), person, clock.now()
    subject = f"campaign:{campaign}"
    audit.record(session, actor=f"person:{person}", action=f"mirror.{decision}", subject=subject, why=row.platform_number)
    refresh(session, file.campaign_id)


def follow(session: Session, file: MirrorFile, row: MirrorRow) -> None:
    """The gift is as the platform says it now, with the total. Raises StaleState."""
    wanted = select(MirroredGift).where(MirroredGift.campaign_id == file.campaign_id)
    gift = session.scalars(wanted.where(MirroredGift.platform_number == row.platform_number).with_for_update()).one()
    if written(said_of(gift)) != row.was:
        raise StaleState(row.platform_number)
    total = session.get_one(MirrorTotal, file.campaign_id, with_for_update=True)
    total.fen += (row.fen or 0) - gift.fen
    total.gifts += bool(row.fen) - bool(gift.fen)
    gift.fen, gift.given_at, gift.shown_as = row.fen or 0, moment_of(row), row.shown_as
    session.flush()
    latest = select(func.max(MirroredGift.given_at)).where(MirroredGift.campaign_id == file.campaign_id)
    total.latest_at = session.scalars(latest).one()


def refresh(session: Session, campaign_id: int) -> None:
    name = session.scalars(select(Campaign.public_id).where(Campaign.id == campaign_id)).one()
    page_cache.expire(session, "giving", f"campaign:{name}")
