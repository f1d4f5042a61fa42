"""What people point out to the province about goods, and what a seller says to have them looked at once more."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from listings.complaints.states import COMPLAINT, SECOND_LOOK, ComplaintState, Fault, LookState
from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.partial import only

OPEN: Final = text("state = 'open' AND reporter_fingerprint IS NOT NULL")
ASKED: Final = text("state = 'asked'")


class Complaint(Base):
    """One person's word about one listing. Who it was is for the province alone: neither seller nor station ever reads it.

    One of each person waits at a time. Who left no address and has no account is told nothing, and is known by the
    fingerprint of nothing."""

    __tablename__ = "listing_complaint"
    __table_args__ = (
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", "decided_some_day"),
        CheckConstraint("(state = 'open') = (answer = '')", "decided_in_words"),
        CheckConstraint("(state = 'open') = (decided_by IS NULL)", "decided_by_somebody"),
        CheckConstraint("reporter_id IS NULL OR address IS NULL", "one_way_to_tell"),
        CheckConstraint("station_code IS NULL OR reporter_id IS NOT NULL", "stations_have_people"),
        Index("one_open_complaint_each", "listing_id", "reporter_fingerprint", unique=True, info=only(OPEN)),
        Index(None, "listing_id", "state", "id"),
        Index(None, "state", "id"),
        Index(None, "station_code", "id"),
    )
    TRANSITIONS = COMPLAINT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    state: Mapped[ComplaintState] = mapped_column(default=ComplaintState.OPEN)
    fault: Mapped[Fault]
    words: Mapped[str] = mapped_column(Encrypted("listing_complaint.words"))
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    address: Mapped[str | None] = mapped_column(Encrypted("listing_complaint.address"))  # of a guest who wants to know
    reporter_fingerprint: Mapped[str | None]
    station_code: Mapped[str | None] = mapped_column(ForeignKey("station.code"))  # said at this station's desk
    language: Mapped[str]
    reported_at: Mapped[datetime] = mapped_column(default=clock.now)
    answer: Mapped[str] = mapped_column(default="")  # the province's reason; whoever reported reads it
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


class SecondLook(Base):
    """A seller whose goods the province has taken off sale asks to have them looked at again, mended or not."""

    __tablename__ = "listing_second_look"
    __table_args__ = (
        CheckConstraint("(state = 'asked') = (decided_at IS NULL)", "decided_some_day"),
        CheckConstraint("state IN ('asked', 'dropped') OR (answer <> '' AND decided_by IS NOT NULL)", "decided_in_words"),
        Index("one_second_look_waits", "listing_id", unique=True, info=only(ASKED)),
        Index(None, "state", "id"),
    )
    TRANSITIONS = SECOND_LOOK
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    state: Mapped[LookState] = mapped_column(default=LookState.ASKED)
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    words: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    answer: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
