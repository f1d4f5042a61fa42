"""Credits of the bank by which a provider paid something back, and the lines of its invoice that it paid back."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

STANDS = text("refused_why = '' AND corrected_at IS NULL")
UNREFUSED = text("refused_why = ''")


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
    corrected_at: Mapped[datetime | None]  # two people found that it had been let in by mistake

    @property
    def is_approved(self) -> bool:
        """Let in, and it counts."""
        return self.decided_at is not None and not self.refused_why and self.corrected_at is None


class RepaymentCorrection(Base):
    """What was let in and is not there: let in by mistake, or taken back by the bank. Another person decides."""

    __tablename__ = "repayment_correction"
    __table_args__ = (
        CheckConstraint("(decided_at IS NULL) = (decider_id IS NULL)", "decided_by_somebody"),
        CheckConstraint("decider_id IS NULL OR decider_id <> officer_id", "two_people"),
        CheckConstraint("refused_why = '' OR decided_at IS NOT NULL", "refused_by_somebody"),
        Index("one_correction_of_a_repayment", "repayment_id", unique=True, info=only(UNREFUSED)),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    repayment_id: Mapped[int] = mapped_column(ForeignKey("repayment.id"))
    why_zh: Mapped[str]  # everybody reads it
    officer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    refused_why: Mapped[str] = mapped_column(default="")


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
    " WHERE l.bill_line_id = NEW.bill_line_id AND p.refused_why = '' AND p.corrected_at IS NULL)"
)
TOO_MUCH = (
    f"NEW.fen > (SELECT b.fen FROM bill_line b WHERE b.id = NEW.bill_line_id) - {BACK}"
    " OR NOT EXISTS (SELECT 1 FROM repayment p JOIN bill_line b ON b.disbursement_id = p.disbursement_id"
    " WHERE p.id = NEW.repayment_id AND b.id = NEW.bill_line_id"
    f" AND p.fen >= NEW.fen + {BEFORE_SUM.format(repayment='NEW.repayment_id')})"
)
SAME = " AND ".join(f"NEW.{name} = OLD.{name}" for name in ("decided_at", "decider_id", "refused_why"))
AGAIN = f"NOT COALESCE({SAME}, FALSE) OR OLD.corrected_at IS NOT NULL OR NEW.corrected_at IS NULL"  # nothing is emptied
DECIDED = f"(OLD.decided_at IS NOT NULL AND ({AGAIN}))"
AGREED = (
    "EXISTS (SELECT 1 FROM repayment_correction k WHERE k.repayment_id = NEW.id AND k.decided_at IS NOT NULL"
    " AND k.refused_why = '')"
)
BY_ONE = f"NEW.corrected_at IS NOT NULL AND (NEW.decided_at IS NULL OR NEW.refused_why <> '' OR NOT {AGREED})"
OTHER = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in ("public_id", "repayment_id", "why_zh", "officer_id"))
NOT_LET_IN = (
    "NOT EXISTS (SELECT 1 FROM repayment p WHERE p.id = NEW.repayment_id AND p.decided_at IS NOT NULL"
    " AND p.refused_why = '')"
)
triggers.register(
    triggers.Guard("repayment", "INSERT", UNPAID, "nothing was paid that could come back", reads=("disbursement",)),
    triggers.Guard(
        "repayment",
        "UPDATE",
        f"{CHANGED} OR {DECIDED}",
        "what was paid back is written down once and decided once",
        reads=("repayment_correction",),
    ),
    triggers.Guard(
        "repayment",
        "UPDATE",
        BY_ONE,
        "two people correct what was let in",
        of="correction",
        reads=("repayment_correction",),
    ),
    triggers.Guard(
        "repayment_correction", "INSERT", NOT_LET_IN, "nothing was let in that could be corrected", reads=("repayment",)
    ),
    triggers.Guard(
        "repayment_correction",
        "UPDATE",
        f"OLD.decided_at IS NOT NULL OR {OTHER}",
        "a correction is written down once and decided once",
    ),
    triggers.Guard("repayment_correction", "DELETE", "TRUE", "corrections are kept"),
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
        reads=("repayment", "bill_line", "repayment_correction"),
    ),
    *triggers.append_only("repaid_line"),
)
