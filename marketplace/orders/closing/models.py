"""A closed day. What is booked after it belongs to the next one."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, triggers
from marketplace.core.db import Base


class StationDay(Base):
    """What happened at a station after `since` and until `until`, and what it was owed then, by one of the books."""

    __tablename__ = "station_day"
    __table_args__ = (
        CheckConstraint("since < until", "has_length"),
        CheckConstraint("accepted >= 0 AND packed >= 0 AND sent >= 0 AND fetched >= 0 AND refused >= 0", "counts"),
    )
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), primary_key=True)
    book: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    accepted: Mapped[int]  # parcels that took this step meanwhile
    packed: Mapped[int]
    sent: Mapped[int]
    fetched: Mapped[int]
    refused: Mapped[int]
    refunded_fen: Mapped[int] = mapped_column(BigInteger)  # asked for, to buyers of this station's parcels
    fees_fen: Mapped[int] = mapped_column(BigInteger)  # settled: with the shipping all that became payable
    shipping_fen: Mapped[int] = mapped_column(BigInteger)
    borne_fen: Mapped[int] = mapped_column(BigInteger)  # the station's own part of refunds and cases, less what came back
    cash_fen: Mapped[int] = mapped_column(BigInteger)  # taken in at the desk
    held_fen: Mapped[int] = mapped_column(BigInteger)  # to the station's credit when the day was closed, not yet settled
    payable_fen: Mapped[int] = mapped_column(BigInteger)  # and settled
    closed_by: Mapped[str]
    closed_at: Mapped[datetime] = mapped_column(default=clock.now)


class CashCount(Base):
    """What was counted in the station's drawer when the day was closed, beside what the ledger said lay there."""

    __tablename__ = "cash_count"
    __table_args__ = (
        ForeignKeyConstraint(
            ["station_code", "book", "day"], ["station_day.station_code", "station_day.book", "station_day.day"]
        ),
        CheckConstraint("counted_fen >= 0", "counted"),
    )
    station_code: Mapped[str] = mapped_column(primary_key=True)
    book: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    ledger_fen: Mapped[int] = mapped_column(BigInteger)
    counted_fen: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str] = mapped_column(default="")  # where the two differ: no difference without a word


triggers.register(*triggers.append_only("station_day"), *triggers.append_only("cash_count"))
