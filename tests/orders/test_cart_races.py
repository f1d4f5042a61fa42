"""A press that arrives twice at once, as bad networks and impatient thumbs make it: one effect, and no error."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offers, stock
from marketplace.accounts import sign_in
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import token_hash
from marketplace.orders import carts, placing, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.models import Cart, CartItem, Order
from marketplace.orders.placing import NothingToOrder, Recipient
from marketplace.orders.quoting import quote
from tests.factories import make_person
from tests.orders.conftest import Shop, stock_of

TWICE = 2
LATE = 5.0  # seconds
WHO = Recipient("郭晓芸", "13835172045", "140000", "太原 小店区", "平阳路 128 号")


@pytest.fixture
def meeting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked before either has written, wherever the database lets them."""
    start, looks = Barrier(TWICE), CartOwner.find
    db.session().info["met"] = True  # who prepares meets nobody

    def find(self: CartOwner, session: Session) -> Cart | None:
        found = looks(self, session)
        if session.get_bind().dialect.name == "postgresql" and not session.info.get("met"):
            session.info["met"] = True
            start.wait(LATE)
        return found

    monkeypatch.setattr(CartOwner, "find", find)


def both(shop: Shop, job: Callable[[], Any]) -> list[Any]:
    """What two threads get that do the same together."""

    def run(_number: int) -> Any:
        with shop.app.app_context():
            return job()

    db.session.remove()
    with ThreadPoolExecutor(TWICE) as pool:
        return list(pool.map(run, range(TWICE)))


def items_of(whose: Any) -> list[tuple[str, int]]:
    db.session.rollback()
    rows = select(CartItem.variant_code, CartItem.quantity).join(Cart, Cart.id == CartItem.cart_id).where(whose)
    return [(row.variant_code, row.quantity) for row in db.session.execute(rows)]


@pytest.mark.usefixtures("meeting")
def test_the_first_pack_pressed_twice_is_in_the_cart_once(shop: Shop) -> None:
    owner = CartOwner(None, "a-token-of-a-stranger")

    put = both(shop, lambda: in_transaction(carts.put, owner=owner, variant=shop.apples, quantity=3))

    assert put == [3, 3]
    assert items_of(Cart.token_hash == token_hash("a-token-of-a-stranger")) == [(shop.apples, 3)]


@pytest.mark.usefixtures("meeting")
def test_another_pack_pressed_twice_is_in_the_cart_once(shop: Shop) -> None:
    owner = CartOwner(None, "a-token-of-a-stranger")
    in_transaction(lambda session: session.add(Cart(token_hash=token_hash("a-token-of-a-stranger"))))

    put = both(shop, lambda: in_transaction(carts.put, owner=owner, variant=shop.apples, quantity=3))

    assert put == [3, 3]
    assert items_of(Cart.token_hash == token_hash("a-token-of-a-stranger")) == [(shop.apples, 3)]


@pytest.mark.usefixtures("meeting")
def test_signing_in_twice_at_once_brings_the_cart_along_once(shop: Shop) -> None:
    person = make_person().id
    in_transaction(carts.put, owner=CartOwner(None, "a-token-of-a-stranger"), variant=shop.apples, quantity=3)

    both(shop, lambda: in_transaction(sign_in.begin, person_id=person, device="", cart="a-token-of-a-stranger"))

    assert items_of(Cart.person_id == person) == [(shop.apples, 3)]
    assert items_of(Cart.token_hash == token_hash("a-token-of-a-stranger")) == []


def test_two_tabs_that_order_one_cart_at_once_make_one_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = CartOwner(None, "a-token-of-a-stranger")
    both_have_read, reserve = Barrier(TWICE), stock.reserve

    def meet_and_reserve(session: Session, wanted: Any, **told: Any) -> None:
        if session.get_bind().dialect.name == "postgresql":  # on SQLite whoever comes second has not begun
            both_have_read.wait(LATE)
        reserve(session, wanted, **told)

    monkeypatch.setattr(stock, "reserve", meet_and_reserve)
    in_transaction(carts.put, owner=owner, variant=shop.apples, quantity=3)

    def order() -> str:
        try:
            return in_transaction(order_cart, owner=owner)
        except NothingToOrder:
            return ""

    numbers = both(shop, order)

    assert numbers.count("") == 1
    db.session.rollback()
    assert db.session.scalars(select(Order.number)).all() == [number for number in numbers if number]
    assert stock_of(shop.apples) == (100, 3)
    assert items_of(Cart.token_hash == token_hash("a-token-of-a-stranger")) == []


def order_cart(session: Session, *, owner: CartOwner) -> str:
    contents = carts.contents(session, owner)
    found = offers.find(session, [variant for variant, _quantity, _seen in contents])
    tariff = shipping.tariff(session, WHO.province, clock.today())
    shown = quote(contents, found, tariff=tariff, pickup=())
    given: dict[str, Any] = {"recipient": WHO, "pickup": (), "shown_total_fen": shown.total_fen, "language": "zh_CN"}
    return placing.place(session, owner=owner, **given)


def test_carts_left_lying_for_two_months_are_swept_and_a_persons_own_is_not(shop: Shop) -> None:
    person = make_person()
    for whose in (CartOwner(None, "a"), CartOwner(person.id, None), CartOwner(person.id, "b", is_apart=True)):
        in_transaction(carts.put, owner=whose, variant=shop.apples, quantity=1)
    in_transaction(carts.sweep)
    assert len(items_of(Cart.id > 0)) == 3

    with clock.at(clock.now() + carts.KEPT_FOR + timedelta(seconds=1)):
        in_transaction(carts.sweep)
    assert items_of(Cart.person_id.is_(None)) == [] and len(items_of(Cart.person_id == person.id)) == 1
    assert db.session.query(CartItem).count() == 1
