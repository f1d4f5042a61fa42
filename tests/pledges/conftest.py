"""A small world of pledges: two stations, a bank with a programme, children enough to hide among, devices."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from crowdfund.pledges import children, confirming, devices, handover, seeds, shelves, vault
from crowdfund.pledges.children import Officer
from crowdfund.pledges.confirming import Deposit
from crowdfund.pledges.models import (
    Agreement,
    Assignment,
    ChildCase,
    Device,
    DeviceModel,
    Partner,
    Pledge,
    Programme,
    Voucher,
)
from crowdfund.pledges.states import NEEDED, CaseState, DeviceState
from crowdfund.pledges.steps import begin
from crowdfund.pledges.vault import Identity
from marketplace.accounts import people, second_factor
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.conftest import make as app_on
from tests.databases import PostgresServer, SQLiteFiles, close
from tests.demonstration import rolled_back
from tests.factories import make, make_person, make_station, sign_in_as

OURS = {"Sec-Fetch-Site": "same-origin"}
JIXIAN, QINXIAN = "141028", "140430"
BANK, OTHER_BANK = "bank-a", "bank-b"
PHONE = "13835172045"
CANARY = "金丝雀"


def imei(number: int) -> str:
    body = f"35999900{number:06}"
    total = sum(int(d) if place % 2 else sum(divmod(2 * int(d), 10)) for place, d in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


@dataclass
class World:
    app: Flask
    nominator: Officer
    verifier: Officer
    keeper: Officer
    people: dict[str, Person] = field(default_factory=dict)

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def signed_in(self, name: str) -> FlaskClient:
        client = self.browser()
        sign_in_as(client, self.people[name])
        return client

    def type_voucher(self, client: FlaskClient, number: str = "QQ2026000001", **changes: Any) -> TestResponse:
        typed = {"bank": BANK, "number": number, "issued_on": clock.today().isoformat(), "wish": ""}
        return post(client, "/pledges/vouchers", typed | changes)

    def choose(self, client: FlaskClient, number: str = "QQ2026000001", card: int = 0, **changes: Any) -> str:
        """A voucher is typed and a card chosen; returns the tracking code."""
        answer = self.type_voucher(client, number, **changes)
        assert answer.status_code == 303, answer.text
        chosen = self.take(client, answer.headers["Location"], card)
        assert chosen.status_code == 303, chosen.text
        return chosen.headers["Location"].rpartition("/")[2]

    def take(self, client: FlaskClient, choice: str, card: int = 0) -> TestResponse:
        page = client.get(choice)
        key, case = re.findall(r'_key" value="([^"]+)"><input type="hidden" name="case" value="([^"]+)"', page.text)[card]
        return post(client, f"{choice}/pledges", {"idempotency_key": key, "case": case})

    def declare(self, client: FlaskClient, code: str, phone: str = PHONE, **changes: Any) -> TestResponse:
        return post(client, f"/pledges/{code}/declaration", {"phone": phone, "unrelated": "y"} | changes)

    def pledged(self, number: str = "QQ2026000001", **changes: Any) -> str:
        client = self.browser()
        code = self.choose(client, number, **changes)
        assert self.declare(client, code).status_code == 303
        return code

    def confirm(self, code: str, **changes: Any) -> None:
        known: dict[str, Any] = {"issued_on": clock.today(), "branch": "城关", "band": "30k"} | changes
        deposit = Deposit(**known)
        in_transaction(confirming.confirm, pledge=get(code).public_id, bank=BANK, deposit=deposit, actor="bank")

    def at_station(self, number: str = "QQ2026000001") -> tuple[str, str]:
        """(tracking code, the device's public id): confirmed, reserved, sent, received."""
        code = self.pledged(number)
        self.confirm(code)
        device = in_transaction(devices.assign, pledge=get(code).public_id, actor="office")
        in_transaction(devices.send, device=device, actor="office")
        in_transaction(devices.arrive, device=device, station=case_of(code).station_code, actor="clerk")
        return code, device

    def code_for_guardian(self, code: str) -> str:
        return in_transaction(handover.issue_code, officer=self.keeper, case=case_of(code).public_id)

    def witness_digits(self, name: str) -> str:
        db.session.rollback()
        digits = second_factor.usable_code(db.session(), self.people[name].id)
        assert digits
        return digits


def post(client: FlaskClient, path: str, data: dict[str, Any]) -> TestResponse:
    """As the page's own form would: with the token of a session, where there is one."""
    with client.session_transaction() as cookie:
        is_signed_in = "token" in cookie
    if is_signed_in:
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
        assert found
        data = data | {"csrf_token": found[1]}
    return client.post(path, data=data, headers=OURS)


def get(code: str) -> Pledge:
    db.session.rollback()
    return db.session.scalars(select(Pledge).where(Pledge.tracking_code == code)).one()


def case_of(code: str) -> ChildCase:
    return db.session.get_one(ChildCase, get(code).case_id)


def voucher_of(code: str) -> Voucher:
    return db.session.get_one(Voucher, get(code).voucher_id)


def device_of(code: str) -> Device:
    wanted = select(Device).join(Assignment, Assignment.device_id == Device.id).where(Assignment.pledge_id == get(code).id)
    return db.session.scalars(wanted).one()


def make_partner(code: str = BANK, quota: int = 20, agreement: str = "", **given: Any) -> Programme:
    """A bank, its agreement with the devices promised in the books, and its open programme."""
    make(Partner, {"code": code, "kind": "bank", "name_zh": "清泉农信社", "name_en": "Qingquan"}, {"is_demo": True})
    if db.session.get(DeviceModel, "watch-a1") is None:
        model = {"code": "watch-a1", "name_zh": "手表", "name_en": "Watch", "security_checked_on": date(2026, 1, 1)}
        make(DeviceModel, model, {"is_approved": True})
    words = {"partner_code": code, "charity_zh": "基金会", "charity_en": "Foundation", "model_code": "watch-a1"}
    figures = {"quota": quota, "unit_value_fen": 29900, "signed_on": date(2026, 1, 1), "file_hash": code.ljust(64, "0")}
    signed = make(Agreement, words | figures, {})
    in_transaction(shelves.promise, signed)
    names = {"code": f"programme-{code}", "name_zh": "秋季", "name_en": "Autumn", "minimum_band": "10k"}
    times = {"term_months": 12, "claim_days": 60, "hold_minutes": 30, "pickup_days": 30}
    days = {"opens_on": clock.today() - timedelta(days=90), "closes_on": clock.today() + timedelta(days=90)}
    return make(Programme, names | times | days, {"agreement_id": signed.id, "quota": quota, "claimed": 0} | given)


def identity(number: int, **given: Any) -> Identity:
    body = f"999999201602{number % 28 + 1:02}{number:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]
    words: dict[str, Any] = {"name": f"{CANARY}{number}", "school": f"{CANARY}小学", "guardian": f"{CANARY}家长"}
    known = {"identity_number": f"{body}{check}", "birth_date": date(2016, 2, number % 28 + 1)}
    return Identity(**words | known | {"guardian_phone": f"1990000{number:04}"} | given)


def ending(number: int) -> str:
    """Of the identity document of the guardian of child `number`."""
    return f"G{number:05}"


def make_case(world: World, number: int, county: str = JIXIAN, tier: int = 1, waited: int = 100, **given: Any) -> ChildCase:
    """A listed case; the vault holds a name that must never be seen."""

    def command(session: Any) -> str:
        case = ChildCase(alias_zh=f"山桃 {number}", alias_en=f"Mountain Peach {number}", county_code=county)
        case.station_code, case.age_band, case.need_tier, case.need = county, "9-11", tier, "call_parents"
        case.waiting_since = clock.today() - timedelta(days=waited)
        case.state, case.nominator_id = CaseState.NOMINATED, world.nominator.person_id
        for name, value in given.items():
            setattr(case, name, value)
        begin(session, case, actor="test", why="nominated")
        vault.put(session, case, identity(number), guardian_ending=ending(number))
        allowed: dict[str, Any] = {"purposes": sorted(NEEDED), "guardian": "mother", "method": "paper"}
        children.give_consent(session, officer=world.nominator, case=case.public_id, **allowed)
        children.verify(session, officer=world.verifier, case=case.public_id)
        children.list_case(session, officer=world.keeper, case=case.public_id)
        return case.public_id

    public_id = in_transaction(command)
    return db.session.scalars(select(ChildCase).where(ChildCase.public_id == public_id)).one()


def make_devices(count: int, bank: str = BANK) -> None:
    def command(session: Any) -> None:
        agreement = session.scalars(select(Agreement).where(Agreement.partner_code == bank)).one()
        for number in range(count):
            row = Device(imei=imei(number), iccid=f"8986{bank}{number:010}", model_code="watch-a1", lot="1")
            row.agreement_id, row.state = agreement.id, DeviceState.COMMITTED
            begin(session, row, actor="test", why="promised")
            devices.receive(session, device=row.public_id, actor="test")
            devices.check(session, device=row.public_id, actor="test")

    in_transaction(command)


def officer(person: Person, *roles: str) -> Officer:
    return Officer(person.id, f"person:{person.public_id}", frozenset(roles), frozenset(), reaches_all=True)


def build(app: Flask, cases: int = 12) -> World:
    make_station(JIXIAN)
    make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    who = {name: make_person() for name in ("nominator", "verifier", "children", "programme", "bank", "other_bank")}
    granted = {
        "nominator": ("nominator", "county", JIXIAN),
        "verifier": ("verifier", "county", JIXIAN),
        "children": ("children_officer", "programme", "phone-watch"),
        "programme": ("programme_officer", "programme", "phone-watch"),
        "bank": ("bank_officer", "bank", BANK),
        "other_bank": ("bank_officer", "bank", OTHER_BANK),
    }
    for name, (role, kind, scope) in granted.items():
        who_id = who[name].id
        in_transaction(people.grant, person_id=who_id, role=role, actor="test", scope_kind=kind, scope_id=scope)
    who |= {"clerk": make_person("station_clerk"), "manager": make_person("station_manager")}
    who |= {"elsewhere": make_person("station_clerk", station=QINXIAN), "saver": make_person()}
    roles = {"nominator": "nominator", "verifier": "verifier", "children": "children_officer"}
    nominator, verifier, keeper = (officer(who[name], role) for name, role in roles.items())
    world = World(app, nominator, verifier, keeper, who)
    make_partner()
    make_partner(OTHER_BANK)
    in_transaction(seeds.provide)
    for number in range(1, cases + 1):
        make_case(world, number)
    make_devices(6)
    db.session.rollback()
    return world


@pytest.fixture(scope="session")
def built(databases: SQLiteFiles | PostgresServer, template: str) -> Iterator[World]:
    """To build it takes longer than most tests of it."""
    app = app_on(url := databases.create(template))
    with app.app_context():
        world = build(app)
        for person in world.people.values():
            db.session.refresh(person)  # its number is known wherever it is asked for
    yield world
    close(app)
    databases.drop(url)


@pytest.fixture
def world(built: World, no_index: None) -> Iterator[World]:
    with rolled_back(built.app) as session:
        people = {name: session.get_one(Person, person.id) for name, person in built.people.items()}
        yield replace(built, people=people)


@pytest.fixture
def real_world(real_app: Flask) -> Iterator[World]:
    yield build(real_app)
