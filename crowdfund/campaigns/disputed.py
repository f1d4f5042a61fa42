"""A gift whose payer asked their bank for it: it is not spent while that is open, and leaves the campaign if it is lost."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import public_ledger, receipts
from crowdfund.campaigns.models import Campaign, Contribution, PublicRow
from crowdfund.campaigns.states import CampaignState
from marketplace.core import outbox, page_cache
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.core.transitions import EventRow
from marketplace.ledger import books
from marketplace.ledger.models import Entry
from marketplace.payments.disputes import standing
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import OPEN
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState

LOST, REGAINED = "gift.lost", "gift.regained"  # the outbox's topics
BY_APPEAL = "appeal"  # in the keys of refunds
HAS_SPENT_ALL = frozenset({CampaignState.REPORTED, CampaignState.CLOSED})
SPENDS_NO_MORE = HAS_SPENT_ALL | {CampaignState.CANCELLED}


def disputed_fen(session: Session, campaign: Campaign, *, book: str) -> int:
    """Of what is in the campaign's account, what may have to go: of a gift, no more than has not gone already."""
    mine = select(Contribution.public_id, func.sum(Dispute.fen)).join(Attempt, Attempt.reference == Contribution.public_id)
    mine = mine.join(Dispute, Dispute.attempt_id == Attempt.id).group_by(Contribution.public_id)
    mine = mine.where(Contribution.campaign_id == campaign.id, Attempt.book == book, ~Attempt.is_surplus)
    mine = mine.where(Attempt.state == AttemptState.SUCCEEDED)  # money in suspense never came into the account
    asked = session.execute(mine.where(Dispute.state.in_(sorted(OPEN)))).all()
    return sum(max(0, min(int(fen), receipts.fen_that_stayed(session, gift))) for gift, fen in asked)


def is_open(session: Session, *, contribution: str) -> bool:
    """Its giver's bank has asked for it, and decides."""
    asked = select(Dispute.id).join(Attempt, Attempt.id == Dispute.attempt_id).where(Attempt.reference == contribution)
    asked = asked.where(~Attempt.is_surplus, Attempt.state == AttemptState.SUCCEEDED, Dispute.state.in_(sorted(OPEN)))
    return session.scalar(asked.limit(1)) is not None


def bear(session: Session, /, *, reference: str, dispute: str, amount: Money) -> Mapping[books.Account, Money]:
    """The campaign gives what it still has of it; what was spent or sent back meanwhile is the province's loss."""
    return leave(session, reference, amount, key=f"dispute_lost:{dispute}")


def send_elsewhere(session: Session, /, *, reference: str, refund: str, amount: Money) -> Mapping[books.Account, Money]:
    """As `bear`, of what somebody has sent back on the payment provider's own pages."""
    return leave(session, reference, amount, key=f"refund:{refund}")


def leave(session: Session, reference: str, amount: Money, *, key: str) -> Mapping[books.Account, Money]:
    """So much of a gift goes, by an entry with this key, which the caller posts: out of whose money."""
    gift = session.scalars(select(Contribution).where(Contribution.public_id == reference)).one()
    campaign = held(session, gift)
    in_account = -books.balance(session, "restricted", campaign.public_id, book=gift.book)
    fen = min(amount.fen, fen_there(session, reference, campaign.state), in_account)
    if fen <= 0:
        return {}
    share = Money(fen, amount.currency)
    whose = {"book": gift.book, "who": gift.shown_as, "moves": reference}
    receipts.void(session, contribution=reference)  # now; what stays gets its own by the listener, after the entry
    public_ledger.write(session, kind="refund", campaign_id=campaign.id, amount=-share, reference=key, **whose)
    outbox.put(session, LOST, gift=reference)
    page_cache.expire(session, "giving", f"campaign:{campaign.public_id}", "ledger")
    return {("restricted", campaign.public_id): share}


