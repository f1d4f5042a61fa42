"""Canary names lie in the demonstration's vault. Nobody ever sees one, wherever they look, but through the one door."""

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from crowdfund.pledges.models import ChildCase, ChildVault, Device, Partner, Pledge
from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import PERMISSIONS
from marketplace.core.audit import AuditRecord
from marketplace.core.db import Base, db
from marketplace.demo.people import accounts, person_id
from marketplace.demo.tables import read
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import storage
from tests.demonstration import demo_app, demonstration
from tests.factories import sign_in_as
from tests.pledges.conftest import CANARY, OURS, post

__all__ = ["demo_app", "demonstration"]

ROLES = ("buyer", "seller", "station.141124", "clerk.141124", "charity", "charity2", "bank", "nominator", "verifier")
EVERYBODY = ("", *ROLES, "children", "programme", "operator", "auditor")
AT_ONCE = ("", "children", "station.141124")  # the rest in the full tier
LATER = tuple(name for name in EVERYBODY if name not in AT_ONCE)


def canaries() -> re.Pattern[str]:
    """Everything of the vault that could give a child away: names, schools, guardians, phones, identity numbers."""
    phones = "|".join(row["guardian_phone"] for row in read("child_cases"))
    return re.compile(f"{CANARY}|{phones}|999999(19|20)\\d{{9}}[0-9X]")


CANARIES = canaries()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, at every level."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def known(session: Session) -> dict[str, list[str]]:
    """Real values for the blanks of our addresses."""
    devices = session.scalars(select(Device.public_id).where(Device.state == "at_station")).all()
    pledges = session.execute(select(Pledge.public_id, Pledge.tracking_code)).all()
    cases = session.scalars(select(ChildCase.public_id).where(ChildCase.county_code == "141124")).all()
    return {
        "case": list(cases)[:3],
        "pledge": [row.public_id for row in pledges],
        "code": [row.tracking_code for row in pledges] + [session.scalars(select(Listing.code).limit(1)).one(), "141124"],
        "device": list(devices),
        "day": ["2020-01-01"],
        "token": ["nothing"],
    }


def addresses(app: Flask, values: dict[str, list[str]]) -> list[str]:
    """Every address that answers GET, with every value we know for its blank, else with one that nobody has."""
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        blanks = sorted(rule.arguments)
        choices = values.get(blanks[0], ["x"]) if blanks else [""]
        for value in choices:
            path = rule.rule
            for blank in blanks:
                path = re.sub(rf"<(\w+:)?{blank}>", value or "x", path)
            found.append(path)
    return sorted(set(found))


def sent_back(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    return f"{answer.headers}\n{answer.get_data(as_text=True)}"


@pytest.mark.parametrize("name", [*AT_ONCE, *(pytest.param(name, marks=pytest.mark.full) for name in LATER)])
def test_no_page_and_no_answer_names_a_child(
    demo_app: Flask, demonstration: Session, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(demo_app.config, "PROPAGATE_EXCEPTIONS", False)  # what breaks must not tell either
    cashier: Any = gateways().get("sandbox")
    storage.prepare(cashier.storage)
    paths = addresses(demo_app, known(demonstration))
    assert len(paths) > 100
    client = demo_app.test_client()
    if name:
        sign_in_as(client, demonstration.scalars(select(Person).where(Person.public_id == person_id(name))).one())

    assert [path for path in paths if CANARIES.search(sent_back(client, path))] == []
    assert not CANARIES.search(logged.getvalue())


def test_everybody_who_may_do_anything_was_asked() -> None:
    asked = {role for account in accounts() if account.name in EVERYBODY for role, _kind, _scope in account.roles}
    assert {role for role, _action, _reach in PERMISSIONS} - {"anyone", "buyer"} <= asked


def test_refusals_say_nothing_either(demo_app: Flask, demonstration: Session, logged: io.StringIO) -> None:
    client = demo_app.test_client()
    sign_in_as(client, demonstration.scalars(select(Person).where(Person.public_id == person_id("nominator"))).one())
    row = read("child_cases")[0]
    typed = {"name": row["name"], "school": row["school"], "guardian": row["guardian"], "identity_number": "1"}
    refused = post(client, "/children", typed | {"guardian_phone": "1"})
    assert refused.status_code == 422 and row["name"] in refused.text  # to whoever typed it, and to nobody else
    assert not CANARIES.search(logged.getvalue())
    case = demonstration.scalars(select(ChildCase.public_id).where(ChildCase.county_code == "141124").limit(1)).one()
    answer = client.post(f"/children/{case}/readings", data={"why": "x"}, headers=OURS)
    assert answer.status_code in {400, 403} and not CANARIES.search(answer.text)


def test_the_one_door_opens_for_named_roles_and_leaves_a_trace(demo_app: Flask, demonstration: Session) -> None:
    case = demonstration.scalars(select(ChildCase).where(ChildCase.county_code == "141124").limit(1)).one()
    wanted = select(func.count()).select_from(AuditRecord).where(AuditRecord.action == "child_vault.read")
    before = demonstration.scalar(wanted) or 0
    for number, (name, opens) in enumerate({"children": True, "verifier": True, "bank": False, "auditor": False}.items()):
        client = demo_app.test_client()
        sign_in_as(client, demonstration.scalars(select(Person).where(Person.public_id == person_id(name))).one())
        answer = post(client, f"/children/{case.public_id}/readings", {"why": "核对监护人"})
        assert (answer.status_code, CANARY in answer.text) == ((200, True) if opens else (403, False)), name
        assert answer.headers["Cache-Control"] == "no-store"
        assert demonstration.scalar(wanted) == before + min(number + 1, 2)
        assert not opens or CANARY not in client.get(f"/children/{case.public_id}").text
    record = demonstration.scalars(select(AuditRecord).where(AuditRecord.action == "child_vault.read")).all()[-1]
    assert (record.why, record.detail["role"]) == ("核对监护人", "verifier") and not CANARIES.search(str(record.detail))


def test_the_database_holds_no_name_in_the_clear(demo_app: Flask, demonstration: Session) -> None:
    for table in Base.metadata.sorted_tables:
        rows: Any = demonstration.connection().execute(text(f'SELECT * FROM "{table.name}"'))
        assert not any(CANARIES.search(str(tuple(row))) for row in rows), table.name
    assert demonstration.scalar(select(func.count()).select_from(ChildVault)) == 60


def test_what_is_dealt_fits_five_children(demo_app: Flask, demonstration: Session) -> None:
    labels = {}
    for row in demonstration.scalars(select(Pledge)):
        labels[row.public_id] = (row.label["place"], row.label["age_band"], row.label["tier"])
    assert len(labels) == 9
    for place, band, tier in labels.values():
        behind = select(func.count()).select_from(ChildCase).where(ChildCase.county_code.startswith(place.rstrip("0")))
        behind = behind.where(ChildCase.age_band == band) if band else behind
        behind = behind.where(ChildCase.need_tier == tier) if tier else behind
        assert (demonstration.scalar(behind) or 0) >= 5
    assert db.session.scalar(select(func.count()).select_from(Partner).where(Partner.is_demo)) == 2
