"""Coming in and going out: sessions that live in the database, where they can be listed and ended."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from marketplace.accounts import codes, passwords, people
from marketplace.accounts.models import Grant, Person, SignInSession
from marketplace.accounts.permissions import STAFF, WORKING_DAY
from marketplace.core import audit, clock, ids
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound, StaleState

LASTS: Final = timedelta(days=30)  # after the last form that was sent
PROLONGED_EVERY: Final = timedelta(hours=1)
CODE: Final = "sign-in"

on_signed_in: list[Callable[[Session, int, str | None], None]] = []
"""Called in the same transaction with the person and the token of the stranger's cart; filled by parts/."""


def whose_password(session: Session, address: str, password: str) -> int | None:
    """The id of the person whom address and password name; None for a wrong one, an unknown or a closed account alike.

    It takes as long for all of them, and is to be asked outside a transaction: hashing would hold up every writer."""
    person = people.find(session, address)
    stored = person.password_hash if person and person.is_active else None
    return person.id if passwords.is_right(password, stored) and person else None


class Entry(NamedTuple):
    token: str
    is_new: bool  # the account was opened just now


def with_code(session: Session, *, code: str, address: str, digits: str, device: str, cart: str | None) -> Entry | None:
    """A new session, or None; a right code for a new address opens an account. To be committed whatever the answer is."""
    if not codes.try_code(session, public_id=code, address=address, digits=digits, purpose=CODE):
        return None
    person, is_new = find_or_register(session, address)
    if not person.is_active:
        return None
    return Entry(begin(session, person_id=person.id, device=device, cart=cart), is_new)


def find_or_register(session: Session, address: str) -> tuple[Person, bool]:
    known = people.find(session, address)
    if known:
        return known, False
    try:
        return people.register(session, address=address), True
    except people.AddressTaken:  # by another code of the same address, a moment ago
        person = people.find(session, address)
        assert person is not None
        return person, False


def begin(session: Session, *, person_id: int, device: str, cart: str | None) -> str:
    """Open a session; returns its token, which nobody can read again."""
    token = ids.secret_token()
    expires_at = clock.now() + (WORKING_DAY if is_staff(session, person_id) else LASTS)
    row = SignInSession(token_hash=token_hash(token), person_id=person_id, device=device[:200], expires_at=expires_at)
    session.add(row)
    session.flush()
    for listener in on_signed_in:
        listener(session, person_id, cart)
    return token


def is_staff(session: Session, person_id: int) -> bool:
    theirs = select(Grant.id).where(Grant.person_id == person_id, Grant.role.in_(STAFF))
    return session.scalar(theirs.limit(1)) is not None


def rotate(session: Session, *, token: str) -> str:
    """A new token for the same session, now with a second factor; the old one opens nothing any more.

    Raises StaleState where the session was ended meanwhile."""
    old = select(SignInSession).where(SignInSession.token_hash == token_hash(token), SignInSession.ended_at.is_(None))
    row = session.scalar(old.with_for_update())
    if row is None:
        raise StaleState
    row.ended_at = clock.now()
    fresh = ids.secret_token()
    again = SignInSession(token_hash=token_hash(fresh), person_id=row.person_id, device=row.device)
    again.expires_at, again.second_factor_at, again.created_at = row.expires_at, clock.now(), row.created_at
    if is_staff(session, row.person_id):
        again.expires_at = min(row.expires_at, clock.now() + WORKING_DAY)
    session.add(again)
    return fresh


def prolong(session: Session, *, token: str) -> None:
    """Somebody is still there: thirty more days. The working day of staff is not prolonged."""
    now = clock.now()
    alive = update(SignInSession).where(SignInSession.token_hash == token_hash(token), SignInSession.ended_at.is_(None))
    session.execute(alive.values(seen_at=now))
    longer = alive.where(SignInSession.person_id.not_in(select(Grant.person_id).where(Grant.role.in_(STAFF))))
    session.execute(longer.values(expires_at=now + LASTS))


def sweep(session: Session) -> None:
    """What was signed in where is of no use a month after it ended."""
    long_ago = clock.now() - LASTS
    is_over = or_(SignInSession.expires_at < long_ago, SignInSession.ended_at < long_ago)
    session.execute(delete(SignInSession).where(is_over))


def sessions_of(session: Session, person_id: int) -> Sequence[SignInSession]:
    """Those that still open the account, latest first."""
    mine = select(SignInSession).where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
    alive = mine.where(SignInSession.expires_at > clock.now())
    return session.scalars(alive.order_by(SignInSession.created_at.desc())).all()


def end(session: Session, *, person_id: int, session_id: str) -> None:
    """End one of a person's own sessions. Raises NotFound for anything else."""
    step = update(SignInSession).where(SignInSession.public_id == session_id, SignInSession.person_id == person_id)
    ended = step.where(SignInSession.ended_at.is_(None)).values(ended_at=clock.now())
    if session.scalar(ended.returning(SignInSession.public_id)) is None:
        raise NotFound(session_id)


def end_others(session: Session, *, person_id: int, but: str) -> None:
    others = update(SignInSession).where(SignInSession.person_id == person_id, SignInSession.public_id != but)
    session.execute(others.where(SignInSession.ended_at.is_(None)).values(ended_at=clock.now()))


def set_password(session: Session, *, person_id: int, password_hash: str, but: str) -> None:
    """A new password ends every other session."""
    person = session.get_one(Person, person_id)
    person.password_hash = password_hash
    audit.record(session, actor=person.public_id, action="password.set", subject=f"person:{person.public_id}")
    end_others(session, person_id=person_id, but=but)
