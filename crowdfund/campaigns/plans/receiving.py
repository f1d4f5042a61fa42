"""A month's gift whose money is there is a gift like any other; and the plan goes on from it."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans import cards, keeping, letters, periods
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import ContributionState, InstallmentState, PlanState
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.payments import attempts
from marketplace.payments.gateways import (
    Declined,
    Invalid,
    MandateRequest,
    NotSupported,
    OutcomeUnknown,
    RemoteMandate,
    gateways,
    unknown_unless_answered,
)
from marketplace.payments.models import Attempt
from marketplace.payments.states import OPEN

AGREED = "plan.agreed"  # the outbox's topic
N = InstallmentState
on_received: list[Callable[[Session, Plan], None]] = []  # what listens when a month's money is there


def receive(session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
    """The handler of purpose `installment`: the gift is received as any other, and its plan begins or goes on."""
    if not giving.receive(session, reference=reference, amount=amount, attempt=attempt):
        return False
    gift, row = installment_of(session, reference)
    plan = session.get_one(Plan, row.plan_id, with_for_update=True, populate_existing=True)
    is_by_giver = row.state is not N.CHARGING
    if is_by_giver:
        transition(session, row, N.CHARGING, expected=row.state, actor=keeping.actor_of(plan), why="at the cashier")
    transition(session, row, N.RECEIVED, expected=N.CHARGING, actor=keeping.SYSTEM, why=f"attempt:{attempt}")
    row.is_automatic = False
    if plan.state is PlanState.ACTIVE and plan.next_on is None:
        plan.next_on = periods.after(plan.first_on, clock.today())
    for hear in on_received:
        hear(session, plan)
    if is_by_giver:  # of a stopped plan too: its card is forgotten then
        outbox.put(session, AGREED, plan=plan.public_id, attempt=attempt, gift=reference)
    elif plan.state is not PlanState.STOPPED:
        letters.received(session, plan, gift)
    return True


def installment_of(session: Session, gift: str) -> tuple[Contribution, Installment]:
    wanted = select(Contribution, Installment).join(Installment, Installment.contribution_id == Contribution.id)
    wanted = wanted.where(Contribution.public_id == gift).with_for_update(of=Installment)
    row = session.execute(wanted.execution_options(populate_existing=True)).one()
    return row.Contribution, row.Installment


def keep_mandate(*, plan: str, attempt: str, gift: str) -> None:
    """The listener of `plan.agreed`: what the giver agreed to at the cashier's is kept, if the way of paying can do that.

    Outside any transaction; raises OutcomeUnknown when the gateway does not answer, and is called again."""
    gateway, payment = in_transaction(where_paid, attempt=attempt)
    kept = None
    try:
        with unknown_unless_answered(f"plan {plan}"):
            kept = gateways().get(gateway).save_mandate(MandateRequest(payment), key=f"plan:{plan}:{attempt}")
    except (Declined, Invalid, NotSupported):
        pass  # a wallet: each month by a link
    in_transaction(agree, plan=plan, gift=gift, gateway=gateway, kept=kept)


def where_paid(session: Session, *, attempt: str) -> tuple[str, str]:
    row = session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one()
    return row.gateway, row.remote_id or ""


def agree(session: Session, *, plan: str, gift: str, gateway: str, kept: RemoteMandate | None) -> None:
    """The newest mandate counts; a wallet used in between leaves the one that was kept before."""
    row = keeping.get(session, plan)
    if row.state is PlanState.STOPPED:
        if kept:
            cards.forget_later(session, gateway=gateway, mandate=kept.remote_id)
        return
    if kept:
        cards.keep(session, row, gateway=gateway, mandate=kept.remote_id, ends_on=kept.good_until)
    letters.received(session, row, session.scalars(select(Contribution).where(Contribution.public_id == gift)).one())


def lapse(*, gift: str) -> None:
    """The listener of `installment.lapses`: nobody paid in time. A plan that never began is over as well."""
    giving.lapse(gift=gift, purpose=keeping.PURPOSE)
    in_transaction(forget_if_unbegun, gift=gift)


def forget_if_unbegun(session: Session, *, gift: str) -> None:
    found, row = installment_of(session, gift)
    plan = session.get_one(Plan, row.plan_id, with_for_update=True, populate_existing=True)
    is_first = row.period == plan.first_on and found.state is ContributionState.LAPSED
    if is_first and plan.state is not PlanState.STOPPED:
        keeping.end(session, plan, why=keeping.NEVER_BEGAN)


def withdraw(*, attempt: str) -> None:
    """The listener of `installment.withdrawn`: a stopped plan's charge is called back, or its money goes back by itself."""
    if attempts.cancel(attempt) in OPEN:
        raise OutcomeUnknown(attempt)
