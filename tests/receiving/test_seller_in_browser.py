"""A seller and their orders in all four ways: what to bring, what will be short or light, what it has earned."""

import pytest
from playwright.sync_api import Page, expect

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import settlement
from tests.browser import Way, is_at_ease, serving
from tests.factories import sign_in_as
from tests.orders.casework import deliver
from tests.orders.conftest import Shop, parcels
from tests.receiving.conftest import accepted, delivery

pytestmark = pytest.mark.full


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).click()


def test_from_what_is_ordered_to_what_is_earned(shop: Shop, way: Way) -> None:
    arrived = shop.paid_order(shop.browser(), apples=1)
    deliver(arrived)
    settle(arrived)
    accepted(shop, apples=3)
    owed = delivery()
    seller = shop.browser()
    sign_in_as(seller, db.session.query(Person).filter_by(public_id=owed.seller).one())
    pack = owed.packs[0]
    with serving(shop.app) as home:
        page = way.open(home, seller)
        page.goto("/seller")
        is_at_ease(page)
        page.get_by_role("link", name="按站、按日子，可打印").click()
        expect(page.get_by_role("strong").filter(has_text="3").first).to_be_visible()
        is_at_ease(page)
        page.get_by_role("link", name="我能送多少").click()
        is_at_ease(page)
        page.fill(f"[name=packs-{pack.code}]", "2")
        page.fill(f"[name=weight-{pack.code}]", "很轻")
        press(page, "告诉站里")
        expect(page.get_by_role("alert")).to_be_visible()
        is_at_ease(page)
        assert page.input_value(f"[name=packs-{pack.code}]") == "2", "nothing typed is lost"
        page.fill(f"[name=weight-{pack.code}]", "8.6")
        press(page, "告诉站里")
        expect(page.get_by_text("记下了").first).to_be_visible()
        assert page.input_value(f"[name=packs-{pack.code}]") == "2"
        for path in ("/seller/statements", f"/seller/statements/{clock.today():%Y-%m}"):
            page.goto(path)
            expect(page.get_by_text("¥36.62").first).to_be_visible()
            is_at_ease(page)


def settle(number: str) -> None:
    for parcel in [each.public_id for each in parcels(number)]:
        in_transaction(settlement.confirm, number=number, parcel=parcel, actor="test")
