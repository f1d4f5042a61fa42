"""Cards that are kept for monthly gifts: their end is told in time, and who is charged no more has them forgotten."""

from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.plans import letters, periods
from crowdfund.campaigns.plans.models import Plan
from crowdfund.campaigns.states import CampaignState, PlanState
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.encryption import keyring
from marketplace.payments.gateways import Invalid, NotSupported, gateways, unknown_unless_answered

LET_GO: Final = "plan.card_let_go"  # the outbox's topic
IN_OUTBOX: Final = "outbox.mandate"  # what its name is encrypted for
SOME: Final = 50
GOING_ON: Final = (CampaignState.LIVE, CampaignState.PAUSED)


def keep(session: Session, plan: Plan, *, gateway: str, mandate: str, ends_on: date | None) -> None:
    """From now on this card is charged; another one that was kept before is forgotten."""
    if plan.mandate != mandate:
        let_go(session, plan)
    plan.gateway, plan.mandate, plan.card_ends_on, plan.card_end_told_on = gateway, mandate, ends_on, None


def let_go(session: Session, plan: Plan) -> None:
    """The plan knows its card no more, and soon neither does the gateway."""
    if plan.mandate:
        forget_later(session, gateway=plan.gateway, mandate=plan.mandate)
    plan.mandate = plan.card_ends_on = plan.card_end_told_on = None


def forget_later(session: Session, *, gateway: str, mandate: str) -> None:
    outbox.put(session, LET_GO, gateway=gateway, mandate=keyring().encrypt(mandate, IN_OUTBOX))


def forget(*, gateway: str, mandate: str) -> None:
    """The listener of `plan.card_let_go`: outside any transaction; harmless where the card is gone already.

    Raises GatewayError when there is no answer, and is called again."""
    known = gateways().by_name.get(gateway)
    if known is None:  # this installation speaks with it no more
        return
    try:
        with unknown_unless_answered("a card to be forgotten"):
            known.release_mandate(keyring().decrypt(mandate, IN_OUTBOX))
    except (Invalid, NotSupported):
        pass


def tell_of_ends() -> None:
    """The worker's duty: whoever's card ends before another month is told in the month before, once for each card."""
    while in_transaction(tell_some):
        pass


def tell_some(session: Session) -> int:
    """How many were told."""
    today = periods.day_of(clock.now())
    last = periods.end_of_month(periods.anniversary(today.replace(day=1), 1))
    ending = select(Plan).join(Campaign, Campaign.id == Plan.campaign_id).where(Plan.state == PlanState.ACTIVE)
    ending = ending.where(Plan.mandate.is_not(None), Plan.card_ends_on.between(today, last), Plan.card_end_told_on.is_(None))
    ending = ending.where(Campaign.state.in_(GOING_ON), Campaign.ends_on > Plan.card_ends_on).order_by(Plan.id)
    plans = session.scalars(ending.limit(SOME).with_for_update(of=Plan, skip_locked=True)).all()
    for plan in plans:
        plan.card_end_told_on = today
        letters.card_ends(session, plan)
    return len(plans)
