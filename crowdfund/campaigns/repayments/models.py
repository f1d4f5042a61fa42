"""Credits of the bank by which a provider paid something back, and the lines of its invoice that it paid back."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

STANDS = text("refused_why = ''")


class Repayment(Base):
    """One credit on the bank's statement of account, of one payment. It moves nothing until another person has approved it.

    A record beside its payment, whose states have no place for it: undecided, approved, or refused with a reason."""

    __tablename__ = "repayment"
    __table_args__ = (
        CheckConstraint("fen > 0", "brings_something"),
        CheckConstraint("(decided_at IS NULL) = (decider_id IS NULL)", "decided_by_somebody"),
        CheckConstraint("decider_id IS NULL OR decider_id <> officer_id", "two_people"),
        CheckConstraint("refused_why = '' OR decided_at IS NOT NULL", "refused_by_somebody"),
        Index("one_credit_of_the_bank", "bank_reference", unique=True, info=only(STANDS)),
        Index(None, "disbursement_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    disbursement_id: Mapped[int] = mapped_column(ForeignKey("disbursement.id"))
    fen: Mapped[int] = mapped_column(BigInteger)
    bank_reference: Mapped[str]  # the bank's own number of it
    received_on: Mapped[date]
    why_zh: Mapped[str]  # everybody reads it
    sha256: Mapped[str]  # of the bank's paper as it was sent; everybody may know it
    file_name: Mapped[str]  # in the media folder: for the organisation's officers
    officer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    refused_why: Mapped[str] = mapped_column(default="")

    @property
    def is_approved(self) -> bool:
        return self.decided_at is not None and not self.refused_why


class RepaidLine(Base):
    """So much of this line of the invoice came back."""

    __tablename__ = "repaid_line"
    __table_args__ = (CheckConstraint("fen > 0", "brings_something"), Index(None, "bill_line_id"))
    repayment_id: Mapped[int] = mapped_column(ForeignKey("repayment.id"), primary_key=True, autoincrement=False)
    bill_line_id: Mapped[int] = mapped_column(ForeignKey("bill_line.id"), primary_key=True, autoincrement=False)
    fen: Mapped[int] = mapped_column(BigInteger)


FIXED = (
    "public_id",
    "disbursement_id",
    "fen",
    "bank_reference",
    "received_on",
    "why_zh",
    "sha256",
    "file_name",
    "officer_id",
)
CHANGED = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in FIXED)
UNPAID = "NOT EXISTS (SELECT 1 FROM disbursement d WHERE d.id = NEW.disbursement_id AND d.state IN ('paid', 'evidenced'))"
BEFORE_SUM = "(SELECT COALESCE(SUM(l.fen), 0) FROM repaid_line l WHERE l.repayment_id = {repayment})"
IS_OPEN = (
    "EXISTS (SELECT 1 FROM disbursement d JOIN campaign c ON c.id = d.campaign_id WHERE d.id = NEW.disbursement_id"
    " AND c.state IN ('live', 'paused', 'ended', 'disbursing'))"
)
NOT_SO = (
    "NEW.decided_at IS NOT NULL AND NEW.refused_why = ''"
    f" AND (NEW.fen <> {BEFORE_SUM.format(repayment='NEW.id')} OR NOT {IS_OPEN})"
)
BACK = (
    "(SELECT COALESCE(SUM(l.fen), 0) FROM repaid_line l JOIN repayment p ON p.id = l.repayment_id"
    " WHERE l.bill_line_id = NEW.bill_line_id AND p.refused_why = '')"
)
TOO_MUCH = (
    f"NEW.fen > (SELECT b.fen FROM bill_line b WHERE b.id = NEW.bill_line_id) - {BACK}"
    " OR NOT EXISTS (SELECT 1 FROM repayment p JOIN bill_line b ON b.disbursement_id = p.disbursement_id"
    " WHERE p.id = NEW.repayment_id AND b.id = NEW.bill_line_id"
    f" AND p.fen >= NEW.fen + {BEFORE_SUM.format(repayment='NEW.repayment_id')})"
)
triggers.register(
    triggers.Guard("repayment", "INSERT", UNPAID, "nothing was paid that could come back", reads=("disbursement",)),
    triggers.Guard(
        "repayment",
        "UPDATE",
        f"OLD.decided_at IS NOT NULL OR {CHANGED}",
        "what was paid back is written down once and decided once",
    ),
    triggers.Guard(
        "repayment",
        "UPDATE",
        NOT_SO,
        "its lines are the sum that came, and its campaign can spend it",
        of="approval",
        reads=("repaid_line", "disbursement", "campaign"),
    ),
    triggers.Guard("repayment", "DELETE", "TRUE", "what was paid back is kept"),
    triggers.Guard(
        "repaid_line",
        "INSERT",
        TOO_MUCH,
        "more than was paid on this line",
        lock="'repaid' || NEW.bill_line_id",
        reads=("repayment", "bill_line"),
    ),
    *triggers.append_only("repaid_line"),
)
