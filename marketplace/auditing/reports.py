"""Reports on campaigns as they were published: their hash, their two people, and every figure from the rows again."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from marketplace.auditing.checks import Check, Difference, moment, read

SHANXI: Final = ZoneInfo("Asia/Shanghai")
KINDS: Final = ("gift", "match", "unmatch", "refund", "return", "disbursement", "repayment", "correction")
HASH: Final = "reports hash to what was published"
FIGURES: Final = "reports say what the rows say"
REPORTS: Final = (
    Check(
        "two people published",
        """SELECT r.public_id AS name FROM campaign_report r WHERE r.state = 'published'
        AND (r.publisher_id IS NULL OR r.publisher_id = r.drafter_id)""",
        "report {name} was published by nobody else",
    ),
)


def differences(connection: Connection) -> Iterator[Difference | str]:
    yield HASH
    published = """SELECT r.public_id, r.campaign_id, r.book, r.since, r.until, r.content, r.sha256
        FROM campaign_report r WHERE r.state = 'published' ORDER BY r.id"""
    for row in read(connection, published):
        if hashlib.sha256(row.content.encode()).hexdigest() != row.sha256:
            yield Difference(HASH, f"report {row.public_id} is not what its hash says")
            continue
        said = json.loads(row.content)
        for part, since in (("period", row.since), ("whole", None)):
            found = figures(connection, row, since)
            if any(said[part].get(name, 0) != fen for name, fen in found.items()):  # of a kind that was not yet: nothing
                yield Difference(FIGURES, f"report {row.public_id} says other figures ({part}) than the public rows")


def figures(connection: Connection, report: Row[Any], since: Any) -> dict[str, int]:
    """Fen by kind and the number of gifts, up to the report's last day."""
    rows = read(
        connection,
        "SELECT kind, at, fen FROM public_row WHERE campaign_id = :campaign AND book = :book",
        campaign=report.campaign_id,
        book=report.book,
    )
    first, end = (start(since) if since else None), start(report.until) + timedelta(days=1)
    sums = dict.fromkeys((*KINDS, "gifts"), 0)
    for row in rows:
        at = moment(row.at)
        if at < end and (first is None or at >= first):
            sums[row.kind] += row.fen
            sums["gifts"] += row.kind == "gift"
    return sums


def start(day: date | str) -> datetime:
    """Of a day in Shanxi; SQLite gives text."""
    known = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime(known.year, known.month, known.day, tzinfo=SHANXI)
