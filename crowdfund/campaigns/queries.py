"""What pages and answers show of campaigns: only the columns shown, a fixed number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.mirrors import queries as mirrors
from crowdfund.campaigns.mirrors.models import MirrorTotal
from crowdfund.campaigns.mirrors.queries import Elsewhere
from crowdfund.campaigns.models import SHOWN, Campaign, Contribution, Disbursement, Organisation, PublicRow
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.states import PUBLIC, CampaignState, DisbursementState
from crowdfund.campaigns.totals import sums
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.payments.gateways import current_book
from marketplace.stations.badges import StationBadge
from marketplace.stations.models import County, Station

MOST_LIVE: Final = 60
MOST_OVER: Final = 24
ROWS_SHOWN: Final = 5
WORDS_SHOWN: Final = 6
PAID: Final = (DisbursementState.PAID, DisbursementState.EVIDENCED)
OPEN_NOW: Final = (CampaignState.LIVE, CampaignState.PAUSED)


@record
class Card:
    """A campaign in a list."""

    id: str
    kind: str
    state: CampaignState
    title: str
    station: StationBadge
    drawings: tuple[str, ...]
    goal_fen: int
    raised_fen: int
    spent_fen: int
    returned_fen: int
    gifts: int
    rows: int  # of the public ledger
    starts_on: date
    ends_on: date
    days_left: int
    is_demo: bool
    channel: str
    past_goal: str
    elsewhere: Elsewhere | None  # of a mirrored campaign: what its platform has got

    @property
    def url(self) -> str:
        return f"/campaigns/{self.id}"

    @property
    def percent(self) -> int:
        return self.raised_fen * 100 // self.goal_fen

    @property
    def share(self) -> int:
        """Of the thousand parts of a bar; something shows as soon as something was given."""
        return min(1000, -(-self.raised_fen * 1000 // self.goal_fen))

    @property
    def is_full(self) -> bool:
        """It said that it would stop at its goal, and is there."""
        return self.past_goal == "stop" and self.raised_fen >= self.goal_fen

    @property
    def is_open(self) -> bool:
        """Whoever sees it may give, here and now."""
        is_running = self.state is CampaignState.LIVE and self.days_left >= 0
        return is_running and self.channel != "mirror" and not self.is_full


@record
class LedgerLine:
    """A row of the public ledger as a campaign's page shows it."""

    at: datetime
    kind: str
    who: str
    what: str
    fen: int


def listed(book: str, campaign: Any = None) -> Select[Any]:
    """The columns of a card, of campaigns that may be shown; `campaign` is SQL that finds the id of the only one wanted."""
    totals = sums(book, campaign)
    return (
        select(Campaign.public_id, Campaign.kind, Campaign.state, Campaign.title_zh, Campaign.title_en, Campaign.is_demo)
        .add_columns(Campaign.drawings, Campaign.goal_fen, Campaign.starts_on, Campaign.ends_on, Campaign.station_code)
        .add_columns(Campaign.channel, Campaign.past_goal, Campaign.platform, Campaign.platform_url)
        .add_columns(MirrorTotal.fen.label("mirrored_fen"), MirrorTotal.gifts.label("mirrored_gifts"))
        .add_columns(MirrorTotal.latest_at.label("mirrored_at"))
        .add_columns(Station.name_zh, Station.name_en, County.name_zh.label("county_zh"), County.is_deep_poverty)
        .add_columns(totals.c.raised, totals.c.spent, totals.c.returned, totals.c.gifts, totals.c.rows)
        .join(Station, Station.code == Campaign.station_code)
        .join(County, County.code == Station.code)
        .outerjoin(totals, totals.c.campaign_id == Campaign.id)
        .outerjoin(MirrorTotal, MirrorTotal.campaign_id == Campaign.id)
        .where(Campaign.state.in_(PUBLIC))
    )


def card(row: Any) -> Card:
    return Card(
        id=row.public_id,
        kind=row.kind,
        state=row.state,
        title=in_language(row.title_zh, row.title_en),
        station=StationBadge(
            row.station_code, row.county_zh[:1], in_language(row.name_zh, row.name_en), row.is_deep_poverty
        ),
        drawings=tuple(row.drawings),
        goal_fen=row.goal_fen,
        raised_fen=int(row.raised or 0),
        spent_fen=int(row.spent or 0),
        returned_fen=int(row.returned or 0),
        gifts=int(row.gifts or 0),
        rows=int(row.rows or 0),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        days_left=(row.ends_on - clock.today()).days,
        is_demo=row.is_demo,
        channel=row.channel,
        past_goal=row.past_goal,
        elsewhere=mirrors.of_row(row),
    )


@dataclass(frozen=True, eq=False)  # what was rendered of it is kept by it
class Group:
    """The campaigns of one kind; kinds are never mixed."""

    kind: str
    open: tuple[Card, ...]
    over: tuple[Card, ...]


