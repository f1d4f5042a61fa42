"""What the sealer writes beside the chain of public rows: balances in its order, sums by day, and how it was found."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, triggers
from marketplace.core.db import Base


class SealedRow(Base):
    """A public row at its place in the chain, and the balances after it. What pages filter by stands here once more."""

    __tablename__ = "sealed_row"
    __table_args__ = (
        Index(None, "book", "number"),
        Index(None, "book", "campaign_id", "number"),
        Index(None, "book", "kind", "number"),
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(ForeignKey("public_row.id"), unique=True)
    book: Mapped[str]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    campaign_fen: Mapped[int] = mapped_column(BigInteger)  # this campaign's, in this book
    book_fen: Mapped[int] = mapped_column(BigInteger)  # of all campaigns together, in this book


class LedgerDay(Base):
    """What one campaign got, gave back and spent on one day in Shanxi: sums of its sealed rows.

    A refund that did not arrive and came back counts against `refunded_fen`."""

    __tablename__ = "ledger_day"
    book: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    received_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    spent_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    gifts: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)


class LedgerCheck(Base):
    """One reading of the whole chain by the worker: how many rows it read, and the first that does not fit."""

    __tablename__ = "ledger_check"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    rows: Mapped[int]
    broken_number: Mapped[int | None]


class LedgerTold(Base):
    """The last sealed row that partners' machines were told of; one row."""

    __tablename__ = "ledger_told"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]


triggers.register(*triggers.append_only("sealed_row"), *triggers.append_only("ledger_check"))
