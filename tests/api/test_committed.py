"""Orders of programs that are committed in earnest: what the audit says to them, and the same request by many at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core.db import db, in_transaction
from marketplace.orders import paying
from marketplace.orders.models import Order
from marketplace.payments import attempts
from marketplace.payments.models import Attempt
from tests import factories
from tests.api.conftest import Program
from tests.api.trading import RECIPIENT, body_of
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, build_shop, differences, get, stock_of

Programs = Callable[..., Program]
MANY = 6


@pytest.fixture
def shop(real_app: Flask) -> Iterator[Shop]:
    yield (built := build_shop(real_app))
    built.cashier.storage.dispose()


def test_a_program_orders_from_a_cart_pays_and_follows(shop: Shop, program: Programs) -> None:
    buyer = program()
    lines = [{"sku": shop.apples, "quantity": 2}, {"sku": shop.millet, "quantity": 1}]
    made = buyer.post("/carts", {"lines": lines, "province": "140000", "pickup": [QINXIAN]})
    assert made.status_code == 201, made.text
    cart = made.get_json()
    assert (cart["goods_fen"], cart["shipping_fen"], cart["total_fen"]) == (13760, 600, 14360)
    assert [(part["station"], part["delivery"]) for part in cart["parcels"]] == [(JIXIAN, "courier"), (QINXIAN, "pickup")]
    assert buyer.get(f"/carts/{cart['cart']}?province=140000").get_json()["total_fen"] == 14960

    asked = {"cart": cart["cart"], "recipient": RECIPIENT, "pickup": [QINXIAN], "total_fen": 14360, "note": "周末送"}
    placed = buyer.post("/orders", asked)
    assert placed.status_code == 201, placed.text
    order = placed.get_json()
    assert (order["state"], order["total_fen"], order["is_test"]) == ("pending_payment", 14360, True)
    assert buyer.get(f"/carts/{cart['cart']}").status_code == 404

    paid = buyer.post(f"/orders/{order['number']}/payment").get_json()
    assert paid["state"] == "requires_action" and "/sandbox-cashier/" in paid["url"]
    shop.pay(order["number"])
    shop.work()

    followed = buyer.get(f"/orders/{order['number']}").get_json()
    assert followed["state"] == "paid" and followed["paid_at"]
    assert [part["number"] for part in followed["parcels"]] == [f"{order['number']}-1", f"{order['number']}-2"]
    row = get(order["number"])
    assert (row.recipient, row.note, row.buyer_id) == ("郭晓芸", "周末送", buyer.person and buyer.person.id)
    assert differences(shop) == []


def test_payment_goes_on_with_the_attempt_and_ends_with_it(shop: Shop, program: Programs) -> None:
    buyer = program()
    number = buyer.post("/orders", body_of(shop)).get_json()["number"]
    first = buyer.post(f"/orders/{number}/payment", key="p")
    assert buyer.post(f"/orders/{number}/payment", key="p").get_json() == first.get_json()
    assert buyer.post(f"/orders/{number}/payment").get_json()["url"] == first.get_json()["url"]
    shop.pay(number)
    shop.work()

    refused = buyer.post(f"/orders/{number}/payment")
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:not-payable")
    assert buyer.post(f"/orders/{number}/payment", key="p").get_json() == first.get_json()
    assert differences(shop) == []


def test_who_is_a_moment_late_goes_on_with_the_attempt_of_the_other(
    shop: Shop, program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first payment was declined; of two requests for another, one has opened it and not asked the gateway yet."""
    buyer = program()
    number = buyer.post("/orders", body_of(shop)).get_json()["number"]
    first = buyer.post(f"/orders/{number}/payment").get_json()["url"]
    shop.pay(number, "decline")
    shop.work()
    in_transaction(paying.pay_again, number=number)
    seen, current = iter([None]), attempts.current
    monkeypatch.setattr(attempts, "current", lambda *asked, **more: next(seen, current(*asked, **more)))

    late = buyer.post(f"/orders/{number}/payment")
    assert (late.status_code, late.get_json()["state"]) == (201, "requires_action") and late.get_json()["url"] != first
    assert db.session.scalar(select(func.count()).select_from(Attempt)) == 2


@pytest.mark.full
def test_one_key_one_order_whoever_is_first(shop: Shop) -> None:
    token = factories.make_token(factories.make_person())
    body, start = body_of(shop), Barrier(MANY)

    def send(_number: int) -> tuple[int, str]:
        with shop.app.app_context():
            start.wait()
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "a"}
            answer = shop.browser().post("/api/v1/orders", json=body, headers=headers)
            return answer.status_code, answer.get_json()["number"]

    with ThreadPoolExecutor(MANY) as pool:
        answers = set(pool.map(send, range(MANY)))

    assert len(answers) == 1 and next(iter(answers))[0] == 201
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1
    assert stock_of(shop.apples) == (100, 2)
