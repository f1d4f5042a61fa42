"""The life of a matching fund: drafted by one officer, paid in, opened by another person, used up or closed."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import public_ledger
from crowdfund.campaigns.lifecycle import NoReason
from crowdfund.campaigns.matching.givers import key_of_contact
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.states import CampaignState, FundState
from marketplace.core import audit, ids, outbox, page_cache
from marketplace.core.encryption import fingerprint, token_hash
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, subject_of, transition
from marketplace.payments.gateways import current_book

F = FundState
C = CampaignState
SYSTEM: Final = "system"
CLOSED: Final = "matching_fund.closed"  # the outbox's topic: what is left goes back to the sponsor
MOVED: Final = "matching_fund.moved"  # and this one: its sponsor is told
DRAFTED, PAID_IN, OPENED, USED_UP = "drafted", "paid in", "opened", "used up"
MONEY_BACK, CALLED_OFF, BANK_TOOK_IT = "a match came back", "campaign cancelled", "taken back by the sponsor's bank"
CAMPAIGN_OVER = "campaign over"
TAKES_FUNDS: Final = frozenset({C.APPROVED, C.LIVE, C.PAUSED})


class TakesNoFund(Refusal):
    message = _l("This campaign takes no gifts any more, so there is nothing to match.")


class OwnFund(Refusal):
    status = 403
    message = _l("Somebody else must open what you drafted.")


@record
class Terms:
    """What a sponsor promises: per cent of each gift, and the most for one gift, for one giver, and in all."""

    rate_percent: int
    gift_cap: Money
    giver_cap: Money
    total: Money


def draft(session: Session, *, campaign: str, sponsor: str, contact: str, terms: Terms, owner_id: int) -> str:
    """Its public id; its sponsor pays it in by its link. Raises NotFound, TakesNoFund."""
    of = session.scalar(select(Campaign).where(Campaign.public_id == campaign))
    if of is None:
        raise NotFound(campaign)
    if of.state not in TAKES_FUNDS or of.channel != "own_site":
        raise TakesNoFund(campaign)
    fund = MatchingFund(public_id=ids.public_id(), campaign_id=of.id, book=current_book(), owner_id=owner_id)
    fund.token_hash = token_hash(link_token(fund.public_id))
    fund.sponsor, fund.contact, fund.contact_key = public_ledger.plain(sponsor), contact, key_of_contact(contact)
    fund.rate_percent, fund.currency = terms.rate_percent, terms.total.currency
    fund.gift_cap_fen, fund.giver_cap_fen, fund.total_fen = terms.gift_cap.fen, terms.giver_cap.fen, terms.total.fen
    write_down(session, fund, campaign, DRAFTED)
    return fund.public_id


def write_down(session: Session, fund: MatchingFund, campaign: str, why: str) -> None:
    session.add(fund)
    session.flush()
    leave_trace(session, fund, None, F.DRAFT, actor=actor_of(fund.owner_id), why=why)
    told: dict[str, Any] = {"percent": fund.rate_percent, "fen": fund.total_fen, "campaign": campaign}
    audit.record(session, actor=actor_of(fund.owner_id), action="matching_fund.draft", subject=subject_of(fund), **told)


def activate(session: Session, *, fund: str, person: int, why: str = "") -> None:
    """Gifts are matched from now on. By another person than drafted it. Raises NotFound, OwnFund, TakesNoFund, StaleState,
    IllegalTransition: before its money is there, nothing is opened."""
    row = get(session, fund)
    if row.owner_id == person:
        raise OwnFund(fund)
    if not takes_gifts(session, row):
        raise TakesNoFund(fund)
    if row.state is F.FUNDED:
        row.approver_id = person
    move(session, row, F.ACTIVE, actor_of(person), why.strip() or OPENED, expected=F.FUNDED)


def takes_gifts(session: Session, row: MatchingFund) -> bool:
    """Whether its campaign may still get something to be matched, and may ask for money at all."""
    of = session.execute(select(Campaign.public_id, Campaign.state).where(Campaign.id == row.campaign_id)).one()
    return of.state in TAKES_FUNDS and not standing.is_waiting(session, of.public_id)


def close(session: Session, *, fund: str, person: int, why: str) -> None:
    """No more gifts are matched; what is left goes back to the sponsor. Raises NotFound, NoReason, IllegalTransition."""
    if not why.strip():
        raise NoReason(fund)
    end(session, get(session, fund), actor_of(person), why.strip())


def close_all(session: Session, *, campaign: str) -> None:
    """Of a campaign that was called off, when its gifts are on their way back."""
    wanted = select(MatchingFund).join(Campaign, Campaign.id == MatchingFund.campaign_id)
    wanted = wanted.where(Campaign.public_id == campaign, MatchingFund.state != F.CLOSED).order_by(MatchingFund.id)
    for row in session.scalars(wanted.with_for_update(of=MatchingFund).execution_options(populate_existing=True)):
        end(session, row, SYSTEM, CALLED_OFF)


def end(session: Session, row: MatchingFund, actor: str, why: str) -> None:
    move(session, row, F.CLOSED, actor, why, expected=row.state)
    outbox.put(session, CLOSED, fund=row.public_id)


def settle_state(session: Session, row: MatchingFund, why: str) -> None:
    """Used up when nothing is left, open again when something is. The fund is locked."""
    if row.state is F.ACTIVE and not row.left_fen:
        move(session, row, F.EXHAUSTED, SYSTEM, why, expected=F.ACTIVE)
    elif row.state is F.EXHAUSTED and row.left_fen:
        move(session, row, F.ACTIVE, SYSTEM, why, expected=F.EXHAUSTED)


def move(session: Session, row: MatchingFund, to: F, actor: str, why: str, *, expected: F) -> None:
    """With its trace, its reason in the audit log, and fresh pages."""
    transition(session, row, to, expected=expected, actor=actor, why=why)
    audit.record(session, actor=actor, action=f"matching_fund.{to}", subject=subject_of(row), why=why, before=str(expected))
    campaign = session.scalar(select(Campaign.public_id).where(Campaign.id == row.campaign_id))
    page_cache.expire(session, f"campaign:{campaign}")
    outbox.put(session, MOVED, fund=row.public_id, state=str(to))


def get(session: Session, fund: str) -> MatchingFund:
    """Locked. Raises NotFound."""
    wanted = select(MatchingFund).where(MatchingFund.public_id == fund).with_for_update()
    row = session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(fund)
    return row


def actor_of(person: int) -> str:
    return f"person:{person}"


def link_token(fund: str) -> str:
    """The secret part of the sponsor's link: made from the fund's id with a key of ours; the database keeps its hash."""
    return fingerprint(fund, "matching_fund.link")
