"""Gifts on their way back when a campaign is called off, or spends nothing any more: each in a
transaction of its own, as often as it takes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disputed, giving, public_ledger, receipts
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.lifecycle import CANCELLED
from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.models import Campaign, Contribution, PublicRow
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.plans.models import Installment
from crowdfund.campaigns.states import CampaignState, ContributionState
from marketplace.core import outbox, page_cache
from marketplace.core.db import in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.payments import refunds
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

PAGE: Final = 50  # done within the lease of its note: another worker does not begin the same one
PURPOSES: Final = (giving.PURPOSE, keeping.PURPOSE)
LATER: Final = timedelta(hours=6)
TOLD, NOT_THERE, AT_THE_COUNTER = (
    "gift.returned",
    "gift.not_returned",
    "gift.waits_in_cash",
)  # the outbox's topics: whoever left an address is told
CALLED_OFF, OVER = "campaign cancelled", "campaign over"  # reasons of refunds


def return_page(*, campaign: str, last: int = 0, only: int = 0) -> None:
    """The listener of `campaign.cancelled`: some gifts, and a note that more follow, so that nothing else waits for all of
    them. Whatever interrupts it, it goes on where something is still missing. `only`: so many of them, if not all."""
    gifts = in_transaction(received, campaign=campaign, after=last)[: only or None]
    for number, reference in gifts:
        try:
            in_transaction(return_one, reference=reference)
        except Refusal:  # disputed, perhaps for months: the others do not wait for it
            in_transaction(come_again, campaign=campaign, last=number - 1)
    if gifts and not only:
        in_transaction(go_on, campaign=campaign, last=gifts[-1][0])
    elif not only:  # all are on their way: what they had of matching funds is in these again
        in_transaction(funds.close_all, campaign=campaign)


def come_again(session: Session, *, campaign: str, last: int) -> None:
    outbox.put(session, CANCELLED, after=LATER, campaign=campaign, last=last, only=1)


def received(session: Session, *, campaign: str, after: int) -> Sequence[tuple[int, str]]:
    """Those that nothing was asked for yet: what is on its way is passed over, what failed waits for a person."""
    asked = select(Refund.id).join(Attempt, Attempt.id == Refund.attempt_id).where(Refund.reason_key.like("campaign:%"))
    is_asked = asked.where(Attempt.purpose.in_(PURPOSES), Attempt.reference == Contribution.public_id).exists()
    mine = select(Contribution.id, Contribution.public_id).join(Campaign, Campaign.id == Contribution.campaign_id)
    mine = mine.where(Campaign.public_id == campaign, Contribution.state == ContributionState.RECEIVED)
    rows = session.execute(mine.where(Contribution.id > after, ~is_asked).order_by(Contribution.id).limit(PAGE)).all()
    return [(row.id, row.public_id) for row in rows]


def return_regained(*, gift: str) -> None:
    """The listener of `gift.regained`: an appeal brought it back to a campaign that can spend nothing any more."""
    try:
        in_transaction(return_one, reference=gift)
    except Refusal:  # its bank has asked for it again
        in_transaction(outbox.put, disputed.REGAINED, after=LATER, gift=gift)


def return_one(session: Session, *, reference: str) -> str | None:
    """What its campaign can no longer keep of a gift, out of its account, with its row in the public ledger; returns the
    refund's public id. Asked again, nothing happens."""
    paid = select(Attempt.id).where(Attempt.purpose.in_(PURPOSES), Attempt.reference == reference)
    session.execute(paid.order_by(Attempt.id).with_for_update()).all()  # first, as disputes do: no bank decides meanwhile
    gift = session.execute(
        select(Contribution.currency, Contribution.book, Contribution.shown_as, Contribution.campaign_id)
        .add_columns(Campaign.public_id, Campaign.state, Contribution.contact, Installment.id.label("installment"))
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .outerjoin(Installment, Installment.contribution_id == Contribution.id)
        .where(Contribution.public_id == reference)
    ).one()
    due = disputed.fen_there(session, reference, gift.state) if gift.state in disputed.SPENDS_NO_MORE else 0
    amount = Money(due, gift.currency)
    if not amount:  # a bank has given it back already, or we have
        return None
    if session.get(CashGift, reference):  # over the counter that took it: `cash.giving_back`
        if gift.contact:
            outbox.put(session, AT_THE_COUNTER, gift=reference)
        return None
    receipts.void(session, contribution=reference)
    refund = refunds.request(
        session,
        purpose=giving.PURPOSE if gift.installment is None else keeping.PURPOSE,
        reference=reference,
        reason_key=f"campaign:{gift.public_id}{appeals(session, reference)}{tries(session, reference)}",
        amount=amount,
        shares={("restricted", gift.public_id): amount},
        reason=CALLED_OFF if gift.state is CampaignState.CANCELLED else OVER,
    )
    key = f"refund:{refund}"
    if session.scalar(select(PublicRow.id).where(PublicRow.kind == "refund", PublicRow.reference == key)) is None:
        row = {"campaign_id": gift.campaign_id, "book": gift.book, "who": gift.shown_as}
        public_ledger.write(session, kind="refund", amount=-amount, reference=key, moves=reference, **row)
        if gift.contact:
            outbox.put(session, TOLD, refund=refund)
    receipts.issue(session, contribution=reference)
    return refund


def appeals(session: Session, reference: str) -> str:
    number = disputed.times_regained(session, reference)
    return f":{disputed.BY_APPEAL}:{number}" if number else ""


def tries(session: Session, reference: str) -> str:
    """After a refund that did not arrive the next one has a key of its own."""
    failed = select(func.count()).select_from(Refund).join(Attempt, Attempt.id == Refund.attempt_id)
    number = session.scalar(failed.where(Attempt.reference == reference, Refund.state == RefundState.FAILED))
    return f":{number}" if number else ""


def came_back(session: Session, /, *, reference: str, refund: str, amount: Money) -> None:
    """A refund did not reach the giver: its money is the campaign's again, and everybody sees that too."""
    gift = session.execute(
        select(Contribution.campaign_id, Contribution.book, Contribution.shown_as, Contribution.contact).where(
            Contribution.public_id == reference
        )
    ).one()
    row = {"campaign_id": gift.campaign_id, "book": gift.book, "who": gift.shown_as, "moves": reference}
    gone = session.scalar(select(PublicRow.fen).where(PublicRow.reference == f"refund:{refund}"))
    if gone is not None:  # a surplus that fails was never the campaign's; of what was spent, the province bore the rest
        back = Money(-gone, amount.currency)
        public_ledger.write(session, kind="return", amount=back, reference=f"refund_failed:{refund}", **row)
        disputed.give_to_the_loss(session, reference=reference, refund=refund)
        receipts.issue(session, contribution=reference)
        if gift.contact and receipts.fen_that_stayed(session, reference) > 0:
            outbox.put(session, NOT_THERE, refund=refund)


def go_on(session: Session, *, campaign: str, last: int) -> None:
    """One note at a time, also where two workers had the same page: else each of them would begin a row of pages."""
    session.execute(select(Campaign.id).where(Campaign.public_id == campaign).with_for_update())
    if not outbox.is_waiting(session, CANCELLED, campaign=campaign, last=last):
        outbox.put(session, CANCELLED, campaign=campaign, last=last)
    page_cache.expire(session, "giving", f"campaign:{campaign}", "ledger")
