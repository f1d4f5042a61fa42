"""A gift that is received gets its match at that moment, out of what is there: never more, and once.

match:<fund>:<gift>   matching -> restricted, capped by what the fund still has while its row is locked (adr/0019)"""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import public_ledger, room
from crowdfund.campaigns.matching import evidence, funds, holding, traces
from crowdfund.campaigns.matching.givers import counted_as, key_of, keys_of, keys_of_sponsor
from crowdfund.campaigns.matching.models import SPONSOR_UNKNOWN, GiftMatch, MatchingFund
from crowdfund.campaigns.matching.paying_in import PURPOSE, account_of
from crowdfund.campaigns.matching.suspicion import reasons
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import WAITS, FundState
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments.disputes import standing
from marketplace.payments.models import Attempt


def is_matching() -> ColumnElement[bool]:
    """SQL, beside `campaign`: it has a fund that may match. Asked without a lock, so that other gifts never wait for one."""
    mine = select(MatchingFund.id).where(MatchingFund.campaign_id == Campaign.id, may_match())
    return mine.correlate(Campaign).exists()


def may_match() -> ColumnElement[bool]:
    """SQL: a fund that is open, of a sponsor whose own gifts would be known."""
    return and_(MatchingFund.state == FundState.ACTIVE, MatchingFund.contact_key != SPONSOR_UNKNOWN)


def add_match(session: Session, *, gift: int, campaign: str, attempt: str) -> None:
    """In the transaction in which `attempt` pays this gift of `campaign` (its public id), after its own public row.

    Nothing where nothing is to be added: no open fund, a disputed gift or fund, the sponsor's own gift, caps used up. What
    looks circular or split is kept for the gift in its fund until a person has looked: `holding`."""
    given = session.get_one(Contribution, gift)
    fund = open_fund(session, given)
    if fund is None or is_disputed(session, attempt, fund):
        return
    if keys_of(session, given.person_id, given.contact) & keys_of_sponsor(session, fund):
        return
    known = counted_as(session, given.person_id, given.contact)
    own_fen = already_fen(session, fund, known)
    fen = worth(given.fen, fund, own_fen)
    left = room.left_fen(session, given.campaign_id, book=given.book)
    fen = fen if left is None else min(fen, left)
    if not fen:
        return
    giver, trace = key_of(given.person_id, given.contact), traces.of_paid(session, given.id, attempt)
    found = reasons(evidence.gather(session, given, fund, trace, fen=fen, own_fen=own_fen, known=known))
    trace.series, trace.giver, trace.fen = fund.series, giver, fen
    if found:
        holding.hold(session, given, fund, giver=giver, fen=fen, reasons=found)
    else:
        write(session, given, fund, giver, campaign, Money(fen, fund.currency))
    funds.settle_state(session, fund, funds.USED_UP)


def worth(gift_fen: int, fund: MatchingFund, already_fen: int) -> int:
    """Whole fen, rounded down; the last gift takes exactly what is left."""
    by_rate = gift_fen * fund.rate_percent // 100
    return max(0, min(by_rate, fund.gift_cap_fen, fund.giver_cap_fen - already_fen, fund.left_fen))


def open_fund(session: Session, gift: Contribution) -> MatchingFund | None:
    """The oldest that still has money, its row locked: gifts that race for it come one after the other.

    Whoever waited for one that was used up meanwhile goes on with the next; of a top-up the first fund is locked as well,
    for the caps of a giver are those of all of them together."""
    found = locked_fund(session, gift) or locked_fund(session, gift)
    if found is not None and found.continues_id is not None:
        session.execute(select(MatchingFund.id).where(MatchingFund.id == found.continues_id).with_for_update())
    return found


def locked_fund(session: Session, gift: Contribution) -> MatchingFund | None:
    mine: Any = select(MatchingFund).where(
        MatchingFund.campaign_id == gift.campaign_id,
        may_match(),
        MatchingFund.book == gift.book,
        MatchingFund.currency == gift.currency,
    )
    mine = mine.order_by(MatchingFund.id).limit(1).with_for_update()
    found: MatchingFund | None = session.scalar(mine.execution_options(populate_existing=True))
    return found


def is_disputed(session: Session, attempt: str, fund: MatchingFund) -> bool:
    """The giver's bank may take the gift again, or the sponsor's bank the fund. Cash has no attempt, and no bank."""
    paid = session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one() if attempt else None
    if paid and standing.is_payment_disputed(session, paid):
        return True
    return standing.is_disputed(session, purpose=PURPOSE, reference=fund.public_id)


def already_fen(session: Session, fund: MatchingFund, givers: set[str]) -> int:
    """What gifts under these keys have of the fund and of those it tops up or that top it up, waiting or not; nothing of
    what went back."""
    if not givers:
        return 0
    mine = select(MatchingFund.id).where((MatchingFund.continues_id == fund.series) | (MatchingFund.id == fund.series))
    made = select(func.coalesce(func.sum(GiftMatch.fen - GiftMatch.returned_fen), 0))
    made = made.where(GiftMatch.fund_id.in_(mine), GiftMatch.giver.in_(sorted(givers)))
    kept = select(func.coalesce(func.sum(HeldMatch.fen), 0)).where(HeldMatch.state.in_(sorted(WAITS)))
    kept = kept.where(HeldMatch.fund_id.in_(mine), HeldMatch.giver.in_(sorted(givers)))
    row = session.execute(select(made.scalar_subquery(), kept.scalar_subquery())).one()
    return int(row[0]) + int(row[1])


def write(session: Session, gift: Contribution, fund: MatchingFund, giver: str, campaign: str, amount: Money) -> None:
    session.add(GiftMatch(fund_id=fund.id, contribution_id=gift.id, giver=giver, fen=amount.fen))
    fund.matched_fen += amount.fen
    session.flush()
    reference = f"{fund.public_id}:{gift.public_id}"
    key = f"match:{reference}"
    lines: dict[books.Account, Money] = {account_of(fund): amount, ("restricted", campaign): -amount}
    books.post(session, key=key, book=fund.book, reference=reference, lines=lines)
    shown: dict[str, Any] = {"campaign_id": fund.campaign_id, "book": fund.book, "who": fund.sponsor}
    public_ledger.write(session, kind="match", amount=amount, reference=key, **shown)
