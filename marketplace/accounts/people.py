"""Accounts: who they are and what they may do."""

import re
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.models import AccessToken, Grant, Person, SignInSession
from marketplace.accounts.permissions import STAFF, WORKING_DAY
from marketplace.core import audit, clock
from marketplace.core.db import insert_or_ignore
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import Refusal

PHONE: Final = re.compile(r"1[3-9][0-9]{9}")
EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
LONGEST_EMAIL: Final = 254
SCOPES: Final[dict[str, tuple[str, ...]]] = {  # role -> the kinds of scope it may have
    "seller": ("own",),
    "station_manager": ("station",),
    "station_clerk": ("station",),
    "charity_officer": ("organisation",),
    "charity_approver": ("organisation",),
    "bank_officer": ("bank",),
    "nominator": ("county", "programme"),
    "verifier": ("county", "programme"),
    "children_officer": ("programme", "county"),
    "programme_officer": ("programme", "county"),
    "operator": ("province",),
    "finance_operator": ("province",),
    "auditor": ("province",),
}
COUNTY_CODE: Final = re.compile(r"[0-9]{6}")
NEVER_TOGETHER: Final = (({"bank_officer"}, {"station_clerk", "station_manager"}),)


class AddressTaken(Refusal):
    message = _l("Another account uses this address.")


class RolesExclude(Refusal):
    message = _l("One person cannot have both of these roles.")


class NoSuchRole(Refusal):
    status = 422
    message = _l("There is no such role, or it does not cover this place.")


def is_phone(address: str) -> bool:
    return PHONE.fullmatch(address) is not None


def is_email(address: str) -> bool:
    return EMAIL.fullmatch(address) is not None and len(address) <= LONGEST_EMAIL


def normalised(typed: str) -> str:
    """The one spelling of a phone number or e-mail: every way to write it is found, counted and limited as the same."""
    typed = typed.strip()
    return typed.lower() if "@" in typed else re.sub(r"[\s-]", "", typed).removeprefix("+86")


def address_fingerprint(address: str) -> str:
    """By which an account is found: a phone number as it is, an e-mail in small letters."""
    return fingerprint(address, "phone") if is_phone(address) else fingerprint(address.lower(), "email")


def find(session: Session, address: str) -> Person | None:
    """The account with this phone number or e-mail."""
    return session.scalar(select(Person).where(has_address(address)))


def public_id_of(session: Session, address: str) -> str | None:
    return session.scalar(select(Person.public_id).where(has_address(address)))


def has_address(address: str) -> ColumnElement[bool]:
    column = Person.phone_fingerprint if is_phone(address) else Person.email_fingerprint
    return column == address_fingerprint(address)


def register(session: Session, *, address: str, name: str = "", password_hash: str | None = None) -> Person:
    """Open an account for a phone number or an e-mail. Raises AddressTaken."""
    kind = "phone" if is_phone(address) else "email"
    person = Person(name=name, password_hash=password_hash)
    set_address(session, person, address)
    audit.record(session, actor=person.public_id, action="account.opened", subject=f"person:{person.public_id}", by=kind)
    return person


def set_address(session: Session, person: Person, address: str) -> None:
    """Give the account this phone number or e-mail. Raises AddressTaken, also where somebody else is doing so just now."""
    found = address_fingerprint(address)
    try:
        with session.begin_nested():
            if is_phone(address):
                person.phone, person.phone_fingerprint = address, found
            else:
                person.email, person.email_fingerprint = address.lower(), found
            session.add(person)
    except IntegrityError:
        raise AddressTaken from None


def grant(session: Session, *, person_id: int, role: str, actor: str, scope_kind: str = "own", scope_id: str = "") -> bool:
    """Give a role within a scope; False if the person had it. Raises NoSuchRole, RolesExclude."""
    if not reaches(role, scope_kind, scope_id):
        raise NoSuchRole(f"{role} {scope_kind}:{scope_id}")
    # one grant after the other for each person: else two that exclude each other could meet unseen
    public_id = session.scalars(select(Person.public_id).where(Person.id == person_id).with_for_update()).one()
    held = set(session.scalars(select(Grant.role).where(Grant.person_id == person_id)))
    for these, those in NEVER_TOGETHER:
        if (role in these and held & those) or (role in those and held & these):
            raise RolesExclude(role)
    row = {"person_id": person_id, "role": role, "scope_kind": scope_kind, "scope_id": scope_id, "granted_at": clock.now()}
    is_new = insert_or_ignore(session, Grant, row)
    if is_new:
        scope = f"{scope_kind}:{scope_id}"
        audit.record(session, actor=actor, action="role.granted", subject=f"person:{public_id}", role=role, scope=scope)
    if is_new and role in STAFF:
        shorten_sessions(session, person_id)
        if not held & STAFF:
            close_desks_to_tokens(session, person_id)
    return is_new


def take_back(
    session: Session, *, person_id: int, role: str, actor: str, scope_kind: str = "own", scope_id: str = ""
) -> bool:
    """Take a role back within a scope; False if the person did not have it. Their next page is without it."""
    public_id = session.scalars(select(Person.public_id).where(Person.id == person_id).with_for_update()).one()
    mine = (Grant.person_id == person_id) & (Grant.role == role) & (Grant.scope_kind == scope_kind)
    gone = session.execute(delete(Grant).where(mine, Grant.scope_id == scope_id).returning(Grant.id)).first()
    if gone is not None:
        scope = f"{scope_kind}:{scope_id}"
        audit.record(session, actor=actor, action="role.taken_back", subject=f"person:{public_id}", role=role, scope=scope)
    return gone is not None


def shorten_sessions(session: Session, person_id: int) -> None:
    """Who has become staff is signed in for a working day only, wherever that was before."""
    evening = clock.now() + WORKING_DAY
    theirs = update(SignInSession).where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
    session.execute(theirs.where(SignInSession.expires_at > evening).values(expires_at=evening))


def close_desks_to_tokens(session: Session, person_id: int) -> None:
    """What programs were given before was not given as staff give it: as long as it lasts it does what a buyer's does."""
    session.execute(update(AccessToken).where(AccessToken.person_id == person_id).values(has_second_factor=False))


def reaches(role: str, scope_kind: str, scope_id: str) -> bool:
    """The role is one of ours, and this is a scope that it can have."""
    if scope_kind not in SCOPES.get(role, ()):
        return False
    if scope_kind in {"station", "county", "province"}:
        return COUNTY_CODE.fullmatch(scope_id) is not None
    return bool(scope_id) is (scope_kind != "own")
