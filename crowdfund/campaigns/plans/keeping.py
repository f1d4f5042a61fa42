"""A plan in its giver's hands: begun with a first gift, paused, gone on with, changed, stopped at once."""

from collections.abc import Callable
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.matching import traces
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans import cards, letters, periods
from crowdfund.campaigns.plans.links import link_token
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import ContributionState, InstallmentState, PlanState
from marketplace.accounts.models import Person
from marketplace.core import audit, clock, ids, outbox
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, subject_of, transition
from marketplace.payments import attempts
from marketplace.payments.gateways import chosen_gateway

PURPOSE: Final = "installment"
LAPSES: Final = "installment.lapses"  # the outbox's topics
WITHDRAWN: Final = "installment.withdrawn"
SYSTEM: Final = "system"
ASKED, CAMPAIGN_OVER, GOAL_REACHED, NEVER_BEGAN = letters.ASKED, "campaign_over", "goal_reached", "never_began"
UNPAID, STUDENT_LEFT, PLACE_OVER = letters.UNPAID, letters.STUDENT_LEFT, letters.PLACE_OVER  # of sponsors
P = PlanState
on_ended: list[Callable[[Session, Plan, str], None]] = []  # what listens when a plan is over, and why it is
pledged: list[Callable[[Session, Plan], bool]] = []  # whoever knows of a plan that its sum and its days are promised


class NoAddress(Refusal):
    status = 422
    message = _l("For a monthly gift we need a phone number or an e-mail address: you are told of every charge there.")


class EndsTooSoon(Refusal):
    message = _l("This campaign ends before a second month. Please give once. You were not charged.")


class NotRunning(Refusal):
    message = _l("This monthly gift is not running, so there is nothing to change.")


class IsPromised(Refusal):
    message = _l("This monthly gift sponsors a student's place, so it keeps its amount. Choose another place, or stop it.")


def begin(session: Session, *, campaign: str, amount: Money, giver: Giver) -> str:
    """A plan with its first gift, as `giving.begin` makes one; returns the gift's public id. It has to be paid first.

    Raises GivenOnce, NoAddress, EndsTooSoon, and what `giving.begin` raises."""
    target, book = giving.admit(session, campaign=campaign, amount=amount)
    if target.channel == gate.DIRECTED:
        raise gate.GivenOnce(campaign)
    today = clock.today()
    if target.ends_on < periods.after(today, today):
        raise EndsTooSoon(campaign)
    plan = Plan(
        public_id=ids.public_id(),
        campaign_id=target.id,
        book=book,
        fen=amount.fen,
        currency=amount.currency,
        person_id=giver.person_id,
        anonymity=giver.anonymity,
        giver=giver.name or None,
        contact=giver.contact or address_of(session, giver.person_id),
        language=giver.language,
        first_on=today,
        gateway=chosen_gateway().name,
    )
    plan.token_hash = token_hash(link_token(plan.public_id))
    session.add(plan)
    session.flush()
    leave_trace(session, plan, None, P.ACTIVE, actor=actor_of(plan), why="begun")
    gift = add_installment(session, plan, giver=giver).public_id
    if giver.origin and traces.is_wanted(session, campaign):
        traces.keep(session, gift=gift, origin=giver.origin)
    attempts.start(session, purpose=PURPOSE, reference=gift, amount=amount)
    outbox.put(session, LAPSES, after=giving.LAPSES_AFTER, gift=gift)
    return gift


def address_of(session: Session, person_id: int | None) -> str:
    """Raises NoAddress."""
    person = session.get(Person, person_id) if person_id is not None else None
    address = (person.email or person.phone) if person else None
    if not address:
        raise NoAddress
    return address


def add_installment(session: Session, plan: Plan, *, giver: Giver | None = None) -> Contribution:
    """The gift of the plan's day, the first one by default; later ones without words. It waits for its money."""
    period = plan.first_on if giver else periods.latest(plan.first_on, periods.day_of(clock.now()))
    giver = giver or Giver(plan.giver or "", plan.anonymity, "", plan.contact, plan.person_id, plan.language)
    reference = giving.keep(session, plan.campaign_id, Money(plan.fen, plan.currency), giver, plan.book)
    gift = session.scalars(select(Contribution).where(Contribution.public_id == reference)).one()
    row = Installment(public_id=ids.public_id(), plan_id=plan.id, period=period, contribution_id=gift.id)
    session.add(row)
    session.flush()
    leave_trace(session, row, None, InstallmentState.DUE, actor=SYSTEM, why=period.isoformat())
    return gift


