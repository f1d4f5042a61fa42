"""Phones at a desk, what they wrote without a network, and the numbers of pickup codes."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, synonym

from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.orders.offline.states import ACT, ActState


class DeskClient(Base):
    """A browser at a desk from its sign-in to its sign-out. It names itself; what it knows of time is only estimated."""

    __tablename__ = "desk_client"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    first_seen_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    offset_milliseconds: Mapped[int] = mapped_column(BigInteger)  # our clock less the phone's, when it last sent something


class DeskAct(Base):
    """One step that was written in a phone. Its key is for ever: sent again, it gets the outcome it had.

    `after`: how many steps the parcel had taken before this one, as the phone knew it."""

    __tablename__ = "desk_act"
    __table_args__ = (
        CheckConstraint("after >= 0 AND sequence >= 0", "positions"),
        CheckConstraint("state <> 'conflict' OR problem <> ''", "conflicts_say_why"),
        CheckConstraint("state NOT IN ('dismissed', 'corrected') OR decided_by IS NOT NULL", "somebody_decides"),
        Index(None, "station_code", "state"),
        Index(None, "parcel", "state"),
    )
    TRANSITIONS = ACT
    id: Mapped[int] = mapped_column(primary_key=True)
    client_key: Mapped[str] = mapped_column(unique=True)
    public_id = synonym("client_key")
    client_id: Mapped[int] = mapped_column(ForeignKey("desk_client.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    sequence: Mapped[int]  # the phone's own order
    step: Mapped[str]
    parcel: Mapped[str]  # its public id, as it was written: it may be none of ours
    after: Mapped[int]
    entered: Mapped[str] = mapped_column(Encrypted("desk_act.entered"))  # JSON: shelf, courier, code
    body_hash: Mapped[str]
    state: Mapped[ActState] = mapped_column(default=ActState.RECEIVED)
    problem: Mapped[str] = mapped_column(default="")
    client_at: Mapped[datetime]  # by the phone's clock
    offset_milliseconds: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


class PickupNumber(Base):
    """The public part of a pickup code: once for a station and day."""

    __tablename__ = "pickup_number"
    __table_args__ = (UniqueConstraint("station_code", "day", "number"),)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"), primary_key=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    day: Mapped[date]
    number: Mapped[str]