@remembered("giving", "stations", kilobytes=40)
def group(session: Session, kind: str) -> Group:
    """Two statements: those that are open, the first to end first; those that are over, the latest first."""
    mine = listed(current_book()).where(Campaign.kind == kind, Campaign.channel != gate.DIRECTED)
    running = mine.where(Campaign.state.in_(OPEN_NOW)).order_by(Campaign.state, Campaign.ends_on, Campaign.id)
    over = mine.where(Campaign.state.not_in(OPEN_NOW)).order_by(Campaign.closed_at.desc(), Campaign.id)
    return Group(
        kind,
        tuple(card(row) for row in session.execute(running.limit(MOST_LIVE))),
        tuple(card(row) for row in session.execute(over.limit(MOST_OVER))),
    )


@record
class Named:
    """A campaign that a page only leads to."""

    id: str
    kind: str
    title: str


def running_at(session: Session, station: str) -> tuple[Named, ...]:
    """What is collected for in the county of that station, the first to end first."""
    rows = session.execute(
        select(Campaign.public_id, Campaign.kind, Campaign.title_zh, Campaign.title_en)
        .where(Campaign.station_code == station, Campaign.state == CampaignState.LIVE, Campaign.channel != gate.DIRECTED)
        .order_by(Campaign.ends_on, Campaign.id)
    )
    return tuple(Named(row.public_id, row.kind, in_language(row.title_zh, row.title_en)) for row in rows)


def page_of(
    session: Session, *, kinds: Sequence[str], states: Sequence[str], counties: Sequence[str], page: int, per_page: int
) -> tuple[int, list[Card]]:
    """How many there are, and one page of them, the newest first: for the JSON face."""
    which: list[Any] = [Campaign.state.in_(PUBLIC), Campaign.channel != gate.DIRECTED]
    which += [Campaign.kind.in_(kinds)] if kinds else []
    which += [Campaign.state.in_(states)] if states else []
    which += [Campaign.station_code.in_(counties)] if counties else []
    total = session.scalar(select(func.count()).select_from(Campaign).where(*which)) or 0
    rows = listed(current_book()).where(*which).order_by(Campaign.starts_on.desc(), Campaign.id)
    return total, [card(row) for row in session.execute(rows.limit(per_page).offset((page - 1) * per_page))]


def find(session: Session, public_id: str) -> tuple[Card, Campaign, Organisation]:
    """One campaign that may be shown, a directed one to whoever the door has let in: two statements. Raises NotFound."""
    row = session.execute(one_listed(current_book()), {"wanted": public_id}).first()
    if row is None:
        raise NotFound(public_id)
    campaign, organisation = session.execute(with_organisation(), {"wanted": public_id}).one()
    return card(row), campaign, organisation


@cache
def one_listed(book: str) -> Select[Any]:
    """SQL, prepared once: to put it together takes longer than to ask it."""
    is_wanted = Campaign.public_id == bindparam("wanted")
    return listed(book, select(Campaign.id).where(is_wanted).scalar_subquery()).where(is_wanted)


@cache
def with_organisation() -> Select[Campaign, Organisation]:
    mine = select(Campaign, Organisation).join(Organisation, Organisation.code == Campaign.organisation_code)
    return mine.where(Campaign.public_id == bindparam("wanted"))


def ledger_lines(session: Session, campaign_id: int) -> list[LedgerLine]:
    """The latest rows."""
    columns = select(PublicRow.at, PublicRow.kind, PublicRow.who, PublicRow.what, PublicRow.fen)
    mine = columns.where(PublicRow.campaign_id == campaign_id, PublicRow.book == current_book())
    return [LedgerLine(*row) for row in session.execute(mine.order_by(PublicRow.id.desc()).limit(ROWS_SHOWN))]


@record
class Payment:
    """Money that arrived at a provider."""

    id: str
    fen: int
    provider: str
    purpose: str
    paid_at: datetime
    due_on: date  # when its evidence is due
    is_proved: bool
    repaid_fen: int  # what it paid back


def paid_out(session: Session, campaign_id: int) -> list[Payment]:
    """The latest payments to providers."""
    wanted = (
        select(Disbursement.public_id, Disbursement.fen, Disbursement.provider_zh, Disbursement.purpose_zh)
        .add_columns(
            Disbursement.paid_at, Disbursement.evidence_due_on, Disbursement.state == PAID[-1], repaid.fen_of_payment()
        )
        .where(Disbursement.campaign_id == campaign_id, Disbursement.book == current_book(), Disbursement.state.in_(PAID))
        .order_by(Disbursement.paid_at.desc(), Disbursement.id)
        .limit(ROWS_SHOWN)
    )
    return [Payment(*row) for row in session.execute(wanted)]


def words(session: Session, campaign_id: int) -> list[tuple[str, str]]:
    """(what a giver wrote, by which name), only what an officer has read and let through."""
    mine = select(Contribution.message, Contribution.shown_as).where(
        Contribution.campaign_id == campaign_id, SHOWN, Contribution.state == "received"
    )
    rows = session.execute(mine.order_by(Contribution.received_at.desc(), Contribution.id).limit(WORDS_SHOWN))
    return [(row.message, row.shown_as) for row in rows]
