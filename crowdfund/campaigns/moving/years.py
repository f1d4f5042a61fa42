"""Receipts of a year, with the gifts that stand on them: the list is written before its receipt, which closes it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.yearly.models import ReceiptGift
from marketplace.core.db import add_rows


def listed(connection: Connection, receipt: str) -> list[list[int]]:
    """Each gift by its id, with what of it stayed."""
    mine = select(ReceiptGift.contribution_id, ReceiptGift.fen).where(ReceiptGift.receipt == receipt)
    return [[row.contribution_id, row.fen] for row in connection.execute(mine.order_by(ReceiptGift.contribution_id))]


def take(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """One after the other: what the database asks of a receipt is asked of those before it."""
    for row in rows:
        about = [{"contribution_id": gift, "fen": fen} for gift, fen in row.pop("gifts", [])]
        if about:
            add_rows(session, ReceiptGift, *({"receipt": row["public_id"], **gift} for gift in about))
        session.execute(insert(Receipt), row)
