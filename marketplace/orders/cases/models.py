"""Cases by line and quantity, their pictures, the one appeal of each, and how good what was sold has been."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.orders.cases.rules import Bearer, Condition, Kind, Wish
from marketplace.orders.cases.states import APPEAL, CASE, AppealState, CaseState, Party


class AfterSalesCase(Base):
    """One line of an order that has arrived, so many units of it, and what the buyer says happened."""

    __tablename__ = "after_sales_case"
    __table_args__ = (
        CheckConstraint("quantity > 0", "asks_for_something"),
        CheckConstraint("returned_quantity BETWEEN 1 AND quantity", "returns_within_case"),
        CheckConstraint(
            "spoiled_grams IS NULL AND spoiled_pieces IS NULL OR kind = 'damaged' AND wish = 'refund' "
            "AND returned_quantity IS NULL AND COALESCE(spoiled_grams, spoiled_pieces) > 0",
            "spoiled_is_paid_for",
        ),
        CheckConstraint(
            "spoiled_pieces IS NULL AND pieces_of_pack IS NULL "
            "OR spoiled_grams IS NULL AND spoiled_pieces IS NOT NULL AND COALESCE(pieces_of_pack, 0) > 1",
            "pieces_of_packs",
        ),
        CheckConstraint("state <> 'refunded' OR is_paid_by_bank = (refund_public_id IS NULL)", "refunded_once"),
        CheckConstraint(
            "NOT is_paid_by_bank OR (state = 'refunded' AND returned_quantity IS NOT NULL)", "bank_pays_for_returned_goods"
        ),
        CheckConstraint("(state = 'exchanged') = (exchange_number IS NOT NULL)", "exchanged_by_an_order"),
        Index(None, "state", "decide_by"),
    )
    TRANSITIONS = CASE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)
    state: Mapped[CaseState] = mapped_column(default=CaseState.REQUESTED)
    kind: Mapped[Kind]
    wish: Mapped[Wish]
    quantity: Mapped[int]
    spoiled_grams: Mapped[int | None]  # of these packs; neither these nor pieces: they are bad as a whole
    spoiled_pieces: Mapped[int | None]
    pieces_of_pack: Mapped[int | None]  # beside them: how many a pack holds
    words: Mapped[str] = mapped_column(Encrypted("after_sales_case.words"))
    is_automatic: Mapped[bool] = mapped_column(default=False)  # refunded at once, asked of nobody
    answer: Mapped[str] = mapped_column(default="")  # of whoever decided last, in their words; all parties read it
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    decide_by: Mapped[datetime]  # whatever waits for the station now
    decided_at: Mapped[datetime | None]
    return_by: Mapped[datetime | None]
    returned_quantity: Mapped[int | None]
    condition: Mapped[Condition | None]
    refund_public_id: Mapped[str | None] = mapped_column(ForeignKey("refund.public_id"), unique=True)
    exchange_number: Mapped[str | None] = mapped_column(ForeignKey("order.number"), unique=True)
    is_paid_by_bank: Mapped[bool] = mapped_column(default=False)  # refunded by the buyer's bank: `by_bank`

    @property
    def is_open(self) -> bool:
        return bool(CASE[self.state])

    @property
    def is_in_part(self) -> bool:
        """A weight or some pieces of these packs are bad; no pack goes back."""
        return self.spoiled_grams is not None or self.spoiled_pieces is not None

    @property
    def units_due(self) -> int:
        """Units that a refund gives back: what was brought, where something was to be brought."""
        return self.returned_quantity or self.quantity


class CasePicture(Base):
    """A picture of a case, re-encoded, in a folder of its own: shown to those of the case alone."""

    __tablename__ = "case_picture"
    __table_args__ = (UniqueConstraint("case_id", "position"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    case_id: Mapped[int] = mapped_column(ForeignKey("after_sales_case.id"))
    position: Mapped[int]
    digest: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]


class CaseAppeal(Base):
    """The province is asked, once for each case, and its answer is the last."""

    __tablename__ = "case_appeal"
    __table_args__ = (
        CheckConstraint("(state = 'granted') = (bearer IS NOT NULL)", "granted_says_who_bears"),
        Index(None, "state", "asked_at"),
    )
    TRANSITIONS = APPEAL
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    case_id: Mapped[int] = mapped_column(ForeignKey("after_sales_case.id"), unique=True)
    state: Mapped[AppealState] = mapped_column(default=AppealState.ASKED)
    asked_by: Mapped[Party]
    words: Mapped[str] = mapped_column(Encrypted("case_appeal.words"), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    answer: Mapped[str] = mapped_column(default="")
    bearer: Mapped[Bearer | None]
    decided_at: Mapped[datetime | None]


class QualityCount(Base):
    """How many packs of a seller, or through a station, were sold, how many of them were refunded or replaced, and on whom
    those of the last half year fell; counted by the worker."""

    __tablename__ = "quality_count"
    __table_args__ = (
        CheckConstraint("0 <= refunded_lately AND refunded_lately <= sold_lately", "lately"),
        CheckConstraint("0 <= refunded AND refunded <= sold", "ever"),
        CheckConstraint(
            "on_seller >= 0 AND on_station >= 0 AND on_province >= 0 AND not_sent >= 0 AND called_off >= 0 "
            "AND replaced >= 0 AND lighter >= 0 AND spoiled >= 0 AND refunded_lately = "
            "on_seller + on_station + on_province + not_sent + called_off + replaced + lighter + spoiled",
            "each_has_a_cause",
        ),
    )
    owner_kind: Mapped[str] = mapped_column(primary_key=True)  # seller (a person's public id), station (its code)
    owner: Mapped[str] = mapped_column(primary_key=True)
    sold_lately: Mapped[int]
    refunded_lately: Mapped[int]
    sold: Mapped[int]
    refunded: Mapped[int]
    on_seller: Mapped[int]
    on_station: Mapped[int]
    on_province: Mapped[int]
    not_sent: Mapped[int]
    called_off: Mapped[int]
    replaced: Mapped[int]
    lighter: Mapped[int]
    spoiled: Mapped[int]
    counted_at: Mapped[datetime] = mapped_column(default=clock.now)
