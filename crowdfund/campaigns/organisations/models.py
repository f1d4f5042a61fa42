"""What was written down about organisations and their certificates, and who confirmed it: nothing of it is changed later."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.organisations.states import ENTRY, EntryState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

WAITS = text("state = 'written'")
FACTS = (
    *("code", "name_zh", "name_en", "credit_code", "certificate_number", "certificate_from", "certificate_until"),
    *("address_zh", "phone"),
)


class OrganisationEntry(Base):
    """A whole description of one organisation; confirmed, it is what the house goes by."""

    __tablename__ = "organisation_entry"
    __table_args__ = (
        CheckConstraint("certificate_until > certificate_from", "certificate_dates"),
        CheckConstraint("decider_id IS NULL OR decider_id <> writer_id", "two_people"),
        CheckConstraint("(state = 'written') = (decided_at IS NULL)", "decided"),
        CheckConstraint("(decider_id IS NULL) = (decided_at IS NULL)", "decided_by_somebody"),
        CheckConstraint("state <> 'refused' OR why <> ''", "refused_with_a_reason"),
        Index("one_waits_for_an_organisation", "code", unique=True, info=only(WAITS)),
        Index(None, "code", "id"),
    )
    TRANSITIONS = ENTRY
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[EntryState] = mapped_column(default=EntryState.WRITTEN)
    code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    credit_code: Mapped[str]
    certificate_number: Mapped[str]
    certificate_from: Mapped[date]
    certificate_until: Mapped[date]
    address_zh: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    writer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(default="")


FIXED = (*FACTS, "public_id", "writer_id", "written_at")
CHANGED = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in FIXED)
triggers.register(
    triggers.Guard("organisation_entry", "UPDATE", CHANGED, "what was written about an organisation is written once"),
    triggers.Guard("organisation_entry", "UPDATE", "OLD.state <> 'written'", "this entry was decided", of="decided"),
    triggers.Guard("organisation_entry", "DELETE", "TRUE", "what was written about an organisation is kept"),
)
