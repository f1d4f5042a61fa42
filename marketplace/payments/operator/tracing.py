"""Where the thing that was paid for, or the account that was moved, has a page of its own; the floors above fill it."""

from collections.abc import Callable

from sqlalchemy.orm import Session

Page = Callable[[Session, str], str | None]

pages_of_purposes: dict[str, Page] = {}
"""purpose -> the address of what a reference of it is about, or None; filled by parts/."""

pages_of_entries: dict[str, Page] = {}
"""kind of entry (disburse, payout, ...) -> the address of what was booked under this key, or None; filled by parts/."""


def page_of(session: Session, purpose: str, reference: str) -> str | None:
    found = pages_of_purposes.get(purpose)
    return found(session, reference) if found else None


def page_of_entry(session: Session, key: str) -> str | None:
    found = pages_of_entries.get(key.partition(":")[0])
    return found(session, key.partition(":")[2]) if found else None
