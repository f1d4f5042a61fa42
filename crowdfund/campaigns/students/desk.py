"""What the officers of an organisation see of the places of its campaigns."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.states import CampaignState, PlaceState, TermState
from crowdfund.campaigns.students.models import EnrolmentProof, SchoolTerm, StudentPlace
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.records import record

MOST: Final = 300
SOME: Final = 100  # terms of one payment
RUNNING: Final = (PlaceState.OFFERED, PlaceState.HELD, PlaceState.TAKEN)


@record
class Aid:
    """A student-aid campaign: whether places can be published, and how many terms wait for their payment."""

    id: str
    title: str
    is_open: bool
    places: int
    to_release: int


@record
class Row:
    """A place with its latest term."""

    id: str
    alias: str
    stage: str
    month_fen: int
    state: PlaceState
    campaign: str
    title: str
    term: TermState | None
    proof_due_on: date | None

    @property
    def is_late(self) -> bool:
        return self.term is TermState.OPENED and self.proof_due_on is not None and self.proof_due_on < clock.today()


@record
class Term:
    """A term with its last proof: whether it waits for somebody, and whether for the reader."""

    id: str
    state: TermState
    starts_on: date
    fen: int
    proof_due_on: date
    report: str
    payment: str
    proof_hash: str
    is_mine: bool
    why: str

    @property
    def is_late(self) -> bool:
        return self.state is TermState.OPENED and self.proof_due_on < clock.today()


@record
class Waiting:
    """A term whose enrolment was seen and that nobody has asked the money for."""

    id: str
    alias: str
    stage: str
    starts_on: date
    fen: int


def campaigns(session: Session, organisations: Sequence[str]) -> list[Aid]:
    places = select(func.count()).select_from(StudentPlace).where(StudentPlace.campaign_id == Campaign.id)
    running = places.where(StudentPlace.state.in_(RUNNING)).correlate(Campaign).scalar_subquery()
    seen = select(func.count()).select_from(SchoolTerm).join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    seen = seen.where(StudentPlace.campaign_id == Campaign.id, SchoolTerm.state == TermState.ENROLLED)
    wanted = select(
        Campaign.public_id, Campaign.title_zh, Campaign.state, running, seen.correlate(Campaign).scalar_subquery()
    )
    wanted = wanted.where(Campaign.organisation_code.in_(organisations), Campaign.kind == "student_aid")
    wanted = wanted.where(Campaign.opened_at.is_not(None)).order_by(Campaign.opened_at.desc(), Campaign.id)
    return [
        Aid(public_id, title, state is CampaignState.LIVE, held, waiting)
        for public_id, title, state, held, waiting in session.execute(wanted)
    ]


def rows(session: Session, organisations: Sequence[str], place: str = "") -> list[Row]:
    """Places, those that are still offered or taken first; `place` narrows it to one."""
    last = select(func.max(SchoolTerm.id)).where(SchoolTerm.place_id == StudentPlace.id, SchoolTerm.state != TermState.VOID)
    wanted: Any = select(StudentPlace, Campaign.public_id, Campaign.title_zh, SchoolTerm.state, SchoolTerm.proof_due_on)
    wanted = wanted.join(Campaign, Campaign.id == StudentPlace.campaign_id)
    wanted = wanted.outerjoin(SchoolTerm, SchoolTerm.id == last.correlate(StudentPlace).scalar_subquery())
    wanted = wanted.where(Campaign.organisation_code.in_(organisations))
    if place:
        wanted = wanted.where(StudentPlace.public_id == place)
    order = case((StudentPlace.state.in_(RUNNING), 0), else_=1)
    return [
        Row(at.public_id, at.alias_zh, at.stage, at.month_fen, at.state, campaign, title, term, due)
        for at, campaign, title, term, due in session.execute(wanted.order_by(order, StudentPlace.id).limit(MOST))
    ]


def get(session: Session, organisations: Sequence[str], place: str) -> Row:
    """Raises NotFound."""
    found = rows(session, organisations, place) if place else []
    if not found:
        raise NotFound(place)
    return found[0]


def place_of(session: Session, organisations: Sequence[str], term: str) -> str:
    """The place that a term belongs to. Raises NotFound."""
    wanted = select(StudentPlace.public_id).join(SchoolTerm, SchoolTerm.place_id == StudentPlace.id)
    wanted = wanted.join(Campaign, Campaign.id == StudentPlace.campaign_id)
    found = session.scalar(wanted.where(SchoolTerm.public_id == term, Campaign.organisation_code.in_(organisations)))
    if found is None:
        raise NotFound(term)
    return found


def terms(session: Session, place: str, *, reader: int) -> list[Term]:
    """The latest first."""
    last = select(func.max(EnrolmentProof.id)).where(EnrolmentProof.term_id == SchoolTerm.id)
    wanted: Any = select(SchoolTerm, Disbursement.public_id, EnrolmentProof.sha256, EnrolmentProof.added_by)
    wanted = wanted.add_columns(EnrolmentProof.verdict, EnrolmentProof.why)
    wanted = wanted.join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    wanted = wanted.outerjoin(Disbursement, Disbursement.id == SchoolTerm.disbursement_id)
    wanted = wanted.outerjoin(EnrolmentProof, EnrolmentProof.id == last.correlate(SchoolTerm).scalar_subquery())
    found = session.execute(wanted.where(StudentPlace.public_id == place).order_by(SchoolTerm.starts_on.desc()))
    return [
        Term(
            *(row.public_id, row.state, row.starts_on, row.fen, row.proof_due_on, row.report_zh, payment or ""),
            proof_hash=digest or "",
            is_mine=added_by == reader,
            why=why if verdict == "refused" else "",
        )
        for row, payment, digest, added_by, verdict, why in found
    ]


def to_release(session: Session, campaign: str, book: str) -> list[Waiting]:
    wanted = select(SchoolTerm.public_id, StudentPlace.alias_zh, StudentPlace.stage, SchoolTerm.starts_on, SchoolTerm.fen)
    wanted = wanted.join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    wanted = wanted.join(Campaign, Campaign.id == StudentPlace.campaign_id)
    wanted = wanted.where(Campaign.public_id == campaign, SchoolTerm.state == TermState.ENROLLED, SchoolTerm.book == book)
    rows = session.execute(wanted.order_by(SchoolTerm.starts_on, SchoolTerm.id).limit(SOME))
    return [Waiting(*row) for row in rows]
