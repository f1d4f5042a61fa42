"""Where a person has parcels sent: entered by them or remembered from their orders, newest first."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Address
from marketplace.core import clock
from marketplace.core.errors import NotFound

KEPT: Final = 8


def of_person(session: Session, person_id: int) -> Sequence[Address]:
    mine = select(Address).where(Address.person_id == person_id)
    return session.scalars(mine.order_by(Address.used_at.desc(), Address.id.desc()).limit(KEPT)).all()


def get(session: Session, *, person_id: int, address: str) -> Address:
    """Raises NotFound for another's."""
    row = session.scalar(select(Address).where(Address.public_id == address, Address.person_id == person_id))
    if row is None:
        raise NotFound(address)
    return row


def remember(session: Session, *, person_id: int, recipient: str, phone: str, province: str, city: str, street: str) -> None:
    """Keep where parcels are sent; the same again becomes the newest. At most eight are kept."""
    given = (recipient, phone, province, city, street)
    known = list(of_person(session, person_id))
    for row in known:
        if (row.recipient, row.phone, row.province, row.city, row.street) == given:
            row.used_at = clock.now()
            return
    fields = dict(zip(("recipient", "phone", "province", "city", "street"), given, strict=True))
    session.add(Address(person_id=person_id, **fields))
    for old in known[KEPT - 1 :]:
        session.delete(old)


def change(session: Session, /, *, person_id: int, address: str, **fields: str) -> None:
    """Raises NotFound for another's. Orders that were sent there keep what they had."""
    row = get(session, person_id=person_id, address=address)
    for name, value in fields.items():
        setattr(row, name, value)


def remove(session: Session, *, person_id: int, address: str) -> None:
    """Raises NotFound for another's."""
    gone = delete(Address).where(Address.public_id == address, Address.person_id == person_id)
    if session.scalar(gone.returning(Address.id)) is None:
        raise NotFound(address)
