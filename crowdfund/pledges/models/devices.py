"""Devices, one by one: which model is allowed, which device is for which pledge, who handed it over to whom."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.pledges.models.words import one_of
from crowdfund.pledges.states import DEVICE, RELATIONS, DeviceState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base

DIGITS = [f"CAST(substr(imei, {place}, 1) AS INTEGER)" for place in range(1, 16)]
DOUBLED = [
    digit if place % 2 else f"(CASE WHEN {digit} > 4 THEN {digit} * 2 - 9 ELSE {digit} * 2 END)"
    for place, digit in enumerate(DIGITS, 1)
]
LUHN = f"({' + '.join(DOUBLED)}) % 10 = 0"
STILL = text("released_at IS NULL")
FINAL = text("is_final")


class DeviceModel(Base):
    """The approved list: no model without a dated security check."""

    __tablename__ = "device_model"
    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    security_checked_on: Mapped[date]
    is_approved: Mapped[bool] = mapped_column(default=True)


class Device(Base):
    __tablename__ = "device"
    __table_args__ = (CheckConstraint(f"length(imei) = 15 AND {LUHN}", "imei"), Index(None, "state", "model_code"))
    TRANSITIONS = DEVICE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    imei: Mapped[str] = mapped_column(unique=True)
    iccid: Mapped[str] = mapped_column(unique=True)
    model_code: Mapped[str] = mapped_column(ForeignKey("device_model.code"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), index=True)
    lot: Mapped[str]
    state: Mapped[DeviceState] = mapped_column(default=DeviceState.COMMITTED)


class Assignment(Base):
    """This device is for this pledge. A device whose assignment was released may get another."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("one_assignment_of_device", "device_id", unique=True, sqlite_where=STILL, postgresql_where=STILL),
        UniqueConstraint("id", "case_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("child_case.id"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    released_at: Mapped[datetime | None]
    code_fingerprint: Mapped[str | None]  # of the guardian's one-time code
    code_expires_at: Mapped[datetime | None]


class Handover(Base):
    """Two people of the station gave it to the child's guardian; neither of them is who verified the case."""

    __tablename__ = "handover"
    __table_args__ = (
        Index("one_final_handover", "assignment_id", unique=True, sqlite_where=FINAL, postgresql_where=FINAL),
        ForeignKeyConstraint(["assignment_id", "case_id"], ["assignment.id", "assignment.case_id"]),
        ForeignKeyConstraint(["case_id", "verifier_id"], ["child_case.id", "child_case.verifier_id"]),
        CheckConstraint("clerk_id <> witness_id", "clerk_and_witness"),
        CheckConstraint("verifier_id <> clerk_id AND verifier_id <> witness_id", "never_the_verifier"),
        one_of("recipient", RELATIONS),
        one_of("method", ("code", "signature")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int]
    case_id: Mapped[int]
    clerk_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    witness_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    verifier_id: Mapped[int]
    recipient: Mapped[str]
    method: Mapped[str]
    evidence: Mapped[str] = mapped_column(default="")  # hash of the picture of device and box
    is_final: Mapped[bool] = mapped_column(default=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)


NOT_CONFIRMED = "NOT EXISTS (SELECT 1 FROM pledge WHERE pledge.id = NEW.pledge_id AND pledge.confirmed_at IS NOT NULL)"
triggers.register(
    triggers.Guard("assignment", "INSERT", NOT_CONFIRMED, "no device before the bank has confirmed"),
    triggers.Guard(
        "device",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM device_model WHERE device_model.code = NEW.model_code AND device_model.is_approved)",
        "this model is not approved",
    ),
    *triggers.append_only("handover"),
)
