"""What is sold before it is harvested, in which tiers, and who has paid for a place in one of them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crowdfund.presales.states import BACKING, PRESALE, BackingState, PresaleState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted


class Presale(Base):
    """A harvest for sale before it is brought in: all or nothing by a day, never more than the declared field bears.

    Its money lies in the account `presale_escrow`, whose owner it is."""

    __tablename__ = "presale"
    __table_args__ = (
        CheckConstraint("goal_fen > 0 AND area_tenths > 0 AND yield_kg > 0", "figures"),
        CheckConstraint("cap_grams = area_tenths * yield_kg * 100", "cap_follows_the_field"),
        CheckConstraint("taken_grams BETWEEN 0 AND cap_grams", "no_more_than_the_field_bears"),
        CheckConstraint("start_percent BETWEEN 0 AND 30", "most_of_it_waits_for_dispatch"),
        CheckConstraint("grace_days BETWEEN 0 AND 60 AND closes_on < harvest_on", "days"),
        CheckConstraint("reviewer_id IS NULL OR reviewer_id <> seller_id", "two_people"),
        CheckConstraint("state IN ('draft', 'submitted') OR reviewer_id IS NOT NULL", "reviewed_by_somebody"),
        Index(None, "state", "closes_on"),
    )
    TRANSITIONS = PRESALE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[PresaleState] = mapped_column(default=PresaleState.DRAFT)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), index=True)
    title_zh: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="")
    story_zh: Mapped[str] = mapped_column(default="")
    plan_zh: Mapped[str] = mapped_column(default="")  # what happens when, until it is sent
    goal_fen: Mapped[int] = mapped_column(BigInteger)
    area_tenths: Mapped[int]  # of a mu
    yield_kg: Mapped[int]  # of the goods, from one mu
    cap_grams: Mapped[int] = mapped_column(BigInteger)
    taken_grams: Mapped[int] = mapped_column(BigInteger, default=0)  # of places that are held or paid; guarded UPDATEs alone
    start_percent: Mapped[int] = mapped_column(default=0)  # of the money, released when it succeeds
    closes_on: Mapped[date]  # its last day
    harvest_on: Mapped[date]
    grace_days: Mapped[int]
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]  # successful or failed
    book: Mapped[str]
    is_demo: Mapped[bool] = mapped_column(default=False)
    tiers: Mapped[list["PresaleTier"]] = relationship(order_by="PresaleTier.id")


class PresaleTier(Base):
    """So many packs of one kind for one price, sent included; of each there are so many places."""

    __tablename__ = "presale_tier"
    __table_args__ = (
        CheckConstraint("packs > 0 AND unit_price_fen > 0 AND shipping_fen >= 0 AND grams > 0", "figures"),
        CheckConstraint("unit_service_fee_fen BETWEEN 0 AND unit_price_fen", "fee_within_price"),
        CheckConstraint("most > 0 AND taken BETWEEN 0 AND most", "no_more_than_there_are"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    presale_id: Mapped[int] = mapped_column(ForeignKey("presale.id"), index=True)
    title_zh: Mapped[str]
    variant_code: Mapped[str]
    packs: Mapped[int]
    grams: Mapped[int]  # of one place
    unit_price_fen: Mapped[int] = mapped_column(BigInteger)  # of a pack
    unit_service_fee_fen: Mapped[int] = mapped_column(BigInteger)  # within it
    shipping_fen: Mapped[int] = mapped_column(BigInteger)  # of a place, wherever it goes
    most: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)  # guarded UPDATEs alone

    @property
    def fen(self) -> int:
        """What a place costs."""
        return self.unit_price_fen * self.packs + self.shipping_fen

    @property
    def left(self) -> int:
        return self.most - self.taken


class Backing(Base):
    """One place in one tier. After the harvest it becomes an ordinary order."""

    __tablename__ = "backing"
    __table_args__ = (
        CheckConstraint("fen > 0 AND start_fen >= 0 AND start_fen * 10 <= fen * 3", "most_of_it_waits_for_dispatch"),
        CheckConstraint("answered_at IS NULL OR (street IS NOT NULL AND variant_code IS NOT NULL)", "answered_in_full"),
        CheckConstraint("(state = 'ordered') = (order_number IS NOT NULL)", "ordered_by_an_order"),
        Index(None, "presale_id", "state"),
    )
    TRANSITIONS = BACKING
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    token_hash: Mapped[str] = mapped_column(unique=True)  # of the secret link by which it is followed
    presale_id: Mapped[int] = mapped_column(ForeignKey("presale.id"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("presale_tier.id"), index=True)
    state: Mapped[BackingState] = mapped_column(default=BackingState.HELD)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    contact: Mapped[str] = mapped_column(Encrypted("backing.contact"))
    language: Mapped[str] = mapped_column(default="zh_CN")
    book: Mapped[str]
    currency: Mapped[str] = mapped_column(default="CNY")
    fen: Mapped[int] = mapped_column(BigInteger)
    pay_by: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    start_fen: Mapped[int] = mapped_column(BigInteger, default=0)  # what of it was released when the presale succeeded
    # what the survey asks: where to, and which of the packs of that weight; empty until it is answered
    recipient: Mapped[str | None] = mapped_column(Encrypted("backing.recipient"))
    phone: Mapped[str | None] = mapped_column(Encrypted("backing.phone"))
    province_code: Mapped[str | None] = mapped_column(ForeignKey("province.code"))
    city: Mapped[str | None]
    street: Mapped[str | None] = mapped_column(Encrypted("backing.street"))
    note: Mapped[str | None] = mapped_column(Encrypted("backing.note"))
    variant_code: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    order_number: Mapped[str | None] = mapped_column(unique=True)


class PresaleUpdate(Base):
    """What the seller tells everybody meanwhile; never changed."""

    __tablename__ = "presale_update"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    presale_id: Mapped[int] = mapped_column(ForeignKey("presale.id"), index=True)
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)


triggers.register(*triggers.append_only("presale_update"))
