"""Sponsors promise matching funds, pay them in or do not, and have them opened and closed; as chance has it."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from crowdfund.campaigns.matching import funds, paying_in, sending_back
from crowdfund.campaigns.matching.funds import Terms
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import CampaignState, FundState as F
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.payments import attempts, sweeping

if TYPE_CHECKING:
    from tests.simulation.world import World

CONTACT: Final = "sponsor@example.test"
GIVERS: Final = ("", "a@example.test", "b@example.test", CONTACT)


class SponsorsDesk:
    """Both officers of the organisation, and whoever promises something to one of its campaigns."""

    def __init__(self, world: "World") -> None:
        self.world, self.dice = world, world.dice

    def sponsor(self) -> str:
        """The next step of some fund that is not closed, or a new one."""
        going_on = select(MatchingFund).where(MatchingFund.state != F.CLOSED).order_by(MatchingFund.id)
        row = self.world.one_of(going_on) if self.dice.chance(0.8) else None
        if row is None:
            return self.promise()
        fund, state = row.public_id, row.state
        if state is not F.DRAFT and self.dice.chance(0.2):
            in_transaction(funds.close, fund=fund, person=self.officer, why="enough")
            return f"fund {fund} closes"
        if state is F.DRAFT:
            attempt = attempts.open_one(db.session(), purpose=paying_in.PURPOSE, reference=fund)
            attempt = attempt or in_transaction(paying_in.start, fund=fund, person_id=None)
            return f"fund {fund}: {self.world.pay(attempt, '/')}"
        if state is F.FUNDED:
            self.activate(fund)
            return f"fund {fund} opens"
        return f"fund {fund} is {state}"

    def activate(self, fund: str) -> None:
        in_transaction(funds.activate, fund=fund, person=self.world.fund.approver.id)

    def open_one(self) -> None:
        """So that there is something to be given from the beginning."""
        fund = self.promise().split()[1]
        attempt = in_transaction(paying_in.start, fund=fund, person_id=None)
        attempts.submit(attempt, return_url="/", description="test")
        self.world.decide("succeeded", attempt)
        sweeping.look_again(attempt)
        self.activate(fund)

    def promise(self) -> str:
        open_ones = select(Campaign.public_id).where(Campaign.state == CampaignState.LIVE).order_by(Campaign.id)
        campaign = self.world.one_of(open_ones)
        if campaign is None:
            return "nothing to sponsor"
        total = self.dice.choice((100, 700, 20_000))
        caps = [Money(self.dice.choice((1, 60, total))) for _each in range(2)]
        said: dict[str, Any] = {"campaign": campaign, "sponsor": "示例", "contact": CONTACT, "owner_id": self.officer}
        terms = Terms(self.dice.choice((1, 50, 100, 300)), caps[0], caps[1], Money(total))
        return f"fund {in_transaction(funds.draft, terms=terms, **said)} of {total}"

    @property
    def officer(self) -> int:
        return self.world.fund.officer.id

    def look_after_what_came_back(self) -> None:
        """What a person does: a refund that did not reach its sponsor is sent once more."""
        db.session.rollback()
        stranded = select(MatchingFund.public_id).where(
            MatchingFund.state == F.CLOSED,
            MatchingFund.received_fen > MatchingFund.matched_fen + MatchingFund.held_fen + MatchingFund.gone_fen,
        )
        for fund in db.session.scalars(stranded.order_by(MatchingFund.id)).all():
            with suppress(Refusal):
                in_transaction(sending_back.send_once_more, fund=fund, person=self.officer)
