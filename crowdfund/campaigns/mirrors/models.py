"""Files of platforms, what they say, and the gifts that were given there. No money of these is in our books."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.mirrors.states import FILE, OPEN, FileState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.outbox import Leased
from marketplace.core.partial import only

IS_OPEN = text(f"state IN ({', '.join(repr(str(state)) for state in OPEN)})")


class MirrorFile(Leased, Base):
    """One file of a campaign's platform. One at a time: what was compared is still so when it is taken."""

    __tablename__ = "mirror_file"
    __table_args__ = (
        Index("one_open_mirror_file", "campaign_id", unique=True, info=only(IS_OPEN)),
        Index(None, "state", "next_at"),
        CheckConstraint("done >= 0 AND same >= 0 AND taken >= 0", "figures"),
    )
    TRANSITIONS = FILE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[FileState] = mapped_column(default=FileState.COMPARING)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    file_name: Mapped[str]  # as the officer called it
    kept_as: Mapped[str]  # where it lies among the files of imports, until it is compared
    done: Mapped[int] = mapped_column(default=0)  # rows read
    same: Mapped[int] = mapped_column(default=0)  # of them, what we knew already
    taken: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(default="")  # why it cannot be read: a code of wording.py
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    taken_at: Mapped[datetime | None]


class MirrorRow(Base):
    """A row that says something new, or cannot be read. The giver's name is not in it: only what may be shown."""

    __tablename__ = "mirror_row"
    __table_args__ = (
        UniqueConstraint("file_id", "number"),
        Index(None, "file_id", "verdict", "number"),
        Index(None, "platform_number", "decision"),
        CheckConstraint("verdict IN ('new', 'changed', 'refused')", "known_verdict"),
        CheckConstraint("decision IN ('', 'followed', 'kept')", "known_decision"),
        CheckConstraint("(decision = '') = (decided_by IS NULL)", "decided_by_somebody"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("mirror_file.id"))
    number: Mapped[int]  # of the line in the file, counted from 1
    verdict: Mapped[str]
    platform_number: Mapped[str] = mapped_column(default="")
    given_at: Mapped[datetime | None]
    fen: Mapped[int | None] = mapped_column(BigInteger)
    shown_as: Mapped[str] = mapped_column(default="")
    problems: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # column, code and what was written
    was: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # of a difference, what stands with us
    decision: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]

    @property
    def was_at(self) -> datetime | None:
        return datetime.fromisoformat(self.was["at"]) if self.was else None


class MirroredGift(Base):
    """A gift that was given on the platform, as its file says. `fen` is 0 once the platform has given it back."""

    __tablename__ = "mirrored_gift"
    __table_args__ = (
        UniqueConstraint("campaign_id", "platform_number"),
        CheckConstraint("fen >= 0", "not_below_zero"),
        Index(None, "campaign_id", "given_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("mirror_file.id"))
    platform_number: Mapped[str]
    given_at: Mapped[datetime]
    fen: Mapped[int] = mapped_column(BigInteger)
    shown_as: Mapped[str] = mapped_column(default="")  # masked; empty: anonymous


class MirrorTotal(Base):
    """What a campaign has got on its platform, changed with the gifts that it counts."""

    __tablename__ = "mirror_total"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    fen: Mapped[int] = mapped_column(BigInteger, default=0)
    gifts: Mapped[int] = mapped_column(default=0)  # those of which something stayed
    latest_at: Mapped[datetime]  # of the latest gift: the files tell of nothing after it


NOT_MIRRORED = triggers.Guard(
    "mirrored_gift",
    "INSERT",
    "NOT EXISTS (SELECT 1 FROM campaign c WHERE c.id = NEW.campaign_id AND c.channel = 'mirror')",
    "only a mirrored campaign has gifts of a platform",
)
NEVER_GONE = triggers.Guard("mirrored_gift", "DELETE", "TRUE", "what a platform told is not deleted")
triggers.register(NOT_MIRRORED, NEVER_GONE)
