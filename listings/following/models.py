"""What people keep in mind, and what they were told of it."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

WATCHED: Final = text("tells_price OR tells_return")


class ListingChange(Base):
    """A listing whose version has changed, for the worker: written by the database, in the transaction that changes it."""

    __tablename__ = "listing_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int]


triggers.register(triggers.Note("listing", "version", "listing_change"))


class Favourite(Base):
    """One pack that one person keeps in mind.

    `wish_fen`: the price at or below which they want to be told; without one, whatever is below `saved_price_fen`.
    `told_price_fen`: the lowest price they know of. `told_on`: the day of the latest message; there is one a day at most.
    What the worker saw when it looked last: `seen_version` of the listing, on `looked_on`; `was_away`: since they were told
    of it last it could not be had at some time; `was_out_of_season` likewise."""

    __tablename__ = "favourite"
    __table_args__ = (
        UniqueConstraint("person_id", "variant_code"),
        CheckConstraint("saved_price_fen > 0", "saved_price"),
        CheckConstraint("wish_fen IS NULL OR wish_fen > 0", "wish"),
        Index("favourite_watched", "looked_on", info=only(WATCHED)),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    variant_code: Mapped[str] = mapped_column(index=True)
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)
    saved_price_fen: Mapped[int]
    tells_price: Mapped[bool] = mapped_column(default=False)
    tells_return: Mapped[bool] = mapped_column(default=False)
    wish_fen: Mapped[int | None]
    told_price_fen: Mapped[int | None]
    told_on: Mapped[date | None]
    was_away: Mapped[bool] = mapped_column(default=False)
    was_out_of_season: Mapped[bool] = mapped_column(default=False)
    seen_version: Mapped[int] = mapped_column(default=0)
    looked_on: Mapped[date]
    language: Mapped[str] = mapped_column(default="zh_CN")  # of the messages

    @property
    def bound_fen(self) -> int:
        """The highest price that counts as cheaper."""
        return self.saved_price_fen - 1 if self.wish_fen is None else self.wish_fen
