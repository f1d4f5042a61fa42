"""What is offered to groups, the groups that were opened, and who is in them: each member by an order of their own."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.partial import only
from marketplace.orders.groups.states import GROUP, MEMBER, GroupState, MemberState
from marketplace.orders.models import Order

NOT_ENDED = text("ended_at IS NULL")
TERMS = (
    "price_fen > 0 AND threshold_packs >= 2 AND most_packs >= threshold_packs AND most_per_member >= 1 "
    "AND most_per_member <= most_packs AND tolerance_percent BETWEEN 0 AND 50 AND prolong_days BETWEEN 0 AND 7"
)


class Terms:
    """What a group is promised: the offer's, copied into each group, so that a later change touches no open one."""

    price_fen: Mapped[int] = mapped_column(BigInteger)  # of one pack
    threshold_packs: Mapped[int]
    most_packs: Mapped[int]  # of all members together
    most_per_member: Mapped[int]
    tolerance_percent: Mapped[int]  # what may be missing of the threshold at the deadline
    prolong_days: Mapped[int]  # 0: it does not prolong itself


class GroupOffer(Terms, Base):
    """One pack, offered to groups of buyers until it is ended; at most one at a time."""

    __tablename__ = "group_offer"
    __table_args__ = (
        CheckConstraint(TERMS, "terms"),
        CheckConstraint("days BETWEEN 1 AND 14", "days"),
        Index("one_group_offer", "variant_code", unique=True, info=only(NOT_ENDED)),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    listing_code: Mapped[str] = mapped_column(index=True)
    variant_code: Mapped[str]
    days: Mapped[int]  # from a group's opening to the midnight that ends it
    offered_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]


class GroupBuy(Terms, Base):
    """One group. Its row is locked by whoever changes what it counts."""

    __tablename__ = "group_buy"
    __table_args__ = (CheckConstraint(TERMS, "terms"), Index(None, "state", "closes_at"))
    TRANSITIONS = GROUP
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    offer_id: Mapped[int] = mapped_column(ForeignKey("group_offer.id"), index=True)
    listing_code: Mapped[str] = mapped_column(index=True)
    variant_code: Mapped[str]
    state: Mapped[GroupState] = mapped_column(default=GroupState.OPEN)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    closes_at: Mapped[datetime]  # a midnight in Shanxi
    reached_at: Mapped[datetime | None]

    @property
    def enough_packs(self) -> int:
        """Paid packs with which it is complete at its deadline: the threshold less the tolerance, rounded up."""
        return -(-self.threshold_packs * (100 - self.tolerance_percent) // 100)


class GroupMember(Base):
    """One place in a group: an ordinary order at the group's price."""

    __tablename__ = "group_member"
    __table_args__ = (CheckConstraint("packs > 0 AND days_to_arrive >= 0", "figures"), Index(None, "group_id", "state"))
    TRANSITIONS = MEMBER
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    group_id: Mapped[int] = mapped_column(ForeignKey("group_buy.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), unique=True)
    state: Mapped[MemberState] = mapped_column(default=MemberState.HELD)
    packs: Mapped[int]
    days_to_arrive: Mapped[int]  # from the day on which the group is complete
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)
    order: Mapped[Order] = relationship()
    group: Mapped[GroupBuy] = relationship()
