"""Who did what, when and why: written with the deed itself, unchained; the sealer chains it afterwards.

Names never stand in a record: they enter as salted commitments, so that erasing a person breaks no chain."""

import hashlib
import secrets
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core import clock, sealing, triggers
from marketplace.core.db import Base

CHAIN: Final = "audit"


class AuditRecord(Base):
    __tablename__ = "audit_record"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    actor: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    why: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


triggers.register(*triggers.append_only("audit_record"))


def record(
    session: Session, /, *, actor: str, action: str, subject: str, why: str = "", **detail: int | str | bool | None
) -> None:
    """Keep a trace of a deed that the business transaction does; it commits or vanishes with it."""
    session.add(AuditRecord(actor=actor, action=action, subject=subject, why=why, detail=detail))


def commitment(name: str) -> tuple[str, str]:
    """(salt, digest): the digest may enter a record; whoever later shows name and salt proves who was meant."""
    salt = secrets.token_hex(16)
    return salt, hashlib.sha256(f"{salt}\0{name}".encode()).hexdigest()


def unsealed(session: Session, first_id: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Records from `first_id` on that have no seal, in the order of their ids."""
    waiting = select(AuditRecord).where(AuditRecord.id >= first_id, ~sealing.is_sealed(CHAIN, AuditRecord.id, first_id))
    return [(row.id, content(row)) for row in session.scalars(waiting.order_by(AuditRecord.id).limit(limit))]


def content(row: AuditRecord) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": int(row.at.timestamp() * 1_000_000),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "why": row.why,
        "detail": row.detail,
    }


sealing.chains[CHAIN] = sealing.Chain(unsealed)
