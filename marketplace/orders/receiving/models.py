"""What came in, who got it, and what growers have said beforehand. Written once and never changed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.orders.receiving.states import SUBSTITUTE, SubstituteState


class Rest(StrEnum):
    """What becomes of packs that did not come."""

    LATER = "later"  # they are still to be brought
    REFUND = "refund"  # they will never be brought, and their buyers get their money back
    SUBSTITUTE = "substitute"  # nor will these, and their buyers are offered something else


class Arrival(Base):
    """One seller's delivery, as the station took it in."""

    __tablename__ = "arrival"
    __table_args__ = (Index(None, "station_code", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    seller_public_id: Mapped[str] = mapped_column(index=True)
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)


class ArrivalLine(Base):
    """So many packs of one kind. `expected`: what was owed then; what came beyond it is noted and costs nobody anything."""

    __tablename__ = "arrival_line"
    __table_args__ = (
        CheckConstraint("expected > 0 AND came >= 0 AND damaged BETWEEN 0 AND came", "arrival_figures"),
        CheckConstraint("grams IS NULL OR grams > 0", "weighs_something"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    arrival_id: Mapped[int] = mapped_column(ForeignKey("arrival.id"), index=True)
    variant_code: Mapped[str]
    expected: Mapped[int]
    came: Mapped[int]
    damaged: Mapped[int]  # of those that came
    grams: Mapped[int | None]  # of the good ones, where they are sold by weight and were weighed
    rest: Mapped[Rest]
    instead: Mapped[str | None]  # the pack that is offered

    @property
    def taken(self) -> int:
        return min(self.came - self.damaged, self.expected)


class Allotment(Base):
    """What of an arrival one line of an order gets, in packs; `lighter_fen` went back of its price."""

    __tablename__ = "allotment"
    __table_args__ = (
        CheckConstraint(
            "wanted > 0 AND received >= 0 AND missing >= 0 AND offered >= 0 AND received + missing + offered <= wanted",
            "allotment_figures",
        ),
        CheckConstraint("lighter_fen >= 0 AND lighter_fee_fen BETWEEN 0 AND lighter_fen", "lighter_figures"),
    )
    arrival_line_id: Mapped[int] = mapped_column(ForeignKey("arrival_line.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True, index=True)
    wanted: Mapped[int]
    received: Mapped[int]
    missing: Mapped[int]
    offered: Mapped[int] = mapped_column(default=0)  # packs of something else
    lighter_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    lighter_fee_fen: Mapped[int] = mapped_column(BigInteger, default=0)  # within it


class Substitute(Base):
    """Packs of something else for as many that did not come, from the same seller, held for the buyer until they answer.

    Its price is frozen and never higher than what was paid; what it costs less goes back when it is accepted."""

    __tablename__ = "substitute"
    __table_args__ = (
        CheckConstraint("packs > 0 AND unit_price_fen > 0", "substitute_figures"),
        Index(None, "state", "answer_by"),
    )
    TRANSITIONS = SUBSTITUTE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)
    arrival_line_id: Mapped[int] = mapped_column(ForeignKey("arrival_line.id"), index=True)
    state: Mapped[SubstituteState] = mapped_column(default=SubstituteState.OFFERED)
    packs: Mapped[int]
    variant_code: Mapped[str] = mapped_column(index=True)
    title_zh: Mapped[str]
    title_en: Mapped[str]
    unit_zh: Mapped[str]
    unit_en: Mapped[str]
    unit_price_fen: Mapped[int]
    answer_by: Mapped[datetime]


class Forecast(Base):
    """What a seller says they can bring of one pack: the station sees it beside what it enters. The latest word counts."""

    __tablename__ = "forecast"
    __table_args__ = (CheckConstraint("packs >= 0 AND (grams IS NULL OR grams > 0)", "forecast_figures"),)
    seller_public_id: Mapped[str] = mapped_column(primary_key=True)
    variant_code: Mapped[str] = mapped_column(primary_key=True)
    packs: Mapped[int]
    grams: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=clock.now)


triggers.register(
    *triggers.append_only("arrival"), *triggers.append_only("arrival_line"), *triggers.append_only("allotment")
)
