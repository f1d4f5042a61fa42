"""Who wants one receipt a year, the years that have one, and the gifts that stand on it."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import triggers
from marketplace.core.db import Base


class YearlyChoice(Base):
    """Somebody wants one receipt a year instead of one a gift, for what arrived from `since` on."""

    __tablename__ = "yearly_choice"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    since: Mapped[datetime]  # the first moment of a year in Shanxi


class ReceiptYear(Base):
    """What somebody gave to one organisation in one year. Its row is locked while its receipt is made anew."""

    __tablename__ = "receipt_year"
    __table_args__ = (UniqueConstraint("person_id", "organisation_code", "book", "year"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organisation_code: Mapped[str] = mapped_column(ForeignKey("organisation.code"))
    book: Mapped[str]
    year: Mapped[int]


class ReceiptGift(Base):
    """A gift on a year's receipt, with what of it stayed. Written before its receipt, which closes the list."""

    __tablename__ = "receipt_gift"
    __table_args__ = (CheckConstraint("fen > 0", "is_something"),)
    receipt: Mapped[str] = mapped_column(
        ForeignKey("receipt.public_id", deferrable=True, initially="DEFERRED"), primary_key=True
    )
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True, index=True)
    fen: Mapped[int] = mapped_column(BigInteger)


CLOSED = "EXISTS (SELECT 1 FROM receipt WHERE public_id = NEW.receipt)"
triggers.register(
    triggers.Guard("receipt_gift", "INSERT", CLOSED, "the receipt is closed", reads=("receipt",)),
    *triggers.append_only("receipt_gift"),
)
