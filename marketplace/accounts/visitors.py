"""Who is asking: nobody for a stranger, one query for a person whose browser holds the token of a live session."""

from collections.abc import Callable, Set
from datetime import datetime
from typing import Final

from flask import Flask, Response, after_this_request, g, request, session as cookie
from sqlalchemy import select

from marketplace.accounts import sign_in
from marketplace.accounts.models import Grant, Person, SignInSession
from marketplace.accounts.permissions import STAFF
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import token_hash
from marketplace.core.error_pages import is_of_programs
from marketplace.core.logs import QUIET
from marketplace.core.records import record

TOKEN: Final = "token"
STATION: Final = "station"
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
own: list[str] = []
"""what a cookie holds of a stranger's doings, and keeps when they sign in; filled by `parts/`"""
on_entered: list[Callable[[int], None]] = []
"""called with the person's id once the browser is theirs; filled by `parts/`"""


@record
class Visitor:
    """A signed-in person, as far as a request needs to know them."""

    token: str
    session_id: str
    id: int
    public_id: str
    name: str
    grants: tuple[tuple[str, str, str], ...]  # role, kind of scope, scope
    has_second_factor: bool
    seen_at: datetime

    @property
    def roles(self) -> frozenset[str]:
        return frozenset({"buyer", *(role for role, _kind, _scope in self.grants)})

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF)

    def station_of(self, roles: Set[str]) -> str:
        """The station at which they have one of these roles; where there are several, the one chosen, else the first.

        The empty string, which is no station, where there is none."""
        theirs = self.stations_of(roles)
        chosen = cookie.get(STATION)
        return chosen if chosen in theirs else next(iter(theirs), "")

    def stations_of(self, roles: Set[str]) -> list[str]:
        return [scope for role, kind, scope in self.grants if role in roles and kind == "station"]


def install(app: Flask) -> None:
    app.before_request(load)


def load() -> None:
    """Before each request: `g.person` is a Visitor or None. The cookie holds a token, and the token alone decides.

    Programs come with a token of another kind: `bearers`."""
    if is_of_programs():
        return
    token = cookie.get(TOKEN) if request.endpoint not in QUIET else None  # a pulse is felt without the database
    g.person = find(token) if isinstance(token, str) else None
    g.station = ""
    if g.person and request.method not in READING and clock.now() - g.person.seen_at > sign_in.PROLONGED_EVERY:
        in_transaction(sign_in.prolong, token=g.person.token)  # reading writes nothing, so only forms keep a session alive


def choose_station(code: str) -> bool:
    """From now on at this one of their stations; False if it is none of theirs."""
    is_theirs = any((kind, scope) == ("station", code) for _role, kind, scope in g.person.grants)
    if is_theirs:
        cookie[STATION] = code
    return is_theirs


def enter(visitor: Visitor) -> None:
    """The browser is this person's from now on. Nothing of another who used it before stays but what is still to be said;
    what a stranger did in it, they did."""
    before = g.person.public_id if g.get("person") else was_here()
    is_theirs = TOKEN not in cookie or before == visitor.public_id
    kept = {name: cookie[name] for name in ("_flashes", STATION, *(own if is_theirs else ())) if name in cookie}
    cookie.clear()
    cookie.update(kept)
    cookie.permanent = True
    cookie[TOKEN] = visitor.token
    g.person = visitor
    for listener in on_entered:
        listener(visitor.id)


def rotate() -> None:
    """The session has its second factor from now on, and another token. Raises StaleState."""
    visitor = find(in_transaction(sign_in.rotate, token=g.person.token))
    assert visitor is not None
    enter(visitor)


def was_here() -> str:
    """The public id of whoever's session the cookie names, ended or not; empty for a stranger."""
    hashed = token_hash(str(cookie.get(TOKEN, "")))
    known = select(Person.public_id).join(SignInSession, SignInSession.person_id == Person.id)
    return db.session.scalar(known.where(SignInSession.token_hash == hashed)) or ""


def leave() -> None:
    """Nothing stays in the browser either: what a desk kept there for work without a network goes with the session."""
    cookie.clear()
    g.person = None

    @after_this_request
    def empty(answer: Response) -> Response:
        answer.headers["Clear-Site-Data"] = '"storage"'
        return answer


def find(token: str) -> Visitor | None:
    """The person behind a session that has neither ended nor expired: one statement."""
    hashed = token_hash(token)
    known = (
        select(SignInSession.public_id.label("session_id"), SignInSession.second_factor_at, SignInSession.seen_at)
        .add_columns(Person.id, Person.public_id, Person.name, Grant.role, Grant.scope_kind, Grant.scope_id)
        .join(Person, Person.id == SignInSession.person_id)
        .outerjoin(Grant, Grant.person_id == Person.id)
        .where(SignInSession.token_hash == hashed, SignInSession.ended_at.is_(None), Person.is_active)
        .where(SignInSession.expires_at > clock.now())
        .order_by(Grant.id)
    )
    rows = db.session.execute(known).all()
    if not rows:
        return None
    first = rows[0]
    grants = tuple((row.role, row.scope_kind, row.scope_id) for row in rows if row.role)
    known_as = (first.session_id, first.id, first.public_id, first.name)
    return Visitor(token, *known_as, grants, first.second_factor_at is not None, first.seen_at)
