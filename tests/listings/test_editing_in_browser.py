"""The editor, lived in all four ways: three steps, an edit and prices of many goods, a clerk for a farmer, the review."""

import pytest
from flask import Flask
from playwright.sync_api import Browser, FilePayload, Page, expect

from listings.models import Listing
from listings.states import ListingState as L
from marketplace.core.db import db
from tests import factories
from tests.browser import Way, is_at_ease, serving
from tests.listings.selling import CONTENT, House, build, consents, edits, fresh, listing, packs
from tests.listings.test_consenting import finished
from tests.listings.test_offering import picture

pytestmark = pytest.mark.full
PACK = {"unit": "5斤袋", "price": "58", "stock": "20"}


@pytest.fixture
def house(real_app: Flask) -> House:
    return build(real_app)


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).first.click()


def fill(page: Page, **typed: str) -> None:
    for name, words in typed.items():
        page.fill(f"[name={name}]", words)


def test_from_a_picture_to_the_shop(house: House, way: Way) -> None:
    with serving(house.app) as home:
        seller, clerk = way.open(home, house.seller), way.open(home, house.clerk)
        seller.goto("/seller/listings/new")
        is_at_ease(seller)
        seller.select_option("[name=category]", "grain-millet")
        photo: FilePayload = {"name": "小米.jpg", "mimeType": "image/jpeg", "buffer": picture()[0].read()}
        seller.set_input_files("[name=pictures]", photo)
        press(seller, "下一步")
        is_at_ease(seller)
        fill(seller, title=CONTENT["title"], village=CONTENT["village"], story=CONTENT["story"], **PACK | {"price": "39,80"})
        press(seller, "下一步：看")
        expect(seller.get_by_text("填多少元，比如 39.80").first).to_be_visible()
        assert seller.input_value("[name=story]") == CONTENT["story"], "nothing typed is lost"
        is_at_ease(seller)
        fill(seller, price="58")
        press(seller, "先存着")  # and goes on another day
        seller.get_by_role("link", name="继续").first.click()
        assert seller.input_value("[name=price]") == "58.00"
        press(seller, "下一步：看")
        is_at_ease(seller)
        press(seller, "交给站长看")

        clerk.goto("/station/listings")
        clerk.get_by_role("link", name=CONTENT["title"]).click()
        press(clerk, "上架")
        expect(clerk.get_by_role("alert").first).to_be_visible()  # nothing was looked at yet
        is_at_ease(clerk)
        for name in ("origin_seen", "goods_seen", "price_sane"):
            clerk.check(f"[name={name}]")
        press(clerk, "上架")
    assert [row.state for row in fresh(Listing) if row.code != house.millet] == [L.PUBLISHED]


def test_what_is_typed_stays_in_the_phone_until_it_has_arrived(house: House, browser: Browser) -> None:
    """Without a network, or where the browser is closed; what was sent, or thrown away, does not come back."""
    here = f"/seller/listings/{house.millet}/packs/new"
    with serving(house.app) as home:
        seller = Way(browser, 390, script=True).open(home, house.seller)
        kept, lost = seller.get_by_text("一直存在这部手机里"), seller.get_by_text("来网再按一次")
        seller.goto(here)
        fill(seller, unit="10斤袋", price="75")
        seller.context.set_offline(True)
        seller.get_by_role("button", name="把改动交给站里").click()
        expect(lost).to_be_visible()
        seller.context.set_offline(False)
        seller.goto("/seller")
        seller.goto(here)
        expect(kept).to_be_visible()
        assert (seller.input_value("[name=unit]"), seller.input_value("[name=price]")) == ("10斤袋", "75")
        is_at_ease(seller)
        seller.get_by_role("button", name="不要了").click()
        seller.goto(here)
        expect(kept).to_be_hidden()
        assert seller.input_value("[name=unit]") == ""
        fill(seller, unit="10斤袋", price="七十五", stock="20")
        press(seller, "把改动交给站里")  # refused: what was typed is on the page, and still in the phone
        seller.goto(here)
        expect(kept).to_be_visible()
        fill(seller, price="75")
        signed_in = seller.context.cookies()
        seller.context.clear_cookies()
        press(seller, "把改动交给站里")  # nobody is signed in any more: it has not arrived
        seller.context.add_cookies([{"name": each["name"], "value": each["value"], "url": home} for each in signed_in])
        seller.goto(here)
        expect(kept).to_be_visible()
        press(seller, "把改动交给站里")
        seller.goto(here)
        expect(kept).to_be_hidden()
    assert len(edits()) == 1


