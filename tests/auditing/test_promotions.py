"""The independent reader of discounts and invoices: silent where all is well, naming what is not."""

from typing import Any

import pytest
from sqlalchemy import text

from marketplace.core.db import db, in_transaction
from marketplace.demo.cashier import pay_at_cashier
from marketplace.orders import paying, refunding
from marketplace.orders.promotions import ending
from tests.auditing.test_giving import named
from tests.orders.conftest import Shop, shop
from tests.orders.promotions.conftest import Counter
from tests.orders.promotions.promoting import line_of, promotion, row_of

__all__ = ["shop"]

OTHER = "(SELECT MAX(id) FROM order_line)"
LINE = "(SELECT MIN(id) FROM order_line)"
FUNDING = "(SELECT id FROM ledger_account WHERE kind = 'promotion_funding')"
GRANT = FUNDING.replace("promotion_funding", "operating_grant")
REFUND = "(SELECT MIN(id) FROM entry WHERE kind = 'refund')"
TAMPERING = (
    ("discounts add up", f"UPDATE order_line SET platform_discount_fen = platform_discount_fen - 1 WHERE id = {LINE}"),
    ("discounts add up", "UPDATE promotion_use SET discount_fen = discount_fen + 1"),
    ("parcels have the discount of their lines", "UPDATE parcel SET discount_fen = discount_fen + 1"),
    (
        "the province bears its part of discounts",
        "UPDATE order_line SET platform_discount_fen = 0, seller_discount_fen = seller_discount_fen + platform_discount_fen",
    ),
    ("the province bears its part of discounts", "UPDATE entry SET key = 'allocate:' || id WHERE kind = 'allocate'"),
    ("discounts follow what became of their orders", "UPDATE promotion_use SET state = 'reserved'"),
    ("budgets count their uses", "UPDATE promotion SET used_fen = used_fen + 1"),
    ("budgets count their uses", "UPDATE promotion SET uses = uses + 1"),
    ("budgets count their uses", "UPDATE promotion_use SET platform_fen = 0"),
    ("nobody uses a promotion more often than they may", "UPDATE \"order\" SET phone_fingerprint = 'one'"),
    ("promotions of the province have four eyes", "UPDATE promotion SET approved_by = NULL"),
    ("promotions are funded", "UPDATE entry SET key = 'other:' || id WHERE kind = 'promotion_in'"),
    ("promotions are funded", "UPDATE promotion SET budget_fen = budget_fen + 100"),
    ("promotions are funded", "UPDATE promotion SET state = 'live' WHERE state = 'ended'"),
    (
        "refunds give the province back its part",
        f"UPDATE line SET amount = amount - 1 WHERE account_id = {GRANT} AND entry_id = {REFUND}",
    ),
    (
        "the account of promotions holds what runs and what waits",
        f"UPDATE line SET amount = amount - 1 WHERE account_id = {FUNDING} AND entry_id = "
        "(SELECT MIN(id) FROM entry WHERE kind = 'allocate')",
    ),
    (
        "no more of a discount goes back than there was",
        "UPDATE refund_line SET platform_discount_fen = platform_discount_fen + 100000, goods_fen = goods_fen + 100000",
    ),
    ("states have traces", "UPDATE promotion SET state = 'draft'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'promotion_use:%'"),
)


def pay_at_once(shop: Shop, number: str) -> None:
    attempt = in_transaction(paying.open_attempt, number=number)
    assert attempt
    pay_at_cashier(shop.cashier, attempt, return_url=f"/orders/{number}", description=number)


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(shop: Shop) -> None:
    """Two promotions of which one has ended, orders with them paid and given up, one of them refunded in part."""
    counter = Counter(shop.apples, shop.millet)
    promotion(platform_bps=5000)
    over = promotion(code="GUOQI", amount_fen=300)
    paid = counter.order(code="XINQIU", apples=3)
    pay_at_once(shop, paid)
    other = counter.order(code="XINQIU", apples=1, millet=1, phone="13935172046")
    pay_at_once(shop, other)
    third = counter.order(code="GUOQI", apples=2)
    pay_at_once(shop, third)
    paying.cancel(counter.order(code="GUOQI", apples=1, phone="13935172047"), actor="buyer")
    shop.work()
    in_transaction(ending.stop, promotion=over, seller=None, person_id=row_of(over).made_by)
    line = line_of(paid)
    given: dict[str, Any] = {"parcel": line.parcel.public_id, "units": {line.public_id: 1}, "with_shipping": True}
    in_transaction(refunding.refund_units, **given, station=None, reason="坏了", actor="clerk")
    shop.work()
    db.session.remove()

    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []


@pytest.mark.full
def test_the_database_itself_refuses_what_does_not_add_up(shop: Shop) -> None:
    Counter(shop.apples, shop.millet).order(apples=1)
    for wrong in ("discount_fen = 1", "total_fen = 0, discount_fen = goods_fen + shipping_fen"):
        with pytest.raises(Exception, match=r"(?i)check"), db.engine.begin() as connection:
            connection.execute(text(f'UPDATE "order" SET {wrong}'))
