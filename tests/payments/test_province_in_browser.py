"""The province's pages of odd money in all four ways: readable on any screen, and axe finds nothing on them."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from marketplace.accounts.models import Person
from marketplace.core.db import db
from marketplace.payments.gateways import gateways
from tests import cashiers
from tests.batches.conftest import Finance, make_finance, real_finance
from tests.batches.test_bouncing import bounce, closed
from tests.browser import Way, is_at_ease, serving
from tests.campaigns.conftest import build_fund
from tests.campaigns.test_returned import called_off
from tests.factories import make_person, sign_in_as
from tests.orders.conftest import build_shop
from tests.orders.test_kept import kept_back
from tests.payments.conftest import Till
from tests.payments.test_suspense import parked

__all__ = ["make_finance", "real_finance"]

pytestmark = pytest.mark.full


@pytest.fixture
def address(real_app: Flask) -> Iterator[str]:
    """Money of each odd kind: in suspense, kept back, not arrived."""
    cashier: Any = gateways().get("sandbox")
    cashiers.opened(cashier)
    parked(Till(real_app, cashier))
    kept_back(build_shop(real_app))
    called_off(build_fund(real_app), 660, 1200)
    db.session.remove()
    with serving(real_app) as url:
        yield url
    cashier.storage.dispose()


def office(app: Flask, way: Way, home: str, who: int) -> Page:
    """The browser of somebody of the province."""
    client = app.test_client()
    sign_in_as(client, db.session.get_one(Person, who))
    db.session.remove()
    return way.open(home, client)


def test_odd_money_is_readable_and_taken_away(real_app: Flask, way: Way, address: str) -> None:
    page = office(real_app, way, address, make_person("finance_operator").id)
    for path in ("/operator/suspense?book=test", "/operator/kept-goods", "/charity/returned-gifts", "/operator/disputes"):
        page.goto(path)
        assert page.locator("main li.panel").count(), path
        is_at_ease(page)
    page.goto("/operator/suspense?kind=mismatch")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    assert waiting.value.path().read_text("utf-8-sig").count("mismatch") == 1


def test_a_payment_that_was_taken_back_is_readable(real_app: Flask, real_finance: Finance, way: Way) -> None:
    batch = closed(real_finance)
    line = real_finance.line(batch, real_finance.feng).public_id
    here = f"/operator/settlements/{batch}"
    with serving(real_app) as url:
        page = office(real_app, way, url, real_finance.drafter)
        page.goto(f"{here}/lines/{line}")
        page.locator("summary").click()
        is_at_ease(page)
        bounce(real_finance, batch)
        db.session.remove()
        for path in (here, f"{here}/lines/{line}", "/operator/settlements", "/operator/payees"):
            page.goto(path)
            is_at_ease(page)
