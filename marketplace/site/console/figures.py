"""The five numbers of the console: four statements, each carried by an index of the time it asks about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext as _, ngettext
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import PublicRow
from marketplace.core.formats import count, language, local_datetime, rounded, statistic, yuan
from marketplace.core.records import record
from marketplace.orders.models import Order, Parcel
from marketplace.payments.reconciliation import switch
from marketplace.site.console import trade
from marketplace.site.console.periods import Period

GOAL: Final = 95  # percent of parcels on their way within 24 hours
PER_MILLE: Final = 1000


@record
class Orders:
    number: int
    fen: int
    earlier: int  # of the time before that is as long

    @property
    def average_fen(self) -> int:
        return rounded(self.fen, self.number) if self.number else 0


@record
class Sent:
    """Of parcels whose 24 hours are over."""

    due: int
    in_time: int

    @property
    def share(self) -> str:
        """In percent, to one decimal; never rounded up to the whole that it is not."""
        return percent(self.in_time, self.due)

    @property
    def short_by(self) -> int:
        """How many more it takes to the goal."""
        return max(0, -(-GOAL * self.due // 100) - self.in_time)


@record
class Gifts:
    number: int
    fen: int
    matched_fen: int


@record
class Reconciled:
    """The last comparing of each gateway; `is_level` is None before there was any."""

    is_level: bool | None
    at: datetime | None
    rows: int


@record
class Tile:
    """As templates/ui/desk.html shows it."""

    word: str
    number: str
    note: str
    url: str
    kind: str = ""


def percent(part: int, whole: int) -> str:
    if not whole:
        return "—"
    mille = part * PER_MILLE // whole
    return f"{mille // 10}.{mille % 10}%"


def orders(session: Session, period: Period, book: str) -> Orders:
    earlier = select(func.count(Order.id)).where(*trade.taken(*period.earlier, book)).scalar_subquery()
    wanted: Any = select(func.count(Order.id), func.coalesce(func.sum(Order.total_fen), 0), earlier)
    number, fen, before = session.execute(wanted.where(*trade.taken(period.since, period.until, book))).one()
    return Orders(number, int(fen), before)


def sent(session: Session, period: Period, book: str) -> Sent:
    in_time = func.coalesce(func.sum(case((trade.in_time(), 1), else_=0)), 0)
    wanted = select(func.count(Parcel.id), in_time).join(Order, Order.id == Parcel.order_id)
    due, done = session.execute(wanted.where(*trade.due(period, book))).one()
    return Sent(due, int(done))


def gifts(session: Session, period: Period, book: str) -> Gifts:
    """As the public ledger has them: what came, whatever went back later."""
    wanted = select(PublicRow.kind, func.count(), func.sum(PublicRow.fen)).where(*given(period, book))
    found = {kind: (number, int(fen)) for kind, number, fen in session.execute(wanted.group_by(PublicRow.kind))}
    number, fen = found.get("gift", (0, 0))
    return Gifts(number, fen, found.get("match", (0, 0))[1])


def given(period: Period, book: str) -> trade.Conditions:
    in_time = (PublicRow.at >= period.since, PublicRow.at < period.until)
    return (*in_time, PublicRow.kind.in_(("gift", "match")), PublicRow.book == book)


def reconciled(session: Session) -> Reconciled:
    runs = switch.last_runs(session)
    if not runs:
        return Reconciled(None, None, 0)
    rows = sum(number for run in runs for name, number in run.counts.items() if name not in {"new", "missing"})
    return Reconciled(not any(run.is_red for run in runs), min(run.ended_at for run in runs if run.ended_at), rows)


def strip(session: Session, period: Period, book: str) -> tuple[Sequence[Tile], Reconciled]:
    """All five, each with the way to its rows; and the last of them as it is. Four statements."""
    sold, on_its_way, given_, level = (
        orders(session, period, book),
        sent(session, period, book),
        gifts(session, period, book),
        reconciled(session),
    )
    of_orders, of_gifts = f"/operator/orders?period={period.code}", f"/operator/gifts?period={period.code}"
    of_parcels = f"/operator/parcels?which=due&period={period.code}"
    average = _("%(sum)s an order", sum=yuan(sold.average_fen)) if sold.number else _("none yet")
    tiles = (
        Tile(_("Orders"), count(sold.number), str(period.compared(count(sold.earlier))), of_orders),
        Tile(_("Turnover"), statistic(sold.fen, language()), average, of_orders),
        Tile(_("Sent within 24 hours"), on_its_way.share, sent_note(on_its_way), of_parcels),
        Tile(_("Gifts"), statistic(given_.fen, language()), gifts_note(given_), of_gifts),
        reconciled_tile(level),
    )
    return tiles, level


def sent_note(on_its_way: Sent) -> str:
    if not on_its_way.due:
        return str(_("nothing was due"))
    if on_its_way.short_by:
        return str(_("goal %(goal)s%%, %(number)s short", goal=GOAL, number=count(on_its_way.short_by)))
    return str(_("goal %(goal)s%%, reached", goal=GOAL))


def gifts_note(given_: Gifts) -> str:
    told = {"number": count(given_.number), "sum": yuan(given_.matched_fen)}
    return str(ngettext("%(number)s gift, matched %(sum)s", "%(number)s gifts, matched %(sum)s", given_.number, **told))


def reconciled_tile(level: Reconciled) -> Tile:
    url = "/operator/reconciliation"
    if level.at is None:
        return Tile(_("Three-way reconciliation"), "—", _("Nothing was compared yet."), url)
    told = {"time": local_datetime(level.at, language()), "rows": count(level.rows)}
    note = ngettext("%(time)s, %(rows)s row", "%(time)s, %(rows)s rows", level.rows, **told)
    word = _("level") if level.is_level else _("not level")
    return Tile(_("Three-way reconciliation"), word, note, url, "give" if level.is_level else "urgent")
