"""What only a browser can tell of buying: a changed quantity sends itself, nothing is too wide, nothing bars the way."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.orders.access import link_key
from marketplace.orders.models import Parcel
from marketplace.orders.states import ParcelState as S
from tests.browser import Way, is_at_ease, overflows, serving
from tests.factories import signed_in
from tests.orders.access_to import add_address
from tests.orders.conftest import JIXIAN, RECIPIENT, Shop, latest, parcels

pytestmark = pytest.mark.full


@pytest.fixture
def page(shop: Shop, browser: Browser) -> Iterator[Page]:
    """A cart with millet in it, in a stranger's browser."""
    with serving(shop.app) as address:
        size: ViewportSize = {"width": 390, "height": 780}
        context = browser.new_context(base_url=address, viewport=size, reduced_motion="reduce", bypass_csp=True)
        page = context.new_page()
        page.goto("/help")
        page.request.post(
            "/cart/items", form={"variant": shop.millet, "quantity": "1", "action": "add"}, headers={"Origin": address}
        )
        yield page
        context.close()


def test_a_changed_quantity_sends_itself_and_the_focus_stays(page: Page) -> None:
    page.goto("/cart")
    expect(page.get_by_role("button", name="更新")).not_to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="多一件").click()

    assert page.get_by_role("spinbutton").input_value() == "2"
    assert page.locator(".line__sum").inner_text() == "¥116.00"
    assert page.evaluate("document.activeElement.textContent") == "+"
    is_at_ease(page)


def test_the_checkout_has_its_bar_on_phones_only(page: Page) -> None:
    page.goto("/checkout")
    bar = page.locator(".pay-bar")
    expect(bar).to_be_visible()
    assert "¥64.00" in bar.inner_text().replace("\n", "")
    assert page.get_by_role("button", name="提交订单，去付款").count() == 1
    is_at_ease(page)

    page.set_viewport_size({"width": 1280, "height": 720})
    expect(bar).not_to_be_visible()
    assert page.get_by_role("button", name="提交订单，去付款").count() == 1


def test_enter_places_the_order(page: Page) -> None:
    """Whatever else may be pressed on the page: Enter in a field does what the page is for."""
    page.goto("/checkout")
    for name in ("recipient", "phone", "city", "street"):
        page.fill(f"[name={name}]", RECIPIENT[name])
    page.select_option("[name=province]", RECIPIENT["province"])
    with page.expect_navigation():
        page.get_by_role("button", name="按这个省算运费").click()
    with page.expect_response("**/checkout") as answer:
        page.locator("[name=street]").press("Enter")

    assert answer.value.status == 303 and "/sandbox-cashier/pay/" in answer.value.headers["location"]
    assert latest().recipient == RECIPIENT["recipient"]


def test_the_bar_of_the_checkout_is_one_line_in_english(page: Page) -> None:
    page.goto("/checkout?lang=en")
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 780})
        box = page.locator(".bar--bare").bounding_box()
        assert box and box["height"] < 80
        assert not overflows(page)


@pytest.mark.parametrize("state", [S.SHIPPED, S.DELIVERED, S.SETTLED])
def test_an_order_and_its_parcel(page: Page, shop: Shop, state: S) -> None:
    number = shop.paid_order(shop.browser(), apples=1, millet=1)
    first, _second = parcels(number)
    values = {"state": state, "delivered_at": clock.now(), "promised_by": clock.today() - timedelta(days=1)}
    db.session.execute(update(Parcel).where(Parcel.id == first.id).values(**values))
    db.session.commit()

    page.goto(f"/orders/{number}?key={link_key(number)}")
    is_at_ease(page)
    page.goto(f"/parcels/{first.public_id}")
    is_at_ease(page)


def test_the_desk(page: Page, shop: Shop) -> None:
    """One bar, and every target large enough for a thumb in gloves."""
    (parcel,) = parcels(shop.paid_order(shop.browser(), apples=1))
    client = shop.browser()
    signed_in(client, "station_clerk", station=JIXIAN)
    cookie = client.get_cookie("session")
    assert cookie
    page.context.add_cookies([{"name": "session", "value": cookie.value, "url": page.url}])

    for path in ("/station", "/station/queues/acceptance", "/station/pick-list", f"/station/parcels/{parcel.public_id}"):
        page.goto(path)
        is_at_ease(page)
        heights = page.eval_on_selector_all(
            "a:not(.skip), button, summary, input:not([type=hidden])",
            "all => all.filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect().height)",
        )
        assert min(heights) >= 56, path
        box = page.locator(".desk__bar").bounding_box()
        assert box and box["height"] < 80


def test_ten_boxes_to_another_address_as_a_present_with_an_invoice(shop: Shop, way: Way) -> None:
    """What was typed stays: while another address is chosen, and when a code cannot be used."""
    buyer = shop.browser()
    person = signed_in(buyer)
    for street in ("平阳路 128 号", "学府街 66 号"):
        add_address(person.id, street=street, city="太原 小店区" if street.startswith("平") else "太原 迎泽区")
    with serving(shop.app) as address:
        shop.cashier.base_url = address
        page = way.open(address, buyer)
        page.goto(f"/listings/{shop.apples.rpartition('-')[0]}")
        page.get_by_role("spinbutton").first.fill("10")
        press(page, "加入购物车")
        page.goto("/cart")
        expect(page.locator(".line__sum")).to_have_text("¥368.00")  # ten are cheaper
        is_at_ease(page)
        page.goto("/checkout")
        expect(page.get_by_label("街道门牌")).to_have_value("学府街 66 号")
        page.locator("[name=note]").fill("放门卫")
        page.get_by_text("当礼物寄").click()
        page.get_by_label("卡片上写的话").fill("姥姥生日快乐")
        press(page, "太原 小店区")
        expect(page.get_by_label("街道门牌")).to_have_value("平阳路 128 号")
        page.get_by_text("用优惠券码").click()
        page.get_by_label("优惠券码").fill("nosuch")
        page.locator("summary", has_text="要发票").click()
        page.get_by_label("发票抬头").fill("郭晓芸")
        page.get_by_label("收发票的邮箱").fill("guo@example.test")
        press(page, "提交订单，去付款")
        expect(page.locator("#coupon-note")).to_contain_text("没有这个券码")
        is_at_ease(page)
        for name, kept in (("note", "放门卫"), ("gift_message", "姥姥生日快乐"), ("invoice_title", "郭晓芸")):
            expect(page.locator(f"[name={name}]")).to_have_value(kept)
        page.get_by_label("优惠券码").fill("")
        press(page, "提交订单，去付款")
        assert "/sandbox-cashier/pay/" in page.url
    order = latest()
    assert (order.street, order.gift_message, order.note, order.total_fen) == (
        "平阳路 128 号",
        "姥姥生日快乐",
        "放门卫",
        36800,
    )


def press(page: Page, name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).first.click()
