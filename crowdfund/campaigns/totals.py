"""What campaigns got, gave back and spent: the sums of their sealed days, and the few rows that wait for their seal.

Nobody adds up a hundred thousand rows while somebody waits: the sealer did, a day at a time."""

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from crowdfund.campaigns.ledger_models import LedgerDay, SealedRow
from crowdfund.campaigns.models import PublicRow

RECENT: Final = 1_000  # how many rows back pages look for those without a seal; the sealer itself looks further
SUMS: Final = ("raised", "spent", "returned", "gifts", "rows")


def sums(book: str, campaign: Any = None) -> Any:
    """SQL, a subquery by `campaign_id`: what was given and stayed, what was paid out, what went back (in fen, from 0 up),
    how many gifts, how many rows. `campaign` narrows it to one: SQL that finds its id."""
    sealed, fresh = of_days().where(LedgerDay.book == book), of_rows().where(PublicRow.book == book)
    if campaign is not None:
        sealed, fresh = sealed.where(LedgerDay.campaign_id == campaign), fresh.where(PublicRow.campaign_id == campaign)
    both = union_all(sealed, fresh.where(waits_for_its_seal())).subquery()
    totals = select(both.c.campaign_id, *(func.sum(both.c[name]).label(name) for name in SUMS))
    return totals.group_by(both.c.campaign_id).subquery()


def of_days() -> Any:
    got = LedgerDay.received_fen - LedgerDay.refunded_fen
    money = (got.label("raised"), LedgerDay.spent_fen.label("spent"), LedgerDay.refunded_fen.label("returned"))
    return select(LedgerDay.campaign_id, *money, LedgerDay.gifts, LedgerDay.rows)


def of_rows() -> Any:
    def those(*kinds: str) -> Any:
        return case((PublicRow.kind.in_(kinds), PublicRow.fen), else_=0)

    money = (
        those("gift", "match", "unmatch", "refund", "return"),
        -those("disbursement", "repayment", "correction"),
        -those("refund", "return"),
    )
    return select(PublicRow.campaign_id, *money, case((PublicRow.kind == "gift", 1), else_=0), literal(1))


def waits_for_its_seal() -> ColumnElement[bool]:
    """SQL: a public row that the sealer has not come to yet. How far back is said of both sides, or PostgreSQL would read
    all that is sealed beside the few."""
    before = select(func.max(PublicRow.id)).scalar_subquery() - RECENT
    is_sealed = select(SealedRow.number).where(SealedRow.row_id == PublicRow.id, SealedRow.row_id > before).exists()
    return and_(PublicRow.id > before, ~is_sealed)


def raised(session: Session, campaign_id: int, book: str) -> int:
    """Fen that were given and stayed, by the public ledger."""
    return int(session.scalar(select(sums(book, campaign_id).c.raised)) or 0)
