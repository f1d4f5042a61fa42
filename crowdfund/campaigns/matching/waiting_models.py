"""Matches that wait until a person has looked, and what is known of where gifts to a campaign with a fund come from."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.states import HELD_MATCH, HeldState
from marketplace.core import clock, ids
from marketplace.core.db import Base

LARGE_FEN: Final = 100_000  # a match from here on is decided by two people


class HeldMatch(Base):
    """The match that a gift would have, kept for it in its fund until a person releases or denies it.

    The gift itself was received and has its receipt. `reasons` are codes with the figures that led to them."""

    __tablename__ = "held_match"
    __table_args__ = (
        CheckConstraint("fen > 0", "keeps_something"),
        CheckConstraint("released_fen >= 0 AND released_fen <= fen", "no_more_than_kept"),
        CheckConstraint("state = 'released' OR released_fen = 0", "released_by_state"),
        CheckConstraint("state NOT IN ('released', 'denied') OR decider_id IS NOT NULL", "decided_by_somebody"),
        CheckConstraint("proposer_id IS NULL OR decider_id IS NULL OR proposer_id <> decider_id", "two_people"),
        CheckConstraint(
            f"fen < {LARGE_FEN} OR state NOT IN ('released', 'denied') OR proposer_id IS NOT NULL", "large_by_two_people"
        ),
        CheckConstraint("state <> 'proposed' OR (proposer_id IS NOT NULL AND proposal <> '')", "proposed_by_somebody"),
        CheckConstraint("proposal IN ('', 'released', 'denied')", "known_proposal"),
        Index(None, "fund_id", "giver"),
        Index(None, "state", "at"),
    )
    TRANSITIONS = HELD_MATCH
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    fund_id: Mapped[int] = mapped_column(ForeignKey("matching_fund.id"))
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), unique=True)
    giver: Mapped[str] = mapped_column(default="")  # as in gift_match
    state: Mapped[HeldState] = mapped_column(default=HeldState.HELD)
    fen: Mapped[int] = mapped_column(BigInteger)
    released_fen: Mapped[int] = mapped_column(BigInteger, default=0)  # less than kept where the campaign was full by then
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    proposal: Mapped[str] = mapped_column(default="")
    proposer_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]


class GiftTrace(Base):
    """Where a gift came from, hashed with a key of ours, and what it got of a fund; what is empty, nobody knows.

    The hashes are forgotten after some time; see `traces`."""

    __tablename__ = "gift_trace"
    __table_args__ = (
        Index(None, "series", "card"),
        Index(None, "series", "device"),
        Index(None, "series", "giver"),
        Index(None, "series", "network", "at"),
        Index(None, "at"),
    )
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True)
    device: Mapped[str] = mapped_column(default="")
    network: Mapped[str] = mapped_column(default="")
    card: Mapped[str] = mapped_column(default="")
    series: Mapped[int | None] = mapped_column(ForeignKey("matching_fund.id"))  # once it is matched, or waits
    giver: Mapped[str] = mapped_column(default="")
    fen: Mapped[int] = mapped_column(BigInteger, default=0)  # of the match, waiting or not
    at: Mapped[datetime] = mapped_column(default=clock.now)


class SponsorTrace(Base):
    """From where a sponsor went to the cashier, hashed alike; the card is with the payment."""

    __tablename__ = "sponsor_trace"
    fund_id: Mapped[int] = mapped_column(ForeignKey("matching_fund.id"), primary_key=True)
    network: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
