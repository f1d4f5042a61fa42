"""The province's shipping rates in all four ways: a file looked at, a row mended, kept from its day on."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.orders import shipping
from tests.browser import Way, is_at_ease, serving
from tests.factories import signed_in
from tests.orders.conftest import Shop

pytestmark = pytest.mark.full


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).click()


def test_a_table_is_looked_at_and_kept(shop: Shop, way: Way, tmp_path: Path) -> None:
    operator, table, day = shop.browser(), tmp_path / "运费.csv", clock.today() + timedelta(days=3)
    signed_in(operator, "operator")
    table.write_bytes("区,公斤,元,天\nshanxi,5,7.50,3\nshanxi,30,6,3\n".encode("gb18030"))
    with serving(shop.app) as home:
        page = way.open(home, operator)
        page.goto("/operator/shipping-rates")
        is_at_ease(page)
        page.fill("[name=valid_from]", day.isoformat())
        page.set_input_files("[name=file]", table)
        press(page, "看看每行的结果")
        expect(page.get_by_text("重的包裹不能更便宜").first).to_be_visible()
        is_at_ease(page)
        page.fill("[name=table]", page.input_value("[name=table]").replace("30,6,", "30,12,"))
        press(page, "看看每行的结果")
        is_at_ease(page)
        press(page, "用这张表")
        expect(page.get_by_text("存好了")).to_be_visible()
        expect(page.get_by_role("cell", name="¥7.50")).to_be_visible()
        is_at_ease(page)
    assert [prices(day - timedelta(days=1)), prices(day)] == [600, 750]


def prices(day: date) -> int:
    db.session.rollback()
    return shipping.tariff(db.session(), "140000", day).rate_for(4000).price_fen
