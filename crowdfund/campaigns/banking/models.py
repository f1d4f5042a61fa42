"""Cash that a station paid into the bank, and the gifts that it consists of."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.banking.states import DEPOSIT, DepositState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

STANDS = text("state <> 'withdrawn'")
IS_IN_ONE = text("stands")


class CashDeposit(Base):
    """One slip of the bank. It is booked as on its way when it is written down, as ours when another person has found it."""

    __tablename__ = "cash_deposit"
    __table_args__ = (
        CheckConstraint("fen > 0", "pays_something"),
        CheckConstraint("state <> 'confirmed' OR (decider_id IS NOT NULL AND decider_id <> clerk_id)", "two_people"),
        CheckConstraint("state <> 'confirmed' OR found_fen = fen", "the_same_sum"),
        CheckConstraint("state <> 'differs' OR (found_fen <> fen AND difference <> '')", "difference_named"),
        CheckConstraint("(state = 'paid_in') = (decided_at IS NULL)", "decided"),
        Index("one_slip_of_the_bank", "slip_number", unique=True, info=only(STANDS)),
        Index(None, "station_code", "id"),
    )
    TRANSITIONS = DEPOSIT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[DepositState] = mapped_column(default=DepositState.PAID_IN)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    book: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)
    slip_number: Mapped[str]
    paid_on: Mapped[date]
    clerk_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    found_fen: Mapped[int | None] = mapped_column(BigInteger)  # what the bank's statement of account says
    difference: Mapped[str] = mapped_column(default="")  # what was found out about another sum
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


class DepositedGift(Base):
    """A gift whose cash is in a deposit; of a campaign called off later, how the money came back into the drawer."""

    __tablename__ = "deposited_gift"
    __table_args__ = (
        Index("one_deposit_of_a_gift", "gift", unique=True, info=only(IS_IN_ONE)),
        CheckConstraint("(drawn_by IS NULL) = (drawn_number = '')", "drawn_with_number"),
        CheckConstraint("arrived_by IS NULL OR (drawn_by IS NOT NULL AND arrived_by <> drawn_by)", "two_people_draw"),
    )
    deposit_id: Mapped[int] = mapped_column(ForeignKey("cash_deposit.id"), primary_key=True)
    gift: Mapped[str] = mapped_column(ForeignKey("cash_gift.gift"), primary_key=True)
    stands: Mapped[bool] = mapped_column(default=True)  # no longer once its deposit is withdrawn
    drawn_number: Mapped[str] = mapped_column(default="")  # the bank's, of what was sent back to the station
    drawn_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    arrived_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who put it into the drawer
    arrived_at: Mapped[datetime | None]


FIXED = ("station_code", "book", "fen", "slip_number", "paid_on", "clerk_id", "public_id")
CHANGED = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in FIXED)
triggers.register(
    triggers.Guard("cash_deposit", "UPDATE", CHANGED, "what was paid in is written down once"),
    triggers.Guard("cash_deposit", "DELETE", "TRUE", "a deposit is kept"),
    triggers.Guard("deposited_gift", "DELETE", "TRUE", "what a deposit consists of is kept"),
)
