"""An organisation with an open campaign, and a cashier whose webhooks come in through the real door."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from crowdfund.campaigns import drafting, giving, lifecycle
from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Campaign, Contribution, Organisation, PublicRow
from marketplace.accounts import people
from marketplace.accounts.models import Person
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import attempts, inbox, outcomes, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.models import Attempt
from marketplace.payments.sandbox import delivery
from marketplace.payments.sandbox.gateway import SandboxCashier
from tests import cashiers, factories

OURS = {"Sec-Fetch-Site": "same-origin"}
STATION = "141124"
FOUNDATION = "test-foundation"
BUDGET = (Line("图书 300 册", 1_200_000, "300 books"), Line("书架与借阅卡", 300_000), Line("运输与公示", 300_000))


def facts(**changes: Any) -> dict[str, Any]:
    """The columns of a campaign in which nothing is missing, from today on."""
    today = clock.today()
    words = {
        "title_zh": "给临县添一架书",
        "title_en": "A shelf of books for Linxian",
        "story_zh": "书架上的书，封面都翻软了。",
        "purpose_zh": "为村小添置图书和书架",
        "beneficiaries_zh": "六个村小图书角",
        "criteria_zh": "县教育局公布的教学点",
        "region_zh": "临县",
        "leader_zh": "周予安",
        "bank_account_zh": "示例银行 尾号 0417",
        "residue_zh": "用于下学期补书",
        "filing_number": "DEMO-0417",
        "past_goal": "stretch",
        "unit_zh": "一册书",
        "unit_en": "one book",
    }
    figures = {"goal_fen": 1_800_000, "unit_fen": 4000, "drawings": ["bookshelf", "lantern"], "station_code": STATION}
    days = {"starts_on": today, "ends_on": today + timedelta(days=9), "filed_on": today - timedelta(days=10)}
    return words | figures | days | {"milestones_zh": ["募集完成15日内采购"]} | changes


@dataclass
class Fund:
    """Both officers, and both sides of the cashier's counter."""

    app: Flask
    cashier: SandboxCashier
    officer: Person
    approver: Person

    def draft(self, budget: tuple[Line, ...] = BUDGET, **changes: Any) -> str:
        made: dict[str, Any] = {
            "organisation": FOUNDATION,
            "owner": self.officer.id,
            "facts": facts(**changes),
            "budget": budget,
        }
        return in_transaction(drafting.create, **made)

    def approved(self, **changes: Any) -> str:
        campaign = self.draft(**changes)
        in_transaction(lifecycle.submit, campaign=campaign, person=self.officer.id)
        in_transaction(lifecycle.approve, campaign=campaign, person=self.approver.id)
        return campaign

    def open(self, **changes: Any) -> str:
        campaign = self.approved(**changes)
        in_transaction(lifecycle.open_to_all, campaign=campaign, person=self.officer.id)
        return campaign

    def begin(self, campaign: str, fen: int = 660, **giver: Any) -> str:
        return in_transaction(giving.begin, campaign=campaign, amount=Money(fen), giver=Giver(**giver))

    def pay(self, gift: str, outcome: str = "succeeded") -> None:
        """At the cashier's; its webhook waits."""
        attempts.submit(self.attempt(gift), return_url="/", description="gift")
        self.cashier.decide(self.remote_of(gift), outcome)

    def give(self, campaign: str, fen: int = 660, **giver: Any) -> str:
        gift = self.begin(campaign, fen, **giver)
        self.pay(gift)
        self.work()
        return gift

    def attempt(self, gift: str) -> str:
        db.session.rollback()
        mine = select(Attempt.public_id).where(Attempt.reference == gift).order_by(Attempt.id.desc())
        return str(db.session.scalars(mine.limit(1)).one())

    def remote_of(self, gift: str) -> str:
        found = self.cashier.find_payment(self.attempt(gift))
        assert found
        return found.remote_id

    def arrive(self, gift: str) -> None:
        """The gateway's answer, without the way over the webhook."""
        paid = self.cashier.fetch_payment(self.remote_of(gift))
        in_transaction(outcomes.apply_payment, remote=paid, gateway="sandbox", why="webhook")

    def send(self, _url: str, body: bytes, signature: str) -> int:
        return self.browser().post("/webhooks/sandbox", data=body, headers={"Stripe-Signature": signature}).status_code

    def work(self) -> None:
        """All that the worker would do now."""
        while delivery.deliver(self.cashier, self.send) or inbox.work() or sweeping.send_refund() or outbox.deliver():
            pass

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def balance(self, campaign: str) -> int:
        """Fen in the campaign's account."""
        db.session.rollback()
        return -books.balance(db.session(), "restricted", campaign, book="test")


