"""Messages to people, kept until they are sent, readable in a demonstration; and what partners' machines are told."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.outbox import Leased
from marketplace.notifications.states import DELIVERY, ENDPOINT, DeliveryState, EndpointState


class Message(Base):
    """One message for one fact: `fact` is unique, so that a repeated event sends nothing twice."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    fact: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    address: Mapped[str] = mapped_column(Encrypted("message.address"))
    address_fingerprint: Mapped[str] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Encrypted("message.text"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]


class Endpoint(Base):
    """An address of somebody's machine, which is told what happens to what is theirs.

    `has_second_factor`: it was made in a session that had given one, so that it hears what staff may see. While one secret
    replaces another, both sign. It rests after failures, longer each time, and is switched off when they last for days."""

    __tablename__ = "endpoint"
    __table_args__ = (CheckConstraint("failures >= 0", "failures_count"),)
    TRANSITIONS = ENDPOINT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[EndpointState] = mapped_column(default=EndpointState.ON)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    address: Mapped[str] = mapped_column(Encrypted("endpoint.address"))
    kinds: Mapped[list[str]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(Encrypted("endpoint.secret"))
    old_secret: Mapped[str | None] = mapped_column(Encrypted("endpoint.old_secret"))
    old_secret_until: Mapped[datetime | None]
    has_second_factor: Mapped[bool]
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    failing_since: Mapped[datetime | None]
    rests_until: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Delivery(Leased, Base):
    """One fact for one endpoint, in the very bytes that are signed and sent.

    The receiver knows it again by `public_id`. `since`: from when on it is tried; replayed by hand, it begins anew."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("endpoint_id", "fact"), Index(None, "state", "next_at"))
    TRANSITIONS = DELIVERY
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.WAITING)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoint.id"))
    kind: Mapped[str]
    fact: Mapped[str]
    body: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class DeliveryTry(Base):
    """What came of sending it once: the status and the first kilobyte of the answer, or why there was none."""

    __tablename__ = "delivery_try"
    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(default="")
    trouble: Mapped[str] = mapped_column(default="")


class Silence(Base):
    """Somebody does not want to be told this kind of thing this way; on their page it stands all the same."""

    __tablename__ = "silence"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    way: Mapped[str] = mapped_column(primary_key=True)  # mail, sms
