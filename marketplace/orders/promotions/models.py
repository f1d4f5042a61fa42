"""Promotions, what they may cost, and the orders that used them."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.orders.promotions.states import PROMOTION, USE, Kind, PromotionState, Scope, UseState

WHOLE_BPS = 10_000
MOST_PERCENT = 90


class Promotion(Base):
    """What comes off, from which goods, for how long and how often, and who bears it: basis points that add up to 10,000.

    `used_fen` is what orders have taken of the budget, those that are not paid yet among them; it moves by guarded UPDATEs
    alone (`using`)."""

    __tablename__ = "promotion"
    __table_args__ = (
        CheckConstraint("seller_bps >= 0 AND platform_bps >= 0 AND seller_bps + platform_bps = 10000", "somebody_bears_it"),
        CheckConstraint(
            "(kind = 'amount' AND amount_fen > 0 AND percent = 0) OR (kind = 'percent' AND percent BETWEEN 1 AND 90 "
            "AND amount_fen = 0) OR (kind = 'free_shipping' AND amount_fen = 0 AND percent = 0 AND platform_bps = 10000)",
            "kind_has_its_figure",
        ),
        CheckConstraint("most_fen > 0", "cap"),
        CheckConstraint("threshold_fen >= 0 AND starts_at < ends_at", "threshold_and_time"),
        CheckConstraint("seller_public_id = '' OR seller_bps = 10000", "a_seller_bears_their_own"),
        CheckConstraint("budget_fen > 0 AND used_fen BETWEEN 0 AND budget_fen", "used_within_budget"),
        CheckConstraint(
            "spent_fen BETWEEN 0 AND used_fen AND platform_used_fen BETWEEN 0 AND used_fen", "spent_within_used"
        ),
        CheckConstraint("uses >= 0 AND uses <= uses_most AND uses_each > 0", "uses_within_limit"),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", "four_eyes"),
        Index(None, "state", "ends_at"),
    )
    TRANSITIONS = PROMOTION
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    book: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    code: Mapped[str | None] = mapped_column(unique=True)  # None: whoever buys such goods has it by itself
    kind: Mapped[Kind]
    amount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    percent: Mapped[int] = mapped_column(default=0)
    most_fen: Mapped[int | None] = mapped_column(BigInteger)  # the percentage takes no more than that off an order
    threshold_fen: Mapped[int] = mapped_column(BigInteger, default=0)  # of goods in scope
    scope: Mapped[Scope]
    scope_values: Mapped[list[str]] = mapped_column(JSON, default=list)  # stations, sellers, categories or listings by code
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    budget_fen: Mapped[int] = mapped_column(BigInteger)
    uses_most: Mapped[int | None]
    uses_each: Mapped[int | None]  # of one person or phone number
    seller_bps: Mapped[int]
    platform_bps: Mapped[int]
    seller_public_id: Mapped[str] = mapped_column(default="", index=True)  # whose own it is; empty for the province's
    made_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    state: Mapped[PromotionState] = mapped_column(default=PromotionState.DRAFT)
    used_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    spent_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    platform_used_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    uses: Mapped[int] = mapped_column(default=0)

    @property
    def platform_budget_fen(self) -> int:
        """What of the budget the province puts up when it goes live."""
        return self.budget_fen * self.platform_bps // WHOLE_BPS


class PromotionUse(Base):
    """One order's use of one promotion."""

    __tablename__ = "promotion_use"
    __table_args__ = (
        UniqueConstraint("promotion_id", "order_number"),
        CheckConstraint("discount_fen > 0 AND platform_fen BETWEEN 0 AND discount_fen", "use_figures"),
    )
    TRANSITIONS = USE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotion.id"))
    order_number: Mapped[str] = mapped_column(ForeignKey("order.number"), index=True)
    state: Mapped[UseState] = mapped_column(default=UseState.RESERVED)
    discount_fen: Mapped[int] = mapped_column(BigInteger)
    platform_fen: Mapped[int] = mapped_column(BigInteger)  # within the discount
    at: Mapped[datetime] = mapped_column(default=clock.now)
