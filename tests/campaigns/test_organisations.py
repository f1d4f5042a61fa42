"""Organisations are let in by two people of the province, and nothing of them changes by the word of one."""

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.organisations import registering
from crowdfund.campaigns.organisations.models import OrganisationEntry
from crowdfund.campaigns.organisations.states import EntryState as E
from crowdfund.campaigns.requirements import NotReady
from marketplace.accounts import people
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition
from tests.auditing.naming import named
from tests.campaigns.conftest import FOUNDATION, Fund, hidden, post
from tests.factories import make_person, sign_in_as

NEW: dict[str, Any] = {
    "code": "jinyang-youth",
    "name_zh": "晋阳青年基金会",
    "name_en": "",
    "credit_code": "53140000MJ0123456X",
    "certificate_number": "慈募证字第 7 号",
    "certificate_from": date(2026, 1, 1),
    "certificate_until": date(2030, 12, 31),
    "address_zh": "",
    "phone": "",
}
TAMPERING = {"organisations are as they were confirmed": "UPDATE organisation SET certificate_until = '2098-01-01'"}


def write(person: int, **changes: Any) -> str:
    return in_transaction(registering.write, facts=NEW | changes, person_id=person)


def renewal(**changes: Any) -> dict[str, Any]:
    """The organisation of the other tests, with a certificate of its own."""
    known = {"code": FOUNDATION, "name_zh": "示例青少年基金会", "credit_code": "53140000DEMO000001"}
    return known | {"certificate_number": "DEMO-C-2"} | changes


def operator(fund: Fund) -> tuple[FlaskClient, int]:
    person, client = make_person("operator"), fund.browser()
    sign_in_as(client, person)
    return client, person.id


def organisation(code: str) -> Organisation | None:
    db.session.rollback()
    return db.session.get(Organisation, code)


def entries() -> list[OrganisationEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(OrganisationEntry).order_by(OrganisationEntry.id)))


def test_from_nothing_to_a_campaign_through_the_pages(fund: Fund) -> None:
    """A house without a demonstration: without this nobody could ever raise money in it."""
    (writer, first), (reader, second) = operator(fund), operator(fund)
    form = writer.get("/operator/organisations/new")
    typed = {**NEW, "credit_code": "53140000mj0123456x", "idempotency_key": hidden(form, "idempotency_key")}
    for _twice in range(2):
        assert post(writer, "/operator/organisations", typed).status_code == 303
    (entry,) = entries()
    assert (entry.state, entry.credit_code, entry.writer_id) == (E.WRITTEN, NEW["credit_code"], first)
    assert organisation("jinyang-youth") is None
    own = writer.get("/operator/organisations").text
    assert "另一个人核对" in own and "/confirmation" not in own
    assert "/confirmation" in reader.get("/operator/organisations").text
    post(writer, f"/operator/organisations/{entry.public_id}/confirmation", {})
    assert organisation("jinyang-youth") is None
    for _twice in range(2):
        assert post(reader, f"/operator/organisations/{entry.public_id}/confirmation", {}).status_code == 303
    found = organisation("jinyang-youth")
    assert found is not None and (found.name_zh, found.certificate_until) == ("晋阳青年基金会", date(2030, 12, 31))
    assert (found.is_demo, entries()[0].decider_id) == (False, second)
    deeds = select(AuditRecord.action, AuditRecord.actor).where(AuditRecord.subject == "organisation:jinyang-youth")
    assert [tuple(deed) for deed in db.session.execute(deeds.order_by(AuditRecord.id))] == [
        ("organisation.written", f"person:{first}"),
        ("organisation.confirmed", f"person:{second}"),
    ]
    officer, desk = make_person(), fund.browser()
    scope = {"scope_kind": "organisation", "scope_id": "jinyang-youth"}
    in_transaction(people.grant, person_id=officer.id, role="charity_officer", actor="t", **scope)
    sign_in_as(desk, officer)
    assert "晋阳青年基金会" in desk.get("/charity").text
    assert named(db.engine, fund.cashier.storage) == set()


