"""Buying ahead on a phone and at a desk: from the seller's draft to the parcel's order; nothing too wide, nothing barred."""

from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from crowdfund.presales.backing import link_token
from crowdfund.presales.models import Backing, Presale
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db
from tests import factories
from tests.browser import Way, is_at_ease, serving
from tests.orders.conftest import RECIPIENT
from tests.presales.conftest import ONE, Orchard

pytestmark = pytest.mark.full


def test_a_harvest_is_sold_ahead_and_becomes_an_order(real_orchard: Orchard, way: Way) -> None:
    orchard = real_orchard
    seller, station = orchard.shop.browser(), orchard.shop.browser()
    factories.sign_in_as(seller, db.session.get_one(Person, orchard.seller))
    factories.sign_in_as(station, db.session.get_one(Person, orchard.reviewer.id))
    with serving(orchard.shop.app) as home:
        orchard.shop.cashier.base_url = home
        office = way.open(home, seller)
        office.goto("/seller/presales")
        press(office, "link", "开一个预售")
        draft(office)
        add_tier(office)
        is_at_ease(office)
        press(office, "button", "交给站长看")
        db.session.rollback()
        orchard.presale = db.session.scalars(select(Presale.public_id)).one()
        orchard.one = orchard.row().tiers[0].public_id

        desk = way.open(home, station)
        desk.goto("/station/presales")
        press(desk, "link", "吉县红富士预售")
        press(desk, "button", "不开放")
        expect(desk.get_by_role("alert")).to_be_visible()
        desk.get_by_label("地我看过了").check()
        desk.get_by_label("价钱、份数和日子合理").check()
        is_at_ease(desk)
        press(desk, "button", "开放")

        buyer = way.open(home)
        buyer.goto("/presales")
        is_at_ease(buyer)
        press(buyer, "link", "吉县红富士预售")
        expect(buyer.get_by_text("凑不够，全额退").first).to_be_visible()
        is_at_ease(buyer)
        press(buyer, "link", "预订 ¥30.00")
        buyer.get_by_label("手机号或邮箱").fill("1383517")
        press(buyer, "button", "付款 ¥30.00")
        expect(buyer.get_by_role("alert")).to_be_visible()
        is_at_ease(buyer)
        buyer.get_by_label("手机号或邮箱").fill("13835172045")
        press(buyer, "button", "付款 ¥30.00")
        db.session.rollback()
        place = orchard.backing(db.session.scalars(select(Backing.public_id)).one())
        orchard.pay(place.public_id)
        for contact in ("b@example.test", "c@example.test"):
            orchard.paid(contact=contact)
        assert orchard.escrow() == 3 * ONE
        orchard.end()

        buyer.goto(f"/presales/{orchard.presale}/backings/{link_token(place.public_id)}")
        expect(buyer.get_by_role("heading", name="达标了。寄到哪里？")).to_be_visible()
        is_at_ease(buyer)
        for name in ("recipient", "phone", "city", "street"):
            buyer.locator(f"[name={name}]").fill(RECIPIENT[name])
        press(buyer, "button", "记下地址")
        office.goto(f"/seller/presales/{orchard.presale}")
        press(office, "button", "收好了，开始发货")
        orchard.live_through(clock.now())
        buyer.reload()
        expect(buyer.get_by_role("heading", name="已经变成订单")).to_be_visible()


def draft(office: Page) -> None:
    today = clock.today()
    words = {"title_zh": "吉县红富士预售", "story_zh": "冯家的十亩果园。", "plan_zh": "十月采摘，十一月发完。"}
    figures = {"goal": "90", "area": "1", "yield_kg": "100", "grace_days": "15", "start_percent": "30"}
    days = {"closes_on": today + timedelta(days=20), "harvest_on": today + timedelta(days=40)}
    for name, text in {**words, **figures, **days}.items():
        office.locator(f"[name={name}]").fill(str(text))
    press(office, "button", "存好，去填档位")


def add_tier(office: Page) -> None:
    for name, text in {"title_zh": "一箱", "packs": "1", "price": "30", "most": "10"}.items():
        office.locator(f"[name={name}]").fill(text)
    press(office, "button", "加上这一档")


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()
