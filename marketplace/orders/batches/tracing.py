"""Every fen both ways: from what was settled to the bank line that pays it, and from a bank line to what it pays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.records import record
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders.batches import owed
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import LineState

PAID_OUT: Final = ("payout", "payout_paid", "payout_failed", "payout_bounced")
PAYS: Final = BatchLine.state.in_((LineState.SENT, LineState.CONFIRMED)) & BatchLine.bounced_at.is_(None)
MOST: Final = 500


@record
class Part:
    """One movement of what somebody was owed: credit positive, in fen; `reference` is the order it came from."""

    at: datetime
    key: str
    kind: str
    reference: str
    fen: int


def parts_of(session: Session, line: BatchLine, batch: SettlementBatch) -> tuple[int, Sequence[Part]]:
    """(what was carried over from before, what has come since the payment before this one), together what the line pays."""
    since = select(func.max(SettlementBatch.drafted_at)).join(BatchLine, BatchLine.batch_id == SettlementBatch.id)
    since = since.where(BatchLine.owner_kind == line.owner_kind, BatchLine.owner == line.owner, BatchLine.book == line.book)
    before = session.scalar(since.where(PAYS, SettlementBatch.drafted_at < batch.drafted_at))
    moved = select(Entry.at, Entry.key, Entry.kind, Entry.reference, -func.sum(Line.amount))
    moved = moved.join(Line, Line.entry_id == Entry.id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    mine = LedgerAccount.kind == owed.payable(line.owner_kind), LedgerAccount.owner == line.owner
    moved = moved.where(*mine, LedgerAccount.book == line.book, Entry.kind.not_in(PAID_OUT), Entry.at <= batch.drafted_at)
    if before is not None:
        moved = moved.where(Entry.at > before)
    moved = moved.group_by(Entry.id, Entry.at, Entry.key, Entry.kind, Entry.reference)
    rows = session.execute(moved.order_by(Entry.at.desc(), Entry.key).limit(MOST)).all()
    parts = [Part(row[0], row[1], row[2], row[3], int(row[4])) for row in rows]
    return line.fen - sum(part.fen for part in parts), parts


def page_of_settlement(session: Session, settled: str) -> str | None:
    """`settled` is what follows `settle:` in a key: the bank line by which its owner was paid next, if there is one yet."""
    owner = settled.split(":")[1] if ":" in settled else ""
    at = session.scalar(select(Entry.at).where(Entry.key == f"settle:{settled}"))
    if at is None:
        return None
    paying = select(SettlementBatch.public_id, BatchLine.public_id.label("line"))
    paying = paying.join(BatchLine, BatchLine.batch_id == SettlementBatch.id).where(BatchLine.owner == owner)
    paying = paying.where(PAYS, SettlementBatch.drafted_at >= at)
    found = session.execute(paying.order_by(SettlementBatch.drafted_at).limit(1)).first()
    return url_for("settlements.show_line", batch=found.public_id, line=found.line) if found else None
