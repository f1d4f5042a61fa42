"""A child's case: what the public may see, and, apart from it, the vault of what nobody may."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.pledges.models.words import listed, one_of
from crowdfund.pledges.states import (
    AGE_BANDS,
    CHILD_CASE,
    METHODS,
    NEEDED,
    NEEDS,
    OUT,
    PURPOSES,
    RELATIONS,
    TIERS,
    CaseState,
)
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted

UNVERIFIED = listed({CaseState.NOMINATED.value, CaseState.CONSENTED.value, *(state.value for state in OUT)})


class ChildCase(Base):
    """What may be seen of a child: a random plant name with a number, a county, an age band, a need."""

    __tablename__ = "child_case"
    __table_args__ = (
        CheckConstraint("verifier_id IS NULL OR verifier_id <> nominator_id", "two_people"),
        CheckConstraint(f"verifier_id IS NOT NULL OR state IN ({UNVERIFIED})", "was_verified"),
        one_of("age_band", AGE_BANDS),
        one_of("need_tier", TIERS),
        one_of("need", NEEDS),
        UniqueConstraint("id", "verifier_id"),
        Index(None, "state", "county_code"),
    )
    TRANSITIONS = CHILD_CASE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    alias_zh: Mapped[str] = mapped_column(unique=True)
    alias_en: Mapped[str] = mapped_column(unique=True)
    county_code: Mapped[str] = mapped_column(ForeignKey("county.code"), index=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    age_band: Mapped[str]
    need_tier: Mapped[int]
    need: Mapped[str]
    waiting_since: Mapped[date]  # never changed: who comes back to the list comes back to their place
    state: Mapped[CaseState] = mapped_column(default=CaseState.NOMINATED)
    nominator_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    verifier_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ChildVault(Base):
    """Who a child is: sealed under a key of this row alone, which is kept wrapped by FIELD_KEYS, outside the database.

    Destroying the wrap destroys the row. Opened by `vault.read` and by nothing else."""

    __tablename__ = "child_vault"
    __table_args__ = (
        CheckConstraint(
            "(destroyed_at IS NULL AND data_key IS NOT NULL AND sealed IS NOT NULL AND identity_hash IS NOT NULL)"
            " OR (destroyed_at IS NOT NULL AND data_key IS NULL AND sealed IS NULL AND identity_hash IS NULL"
            " AND guardian_phone_hash IS NULL AND guardian_identity_hash IS NULL)",
            "whole_or_gone",
        ),
    )
    case_id: Mapped[int] = mapped_column(ForeignKey("child_case.id"), primary_key=True)
    identity_hash: Mapped[str | None] = mapped_column(unique=True)
    guardian_phone_hash: Mapped[str | None] = mapped_column(index=True)
    guardian_identity_hash: Mapped[str | None]  # of the last six places; unknown of who was nominated before it was asked
    data_key: Mapped[str | None] = mapped_column(Encrypted("child_vault.data_key"))
    sealed: Mapped[str | None]
    destroyed_at: Mapped[datetime | None]


class Consent(Base):
    """What a guardian has allowed, a row for each purpose, and when they took it back."""

    __tablename__ = "consent"
    __table_args__ = (
        UniqueConstraint("case_id", "purpose"),
        CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= given_at", "in_order"),
        one_of("purpose", PURPOSES),
        one_of("guardian", RELATIONS),
        one_of("method", METHODS),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("child_case.id"))
    purpose: Mapped[str]
    text_version: Mapped[str]
    guardian: Mapped[str]  # who they are to the child; their name is in the vault
    method: Mapped[str]
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    withdrawn_at: Mapped[datetime | None]


LIVE = (
    "(SELECT COUNT(*) FROM consent WHERE consent.case_id = NEW.id AND consent.withdrawn_at IS NULL"
    f" AND consent.purpose IN ({listed(NEEDED)}))"
)
VAULT = "EXISTS (SELECT 1 FROM child_vault WHERE child_vault.case_id = NEW.id AND child_vault.destroyed_at IS NULL)"
triggers.register(
    triggers.Guard("child_case", "INSERT", "NEW.state <> 'nominated'", "a case begins with its nomination"),
    triggers.Guard(
        "child_case",
        "UPDATE",
        f"NEW.waiting_since <> OLD.waiting_since OR (NEW.state = 'listed' AND ({LIVE} < {len(NEEDED)} OR NOT {VAULT}))",
        "a child is listed with live consents only, and keeps its place",
    ),
    triggers.Guard("child_vault", "UPDATE", "OLD.destroyed_at IS NOT NULL", "what was destroyed stays destroyed"),
    triggers.Guard("consent", "DELETE", "TRUE", "consents are withdrawn, never lost"),
    triggers.Guard("consent", "UPDATE", "OLD.withdrawn_at IS NOT NULL", "what was withdrawn stays withdrawn"),
)
