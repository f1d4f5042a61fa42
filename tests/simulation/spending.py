"""Campaigns pay providers: asked for, approved, sent to the bank, paid or not; as chance has it, and one step at a time."""

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from crowdfund.campaigns import disbursing, lifecycle
from crowdfund.campaigns.evidence import Kept
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.repayments import paying_back
from crowdfund.campaigns.repayments.models import Repayment
from crowdfund.campaigns.states import CampaignState, DisbursementState as D
from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money

if TYPE_CHECKING:
    from tests.simulation.world import World

GOES_ON: Final = (D.REQUESTED, D.APPROVED, D.PAYING, D.FAILED)


class PaymentsDesk:
    """Both officers of the organisation, and their bank."""

    def __init__(self, world: "World") -> None:
        self.world, self.dice = world, world.dice

    def spend(self) -> str:
        """Some of a campaign's money, its matches among it, is asked for; often that was the last of it."""
        campaign = self.world.one_of(select(Campaign).where(Campaign.state == CampaignState.LIVE).order_by(Campaign.id))
        if campaign is None:
            return "nobody spends"
        name, free = campaign.public_id, disbursing.free_fen(db.session(), campaign, "test")
        if free > 0:
            fen = self.dice.randint(1, free)
            bill = disbursing.Bill(Money(fen), "图书", "临汾新华书店", "91140000MA0K2X7Q3P", ids.public_id())
            in_transaction(disbursing.request, campaign=name, budget_line=1, bill=bill, requester_id=self.officer)
            if self.dice.chance(0.3):
                in_transaction(lifecycle.end, campaign=name, person=self.officer, why="done")
        return f"{name} asks for some of {free}"

    def go_on(self) -> str:
        """The next step of some payment: another person says yes, the bank is told, and has paid or could not."""
        row = self.world.one_of(select(Disbursement).where(Disbursement.state.in_(GOES_ON)).order_by(Disbursement.id))
        if row is None:
            return "no payment goes on"
        self.take_a_step(row.public_id, row.state)
        return f"payment {row.public_id} was {row.state}"

    def take_a_step(self, payment: str, state: D) -> None:
        if state is D.REQUESTED:
            why = {"why_beyond": "dearer than planned"}  # kept where it is
            in_transaction(disbursing.approve, disbursement=payment, approver_id=self.world.fund.approver.id, **why)
        elif state is not D.PAYING:
            in_transaction(disbursing.send, disbursement=payment, officer_id=self.officer)
        elif self.dice.chance(0.3):
            in_transaction(disbursing.fail, disbursement=payment, officer_id=self.officer, reason="no such account")
        else:
            in_transaction(disbursing.confirm, disbursement=payment, officer_id=self.officer, bank_reference="B")

    def pay_back(self) -> str:
        """A provider sends some of it back; another person finds it at the bank, or does not."""
        waiting = self.world.one_of(select(Repayment).where(Repayment.decided_at.is_(None)).order_by(Repayment.id))
        if waiting is not None:
            return self.decide(waiting.public_id)
        wanted = select(Disbursement).where(Disbursement.state.in_(paying_back.PAID)).order_by(Disbursement.id)
        paid = self.world.one_of(wanted)
        return self.enter(paid.id, paid.public_id) if paid else "nobody was paid"

    def decide(self, repayment: str) -> str:
        told: dict[str, Any] = {"repayment": repayment, "approver_id": self.world.fund.approver.id}
        if self.dice.chance(0.2):
            in_transaction(paying_back.refuse, reason="not on the statement", **told)
        else:
            in_transaction(paying_back.approve, **told)
        return f"repayment {repayment} is decided"

    def enter(self, number: int, payment: str) -> str:
        left = {row.position: int(row.fen - row.back) for row in db.session.execute(paying_back.left_by_line(number))}
        lines = {position: self.dice.randint(1, fen) for position, fen in left.items() if fen}
        credit = paying_back.Credit(lines, ids.public_id(), clock.today(), "too much was sent")
        told: dict[str, Any] = {"disbursement": payment, "credit": credit, "paper": Kept("a.pdf", "ab" * 32)}
        in_transaction(paying_back.enter, officer_id=self.officer, **told)
        return f"{payment} comes back in part"

    @property
    def officer(self) -> int:
        return self.world.fund.officer.id
