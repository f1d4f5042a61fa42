"""One matching fund of the demonstration: promised and paid in three weeks ago, opened by the other officer a day later; and
one gift with the card that paid it in, whose match waits for a person."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from crowdfund.campaigns import giving
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.matching import funds, paying_in
from crowdfund.campaigns.matching.funds import Terms
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.demo.cashier import pay_at_cashier
from marketplace.payments.sandbox.gateway import SandboxCashier

CAMPAIGN: Final = "C013"
SPONSOR: Final = "晋阳示例商会（示例）"
CONTACT: Final = "sponsor@demo.example"
TERMS: Final = Terms(50, gift_cap=Money(50_000), giver_cap=Money(100_000), total=Money(500_000))
PROMISED: Final = timedelta(days=20)
CARD: Final = "demo-card-of-the-sponsor"
GIVEN: Final = timedelta(hours=30)
GIFT: Final = Money(80_000)

Deed = tuple[datetime, Callable[[], None]]


def deeds(cashier: SandboxCashier, officer: int, approver: int) -> list[Deed]:
    """By whom, and when."""
    begun = (clock.now() - PROMISED, partial(begin, cashier, officer, approver))
    return [begun, (clock.now() - GIVEN, partial(give_with_the_same_card, cashier))]


def begin(cashier: SandboxCashier, officer: int, approver: int) -> None:
    """From the promise to the day on which gifts are matched."""
    promised = in_transaction(
        funds.draft, campaign=CAMPAIGN, sponsor=SPONSOR, contact=CONTACT, terms=TERMS, owner_id=officer
    )
    with clock.at(clock.now() + timedelta(hours=2)):
        attempt = in_transaction(paying_in.start, fund=promised, person_id=None)
        pay_at_cashier(cashier, attempt, return_url=f"/campaigns/{CAMPAIGN}", description=CAMPAIGN, card=CARD)
    with clock.at(clock.now() + timedelta(hours=20)):
        in_transaction(funds.activate, fund=promised, person=approver, why="协议和到账都核过")


def give_with_the_same_card(cashier: SandboxCashier) -> None:
    gift = in_transaction(giving.begin, campaign=CAMPAIGN, amount=GIFT, giver=Giver(name="乔知远", anonymity="masked"))
    attempt = in_transaction(giving.open_attempt, gift=gift)
    if attempt is None:
        raise LookupError(f"nothing to pay for {gift}")
    pay_at_cashier(cashier, attempt, return_url=f"/campaigns/{CAMPAIGN}", description=CAMPAIGN, card=CARD)
