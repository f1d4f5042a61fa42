"""A gift that goes back, or may have to, gives its match back in proportion: to the fund, for other gifts.

unmatch:<fund>:<gift>:<number>   restricted -> matching

What a gift once gave back is not added again, also where its refund did not arrive or a bank decided for us: by then the
money may be another gift's. What the campaign has spent cannot come back; it is noted as such."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing, public_ledger, receipts
from crowdfund.campaigns.matching import funds, holding
from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.matching.paying_in import account_of
from crowdfund.campaigns.matching.sending_back import LATER
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.states import FundState
from marketplace.core import outbox, page_cache
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import OPEN
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState


def follow(session: Session, /, *, reference: str) -> None:
    """To be called in the transaction in which less of a gift is sure to stay: a refund is asked for, a bank disputes it or
    has taken it; and when the bank has left it: what was noted as spent is no longer owed then. A match that still waits for
    a person is not made any more. Called again, nothing happens."""
    holding.let_go_of_gift(session, reference=reference)
    found = session.execute(
        select(Contribution, MatchingFund.public_id)
        .join(GiftMatch, GiftMatch.contribution_id == Contribution.id)
        .join(MatchingFund, MatchingFund.id == GiftMatch.fund_id)
        .where(Contribution.public_id == reference)
    ).first()
    if found is None:
        return
    gift, campaign = found[0], holding.hold_campaign(session, found[0].campaign_id)
    fund = funds.get(session, found[1])
    mine = select(GiftMatch).where(GiftMatch.contribution_id == gift.id)
    match = session.scalars(mine.execution_options(populate_existing=True)).one()
    due = match.fen - match.returned_fen - match.fen * sure_fen(session, gift) // gift.fen
    back = max(0, min(due, disbursing.free_fen(session, campaign, gift.book)))
    match.spent_fen = max(0, due - back)
    if back:
        give_back(session, gift, fund, match, campaign.public_id, Money(back, fund.currency))


def sure_fen(session: Session, gift: Contribution) -> int:
    """What was given and stayed, less what banks dispute of it now."""
    asked = select(func.coalesce(func.sum(Dispute.fen), 0)).join(Attempt, Attempt.id == Dispute.attempt_id)
    asked = asked.where(Attempt.reference == gift.public_id, ~Attempt.is_surplus, Dispute.state.in_(sorted(OPEN)))
    asked = asked.where(Attempt.state == AttemptState.SUCCEEDED)  # money in suspense is not the gift's
    return max(0, receipts.fen_that_stayed(session, gift.public_id) - int(session.scalar(asked) or 0))


def give_back(
    session: Session, gift: Contribution, fund: MatchingFund, match: GiftMatch, campaign: str, amount: Money
) -> None:
    match.returned_fen += amount.fen
    match.returns += 1
    fund.matched_fen -= amount.fen
    session.flush()
    reference = f"{fund.public_id}:{gift.public_id}"
    key = f"unmatch:{reference}:{match.returns}"
    lines: dict[books.Account, Money] = {("restricted", campaign): amount, account_of(fund): -amount}
    books.post(session, key=key, book=fund.book, reference=reference, lines=lines)
    shown: dict[str, Any] = {"campaign_id": fund.campaign_id, "book": fund.book, "who": fund.sponsor}
    public_ledger.write(session, kind="unmatch", amount=-amount, reference=key, moves=reference, **shown)
    page_cache.expire(session, "giving", f"campaign:{campaign}", "ledger")
    funds.settle_state(session, fund, funds.MONEY_BACK)
    if fund.state is FundState.CLOSED:
        outbox.put(session, funds.CLOSED, after=LATER, fund=fund.public_id)
