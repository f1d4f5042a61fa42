"""Who is asking: nobody for a stranger, one query for a person whose browser holds the token of a live session."""

from dataclasses import dataclass
from typing import Final

from flask import Flask, g, session as cookie
from sqlalchemy import select

from marketplace.accounts.models import Grant, Person, SignInSession
from marketplace.accounts.permissions import STAFF
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.encryption import token_hash

TOKEN: Final = "token"


@dataclass(frozen=True)
class Visitor:
    """A signed-in person, as far as a request needs to know them."""

    token: str
    session_id: str
    id: int
    public_id: str
    name: str
    grants: tuple[tuple[str, str, str], ...]  # role, kind of scope, scope
    has_second_factor: bool

    @property
    def roles(self) -> frozenset[str]:
        return frozenset({"buyer", *(role for role, _kind, _scope in self.grants)})

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF)

    def scope_of(self, kind: str) -> str:
        """The one scope of this kind; the empty string, which is nobody's, where there is none."""
        return next((scope for _role, named, scope in self.grants if named == kind), "")


def install(app: Flask) -> None:
    app.before_request(load)


def load() -> None:
    """Before each request: `g.person` is a Visitor or None. The cookie holds a token, and the token alone decides."""
    token = cookie.get(TOKEN)
    g.person = find(token) if isinstance(token, str) else None
    g.station = ""


def enter(visitor: Visitor) -> None:
    """The browser is this person's from now on; nothing of who used it before stays but what is still to be said."""
    kept = {name: cookie[name] for name in ("_flashes",) if name in cookie}
    cookie.clear()
    cookie.update(kept)
    cookie.permanent = True
    cookie[TOKEN] = visitor.token
    g.person = visitor


def leave() -> None:
    cookie.clear()
    g.person = None


def find(token: str) -> Visitor | None:
    """The person behind a session that has neither ended nor expired: one statement."""
    hashed = token_hash(token)
    known = (
        select(SignInSession.public_id.label("session_id"), SignInSession.second_factor_at, Person.id, Person.public_id)
        .add_columns(Person.name, Grant.role, Grant.scope_kind, Grant.scope_id)
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
    second_factor = first.second_factor_at is not None
    return Visitor(token, first.session_id, first.id, first.public_id, first.name, grants, second_factor)
