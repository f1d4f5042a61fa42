"""A plan, and one row for each month in which its gift was asked for."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.states import INSTALLMENT, PLAN, InstallmentState, PlanState
from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.outbox import Leased
from marketplace.core.partial import only

MOST_CHARGES = 4
WAITING = text("is_automatic")


class Plan(Base):
    """Somebody gives the same sum to one campaign every month. It begins with its first gift: `next_on` is empty before."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("fen > 0", "gives_something"),
        CheckConstraint("anonymity IN ('named', 'masked', 'anonymous')", "known_anonymity"),
        CheckConstraint("(state = 'stopped') = (stopped_at IS NOT NULL)", "stopped_once"),
        CheckConstraint("state <> 'stopped' OR (next_on IS NULL AND mandate IS NULL)", "nothing_follows_the_stop"),
        Index(None, "state", "next_on"),
        Index(None, "campaign_id"),
        Index(None, "person_id"),
    )
    TRANSITIONS = PLAN
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    token_hash: Mapped[str] = mapped_column(unique=True)  # of the secret link by which a guest stops it
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    state: Mapped[PlanState] = mapped_column(default=PlanState.ACTIVE)
    book: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(default="CNY")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    anonymity: Mapped[str] = mapped_column(default="anonymous")
    giver: Mapped[str | None] = mapped_column(Encrypted("plan.giver"))
    contact: Mapped[str] = mapped_column(Encrypted("plan.contact"))  # where its letters go
    language: Mapped[str] = mapped_column(default="zh_CN")
    first_on: Mapped[date]  # in Shanxi; its day of the month is that of all others
    next_on: Mapped[date | None]
    gateway: Mapped[str]
    mandate: Mapped[str | None] = mapped_column(Encrypted("plan.mandate"))  # the gateway's name of it; none: pay links
    card_ends_on: Mapped[date | None]  # the last day of the card behind it, where the gateway says it
    card_end_told_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    stopped_at: Mapped[datetime | None]
    stop_reason: Mapped[str] = mapped_column(default="")


class Installment(Leased, Base):
    """One month's gift. `period` is the day on which it fell due; the contribution is what it becomes."""

    __tablename__ = "installment"
    __table_args__ = (
        UniqueConstraint("plan_id", "period"),
        CheckConstraint(f"charges BETWEEN 0 AND {MOST_CHARGES}", "few_charges"),
        Index("installment_waiting", "next_at", info=only(WAITING)),
    )
    TRANSITIONS = INSTALLMENT
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    period: Mapped[date]
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), unique=True)
    state: Mapped[InstallmentState] = mapped_column(default=InstallmentState.DUE)
    charges: Mapped[int] = mapped_column(default=0)  # how often the mandate was charged for it
    is_automatic: Mapped[bool] = mapped_column(default=False)  # the worker looks after it; else only its giver can pay
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
