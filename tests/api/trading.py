"""What tests of programs order, and what there is afterwards."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core.db import db
from marketplace.core.idempotency import IdempotencyKey
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Cart, Order
from tests.api.conftest import Program
from tests.orders.conftest import Shop, get

Programs = Callable[..., Program]
RECIPIENT = {
    "name": "郭晓芸",
    "phone": "13835172045",
    "province": "140000",
    "city": "太原 小店区",
    "street": "平阳路 128 号",
}
COUNTED = (Order, Cart, EventRow, IdempotencyKey, Listing)


def body_of(shop: Shop, quantity: int = 2, **changes: Any) -> dict[str, Any]:
    """Apples of 3980 fen each, and ¥6.00 for sending them."""
    lines = [{"sku": shop.apples, "quantity": quantity}]
    return {"lines": lines, "recipient": RECIPIENT, "total_fen": 3980 * quantity + 600} | changes


def rows() -> dict[str, int]:
    db.session.rollback()
    return {kind.__tablename__: db.session.scalar(select(func.count()).select_from(kind)) or 0 for kind in COUNTED}


def paid(shop: Shop, program: Programs) -> str:
    number = str(program().post("/orders", body_of(shop)).get_json()["number"])
    shop.browser()
    program(person=db.session.get(Person, get(number).buyer_id)).post(f"/orders/{number}/payment")
    shop.pay(number)
    shop.work()
    return number
