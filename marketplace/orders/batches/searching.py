"""Batches looked through by whatever one knows of them, and their payments as rows of a table."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.records import record
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.stations.models import Station

EXPORTED: Final = 1_000  # rows in memory at a time
COLUMNS: Final = (
    *("batch", "station", "batch_state", "drafted_at", "way", "sent_at", "end_to_end_id", "owner_kind", "owner"),
    *("owner_name", "state", "left_out", "fen", "currency", "book", "bank", "last4", "answered_at", "bank_said"),
    *("bounced_at", "bounced_because"),
)


@record
class Asked:
    """What is looked for; `before` is the batch that ended the page before."""

    text: str = ""
    state: str = ""
    since: date | None = None
    until: date | None = None
    before: str = ""


EVERYTHING: Final = Asked()
NAMES: Final = (Station.code, Station.name_zh, Station.name_en)


def filtered(wanted: Any, asked: Asked) -> Any:
    """Of a statement about batches."""
    if asked.text:
        wanted = wanted.where(is_named(asked.text))
    if asked.state:
        wanted = wanted.where(SettlementBatch.state == asked.state)
    if asked.since:
        wanted = wanted.where(SettlementBatch.drafted_at >= clock.start_of(asked.since))
    if asked.until:
        wanted = wanted.where(SettlementBatch.drafted_at < clock.start_of(asked.until + timedelta(days=1)))
    return wanted


def is_named(text: str) -> Any:
    """SQL: the batch, its station, or one of its payments by its number or by whom it pays."""
    stations = select(Station.code).where(or_(*(name.icontains(text, autoescape=True) for name in NAMES)))
    words = (BatchLine.owner_name, BatchLine.public_id, BatchLine.owner, BatchLine.bank_said)
    lines = select(BatchLine.batch_id).where(or_(*(word.icontains(text, autoescape=True) for word in words)))
    is_it = SettlementBatch.public_id.icontains(text, autoescape=True)
    return or_(is_it, SettlementBatch.station_code.in_(stations), SettlementBatch.id.in_(lines))


def every_payment(session: Session, asked: Asked) -> Iterator[Any]:
    """The lines of the batches that are found, who was left out as well, the newest first; nothing is held between two
    pages."""
    line, batch = BatchLine, SettlementBatch
    what = (batch.public_id.label("batch"), batch.station_code.label("station"), batch.state.label("batch_state"))
    how = (batch.drafted_at, batch.way, batch.sent_at, line.public_id.label("end_to_end_id"), line.owner_kind, line.owner)
    sums = (line.owner_name, line.state, line.left_out, line.fen, line.currency, line.book, line.bank, line.last4)
    after = (line.answered_at, line.bank_said, line.bounced_at, line.bounced_because, line.id)
    wanted = filtered(select(*what, *how, *sums, *after).join(batch, batch.id == line.batch_id), asked)
    last = None
    while True:
        further = wanted if last is None else wanted.where(line.id < last)
        found = session.execute(further.order_by(line.id.desc()).limit(EXPORTED)).all()
        session.rollback()
        yield from found
        if len(found) < EXPORTED:
            return
        last = found[-1].id
