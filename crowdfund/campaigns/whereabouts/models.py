"""Lines of invoices, and which money paid them. Made from the sealed rows, so that it can be made again."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.models import Disbursement
from marketplace.core.db import Base
from marketplace.core.partial import only

LEFT = text("back_fen + spent_fen < came_fen")


class BillLine(Base):
    """What a provider's invoice is for, line by line; the lines of a payment add up to it. Written with the request."""

    __tablename__ = "bill_line"
    __table_args__ = (UniqueConstraint("disbursement_id", "position"), CheckConstraint("fen > 0", "costs_something"))
    id: Mapped[int] = mapped_column(primary_key=True)
    disbursement_id: Mapped[int] = mapped_column(ForeignKey(Disbursement.id))
    position: Mapped[int]
    what_zh: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)


class GivenMoney(Base):
    """What one row of the public ledger brought: a gift, or the match of one. What is left of it may pay invoices.

    came = back + spent + not yet spent, always."""

    __tablename__ = "given_money"
    __table_args__ = (
        UniqueConstraint("reference", "kind"),
        CheckConstraint("kind IN ('gift', 'match')", "known_kind"),
        CheckConstraint("came_fen > 0 AND back_fen >= 0 AND spent_fen >= 0", "sums"),
        CheckConstraint("back_fen + spent_fen <= came_fen", "no_more_than_came"),
        Index("given_money_left", "campaign_id", "book", "number", info=only(LEFT)),
        Index(None, "campaign_id", "book", "number"),
    )
    number: Mapped[int] = mapped_column(ForeignKey("sealed_row.number"), primary_key=True, autoincrement=False)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    book: Mapped[str]
    kind: Mapped[str]
    reference: Mapped[str]  # the gift's public id; of a match its fund and its gift
    came_fen: Mapped[int] = mapped_column(BigInteger)
    back_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    spent_fen: Mapped[int] = mapped_column(BigInteger, default=0)

    @property
    def left_fen(self) -> int:
        return self.came_fen - self.back_fen - self.spent_fen


class SpentMoney(Base):
    """So much of it paid this line."""

    __tablename__ = "spent_money"
    __table_args__ = (CheckConstraint("fen > 0", "pays_something"), Index(None, "bill_line_id"))
    number: Mapped[int] = mapped_column(ForeignKey("given_money.number"), primary_key=True, autoincrement=False)
    bill_line_id: Mapped[int] = mapped_column(ForeignKey("bill_line.id"), primary_key=True, autoincrement=False)
    fen: Mapped[int] = mapped_column(BigInteger)


class MoneyFollowed(Base):
    """The last sealed row that was looked at; one row."""

    __tablename__ = "money_followed"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
