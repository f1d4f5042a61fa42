"""Whoever gives, and campaigns that are called off; as chance has it."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from crowdfund.campaigns import giving, lifecycle
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState, ContributionState
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from tests.simulation.sponsoring import GIVERS

if TYPE_CHECKING:
    from tests.simulation.world import World


class GiversDesk:
    def __init__(self, world: "World") -> None:
        self.world, self.dice = world, world.dice

    def give(self) -> str:
        fen = self.dice.choice((1, 100, 660, 12_345))
        begun = select(Contribution.public_id).where(Contribution.state == ContributionState.PENDING)
        gift = self.world.one_of(begun.order_by(Contribution.id)) if self.dice.chance(0.4) else None
        if gift is None:
            campaign = str(self.world.one_of(select(Campaign.public_id).order_by(Campaign.id)))
            giver = Giver(name="张三", contact=self.dice.choice(GIVERS))
            gift = in_transaction(giving.begin, campaign=campaign, amount=Money(fen), giver=giver)
        attempt = in_transaction(giving.open_attempt, gift=gift) or in_transaction(giving.pay_again, gift=gift)
        return f"give {gift}: {self.world.pay(attempt, '/')}"

    def call_off(self) -> str:
        """Seldom: everybody who gave gets it back. Where no campaign is open, one is opened."""
        campaign = self.world.one_of(
            select(Campaign.public_id).where(Campaign.state == CampaignState.LIVE).order_by(Campaign.id)
        )
        if campaign is None:
            return f"{self.world.fund.open()} opens"
        if self.dice.chance(0.3):
            in_transaction(lifecycle.cancel, campaign=campaign, person=self.world.fund.officer.id, why="called off")
        return f"call off {campaign}?"
