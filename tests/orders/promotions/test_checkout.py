"""The code's field on the checkout page, and what a buyer reads of it afterwards."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.orders.promotions import choosing, ending, using
from marketplace.orders.promotions.states import Kind, Scope
from tests import factories
from tests.orders.access_to import add_address
from tests.orders.conftest import RECIPIENT, get, hidden, latest, post, put
from tests.orders.promotions.conftest import Counter
from tests.orders.promotions.promoting import pay, promotion


def sent(client: FlaskClient, **changes: Any) -> Any:
    page = client.get("/checkout")
    shown = {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}
    return post(client, "/checkout", RECIPIENT | shown | changes)


@pytest.fixture
def buyer(counter: Counter, client: FlaskClient) -> FlaskClient:
    put(client, counter.apples, 3)
    return client


def test_a_code_is_reckoned_keeps_what_was_typed_and_is_ordered(buyer: FlaskClient) -> None:
    promotion()
    page = sent(buyer, coupon="xinqiu", note="放门卫", action="coupon")
    assert page.status_code == 200 and "−¥10.00" in page.text and "新秋" in page.text
    assert 'value="放门卫"' in page.text and hidden(page, "shown_total") == "5997"

    answer = sent(buyer, coupon="xinqiu", shown_total="5997")

    assert answer.status_code == 303
    order = latest()
    assert (order.discount_fen, order.total_fen) == (1000, 5997)
    assert "−¥10.00" in buyer.get(f"/orders/{order.number}").text


def test_what_comes_by_itself_is_the_best_one_beside_the_code(buyer: FlaskClient) -> None:
    promotion(code="", amount_fen=300, name_zh="小减")
    promotion(code="", amount_fen=500, name_zh="大减")
    promotion(code="", amount_fen=500, name_zh="后来的大减")
    promotion()
    page = buyer.get("/checkout").text
    assert "大减" in page and "−¥5.00" in page and "小减" not in page and "后来的" not in page
    page = sent(buyer, coupon="XINQIU", action="coupon")
    assert "−¥5.00" in page.text and hidden(page, "shown_total") == str(6997 - 1500)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"is_live": False}, "没有这个券码"),
        ({"first_day": clock.today() + timedelta(days=2)}, "起才能用"),
        ({"threshold_fen": 9900}, "再买 ¥39.03"),
        ({"scope": Scope.CATEGORY, "scope_values": ("grain",)}, "不能用在"),
        ({"budget_fen": 999}, "用完了"),
    ],
)
def test_a_code_that_cannot_be_used_says_why_at_its_field(buyer: FlaskClient, terms: dict[str, Any], said: str) -> None:
    promotion(**terms)
    page = sent(buyer, coupon="XINQIU", action="coupon")
    assert page.status_code == 422 and said in page.text and 'value="XINQIU"' in page.text
    assert 'aria-describedby="coupon-note"' in page.text and hidden(page, "shown_total") == "6997"

    refused = sent(buyer, coupon="XINQIU")
    assert refused.status_code == 422 and said in refused.text


def test_a_code_that_is_over_or_used_by_them_says_so(counter: Counter, buyer: FlaskClient) -> None:
    promotion()
    pay(counter.order(code="XINQIU", apples=1))
    assert "你已经用过了" in sent(buyer, coupon="XINQIU", action="coupon").text
    other = sent(buyer, coupon="XINQIU", action="coupon", phone="139 3517 2046")
    assert other.status_code == 200
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        in_transaction(ending.end_due)
        assert "过期" in sent(buyer, coupon="XINQIU", action="coupon").text


def test_the_sum_agreed_to_is_the_sum_paid(buyer: FlaskClient) -> None:
    promotion(code="")
    page = buyer.get("/checkout")
    shown = hidden(page, "shown_total")
    ending_one = promotion(code="", amount_fen=2000)
    answer = post(buyer, "/checkout", RECIPIENT | {"shown_total": shown, "idempotency_key": "k1"})
    assert answer.status_code == 409 and "−¥20.00" in answer.text and ending_one


def test_a_present_and_an_invoice_can_be_asked_for_with_the_order(buyer: FlaskClient) -> None:
    wrong = {"invoice_kind": "company", "invoice_title": "太原某某公司", "tax_number": "91140100MA0GT1234X"}
    page = sent(buyer, gift_message="姥姥生日快乐", **wrong, invoice_email="a@b.cn")
    assert page.status_code == 422 and "税号不对" in page.text and "姥姥生日快乐" in page.text
    page = sent(buyer, **wrong | {"tax_number": "9114"}, invoice_email="ab")
    assert page.status_code == 422 and "15 到 20" in page.text and "name@example.com" in page.text

    answer = sent(buyer, gift_message="姥姥生日快乐", **wrong | {"tax_number": "91350100m000100y43"}, invoice_email="a@b.cn")

    assert answer.status_code == 303
    number = latest().number
    assert get(number).is_gift and get(number).gift_message == "姥姥生日快乐"
    page = buyer.get(f"/orders/{number}").text
    assert "姥姥生日快乐" in page and f"/orders/{number}/invoice" in page
    assert "¥59.97" in buyer.get(f"/orders/{number}/invoice").text


def test_what_comes_by_itself_and_is_gone_is_no_fault_of_a_code(buyer: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    promotion(code="")
    monkeypatch.setattr(using, "take", refuse_once(using.take))
    answer = sent(buyer)
    assert answer.status_code == 422 and "总价和你看到的不一样了" in answer.text
    assert 'aria-describedby="coupon-note"' not in answer.text and sent(buyer).status_code == 303


def refuse_once(take: Any) -> Any:
    """Another order was a moment faster."""
    faster = [True]

    def taken(*given: Any, **named: Any) -> None:
        if faster and faster.pop():
            raise choosing.UsedUp
        take(*given, **named)

    return taken


def test_another_address_of_theirs_is_filled_in_and_whatever_else_they_typed_stays(
    counter: Counter, client: FlaskClient
) -> None:
    promotion()
    buyer, other = factories.signed_in(client), factories.make_person()
    first = add_address(buyer.id)
    add_address(buyer.id, street="学府街 66 号")
    theirs = add_address(other.id, street="别人家 1 号")
    put(client, counter.apples, 3)
    assert 'value="学府街 66 号"' in client.get("/checkout").text
    typed = {"coupon": "XINQIU", "gift_message": "姥姥生日快乐", "note": "放门卫", "pickup": "141028", "street": ""}

    page = sent(client, **typed, address=first)

    assert page.status_code == 200 and 'value="平阳路 128 号"' in page.text
    for words in ('value="XINQIU"', 'value="姥姥生日快乐"', 'value="放门卫"', "−¥10.00"):
        assert words in page.text
    assert hidden(page, "shown_total") == "4997"  # fetched, so without shipping
    assert "别人家" not in sent(client, **typed, address=theirs).text


def test_at_most_seven_fields_are_needed(counter: Counter, client: FlaskClient) -> None:
    put(client, counter.apples, 3)
    assert client.get("/checkout").text.count(" required") <= 7


def test_free_shipping_of_goods_that_are_fetched_takes_nothing_off(buyer: FlaskClient) -> None:
    promotion(kind=Kind.FREE_SHIPPING, amount_fen=0)
    page = sent(buyer, coupon="XINQIU", pickup="141028", action="coupon")
    assert page.status_code == 422 and "不能再减" in page.text
