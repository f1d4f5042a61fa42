"""Messages to people: kept until they are sent, readable in a demonstration."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted


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