def get(campaign: str) -> Campaign:
    db.session.rollback()
    return db.session.scalars(select(Campaign).where(Campaign.public_id == campaign)).one()


def gift_of(reference: str) -> Contribution:
    db.session.rollback()
    return db.session.scalars(select(Contribution).where(Contribution.public_id == reference)).one()


def latest_gift() -> Contribution:
    db.session.rollback()
    return db.session.scalars(select(Contribution).order_by(Contribution.id.desc()).limit(1)).one()


def public_rows(campaign: str) -> list[tuple[str, int, str]]:
    """(kind, fen, who) of a campaign, oldest first."""
    db.session.rollback()
    mine = select(PublicRow.kind, PublicRow.fen, PublicRow.who).join(Campaign, Campaign.id == PublicRow.campaign_id)
    return [
        (row.kind, row.fen, row.who)
        for row in db.session.execute(mine.where(Campaign.public_id == campaign).order_by(PublicRow.id))
    ]


def officer_of(role: str, name: str) -> Person:
    person = factories.make_person(name=name)
    in_transaction(people.grant, person_id=person.id, role=role, actor="t", scope_kind="organisation", scope_id=FOUNDATION)
    return person


def hidden(page: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, name
    return found[1]


def post(client: FlaskClient, path: str, data: dict[str, Any]) -> TestResponse:
    """As the page's own form would, with the token of a session where there is one."""
    with client.session_transaction() as cookie:
        is_signed_in = "token" in cookie
    if is_signed_in:
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
        assert found
        data = data | {"csrf_token": found[1]}
    return client.post(path, data=data, headers=OURS)


def make_foundation(**given: Any) -> Organisation:
    words = {"code": FOUNDATION, "name_zh": "示例青少年基金会", "credit_code": "53140000DEMO000001"}
    dates = {"certificate_from": date(2020, 1, 1), "certificate_until": date(2099, 1, 1)}
    return factories.make(Organisation, words | dates | {"certificate_number": "DEMO-C-1", "is_demo": True}, given)


@pytest.fixture
def fund(real_app: Flask) -> Iterator[Fund]:
    yield from opened(real_app)


@pytest.fixture
def own_fund(own_app: Flask) -> Iterator[Fund]:
    yield from opened(own_app)


def opened(app: Flask) -> Iterator[Fund]:
    cashiers.opened(gateways().get("sandbox"))
    yield (built := build_fund(app))
    built.cashier.storage.dispose()


def build_fund(app: Flask) -> Fund:
    """To be called in the application's context."""
    cashier: Any = gateways().get("sandbox")
    factories.make_station(STATION, county_zh="临县", name_zh="临县站", name_en="Linxian Station")
    make_foundation()
    officer, approver = officer_of("charity_officer", "周予安"), officer_of("charity_approver", "沈若谷")
    return Fund(app, cashier, officer, approver)


@pytest.fixture
def officer(fund: Fund) -> FlaskClient:
    client = fund.browser()
    factories.sign_in_as(client, fund.officer)
    return client


@pytest.fixture
def approver(fund: Fund) -> FlaskClient:
    client = fund.browser()
    factories.sign_in_as(client, fund.approver)
    return client
