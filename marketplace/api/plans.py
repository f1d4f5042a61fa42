"""Monthly gifts by a program: begun and changed under the rules of the pages' own forms, by the pages' own commands."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crowdfund.campaigns import given
from crowdfund.campaigns.forms import PlanAmountForm
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.plans import keeping, queries
from crowdfund.campaigns.plans.queries import Shown
from marketplace.accounts.visitors import Visitor
from marketplace.api.doors import Unfit, check, typed
from marketplace.api.plan_schemas import NewSum, PlanAnswer, PlanItem, PlanMade, PlanMonth, PlansAnswer, PlansQuery
from marketplace.core.money import Money
from marketplace.payments.gateways import current_book

Command = Callable[..., None]
STEPS: Final[dict[str, Command]] = {
    "pause": keeping.pause,
    "continuation": keeping.go_on,
    "stop": keeping.stop,
    "card": keeping.change_card,
}


def make(session: Session, *, person: Visitor, campaign: str, fen: int, giver: Giver) -> PlanMade:
    """Raises what `keeping.begin` does, and Unfit where nobody could be told of a charge."""
    try:
        gift = keeping.begin(session, campaign=campaign, amount=Money(fen), giver=giver)
    except keeping.NoAddress as refusal:
        raise Unfit(("#/contact", str(refusal.message))) from refusal
    plan = given.find_own(session, gift, person.id).plan
    is_test = current_book() == "test"
    return PlanMade(plan=plan, gift=gift, campaign=campaign, state="active", fen=fen, currency="CNY", is_test=is_test)


def page(session: Session, person: Visitor, asked: PlansQuery) -> PlansAnswer:
    found, older = queries.page_of_person(session, person.id, before=asked.before, size=asked.per_page)
    return PlansAnswer(plans=[PlanItem(**told(plan)) for plan in found], next_before=older or None)


def show(session: Session, *, person: Visitor, plan: str) -> PlanAnswer:
    """Raises NotFound for another's."""
    mine = queries.find_own(session, plan, person.id)
    months = [
        PlanMonth(period=month.period, gift=month.gift, fen=month.fen, state=month.state.value)
        for month in queries.months(session, mine)
    ]
    return PlanAnswer(**told(mine), months=months)


def told(plan: Shown) -> dict[str, Any]:
    same = ("campaign", "fen", "first_on", "next_on", "card_ends_on", "stop_reason")
    return {name: getattr(plan, name) for name in same} | {
        "plan": plan.id,
        "state": plan.state.value,
        "currency": "CNY",
        "is_test": plan.book == "test",
        "is_charged": plan.has_mandate,
    }


def take(session: Session, *, person: Visitor, plan: str, step: str) -> PlanAnswer:
    """Raises NotFound for another's, and what the step does."""
    mine = queries.find_own(session, plan, person.id)
    STEPS[step](session, plan=mine.id)
    return show(session, person=person, plan=plan)


def entered(session: Session, *, person: Visitor, plan: str, asked: NewSum) -> Money:
    """A new sum, by the rules of the page's own form. Raises NotFound for another's, and Unfit, also for an unusually large
    sum that was not repeated."""
    mine = queries.find_own(session, plan, person.id)
    form = PlanAmountForm(typed(amount=f"{Decimal(asked.fen) / 100:.2f}", sure_of=asked.sure_of_fen or ""))
    check(form, {"amount": "#/fen"})
    if form.is_unusual(mine.fen):
        raise Unfit(("#/sure_of_fen", _("This is an unusually large gift. Send its sum here once more if it is meant.")))
    return Money(asked.fen)


def change(session: Session, *, person: Visitor, plan: str, amount: Money) -> PlanAnswer:
    """Raises NotFound for another's, NotRunning, IsPromised."""
    mine = queries.find_own(session, plan, person.id)
    keeping.change_amount(session, plan=mine.id, amount=amount)
    return show(session, person=person, plan=plan)
