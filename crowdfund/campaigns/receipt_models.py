"""Receipts: their numbers, what they are for, and what the database itself does not let happen to them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.states import RECEIPT, ReceiptState
from marketplace.core import clock, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

VALID = text("state = 'issued'")


class Receipt(Base):
    """A numbered receipt, for one gift or for somebody's year. Numbers have no gap; at most one of each is valid."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("series", "sequence"),
        CheckConstraint("(contribution_id IS NULL) <> (year_id IS NULL)", "for_a_gift_or_a_year"),
        Index("one_valid_receipt", "contribution_id", unique=True, info=only(VALID)),
        Index("one_valid_receipt_a_year", "year_id", unique=True, info=only(VALID)),
    )
    TRANSITIONS = RECEIPT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)  # the number as printed
    check_code: Mapped[str]  # printed beside it, and asked for by the verification page
    series: Mapped[str]
    sequence: Mapped[int]
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    year_id: Mapped[int | None] = mapped_column(ForeignKey("receipt_year.id"), index=True)
    state: Mapped[ReceiptState] = mapped_column(default=ReceiptState.ISSUED)
    book: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)


class ReceiptSeries(Base):
    """The last number given out of a series; raised in the transaction that issues the receipt, so that none is lost."""

    __tablename__ = "receipt_series"
    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


def stayed(gift: str) -> str:
    """SQL: what of this gift is still in its campaign's account or was spent from it."""
    return (
        "(SELECT COALESCE(-SUM(l.amount), 0) FROM contribution c JOIN entry e ON e.reference = c.public_id "
        "JOIN line l ON l.entry_id = e.id JOIN ledger_account a ON a.id = l.account_id AND a.kind = 'restricted' "
        f"WHERE c.id = {gift})"
    )


def has_valid(gift: str) -> str:
    """SQL: a valid receipt says that this gift stayed."""
    return (
        f"(EXISTS (SELECT 1 FROM receipt r WHERE r.contribution_id = {gift} AND r.state = 'issued') "
        "OR EXISTS (SELECT 1 FROM receipt_gift g JOIN receipt r ON r.public_id = g.receipt AND r.state = 'issued' "
        f"WHERE g.contribution_id = {gift}))"
    )


LISTED = "receipt_gift i WHERE i.receipt = NEW.public_id"
FOR_A_GIFT = (
    "NEW.fen > (SELECT fen FROM contribution WHERE id = NEW.contribution_id) OR "
    f"{has_valid('NEW.contribution_id')} OR "
    # the first one comes with the money, later ones after some of it went
    "(EXISTS (SELECT 1 FROM receipt WHERE contribution_id = NEW.contribution_id) "
    f"AND NEW.fen > {stayed('NEW.contribution_id')})"
)
FOR_A_YEAR = (
    f"NEW.fen <> (SELECT COALESCE(SUM(i.fen), 0) FROM {LISTED}) OR "
    f"EXISTS (SELECT 1 FROM {LISTED} AND ({has_valid('i.contribution_id')} OR i.fen > {stayed('i.contribution_id')}))"
)
OF_A_YEAR = f"NEW.contribution_id IS NULL AND ({FOR_A_YEAR})"
SAYS_TOO_MUCH = f"NEW.state = 'issued' AND (({OF_A_YEAR}) OR (NEW.contribution_id IS NOT NULL AND ({FOR_A_GIFT})))"
FIXED = ("public_id", "check_code", "series", "sequence", "contribution_id", "year_id", "book", "fen", "issued_at")
CHANGED = " OR ".join(
    (*(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in FIXED), "NEW.state = 'issued' AND OLD.state <> 'issued'")
)
LEAVES = (
    "EXISTS (SELECT 1 FROM line l JOIN ledger_account a ON a.id = l.account_id AND a.kind = 'restricted' "
    "WHERE l.entry_id = NEW.id AND l.amount > 0)"
)
IS_SAID_TO_STAY = has_valid("(SELECT id FROM contribution WHERE public_id = NEW.reference)")
BOOKS = ("contribution", "entry", "line", "ledger_account", "receipt", "receipt_gift")
KEPT = "a receipt is never changed, only voided"
triggers.register(
    triggers.Guard("receipt", "INSERT", SAYS_TOO_MUCH, "a receipt says what stayed, once", reads=BOOKS),
    triggers.Guard("receipt", "UPDATE", CHANGED, KEPT, reads=("receipt_year",)),
    triggers.Guard("receipt", "DELETE", "TRUE", KEPT),
    triggers.Guard("receipt", "TRUNCATE", "TRUE", KEPT),
    triggers.Guard(
        "entry", "INSERT", f"{LEAVES} AND {IS_SAID_TO_STAY}", "its receipt is valid", reads=BOOKS, of="out_of_a_gift"
    ),
)
