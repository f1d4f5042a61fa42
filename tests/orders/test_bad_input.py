"""Rubbish, another's things, the wrong role, yesterday's price: refused in words, with nothing changed and nothing lost."""

import re
from datetime import timedelta
from typing import Any

import pytest
from markupsafe import escape
from sqlalchemy import func, select, update

from listings.models import Category, Listing, Variant
from listings.states import ListingState
from marketplace.accounts import sign_in
from marketplace.accounts.models import RateWindow
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import fingerprint, token_hash
from marketplace.core.idempotency import IdempotencyKey
from marketplace.orders import paying
from marketplace.orders.models import Order
from marketplace.orders.states import ParcelState as S
from tests.factories import make_person, sign_in_as, signed_in
from tests.orders.conftest import JIXIAN, QINXIAN, RECIPIENT, Shop, hidden, parcels, post, put, stock_of


def orders() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order)) or 0


@pytest.mark.parametrize("quantity", ["", "0", "-1", "1.5", "ten", "10000", "1e3", "🍎", "'; --", "9" * 30, "9" * 400])
def test_a_quantity_that_is_none_is_refused(shop: Shop, quantity: str) -> None:
    buyer = shop.browser()
    answer = put(buyer, shop.apples, quantity)

    assert answer.status_code == 422
    assert "填 1 到 9999 的整数" in answer.text and "红富士" in answer.text
    assert f'value="{escape(quantity)}"' in answer.text and 'aria-invalid="true"' in answer.text
    assert "购物车是空的" in buyer.get("/cart").text


def test_a_wrong_quantity_stands_at_its_line_and_the_cart_stays_as_it_was(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2, millet=1)

    answer = put(buyer, shop.apples, "1.5")

    assert answer.status_code == 422 and answer.text.count('aria-invalid="true"') == 1
    assert re.search(rf'id="quantity-{shop.apples}" name="quantity" value="1.5"', answer.text)
    assert re.search(rf'id="quantity-{shop.millet}" name="quantity" value="1"', answer.text)
    assert re.search(rf'id="quantity-{shop.apples}" name="quantity" value="2"', buyer.get("/cart").text)


def test_a_quantity_of_nothing_known_is_no_line(shop: Shop) -> None:
    buyer = shop.browser()
    assert put(buyer, "", "2").status_code == 422
    gone = put(buyer, "P9999-1", "many")
    assert gone.status_code == 303 and "已经不卖了" in buyer.get("/cart").text


def test_full_width_digits_are_digits(shop: Shop) -> None:
    buyer = shop.browser()
    assert put(buyer, shop.apples, "２").status_code == 303
    assert "¥79.60" in buyer.get("/cart").text


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("recipient", "", "写上收货人姓名"),
        ("recipient", "郭" * 41, "40"),
        ("phone", "1383517204", "现在是 10 位，手机号应为 11 位"),
        ("phone", "电话", "数字"),
        ("phone", "23835172045", "不是"),
        ("province", "999999", "选"),
        ("city", "", "写上城市和区县"),
        ("street", "路" * 121, "120"),
        ("note", "好" * 201, "200"),
    ],
)
def test_a_bad_field_is_named_and_all_that_was_typed_is_kept(shop: Shop, field: str, typed: str, says: str) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    page = buyer.get("/checkout")
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")} | {field: typed}

    answer = post(buyer, "/checkout", data)

    assert answer.status_code == 422 and says in answer.text
    kept = {name: value for name, value in (RECIPIENT | {field: typed}).items() if name != "province"}
    assert all(f'value="{value}"' in answer.text for value in kept.values())
    assert orders() == 0 and stock_of(shop.apples) == (100, 0)


@pytest.mark.parametrize("nothing", [" ", "\u3000", "\0", "\u200b"])
def test_nothing_is_sent_to_nobody_nowhere(shop: Shop, nothing: str) -> None:
    guest = shop.browser()
    shop.fill(guest, apples=1)
    answer = shop.check_out(guest, recipient=nothing, city=nothing, street=nothing)
    assert answer.status_code == 422 and orders() == 0
    for said in ("写上收货人姓名。", "写上城市和区县。", "写上街道和门牌号。"):
        assert said in answer.text


