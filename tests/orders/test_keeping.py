"""Whoever orders loses nothing by it: neither what they typed when something changed, nor sight of it when they sign in."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from listings import stock
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.accounts import passwords
from marketplace.accounts.models import SignInSession
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders.models import Order
from tests.factories import make_person
from tests.orders.conftest import OURS, RECIPIENT, Shop, get, hidden, latest, post, stock_of
from tests.orders.test_bad_input import hidden_link, orders

PASSWORD = "millet-58-doors"


def filled_form(shop: Shop, buyer: FlaskClient, **quantities: int) -> dict[str, str]:
    shop.fill(buyer, **quantities)
    page = buyer.get("/checkout")
    names = ("shown_total", "idempotency_key")
    return RECIPIENT | {"note": "周末送"} | {name: hidden(page, name) for name in names}


def withdraw(code: str) -> None:
    its = select(Variant.listing_id).where(Variant.code == code).scalar_subquery()
    db.session.execute(update(Listing).where(Listing.id == its).values(state=ListingState.SUSPENDED))
    db.session.commit()


def test_fewer_are_left_is_said_on_the_same_page_with_all_that_was_typed(shop: Shop) -> None:
    buyer = shop.browser()
    typed = filled_form(shop, buyer, apples=3, millet=1)
    in_transaction(stock.count, shop.apples, difference=-98, reference="test")

    answer = post(buyer, "/checkout", typed)

    assert answer.status_code == 409 and orders() == 0
    assert "只剩 2" in answer.text and "购物车里有东西变了" in answer.text
    for name in ("recipient", "phone", "city", "street", "note"):
        assert f'value="{typed[name]}"' in answer.text

    fitted = post(buyer, "/checkout", typed | {"action": "fit"})
    assert fitted.status_code == 200 and "只剩 2" not in fitted.text and f'value="{typed["street"]}"' in fitted.text
    assert hidden(fitted, "shown_total") == str(2 * 3980 + 5800 + 1200)
    assert post(buyer, "/checkout", typed | {"shown_total": hidden(fitted, "shown_total")}).status_code == 303
    assert orders() == 1 and stock_of(shop.apples) == (2, 2)


def test_what_is_gone_is_taken_out_by_one_press(shop: Shop) -> None:
    buyer = shop.browser()
    typed = filled_form(shop, buyer, apples=1, millet=1)
    withdraw(shop.millet)

    answer = post(buyer, "/checkout", typed)
    assert answer.status_code == 409 and "已经不卖了" in answer.text and f'value="{typed["phone"]}"' in answer.text
    fitted = post(buyer, "/checkout", typed | {"action": "fit"})
    assert hidden(fitted, "shown_total") == str(3980 + 600)


def test_when_nothing_is_left_the_cart_says_so(shop: Shop) -> None:
    buyer = shop.browser()
    typed = filled_form(shop, buyer, apples=1)
    withdraw(shop.apples)

    assert post(buyer, "/checkout", typed).status_code == 409
    assert post(buyer, "/checkout", typed | {"action": "fit"}).headers["Location"] == "/cart"
    assert "购物车是空的" in buyer.get("/cart").text


def test_back_after_ordering_leads_to_the_order_that_is_there(shop: Shop) -> None:
    buyer = shop.browser()
    typed = filled_form(shop, buyer, apples=1)
    post(buyer, "/checkout", typed)
    number = latest().number
    assert f'href="/orders/{number}"' in buyer.get("/cart").text and number not in shop.browser().get("/cart").text

    answer = post(buyer, "/checkout", typed | {"phone": "13900005555"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{number}")
    assert "这单已经下过了" in buyer.get(f"/orders/{number}").text
    assert get(number).phone == "13835172045" and orders() == 1


@pytest.mark.parametrize("rubbish", ["\0", "14\x0000001", "山西", "9" * 5000, "'; --"])
@pytest.mark.parametrize("action", ["", "quote"])
def test_rubbish_for_a_province_is_refused_by_the_field(shop: Shop, rubbish: str, action: str) -> None:
    buyer = shop.browser()
    typed = filled_form(shop, buyer, apples=1)
    answer = post(buyer, "/checkout", typed | {"province": rubbish, "action": action})

    assert answer.status_code == (200 if action else 422) and orders() == 0


def test_rubbish_for_how_often_a_page_has_looked_is_nothing(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)

    for looked in ("²", "٣", "9" * 5000, "-1", "1e9", "", "\0"):
        answer = buyer.get(f"/orders/{number}", query_string={"returned": looked})
        assert answer.status_code == 200 and "Refresh" not in answer.headers, looked
    assert buyer.get(f"/orders/{number}?returned=1").headers["Refresh"] == f"2; url=/orders/{number}?returned=2"


def someone(address: str = "guo@example.test") -> int:
    return make_person(address=address, password_hash=passwords.hash_password(PASSWORD)).id


def sign_in(client: FlaskClient, address: str = "guo@example.test") -> None:
    answer = client.post("/sign-in/password", data={"address": address, "password": PASSWORD}, headers=OURS)
    assert answer.status_code == 303, answer.text


def test_a_guest_who_signs_in_keeps_the_order_and_has_it_in_the_account(shop: Shop) -> None:
    buyer, person = shop.browser(), someone()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)

    sign_in(buyer)

    assert buyer.get(f"/orders/{number}").status_code == 200
    assert get(number).buyer_id == person
    elsewhere = shop.browser()
    sign_in(elsewhere)
    assert elsewhere.get(f"/orders/{number}").status_code == 200


def test_an_order_seen_by_its_link_stays_in_sight_and_stays_whose_it_was(shop: Shop) -> None:
    buyer, friend = shop.browser(), shop.browser()
    someone()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    friend.get(hidden_link(buyer.get(f"/orders/{number}").text))

    sign_in(friend)

    assert friend.get(f"/orders/{number}").status_code == 200
    assert get(number).buyer_id is None


def test_the_next_person_at_this_browser_sees_nothing_of_the_one_before(shop: Shop) -> None:
    browser = shop.browser()
    someone(), someone("hao@example.test")
    sign_in(browser)
    shop.fill(browser, apples=1)
    number = shop.order(browser)
    db.session.execute(update(Order).values(buyer_id=None))  # as if it had been placed when the session was over
    db.session.commit()
    assert browser.get(f"/orders/{number}").status_code == 200
    db.session.execute(update(SignInSession).values(ended_at=clock.now()))
    db.session.commit()

    sign_in(browser, "hao@example.test")

    assert browser.get(f"/orders/{number}").status_code == 404
    assert get(number).buyer_id is None
