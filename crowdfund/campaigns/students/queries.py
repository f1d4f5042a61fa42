"""Places as everybody sees them while they are free, and as their sponsor does: never more than alias and stage."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.plans.models import Plan
from crowdfund.campaigns.states import DisbursementState, PlaceState, SponsorshipState, TermState
from crowdfund.campaigns.students import calendar
from crowdfund.campaigns.students.models import SchoolTerm, Sponsorship, StudentPlace
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.records import record

MOST: Final = 60
ARRIVED: Final = frozenset({DisbursementState.PAID, DisbursementState.EVIDENCED})


@record
class Place:
    """A place in the reader's language."""

    id: str
    campaign: str
    alias: str
    stage: str
    month_fen: int
    state: PlaceState

    @property
    def url(self) -> str:
        return f"/campaigns/{self.campaign}/places/{self.id}"

    @property
    def term_fen(self) -> int:
        return calendar.cost_fen(self.month_fen)


@record
class Term:
    """`paid_at`: when the school had the money."""

    id: str
    state: TermState
    starts_on: date
    fen: int
    proof_due_on: date
    report: str
    paid_at: datetime | None


@record
class Sponsored:
    """What a sponsor sees of their place, past ones included."""

    place: Place
    state: SponsorshipState
    end_reason: str
    began_at: datetime
    terms: tuple[Term, ...]


def columns() -> Any:
    mine = select(StudentPlace.public_id, StudentPlace.alias_zh, StudentPlace.alias_en, StudentPlace.stage)
    mine = mine.add_columns(StudentPlace.month_fen, StudentPlace.state, Campaign.public_id.label("campaign"))
    return mine.join(Campaign, Campaign.id == StudentPlace.campaign_id)


def shown(row: Any) -> Place:
    alias = in_language(row.alias_zh, row.alias_en)
    return Place(row.public_id, row.campaign, alias, row.stage, row.month_fen, row.state)


def offered(session: Session, campaign: str) -> tuple[Place, ...]:
    """Those that anybody may take, the first published first."""
    mine = columns().where(Campaign.public_id == campaign, StudentPlace.state == PlaceState.OFFERED)
    return tuple(shown(row) for row in session.execute(mine.order_by(StudentPlace.id).limit(MOST)))


def sponsored_now(session: Session, campaign_id: int) -> int:
    """How many students have a sponsor."""
    mine = select(func.count()).select_from(StudentPlace)
    return int(
        session.scalar(mine.where(StudentPlace.campaign_id == campaign_id, StudentPlace.state == PlaceState.TAKEN)) or 0
    )


def find(session: Session, campaign: str, place: str) -> Place:
    """One that is free, or was a moment ago. Raises NotFound for one that is over."""
    gone = (PlaceState.LEFT, PlaceState.FINISHED)
    mine = columns().where(Campaign.public_id == campaign, StudentPlace.public_id == place, StudentPlace.state.not_in(gone))
    row = session.execute(mine).first()
    if row is None:
        raise NotFound(place)
    return shown(row)


def of_plan(session: Session, plan: str) -> Sponsored | None:
    """The place that a plan sponsors, or sponsored last; None for a monthly gift without one. Two statements."""
    mine = columns().add_columns(StudentPlace.id.label("key"), Sponsorship.state.label("now"))
    mine = mine.add_columns(Sponsorship.end_reason, Sponsorship.began_at, Sponsorship.ended_at)
    mine = mine.join(Sponsorship, Sponsorship.place_id == StudentPlace.id).join(Plan, Plan.id == Sponsorship.plan_id)
    row = session.execute(mine.where(Plan.public_id == plan).order_by(Sponsorship.id.desc()).limit(1)).first()
    if row is None:
        return None
    terms = terms_of(session, row.key)
    if row.ended_at is not None:  # what comes later is the next sponsor's to read
        terms = tuple(term for term in terms if term.starts_on <= row.ended_at.date())
    return Sponsored(shown(row), row.now, row.end_reason, row.began_at, terms)


def terms_of(session: Session, place_id: int) -> tuple[Term, ...]:
    """The latest first, without those that were closed."""
    mine = select(SchoolTerm, Disbursement.paid_at, Disbursement.state)
    mine = mine.outerjoin(Disbursement, Disbursement.id == SchoolTerm.disbursement_id)
    mine = mine.where(SchoolTerm.place_id == place_id, SchoolTerm.state != TermState.VOID)
    found = session.execute(mine.order_by(SchoolTerm.starts_on.desc()))
    return tuple(term_of(term, paid_at if state in ARRIVED else None) for term, paid_at, state in found)


def term_of(row: SchoolTerm, paid_at: datetime | None) -> Term:
    return Term(row.public_id, row.state, row.starts_on, row.fen, row.proof_due_on, row.report_zh, paid_at)
