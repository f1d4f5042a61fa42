"""What gateways say has moved, and when it was held against the books."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.money import Money
from marketplace.core.partial import only
from marketplace.payments.reconciliation.states import Verdict

UNMATCHED = text("verdict <> 'matched'")


class GatewayMovement(Base):
    """A movement as the gateway told it, kept once, and what it was matched with."""

    __tablename__ = "gateway_movement"
    __table_args__ = (
        UniqueConstraint("gateway", "remote_id"),
        Index("ix_gateway_movement_source", "gateway", "source_id"),
        Index("movement_unmatched", "gateway", "id", info=only(UNMATCHED)),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    book: Mapped[str]
    remote_id: Mapped[str]
    type: Mapped[str]
    source_id: Mapped[str]
    known_as: Mapped[str]  # the id under which we keep its source: Stripe's charges belong to Checkout Sessions
    ours: Mapped[str]
    gross: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger)
    net: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    presented: Mapped[int | None] = mapped_column(BigInteger)  # what the payer saw, where it was settled in another currency
    presented_currency: Mapped[str | None]
    rate: Mapped[str | None]  # the gateway's own word
    at: Mapped[datetime]
    verdict: Mapped[Verdict]
    matched_entry: Mapped[str | None] = mapped_column(index=True)  # the key of the ledger's entry
    note: Mapped[str] = mapped_column(default="")
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def shown(self) -> Money:
        """As the entries of the payment have it, in the payer's currency."""
        if self.presented is None or self.presented_currency is None:
            return Money(self.gross, self.currency)
        return Money(self.presented, self.presented_currency)


class ReconciliationRun(Base):
    """One time that everything, or the new, was compared. One that never ended was interrupted."""

    __tablename__ = "reconciliation_run"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    gateway: Mapped[str]
    actor: Mapped[str]
    is_whole: Mapped[bool]
    is_dry: Mapped[bool]
    began_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    is_red: Mapped[bool] = mapped_column(default=False)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # verdict -> movements; new; missing
    proof: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # currency -> term -> smallest units


class GatewayCursor(Base):
    """How far a gateway's movements were read, and when the worker looks again."""

    __tablename__ = "gateway_cursor"
    gateway: Mapped[str] = mapped_column(primary_key=True)
    reached: Mapped[datetime | None]
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    whole_on: Mapped[date | None]  # the day, in Shanxi, on which everything was read last


class ReconciliationSwitch(Base):
    """Each time that somebody switched the worker's runs off or on, and why. The last row counts."""

    __tablename__ = "reconciliation_switch"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    actor: Mapped[str]
    why: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)


triggers.register(*triggers.append_only("reconciliation_switch"))
