"""The scheduler: on a plan's day its gift is charged, or asked for by a link, once a month and once only.

What is due is committed before any gateway is asked. Two workers share the plans out by their locks; behind that stands the
unique key (plan, period)."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import totals
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.plans import keeping, letters, periods
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import CampaignState, PlanState
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.payments.gateways import chosen_gateway

SOME: Final = 50
C = CampaignState
OVER: Final = (C.ENDED, C.CANCELLED, C.DISBURSING, C.REPORTED, C.CLOSED)


def ask_for_due() -> None:
    """The worker's duty: all that is due by now, some plans in each transaction."""
    while in_transaction(ask_for_some) + in_transaction(end_some):
        pass


def ask_for_some(session: Session) -> int:
    """How many plans were due."""
    today = periods.day_of(clock.now())
    due = select(Plan).where(Plan.state == PlanState.ACTIVE, Plan.next_on <= today).order_by(Plan.next_on, Plan.id)
    plans = session.scalars(due.limit(SOME).with_for_update(skip_locked=True)).all()
    for plan in plans:
        ask(session, plan)
    return len(plans)


def end_some(session: Session) -> int:
    """How many plans ended with their campaign."""
    wanted = select(Plan).join(Campaign, Campaign.id == Plan.campaign_id)
    wanted = wanted.where(Plan.state != PlanState.STOPPED, Campaign.state.in_(OVER)).order_by(Plan.id)
    plans = session.scalars(wanted.limit(SOME).with_for_update(of=Plan, skip_locked=True)).all()
    for plan in plans:
        end(session, plan, keeping.CAMPAIGN_OVER)
    return len(plans)


def end(session: Session, plan: Plan, why: str) -> None:
    """With its letter; what is being charged at this moment goes back, as the letter says."""
    keeping.end(session, plan, why=why)
    keeping.release(session, plan)


def ask(session: Session, plan: Plan) -> None:
    """For one month, the last that is due; those before it, in which nobody asked, are not made up for."""
    today = periods.day_of(clock.now())
    following = periods.after(plan.first_on, today)
    campaign = session.get_one(Campaign, plan.campaign_id)
    if campaign.state is C.PAUSED:
        plan.next_on = following
        is_uncertified = standing.is_waiting(session, campaign.public_id)
        (letters.uncertified if is_uncertified else letters.campaign_waits)(session, plan)
    elif campaign.state is not C.LIVE or campaign.ends_on < clock.today():
        end(session, plan, keeping.CAMPAIGN_OVER)
    elif campaign.past_goal == "stop" and totals.raised(session, campaign.id, plan.book) >= campaign.goal_fen:
        end(session, plan, keeping.GOAL_REACHED)
    else:
        plan.next_on = following
        open_month(session, plan)


def open_month(session: Session, plan: Plan) -> None:
    gift = keeping.add_installment(session, plan)
    lapses = periods.moment_of(periods.after(plan.first_on, periods.day_of(clock.now())))
    outbox.put(session, keeping.LAPSES, after=lapses - clock.now(), gift=gift.public_id)
    if plan.mandate and plan.gateway == chosen_gateway().name:
        session.scalars(select(Installment).where(Installment.contribution_id == gift.id)).one().is_automatic = True
    else:
        letters.pay_link(session, plan, gift)
