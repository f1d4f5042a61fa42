"""Keys for programs: a token does what its scopes say, and never more than its person may.

It is shown once and stored as a hash. Who has a role of staff makes one only with their second factor, for a quarter of a
year at most; what it was made for stays within the role as that stands when it is used."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from marketplace.accounts import sign_in
from marketplace.accounts.letters import letters
from marketplace.accounts.models import AccessToken, Person
from marketplace.core import audit, clock, ids
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound, Refusal

BEGINS: Final = "pav_"  # whoever finds one in a log or a repository sees what it is
SHOWN: Final = len(BEGINS) + 6
MOST: Final = 20
DAYS: Final = (30, 90, 365)
MOST_DAYS_OF_STAFF: Final = 90
USE_IS_KEPT_EVERY: Final = timedelta(hours=1)
KEPT_AFTER_ITS_END: Final = timedelta(days=365)


class TokenScope(StrEnum):
    READ = "read"
    ORDERS_WRITE = "orders:write"
    PARCELS_WRITE = "parcels:write"
    LISTINGS_WRITE = "listings:write"
    CASES_WRITE = "cases:write"
    GIFTS_WRITE = "gifts:write"


class Kind(NamedTuple):
    """What a scope lets a program do, and who can give it: anybody where no role is named."""

    words: LazyString
    roles: frozenset[str]


KINDS: Final[dict[TokenScope, Kind]] = {
    TokenScope.READ: Kind(_l("See orders, gifts and parcels"), frozenset()),
    TokenScope.ORDERS_WRITE: Kind(_l("Order, and begin to pay"), frozenset()),
    TokenScope.PARCELS_WRITE: Kind(
        _l("Take parcels on, pack and hand them over"), frozenset({"station_manager", "station_clerk"})
    ),
    TokenScope.LISTINGS_WRITE: Kind(_l("Write listings and send them to the station"), frozenset({"seller"})),
    TokenScope.CASES_WRITE: Kind(_l("Say what was wrong with goods that arrived"), frozenset()),
    TokenScope.GIFTS_WRITE: Kind(_l("Give to campaigns, and begin to pay"), frozenset()),
}


class TooManyTokens(Refusal):
    message = _l("You have twenty keys already. Please end one that is not used any more.")


class NeedsSecondFactor(Refusal):
    status = 403
    message = _l("A key for your role is made only after your second factor.")


class LastsTooLong(Refusal):
    status = 422
    message = _l("A key for a role of staff is good for 90 days at most.")


class Made(NamedTuple):
    public_id: str
    token: str


def offered(roles: Collection[str]) -> list[TokenScope]:
    """The scopes that somebody with these roles can give to a program."""
    return [scope for scope, kind in KINDS.items() if not kind.roles or kind.roles & set(roles)]


def make(
    session: Session, *, person_id: int, name: str, scopes: Collection[TokenScope], days: int, has_second_factor: bool
) -> Made:
    """A new token, which nobody can read again; its person is told.

    Raises TooManyTokens, NeedsSecondFactor, LastsTooLong."""
    person = session.scalars(select(Person).where(Person.id == person_id).with_for_update()).one()
    if sign_in.is_staff(session, person_id):
        if not has_second_factor:
            raise NeedsSecondFactor(name)
        if days > MOST_DAYS_OF_STAFF:
            raise LastsTooLong(str(days))
    living = select(func.count()).select_from(AccessToken).where(AccessToken.person_id == person_id, *still_good())
    if (session.scalar(living) or 0) >= MOST:
        raise TooManyTokens(name)
    token = f"{BEGINS}{ids.secret_token()}"
    row = AccessToken(person_id=person_id, name=name, start=token[:SHOWN], token_hash=token_hash(token))
    row.scopes = sorted(scope.value for scope in scopes)
    row.has_second_factor, row.expires_at = has_second_factor, clock.now() + timedelta(days=days)
    session.add(row)
    session.flush()
    record(session, person, row, "token.made", scopes=" ".join(row.scopes), days=days)
    tell(session, person, row)
    return Made(row.public_id, token)


def tell(session: Session, person: Person, row: AccessToken) -> None:
    """So that nobody else makes one unseen."""
    words = _("A key for a program was made in your account: %(name)s. If that was not you, end it under Me.", name=row.name)
    if where := person.phone or person.email:
        letters().send(session, fact=f"token:{row.public_id}", address=where, text=str(words), person_id=person.id)


def end(session: Session, *, person_id: int, token: str) -> None:
    """It opens nothing any more, at once. Raises NotFound for another's, and for one that was ended."""
    mine = select(AccessToken).where(AccessToken.public_id == token, AccessToken.person_id == person_id)
    row = session.scalar(mine.where(AccessToken.ended_at.is_(None)).with_for_update())
    if row is None:
        raise NotFound(token)
    row.ended_at = clock.now()
    record(session, session.get_one(Person, person_id), row, "token.ended")


def of_person(session: Session, person_id: int) -> Sequence[AccessToken]:
    """Those that still open something, the newest first."""
    mine = select(AccessToken).where(AccessToken.person_id == person_id, *still_good())
    return session.scalars(mine.order_by(AccessToken.id.desc())).all()


def still_good() -> tuple[ColumnElement[bool], ...]:
    return AccessToken.ended_at.is_(None), AccessToken.expires_at > clock.now()


def sweep(session: Session) -> None:
    """What a program could do once is of no use a year after that."""
    session.execute(delete(AccessToken).where(AccessToken.expires_at < clock.now() - KEPT_AFTER_ITS_END))


def keep_use(session: Session, *, token: str) -> None:
    session.execute(update(AccessToken).where(AccessToken.public_id == token).values(used_at=clock.now()))


def record(session: Session, person: Person, row: AccessToken, action: str, **more: Any) -> None:
    audit.record(session, actor=person.public_id, action=action, subject=f"token:{row.public_id}", start=row.start, **more)
