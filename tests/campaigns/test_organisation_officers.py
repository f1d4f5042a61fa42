"""Officers of an organisation are named, and taken back, by two people of the province."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from crowdfund.campaigns.organisations import officers
from crowdfund.campaigns.organisations.officer_models import OfficerEntry
from crowdfund.campaigns.organisations.registering import NoReason, SamePerson
from crowdfund.campaigns.organisations.states import EntryState as E
from marketplace.accounts import people
from marketplace.accounts.models import Grant, Person
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound
from tests.auditing.naming import named
from tests.campaigns.conftest import FOUNDATION, Fund, hidden, post
from tests.factories import make_person, sign_in_as

PLACE = f"/operator/organisations/{FOUNDATION}/officers"
EMAIL = "lin@example.test"
TAMPERING = {"officers are as they were confirmed": "DELETE FROM role_grant WHERE role = 'charity_approver'"}


def operator(fund: Fund) -> tuple[FlaskClient, int]:
    person, client = make_person("operator"), fund.browser()
    sign_in_as(client, person)
    return client, person.id


def account(address: str = EMAIL) -> Person:
    return in_transaction(lambda session: people.register(session, address=address, name="林知夏"))


def roles_of(person: int) -> list[tuple[str, str]]:
    db.session.rollback()
    mine = select(Grant.role, Grant.scope_id).where(Grant.person_id == person).order_by(Grant.role)
    return [(row.role, row.scope_id) for row in db.session.execute(mine)]


def entries() -> list[OfficerEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(OfficerEntry).order_by(OfficerEntry.id)))


def name(writer: int, role: str = "charity_approver", address: str = EMAIL) -> str:
    return in_transaction(officers.name_officer, organisation=FOUNDATION, address=address, role=role, person_id=writer)


def confirm(entry: str, person: int) -> None:
    in_transaction(officers.confirm, organisation=FOUNDATION, change=entry, person_id=person)


def test_named_by_two_and_taken_back_by_two_through_the_pages(fund: Fund) -> None:
    (writer, first), (reader, second) = operator(fund), operator(fund)
    lin, desk = account(), fund.browser()
    sign_in_as(desk, lin)
    typed = {"address": " LIN@example.test ", "role": "charity_officer"}
    typed["idempotency_key"] = hidden(writer.get(PLACE), "idempotency_key")
    for _twice in range(2):
        assert post(writer, PLACE, typed).status_code == 303
    (entry,) = entries()
    assert (entry.state, entry.person_id, entry.role, roles_of(lin.id)) == (E.WRITTEN, lin.id, "charity_officer", [])
    assert "/confirmation" not in writer.get(PLACE).text and "/confirmation" in reader.get(PLACE).text
    assert desk.get("/charity").status_code in {403, 404}

    assert post(reader, f"{PLACE}/{entry.public_id}/confirmation", {}).status_code == 303
    assert roles_of(lin.id) == [("charity_officer", FOUNDATION)]
    sign_in_as(desk, lin)
    assert desk.get("/charity").status_code == 200
    assert named(db.engine, fund.cashier.storage) == set()

    removal = f"{PLACE}/{lin.public_id}/charity_officer/removal"
    field = f"{lin.public_id}-charity_officer-why"
    empty = post(reader, removal, {field: "  "})
    assert empty.status_code == 422 and "请写明原因" in empty.text and len(entries()) == 1
    assert post(reader, removal, {field: "已离职"}).status_code == 303
    assert roles_of(lin.id) == [("charity_officer", FOUNDATION)]  # one person's word changes nothing
    post(writer, f"{PLACE}/{entries()[1].public_id}/confirmation", {})
    assert roles_of(lin.id) == [] and desk.get("/charity").status_code in {403, 404}
    said = select(AuditRecord.action, AuditRecord.actor).where(AuditRecord.subject == f"organisation:{FOUNDATION}")
    assert [tuple(row) for row in db.session.execute(said.order_by(AuditRecord.id))] == [
        ("officer.written", f"person:{first}"),
        ("officer.confirmed", f"person:{second}"),
        ("officer.written", f"person:{second}"),
        ("officer.confirmed", f"person:{first}"),
    ]
    assert named(db.engine, fund.cashier.storage) == set()


def test_nobody_confirms_their_own_word_or_names_themselves(fund: Fund) -> None:
    (client, first), (_other, second) = operator(fund), operator(fund)
    lin = account()
    entry = name(first)
    with pytest.raises(SamePerson):
        confirm(entry, first)
    in_transaction(people.grant, person_id=lin.id, role="operator", actor="t", scope_kind="province", scope_id="140000")
    with pytest.raises(officers.Themselves):
        confirm(entry, lin.id)
    with pytest.raises(officers.Themselves):
        name(lin.id, "charity_officer")
    with pytest.raises(officers.WaitsAlready):
        name(second)
    confirm(entry, second)
    with pytest.raises(IllegalTransition):
        confirm(entry, make_person("operator").id)
    with pytest.raises(officers.HasRole):
        name(second)
    assert roles_of(lin.id) == [("charity_approver", FOUNDATION), ("operator", "140000")]
    page = client.get(PLACE).text
    assert "林知夏" in page and EMAIL not in page  # by which address somebody signs in stays theirs


def test_what_is_wrong_is_said_by_its_field_and_stays_typed(fund: Fund) -> None:
    client, _person = operator(fund)
    for address, role, said in (
        ("nobody@example.test", "charity_officer", "没有账号用这个手机号或邮箱"),
        ("临县", "charity_officer", "这不是手机号，也不是邮箱"),
        ("13800000000", "operator", "address"),
        ("", "charity_officer", "填"),
    ):
        key = hidden(client.get(PLACE), "idempotency_key")
        page = post(client, PLACE, {"address": address, "role": role, "idempotency_key": key})
        assert page.status_code == 422 and said in page.text and f'value="{address}"' in page.text
    assert entries() == []
    assert client.get("/operator/organisations/nobody/officers").status_code == 404


def test_a_refusal_has_its_reason_and_changes_nothing(fund: Fund) -> None:
    (_writer, first), (reader, second) = operator(fund), operator(fund)
    lin = account()
    entry = name(first)
    page = post(reader, f"{PLACE}/{entry}/refusal", {f"{entry}-why": " "})
    assert page.status_code == 422 and "请写明原因" in page.text
    with pytest.raises(NotFound):
        in_transaction(officers.refuse, organisation="another", change=entry, person_id=second, why="不是这家")
    with pytest.raises(NoReason):
        in_transaction(officers.refuse, organisation=FOUNDATION, change=entry, person_id=second, why="")
    post(reader, f"{PLACE}/{entry}/refusal", {f"{entry}-why": "募捐方说没有这个人"})
    (row,) = entries()
    assert (row.state, row.refused_why, roles_of(lin.id)) == (E.REFUSED, "募捐方说没有这个人", [])
    assert "募捐方说没有这个人" in reader.get(PLACE).text
    confirm(name(first), second)  # it may be written down again
    assert roles_of(lin.id) == [("charity_approver", FOUNDATION)]


@pytest.mark.parametrize("role", ["finance_operator", "auditor", "charity_officer", "station_clerk"])
def test_who_only_reads_or_has_no_business_there(fund: Fund, role: str) -> None:
    reader = fund.browser()
    sign_in_as(reader, fund.officer if role == "charity_officer" else make_person(role))
    account()
    page = reader.get(PLACE)
    assert (page.status_code == 200) is (role in {"finance_operator", "auditor"}) and "/removal" not in page.text
    typed: dict[str, Any] = {"address": EMAIL, "role": "charity_officer", "idempotency_key": "k"}
    assert post(reader, PLACE, typed).status_code in {403, 404}
    assert entries() == []


def test_the_database_keeps_what_was_written(fund: Fund) -> None:
    account()
    first, second = make_person("operator").id, make_person("operator").id
    entry = name(first)
    for wrong in (
        "UPDATE officer_entry SET role = 'charity_officer'",
        "UPDATE officer_entry SET state = 'confirmed', decider_id = writer_id, decided_at = written_at",
        "UPDATE officer_entry SET state = 'confirmed', decider_id = person_id, decided_at = written_at",
        "UPDATE officer_entry SET state = 'confirmed'",
        "DELETE FROM officer_entry",
    ):
        with pytest.raises((DBAPIError, IntegrityError)), db.engine.begin() as connection:
            connection.execute(text(wrong))
    confirm(entry, second)
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(text("UPDATE officer_entry SET refused_why = 'x'"))


def test_whatever_was_tampered_with_is_named(fund: Fund) -> None:
    account()
    confirm(name(make_person("operator").id), make_person("operator").id)
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(text(TAMPERING["officers are as they were confirmed"]))
    assert named(db.engine, fund.cashier.storage) == set(TAMPERING)
