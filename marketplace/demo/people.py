"""The demonstration's people: one account for each role, the staff of 58 stations, and everyone who sells."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import people
from marketplace.accounts.models import Person
from marketplace.accounts.passwords import hash_password
from marketplace.accounts.permissions import STAFF
from marketplace.core.records import record
from marketplace.demo.tables import add_missing, read
from marketplace.stations.models import Seller

DOMAIN: Final = "demo.example"
PASSWORD: Final = "millet-58-doors"
PROVINCE: Final = ("province", "140000")
ORGANISATION: Final = ("organisation", "demo-youth-foundation")
SELLERS_WHO_SIGN_IN: Final = {"140430-1": "seller", "141031-1": "seller2"}


@record
class Account:
    """Who may sign in as `name`@demo.example, and what they may do where."""

    name: str
    person: str  # as shown
    roles: tuple[tuple[str, str, str], ...] = ()  # role, kind of scope, scope

    @property
    def email(self) -> str:
        return f"{self.name}@{DOMAIN}"

    @property
    def is_staff(self) -> bool:
        return any(role in STAFF for role, _kind, _scope in self.roles)


def load(session: Session) -> None:
    """All accounts, with one password, and all sellers. People who are there already keep what they have."""
    rows = {person_id(account.name): account for account in accounts()}
    names = {row["code"]: row["contact_zh"] for row in read("sellers") if row["code"] not in SELLERS_WHO_SIGN_IN}
    hashed = hash_password(PASSWORD)  # dear, so once for all
    silent = [{"public_id": person_id(code), "name": name} for code, name in names.items()]
    new = add_missing(session, Person.public_id, [with_sign_in(account, hashed) for account in rows.values()])
    add_missing(session, Person.public_id, silent)
    for public_id, person in ids_of(session, new).items():
        for role, kind, scope in rows[public_id].roles:
            people.grant(session, person_id=person, role=role, actor="demo", scope_kind=kind, scope_id=scope)
    add_missing(session, Seller.person_id, sellers(session))


def person_id(name: str) -> str:
    """The public id of a demonstration's person: the same in every installation, so that loading again finds them."""
    return hashlib.sha256(f"demo:{name}".encode()).hexdigest()[:16]


def seller_person(code: str) -> str:
    """The public id of the person behind a seller of sellers.csv."""
    return person_id(SELLERS_WHO_SIGN_IN.get(code, code))


def accounts() -> Iterator[Account]:
    """Who can sign in to the demonstration (README.md, "What to try"), in the order in which `make run` prints them."""
    yield Account("buyer", "王晓雯")
    yield Account("buyer2", "李承志")
    yield Account("canteen", "许桂香")  # orders on account for a canteen
    contacts = {row["code"]: row["contact_zh"] for row in read("sellers")}
    for code, name in SELLERS_WHO_SIGN_IN.items():
        yield Account(name, contacts[code], (("seller", "own", ""),))
    for row in read("stations"):
        yield Account(f"station.{row['code']}", row["head_zh"], (("station_manager", "station", row["code"]),))
        yield Account(f"clerk.{row['code']}", row["clerk_zh"], (("station_clerk", "station", row["code"]),))
    yield Account("charity", "周予安", (("charity_officer", *ORGANISATION),))
    yield Account("charity2", "沈若谷", (("charity_approver", *ORGANISATION),))
    yield Account("bank", "钱立群", (("bank_officer", "bank", "demo-bank"),))
    yield Account("nominator", "乔素梅", (("nominator", "county", "141124"),))
    yield Account("verifier", "田广平", (("verifier", "county", "141124"),))
    yield Account("children", "苏慧中", (("children_officer", "programme", "phone-watch"),))
    yield Account("programme", "邵文远", (("programme_officer", "programme", "phone-watch"),))
    yield Account("operator", "薛明川", (("operator", *PROVINCE), ("finance_operator", *PROVINCE)))
    yield Account("operator2", "尚静宜", (("operator", *PROVINCE), ("finance_operator", *PROVINCE)))
    yield Account("auditor", "孔德清", (("auditor", *PROVINCE),))


def with_sign_in(account: Account, password_hash: str) -> dict[str, Any]:
    return {
        "public_id": person_id(account.name),
        "name": account.person,
        "email": account.email,
        "email_fingerprint": people.address_fingerprint(account.email),
        "password_hash": password_hash,
        "totp_secret": pyotp.random_base32() if account.is_staff else None,
    }


def ids_of(session: Session, public_ids: list[str]) -> dict[str, int]:
    found = select(Person.public_id, Person.id).where(Person.public_id.in_(public_ids))
    return {row.public_id: row.id for row in session.execute(found)}


def sellers(session: Session) -> list[dict[str, Any]]:
    rows = read("sellers")
    ids = ids_of(session, [seller_person(row["code"]) for row in rows])
    kept = ("kind", "name_zh", "name_en", "village_zh", "story_zh", "story_en")
    return [
        {name: row[name] for name in kept}
        | {"person_id": ids[seller_person(row["code"])], "station_code": row["county_code"]}
        | {"since": int(row["since"]), "is_demo": True}
        for row in rows
    ]
