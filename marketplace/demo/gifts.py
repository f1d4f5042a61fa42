"""A month of gifts, lived through the real commands with the clock set back: gifts.csv says who gave what when."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving, lifecycle, moderation
from crowdfund.campaigns.chain import CHAIN
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState
from marketplace.core import clock, outbox, sealing
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.demo import matching, payments_out, plans, students, together
from marketplace.demo.cashier import pay_at_cashier
from marketplace.demo.people import ORGANISATION, ids_of, person_id
from marketplace.demo.tables import Row, read
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox.gateway import SandboxCashier

AT_THE_CASHIER: Final = timedelta(seconds=70)
PAUSED: Final = ("C006", timedelta(days=3), "核对合作社名单，两天内恢复")
BUYERS: Final = ("buyer", "buyer2")
UNREAD: Final = 2  # messages that wait for the officer, so that the desk has something to do

Deed = tuple[datetime, Callable[[], None]]


@record
class Past:
    """Who is who, and where money is paid."""

    cashier: SandboxCashier
    people: dict[str, int]

    @property
    def officer(self) -> int:
        return self.people[person_id("charity")]


def play() -> None:
    """Live through gifts.csv, once: where anybody has given anything, the past is theirs. Only with test money."""
    cashier = gateways().by_name.get("sandbox")
    if not isinstance(cashier, SandboxCashier) or in_transaction(has_a_past):
        return
    past = Past(cashier, in_transaction(people))
    deeds = [deed_of(row, past, number) for number, row in enumerate(reversed(read("gifts")))]
    deeds += [(day, end_what_is_over) for day in days()]
    deeds += in_transaction(pause, past=past)
    deeds += plans.deeds(cashier, past.people[person_id("buyer")])
    deeds += payments_out.deeds(past.officer, past.people[person_id("charity2")])
    deeds += matching.deeds(cashier, past.officer, past.people[person_id("charity2")])
    deeds += students.deeds(cashier, past.officer, past.people[person_id("charity2")], past.people[person_id("buyer")])
    buyers = [past.people[person_id(name)] for name in BUYERS]
    deeds += together.deeds(cashier, past.officer, past.people[person_id("charity2")], buyers)
    done = sorted((deed for deed in deeds if deed[0] <= clock.now()), key=lambda deed: deed[0])
    for _day, group in groupby(done, key=lambda deed: clock.local(deed[0]).date()):
        live_through(list(group))
    in_transaction(sealing.close_days, chain=CHAIN)
    in_transaction(read_messages, past=past)
    while outbox.deliver():
        pass


def live_through(day: list[Deed]) -> None:
    """What was done that day, and what the worker made of it; sealed, so that its root can be fixed when it is over."""
    for moment, do in day:
        with clock.at(moment):
            do()
    with clock.at(day[-1][0]):
        while outbox.deliver():
            pass
        while in_transaction(sealing.seal, chain=CHAIN):
            pass


def has_a_past(session: Session) -> bool:
    return session.scalar(select(Contribution.id).limit(1)) is not None


def people(session: Session) -> dict[str, int]:
    return ids_of(session, [person_id(name) for name in ("charity", "charity2", *BUYERS)])


def days() -> list[datetime]:
    """Half past midnight of each day of the month before."""
    today = clock.today()
    past = (today - timedelta(days=ago) for ago in reversed(range(33)))
    return [datetime.combine(day, time(0, 30), clock.SHANGHAI) for day in past]


def deed_of(row: Row, past: Past, number: int) -> Deed:
    """Given at that time; what was given today was given in the hours before, `number` gifts ago."""
    day = clock.today() - timedelta(days=int(row["days_ago"]))
    at = datetime.combine(day, time.fromisoformat(row["time"]), clock.SHANGHAI)
    return min(at, clock.now() - timedelta(minutes=13 * (number + 1))), partial(give, row, past)


def give(row: Row, past: Past) -> None:
    """From the campaign's page to the cashier's answer."""
    giver = Giver(
        name=row["name"],
        anonymity=row["anonymity"],
        message=row["message"],
        person_id=past.people[person_id(row["giver"])] if row["giver"] else None,
    )
    amount = Money(int(Decimal(row["yuan"]) * 100))
    gift = in_transaction(giving.begin, campaign=row["campaign"], amount=amount, giver=giver)
    if row["outcome"] != "received":
        return
    attempt = in_transaction(giving.open_attempt, gift=gift)
    if attempt is None:
        raise LookupError(f"nothing to pay for {gift}")
    with clock.at(clock.now() + AT_THE_CASHIER):
        pay_at_cashier(past.cashier, attempt, return_url=f"/campaigns/{row['campaign']}", description=row["campaign"])


def end_what_is_over() -> None:
    in_transaction(lifecycle.end_due)


def pause(session: Session, *, past: Past) -> list[Deed]:
    """One campaign waits for an answer of its cooperative."""
    campaign, ago, why = PAUSED
    state = session.scalar(select(Campaign.state).where(Campaign.public_id == campaign))
    if state is not CampaignState.LIVE:
        return []
    told: dict[str, Any] = {"campaign": campaign, "person": past.officer, "why": why}
    return [(clock.now() - ago, lambda: in_transaction(lifecycle.pause, **told))]


def read_messages(session: Session, *, past: Past) -> None:
    """The officer has read all but the latest words."""
    mine = [ORGANISATION[1]]
    waiting = moderation.waiting(session, mine)
    for row in waiting[: max(0, len(waiting) - UNREAD)]:
        moderation.decide(session, gift=row.public_id, organisations=mine, is_shown=True, person=past.officer)
