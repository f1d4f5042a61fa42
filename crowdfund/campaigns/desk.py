"""What the officers of an organisation see of its campaigns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.lifecycle import UNSAID
from crowdfund.campaigns.models import Campaign, Organisation
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.totals import sums
from marketplace.accounts.models import Person
from marketplace.core.audit import AuditRecord
from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.payments.gateways import current_book
from marketplace.stations.models import Station

WAITING = ("submitted", "needs_work", "approved", "draft")

OF_A_LIST = ("campaign.invited", "campaign.uninvited")  # whom it was is on the list; the log knows a number


@record
class Trace:
    """A deed of the audit log, with the name of who did it."""

    at: Any
    action: str
    who: str
    why: str


def campaigns(session: Session, organisations: Sequence[str]) -> Sequence[Any]:
    """All of them, what waits first: two statements' worth of columns in one."""
    totals = sums(current_book())
    rows = select(Campaign.public_id, Campaign.title_zh, Campaign.kind, Campaign.state, Campaign.ends_on, Campaign.goal_fen)
    rows = rows.add_columns(func.coalesce(totals.c.raised, 0).label("raised"))
    rows = rows.outerjoin(totals, totals.c.campaign_id == Campaign.id)
    rows = rows.where(Campaign.organisation_code.in_(organisations))
    return session.execute(rows.order_by(Campaign.state.not_in(WAITING), Campaign.id.desc()).limit(200)).all()


def get(session: Session, public_id: str, organisations: Sequence[str]) -> tuple[Campaign, Organisation]:
    """One of theirs. Raises NotFound for every other."""
    mine = select(Campaign, Organisation).join(Organisation, Organisation.code == Campaign.organisation_code)
    mine = mine.where(Campaign.public_id == public_id, Campaign.organisation_code.in_(organisations))
    found = session.execute(mine).first()
    if found is None:
        raise NotFound(public_id)
    return found[0], found[1]


def names(session: Session, ids: Sequence[int | None]) -> dict[int, str]:
    wanted = [number for number in ids if number is not None]
    return {row.id: row.name for row in session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))}


def traces(session: Session, public_id: str) -> list[Trace]:
    """Who did what about a campaign, and why, the latest first."""
    found = traces_of(session, f"campaign:{public_id}")
    return [replace(each, why="") if each.action in OF_A_LIST else each for each in found]


def traces_of(session: Session, subject: str) -> list[Trace]:
    mine = select(AuditRecord).where(AuditRecord.subject == subject).order_by(AuditRecord.id.desc())
    rows = session.scalars(mine.limit(50)).all()
    people = names(session, [number_of(row.actor) for row in rows])
    return [Trace(row.at, row.action, people.get(number_of(row.actor) or 0, ""), written(row.why)) for row in rows]


def steps_of(session: Session, subject: str) -> list[Trace]:
    """From state to state, the latest first; `action` is the state that was reached."""
    mine = select(EventRow).where(EventRow.subject == subject).order_by(EventRow.id.desc())
    rows = session.scalars(mine.limit(50)).all()
    people = names(session, [number_of(row.actor) for row in rows])
    return [Trace(row.at, row.to_state, people.get(number_of(row.actor) or 0, ""), row.why) for row in rows]


def written(why: str) -> str:
    """The reason, if somebody wrote one."""
    return "" if why in UNSAID else str(standing.WORDS.get(why, why))


def number_of(actor: str) -> int | None:
    kind, _colon, number = actor.partition(":")
    return int(number) if kind == "person" else None


def named(session: Session, organisations: Sequence[str]) -> list[tuple[str, str]]:
    rows = select(Organisation.code, Organisation.name_zh).where(Organisation.code.in_(organisations))
    return [(row.code, row.name_zh) for row in session.execute(rows.order_by(Organisation.code))]


def stations(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Station.code, Station.name_zh).order_by(Station.code))
    return [(row.code, row.name_zh) for row in rows]
