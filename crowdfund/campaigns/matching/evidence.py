"""What the house knows of a gift that is about to be matched; a fixed number of statements, however many gave before."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, case, cast, distinct, false, func, or_, select, union
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.matching.paying_in import PURPOSE
from crowdfund.campaigns.matching.suspicion import CHOSEN, Evidence
from crowdfund.campaigns.matching.waiting_models import GiftTrace, SponsorTrace
from crowdfund.campaigns.models import Campaign, Contribution, Disbursement
from crowdfund.campaigns.states import DisbursementState
from marketplace.accounts.models import Grant
from marketplace.core import clock
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState

A_WEEK: Final = timedelta(days=7)
SHORTLY: Final = timedelta(days=45)  # a provider's money comes round within so many days
MOST: Final = 400  # so many traces of one network are looked at: a carrier has thousands behind one address
PAID: Final = (DisbursementState.PAID, DisbursementState.EVIDENCED)


def gather(
    session: Session, gift: Contribution, fund: MatchingFund, trace: GiftTrace, *, fen: int, own_fen: int, known: set[str]
) -> Evidence:
    """`known`: under which keys gifts of this giver may stand; `own_fen`: what these have of the fund already."""
    tied_givers, tied_fen, came_back = ties(session, fund, trace, known)
    crowd_givers, crowd_fen, network_givers = crowd(session, fund, trace, known)
    card, network = of_sponsor(session, fund)
    is_provider, echoes = payments_out(session, gift)
    return Evidence(
        fen=fen,
        giver_cap_fen=fund.giver_cap_fen,
        own_fen=own_fen,
        tied_givers=tied_givers,
        tied_fen=tied_fen,
        crowd_givers=crowd_givers,
        crowd_fen=crowd_fen,
        network_givers=network_givers,
        has_sponsors_card=bool(trace.card) and trace.card in card,
        is_on_sponsors_network=bool(trace.network) and trace.network in network,
        is_insider=is_insider(session, gift, fund, known),
        is_provider=is_provider,
        echoes_payment=echoes,
        came_back=came_back,
    )


def ties(session: Session, fund: MatchingFund, trace: GiftTrace, known: set[str]) -> tuple[int, int, int]:
    """Others with the same card or device: how many, what they have; how many matches went back, this giver's too."""
    is_own: ColumnElement[bool] = GiftTrace.giver.in_(sorted(known)) if known else false()
    same = [is_own] if known else []
    same += [GiftTrace.card == trace.card] if trace.card else []
    same += [GiftTrace.device == trace.device] if trace.device else []
    if not same:
        return 0, 0, 0
    each = [select(GiftTrace.contribution_id).where(GiftTrace.series == fund.series, one) for one in same]
    tied = union(*each).subquery()  # each by its own index
    sums = select(
        func.count(distinct(case((~is_own, giver_or_gift())))),
        func.coalesce(func.sum(case((~is_own, GiftTrace.fen), else_=0)), 0),
        func.count(GiftMatch.id),
    ).outerjoin(GiftMatch, and_(GiftMatch.contribution_id == GiftTrace.contribution_id, GiftMatch.returned_fen > 0))
    others = GiftTrace.contribution_id != trace.contribution_id
    row = session.execute(sums.where(GiftTrace.contribution_id.in_(select(tied.c[0])), others)).one()
    return int(row[0]), int(row[1]), int(row[2])


def giver_or_gift() -> ColumnElement[Any]:
    """SQL: of whom nobody knows anything, each gift is a giver."""
    return case((GiftTrace.giver == "", cast(GiftTrace.contribution_id, String)), else_=GiftTrace.giver)


def crowd(session: Session, fund: MatchingFund, trace: GiftTrace, known: set[str]) -> tuple[int, int, int]:
    """Others on the same network within a week, each with nearly all that one giver may have and no card of its own to
    show: how many, what they have; and how many others there are in all. Of a gift by a known card, nothing."""
    if not trace.network or trace.card:
        return 0, 0, 0
    mine = select(GiftTrace.giver, GiftTrace.contribution_id, GiftTrace.fen, GiftTrace.card).where(
        GiftTrace.series == fund.series,
        GiftTrace.network == trace.network,
        GiftTrace.at >= clock.now() - A_WEEK,
        GiftTrace.contribution_id != trace.contribution_id,
    )
    by_giver: dict[str, int] = {}
    with_card: set[str] = set()
    for row in session.execute(mine.order_by(GiftTrace.at.desc()).limit(MOST)):
        if row.giver not in known:
            who = row.giver or str(row.contribution_id)
            by_giver[who] = by_giver.get(who, 0) + row.fen
            with_card |= {who} if row.card else set()
    unproved = (fen for who, fen in by_giver.items() if who not in with_card)
    near = [fen for fen in unproved if fen * 100 >= fund.giver_cap_fen * CHOSEN.near_percent]
    return len(near), sum(near), len(by_giver)


def of_sponsor(session: Session, fund: MatchingFund) -> tuple[set[str], set[str]]:
    """The cards and networks from which this fund and those it tops up were paid in."""
    mine = or_(MatchingFund.id == fund.series, MatchingFund.continues_id == fund.series)
    wanted = select(Attempt.payer, SponsorTrace.network).select_from(MatchingFund)
    wanted = wanted.outerjoin(SponsorTrace, SponsorTrace.fund_id == MatchingFund.id)
    paid = and_(Attempt.reference == MatchingFund.public_id, Attempt.purpose == PURPOSE)
    wanted = wanted.outerjoin(Attempt, and_(paid, Attempt.state == AttemptState.SUCCEEDED))
    rows = session.execute(wanted.where(mine)).all()
    return {row.payer for row in rows if row.payer}, {row.network for row in rows if row.network}


def is_insider(session: Session, gift: Contribution, fund: MatchingFund, known: set[str]) -> bool:
    """An account among `known` that drafted, reviewed or opened, is of the organisation or of the station."""
    people = {int(key.partition(":")[2]) for key in known if key.startswith("person:")}
    if not people:
        return False
    of = select(Campaign.owner_id, Campaign.reviewer_id, Campaign.organisation_code, Campaign.station_code)
    campaign = session.execute(of.where(Campaign.id == gift.campaign_id)).one()
    if people & {campaign.owner_id, campaign.reviewer_id, fund.owner_id, fund.approver_id}:
        return True
    at_organisation = and_(Grant.scope_kind == "organisation", Grant.scope_id == campaign.organisation_code)
    at_station = and_(Grant.scope_kind == "station", Grant.scope_id == campaign.station_code)
    mine = select(Grant.id).where(Grant.person_id.in_(people), or_(at_organisation, at_station))
    return session.scalar(mine.limit(1)) is not None


def payments_out(session: Session, gift: Contribution) -> tuple[bool, bool]:
    """Whether the name on the receipt is a provider's, and the sum that of a payment of the campaign shortly before."""
    mine = select(Disbursement.provider_zh, Disbursement.fen, Disbursement.paid_at, Disbursement.state)
    rows = session.execute(mine.where(Disbursement.campaign_id == gift.campaign_id).order_by(Disbursement.id)).all()
    name = "".join((gift.giver or "").split())
    since = clock.now() - SHORTLY
    same_name = bool(name) and any("".join(row.provider_zh.split()) == name for row in rows)
    paid = (row for row in rows if row.state in PAID and row.paid_at and row.paid_at >= since)
    return same_name, any(row.fen == gift.fen for row in paid)
