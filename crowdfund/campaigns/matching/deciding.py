"""A person looks at a match that waits, and releases or denies it, with a reason; where the sum is large, two people alike.

release   match:<fund>:<gift>   matching -> restricted, as if it had been made at once"""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import room
from crowdfund.campaigns.lifecycle import NoReason
from crowdfund.campaigns.matching import adding, funds, holding, made_later
from crowdfund.campaigns.matching.givers import counted_as, key_of_person, keys_of_sponsor
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.paying_in import PURPOSE
from crowdfund.campaigns.matching.waiting_models import LARGE_FEN, HeldMatch
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState, HeldState
from marketplace.core import audit, clock, page_cache
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import subject_of, transition
from marketplace.payments.disputes import standing

H = HeldState
C = CampaignState
SPENDS_NOTHING: Final = frozenset({C.CANCELLED, C.REPORTED, C.CLOSED})


class OwnGift(Refusal):
    status = 403
    message = _l("You have a part in this gift or its fund. Somebody else must decide.")


class SecondPerson(Refusal):
    status = 403
    message = _l("You have decided already. The sum is large, so another person must decide the same.")


class FundIsDisputed(Refusal):
    message = _l("The sponsor's bank disputes the payment. Until that is decided, nothing is released.")


def decide(session: Session, *, held: str, verdict: HeldState, person: int, why: str) -> HeldState:
    """Where it stands then: released or denied, or proposed where a second person has to say the same; held again where that
    person says otherwise. Raises NotFound, NoReason, OwnGift, SecondPerson, FundIsDisputed, StaleState."""
    if not why.strip():
        raise NoReason(held)
    row, gift, fund, campaign = locked(session, held)
    refuse_part(session, row, gift, fund, person)
    if verdict is H.RELEASED and standing.is_disputed(session, purpose=PURPOSE, reference=fund.public_id):
        raise FundIsDisputed(held)
    to = step(row, verdict)
    given: dict[str, Any] = {"expected": row.state, "actor": funds.actor_of(person), "why": why.strip()}
    if to is H.PROPOSED:
        transition(session, row, to, **given, proposer_id=person, proposal=str(verdict))
    elif to is H.HELD:
        transition(session, row, to, **given, proposer_id=None, proposal="")
    elif to is H.RELEASED:
        fen = fitting_fen(session, row, gift, campaign)
        transition(session, row, to, **given, decider_id=person, decided_at=clock.now(), released_fen=fen)
        release(session, row, gift, fund, campaign, fen)
    else:
        transition(session, row, to, **given, decider_id=person, decided_at=clock.now())
        holding.free(session, fund, row)
    told: dict[str, Any] = {"fund": fund.public_id, "fen": row.fen, "verdict": str(verdict), "why": why.strip()}
    audit.record(session, actor=funds.actor_of(person), action=f"held_match.{to}", subject=subject_of(row), **told)
    return to


def locked(session: Session, held: str) -> tuple[HeldMatch, Contribution, MatchingFund, Campaign]:
    """The campaign before the fund before the match, as gifts that arrive do it. Raises NotFound."""
    wanted = select(HeldMatch, Contribution, MatchingFund.public_id).join(MatchingFund, MatchingFund.id == HeldMatch.fund_id)
    wanted = wanted.join(Contribution, Contribution.id == HeldMatch.contribution_id)
    found = session.execute(wanted.where(HeldMatch.public_id == held)).first()
    if found is None:
        raise NotFound(held)
    campaign = holding.hold_campaign(session, found[1].campaign_id)
    fund = funds.get(session, found[2])
    mine = select(HeldMatch).where(HeldMatch.id == found[0].id).with_for_update()
    return session.scalars(mine.execution_options(populate_existing=True)).one(), found[1], fund, campaign


def refuse_part(session: Session, row: HeldMatch, gift: Contribution, fund: MatchingFund, person: int) -> None:
    """Who gave, or pays for the fund, decides nothing; nor does one person both times. Raises OwnGift, SecondPerson."""
    theirs = counted_as(session, gift.person_id, gift.contact) | keys_of_sponsor(session, fund)
    if key_of_person(person) in theirs:
        raise OwnGift(row.public_id)
    if row.state is H.PROPOSED and row.proposer_id == person:
        raise SecondPerson(row.public_id)


def step(row: HeldMatch, verdict: HeldState) -> HeldState:
    """Where this verdict leads from where it stands. Raises StaleState for what is decided."""
    if row.state is H.HELD:
        return H.PROPOSED if row.fen >= LARGE_FEN else verdict
    if row.state is H.PROPOSED:
        return verdict if row.proposal == verdict else H.HELD
    raise StaleState(row.public_id)


def fitting_fen(session: Session, row: HeldMatch, gift: Contribution, campaign: Campaign) -> int:
    """What was kept, as far as a campaign that stops at its goal still has room; nothing of one that was called off or has
    told of its last fen: nobody could spend it."""
    if campaign.state in SPENDS_NOTHING:
        return 0
    left = room.left_fen(session, campaign.id, book=gift.book)
    return row.fen if left is None else min(row.fen, left)


def release(session: Session, row: HeldMatch, gift: Contribution, fund: MatchingFund, campaign: Campaign, fen: int) -> None:
    fund.held_fen -= row.fen
    session.flush()
    if fen:
        adding.write(session, gift, fund, row.giver, campaign.public_id, Money(fen, fund.currency))
        made_later.tell(session, gift, fund, campaign, Money(fen, fund.currency))
    holding.settle(session, fund)
    page_cache.expire(session, "giving", f"campaign:{campaign.public_id}", "ledger")
