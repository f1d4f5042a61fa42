"""A sponsor's money for one campaign's gifts, and what each gift got of it."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.states import MATCHING_FUND, FundState
from marketplace.core import clock, ids
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted

SPONSOR_UNKNOWN = "left behind"  # of a fund that came from another house: nobody's gifts are matched by it here


class MatchingFund(Base):
    """So many per cent of each gift that its campaign receives, up to caps by gift, by giver and in all.

    Its money lies in the account `matching`. The sums say the same as the books, so that no gift adds up all gifts before
    it: what came in, what gifts have of it, what is kept for matches that wait for a person, what went back to the sponsor
    or was taken by the sponsor's bank. `continues_id`: the fund of the same sponsor that it tops up; the caps of a giver
    are those of both together."""

    __tablename__ = "matching_fund"
    __table_args__ = (
        CheckConstraint("rate_percent > 0", "adds_something"),
        CheckConstraint("gift_cap_fen > 0 AND giver_cap_fen > 0 AND total_fen > 0", "caps"),
        CheckConstraint("received_fen >= 0 AND matched_fen >= 0 AND gone_fen >= 0", "sums"),
        CheckConstraint("received_fen <= total_fen", "no_more_than_promised"),
        CheckConstraint("held_fen >= 0", "held_sum"),
        CheckConstraint("matched_fen + held_fen + gone_fen <= received_fen", "no_more_than_is_there"),
        CheckConstraint("approver_id IS NULL OR approver_id <> owner_id", "two_people"),
        CheckConstraint("state NOT IN ('active', 'exhausted') OR approver_id IS NOT NULL", "activated_by_somebody"),
        Index(None, "campaign_id", "state"),
    )
    TRANSITIONS = MATCHING_FUND
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    token_hash: Mapped[str] = mapped_column(unique=True)  # of the secret link by which its sponsor pays
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    state: Mapped[FundState] = mapped_column(default=FundState.DRAFT)
    book: Mapped[str]
    currency: Mapped[str] = mapped_column(default="CNY")
    sponsor: Mapped[str]  # the name in public rows
    contact: Mapped[str] = mapped_column(Encrypted("matching_fund.contact"))
    contact_key: Mapped[str]  # its keyed hash: gifts from there are not matched
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who paid it in, if signed in
    rate_percent: Mapped[int]
    gift_cap_fen: Mapped[int] = mapped_column(BigInteger)
    giver_cap_fen: Mapped[int] = mapped_column(BigInteger)
    total_fen: Mapped[int] = mapped_column(BigInteger)
    received_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    matched_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    held_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    gone_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("matching_fund.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def left_fen(self) -> int:
        return self.received_fen - self.matched_fen - self.held_fen - self.gone_fen

    @property
    def knows_its_sponsor(self) -> bool:
        return self.contact_key != SPONSOR_UNKNOWN

    @property
    def series(self) -> int:
        """What top-ups have in common: the id of the first fund."""
        return self.continues_id or self.id


class GiftMatch(Base):
    """What one gift got of one fund, once; and what of that went back, or should have and was spent already."""

    __tablename__ = "gift_match"
    __table_args__ = (
        CheckConstraint("fen > 0", "adds_something"),
        CheckConstraint("returned_fen >= 0 AND spent_fen >= 0 AND returned_fen + spent_fen <= fen", "sums"),
        Index(None, "fund_id", "giver"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("matching_fund.id"))
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), unique=True)  # one match a gift
    giver: Mapped[str] = mapped_column(default="")  # an account or a keyed hash; empty: nobody knows
    fen: Mapped[int] = mapped_column(BigInteger)
    returned_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    returns: Mapped[int] = mapped_column(default=0)  # in so many parts
    spent_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    at: Mapped[datetime] = mapped_column(default=clock.now)