def pause(session: Session, *, plan: str) -> None:
    """Nothing is charged until its giver goes on; what was asked for and not paid is let go.

    Raises NotRunning, IsPromised."""
    row = changeable(session, plan)
    refuse_promised(session, row)
    if row.state is P.ACTIVE:
        transition(session, row, P.PAUSED, expected=P.ACTIVE, actor=actor_of(row), why=ASKED, next_on=None)
        release(session, row)


def go_on(session: Session, *, plan: str) -> None:
    """From its next day on, never today: that day was shown. Raises NotRunning."""
    row = changeable(session, plan)
    if row.state is P.PAUSED:
        following = periods.after(row.first_on, clock.today())
        transition(session, row, P.ACTIVE, expected=P.PAUSED, actor=actor_of(row), why=ASKED, next_on=following)


def change_amount(session: Session, *, plan: str, amount: Money) -> None:
    """From the next gift on; what was asked for already stays as it is. Raises NotRunning, IsPromised."""
    row = changeable(session, plan)
    refuse_promised(session, row)
    set_amount(session, row, amount)


def set_amount(session: Session, row: Plan, amount: Money) -> None:
    if not giving.smallest_fen() <= amount.fen <= giving.LARGEST_FEN:
        raise ValueError(f"{amount.fen} fen")
    if amount.fen != row.fen:
        before, row.fen = row.fen, amount.fen
        audit.record(session, actor=actor_of(row), action="plan.amount", subject=subject_of(row), before=before, fen=row.fen)


def change_card(session: Session, *, plan: str) -> None:
    """The card that is kept is forgotten; the one used with the next gift's link is kept instead. Raises NotRunning."""
    row = changeable(session, plan)
    if row.mandate:
        cards.let_go(session, row)
        audit.record(session, actor=actor_of(row), action="plan.card", subject=subject_of(row))


def stop(session: Session, *, plan: str) -> None:
    """At once and for good: nothing is charged any more, a charge that is on its way goes back. Again, nothing happens."""
    row = get(session, plan)
    if row.state is not P.STOPPED:
        end(session, row, why=ASKED, actor=actor_of(row))
        release(session, row)


def end(session: Session, plan: Plan, *, why: str, actor: str = SYSTEM) -> None:
    """The last step of a plan: its card is forgotten, its giver is told, unless it never began."""
    cards.let_go(session, plan)
    changed: dict[str, Any] = {"stopped_at": clock.now(), "stop_reason": why, "next_on": None}
    transition(session, plan, P.STOPPED, expected=plan.state, actor=actor, why=why, **changed)
    for hear in on_ended:
        hear(session, plan, why)
    if why != NEVER_BEGAN:
        letters.stopped(session, plan, why=why)


def refuse_promised(session: Session, plan: Plan) -> None:
    if any(asks(session, plan) for asks in pledged):
        raise IsPromised(plan.public_id)


def release(session: Session, plan: Plan, *, is_first_too: bool = False) -> None:
    """What was asked for after the first gift and has not arrived is not waited for: its money goes back by itself."""
    waiting = select(Installment, Contribution.public_id).join(Contribution, Contribution.id == Installment.contribution_id)
    waiting = waiting.where(Installment.plan_id == plan.id)
    if not is_first_too:
        waiting = waiting.where(Installment.period > plan.first_on)
    waiting = waiting.where(Contribution.state == ContributionState.PENDING)
    for installment, gift in session.execute(waiting).all():
        lapsed, why, was = Contribution(public_id=gift), f"plan {plan.state}", ContributionState.PENDING
        transition(session, lapsed, ContributionState.LAPSED, expected=was, actor=actor_of(plan), why=why)
        attempt = giving.open_attempt(session, gift=gift, purpose=PURPOSE)
        if attempt:
            outbox.put(session, WITHDRAWN, attempt=attempt)
        if installment.state is not InstallmentState.CHARGING:
            installment.is_automatic = False


def changeable(session: Session, plan: str) -> Plan:
    """The plan, locked, while it still asks for gifts. Raises NotFound, NotRunning."""
    row = get(session, plan)
    if row.state is P.STOPPED or (row.state is P.ACTIVE and row.next_on is None):
        raise NotRunning(plan)
    return row


def get(session: Session, plan: str) -> Plan:
    """Locked. Raises NotFound."""
    wanted = select(Plan).where(Plan.public_id == plan).with_for_update().execution_options(populate_existing=True)
    row = session.scalar(wanted)
    if row is None:
        raise NotFound(plan)
    return row


def actor_of(plan: Plan) -> str:
    return f"person:{plan.person_id}" if plan.person_id is not None else "guest"
