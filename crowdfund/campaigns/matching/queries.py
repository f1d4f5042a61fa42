"""Matching funds as pages show them: to givers, to the officers who keep them, to the sponsor who pays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.matching.funds import TAKES_FUNDS, link_token
from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.matching.paying_in import PURPOSE
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import WAITS, FundState
from marketplace.accounts.models import Person
from marketplace.core.db import Columns
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.records import slim_record
from marketplace.payments.disputes import standing
from marketplace.payments.gateways import current_book

F = FundState
MOST: Final = 200
FIRST: Final = (F.FUNDED, F.ACTIVE)


@slim_record
class Offer:
    """What a campaign's page says of its fund. `per_yuan_fen`: what is added to one yuan."""

    sponsor: str
    is_open: bool
    per_yuan_fen: int
    gift_cap_fen: int
    giver_cap_fen: int
    matched_fen: int
    left_fen: int


@slim_record
class Matching:
    """Of one campaign: the fund that matches now, else the last that was used up; and what all of its funds have added."""

    offer: Offer | None
    matched_fen: int


def of_campaign(session: Session, campaign_id: int) -> Matching:
    """One statement."""
    disputed = MatchingFund.public_id.in_(standing.references(PURPOSE))
    mine: Columns = select(MatchingFund, disputed.label("is_disputed"))
    mine = mine.where(MatchingFund.campaign_id == campaign_id, MatchingFund.book == current_book())
    funds = session.execute(mine.order_by(MatchingFund.id)).all()
    return Matching(offered(funds), sum(fund.matched_fen for fund, _is_disputed in funds))


def offered(funds: Sequence[Any]) -> Offer | None:
    """Nothing where the fund that would match now is disputed by its sponsor's bank."""
    for fund, is_disputed in funds:
        if fund.state is F.ACTIVE and fund.knows_its_sponsor:
            return None if is_disputed else offer_of(fund)
    used_up = [fund for fund, _is_disputed in funds if fund.state is F.EXHAUSTED]
    return offer_of(used_up[-1]) if used_up else None


def offer_of(fund: MatchingFund) -> Offer:
    return Offer(
        sponsor=fund.sponsor,
        is_open=fund.state is F.ACTIVE,
        per_yuan_fen=fund.rate_percent,
        gift_cap_fen=fund.gift_cap_fen,
        giver_cap_fen=fund.giver_cap_fen,
        matched_fen=fund.matched_fen,
        left_fen=fund.left_fen,
    )


@slim_record
class Added:
    """To one gift, by whom: what is still there, and what went back."""

    sponsor: str
    fen: int
    back_fen: int


def of_gift(session: Session, gift: str) -> Added | None:
    wanted = select(MatchingFund.sponsor, GiftMatch.fen - GiftMatch.returned_fen, GiftMatch.returned_fen)
    wanted = wanted.join(GiftMatch, GiftMatch.fund_id == MatchingFund.id)
    wanted = wanted.join(Contribution, Contribution.id == GiftMatch.contribution_id)
    row = session.execute(wanted.where(Contribution.public_id == gift)).first()
    return Added(*row) if row else None


def waits(session: Session, gift: str) -> bool:
    """Whether a person still looks at what this gift gets."""
    mine = select(HeldMatch.id).join(Contribution, Contribution.id == HeldMatch.contribution_id)
    mine = mine.where(Contribution.public_id == gift, HeldMatch.state.in_(sorted(WAITS)))
    return session.scalar(mine) is not None


@slim_record
class Shown:
    """A fund with the names that belong to it."""

    row: MatchingFund
    campaign: str
    title_zh: str
    title_en: str
    kind: str
    organisation: str
    owner: str
    approver: str | None

    @property
    def title(self) -> str:
        return in_language(self.title_zh, self.title_en)

    @property
    def url(self) -> str:
        """The sponsor's page: whoever knows it may pay."""
        return f"/matching-funds/{link_token(self.row.public_id)}"

    @property
    def is_stranded(self) -> bool:
        """Closed, and not all of its money has found its way back."""
        return self.row.state is F.CLOSED and self.row.left_fen > 0


def columns() -> Columns:
    owner, approver = aliased(Person), aliased(Person)
    wanted: Columns = select(MatchingFund, Campaign.public_id, Campaign.title_zh, Campaign.title_en, Campaign.kind)
    wanted = wanted.add_columns(Campaign.organisation_code, owner.name, approver.name)
    wanted = wanted.join(Campaign, Campaign.id == MatchingFund.campaign_id).join(owner, owner.id == MatchingFund.owner_id)
    return wanted.outerjoin(approver, approver.id == MatchingFund.approver_id)


def reached(organisations: Sequence[str] | None) -> Columns:
    """Those of these organisations; None: of all."""
    return columns() if organisations is None else columns().where(Campaign.organisation_code.in_(organisations))


def work(session: Session, organisations: Sequence[str] | None) -> list[Shown]:
    """What waits for somebody first, then the newest. One statement."""
    order: tuple[Any, ...] = (MatchingFund.state.not_in(FIRST), MatchingFund.id.desc())
    return [Shown(*row) for row in session.execute(reached(organisations).order_by(*order).limit(MOST))]


def get(session: Session, fund: str, organisations: Sequence[str] | None) -> Shown:
    """One of theirs. Raises NotFound for every other."""
    row = session.execute(reached(organisations).where(MatchingFund.public_id == fund)).first()
    if row is None:
        raise NotFound(fund)
    return Shown(*row)


def continued(session: Session, fund: MatchingFund) -> str | None:
    """The public id of the fund that this one tops up."""
    first = select(MatchingFund.public_id).where(MatchingFund.id == fund.continues_id)
    return session.scalar(first) if fund.continues_id else None


def by_link(session: Session, token: str) -> Shown:
    """The sponsor's. Raises NotFound, alike for every wrong one."""
    row = session.execute(columns().where(MatchingFund.token_hash == token_hash(token))).first()
    if row is None:
        raise NotFound("matching fund")
    return Shown(*row)


@slim_record
class MatchRow:
    """One gift's match at the desk; no name that the public ledger does not say."""

    at: datetime
    who: str
    gift_fen: int
    fen: int
    returned_fen: int
    spent_fen: int


def matches(session: Session, fund: MatchingFund) -> list[MatchRow]:
    """The latest."""
    wanted: Columns = select(GiftMatch.at, Contribution.shown_as, Contribution.fen, GiftMatch.fen, GiftMatch.returned_fen)
    wanted = wanted.add_columns(GiftMatch.spent_fen).join(Contribution, Contribution.id == GiftMatch.contribution_id)
    rows = session.execute(wanted.where(GiftMatch.fund_id == fund.id).order_by(GiftMatch.id.desc()).limit(MOST))
    return [MatchRow(*row) for row in rows]


@slim_record
class Choice:
    """A campaign that may have a fund."""

    public_id: str
    title: str


def choices(session: Session, organisations: Sequence[str]) -> list[Choice]:
    wanted = select(Campaign.public_id, Campaign.title_zh, Campaign.title_en)
    wanted = wanted.where(Campaign.organisation_code.in_(organisations), Campaign.state.in_(TAKES_FUNDS))
    rows = session.execute(wanted.where(Campaign.channel == "own_site").order_by(Campaign.id.desc()).limit(MOST))
    return [Choice(row.public_id, in_language(row.title_zh, row.title_en)) for row in rows]