def test_a_certificate_that_ends_stops_openings_until_two_people_have_seen_the_next(fund: Fund) -> None:
    (writer, first), (_reader, second) = operator(fund), operator(fund)
    page = writer.get(f"/operator/organisations/new?code={FOUNDATION}").text
    assert 'value="DEMO-C-1"' in page and 'value="示例青少年基金会"' in page
    ended = write(first, **renewal(certificate_until=date(2026, 1, 2)))
    in_transaction(registering.confirm, entry=ended, person_id=second)
    campaign = fund.approved()
    with pytest.raises(NotReady) as missing:
        in_transaction(lifecycle.open_to_all, campaign=campaign, person=fund.officer.id)
    assert "organisation" in missing.value.missing
    entry = write(first, **renewal(certificate_number="DEMO-C-3", certificate_until=date(2098, 1, 1)))
    in_transaction(registering.confirm, entry=entry, person_id=second)
    in_transaction(lifecycle.open_to_all, campaign=campaign, person=fund.officer.id)
    assert "DEMO-C-3" in fund.browser().get(f"/campaigns/{campaign}").text
    third = write(first, **renewal(certificate_number="DEMO-C-4", certificate_until=date(2099, 1, 1)))
    in_transaction(registering.confirm, entry=third, person_id=second)
    assert "DEMO-C-4" in fund.browser().get(f"/campaigns/{campaign}").text  # no page is kept with the former one


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("code", "晋阳", "小写字母、数字和连字符"),
        ("code", "jinyang youth", "小写字母、数字和连字符"),
        ("credit_code", "53140000MJ012345", "信用代码"),
        ("credit_code", "53140000MJ0123456I", "信用代码"),
        ("credit_code", "53140000DEMO000001", "信用代码"),
        ("certificate_until", "2025-12-31", "截止比开始还早"),
        ("certificate_from", "昨天", "2026-10-09"),
        ("name_zh", "", "填"),
    ],
)
def test_what_is_wrong_is_said_by_its_field_and_stays_typed(fund: Fund, field: str, typed: str, said: str) -> None:
    client, _person = operator(fund)
    form = client.get("/operator/organisations/new")
    sent = NEW | {"idempotency_key": hidden(form, "idempotency_key"), "phone": "0351-5550417", field: typed}
    page = post(client, "/operator/organisations", sent)
    assert page.status_code == 422 and said in page.text and "0351-5550417" in page.text
    assert entries() == [] and organisation("jinyang-youth") is None


def test_who_an_organisation_is_does_not_change_and_one_entry_waits_at_a_time(fund: Fund) -> None:
    (client, first), (_other, second) = operator(fund), operator(fund)
    with pytest.raises(registering.OtherCreditCode):
        write(first, **renewal(credit_code=NEW["credit_code"]))
    with pytest.raises(registering.CreditCodeUsed):
        write(first, credit_code="53140000DEMO000001")
    entry = write(first)
    with pytest.raises(registering.WaitsAlready):
        write(second, certificate_number="2")
    same = write(first, code="jinyang-aid", name_zh="同一家")
    in_transaction(registering.confirm, entry=entry, person_id=second)
    with pytest.raises(registering.CreditCodeUsed):  # meanwhile another has it
        in_transaction(registering.confirm, entry=same, person_id=second)
    assert organisation("jinyang-aid") is None
    refused = post(client, f"/operator/organisations/{same}/refusal", {f"{same}-why": "号码抄错"})
    assert refused.status_code == 303 and entries()[1].state is E.WRITTEN  # their own
    with pytest.raises(registering.NoReason):
        in_transaction(registering.refuse, entry=same, person_id=second, why="  ")
    in_transaction(registering.refuse, entry=same, person_id=second, why="号码抄错")
    with pytest.raises(IllegalTransition):
        in_transaction(registering.confirm, entry=same, person_id=make_person("operator").id)
    assert [(row.state, row.why) for row in entries()] == [(E.CONFIRMED, ""), (E.REFUSED, "号码抄错")]


def test_a_refusal_without_a_reason_is_said_on_the_page(fund: Fund) -> None:
    (_writer, first), (reader, _second) = operator(fund), operator(fund)
    entry = write(first)
    page = post(reader, f"/operator/organisations/{entry}/refusal", {f"{entry}-why": " "})
    assert page.status_code == 422 and "请写明原因" in page.text
    assert entries()[0].state is E.WRITTEN


@pytest.mark.parametrize("role", ["finance_operator", "auditor", "charity_officer", "station_clerk"])
def test_who_only_reads_or_has_no_business_there(fund: Fund, role: str) -> None:
    reader = fund.browser()
    person = fund.officer if role == "charity_officer" else make_person(role)
    sign_in_as(reader, person)
    may_read = role in {"finance_operator", "auditor"}
    page = reader.get("/operator/organisations")
    assert (page.status_code == 200) is may_read and "/operator/organisations/new" not in page.text
    assert post(reader, "/operator/organisations", NEW | {"idempotency_key": "k"}).status_code in {403, 404}
    assert entries() == []


def test_the_database_keeps_what_was_written(fund: Fund) -> None:
    first, second = make_person("operator").id, make_person("operator").id
    entry = write(first)
    for wrong in (
        "UPDATE organisation_entry SET certificate_until = '2098-01-01'",
        "UPDATE organisation_entry SET state = 'confirmed', decider_id = writer_id, decided_at = written_at",
        "UPDATE organisation_entry SET state = 'confirmed'",
        "DELETE FROM organisation_entry",
    ):
        with pytest.raises((DBAPIError, IntegrityError)), db.engine.begin() as connection:
            connection.execute(text(wrong))
    in_transaction(registering.confirm, entry=entry, person_id=second)
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(text("UPDATE organisation_entry SET why = 'x'"))


def test_whatever_was_tampered_with_is_named(fund: Fund) -> None:
    in_transaction(registering.confirm, entry=write(make_person().id), person_id=make_person().id)
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(text(TAMPERING["organisations are as they were confirmed"]))
    assert named(db.engine, fund.cashier.storage) == set(TAMPERING)
