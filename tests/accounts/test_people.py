from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import people
from marketplace.accounts.models import Grant, Person
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from tests.factories import make_person


def count(session: Session, kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def records(session: Session, action: str) -> list[AuditRecord]:
    return list(session.scalars(select(AuditRecord).where(AuditRecord.action == action)))


def test_the_command_grants_a_role_once_and_writes_it_down(app: Flask, session: Session) -> None:
    person = make_person(address="guo@example.test")
    command = ["users", "grant", "Guo@example.test", "station_clerk", "--scope", "station:141028"]

    said = [app.test_cli_runner().invoke(args=command).output for _time in range(2)]

    scope = "station_clerk within station:141028"
    assert said == [f"{scope} is granted.\n", f"{scope} was granted before.\n"]
    (record,) = records(session, "role.granted")
    assert (record.actor, record.subject) == ("command line", f"person:{person.public_id}")
    assert record.detail == {"role": "station_clerk", "scope": "station:141028"}
    assert "guo" not in str(record.detail) + record.subject


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody@example.test", "operator", "--scope", "province:140000"],
        ["guo@example.test", "emperor"],
        ["guo@example.test", "operator"],
        ["guo@example.test", "station_clerk", "--scope", "bank:icbc"],
        ["guo@example.test", "station_clerk", "--scope", "station:"],
        ["guo@example.test", "station_clerk", "--scope", "station:jixian"],
        ["guo@example.test", "seller", "--scope", "own:141028"],
    ],
)
def test_what_cannot_be_granted_is_refused_and_changes_nothing(app: Flask, session: Session, arguments: list[str]) -> None:
    make_person(address="guo@example.test")

    said = app.test_cli_runner().invoke(args=["users", "grant", *arguments])

    assert said.exit_code != 0
    assert count(session, Grant) == 0 and not records(session, "role.granted")


@pytest.mark.parametrize("roles", [("bank_officer", "station_clerk"), ("station_manager", "bank_officer")])
def test_who_speaks_for_the_bank_hands_over_no_device(session: Session, roles: tuple[str, str]) -> None:
    scopes = {"bank_officer": ("bank", "icbc")}
    person = make_person(roles[0])
    kind, scope = scopes.get(roles[1], ("station", "141028"))

    with pytest.raises(people.RolesExclude):
        people.grant(session, person_id=person.id, role=roles[1], actor="test", scope_kind=kind, scope_id=scope)

    assert session.scalars(select(Grant.role)).all() == [roles[0]]


def test_two_roles_that_exclude_each_other_granted_at_once_become_one(real_app: Flask) -> None:
    person = make_person().id
    db.session.rollback()
    start = Barrier(2)

    def grant(role: str, kind: str, scope: str) -> bool:
        with real_app.app_context():
            start.wait()
            try:
                scoped = {"scope_kind": kind, "scope_id": scope}
                return in_transaction(people.grant, person_id=person, role=role, actor="test", **scoped)
            except people.RolesExclude:
                return False

    with ThreadPoolExecutor(2) as pool:
        both = [("bank_officer", "bank", "icbc"), ("station_clerk", "station", "141028")]
        assert sorted(pool.map(lambda each: grant(*each), both)) == [False, True]
    assert count(db.session(), Grant) == 1


def test_an_address_belongs_to_one_account_whatever_its_case(session: Session) -> None:
    first, second = make_person(address="guo@example.test"), make_person(address="13800002045")

    with pytest.raises(people.AddressTaken):
        people.set_address(session, second, "GUO@example.test")
    with pytest.raises(people.AddressTaken):
        people.register(session, address="13800002045")

    assert people.find(session, "Guo@Example.Test") is first
    assert (second.email, second.email_fingerprint) == (None, None)
    assert count(session, Person) == 2


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("guo@example.test", True),
        ("a+b.c@mail.example.test", True),
        ("guo@example", False),
        ("<b>@example.test", False),
        ("guo@example..test", False),
        ("guo @example.test", False),
        ("guo@例子.中国", False),
        ("a" * 65 + "@example.test", False),
    ],
)
def test_an_email_is_what_a_mail_server_takes(address: str, is_good: bool) -> None:
    assert people.is_email(address) is is_good


@pytest.mark.parametrize("digits", ["1380000204", "138000020455", "12800002045", "１３８００００２０４５", "١٣٨٠٠٠٠٢٠٤٥"])
def test_a_phone_number_has_eleven_plain_digits(digits: str) -> None:
    assert people.is_phone("13800002045") and not people.is_phone(digits)
