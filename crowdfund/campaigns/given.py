"""One gift as its giver sees it: waiting, not paid, received, with its line in the public ledger."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving
from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.models import Campaign, Contribution, PublicRow
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import CampaignState, ContributionState
from marketplace.core import clock
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.records import record
from marketplace.core.sealing import Seal
from marketplace.payments import refunds
from marketplace.payments.models import Attempt
from marketplace.payments.states import OPEN, AttemptState

CHAIN: Final = "public"
MOST_LISTED: Final = 200


@record
class Given:
    """A gift in the reader's language."""

    id: str
    state: ContributionState
    book: str
    fen: int
    shown_as: str
    created_at: datetime
    campaign: str
    campaign_state: CampaignState
    campaign_kind: str
    title: str
    token: str
    plan: str = ""  # of which it is a month

    @property
    def purpose(self) -> str:
        return keeping.PURPOSE if self.plan else giving.PURPOSE

    @property
    def is_of_today(self) -> bool:
        return clock.local(self.created_at).date() == clock.today()

    @property
    def url(self) -> str:
        return f"/campaigns/{self.campaign}/gifts/{self.token}"

    @property
    def may_be_paid(self) -> bool:
        return self.state is ContributionState.PENDING and self.campaign_state is CampaignState.LIVE


@record
class Line:
    """The row of the public ledger that a gift made; `code` is empty until it is sealed, which takes a second."""

    at: datetime
    who: str
    fen: int
    number: int | None
    code: str


def columns() -> Any:
    mine = select(Contribution.public_id, Contribution.state, Contribution.book, Contribution.fen, Contribution.shown_as)
    mine = mine.add_columns(Contribution.created_at, Campaign.public_id.label("campaign"), Campaign.title_zh)
    mine = mine.add_columns(Campaign.title_en, Campaign.kind, Campaign.state.label("campaign_state"))
    mine = mine.add_columns(Plan.public_id.label("plan"))
    mine = mine.join(Campaign, Campaign.id == Contribution.campaign_id)
    mine = mine.outerjoin(Installment, Installment.contribution_id == Contribution.id)
    return mine.outerjoin(Plan, Plan.id == Installment.plan_id)


def given(row: Any) -> Given:
    title = in_language(row.title_zh, row.title_en)
    mine = (row.public_id, row.state, row.book, row.fen, row.shown_as, row.created_at)
    return Given(*mine, row.campaign, row.campaign_state, row.kind, title, link_token(row.public_id), row.plan or "")


def find(session: Session, campaign: str, token: str) -> Given:
    """By its secret link. Raises NotFound, alike for every wrong one."""
    row = session.execute(by_link(), {"link": token_hash(token), "campaign": campaign}).first()
    if row is None:
        raise NotFound(campaign)
    return given(row)


@cache
def by_link() -> Any:
    """SQL, prepared once."""
    return columns().where(Contribution.token_hash == bindparam("link"), Campaign.public_id == bindparam("campaign"))


def of_person(session: Session, person_id: int) -> list[Given]:
    """What somebody gave while signed in, the latest first."""
    mine = columns().where(Contribution.person_id == person_id).order_by(Contribution.id.desc())
    return [given(row) for row in session.execute(mine.limit(MOST_LISTED))]


def page_of_person(session: Session, person_id: int, *, before: str, size: int) -> tuple[list[Given], str]:
    """The latest first, below the gift `before`; and where the next page goes on, nothing where this was the last."""
    mine = columns().where(Contribution.person_id == person_id)
    if before:
        known = select(Contribution.id).where(Contribution.public_id == before, Contribution.person_id == person_id)
        mine = mine.where(Contribution.id < known.scalar_subquery())
    found = [given(row) for row in session.execute(mine.order_by(Contribution.id.desc()).limit(size + 1))]
    return found[:size], found[size - 1].id if len(found) > size else ""


def find_own(session: Session, gift: str, person_id: int) -> Given:
    """By its public id, for who gave it. Raises NotFound for every other."""
    row = session.execute(columns().where(Contribution.public_id == gift, Contribution.person_id == person_id)).first()
    if row is None:
        raise NotFound(gift)
    return given(row)


def line_of(session: Session, gift: Given) -> Line | None:
    """Its row in the public ledger, as soon as its money is there."""
    attempt = select(Attempt.public_id).where(Attempt.purpose == gift.purpose, Attempt.reference == gift.id)
    paid = session.scalar(attempt.where(Attempt.state == AttemptState.SUCCEEDED, ~Attempt.is_surplus))
    reference = f"capture:{paid}" if paid is not None else f"cash:{gift.id}"
    columns = select(PublicRow.at, PublicRow.who, PublicRow.fen, Seal.number, Seal.hash)
    sealed = columns.outerjoin(Seal, (Seal.chain == CHAIN) & (Seal.record_id == PublicRow.id))
    row = session.execute(sealed.where(PublicRow.kind == "gift", PublicRow.reference == reference)).first()
    return Line(row.at, row.who, row.fen, row.number, row.hash or "") if row else None


def refunds_of(session: Session, gift: Given) -> Sequence[Any]:
    return refunds.of(session, purpose=gift.purpose, reference=gift.id)


def attempt_of(session: Session, gift: Given) -> AttemptState | None:
    """Where the latest try to pay it stands."""
    mine = select(Attempt.state).where(Attempt.purpose == gift.purpose, Attempt.reference == gift.id)
    return session.scalar(mine.order_by(Attempt.id.desc()).limit(1))


def is_open(state: AttemptState | None) -> bool:
    return state is not None and state in OPEN
