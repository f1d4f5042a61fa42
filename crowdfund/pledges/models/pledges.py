"""A saver's way to a child: what they typed, the cards they were dealt, the pledge that came of it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.pledges.models.words import listed
from crowdfund.pledges.states import ACTIVE, MOST_REFRESHES, PLEDGE, PROMISED, PledgeState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.partial import only

ACTIVE_STATES = text(f"state IN ({listed(state.value for state in ACTIVE)})")
UNDECLARED = listed({PledgeState.HELD.value, PledgeState.EXPIRED.value, PledgeState.CANCELLED.value})


class Choosing(Base):
    """A voucher number was typed; no voucher is made of it until a card is chosen. Found by a random token."""

    __tablename__ = "choosing"
    __table_args__ = (CheckConstraint(f"deals BETWEEN 0 AND {MOST_REFRESHES + 1}", "refreshes"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    number_hash: Mapped[str]
    last4: Mapped[str]
    issued_on: Mapped[date]
    wish: Mapped[str] = mapped_column(default="")  # a county, or empty: the most urgent
    deals: Mapped[int] = mapped_column(default=0)
    pledge_id: Mapped[int | None] = mapped_column(ForeignKey("pledge.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    expires_at: Mapped[datetime]


class Deal(Base):
    """Three cards as they were dealt: anyone who has the seed of the day can deal them again."""

    __tablename__ = "deal"
    __table_args__ = (UniqueConstraint("choosing_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    choosing_id: Mapped[int] = mapped_column(index=True)  # which may be forgotten; the deal stays
    number: Mapped[int]
    day: Mapped[date] = mapped_column(index=True)
    wish: Mapped[str]
    cards: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # public id and label of each, as shown
    free: Mapped[list[str]] = mapped_column(JSON)  # what was on the list at that moment, in its order
    at: Mapped[datetime] = mapped_column(default=clock.now)


class DrawSeed(Base):
    """The key of one day's shuffle. Its hash is published the day before, the seed itself when the day is over."""

    __tablename__ = "draw_seed"
    day: Mapped[date] = mapped_column(primary_key=True)
    seed: Mapped[str] = mapped_column(Encrypted("draw_seed.seed"))
    seed_hash: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(default=clock.now)


class Pledge(Base):
    """One voucher directs one device to one child."""

    __tablename__ = "pledge"
    __table_args__ = (
        Index(
            "one_active_pledge_of_voucher",
            "voucher_id",
            unique=True,
            info=only(ACTIVE_STATES),
        ),
        Index("one_active_pledge_for_child", "case_id", unique=True, info=only(ACTIVE_STATES)),
        CheckConstraint(f"declared_at IS NOT NULL OR state IN ({UNDECLARED})", "was_declared"),
        CheckConstraint(
            f"confirmed_at IS NOT NULL OR state NOT IN ({listed(state.value for state in PROMISED)})", "bank_has_confirmed"
        ),
        CheckConstraint("supersedes_id IS NULL OR supersedes_id <> id", "not_itself"),
        Index(None, "state", "programme_id"),
    )
    TRANSITIONS = PLEDGE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    tracking_code: Mapped[str] = mapped_column(unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id"), index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("child_case.id"), index=True)
    saver_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    saver_phone_hash: Mapped[str | None]  # to compare with the guardian's; the number itself is not kept
    label: Mapped[dict[str, Any]] = mapped_column(JSON)  # the card as it was shown, which is all that is ever shown
    state: Mapped[PledgeState] = mapped_column(default=PledgeState.HELD)
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("pledge.id"), unique=True)
    hold_until: Mapped[datetime]
    declared_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


triggers.register(
    *triggers.append_only("deal"),
    triggers.Guard(
        "draw_seed",
        "UPDATE",
        "NEW.seed_hash <> OLD.seed_hash OR NEW.published_at <> OLD.published_at OR NEW.day <> OLD.day",
        "a published seed is kept",
    ),
    triggers.Guard("draw_seed", "DELETE", "TRUE", "a published seed is kept"),
)
