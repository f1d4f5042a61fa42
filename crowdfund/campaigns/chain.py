"""The public ledger's chain: what is sealed of a row, and what the sealer writes beside it. Format: docs/adr/0009."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns.ledger_models import LedgerDay, SealedRow
from crowdfund.campaigns.models import Campaign, PublicRow
from marketplace.core import clock, page_cache, sealing
from marketplace.core.db import insert_or_ignore

CHAIN: Final = "public"
COUNTED: Final[Mapping[str, tuple[str, int]]] = {  # kind -> the sum of the day it belongs to, and its sign there
    "gift": ("received_fen", 1),
    "match": ("received_fen", 1),
    "unmatch": ("received_fen", 1),  # negative: it was no giver's, so that nothing of it was refunded
    "refund": ("refunded_fen", -1),
    "return": ("refunded_fen", -1),
    "disbursement": ("spent_fen", -1),
    "repayment": ("spent_fen", -1),  # positive: it is not spent any more
    "correction": ("spent_fen", -1),  # negative: it is spent after all
}


def content(row: Any, campaign: str) -> dict[str, Any]:
    """The canonical content of a row; whole numbers and text only."""
    return {
        "at": microseconds(row.at),
        "book": row.book,
        "campaign": campaign,
        "commitment": row.commitment,
        "fen": row.fen,
        "kind": row.kind,
        "reference": row.reference,
        "what": row.what,
        "who": row.who,
    }


def microseconds(moment: datetime) -> int:
    """Since 1970, without a float on the way."""
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


def unsealed(session: Session, first_id: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Rows from `first_id` on that have no seal, in the order of their ids."""
    waiting = select(PublicRow, Campaign.public_id).join(Campaign, Campaign.id == PublicRow.campaign_id)
    waiting = waiting.where(PublicRow.id >= first_id, ~sealing.is_sealed(CHAIN, PublicRow.id, first_id))
    rows = session.execute(waiting.order_by(PublicRow.id).limit(limit))
    return [(row.id, content(row, campaign)) for row, campaign in rows]


def follow(session: Session, links: list[sealing.Link]) -> None:
    """Balances and daily sums of rows that were sealed just now. The sealer is the only one who writes them."""
    wanted = select(PublicRow).where(PublicRow.id.in_([record for _number, record, _content in links]))
    rows = {row.id: row for row in session.scalars(wanted)}
    balances = {key: balance_of(session, *key) for key in {(row.book, row.campaign_id) for row in rows.values()}}
    together = {book: balance_of(session, book) for book in {row.book for row in rows.values()}}
    days: dict[tuple[str, int, date], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    sealed = []
    for number, record, _content in links:
        row = rows[record]
        balances[row.book, row.campaign_id] += row.fen
        together[row.book] += row.fen
        figures = {"campaign_fen": balances[row.book, row.campaign_id], "book_fen": together[row.book]}
        same = {name: getattr(row, name) for name in ("book", "campaign_id", "kind", "at")}
        sealed.append({"number": number, "row_id": record} | same | figures)
        column, sign = COUNTED[row.kind]
        day = days[row.book, row.campaign_id, clock.local(row.at).date()]
        day[column] += sign * row.fen
        day["gifts"] += row.kind == "gift"
        day["rows"] += 1
    session.execute(insert(SealedRow), sealed)
    for (book, campaign, on), sums in sorted(days.items()):
        add_to_day(session, {"book": book, "campaign_id": campaign, "day": on}, sums)
    page_cache.expire(session, "ledger", *{f"campaign:{each['campaign']}" for _number, _record, each in links})


def balance_of(session: Session, book: str, campaign_id: int | None = None) -> int:
    """After its last sealed row: of one campaign, or of all in this book together."""
    column = SealedRow.book_fen if campaign_id is None else SealedRow.campaign_fen
    mine = select(column).where(SealedRow.book == book)
    mine = mine if campaign_id is None else mine.where(SealedRow.campaign_id == campaign_id)
    return session.scalar(mine.order_by(SealedRow.number.desc()).limit(1)) or 0


def add_to_day(session: Session, key: dict[str, Any], sums: Mapping[str, int]) -> None:
    columns = ("received_fen", "refunded_fen", "spent_fen", "gifts", "rows")
    insert_or_ignore(session, LedgerDay, key | dict.fromkeys(columns, 0))
    more: dict[str, Any] = {name: getattr(LedgerDay, name) + fen for name, fen in sums.items()}
    that_day = (LedgerDay.book == key["book"], LedgerDay.campaign_id == key["campaign_id"], LedgerDay.day == key["day"])
    session.execute(update(LedgerDay).where(*that_day).values(more))


sealing.chains[CHAIN] = sealing.Chain(unsealed, follow)
