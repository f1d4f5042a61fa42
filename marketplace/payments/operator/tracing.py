"""Where the thing that was paid for, or the account that was moved, has a page of its own; the floors above fill it."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

Page = Callable[[Session, str], str | None]

pages_of_purposes: dict[str, Page] = {}
"""purpose -> the address of what a reference of it is about, or None; filled by parts/."""

pages_of_entries: dict[str, Page] = {}
"""kind of entry (disburse, payout, ...) -> the address of what was booked under this key, or None; filled by parts/."""

others_of_purposes: dict[str, Callable[[Session, str], Sequence[str]]] = {}
"""purpose -> under what else the books have the money that was paid for a reference of it; filled by parts/."""

payers: list[Callable[[Session, str], str | None]] = []
"""Called with a number: the reference under which that was paid, where it has no payment of its own; filled by parts/."""


def others_of(session: Session, purpose: str, reference: str) -> Sequence[str]:
    """Such as the orders that a statement has paid."""
    found = others_of_purposes.get(purpose)
    return found(session, reference) if found else ()


def paid_under(session: Session, number: str) -> list[str]:
    """The number itself, and that under which it was paid with others."""
    asked = (payer(session, number) for payer in payers)
    return [number, *(found for found in asked if found)]


def page_of(session: Session, purpose: str, reference: str) -> str | None:
    found = pages_of_purposes.get(purpose)
    return found(session, reference) if found else None


def page_of_entry(session: Session, key: str) -> str | None:
    found = pages_of_entries.get(key.partition(":")[0])
    return found(session, key.partition(":")[2]) if found else None
