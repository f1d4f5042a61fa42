"""A guest's gift is claimed by whoever proves the address that was left with it.

An account's own address was proved by a code when it was entered: no other proof is asked for, and none counts. Who holds a
gift's link may look at it as before. What stands in the public ledger does not change, nor how the giver is called there."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns.claims.models import GuestGift
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans.models import Installment, Plan
from marketplace.accounts.models import Person
from marketplace.accounts.people import normalised
from marketplace.core import audit
from marketplace.core.db import add_rows
from marketplace.core.encryption import fingerprint

PURPOSE: Final = "gift.guest"


def address_key(address: str) -> str:
    return fingerprint(normalised(address), PURPOSE)


def remember(session: Session, *, gift: str, address: str) -> None:
    """With the gift itself, where a guest leaves an address."""
    add_rows(session, GuestGift, {"gift": gift, "address": address_key(address)})


def waiting(session: Session, person_id: int) -> int:
    """How many gifts of guests were received with this account's own addresses. Nothing else is said of them."""
    person = session.get_one(Person, person_id)
    mine = select(func.count()).select_from(GuestGift).join(Contribution, Contribution.public_id == GuestGift.gift)
    return int(session.scalar(mine.where(*claimable(person))) or 0)


def claim(session: Session, *, person_id: int) -> int:
    """All of them, and the monthly gifts begun with them, are this account's from now on; how many gifts.

    Called again, nothing happens."""
    person = session.get_one(Person, person_id)
    mine = select(GuestGift.gift).join(Contribution, Contribution.public_id == GuestGift.gift)
    gifts: Sequence[str] = session.scalars(mine.where(*claimable(person)).with_for_update(of=GuestGift)).all()
    if not gifts:
        return 0
    of_guests = (Contribution.public_id.in_(gifts), Contribution.person_id.is_(None))
    session.execute(update(Contribution).where(*of_guests).values(person_id=person_id))
    plans = select(Installment.plan_id).join(Contribution, Contribution.id == Installment.contribution_id)
    begun = (Plan.id.in_(plans.where(Contribution.public_id.in_(gifts))), Plan.person_id.is_(None))
    session.execute(update(Plan).where(*begun).values(person_id=person_id))
    session.execute(delete(GuestGift).where(GuestGift.gift.in_(gifts)))
    for gift in gifts:
        audit.record(session, actor=f"person:{person_id}", action="gift.claimed", subject=f"contribution:{gift}")
    return len(gifts)


def claimable(person: Person) -> tuple[ColumnElement[bool], ...]:
    """SQL: received, and with one of the addresses that this account has proved."""
    addresses = [address_key(address) for address in (person.email, person.phone) if address]
    return GuestGift.address.in_(addresses), Contribution.state == "received", Contribution.person_id.is_(None)
