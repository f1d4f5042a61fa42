"""The last money of a budget, the last use, one use for each buyer: of many at once one gets it. Also at COMMIT."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from marketplace.core.db import in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders.carts import CartOwner
from marketplace.orders.promotions.choosing import CouponRefused
from tests.orders.promotions.conftest import build
from tests.orders.promotions.promoting import promotion, row_of

BUYERS = 5


@pytest.mark.full
@pytest.mark.parametrize(
    ("terms", "is_one_buyer"), [({"budget_fen": 1999}, False), ({"uses_most": 1}, False), ({"uses_each": 1}, True)]
)
def test_of_many_at_once_one_gets_it(real_app: Flask, terms: dict[str, Any], is_one_buyer: bool) -> None:
    counter = build()
    made = promotion(**terms)
    start = Barrier(BUYERS)

    def buy(number: int) -> str:
        with real_app.app_context():
            start.wait()
            phone = "13835172045" if is_one_buyer else f"1383517200{number}"
            try:
                in_transaction(
                    counter.place,
                    owner=CartOwner(None, f"race-{number}"),
                    code="XINQIU",
                    phone=phone,
                    shown=3 * 1999,  # shipping of ¥10.00, and as much off
                    goods={"apples": 3},
                )
            except CouponRefused:
                return "refused"
            except Refusal as other:
                return repr(other)
            return "had it"

    with ThreadPoolExecutor(BUYERS) as pool:
        outcomes = sorted(pool.map(buy, range(BUYERS)))

    assert outcomes == ["had it"] + ["refused"] * (BUYERS - 1)
    assert (row_of(made).used_fen, row_of(made).uses) == (1000, 1)
