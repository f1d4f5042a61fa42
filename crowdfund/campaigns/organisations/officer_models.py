"""Who is to become an organisation's officer, or is one no longer: written by one operator, confirmed by another."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.organisations.states import ENTRY, EntryState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

WAITS = text("state = 'written'")
ROLES = ("charity_officer", "charity_approver")
KNOWN_ROLES = ", ".join(f"'{role}'" for role in ROLES)


class OfficerEntry(Base):
    """One role of one person in one organisation, given or taken back; confirmed, it is done."""

    __tablename__ = "officer_entry"
    __table_args__ = (
        CheckConstraint(f"role IN ({KNOWN_ROLES})", "known_role"),
        CheckConstraint("decider_id IS NULL OR decider_id <> writer_id", "two_people"),
        CheckConstraint("person_id <> writer_id AND (decider_id IS NULL OR decider_id <> person_id)", "nobody_themselves"),
        CheckConstraint("(state = 'written') = (decided_at IS NULL)", "decided"),
        CheckConstraint("(decider_id IS NULL) = (decided_at IS NULL)", "decided_by_somebody"),
        CheckConstraint("state <> 'refused' OR refused_why <> ''", "refused_with_a_reason"),
        CheckConstraint("is_given OR why <> ''", "taken_back_with_a_reason"),
        Index("one_waits_for_an_officer", "organisation_code", "person_id", "role", unique=True, info=only(WAITS)),
        Index(None, "organisation_code", "id"),
    )
    TRANSITIONS = ENTRY
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[EntryState] = mapped_column(default=EntryState.WRITTEN)
    organisation_code: Mapped[str] = mapped_column(ForeignKey("organisation.code"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    is_given: Mapped[bool]  # else taken back
    why: Mapped[str] = mapped_column(default="")
    writer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    refused_why: Mapped[str] = mapped_column(default="")


FIXED = ("public_id", "organisation_code", "person_id", "role", "is_given", "why", "writer_id", "written_at")
CHANGED = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in FIXED)
triggers.register(
    triggers.Guard("officer_entry", "UPDATE", CHANGED, "what was written about an officer is written once"),
    triggers.Guard("officer_entry", "UPDATE", "OLD.state <> 'written'", "this entry was decided", of="decided"),
    triggers.Guard("officer_entry", "DELETE", "TRUE", "what was written about an officer is kept"),
)
