"""One monthly gift of the demonstration: begun a month ago at the cashier's, charged on its day since."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final

from crowdfund.campaigns import giving
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.plans import asking, charging, keeping, periods
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.demo.cashier import hear_nothing, pay_at_cashier
from marketplace.payments.sandbox.gateway import SandboxCashier

CAMPAIGN: Final = "C012"
AMOUNT: Final = Money(2000)
BEGAN: Final = (timedelta(days=31), time(12, 5))

Deed = tuple[datetime, Callable[[], None]]


def deeds(cashier: SandboxCashier, giver: int) -> list[Deed]:
    """By whom, and when."""
    first = clock.today() - BEGAN[0]
    began = datetime.combine(first, BEGAN[1], clock.SHANGHAI)
    due = periods.after(first, first)
    found: list[Deed] = [(began, partial(begin, cashier, giver))]
    while due <= clock.today():
        found.append((periods.moment_of(due) + timedelta(minutes=1), partial(charge, cashier)))
        due = periods.after(first, due)
    return found


def begin(cashier: SandboxCashier, giver: int) -> None:
    who = Giver(name="王晓雯", anonymity="masked", person_id=giver)
    gift = in_transaction(keeping.begin, campaign=CAMPAIGN, amount=AMOUNT, giver=who)
    attempt = in_transaction(giving.open_attempt, gift=gift, purpose=keeping.PURPOSE)
    if attempt is None:
        raise LookupError(f"nothing to pay for {gift}")
    page = f"/campaigns/{CAMPAIGN}"
    pay_at_cashier(cashier, attempt, return_url=page, description=CAMPAIGN, for_later=True)
    while outbox.deliver_slow():
        pass


def charge(cashier: SandboxCashier) -> None:
    """What the worker did that morning."""
    asking.ask_for_due()
    while charging.charge_one():
        pass
    hear_nothing(cashier)
