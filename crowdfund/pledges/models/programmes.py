"""Who gives the devices, what they have signed, and the programme that this opens."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.pledges.models.words import one_of
from crowdfund.pledges.states import BANDS
from marketplace.core import ids, triggers
from marketplace.core.db import Base


class Partner(Base):
    """A bank or a telecom. `voucher_length` is how many digits its voucher numbers have, 0 where they differ."""

    __tablename__ = "partner"
    __table_args__ = (one_of("kind", ("bank", "telecom")), CheckConstraint("voucher_length BETWEEN 0 AND 32", "length"))
    code: Mapped[str] = mapped_column(primary_key=True)  # the scope of its officers' roles
    kind: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    voucher_length: Mapped[int] = mapped_column(default=0)
    is_demo: Mapped[bool] = mapped_column(default=False)


class Agreement(Base):
    """What a partner has signed: so many devices of one model, given to the charity. Nobody changes it afterwards."""

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("quota > 0 AND unit_value_fen > 0", "promises_something"),
        CheckConstraint("length(file_hash) = 64", "has_file"),
        UniqueConstraint("id", "quota"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    partner_code: Mapped[str] = mapped_column(ForeignKey("partner.code"))
    charity_zh: Mapped[str]
    charity_en: Mapped[str]
    model_code: Mapped[str] = mapped_column(ForeignKey("device_model.code"))
    quota: Mapped[int]
    unit_value_fen: Mapped[int]
    signed_on: Mapped[date]
    file_hash: Mapped[str] = mapped_column(unique=True)  # SHA-256 of the signed paper


class Programme(Base):
    """A season of pledges under one agreement, and never more claims than it promises devices."""

    __tablename__ = "programme"
    __table_args__ = (
        ForeignKeyConstraint(["agreement_id", "quota"], ["agreement.id", "agreement.quota"]),
        CheckConstraint("claimed >= 0 AND claimed <= quota", "within_quota"),
        CheckConstraint("hold_minutes > 0 AND pickup_days > 0 AND claim_days > 0 AND term_months > 0", "times"),
        CheckConstraint("closes_on >= opens_on", "dates"),
        one_of("minimum_band", BANDS),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    agreement_id: Mapped[int] = mapped_column(unique=True)
    quota: Mapped[int]  # the agreement's, which the foreign key holds it to
    claimed: Mapped[int] = mapped_column(default=0)  # active pledges
    name_zh: Mapped[str]
    name_en: Mapped[str]
    minimum_band: Mapped[str]
    term_months: Mapped[int]  # how long the deposit stays
    claim_days: Mapped[int]  # how long after its issue a voucher counts, to the end of that day in Shanxi
    hold_minutes: Mapped[int] = mapped_column(default=30)
    pickup_days: Mapped[int] = mapped_column(default=30)
    opens_on: Mapped[date]
    closes_on: Mapped[date]


UNSIGNED = (
    "NOT EXISTS (SELECT 1 FROM agreement WHERE agreement.id = NEW.agreement_id AND agreement.signed_on <= NEW.opens_on)"
)
triggers.register(
    *triggers.append_only("agreement"),
    *(
        triggers.Guard("programme", verb, UNSIGNED, "a programme opens with a signed agreement only")
        for verb in ("INSERT", "UPDATE")
    ),
)
