"""Where guests' gifts are found again by the address that was left with them."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base


class GuestGift(Base):
    """A gift of somebody without an account, by a keyed hash of their address: it can be compared and not read."""

    __tablename__ = "guest_gift"
    gift: Mapped[str] = mapped_column(ForeignKey("contribution.public_id"), primary_key=True)
    address: Mapped[str] = mapped_column(index=True)
