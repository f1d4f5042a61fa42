"""How an order stands: one sentence, from where its parcels are, the same on its page and in the list."""

import re

import pytest
from sqlalchemy import update

from marketplace.core.db import db
from marketplace.orders.models import Parcel
from marketplace.orders.offline.pickup_keys import in_groups
from marketplace.orders.standing import Standing, sentence
from marketplace.orders.states import OrderState as O, ParcelState as S
from tests import statements
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, Shop, get, parcels, post


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ([S.AWAITING_ACCEPTANCE], "付好了，等站里接单"),
        ([S.ACCEPTED], "付好了，站里接了单"),
        ([S.PACKED], "打好包了，这就出站"),
        ([S.ACCEPTED, S.PACKED], "付好了，站里正在备货"),
        ([S.SHIPPED], "在路上"),
        ([S.SHIPPED, S.SHIPPED], "都在路上了"),
        ([S.READY_FOR_PICKUP], "在吉县站等你来取"),
        ([S.UNCOLLECTED], "在吉县站等你来取"),
        ([S.DELIVERED], "到了，打开看看"),
        ([S.PICKED_UP], "取走了，打开看看"),
        ([S.DELIVERED, S.PICKED_UP], "到了，打开看看"),
        ([S.LOST], "路上丢了，钱会退给你"),
        ([S.SETTLED], "都收到了，慢慢吃"),
        ([S.SHIPPED, S.DELIVERED, S.PACKED], "1 个到了，打开看看，1 个在路上，1 个站里正在备货"),
        ([S.SETTLED, S.READY_FOR_PICKUP], "1 个在吉县站等你来取，1 个已收到"),
        ([S.SHIPPED, S.REFUSED], "在路上，1 个发不了，钱退给你"),
        ([S.SETTLED, S.CANCELLED], "都收到了，慢慢吃，1 个取消了"),
        ([S.ACCEPTED, S.REFUSED, S.CANCELLED], "付好了，站里接了单，1 个发不了，钱退给你，1 个取消了"),
        ([S.SHIPPED, S.AWAITING_ACCEPTANCE], "1 个在路上，1 个等站里接单"),
    ],
)
def test_what_is_said_of_parcels(shop: Shop, states: list[S], says: str) -> None:
    with shop.app.test_request_context():
        assert sentence(O.PAID, [Standing(state, "吉县站", "Jixian Station") for state in states]) == says


def test_every_state_has_a_sentence(shop: Shop) -> None:
    with shop.app.test_request_context(headers={"Cookie": "lang=en"}):
        for state in S:
            assert sentence(O.PAID, [Standing(state, "吉县站", "Jixian Station")])[0].isupper() or state in {
                S.REFUSED,
                S.CANCELLED,
            }
        assert all(sentence(state, []) for state in O)


def test_the_list_of_orders(shop: Shop) -> None:
    """None, one of one parcel, one of two: each says the same as its own page, for the same number of statements."""
    buyer = shop.browser()
    signed_in(buyer)
    assert "还没有订单" in buyer.get("/orders").text
    first = shop.paid_order(buyer, apples=1)
    with statements.gathered() as of_one:
        page = buyer.get("/orders").text
    assert first in page and "付好了，等站里接单" in page

    second = shop.paid_order(buyer, apples=1, millet=1)
    db.session.execute(update(Parcel).where(Parcel.id == parcels(second)[1].id).values(state=S.DELIVERED))
    db.session.commit()
    with statements.gathered() as of_two:
        page = buyer.get("/orders").text

    assert first in page and second in page
    said = "1 个到了，打开看看，1 个等站里接单"
    assert said in page and f"<h1>{said}</h1>" in buyer.get(f"/orders/{second}").text
    assert len(of_one) == len(of_two)


def test_the_order_waits_at_the_station_and_its_code_stands_on_top(shop: Shop) -> None:
    buyer, clerk = shop.browser(), shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)
    shop.fill(buyer, apples=1)
    number = shop.order(buyer, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    (parcel,) = parcels(number)
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "A-1"}), ("shelving", {})):
        post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data)

    page = buyer.get(f"/orders/{number}").text
    code = parcels(number)[0].pickup_code
    assert "<h1>在吉县站等你来取</h1>" in page
    assert page.index(f"<strong>{in_groups(code)}</strong>") < page.index('id="parcel-1"')


def test_a_declined_payment_is_said_and_a_cancelled_order_says_that_nothing_was_charged(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    fresh = buyer.get(f"/orders/{number}").text
    assert "没付成" not in fresh and "取消订单" in fresh and re.search(r"\d日前到", fresh)

    waiting = buyer.get(f"/orders/{number}?returned=1").text
    assert '<div role="status"><h1>正在向收款方核实，别重复付</h1></div>' in waiting
    assert "还没付？回收银台" in waiting
    assert "取消订单" not in waiting and "/cancellation" not in waiting

    shop.pay(number, "decline")
    shop.work()
    failed = buyer.get(f"/orders/{number}?returned=2").text
    assert 'role="alert"' in failed and "没付成，没有扣钱。再试一次" in failed and "付款 ¥45.80" in failed

    post(buyer, f"/orders/{number}/cancellation", {})
    assert get(number).state is O.CANCELLED
    page = buyer.get(f"/orders/{number}").text
    assert "<h1>这单取消了，没有扣钱</h1>" in page and not re.search(r"\d日前到", page)  # it comes no more


def test_a_stranger_finds_an_order_from_the_page_of_signing_in(shop: Shop) -> None:
    stranger = shop.browser()
    assert 'href="/orders"' in stranger.get("/sign-in").text
    for path in ("/orders", "/orders/find"):
        answer = stranger.get(path)
        assert answer.status_code == 200 and 'action="/orders/find"' in answer.text
