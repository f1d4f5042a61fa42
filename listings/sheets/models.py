"""Imported sheets, their rows with what was there before, and the pictures that came beside them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from listings.sheets.states import IMPORT, ImportState, Outcome
from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.outbox import Leased


class ListingImport(Leased, Base):
    """One sheet of one seller. What the worker has to do with it is leased, and goes on where it stood."""

    __tablename__ = "listing_import"
    __table_args__ = (
        Index(None, "seller_id", "id"),
        Index(None, "state", "next_at"),
        CheckConstraint("done >= 0 AND total >= 0", "figures"),
    )
    TRANSITIONS = IMPORT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[ImportState] = mapped_column(default=ImportState.WAITING)
    seller_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    file_name: Mapped[str]  # as the seller called it
    sheet: Mapped[str]  # where it lies among the files of imports
    pictures: Mapped[str] = mapped_column(default="")  # likewise the ZIP beside it; empty: none came
    submits: Mapped[bool] = mapped_column(default=False)  # new goods go to the station, else they are drafts
    only_good: Mapped[bool] = mapped_column(default=False)  # rows that are refused keep the others back, else
    total: Mapped[int] = mapped_column(default=0)  # rows and pictures to look at
    done: Mapped[int] = mapped_column(default=0)  # of them
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # why it cannot be read: code, values
    notes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # unknown headings, rows that moved meanwhile
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    applied_at: Mapped[datetime | None]


class ListingImportRow(Base):
    """A row as it came, what it would do, and what it did."""

    __tablename__ = "listing_import_row"
    __table_args__ = (UniqueConstraint("import_id", "number"), Index(None, "import_id", "verdict", "number"))
    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("listing_import.id"))
    number: Mapped[int]  # the sheet's own, counted from 1
    cells: Mapped[dict[str, str]] = mapped_column(JSON)  # by the keys of columns
    flaws: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # column: formula or merged, found while reading
    verdict: Mapped[str] = mapped_column(default="")  # states.Verdict; empty until it is compared
    target: Mapped[str] = mapped_column(default="")  # the pack that it changes, or the code that new goods will have
    was: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # of what it changes, the values before
    entry: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # and after
    stock_change: Mapped[int] = mapped_column(default=0)  # packs
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # column, code, values
    outcome: Mapped[str] = mapped_column(default=Outcome.NONE.value)


class ListingImportPicture(Base):
    """A picture of the ZIP that some row names: re-encoded, or why it cannot be."""

    __tablename__ = "listing_import_picture"
    __table_args__ = (UniqueConstraint("import_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("listing_import.id"))
    name: Mapped[str]  # in small letters, without its folder
    outcome: Mapped[str] = mapped_column(default="waiting")  # then made or unusable
    made: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # digest, width, height
