"""What the public ledger says at a glance: what is there, came, went out and went back, and its layers over the days."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.disbursing import overdue
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.ledger_models import LedgerCheck, LedgerDay, SealedRow
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.states import PUBLIC
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language, language, month_range, short_date
from marketplace.core.memory import remembered
from marketplace.core.records import slim_record
from marketplace.core.strata_over_time import NARROW, WIDE, OverTime, Series, over_time
from marketplace.payments.reconciliation import switch
from marketplace.stations.models import Station

MOST_LAYERS: Final = 5
LONGEST: Final = timedelta(days=365)
NOT_PUBLIC: Final = _l("a campaign for a closed list")


@slim_record
class Named:
    """A campaign as lists and filters show it."""

    id: int
    public_id: str
    title: str
    is_public: bool = True  # a directed one is known to its list alone

    @property
    def called(self) -> str:
        """To everybody."""
        return self.title if self.is_public else str(NOT_PUBLIC)


@dataclass(frozen=True, eq=False)
class Figures:
    """Sums of the sealed rows of one book, of one campaign or of all; and the drawing of them in two sizes."""

    received_fen: int
    refunded_fen: int
    spent_fen: int
    rows: int
    campaigns: int
    wide: OverTime
    narrow: OverTime
    months: tuple[tuple[date, tuple[int, ...], int], ...]  # last day shown of each, the layers' sums, all together

    @property
    def balance_fen(self) -> int:
        return self.received_fen - self.refunded_fen - self.spent_fen


@slim_record
class Overdue:
    """A payment whose evidence should have been there."""

    public_id: str
    campaign: str
    campaign_title: str
    station: str
    fen: int
    due_on: date


@slim_record
class ChainState:
    """How many rows hang together, when that was last read again, and the first that did not fit then."""

    rows: int
    checked_rows: int
    checked_at: datetime | None
    broken_number: int | None


@slim_record
class Compared:
    """When the payment providers' records and the books were last compared, and whether anything is unexplained."""

    at: datetime
    agrees: bool


@remembered("giving", "ledger", kilobytes=8)
def campaigns(session: Session) -> tuple[Named, ...]:
    """All that ever were open to the public, the newest first."""
    wanted = select(Campaign.id, Campaign.public_id, Campaign.title_zh, Campaign.title_en, Campaign.channel)
    rows = session.execute(wanted.where(Campaign.state.in_(PUBLIC)).order_by(Campaign.starts_on.desc(), Campaign.id.desc()))
    return tuple(
        Named(row.id, row.public_id, in_language(row.title_zh, row.title_en), row.channel != gate.DIRECTED) for row in rows
    )


def find(session: Session, public_id: str) -> Named:
    """Raises NotFound for one that the public does not know."""
    found = next((each for each in campaigns(session) if each.public_id == public_id), None)
    if found is None:
        raise NotFound(public_id)
    return found


@remembered("giving", "ledger", kilobytes=60)
def figures(session: Session, book: str, campaign: int = 0) -> Figures:
    """Two statements. `campaign` is the id of one; 0 means all of them."""
    wanted = select(LedgerDay).where(LedgerDay.book == book).order_by(LedgerDay.day)
    days = session.scalars(wanted.where(LedgerDay.campaign_id == campaign) if campaign else wanted).all()
    names = {each.id: each.called for each in campaigns(session)}
    shown = span(days)
    series = layers(days, names, shown)
    ends = [place for place, day in enumerate(shown) if place == len(shown) - 1 or shown[place + 1].day == 1]
    return Figures(
        received_fen=sum(day.received_fen for day in days),
        refunded_fen=sum(day.refunded_fen for day in days),
        spent_fen=sum(day.spent_fen for day in days),
        rows=sum(day.rows for day in days),
        campaigns=len({day.campaign_id for day in days}),
        wide=over_time(shown, series, WIDE, in_words(shown)),
        narrow=over_time(shown, series, NARROW, in_words(shown)),
        months=tuple(
            (shown[place], sums := tuple(one.balances[place] for one in series), sum(sums)) for place in reversed(ends)
        ),
    )


