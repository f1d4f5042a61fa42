"""In whose honour a gift is given, and the card of it."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted


class Dedication(Base):
    """The card of one gift: opened by its own secret link, which says nothing of the gift's."""

    __tablename__ = "dedication"
    gift: Mapped[str] = mapped_column(ForeignKey("contribution.public_id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    honoured: Mapped[str] = mapped_column(Encrypted("dedication.honoured"))  # as the giver calls them
    words: Mapped[str] = mapped_column(Encrypted("dedication.words"))
    contact: Mapped[str | None] = mapped_column(Encrypted("dedication.contact"))  # only where the giver asks to write there
    told_at: Mapped[datetime | None]  # when the e-mail was handed over
