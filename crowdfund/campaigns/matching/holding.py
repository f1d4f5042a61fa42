"""The match of a gift that looks circular or split is kept for it in its fund, and made or not when a person has looked.

Nothing moves meanwhile: the money stays in the fund's account, counted in `held_fen`, so that no other gift gets it, and is
counted for its giver, so that no cap is passed when it is released. The gift itself is received like any other."""

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.suspicion import Reason
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import WAITS, FundState, HeldState
from marketplace.core import audit, clock, ids, outbox
from marketplace.core.transitions import leave_trace, subject_of, transition

GIFT_WENT_BACK: Final = "the gift went back"
H = HeldState


def hold(session: Session, gift: Contribution, fund: MatchingFund, *, giver: str, fen: int, reasons: list[Reason]) -> None:
    """The fund is locked."""
    row = HeldMatch(public_id=ids.public_id(), fund_id=fund.id, contribution_id=gift.id, giver=giver, fen=fen)
    row.reasons = [dict(reason) for reason in reasons]
    session.add(row)
    fund.held_fen += fen
    session.flush()
    why = ", ".join(str(reason["code"]) for reason in reasons)
    leave_trace(session, row, None, H.HELD, actor=funds.SYSTEM, why=why)


def let_go_of_gift(session: Session, *, reference: str) -> None:
    """Less of the gift is sure to stay: what waited for it is the fund's again, whatever becomes of the gift."""
    wanted = select(HeldMatch.id, MatchingFund.public_id, Contribution.campaign_id)
    wanted = wanted.join(MatchingFund, MatchingFund.id == HeldMatch.fund_id)
    wanted = wanted.join(Contribution, Contribution.id == HeldMatch.contribution_id)
    found = session.execute(wanted.where(Contribution.public_id == reference, HeldMatch.state.in_(sorted(WAITS)))).first()
    if found is not None:
        hold_campaign(session, found.campaign_id)
        fund = funds.get(session, found.public_id)
        lapse(session, fund, waiting(session, HeldMatch.id == found.id), GIFT_WENT_BACK)


def hold_campaign(session: Session, campaign_id: int) -> Campaign:
    """Its row locked, before the fund's, as gifts that arrive do it."""
    held = select(Campaign).where(Campaign.id == campaign_id).with_for_update(key_share=True)
    return session.scalars(held).one()


def let_go_of_fund(session: Session, fund: MatchingFund, why: str) -> None:
    """The sponsor's bank took the money: what waited has none any more. The fund is locked."""
    lapse(session, fund, waiting(session, HeldMatch.fund_id == fund.id), why)


def waiting(session: Session, which: Any) -> list[HeldMatch]:
    mine = select(HeldMatch).where(which, HeldMatch.state.in_(sorted(WAITS))).order_by(HeldMatch.id)
    return list(session.scalars(mine.with_for_update().execution_options(populate_existing=True)))


def is_any_waiting(session: Session, campaign_id: int) -> bool:
    """Whether a person may still release money to this campaign, which somebody has to spend then."""
    mine = select(HeldMatch.id).join(MatchingFund, MatchingFund.id == HeldMatch.fund_id)
    mine = mine.where(MatchingFund.campaign_id == campaign_id, HeldMatch.state.in_(sorted(WAITS)))
    return session.scalar(mine.limit(1)) is not None


def lapse(session: Session, fund: MatchingFund, rows: list[HeldMatch], why: str) -> None:
    for row in rows:
        moved: dict[str, Any] = {"expected": row.state, "actor": funds.SYSTEM, "why": why}
        transition(session, row, H.LAPSED, **moved, decided_at=clock.now())
        audit.record(session, actor=funds.SYSTEM, action="held_match.lapsed", subject=subject_of(row), why=why)
        free(session, fund, row)


def free(session: Session, fund: MatchingFund, row: HeldMatch) -> None:
    """What was kept is other gifts', or the sponsor's of a closed fund."""
    fund.held_fen -= row.fen
    session.flush()
    settle(session, fund)


def settle(session: Session, fund: MatchingFund) -> None:
    """After less is kept: the fund's state, and what a closed one may send back."""
    funds.settle_state(session, fund, funds.MONEY_BACK)
    if fund.state is FundState.CLOSED and fund.left_fen:
        outbox.put(session, funds.CLOSED, fund=fund.public_id)
