"""A month's gift is charged on the plan's mandate: the try is committed first, and another follows only after the former is
known to have failed."""

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import keeping, letters
from crowdfund.campaigns.plans.models import MOST_CHARGES, WAITING, Installment, Plan
from crowdfund.campaigns.states import CampaignState, ContributionState, InstallmentState, PlanState
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import transition
from marketplace.payments import attempts
from marketplace.payments.charging import CONFIRM, GONE, charge
from marketplace.payments.gateways import GatewayError, chosen_gateway
from marketplace.payments.models import Attempt
from marketplace.payments.states import OPEN, AttemptState

N = InstallmentState
DUE: Final = outbox.due(Installment, WAITING)
REST: Final = (timedelta(days=1), timedelta(days=3), timedelta(days=5))  # between two tries
KEY_LIVES: Final = timedelta(hours=23)  # gateways forget a key after a day, and would charge once more


@record
class Try:
    """What the gateway is asked for, always in the same words."""

    attempt: str
    mandate: str
    key: str
    description: str


def charge_one() -> bool:
    """The worker's step: begin, repeat or follow up the charge of one installment; True if one waited.

    Killed anywhere, it goes on when the lease ends: a try that was committed is sent with the same key, once."""
    installment = in_transaction(take)
    if installment is None:
        return False
    try:
        wanted = in_transaction(begin_try, installment=installment)
        if wanted:
            charge(wanted.attempt, mandate=wanted.mandate, key=wanted.key, description=wanted.description)
    except GatewayError as unclear:
        logging.getLogger(__name__).warning("installment %s: %s", installment, type(unclear).__name__)
    except Exception:
        logging.getLogger(__name__).exception("installment %s", installment)
        return True
    in_transaction(look_back, installment=installment)
    return True


def take(session: Session) -> str | None:
    rows = outbox.take(session, DUE)
    return rows[0].public_id if rows else None


def begin_try(session: Session, *, installment: str) -> Try | None:
    """A new try, or the one that was committed and perhaps never sent; None where nothing is to be sent now."""
    plan, row, gift = locked(session, installment)
    if row.state is N.CHARGING:
        return unsent(session, plan, row, gift)
    if row.state not in (N.DUE, N.FAILED) or not may_be_charged(session, plan, row, gift):
        row.is_automatic = False
        if not plan.mandate and is_open(session, plan, gift):  # the giver has just let the card go
            letters.pay_link(session, plan, gift)
        return None
    try:
        amount = Money(gift.fen, gift.currency)
        attempt = attempts.start(session, purpose=keeping.PURPOSE, reference=gift.public_id, amount=amount)
    except attempts.AlreadyPaying:  # the giver is at the cashier's with the link: their turn
        return None
    row.charges += 1
    transition(session, row, N.CHARGING, expected=row.state, actor=keeping.SYSTEM, why=f"try {row.charges}")
    return described(plan, row, gift, attempt)


def may_be_charged(session: Session, plan: Plan, row: Installment, gift: Contribution) -> bool:
    has_tries = row.charges < MOST_CHARGES
    return has_tries and is_open(session, plan, gift) and bool(plan.mandate) and plan.gateway == chosen_gateway().name


def is_open(session: Session, plan: Plan, gift: Contribution) -> bool:
    """Somebody waits for this gift."""
    state = session.scalar(select(Campaign.state).where(Campaign.id == plan.campaign_id))
    is_wanted = plan.state is PlanState.ACTIVE and gift.state is ContributionState.PENDING
    return is_wanted and state is CampaignState.LIVE


def unsent(session: Session, plan: Plan, row: Installment, gift: Contribution) -> Try | None:
    """The try under way, where the gateway may never have heard of it. One of an unknown outcome is never sent again."""
    attempt = latest(session, gift)
    is_young = clock.now() - attempt.created_at < KEY_LIVES
    if attempt.state is AttemptState.CREATED:
        if gift.state is ContributionState.PENDING and plan.mandate:
            return described(plan, row, gift, attempt.public_id)
        attempts.withdraw(session, attempt=attempt.public_id)
    elif attempt.state is AttemptState.SUBMITTING and is_young and plan.mandate:
        return described(plan, row, gift, attempt.public_id)
    return None


def described(plan: Plan, row: Installment, gift: Contribution, attempt: str) -> Try:
    return Try(attempt, plan.mandate or "", f"inst:{row.public_id}:{row.charges}", f"monthly gift {gift.public_id}")


def look_back(session: Session, *, installment: str) -> None:
    """What became of the try, once that is known; the receiving of its money is `receiving.receive`'s."""
    plan, row, gift = locked(session, installment)
    if row.state is not N.CHARGING:
        return
    attempt = latest(session, gift)
    if attempt.state in OPEN or attempt.state is AttemptState.QUARANTINE:
        return  # the sweeper asks the gateway; the lease brings us back
    why = "sent back" if attempt.state is AttemptState.SUCCEEDED else attempt.raw_status or str(attempt.state)
    transition(session, row, N.FAILED, expected=N.CHARGING, actor=keeping.SYSTEM, why=why)
    if why == GONE:
        plan.mandate = plan.card_ends_on = None
    if gift.state is not ContributionState.PENDING or plan.state is not PlanState.ACTIVE:
        row.is_automatic = False
        return
    rest(session, plan, row, gift, attempt)


def rest(session: Session, plan: Plan, row: Installment, gift: Contribution, attempt: Attempt) -> None:
    """Until the next try; or its giver alone can pay from now on, and is told at the first and the last failure."""
    is_last = attempt.raw_status in {CONFIRM, GONE} or row.charges >= MOST_CHARGES
    row.is_automatic, row.tries = not is_last, 0
    row.next_at = clock.now() + (REST[0] if is_last else REST[row.charges - 1])
    if is_last or (row.charges == 1 and attempt.state is AttemptState.FAILED):
        again_on = None if is_last else clock.local(row.next_at).date()
        letters.failed(session, plan, gift, again_on=again_on, wants_confirmation=attempt.raw_status == CONFIRM)


def latest(session: Session, gift: Contribution) -> Attempt:
    mine = select(Attempt).where(Attempt.purpose == keeping.PURPOSE, Attempt.reference == gift.public_id)
    newest = mine.order_by(Attempt.id.desc()).limit(1)
    return session.scalars(newest.execution_options(populate_existing=True)).one()


def locked(session: Session, installment: str) -> tuple[Plan, Installment, Contribution]:
    """Always in this order."""
    row = session.scalars(select(Installment).where(Installment.public_id == installment)).one()
    plan = session.get_one(Plan, row.plan_id, with_for_update=True, populate_existing=True)
    mine = select(Contribution).where(Contribution.id == row.contribution_id).with_for_update(key_share=True)
    gift = session.scalars(mine.execution_options(populate_existing=True)).one()
    session.refresh(row, with_for_update=True)
    return plan, row, gift
