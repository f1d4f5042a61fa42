"""A refund at the desk in all four ways: nothing too wide, nothing barred, Enter looks at the sum and sends nothing."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from marketplace.core.db import db
from marketplace.orders.access import link_key
from marketplace.payments.models import Refund
from tests.browser import Way, is_at_ease, serving
from tests.orders.conftest import Shop
from tests.orders.refunding import address, ask, bounce, clerk_of, deliver

pytestmark = pytest.mark.full


def test_the_form_the_sum_and_what_became_of_it(shop: Shop, way: Way) -> None:
    clerk = clerk_of(shop)
    parcel = deliver(shop, clerk, shop.paid_order(shop.browser(), apples=2))
    bounce(shop, ask(parcel, 1))
    with serving(shop.app) as home:
        page = way.open(home, clerk)
        page.goto("/station")
        page.get_by_role("link", name="有 1 笔退款没退成").click()
        is_at_ease(page)
        page.goto(address(parcel))
        is_at_ease(page)
        page.get_by_role("spinbutton").fill("2")
        page.get_by_label("运费也退").check()
        page.get_by_label("原因").fill("两箱压坏了")
        with page.expect_navigation():
            page.get_by_label("原因").press("Enter")
        assert page.get_by_role("heading", level=1).inner_text() == "退款 ¥85.60，对吗？"
        is_at_ease(page)
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Refund)) == 1
        with page.expect_navigation():
            page.get_by_role("button", name="退款 ¥85.60").click()
        expect(page.get_by_text("钱正在退给买家")).to_be_visible()
        is_at_ease(page)
        page.goto(f"/orders/{parcel.order}?key={link_key(parcel.order)}")
        expect(page.get_by_text("原因：两箱压坏了")).to_be_visible()
        is_at_ease(page)
