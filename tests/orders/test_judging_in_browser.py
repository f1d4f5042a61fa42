"""A grower who has nothing to do with a refund, in all four ways: the province is asked, decides, and the books say so."""

import pytest
from playwright.sync_api import Page, expect

from marketplace.accounts.models import Person
from marketplace.core.db import db
from marketplace.orders.cases import deciding
from marketplace.orders.cases.rules import Bearer
from tests.browser import Way, is_at_ease, serving
from tests.factories import sign_in_as, signed_in
from tests.orders.casework import ONE_BACK, Bought, delivered, do, open_case, small_boxes
from tests.orders.conftest import Shop, balances, parcels
from tests.orders.test_case_appeals import BORNE

__all__ = ["delivered", "small_boxes"]

pytestmark = pytest.mark.full


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).click()


def test_a_grower_asks_and_the_province_decides_who_bears_it(shop: Shop, delivered: Bought, way: Way) -> None:
    do(deciding.refund, open_case(delivered))
    whose = parcels(delivered.number)[0].lines[0].seller_public_id
    grower, operator, auditor = shop.browser(), shop.browser(), shop.browser()
    sign_in_as(grower, db.session.query(Person).filter_by(public_id=whose).one())
    signed_in(operator, "operator")
    signed_in(auditor, "auditor")
    db.session.remove()
    with serving(shop.app) as home:
        seller = way.open(home, grower)
        seller.goto("/seller/cases")
        is_at_ease(seller)
        seller.get_by_role("link", name="不是我订的货").first.click()
        seller.locator("summary", has_text="请省里来定").click()
        seller.get_by_label("想让省里知道的话").fill("站里装错了箱")
        press(seller, "请省里来定")
        is_at_ease(seller)

        office = way.open(home, operator)
        office.goto("/operator/cases")
        office.get_by_role("link", name="不是我订的货").click()
        expect(office.get_by_text("站里装错了箱")).to_be_visible()
        office.get_by_text("由站里承担").click()
        press(office, "就这么定")
        expect(office.get_by_role("alert")).to_be_visible()  # nobody decides without a reason
        assert office.get_by_label("由站里承担").is_checked()
        is_at_ease(office)
        office.get_by_label("原因").fill("装箱单上写错了")
        press(office, "就这么定")
        is_at_ease(office)
        assert balances(delivered.number) == ONE_BACK | BORNE[Bearer.STATION]

        office.goto(f"/operator/payments?number={delivered.number}")
        is_at_ease(office)
        looker = way.open(home, auditor)
        looker.goto(office.url.replace("/payments", "/cases").partition("?")[0])
        looker.get_by_role("link", name="不是我订的货").click()
        assert looker.get_by_role("button", name="就这么定").count() == 0
        seller.reload()
        expect(seller.get_by_text("装箱单上写错了").first).to_be_visible()
        is_at_ease(seller)
