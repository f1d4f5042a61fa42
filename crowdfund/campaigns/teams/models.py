"""A team, and which gifts came through it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids
from marketplace.core.db import Base


class Team(Base):
    """People who raise together for one campaign. Its gifts are the campaign's as all others are: a team holds no money."""

    __tablename__ = "team"
    __table_args__ = (CheckConstraint("words_state IN ('', 'waiting', 'shown', 'kept_back')", "known_words_state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    leader_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    leader_shown_as: Mapped[str]  # as the leader chose; empty: anonymous
    name: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    words_state: Mapped[str] = mapped_column(default="")  # shown only after an officer has read them
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_at: Mapped[datetime | None]  # from then on nobody joins
    hidden_at: Mapped[datetime | None]  # by an officer, whose reason the audit log keeps


class TeamGift(Base):
    """A gift that came by a team's link."""

    __tablename__ = "team_gift"
    gift: Mapped[str] = mapped_column(ForeignKey("contribution.public_id"), primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
