"""In Chromium: the province's pages of odd money are readable on any screen, and axe finds nothing on them."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser

from marketplace.core.db import db
from marketplace.payments.gateways import gateways
from tests import cashiers
from tests.batches.conftest import Finance, make_finance, real_finance
from tests.batches.test_bouncing import bounce, closed
from tests.batches.test_in_browser import entered
from tests.browser import barriers, overflows, serving
from tests.campaigns.conftest import build_fund
from tests.campaigns.test_returned import called_off
from tests.factories import make_person
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


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_odd_money_is_readable(real_app: Flask, browser: Browser, address: str, width: int) -> None:
    who = make_person("finance_operator").id
    page = entered(real_app, browser, address, who, width=width).new_page()
    for path in ("/operator/suspense?book=test", "/operator/kept-goods", "/charity/returned-gifts", "/operator/disputes"):
        page.goto(f"{address}{path}")
        assert page.locator("main li.panel").count(), path
        assert not overflows(page) and barriers(page) == [], path


def test_the_table_is_taken_without_script(real_app: Flask, browser: Browser, address: str) -> None:
    page = entered(real_app, browser, address, make_person("auditor").id, script=False).new_page()
    page.goto(f"{address}/operator/suspense?kind=mismatch")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    assert waiting.value.path().read_text("utf-8-sig").count("mismatch") == 1


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_payment_that_was_taken_back_is_readable(
    real_app: Flask, real_finance: Finance, browser: Browser, width: int
) -> None:
    batch = closed(real_finance)
    line = real_finance.line(batch, real_finance.feng).public_id
    here = f"/operator/settlements/{batch}"
    with serving(real_app) as url:
        page = entered(real_app, browser, url, real_finance.drafter, width=width).new_page()
        page.goto(f"{url}{here}/lines/{line}")
        page.locator("summary").click()
        assert not overflows(page) and barriers(page) == []
        bounce(real_finance, batch)
        db.session.remove()
        for path in (here, f"{here}/lines/{line}", "/operator/settlements", "/operator/payees"):
            page.goto(f"{url}{path}")
            assert not overflows(page) and barriers(page) == [], path
