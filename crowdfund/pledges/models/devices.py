"""Devices, one by one: which model is allowed, which device is for which pledge, who handed it over to whom."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.pledges.models.words import listed, one_of
from crowdfund.pledges.states import DEVICE, PLACED, RELATIONS, RELEASES, DeviceState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

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
    __table_args__ = (
        CheckConstraint(f"length(imei) = 15 AND ltrim(imei, '0123456789') = '' AND {LUHN}", "imei"),
        CheckConstraint(f"station_code IS NOT NULL OR state NOT IN ({listed(PLACED)})", "has_a_station"),
        Index(None, "state", "model_code"),
    )
    TRANSITIONS = DEVICE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    imei: Mapped[str] = mapped_column(unique=True)
    iccid: Mapped[str] = mapped_column(unique=True)
    model_code: Mapped[str] = mapped_column(ForeignKey("device_model.code"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), index=True)
    lot: Mapped[str]
    state: Mapped[DeviceState] = mapped_column(default=DeviceState.COMMITTED)
    station_code: Mapped[str | None] = mapped_column(ForeignKey("station.code"), index=True)
    """Where it is, on its way to, or was handed over: whoever it was for."""
    wiping_proof: Mapped[str | None]  # the paper that says a returned one is empty; asked anew at each return


class Assignment(Base):
    """This device is for this pledge. Once released the device may be for another, and the pledge get another."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("one_assignment_of_device", "device_id", unique=True, info=only(STILL)),
        Index("one_assignment_of_pledge", "pledge_id", unique=True, info=only(STILL)),
        UniqueConstraint("id", "case_id"),
        CheckConstraint("(released_at IS NULL) = (released_for IS NULL)", "released_for_something"),
        CheckConstraint(f"released_for IN ({listed(RELEASES)})", "known_released_for"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"), index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("child_case.id"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    released_at: Mapped[datetime | None]
    released_for: Mapped[str | None]  # what became of the device, or `child`: what became of the child
    code_fingerprint: Mapped[str | None]  # of the guardian's one-time code
    code_expires_at: Mapped[datetime | None]
    overdue_at: Mapped[datetime | None]  # the days of fetching were over: somebody shall call the guardian


class Handover(Base):
    """Two people of the station gave it to the child's guardian; neither of them is who verified the case."""

    __tablename__ = "handover"
    __table_args__ = (
        Index("one_final_handover", "assignment_id", unique=True, info=only(FINAL)),
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


APPROVED = "SELECT 1 FROM device_model WHERE device_model.code = NEW.model_code AND device_model.is_approved"
UNWIPED = "(OLD.state = 'returned' AND NEW.state = 'checked' AND NEW.wiping_proof IS NULL)"
NOT_CONFIRMED = "NOT EXISTS (SELECT 1 FROM pledge WHERE pledge.id = NEW.pledge_id AND pledge.confirmed_at IS NOT NULL)"
triggers.register(
    triggers.Guard("assignment", "INSERT", NOT_CONFIRMED, "no device before the bank has confirmed"),
    triggers.Guard("device", "INSERT", f"NOT EXISTS ({APPROVED})", "this model is not approved"),
    triggers.Guard(
        "device",
        "UPDATE",
        f"NEW.imei <> OLD.imei OR NEW.model_code <> OLD.model_code OR {UNWIPED}",
        "a device stays what it is, and what came back is wiped before it goes on",
    ),
    *triggers.append_only("handover"),
)
