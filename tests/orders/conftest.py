"""A small shop: two stations, apples and millet, a cashier whose webhooks come in through the real door."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from listings.models import Variant
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core.db import db
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders.models import Order, Parcel
from marketplace.payments import inbox, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.models import Attempt
from marketplace.payments.sandbox import delivery
from marketplace.payments.sandbox.gateway import SandboxCashier
from tests import cashiers, factories

OURS = {"Sec-Fetch-Site": "same-origin"}
JIXIAN, QINXIAN = "141028", "140430"
RECIPIENT = {
    "recipient": "郭晓芸",
    "phone": "13835172045",
    "province": "140000",
    "city": "太原 小店区",
    "street": "平阳路 128 号",
}


@dataclass
class Shop:
    app: Flask
    cashier: SandboxCashier
    apples: str
    millet: str

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def fill(self, client: FlaskClient, **quantities: int) -> None:
        """Put packs in the cart, by the names above."""
        for name, quantity in quantities.items():
            put(client, getattr(self, name), quantity)

    def order(self, client: FlaskClient, **changes: Any) -> str:
        """Check out what is in the cart; returns the number."""
        answer = self.check_out(client, **changes)
        assert answer.status_code == 303, answer.text
        return latest().number

    def check_out(self, client: FlaskClient, **changes: Any) -> TestResponse:
        page = client.get("/checkout")
        assert page.status_code == 200, page.headers.get("Location")
        shown = quoted_total(client, changes) if {"province", "pickup"} & set(changes) else hidden(page, "shown_total")
        data = RECIPIENT | {"shown_total": shown, "idempotency_key": hidden(page, "idempotency_key")}
        return post(client, "/checkout", data | changes)

    def pay(self, number: str, outcome: str = "approve") -> TestResponse:
        """Press a button on the cashier's page of the order's open attempt."""
        remote = self.remote_of(number)
        return post(self.browser(), f"/sandbox-cashier/pay/{remote}/decision", {"outcome": outcome})

    def remote_of(self, number: str) -> str:
        db.session.rollback()
        latest_attempt = select(Attempt.remote_id).where(Attempt.reference == number).order_by(Attempt.id.desc())
        return str(db.session.scalars(latest_attempt.limit(1)).one())

    def send(self, _url: str, body: bytes, signature: str) -> int:
        return self.browser().post("/webhooks/sandbox", data=body, headers={"Stripe-Signature": signature}).status_code

    def work(self) -> None:
        """Money arrives: webhooks, inbox, refunds."""
        while delivery.deliver(self.cashier, self.send) or inbox.work() or sweeping.send_refund():
            pass

    def paid_order(self, client: FlaskClient, **quantities: int) -> str:
        self.fill(client, **quantities)
        return self.order_and_pay(client)

    def order_and_pay(self, client: FlaskClient) -> str:
        number = self.order(client)
        self.pay(number)
        self.work()
        return number


def put(client: FlaskClient, variant: str, quantity: Any, action: str = "add") -> TestResponse:
    return post(client, "/cart/items", {"variant": variant, "quantity": quantity, "action": action})


def post(client: FlaskClient, path: str, data: dict[str, Any]) -> TestResponse:
    """As the page's own form would: with the token of a session, where there is one."""
    with client.session_transaction() as cookie:
        is_signed_in = "token" in cookie
    if is_signed_in:
        data = data | {"csrf_token": token_of(client)}
    return client.post(path, data=data, headers=OURS)


def token_of(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert found
    return found[1]


def hidden(page: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, name
    return found[1]


def quoted_total(client: FlaskClient, changes: dict[str, Any]) -> str:
    page = post(client, "/checkout", RECIPIENT | changes | {"action": "quote"})
    return hidden(page, "shown_total")


def latest() -> Order:
    db.session.rollback()
    return db.session.scalars(select(Order).order_by(Order.id.desc()).limit(1)).one()


def differences(shop: Shop) -> list[str]:
    """What the audit finds wrong."""
    db.session.remove()
    with db.engine.connect() as connection, shop.cashier.storage.connect() as cashier:
        found = [each for each in audit.findings(connection, cashier) if isinstance(each, Difference)]
    return [f"{each.check}: {each.words}" for each in found]


def get(number: str) -> Order:
    db.session.rollback()
    return db.session.scalars(select(Order).where(Order.number == number)).one()


def parcels(number: str) -> list[Parcel]:
    return list(get(number).parcels)


def stock_of(code: str) -> tuple[int, int]:
    """(on hand, reserved)"""
    db.session.rollback()
    row = db.session.execute(select(Variant.on_hand, Variant.reserved).where(Variant.code == code)).one()
    return row.on_hand, row.reserved


def balances(reference: str) -> dict[str, int]:
    """Account kind -> fen of one order, debit positive; accounts at zero are left out."""
    db.session.rollback()
    totals: dict[str, int] = {}
    rows = select(LedgerAccount.kind, Line.amount).join(Line, Line.account_id == LedgerAccount.id)
    rows = rows.join(Entry, Entry.id == Line.entry_id).where(Entry.reference == reference)
    for kind, fen in db.session.execute(rows):
        totals[kind] = totals.get(kind, 0) + fen
    return {kind: fen for kind, fen in totals.items() if fen}


@pytest.fixture
def shop(real_app: Flask) -> Iterator[Shop]:
    yield (built := build_shop(real_app))
    built.cashier.storage.dispose()


def build_shop(app: Flask) -> Shop:
    """To be called in the application's context."""
    cashier: Any = gateways().get("sandbox")
    cashiers.opened(cashier)
    factories.make_station(JIXIAN)
    factories.make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_category()
    factories.make_category(code="grain-millet", name_zh="小米", name_en="Millet", return_policy="7d_unopened")
    factories.make_shipping()
    factories.make_shipping(zone="rest", province="110000", name_zh="北京市", name_en="Beijing")
    apples = factories.make_variant(factories.make_listing(), tiers=((10, 3680),))
    sack = factories.make_listing(title_zh="沁州黄小米", station_code=QINXIAN, category_code="grain-millet")
    millet = factories.make_variant(sack, price_fen=5800, net_weight_grams=2500)
    return Shop(app, cashier, apples.code, millet.code)
