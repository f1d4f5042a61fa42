"""Who is asking under /api: whoever's token stands in `Authorization: Bearer`, and nobody else. Cookies count for nothing
there, so that no page of another site can act for a person who is signed in."""

from typing import Final

from flask import Flask, g, request
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from marketplace.accounts import tokens
from marketplace.accounts.models import AccessToken, Grant, Person
from marketplace.accounts.tokens import USE_IS_KEPT_EVERY
from marketplace.accounts.visitors import Visitor
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import token_hash
from marketplace.core.error_pages import is_of_programs
from marketplace.core.errors import Refusal
from marketplace.core.records import record

SCHEME: Final = "bearer"


class NotAuthenticated(Refusal):
    status = 401
    message = _l("This needs a key that is still good, as Authorization: Bearer.")

    @property
    def headers(self) -> dict[str, str]:
        said = ', error="invalid_token"' if scheme() == SCHEME else ""
        return {"WWW-Authenticate": f'Bearer realm="api"{said}'}


@record
class Bearer(Visitor):
    """A person's program; `session_id` is the public id of its token."""

    scopes: frozenset[str] = frozenset()


def install(app: Flask) -> None:
    app.before_request(load)


def load() -> None:
    """Before each request of a program: `g.person` is a Bearer, or None where no token was sent.

    Raises NotAuthenticated for a token that opens nothing. Another scheme belongs to whatever stands in front of us."""
    if not is_of_programs():
        return
    g.person, g.station = None, ""
    if scheme() != SCHEME:
        return
    g.person = bearer = find(request.headers["Authorization"].partition(" ")[2].strip())
    if bearer is None:
        raise NotAuthenticated
    if clock.now() - bearer.seen_at > USE_IS_KEPT_EVERY:
        in_transaction(tokens.keep_use, token=bearer.session_id)


def scheme() -> str:
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def find(token: str) -> Bearer | None:
    """The person behind a token that has neither ended nor expired: one statement."""
    known = (
        select(AccessToken.public_id.label("token_id"), AccessToken.has_second_factor, AccessToken.scopes)
        .add_columns(AccessToken.used_at, AccessToken.created_at)
        .add_columns(Person.id, Person.public_id, Person.name, Grant.role, Grant.scope_kind, Grant.scope_id)
        .join(Person, Person.id == AccessToken.person_id)
        .outerjoin(Grant, Grant.person_id == Person.id)
        .where(AccessToken.token_hash == token_hash(token), AccessToken.ended_at.is_(None), Person.is_active)
        .where(AccessToken.expires_at > clock.now())
        .order_by(Grant.id)
    )
    rows = db.session.execute(known).all()
    if not rows:
        return None
    first = rows[0]
    grants = tuple((row.role, row.scope_kind, row.scope_id) for row in rows if row.role)
    known_as = (first.token_id, first.id, first.public_id, first.name)
    seen_at = first.used_at or first.created_at - 2 * USE_IS_KEPT_EVERY
    return Bearer(token, *known_as, grants, first.has_second_factor, seen_at, frozenset(first.scopes))