def held(session: Session, gift: Contribution) -> Campaign:
    """Its campaign with the row locked, so that nothing of it is spent, and no report ends it meanwhile."""
    row = select(Campaign).where(Campaign.id == gift.campaign_id).with_for_update(key_share=True)
    return session.scalars(row.execution_options(populate_existing=True)).one()


def give_to_the_loss(session: Session, *, reference: str, refund: str) -> None:
    """A refund did not arrive, since the payer has the money from the bank: it lessens the loss that the province bore.

    `dispute_kept:<refund>`, at most what the campaign has of this gift and what the province bore for it."""
    gift = session.scalars(select(Contribution).where(Contribution.public_id == reference)).one()
    campaign = session.get_one(Campaign, gift.campaign_id)
    fen = min(standing.borne(session, reference), fen_there(session, reference, campaign.state))
    if fen <= 0:
        return
    share, key = Money(fen, gift.currency), f"dispute_kept:{refund}"
    lines: dict[books.Account, Money] = {("restricted", campaign.public_id): share, standing.LOSS: -share}
    receipts.void(session, contribution=reference)
    books.post(session, key=key, book=gift.book, reference=reference, lines=lines)
    whose = {"book": gift.book, "who": gift.shown_as, "moves": reference}
    public_ledger.write(session, kind="refund", campaign_id=campaign.id, amount=-share, reference=key, **whose)


def regain(session: Session, /, *, reference: str, dispute: str) -> None:
    """An appeal was won: what the campaign had borne is there again, and everybody sees it. Where it can spend nothing any
    more, the giver has it back (`returning.return_regained`)."""
    key = f"dispute_appealed:{dispute}"
    gift = session.scalars(select(Contribution).where(Contribution.public_id == reference)).one()
    campaign = held(session, gift)
    back = books.lines_of(session, key).get(("restricted", campaign.public_id))
    if back:
        whose = {"book": gift.book, "who": gift.shown_as, "moves": reference}
        public_ledger.write(session, kind="return", campaign_id=campaign.id, amount=-back, reference=key, **whose)
        outbox.put(session, REGAINED if campaign.state in SPENDS_NO_MORE else LOST, gift=reference)
        page_cache.expire(session, "giving", f"campaign:{campaign.public_id}", "ledger")


def times_regained(session: Session, gift: str) -> int:
    """How many appeals about this gift were won: what goes back for each has a key of its own."""
    won = select(func.count(Entry.id)).where(Entry.reference == gift, Entry.kind == "dispute_appealed")
    return int(session.scalar(won) or 0)


def fen_there(session: Session, gift: str, state: CampaignState) -> int:
    """What a campaign in this state has of a gift, at most: once all was spent, only what has come since."""
    stayed = receipts.fen_that_stayed(session, gift)
    if state not in HAS_SPENT_ALL:
        return max(0, stayed)
    mine = select(came_since()).select_from(Contribution).join(Campaign, Campaign.id == Contribution.campaign_id)
    return max(0, min(stayed, int(session.scalar(mine.where(Contribution.public_id == gift)) or 0)))


def came_since() -> ColumnElement[int]:
    """SQL of a gift and its campaign: what came of it, less what went, since the report after which nothing was left.

    By the times of public rows: they are written while the campaign's row is held, as that report is."""
    over = select(func.min(EventRow.at)).where(EventRow.to_state == CampaignState.REPORTED)
    over = over.where(EventRow.subject == "campaign:" + Campaign.public_id).correlate(Campaign)
    moved = select(func.coalesce(func.sum(PublicRow.fen), 0)).join(Entry, Entry.key == PublicRow.reference)
    moved = moved.where(Entry.reference == Contribution.public_id, PublicRow.at >= over.scalar_subquery())
    theirs: ColumnElement[int] = moved.correlate(Contribution, Campaign).scalar_subquery()
    return theirs


def reissue(*, gift: str) -> None:
    """The listener of `gift.lost`: a receipt says what stayed."""
    in_transaction(receipts.issue, contribution=gift)
