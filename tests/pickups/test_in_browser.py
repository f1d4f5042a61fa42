"""A parcel that waits and a case that a bank has paid, in all four ways: nothing too wide, nothing barred."""

import pytest
from playwright.sync_api import expect

from marketplace.orders import fulfilment
from marketplace.orders.access import link_key
from marketplace.orders.cases import deciding
from tests import factories
from tests.browser import Way, is_at_ease, serving
from tests.orders.casework import do
from tests.orders.conftest import JIXIAN, Shop, parcels, shop
from tests.orders.test_case_by_bank import brought_back, lost
from tests.pickups.test_letters import PACKED, step

__all__ = ["shop"]

pytestmark = pytest.mark.full


def test_until_when_it_is_kept_and_what_the_bank_has_paid(shop: Shop, way: Way) -> None:
    client = shop.browser()
    shop.fill(client, apples=1)
    number = shop.order(client, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    parcel = parcels(number)[0].public_id
    for command, more in (*PACKED, (fulfilment.make_ready, {})):
        step(parcel, command, **more)
    shop.apples = factories.make_variant(factories.make_listing(return_policy="7d_no_reason"), price_fen=1999).code
    order, case = brought_back(shop)
    lost(shop, order.number)
    do(deciding.refund, case)
    with serving(shop.app) as home:
        page = way.open(home)
        page.goto(f"/orders/{number}?key={link_key(number)}")
        expect(page.get_by_text("给你留到")).to_be_visible()
        is_at_ease(page)
        page.goto(f"/orders/{order.number}?key={link_key(order.number)}")
        page.goto(f"/orders/{order.number}/cases/{case}")
        expect(page.get_by_text("你的银行已经把钱退给你了")).to_be_visible()
        is_at_ease(page)
