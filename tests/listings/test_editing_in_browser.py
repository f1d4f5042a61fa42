"""The editor on a phone: three steps without script, an edit decided at the station, and nothing in anybody's way."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import is_at_ease, serving
from tests.listings.selling import CONTENT, House, build, consents, edits, listing
from tests.listings.test_consenting import finished

pytestmark = pytest.mark.full
PHONE: ViewportSize = {"width": 390, "height": 780}


@pytest.fixture
def house(real_app: Flask) -> House:
    return build(real_app)


def opened(browser: Browser, home: str, client: FlaskClient, *, script: bool) -> Page:
    """A phone that is signed in as this client is."""
    client.get("/account")
    cookie = client.get_cookie("session")
    assert cookie
    context = browser.new_context(
        base_url=home, viewport=PHONE, java_script_enabled=script, bypass_csp=True, reduced_motion="reduce"
    )
    context.add_cookies([{"name": "session", "value": cookie.value, "url": home}])
    return context.new_page()


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).first.click()


def test_an_edit_and_a_further_pack_without_script(house: House, browser: Browser) -> None:
    with serving(house.app) as home:
        seller = opened(browser, home, house.seller, script=False)
        clerk = opened(browser, home, house.clerk, script=False)
        seller.goto("/seller")
        seller.get_by_role("link", name="改一改").first.click()
        seller.fill("[name=title]", "沁州黄小米 头茬")
        press(seller, "把改动交给站里")
        seller.goto(f"/seller/listings/{house.millet}/packs/new")
        seller.fill("[name=unit]", "10斤袋")
        seller.fill("[name=price]", "75")
        seller.fill("[name=stock]", "20")
        press(seller, "把改动交给站里")
        expect(seller.get_by_text("10斤袋").first).to_be_visible()

        clerk.goto("/station/listings")
        clerk.get_by_role("link", name=CONTENT["title"]).click()
        expect(clerk.get_by_text("沁州黄小米 头茬")).to_be_visible()
        press(clerk, "同意，买家马上看到")

        assert clerk.get_by_role("heading", level=1).inner_text() == "沁州黄小米 头茬"
        seller.context.close()
        clerk.context.close()
    assert listing(house.millet).title_zh == "沁州黄小米 头茬" and len(listing(house.millet).variants) == 2


def test_a_clerk_lists_for_a_farmer_without_script(house: House, browser: Browser) -> None:
    with serving(house.app) as home:
        clerk = opened(browser, home, house.clerk, script=False)
        clerk.goto("/station/sellers")
        clerk.get_by_role("link", name="次村合作社").click()
        clerk.check("[name=way][value=in_person]")
        clerk.check("[name=has_agreed]")
        clerk.select_option("[name=category]", "grain-millet")
        press(clerk, "下一步：填")
        clerk.get_by_role("link", name="下一步：填").click()
        for name, words in {
            "title": "檀山小米",
            "unit": "5斤袋",
            "price": "58",
            "stock": "20",
            "story": CONTENT["story"],
        }.items():
            clerk.fill(f"[name={name}]", words)
        press(clerk, "下一步：看")
        press(clerk, "交给站长看")
        expect(clerk.get_by_text("檀山小米").first).to_be_visible()
        clerk.context.close()
    assert consents()[0].way == "in_person"


def test_every_page_of_it_is_at_ease(house: House, browser: Browser) -> None:
    house.edit(title="沁州黄小米 头茬")
    code, edit = finished(house), edits()[0].public_id
    with serving(house.app) as home:
        seller = opened(browser, home, house.seller, script=True)
        for path in ("", "/orders", "/listings/prices", f"/listings/{code}/consent"):
            seller.goto(f"/seller{path}")
            is_at_ease(seller)
        for path in ("pictures", "details", "packs", "packs/new", "packs/GMILLET-1", "certificates", "preview"):
            seller.goto(f"/seller/listings/{house.millet}/{path}")
            is_at_ease(seller)
        clerk = opened(browser, home, house.clerk, script=True)
        farmer = f"/station/sellers/{house.person.public_id}/listings/new"
        for path in ("/station/sellers", farmer, "/station/listings", f"/station/edits/{edit}", f"/station/listings/{code}"):
            clerk.goto(path)
            is_at_ease(clerk)
        seller.context.close()
        clerk.context.close()