def test_html_and_sql_are_only_text(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    nasty = "<script>alert(1)</script>'; DROP TABLE person"
    number = shop.order(buyer, recipient=nasty[:40], note=nasty)

    page = buyer.get(f"/orders/{number}").text
    assert "<script>alert" not in page and "&lt;script&gt;" in page


def test_a_guests_token_stands_nowhere_in_the_database(shop: Shop) -> None:
    guest = shop.browser()
    shop.fill(guest, apples=1)
    token = guest.get_cookie("cart")
    shop.order(guest)
    assert token
    scopes = list(db.session.scalars(select(IdempotencyKey.scope)))
    assert scopes == [f"cart:{token_hash(token.value)}"]


@pytest.mark.parametrize("looked", ["²", "９", "9" * 5000, "-1", "x", ""])
def test_how_often_a_page_looked_may_be_rubbish(shop: Shop, looked: str) -> None:
    guest = shop.browser()
    shop.fill(guest, apples=1)
    number = shop.order(guest)
    answer = guest.get(f"/orders/{number}", query_string={"returned": looked})
    assert answer.status_code == 200 and "Refresh" not in answer.headers


@pytest.mark.parametrize("path", ["/checkout", "/orders/find"])
def test_too_many_tries_lose_nothing_that_was_typed(shop: Shop, path: str) -> None:
    guest = shop.browser()
    shop.fill(guest, apples=1)
    what = {"/checkout": "order.from", "/orders/find": "order.find.from"}[path]
    key = f"{what}:{fingerprint('127.0.0.1', 'rate')}"
    db.session.add(RateWindow(key=key, count=300, expires_at=clock.now() + timedelta(minutes=5)))
    db.session.commit()

    answer = post(guest, path, RECIPIENT | {"number": "SX-7F3KQ2MD"})

    assert answer.status_code == 429 and 298 <= int(answer.headers["Retry-After"]) <= 300
    assert "13835172045" in answer.text and "试得太勤了" in answer.text


def test_a_total_that_changed_is_said_before_anything_is_charged(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    page = buyer.get("/checkout")
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}
    db.session.execute(update(Variant).where(Variant.code == shop.apples).values(price_fen=4080))
    db.session.commit()

    answer = post(buyer, "/checkout", data)
    assert answer.status_code == 409 and "¥46.80" in answer.text.replace("</small>", "").replace("<small>", "")
    assert orders() == 0 and stock_of(shop.apples) == (100, 0)

    again = data | {"shown_total": hidden(answer, "shown_total")}
    assert post(buyer, "/checkout", again).status_code == 303
    assert orders() == 1


def test_what_is_paused_or_gone_is_said_at_its_line(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    db.session.execute(update(Listing).values(state=ListingState.PAUSED))
    db.session.commit()

    assert "已经不卖了" in buyer.get("/cart").text
    assert buyer.get("/checkout").headers["Location"] == "/cart"
    assert put(shop.browser(), shop.apples, 1).headers["Location"] == "/cart"


def test_another_buyers_order_does_not_exist(shop: Shop) -> None:
    buyer, stranger = shop.browser(), shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)

    assert stranger.get(f"/orders/{number}").status_code == 404
    assert stranger.get(f"/orders/{number}?key=wrong").status_code == 404
    assert post(stranger, f"/orders/{number}/cancellation", {}).status_code == 404
    sign_in_as(stranger, make_person())
    assert stranger.get(f"/orders/{number}").status_code == 404


def test_a_guest_finds_the_order_by_its_link_or_by_phone_and_number(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    link = hidden_link(buyer.get(f"/orders/{number}").text)

    by_link, by_phone = shop.browser(), shop.browser()
    assert by_link.get(link).headers["Location"] == f"/orders/{number}"
    assert by_link.get(f"/orders/{number}").status_code == 200
    wrong = post(by_phone, "/orders/find", {"number": number, "phone": "13800000000"})
    unknown = post(by_phone, "/orders/find", {"number": "SX-22222222", "phone": "13835172045"})
    assert wrong.status_code == unknown.status_code == 422
    found = post(by_phone, "/orders/find", {"number": number.lower(), "phone": "138 3517 2045"})
    assert found.status_code == 303 and by_phone.get(f"/orders/{number}").status_code == 200


def hidden_link(page: str) -> str:
    found = re.search(r'href="(/orders/[^"]+key=\w+)"', page)
    assert found
    return found[1]


def test_the_parcel_of_another_station_does_not_exist(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=QINXIAN)

    assert clerk.get(f"/station/parcels/{parcel.public_id}").status_code == 404
    assert clerk.get(f"/station/parcels/{parcel.public_id}/label").status_code == 404
    assert post(clerk, f"/station/parcels/{parcel.public_id}/acceptance", {}).status_code == 404
    assert parcels(number)[0].state is S.AWAITING_ACCEPTANCE


def test_a_buyer_is_no_clerk_and_a_stranger_is_asked_to_sign_in(shop: Shop) -> None:
    buyer = shop.browser()
    assert buyer.get("/station").headers["Location"].startswith("/sign-in?next=")
    sign_in_as(buyer, make_person())

    assert buyer.get("/station").status_code == 403


@pytest.mark.parametrize(
    ("before", "step", "data"),
    [
        ((), "packing", {"shelf": "A"}),
        ((), "dispatch", {"carrier": "x", "tracking_number": "123456"}),
        ((), "pickup", {"code": "123456"}),
        ((), "delivery", {}),
        (("acceptance",), "acceptance", {}),
        (("acceptance", "collection"), "collection", {}),
        (("acceptance", "collection"), "shelving", {}),
    ],
)
def test_a_step_out_of_turn_changes_nothing_and_says_so(shop: Shop, before: Any, step: str, data: Any) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)
    for each in before:
        post(clerk, f"/station/parcels/{parcel.public_id}/{each}", {})
    state = parcels(number)[0].state

    assert post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data).status_code == 303

    assert parcels(number)[0].state is state


