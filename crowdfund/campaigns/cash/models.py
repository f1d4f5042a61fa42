"""Which gifts a station took in cash, and what it gave back of them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.db import Base


class CashGift(Base):
    """Taken by a clerk, into the drawer of one station: the books' `cash_desk`."""

    __tablename__ = "cash_gift"
    __table_args__ = (
        CheckConstraint("(returned_at IS NULL) = (returned_by IS NULL)", "returned_by_somebody"),
        Index(None, "station_code", "at"),
    )
    gift: Mapped[str] = mapped_column(ForeignKey("contribution.public_id"), primary_key=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    clerk_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    returned_at: Mapped[datetime | None]
    returned_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    returned_why: Mapped[str] = mapped_column(default="")
