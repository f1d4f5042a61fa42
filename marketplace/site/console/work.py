"""The list "for you to do": what waits for the province, the most urgent first, each with the page where it is done."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l, ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns import ledger_figures
from crowdfund.campaigns.ledger_figures import Overdue
from crowdfund.campaigns.reports import due
from crowdfund.campaigns.reports.due import Due
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import reaches_of
from marketplace.core import clock
from marketplace.core.formats import in_language, language, local_datetime, short_date, yuan
from marketplace.core.records import record
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import BatchState as B, LeftOut
from marketplace.site.console import queues
from marketplace.site.console.figures import Reconciled
from marketplace.site.console.queues import APPROVE, CHECK, JUDGE, URGENT, Waiting
from marketplace.site.console.standing import StationRow
from marketplace.stations.models import Station

SHOWN: Final = 6  # on the start page; all of them stand on their own
TAGS: Final[dict[str, tuple[LazyString, str]]] = {
    URGENT: (_l("at once"), "urgent"),
    CHECK: (_l("to check"), "now"),
    APPROVE: (_l("to approve"), "now"),
    JUDGE: (_l("to judge"), "pledge"),
}
ORDER: Final = tuple(TAGS)


@record
class Item:
    """As the macro `work` shows it."""

    urgency: str
    sentence: str
    note: str
    url: str
    button: str

    @property
    def tag(self) -> LazyString:
        return TAGS[self.urgency][0]

    @property
    def kind(self) -> str:
        return TAGS[self.urgency][1]


@record
class Work:
    """`alerts`: in few words, by station, what somebody has to look after there."""

    items: Sequence[Item]
    alerts: dict[str, str]


def gather(session: Session, rows: Sequence[StationRow], level: Reconciled, book: str, visitor: Any) -> Work:
    """Four statements. `rows` and `level` as they stand in the tables and tiles beside it."""
    overdue = ledger_figures.overdue_evidence(session, book)
    items = [
        *late(rows),
        *evidence(overdue),
        *reports(due.overdue(session)),
        *not_level(level),
        *silent(rows),
        *batches(session, book, visitor),
    ]
    items += [of_queue(each) for each in queues.waiting(session, visitor.roles)]
    return Work(sorted(items, key=lambda item: ORDER.index(item.urgency)), alerts(rows))


def alerts(rows: Sequence[StationRow]) -> dict[str, str]:
    told = {}
    for row in sorted(rows, key=lambda each: -each.late):
        if row.late:
            told[row.badge.code] = ngettext("one too late", "%(num)d too late", row.late)
        elif row.is_silent:
            told[row.badge.code] = _("silent for a day")
    return told


def late(rows: Sequence[StationRow]) -> Iterator[Item]:
    for row in sorted(rows, key=lambda each: (-each.late, each.badge.code)):
        if row.late:
            name = row.badge.name
            sentence = ngettext(
                "%(station)s: one parcel is not sent after 48 hours",
                "%(station)s: %(num)d parcels are not sent after 48 hours",
                row.late,
                station=name,
            )
            heard = heard_words(row)
            url = f"/operator/parcels?which=late&station={row.badge.code}"
            yield Item(
                URGENT, sentence, _("Telephone %(phone)s. %(heard)s", phone=row.phone, heard=heard), url, _("See them")
            )


def heard_words(row: StationRow) -> str:
    if row.heard_at is None:
        return str(_("Never heard from."))
    return str(_("Last heard from %(time)s.", time=local_datetime(row.heard_at, language())))


def silent(rows: Sequence[StationRow]) -> Iterator[Item]:
    for row in rows:
        if row.is_silent and not row.late:
            sentence = _("%(station)s: not heard from for a day", station=row.badge.name)
            waits = ngettext("One parcel waits there.", "%(num)d parcels wait there.", row.unsent)
            note = _("%(waits)s Telephone %(phone)s. %(heard)s", waits=waits, phone=row.phone, heard=heard_words(row))
            yield Item(CHECK, sentence, note, f"/operator/parcels?which=open&station={row.badge.code}", _("See them"))


def evidence(overdue: Sequence[Overdue]) -> Iterator[Item]:
    for each in overdue:
        days = (clock.today() - each.due_on).days
        sentence = ngettext(
            "%(station)s: evidence of a payment is a day late",
            "%(station)s: evidence of a payment is %(num)d days late",
            days,
            station=each.station,
        )
        note = _("%(sum)s, %(title)s. Everybody sees it.", sum=yuan(each.fen), title=each.campaign_title)
        yield Item(URGENT, sentence, note, f"/ledger/{each.campaign}/disbursements/{each.public_id}", _("Look"))


def reports(overdue: Sequence[Due]) -> Iterator[Item]:
    for each in overdue:
        days = (clock.today() - each.due_on).days
        sentence = ngettext("A report on gifts is a day late", "A report on gifts is %(num)d days late", days)
        note = _("%(title)s pays nothing more until then.", title=in_language(each.title_zh, each.title_en))
        yield Item(URGENT, sentence, note, f"/campaigns/{each.campaign}", _("Look"))


def not_level(level: Reconciled) -> Iterator[Item]:
    if level.is_level is False:
        sentence, url = _("The three-way reconciliation is not level"), "/operator/reconciliation"
        yield Item(URGENT, sentence, _("Nothing is paid out before that is cleared up."), url, _("Look"))


def batches(session: Session, book: str, visitor: Any) -> Iterator[Item]:
    """Drafted, for another person than who drafted them; approved, to be sent. Both people stand there. One statement."""
    if not reaches_of("settlement.keep").keys() & visitor.roles:
        return
    for batch, zh, en, drafter, approver, payments, fen in session.execute(open_batches(book)):
        name = f"{in_language(zh, en)} {batch.public_id}"
        sentence = _("Settlement batch %(batch)s, %(sum)s", batch=name, sum=yuan(int(fen)))
        number = ngettext("%(num)d payment", "%(num)d payments", payments)
        is_mine = batch.drafter_id == visitor.id
        if batch.state is B.APPROVED:
            people = _("drafted by %(one)s, approved by %(other)s, not sent yet", one=drafter, other=approver)
        elif is_mine:
            people = _("drafted by you, waits for another person")
        else:
            people = _("drafted by %(one)s, waits for a second person", one=drafter)
        button = _("Send") if batch.state is B.APPROVED else _("Look") if is_mine else _("Approve")
        url = f"/operator/settlements/{batch.public_id}"
        yield Item(APPROVE, sentence, _("%(number)s, %(people)s", number=number, people=people), url, button)


def open_batches(book: str) -> Any:
    """The oldest first."""
    drafter, approver = aliased(Person), aliased(Person)
    mine = (BatchLine.batch_id == SettlementBatch.id) & (BatchLine.left_out == LeftOut.NO)
    payments = select(func.count()).where(mine).scalar_subquery()
    fen = select(func.coalesce(func.sum(BatchLine.fen), 0)).where(mine).scalar_subquery()
    wanted: Any = select(SettlementBatch, Station.name_zh, Station.name_en, drafter.name, approver.name, payments, fen)
    wanted = wanted.join(Station, Station.code == SettlementBatch.station_code)
    wanted = wanted.join(drafter, drafter.id == SettlementBatch.drafter_id)
    wanted = wanted.outerjoin(approver, approver.id == SettlementBatch.approver_id)
    wanted = wanted.where(SettlementBatch.state.in_((B.DRAFTED, B.APPROVED)), SettlementBatch.book == book)
    return wanted.order_by(SettlementBatch.id)


def of_queue(waiting: Waiting) -> Item:
    queue = waiting.queue
    return Item(queue.kind, queue.sentence(waiting.number), since(waiting), queue.url, queue.button())


def since(waiting: Waiting) -> str:
    if waiting.since is None:
        return ""
    if waiting.queue.code == "disputes":
        return str(_("To be answered by %(day)s.", day=short_date(waiting.since, language())))
    told = _("The oldest waits since %(time)s.", time=local_datetime(waiting.since, language()))
    return str(_("Proposed by %(name)s. %(told)s", name=waiting.who, told=told) if waiting.who else told)