@pytest.mark.parametrize(
    ("step", "data"), [("packing", {}), ("packing", {"shelf": "A" * 13}), ("refusal", {}), ("pickup", {"code": "12a456"})]
)
def test_a_step_with_rubbish_is_refused_by_the_field(shop: Shop, step: str, data: Any) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)

    assert post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data).status_code == 422
    assert parcels(number)[0].state is S.AWAITING_ACCEPTANCE


def test_a_wrong_tracking_number_is_kept_and_what_would_be_right_is_said(shop: Shop) -> None:
    (parcel,) = parcels(shop.paid_order(shop.browser(), apples=1))
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "B-03"})):
        post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data)
    path = f"/station/parcels/{parcel.public_id}/dispatch"

    odd = post(clerk, path, {"carrier": "中国邮政", "tracking_number": "没有运单号呢"})
    short = post(clerk, path, {"carrier": "中国邮政", "tracking_number": "123"})

    assert odd.status_code == short.status_code == 422
    assert (
        "快递单号只有字母、数字和短横线。" in odd.text
        and 'value="没有运单号呢"' in odd.text
        and 'value="中国邮政"' in odd.text
    )
    assert "要 6 到 40 个字，现在是 3 个。" in short.text


def test_rubbish_for_a_step_that_is_over_is_answered_with_how_it_stands(shop: Shop) -> None:
    (parcel,) = parcels(shop.paid_order(shop.browser(), apples=1))
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)

    answer = post(clerk, f"/station/parcels/{parcel.public_id}/packing", {"shelf": ""})

    assert answer.status_code == 422 and "这一步已经做过" in answer.text


def test_an_unpaid_order_gives_the_station_nothing_to_do(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)

    post(clerk, f"/station/parcels/{parcels(number)[0].public_id}/acceptance", {})

    assert parcels(number)[0].state is S.AWAITING_ACCEPTANCE
    assert number not in clerk.get("/station").text


@pytest.mark.parametrize(("step", "typed"), [("acceptance", {}), ("refusal", {"reason": "霜冻"})])
def test_nor_does_one_that_was_called_off_before_it_was_paid(shop: Shop, step: str, typed: dict[str, str]) -> None:
    buyer, clerk = shop.browser(), shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    paying.cancel(number, actor="guest")
    before = stock_of(shop.apples)
    signed_in(clerk, "station_clerk", station=JIXIAN)

    answer = post(clerk, f"/station/parcels/{parcels(number)[0].public_id}/{step}", typed)

    assert answer.status_code in {303, 409, 422}
    assert parcels(number)[0].state is S.AWAITING_ACCEPTANCE and stock_of(shop.apples) == before


def test_carts_are_merged_at_sign_in(shop: Shop) -> None:
    person = make_person()
    at_home = shop.browser()
    sign_in_as(at_home, person)
    shop.fill(at_home, apples=3, millet=1)
    stranger = shop.browser()
    shop.fill(stranger, apples=2)
    token = stranger.get_cookie("cart")
    assert token

    in_transaction(sign_in.begin, person_id=person.id, device="", cart=token.value)

    page = at_home.get("/cart").text
    assert "¥119.40" in page and "¥58.00" in page
    assert "购物车是空的" in stranger.get("/cart").text


def test_alcohol_needs_a_grown_up(shop: Shop) -> None:
    db.session.execute(update(Category).values(is_age_restricted=True))
    db.session.commit()
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    page = buyer.get("/checkout")
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}

    assert post(buyer, "/checkout", data).status_code == 422
    assert orders() == 0
    assert post(buyer, "/checkout", data | {"is_adult": "y"}).status_code == 303
