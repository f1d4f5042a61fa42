"""A grower sells the harvest ahead: places are taken, paid, left; it is reached or not, sent or not; as chance has it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from crowdfund.presales import backing, closing, delivering, drafting, returning, reviewing, surveying
from crowdfund.presales.backing import Backer
from crowdfund.presales.drafting import Tier
from crowdfund.presales.models import Backing, Presale, PresaleTier
from crowdfund.presales.states import GOES_AHEAD, BackingState as B, PresaleState as P
from listings.models import Listing, Variant
from marketplace.accounts.models import Grant
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.payments import attempts, sweeping
from tests.factories import make_person
from tests.orders.conftest import JIXIAN
from tests.presales.conftest import HOME, ONE, terms

if TYPE_CHECKING:
    from tests.simulation.world import World

ROLE: Final = "station_manager"
DUTIES: Final = (closing.close_one_due, closing.decide_one_due, delivering.begin_one_due, delivering.end_one_due)


def furnish() -> None:
    """Whoever looks at the field, before any life begins."""
    make_person(ROLE)


class Field:
    """Its grower, its station, and whoever wants something of it."""

    def __init__(self, world: "World") -> None:
        self.world, self.dice, self.pack = world, world.dice, world.shop.apples
        mine = select(Listing.seller_id).join(Variant, Variant.listing_id == Listing.id).where(Variant.code == self.pack)
        self.seller = db.session.scalars(mine).one()
        reviewers = select(Grant.person_id).where(Grant.role == ROLE).order_by(Grant.id.desc()).limit(1)
        self.reviewer = db.session.scalars(reviewers).one()
        db.session.rollback()

    def begin(self) -> None:
        """One presale, and two places in it that are paid, so that there is something to deliver from the beginning."""
        presale = self.open()
        tiers = select(PresaleTier).join(Presale, Presale.id == PresaleTier.presale_id)
        for tier in db.session.scalars(tiers.where(Presale.public_id == presale).order_by(PresaleTier.id)).all():
            attempt = str(in_transaction(backing.open_attempt, backing=self.join(presale, tier)))
            attempts.submit(attempt, return_url="/", description="test")
            self.world.decide("succeeded", attempt)
            sweeping.look_again(attempt)

    def sell_ahead(self) -> str:
        """Another one when none is open."""
        if self.open_one() is None:
            return f"presale {self.open()} opens"
        return "a presale is open"

    def open(self) -> str:
        """Few places or many, in a small field or a large one."""
        today, most = clock.today(), self.dice.choice((1, 3, 10))
        days: dict[str, Any] = {"closes_on": today + timedelta(days=1), "harvest_on": today + timedelta(days=2)}
        days |= {"grace_days": self.dice.choice((0, 2)), "start_percent": self.dice.choice((0, 17, 30))}
        figures: dict[str, Any] = {"goal_fen": self.dice.choice((ONE, 9000)), "yield_kg": self.dice.choice((8, 100))}
        listing = self.pack.rpartition("-")[0]
        drafted = in_transaction(drafting.draft, listing=listing, terms=terms(**days, **figures), seller=self.seller)
        whose: dict[str, Any] = {"presale": drafted, "seller": self.seller}
        for packs, shipping in ((1, 0), (2, 600)):
            in_transaction(drafting.add_tier, tier=Tier("箱", self.pack, packs, ONE, shipping, most), **whose)
        in_transaction(drafting.submit, **whose)
        looked: dict[str, Any] = {"field_seen": True, "figures_sane": True}
        in_transaction(reviewing.accept, presale=drafted, station=JIXIAN, reviewer=self.reviewer, **looked)
        return drafted

    def back(self) -> str:
        """A new place, or one more try to pay for one that is held."""
        held = self.a_place(Backing.state == B.HELD) if self.dice.chance(0.4) else None
        if held is None:
            held = self.take()
        if held is None:
            return "nothing to join"
        attempt = in_transaction(backing.open_attempt, backing=held) or in_transaction(backing.pay_again, backing=held)
        return f"place {held}: {self.world.pay(attempt, '/')}"

    def take(self) -> str | None:
        row = self.open_one()
        if row is None:
            return None
        tiers = select(PresaleTier).where(PresaleTier.presale_id == row.id).order_by(PresaleTier.id)
        return self.join(row.public_id, self.dice.choice(db.session.scalars(tiers).all()))

    def join(self, presale: str, tier: PresaleTier) -> str:
        buyer = Backer(self.dice.choice(("13835172001", "b@example.test")))
        given: dict[str, Any] = {"presale": presale, "tier": tier.public_id, "shown_fen": tier.fen, "backer": buyer}
        return in_transaction(backing.begin, **given)

    def leave(self) -> str:
        place = self.a_place(Backing.state == B.CONFIRMED)
        if place:
            in_transaction(returning.leave, backing_id=place, actor="guest")
        return f"leave {place}"

    def answer(self) -> str:
        """Where to; of a presale that goes ahead."""
        place = self.a_place(Backing.state == B.CONFIRMED, Presale.state.in_(sorted(GOES_AHEAD)))
        if place:
            in_transaction(surveying.answer, backing_id=place, recipient=HOME, variant=self.pack)
        return f"{place} says where to"

    def harvest(self) -> str:
        ripe = select(Presale.public_id).where(Presale.state == P.SUCCESSFUL).order_by(Presale.id)
        presale = self.world.one_of(ripe)
        if presale:
            in_transaction(delivering.begin, presale=presale, seller=self.seller)
        return f"harvest of {presale}"

    def day_passes(self) -> str:
        self.world.clock.shift(timedelta(days=1))
        return "a day passes"

    def open_one(self) -> Presale | None:
        return self.world.one_of(select(Presale).where(Presale.state == P.LIVE).order_by(Presale.id))

    def a_place(self, *conditions: Any) -> str | None:
        mine = select(Backing.public_id).join(Presale, Presale.id == Backing.presale_id).where(*conditions)
        return self.world.one_of(mine.order_by(Backing.id))

    def deeds(self) -> list[tuple[int, Callable[[], str]]]:
        return [
            (2, self.sell_ahead), (9, self.back), (1, self.leave), (9, self.answer), (3, self.harvest), (3, self.day_passes),
        ]  # fmt: skip


STEPS: Final = tuple(partial(in_transaction, duty) for duty in DUTIES)
