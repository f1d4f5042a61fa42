"""Institutions, what they order on account, what they accept of it, what is credited, and what they pay each month."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.orders.cases.rules import MOST_PICTURES
from marketplace.orders.institutions.states import (
    CHECK,
    INSTITUTION,
    STATEMENT,
    CheckState,
    InstitutionState,
    StatementState,
)


class Institution(Base):
    """Who pays by the month. `outstanding_fen` moves by guarded UPDATEs alone: what is ordered on account and not paid."""

    __tablename__ = "institution"
    __table_args__ = (
        CheckConstraint("kind IN ('canteen', 'school', 'hospital', 'company')", "known_kind"),
        CheckConstraint("limit_fen >= 0 AND outstanding_fen >= 0", "sums"),
        CheckConstraint("statement_day BETWEEN 1 AND 28 AND days_to_pay BETWEEN 1 AND 90", "terms"),
        CheckConstraint("decider_id <> applicant_id", "two_people"),
    )
    TRANSITIONS = INSTITUTION
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[InstitutionState] = mapped_column(default=InstitutionState.APPLIED)
    name: Mapped[str]
    credit_code: Mapped[str] = mapped_column(unique=True)  # GB 32100: also the tax number of its invoices
    kind: Mapped[str]
    place: Mapped[str]  # county or city
    contact: Mapped[str] = mapped_column(Encrypted("institution.contact"))
    phone: Mapped[str] = mapped_column(Encrypted("institution.phone"))
    invoice_title: Mapped[str]
    limit_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    outstanding_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    statement_day: Mapped[int] = mapped_column(default=1)
    days_to_pay: Mapped[int] = mapped_column(default=15)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answer: Mapped[str] = mapped_column(default="")  # why it was refused, paused or closed; its members read it
    applied_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]


class InstitutionMember(Base):
    """Who may act for an institution: a purchaser orders and checks, a payer pays besides."""

    __tablename__ = "institution_member"
    __table_args__ = (CheckConstraint("role IN ('purchaser', 'payer')", "known_role"),)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    role: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=clock.now)


class AccountStatement(Base):
    """What an institution pays for one month; its sum is settled when it is issued, and only credits lower it."""

    __tablename__ = "account_statement"
    __table_args__ = (
        UniqueConstraint("institution_id", "period"),
        CheckConstraint("total_fen > 0 AND credited_fen BETWEEN 0 AND total_fen", "sums"),
        CheckConstraint("(state = 'void') = (credited_fen = total_fen)", "void_when_all_is_credited"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", "paid_at_some_time"),
        CheckConstraint("(invoice_number = '') = (invoiced_on IS NULL)", "invoice_has_both"),
        Index(None, "state", "due_on"),
    )
    TRANSITIONS = STATEMENT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.statement_number)  # ST-7F3KQ2MD
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"))
    period: Mapped[date]  # the first of the month in which it was issued
    state: Mapped[StatementState] = mapped_column(default=StatementState.OPEN)
    book: Mapped[str]
    currency: Mapped[str] = mapped_column(default="CNY")
    total_fen: Mapped[int] = mapped_column(BigInteger)
    credited_fen: Mapped[int] = mapped_column(BigInteger, default=0)  # since it was issued
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    due_on: Mapped[date]
    invoice_number: Mapped[str] = mapped_column(default="")
    invoiced_on: Mapped[date | None]
    paid_at: Mapped[datetime | None]

    @property
    def due_fen(self) -> int:
        return self.total_fen - self.credited_fen


class AccountOrder(Base):
    """An order that an institution placed on account, and the statement it came onto."""

    __tablename__ = "account_order"
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    limit_fen: Mapped[int] = mapped_column(BigInteger)  # and what was outstanding with it: as they were when it was placed
    outstanding_fen: Mapped[int] = mapped_column(BigInteger)
    statement_id: Mapped[int | None] = mapped_column(ForeignKey("account_statement.id"), index=True)
    __table_args__ = (CheckConstraint("outstanding_fen <= limit_fen", "within_limit"),)


class StatementLine(Base):
    """One parcel on a statement, as it was when that was issued."""

    __tablename__ = "statement_line"
    __table_args__ = (CheckConstraint("fen > 0", "owes_something"),)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"), primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("account_statement.id"), index=True)
    fen: Mapped[int] = mapped_column(BigInteger)


class GoodsCheck(Base):
    """What an institution said of a parcel that came. Nothing said in time: everything was accepted."""

    __tablename__ = "goods_check"
    __table_args__ = (
        CheckConstraint("(state = 'claimed') = (ended_at IS NULL)", "ends_once"),
        CheckConstraint("appealed_at IS NULL OR state = 'rejected'", "appeals_against_a_refusal"),
        CheckConstraint(
            "(appeal_answered_at IS NULL) = (appeal_is_granted IS NULL) "
            "AND (appeal_answered_at IS NULL OR appealed_at IS NOT NULL)",
            "is_asked_before_it_is_answered",
        ),
        Index(None, "state", "checked_at"),
    )
    TRANSITIONS = CHECK
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"), unique=True)
    state: Mapped[CheckState]
    words: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")  # the station's
    checked_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    appealed_at: Mapped[datetime | None]  # by the institution, to the province
    appeal_words: Mapped[str] = mapped_column(default="")
    appeal_answer: Mapped[str] = mapped_column(default="")
    appeal_answered_at: Mapped[datetime | None]
    appeal_is_granted: Mapped[bool | None]


class GoodsCheckLine(Base):
    """Of one line: packs that were not accepted, or what the accepted ones weighed where that is less than promised."""

    __tablename__ = "goods_check_line"
    __table_args__ = (
        CheckConstraint("rejected_quantity >= 0", "rejected"),
        CheckConstraint("grams IS NULL OR grams >= 0", "weight"),
        CheckConstraint("reason IN ('missing', 'damaged', 'wrong', 'lighter')", "known_reason"),
    )
    check_id: Mapped[int] = mapped_column(ForeignKey("goods_check.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    rejected_quantity: Mapped[int]
    grams: Mapped[int | None]  # of all packs that were accepted together
    reason: Mapped[str]


class GoodsCheckPicture(Base):
    """A picture of a claim, re-encoded, among those of cases: for the institution, the station and the province alone."""

    __tablename__ = "goods_check_picture"
    __table_args__ = (
        UniqueConstraint("check_id", "position"),
        CheckConstraint(f"position BETWEEN 1 AND {MOST_PICTURES}", "few"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    check_id: Mapped[int] = mapped_column(ForeignKey("goods_check.id"))
    position: Mapped[int]
    digest: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]


class BillCredit(Base):
    """What is taken off the bill of an order before it is paid: to one line what a refund line is after that.

    Goods and shipping are what was asked for them; the bill is lower by them less the discounts on them."""

    __tablename__ = "bill_credit"
    __table_args__ = (
        UniqueConstraint("reason_key", "order_line_id"),
        CheckConstraint("quantity >= 0 AND goods_fen >= 0 AND shipping_fen >= 0", "credit_figures"),
        CheckConstraint("goods_fen + shipping_fen > 0", "takes_something_off"),
        CheckConstraint("service_fee_fen BETWEEN 0 AND goods_fen", "fee_within_goods"),
        CheckConstraint("with_shipping OR shipping_fen = 0", "shipping_only_when_said"),
        CheckConstraint(
            "seller_discount_fen >= 0 AND platform_discount_fen >= 0 AND shipping_discount_fen IN (0, shipping_fen) "
            "AND seller_discount_fen + platform_discount_fen <= goods_fen",
            "discount_within_goods",
        ),
    )
    public_id: Mapped[str] = mapped_column(primary_key=True)  # one for all lines of one cause
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True, index=True)
    reason_key: Mapped[str]  # what caused it, as a refund's
    reason: Mapped[str]
    quantity: Mapped[int]
    goods_fen: Mapped[int] = mapped_column(BigInteger)
    service_fee_fen: Mapped[int] = mapped_column(BigInteger)  # within the goods
    shipping_fen: Mapped[int] = mapped_column(BigInteger)
    seller_discount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    platform_discount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    shipping_discount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    with_shipping: Mapped[bool]
    at: Mapped[datetime] = mapped_column(default=clock.now)

    @classmethod
    def fen(cls) -> ColumnElement[int]:
        """SQL: what the bill is lower by."""
        off = cls.seller_discount_fen + cls.platform_discount_fen + cls.shipping_discount_fen
        return cls.goods_fen + cls.shipping_fen - off


FIXED = ("total_fen", "institution_id", "period", "book", "public_id")
CHANGED = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in FIXED)
triggers.register(
    *triggers.append_only("bill_credit"),
    *triggers.append_only("statement_line"),
    triggers.Guard("account_statement", "UPDATE", CHANGED, "what a statement asks for is settled when it is issued"),
    triggers.Guard("account_statement", "DELETE", "TRUE", "a statement is kept"),
)