def span(days: Sequence[LedgerDay]) -> list[date]:
    """From the first movement until today, a year at most."""
    if not days:
        return []
    first, last = max(days[0].day, clock.today() - LONGEST), max(days[-1].day, clock.today())
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def in_words(shown: list[date]) -> Any:
    """How the days below the drawing are said: months by their names, days of a short time by their dates."""
    if sum(day.day == 1 for day in shown) < 3:
        return lambda day: short_date(day, language())
    return lambda day: month_range(day.month, day.month, language())


def layers(days: Sequence[LedgerDay], names: dict[int, str], shown: list[date]) -> list[Series]:
    """The campaigns with most in their accounts, the largest on top, and all the others as one layer."""
    changes: dict[int, dict[date, int]] = defaultdict(dict)
    for day in days:
        on = max(day.day, shown[0])
        of = changes[day.campaign_id]
        of[on] = of.get(on, 0) + day.received_fen - day.refunded_fen - day.spent_fen
    ranked = sorted(changes, key=lambda campaign: (-sum(changes[campaign].values()), campaign))
    own = ranked if len(ranked) <= MOST_LAYERS else ranked[: MOST_LAYERS - 1]
    series = [Series(names.get(campaign, ""), running([changes[campaign]], shown)) for campaign in own]
    if rest := ranked[len(own) :]:
        words = _("%(num)s other campaigns", num=len(rest))
        series.append(Series(words, running([changes[campaign] for campaign in rest], shown)))
    return series


def running(changes: list[dict[date, int]], shown: list[date]) -> tuple[int, ...]:
    """The sum at the end of each day."""
    sums, balance = [], 0
    for day in shown:
        balance += sum(of.get(day, 0) for of in changes)
        sums.append(balance)
    return tuple(sums)


def chain_state(session: Session) -> ChainState:
    """One statement."""
    latest = select(LedgerCheck).order_by(LedgerCheck.id.desc()).limit(1).subquery()
    rows = select(func.coalesce(func.max(SealedRow.number), 0)).scalar_subquery()
    row = session.execute(
        select(rows.label("rows"), latest.c.rows.label("checked"), latest.c.at, latest.c.broken_number).select_from(
            select(1).subquery().outerjoin(latest, latest.c.id > 0)
        )
    ).one()
    return ChainState(row.rows, row.checked or 0, row.at, row.broken_number)


@remembered("ledger", kilobytes=1)
def compared(session: Session) -> Compared | None:
    """One statement; None before the first time. With several providers the oldest of their last comparisons counts."""
    ended = [(run.ended_at, run.is_red) for run in switch.last_runs(session) if run.ended_at]
    return Compared(min(at for at, _red in ended), not any(red for _at, red in ended)) if ended else None


def overdue_evidence(session: Session, book: str) -> list[Overdue]:
    """The payments whose evidence is late, the oldest first. One statement."""
    wanted = (
        select(Disbursement.public_id, Disbursement.fen, Disbursement.evidence_due_on, Campaign.title_zh, Campaign.title_en)
        .add_columns(Campaign.public_id.label("campaign"), Station.name_zh, Station.name_en)
        .join(Campaign, Campaign.id == Disbursement.campaign_id)
        .join(Station, Station.code == Campaign.station_code)
        .where(Disbursement.book == book, overdue())
        .order_by(Disbursement.evidence_due_on, Disbursement.id)
    )
    return [
        Overdue(
            public_id=row.public_id,
            campaign=row.campaign,
            campaign_title=in_language(row.title_zh, row.title_en),
            station=in_language(row.name_zh, row.name_en),
            fen=row.fen,
            due_on=row.evidence_due_on,
        )
        for row in session.execute(wanted)
    ]
