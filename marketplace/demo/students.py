"""Four sponsored students of the demonstration: one with a sponsor and an enrolment that was seen, one whose proof waits for
the second person, two that wait for somebody."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from crowdfund.campaigns import giving
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.students import calendar, choosing, proofs, publishing, terms
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.demo.cashier import pay_at_cashier
from marketplace.demo.people import ORGANISATION
from marketplace.payments.sandbox.gateway import SandboxCashier

CAMPAIGN: Final = "C013"
ORGANISATIONS: Final = [ORGANISATION[1]]
PLACES: Final = (("senior", "DEMO000001", 16_000), ("senior", "DEMO000002", 16_000))
FREE: Final = (("vocational", "DEMO000003", 12_000), ("junior", "DEMO000004", 8_000))
PAPER: Final = b"%PDF-1.4 an example without anybody's name %%EOF"
PUBLISHED, SPONSORED, PROVED = timedelta(days=15), timedelta(days=14), timedelta(days=9)

Deed = tuple[datetime, Callable[[], None]]


def deeds(cashier: SandboxCashier, officer: int, approver: int, sponsor: int) -> list[Deed]:
    """By whom, and when."""
    places: list[str] = []
    return [
        (clock.now() - PUBLISHED, partial(publish, places, officer)),
        (clock.now() - SPONSORED, partial(choose, cashier, places, sponsor)),
        (clock.now() - PROVED, partial(prove, places, officer, approver)),
    ]


def publish(places: list[str], officer: int) -> None:
    for stage, number, month in PLACES + FREE:
        given: dict[str, Any] = {"stage": stage, "student_number": number, "month": Money(month), "officer_id": officer}
        places.append(in_transaction(publishing.publish, campaign=CAMPAIGN, organisations=ORGANISATIONS, **given))


def choose(cashier: SandboxCashier, places: list[str], sponsor: int) -> None:
    giver = Giver(name="王晓雯", anonymity="masked", person_id=sponsor)
    gift = in_transaction(choosing.choose, campaign=CAMPAIGN, place=places[0], giver=giver)
    attempt = in_transaction(giving.open_attempt, gift=gift, purpose=keeping.PURPOSE)
    if attempt is None:
        raise LookupError(f"nothing to pay for {gift}")
    page = f"/campaigns/{CAMPAIGN}"
    pay_at_cashier(cashier, attempt, return_url=page, description=CAMPAIGN, for_later=True)
    while outbox.deliver_slow():
        pass


def prove(places: list[str], officer: int, approver: int) -> None:
    """A term for both, out of what others gave; the first one's proof is seen a day later."""
    opened = []
    for place, (_stage, number, _month) in zip(places, PLACES, strict=False):
        term = calendar.running(clock.today())
        told: dict[str, Any] = {"place": place, "term": term, "officer_id": officer, "organisations": ORGANISATIONS}
        opened.append(in_transaction(terms.open_term, **told))
        paper: dict[str, Any] = {
            "student_number": number,
            "raw": PAPER,
            "officer_id": officer,
            "organisations": ORGANISATIONS,
        }
        in_transaction(proofs.add, term=opened[-1], **paper)
    with clock.at(clock.now() + timedelta(hours=20)):
        in_transaction(proofs.accept, term=opened[0], person_id=approver, organisations=ORGANISATIONS)
        words = "这学期按时到校，数学进步很大。"
        in_transaction(terms.report, term=opened[0], words=words, officer_id=officer, organisations=ORGANISATIONS)
