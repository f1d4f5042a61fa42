"""Apples sold ahead: ¥30.00 for one box, ¥60.00 and ¥6.00 shipping for two; goal ¥90.00, and a field that bears 100 kg."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from crowdfund.presales import backing, closing, delivering, drafting, reviewing, surveying
from crowdfund.presales.backing import Backer
from crowdfund.presales.drafting import Terms, Tier
from crowdfund.presales.models import Backing, Presale, PresaleTier
from listings.models import Listing, Variant
from marketplace import duties
from marketplace.accounts.models import Person
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.ledger import books
from marketplace.orders.placing import Recipient
from marketplace.payments import attempts, sweeping
from tests import factories
from tests.orders.conftest import Shop, build_shop

ONE, TWO = 3000, 6600
HOME = Recipient("郭晓芸", "13835172045", "140000", "太原 小店区", "平阳路 128 号")
DUTIES = (closing.close_one_due, closing.decide_one_due, delivering.begin_one_due, delivering.end_one_due)
OURS = outbox.OutboxRow.topic.like("presale.%") | outbox.OutboxRow.topic.like("backing.%")


def terms(**changes: Any) -> Terms:
    today = clock.today()
    usual = Terms(
        title_zh="吉县红富士预售",
        title_en="Jixian Fuji ahead",
        story_zh="冯家的十亩果园。",
        plan_zh="十月采摘，十一月发完。",
        goal_fen=9000,
        area_tenths=10,
        yield_kg=100,
        start_percent=30,
        closes_on=today + timedelta(days=20),
        harvest_on=today + timedelta(days=40),
        grace_days=15,
    )
    return replace(usual, **changes)


@dataclass
class Orchard:
    shop: Shop
    seller: int
    reviewer: Person
    presale: str = ""
    one: str = ""
    two: str = ""

    def draft(self, most: int = 10, **changes: Any) -> str:
        code = self.shop.apples.rpartition("-")[0]
        self.presale = in_transaction(drafting.draft, listing=code, terms=terms(**changes), seller=self.seller)
        whose: Any = {"presale": self.presale, "seller": self.seller}
        one, two = Tier("一箱", self.shop.apples, 1, ONE, 0, most), Tier("两箱", self.shop.apples, 2, 3000, 600, most)
        self.one = in_transaction(drafting.add_tier, tier=one, **whose)
        self.two = in_transaction(drafting.add_tier, tier=two, **whose)
        return self.presale

    def open(self, most: int = 10, **changes: Any) -> str:
        """Drafted, handed in, looked at by the station."""
        self.draft(most, **changes)
        in_transaction(drafting.submit, presale=self.presale, seller=self.seller)
        who: Any = {"presale": self.presale, "station": "141028", "reviewer": self.reviewer.id}
        in_transaction(reviewing.accept, **who, field_seen=True, figures_sane=True)
        return self.presale

    def begin(self, tier: str = "", contact: str = "13835172001") -> str:
        """A place, on its way to the cashier."""
        chosen = tier or self.one
        fen = ONE if chosen == self.one else TWO
        given: Any = {"presale": self.presale, "tier": chosen, "shown_fen": fen, "backer": Backer(contact)}
        made = in_transaction(backing.begin, **given)
        attempt = in_transaction(backing.open_attempt, backing=made)
        attempts.submit(str(attempt), return_url="http://shop.test/", description="presale")
        return made

    def paid(self, tier: str = "", contact: str = "13835172001") -> str:
        made = self.begin(tier, contact)
        self.pay(made)
        return made

    def pay(self, made: str, outcome: str = "approve") -> None:
        self.shop.pay(made, outcome)
        self.shop.work()

    def answer(self, made: str, **changes: Any) -> None:
        whom = replace(HOME, **changes)
        in_transaction(surveying.answer, backing_id=made, recipient=whom, variant=self.shop.apples)

    def row(self) -> Presale:
        db.session.rollback()
        return db.session.scalars(select(Presale).where(Presale.public_id == self.presale)).one()

    def tier(self, public_id: str) -> PresaleTier:
        db.session.rollback()
        return db.session.scalars(select(PresaleTier).where(PresaleTier.public_id == public_id)).one()

    def backing(self, made: str) -> Backing:
        db.session.rollback()
        return db.session.scalars(select(Backing).where(Backing.public_id == made)).one()

    def states(self, *made: str) -> list[str]:
        return [self.backing(each).state.value for each in made]

    def escrow(self) -> int:
        """Fen of buyers that are held."""
        db.session.rollback()
        return -books.balance(db.session(), "presale_escrow", self.presale, book="test")

    def live_through(self, moment: datetime) -> None:
        """All that happens by itself until then."""
        with at(moment):
            work()
            self.shop.work()
        with at(moment + timedelta(minutes=5)):
            self.shop.cashier.finish_refunds()
            self.shop.work()

    def end(self) -> None:
        """The morning after its last day."""
        self.live_through(after(self.row().closes_on))

    def harvest(self) -> None:
        self.live_through(after(self.row().harvest_on - timedelta(days=1)))


def after(day: date) -> datetime:
    """Early on the next one."""
    return clock.start_of(day + timedelta(days=1)) + timedelta(hours=1)


def at(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=False)


def work() -> None:
    """The worker's duties and whatever waits in the outbox, until nothing does."""
    has_worked = True
    while has_worked:
        for step in DUTIES:
            duties.one_after_the_other(step)
        has_worked = outbox.deliver_some(outbox.of_topics(OURS), 50) or sweeping.send_refund()


def wrong(orchard: Orchard) -> list[str]:
    """What the audit finds, in the transaction of the test."""
    db.session.rollback()
    with orchard.shop.cashier.storage.connect() as cashier:
        found = audit.findings(db.session.connection(), cashier)
        return [f"{each.check}: {each.words}" for each in found if isinstance(each, Difference)]


def build_orchard(app: Flask) -> Orchard:
    shop = build_shop(app)
    wanted = select(Listing.seller_id).join(Variant, Variant.listing_id == Listing.id).where(Variant.code == shop.apples)
    return Orchard(shop, db.session.scalars(wanted).one(), factories.make_person("station_manager"))


@pytest.fixture
def orchard(app: Flask) -> Iterator[Orchard]:
    built = build_orchard(app)
    yield built
    built.shop.cashier.storage.dispose()


@pytest.fixture
def real_orchard(real_app: Flask) -> Iterator[Orchard]:
    built = build_orchard(real_app)
    yield built
    built.shop.cashier.storage.dispose()