def test_an_edit_and_a_further_pack(house: House, way: Way) -> None:
    with serving(house.app) as home:
        seller, clerk = way.open(home, house.seller), way.open(home, house.clerk)
        seller.goto("/seller")
        is_at_ease(seller)
        seller.get_by_role("link", name="改一改").first.click()
        is_at_ease(seller)
        fill(seller, title="沁州黄小米 头茬")
        press(seller, "把改动交给站里")
        is_at_ease(seller)
        seller.goto(f"/seller/listings/{house.millet}/packs/new")
        is_at_ease(seller)
        fill(seller, unit="10斤袋", price="75", stock="20")
        press(seller, "把改动交给站里")
        expect(seller.get_by_text("10斤袋").first).to_be_visible()
        is_at_ease(seller)

        clerk.goto("/station/listings")
        clerk.get_by_role("link", name=CONTENT["title"]).click()
        expect(clerk.get_by_text("沁州黄小米 头茬")).to_be_visible()
        is_at_ease(clerk)
        press(clerk, "同意，买家马上看到")
        assert clerk.get_by_role("heading", level=1).inner_text() == "沁州黄小米 头茬"
    assert listing(house.millet).title_zh == "沁州黄小米 头茬" and len(listing(house.millet).variants) == 2


def test_prices_and_stocks_of_all_goods_at_once(house: House, way: Way) -> None:
    here = listing(house.millet)
    same = {"seller_id": here.seller_id, "station_code": here.station_code, "category_code": here.category_code}
    for number in range(4):  # more than a screen, so that rows lie under the bar
        factories.make_variant(factories.make_listing(code=f"GM{number}", **same), code=f"GM{number}-1")
    with serving(house.app) as home:
        seller = way.open(home, house.seller)
        seller.goto("/seller")
        seller.get_by_role("link", name="改价格和库存").first.click()
        is_at_ease(seller)
        seller.fill("[name=GMILLET-1-price]", "一百")
        seller.fill("[name=GMILLET-1-stock]", "25")
        press(seller, "保存")
        expect(seller.get_by_text("填多少元，比如 39.80").first).to_be_visible()
        assert seller.input_value("[name=GMILLET-1-stock]") == "25"
        is_at_ease(seller)
        seller.fill("[name=GMILLET-1-price]", "36.50")
        press(seller, "保存")
        is_at_ease(seller)
    assert packs(house.millet) == [("GMILLET-1", "5斤袋", 3650, 25, True)]


def test_a_clerk_lists_for_a_farmer(house: House, way: Way) -> None:
    with serving(house.app) as home:
        clerk = way.open(home, house.clerk)
        clerk.goto("/station/sellers")
        is_at_ease(clerk)
        clerk.get_by_role("link", name="次村合作社").click()
        clerk.select_option("[name=category]", "grain-millet")
        press(clerk, "下一步：填")
        assert not consents(), "nobody is listed for without their word"
        is_at_ease(clerk)
        clerk.check("[name=way][value=in_person]")
        clerk.check("[name=has_agreed]")
        press(clerk, "下一步：填")
        clerk.get_by_role("link", name="下一步：填").click()
        fill(clerk, title="檀山小米", story=CONTENT["story"], **PACK)
        press(clerk, "下一步：看")
        is_at_ease(clerk)
        press(clerk, "交给站长看")
        expect(clerk.get_by_text("檀山小米").first).to_be_visible()
    assert consents()[0].way == "in_person"


def test_every_page_of_it_is_at_ease(house: House, way: Way) -> None:
    house.edit(title="沁州黄小米 头茬")
    code, edit = finished(house), edits()[0].public_id
    db.session.remove()
    with serving(house.app) as home:
        seller, clerk = way.open(home, house.seller), way.open(home, house.clerk)
        for path in (f"/seller/listings/{code}/consent", *(f"/seller/listings/{house.millet}/{each}" for each in OTHERS)):
            seller.goto(path)
            is_at_ease(seller)
        for path in (f"/station/edits/{edit}", f"/station/listings/{code}"):
            clerk.goto(path)
            is_at_ease(clerk)


OTHERS = ("pictures", "packs", "packs/GMILLET-1", "certificates")
