"""Updates with their pictures, and comments, which an officer reads before anybody else does."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids
from marketplace.core.db import Base


class CampaignUpdate(Base):
    __tablename__ = "campaign_update"
    __table_args__ = (Index(None, "campaign_id", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    title_zh: Mapped[str]
    words_zh: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)


class UpdatePicture(Base):
    """Re-encoded, so that nothing personal is in it: no place, no camera. Shown until somebody says why it is not."""

    __tablename__ = "update_picture"
    public_id: Mapped[str] = mapped_column(primary_key=True, default=ids.public_id)
    update_id: Mapped[int] = mapped_column(ForeignKey("campaign_update.id"), index=True)
    position: Mapped[int]
    digest: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    taken_back_why: Mapped[str] = mapped_column(default="")  # public


class CampaignComment(Base):
    """`shown_as` is fixed when it is written, by the three levels of gifts."""

    __tablename__ = "campaign_comment"
    __table_args__ = (
        CheckConstraint("words_state IN ('waiting', 'shown', 'kept_back')", "known_words_state"),
        Index(None, "campaign_id", "words_state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    shown_as: Mapped[str]
    words: Mapped[str]
    words_state: Mapped[str] = mapped_column(default="waiting")
    at: Mapped[datetime] = mapped_column(default=clock.now)
