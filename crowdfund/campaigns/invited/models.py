"""Who may give to a directed campaign."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.partial import only

BY_ADDRESS = text("address <> '' AND withdrawn_at IS NULL")
BY_CODE = text("code_hash <> ''")


class Invitation(Base):
    """One place on the list: for whoever proves an address, or for the first who enters a code.

    It is somebody's once they have used it, and stays theirs; the address is kept as a keyed hash alone."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint("(address <> '') <> (code_hash <> '')", "one_way_in"),
        CheckConstraint("(person_id IS NULL) = (accepted_at IS NULL)", "accepted_by_somebody"),
        CheckConstraint("(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", "withdrawn_by_somebody"),
        Index(
            "one_invitation_to_an_address",
            "campaign_id",
            "address",
            unique=True,
            info=only(BY_ADDRESS),
        ),
        Index("one_invitation_by_a_code", "code_hash", unique=True, info=only(BY_CODE)),
        Index(None, "campaign_id", "person_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    address: Mapped[str] = mapped_column(default="")
    code_hash: Mapped[str] = mapped_column(default="")
    note: Mapped[str | None] = mapped_column(Encrypted("invitation.note"))  # the officer's own, of whom it is for
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    invited_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    invited_at: Mapped[datetime] = mapped_column(default=clock.now)
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


STAYS = triggers.Guard(
    "invitation",
    "UPDATE",
    "(OLD.person_id IS NOT NULL AND (NEW.person_id IS NULL OR OLD.person_id <> NEW.person_id))"
    " OR OLD.campaign_id <> NEW.campaign_id OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS NULL)",
    "an invitation stays whose it is, and withdrawn",
)
NEVER_GONE = triggers.Guard("invitation", "DELETE", "TRUE", "an invitation is withdrawn, not deleted")
NOT_ON_THE_LIST = triggers.Guard(
    "contribution",
    "INSERT",
    "EXISTS (SELECT 1 FROM campaign c WHERE c.id = NEW.campaign_id AND c.channel = 'directed') AND (NEW.shown_as <> ''"
    " OR NOT EXISTS (SELECT 1 FROM invitation i WHERE i.campaign_id = NEW.campaign_id AND i.person_id = NEW.person_id"
    " AND i.withdrawn_at IS NULL))",
    "only people on the list give to a directed campaign, and no public row names them",
    of="list",
    reads=("campaign", "invitation"),
)
triggers.register(STAYS, NEVER_GONE, NOT_ON_THE_LIST)
