"""Who sponsors whom: a place is taken once, moved from in one step, and free again the moment its sponsor stops."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import ContributionState, PlaceState, SponsorshipState
from crowdfund.campaigns.students.models import Sponsorship, StudentPlace
from crowdfund.campaigns.students.publishing import expire
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, transition

L, S = PlaceState, SponsorshipState
MISSED: Final = 2  # monthly gifts in a row that did not arrive: then the place is offered again
MOVED: Final = "moved"


class TakenAlready(Refusal):
    message = _l("Somebody else has just taken this place. You were not charged.")


class OtherCampaign(Refusal):
    status = 422
    message = _l("Choose a place of the same campaign that is still free.")


def choose(session: Session, *, campaign: str, place: str, giver: Giver) -> str:
    """Hold the place with a plan that pays for it; returns its first gift, which has to be paid within a day.

    Raises NotFound, TakenAlready, and what `keeping.begin` raises."""
    row = find(session, campaign, place)
    actor = f"person:{giver.person_id}" if giver.person_id is not None else "guest"
    try:
        transition(session, row, L.HELD, expected=L.OFFERED, actor=actor, why="chosen")
    except StaleState:
        raise TakenAlready(place) from None
    gift = keeping.begin(session, campaign=campaign, amount=Money(row.month_fen), giver=giver)
    mine = select(Installment.plan_id).join(Contribution, Contribution.id == Installment.contribution_id)
    begin(session, row, session.scalars(mine.where(Contribution.public_id == gift)).one(), actor)
    expire(session, row.campaign_id)
    return gift


def begin(session: Session, place: StudentPlace, plan_id: int, actor: str) -> Sponsorship:
    sponsorship = Sponsorship(place_id=place.id, plan_id=plan_id)
    session.add(sponsorship)
    session.flush()
    leave_trace(session, sponsorship, None, S.BEGUN, actor=actor, why="chosen")
    return sponsorship


def move(session: Session, *, plan: str, place: str) -> None:
    """From the place that this plan sponsors to another one of the campaign; what it costs is given from the next gift on.

    Raises NotFound, keeping.NotRunning, OtherCampaign, TakenAlready."""
    giving = keeping.changeable(session, plan)
    current = living(session, giving)
    if current is None or current.state is not S.ACTIVE:
        raise NotFound(plan)
    row = session.scalar(
        select(StudentPlace).where(StudentPlace.public_id == place, StudentPlace.campaign_id == giving.campaign_id)
    )
    if row is None or row.id == current.place_id:
        raise OtherCampaign(place)
    actor = keeping.actor_of(giving)
    try:
        transition(session, row, L.TAKEN, expected=L.OFFERED, actor=actor, why=MOVED)
    except StaleState:
        raise TakenAlready(place) from None
    let_go(session, current, MOVED, actor)
    sponsorship = begin(session, row, giving.id, actor)
    transition(session, sponsorship, S.ACTIVE, expected=S.BEGUN, actor=actor, why=MOVED)
    keeping.set_amount(session, giving, Money(row.month_fen))


def arrived(session: Session, plan: Plan) -> None:
    """Hears of each month's money: the first makes the place the sponsor's."""
    sponsorship = living(session, plan)
    if sponsorship is not None and sponsorship.state is S.BEGUN:
        row = session.get_one(StudentPlace, sponsorship.place_id, with_for_update=True, populate_existing=True)
        actor, why = keeping.actor_of(plan), "first gift received"
        transition(session, row, L.TAKEN, expected=L.HELD, actor=actor, why=why)
        transition(session, sponsorship, S.ACTIVE, expected=S.BEGUN, actor=actor, why=why)
        expire(session, row.campaign_id)


def ended(session: Session, plan: Plan, why: str) -> None:
    """Hears of each plan that is over: its place is free for somebody else, its terms go on."""
    sponsorship = living(session, plan)
    if sponsorship is not None:
        let_go(session, sponsorship, why, keeping.actor_of(plan) if why == keeping.ASKED else keeping.SYSTEM)


def let_go(session: Session, sponsorship: Sponsorship, why: str, actor: str) -> None:
    was = sponsorship.state
    changed: dict[str, Any] = {"ended_at": clock.now(), "end_reason": why}
    transition(session, sponsorship, S.ENDED, expected=was, actor=actor, why=why, **changed)
    row = session.get_one(StudentPlace, sponsorship.place_id, with_for_update=True, populate_existing=True)
    if row.state in {L.HELD, L.TAKEN}:
        transition(session, row, L.OFFERED, expected=row.state, actor=actor, why=why)
    expire(session, row.campaign_id)


def is_promised(session: Session, plan: Plan) -> bool:
    return living(session, plan) is not None


def living(session: Session, plan: Plan) -> Sponsorship | None:
    mine = select(Sponsorship).where(Sponsorship.plan_id == plan.id, Sponsorship.state != S.ENDED)
    return session.scalar(mine.with_for_update().execution_options(populate_existing=True))


def find(session: Session, campaign: str, place: str) -> StudentPlace:
    """Raises NotFound."""
    mine = select(StudentPlace).join(Campaign, Campaign.id == StudentPlace.campaign_id)
    row = session.scalar(mine.where(StudentPlace.public_id == place, Campaign.public_id == campaign))
    if row is None:
        raise NotFound(place)
    return row


def end_one_unpaid(session: Session) -> bool:
    """The worker's duty: of an active sponsorship the latest months lapsed, one after the other. True if there was one."""
    state = select(Installment.plan_id, Contribution.state).join(
        Contribution, Contribution.id == Installment.contribution_id
    )
    order = func.row_number().over(partition_by=Installment.plan_id, order_by=Installment.period.desc()).label("place")
    settled = state.add_columns(order).where(Contribution.state.in_((ContributionState.LAPSED, ContributionState.RECEIVED)))
    latest = settled.subquery()
    missed = select(latest.c.plan_id).where(latest.c.place <= MISSED, latest.c.state == ContributionState.LAPSED)
    missed = missed.group_by(latest.c.plan_id).having(func.count() == MISSED)
    wanted = select(Plan).join(Sponsorship, Sponsorship.plan_id == Plan.id)
    wanted = wanted.where(Sponsorship.state == S.ACTIVE, Plan.id.in_(missed)).order_by(Plan.id).limit(1)
    plan = session.scalar(wanted.with_for_update(of=Plan, skip_locked=True))
    if plan is None:
        return False
    keeping.end(session, plan, why=keeping.UNPAID)
    keeping.release(session, plan)
    return True
