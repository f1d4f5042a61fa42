"""A cart in which something cannot be ordered as it stands; sums and places at checkout, desk and cashier."""

from datetime import date

import pytest
from sqlalchemy import select, update

from listings.models import Variant
from marketplace.core.db import db
from marketplace.orders import desk
from marketplace.orders.models import Order
from marketplace.orders.places import within
from marketplace.orders.states import ParcelState as S
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, RECIPIENT, Shop, hidden, parcels, post


def leave(code: str, pieces: int) -> None:
    db.session.execute(update(Variant).where(Variant.code == code).values(on_hand=pieces))
    db.session.commit()


@pytest.mark.parametrize(
    ("left", "says"), [(0, "吉县红富士苹果：卖完了，请移走。"), (2, "吉县红富士苹果：只剩 2 份，请少买点。")]
)
def test_the_checkout_says_what_is_wrong(shop: Shop, left: int, says: str) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=3, millet=1)
    page = buyer.get("/checkout")
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}
    leave(shop.apples, left)

    assert buyer.get("/checkout").headers["Location"] == "/cart"
    cart = buyer.get("/cart").text
    assert f"<p>{says}</p>" in cart and says.partition("：")[2] in cart.partition("<main")[2]
    assert f'action="/cart/items/{shop.apples}/removal"' in cart
    answer = post(buyer, "/checkout", data)
    assert answer.status_code == 409 and says.partition("：")[2] in answer.text  # with all that was typed
    assert db.session.scalars(select(Order.id)).all() == []


def test_what_cannot_be_ordered_counts_for_nothing(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=3, millet=1)
    leave(shop.apples, 2)

    cart = buyer.get("/cart").text

    assert '<tr><th scope="row">1 种货</th><td>¥58.00</td></tr>' in cart
    assert "没算进去" in cart and "¥119.40" not in cart
    assert cart.count("免运费") == 1 and "再买 ¥41.00 免运费" in cart


def test_an_empty_cart_says_so(shop: Shop) -> None:
    stranger = shop.browser()
    assert stranger.get("/checkout").headers["Location"] == "/cart"
    assert "<p>购物车是空的。</p>" in stranger.get("/cart").text


def test_what_was_taken_out_can_be_put_back_once(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=3)
    answer = post(buyer, f"/cart/items/{shop.apples}/removal", {})

    assert answer.headers["Location"] == "/cart"
    offered = buyer.get("/cart").text
    assert hidden_of(offered) == (shop.apples, "3")
    assert "放回去" not in buyer.get("/cart").text
    post(buyer, "/cart/items", {"variant": shop.apples, "quantity": "3"})
    assert "¥119.40" in buyer.get("/cart").text


def hidden_of(page: str) -> tuple[str, str]:
    form = page.partition('class="flash flash--done undo"')[2].partition("</form>")[0]
    return form.partition('name="variant" value="')[2].partition('"')[0], form.partition('name="quantity" value="')[
        2
    ].partition('"')[0]


def test_the_checkout_has_its_bar_and_each_rule_once(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=10, millet=1)
    page = buyer.get("/checkout").text

    bar = page.partition('class="action-bar')[2].partition("</form>")[0]
    assert "含运费 ¥6.00" in bar and "提交订单，去付款" in bar
    assert "432" in bar and "¥0.00" not in page
    assert "<strong>吉县红富士苹果、沁州黄小米</strong>：鲜货不适用七天无理由退货" in page
    assert page.count("鲜货不适用七天无理由退货") == 1
    assert 'autocomplete="address-line1"' in page
    select_ = page.partition("<select")[2].partition(">")[0]
    assert "required" not in select_ and 'autocomplete="address-level1"' in select_


@pytest.mark.parametrize(
    ("city", "province", "written"),
    [
        ("北京市 海淀区", "北京市", "海淀区"),
        ("北京 海淀区", "北京市", "海淀区"),
        ("北京市", "北京市", ""),
        ("海淀区", "北京市", "海淀区"),
        ("太原市 小店区", "山西省", "太原市 小店区"),
        ("吉林市 昌邑区", "吉林省", "吉林市 昌邑区"),
    ],
)
def test_a_place_is_not_named_twice(city: str, province: str, written: str) -> None:
    assert within(city, province) == written


def test_a_place_is_written_in_the_readers_language_as_far_as_it_is_known(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer, province="110000", city="北京市 海淀区")

    assert (
        "北京市 海淀区 平阳路 128 号" in (chinese := buyer.get(f"/orders/{number}").text) and "北京市 北京市" not in chinese
    )
    buyer.set_cookie("lang", "en")
    assert 'Beijing, <span lang="zh">海淀区 平阳路 128 号</span>' in buyer.get(f"/orders/{number}").text


def test_the_desk_speaks_the_stations_words_and_names_the_next_step(shop: Shop) -> None:
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)
    (parcel,) = parcels(shop.paid_order(shop.browser(), apples=1))
    path = f"/station/parcels/{parcel.public_id}"

    assert "看一眼，接单" in clerk.get("/station").text and "等接单" in clerk.get(path).text
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "B-03"})):
        post(clerk, f"{path}/{step}", data)
    today, page = clerk.get("/station").text, clerk.get(path).text
    assert "B-03，交给快递" in today and ">打开<" not in today
    assert "包好了，等出站" in page and "2.5 kg" in page and "2.5斤" not in page
    picking = clerk.get("/station/pick-list").text
    assert '<th scope="col">货</th>' in picking and "货款" not in picking


def test_the_pick_list_goes_by_shelf_and_what_has_none_comes_last() -> None:
    def on(shelf: str) -> desk.Work:
        return desk.Work("", shelf, S.PACKED, "courier", shelf, date(2026, 10, 18), "", "", "", ())

    shelves = [work.shelf for work in sorted(map(on, ["", "B-03", "A-11", "A-2", "架3", "12"]), key=desk.Work.by_shelf)]
    assert shelves == ["12", "A-2", "A-11", "B-03", "架3", ""]


def test_every_state_has_a_word_at_the_desk() -> None:
    assert set(desk.WORDS) == set(S)
    steps = {desk.next_step(state, delivery) for state in S for delivery in ("courier", "pickup")} - {None}
    assert steps == set(desk.STEP_WORDS) == set(desk.ERRANDS)


def test_the_cashier_says_whom_one_pays_and_leads_back_from_a_lost_network(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    cashier = buyer.get(f"/sandbox-cashier/pay/{shop.remote_of(number)}").text
    heading = cashier.partition("<h1")[2].partition("</h1>")[0]

    assert "山西青年电商扶贫馆" in heading and f"订单 {number}" in heading
    assert f'href="/orders/{number}?returned=1"' in shop.pay(number, "vanish").text
