"""Two at once: never beyond the limit, one statement for a month, one answer to a claim."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders.institutions import billing, checking
from marketplace.orders.institutions.models import AccountStatement, BillCredit
from tests.institutions.conftest import Canteen, build_canteen, differences, next_month
from tests.orders.conftest import build_shop, parcels

AT_ONCE = 4


@pytest.fixture
def canteen(real_app: Flask) -> Iterator[Canteen]:
    shop = build_shop(real_app)
    yield build_canteen(shop, limit_fen=2 * 8560)
    shop.cashier.storage.dispose()


def at_once(canteen: Canteen, act: Callable[[int], object]) -> list[str]:
    """What became of each: done, or the name of the refusal."""
    start = Barrier(AT_ONCE)

    def run(number: int) -> str:
        with canteen.shop.app.app_context():
            start.wait()
            try:
                return "done" if act(number) is not None else "nothing"
            except Refusal as refusal:
                return type(refusal).__name__

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(run, range(AT_ONCE)))


def test_orders_at_once_never_go_beyond_the_limit(canteen: Canteen) -> None:
    """Each buyer has a cart of their own; two orders of 8560 fen fit."""
    buyers = [canteen.another() for _number in range(AT_ONCE)]
    for buyer in buyers:
        db.session.refresh(buyer.payer)
        db.session.expunge(buyer.payer)  # no thread asks the session of another

    outcomes = at_once(canteen, lambda number: buyers[number].order(apples=2))

    assert outcomes == ["BeyondLimit", "BeyondLimit", "done", "done"]
    assert canteen.row.outstanding_fen == 2 * 8560 == canteen.row.limit_fen and differences(canteen) == []


@pytest.mark.full
def test_a_month_is_billed_once_and_a_claim_is_answered_once(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    (line,) = parcel.lines
    check = canteen.check(parcel.public_id, {line.public_id: checking.Claim(1, None, "missing")})
    given: dict[str, Any] = {"check": check, "station": None, "why": "", "actor": "test"}

    answered = at_once(canteen, lambda _number: in_transaction(checking.answer, **given, agrees=True) or "answered")
    billed = at_once(canteen, lambda _number: bill_next_month())

    assert answered == ["StaleState"] * (AT_ONCE - 1) + ["done"] and billed == ["done"] + ["nothing"] * (AT_ONCE - 1)
    assert db.session.scalar(select(func.count()).select_from(AccountStatement)) == 1
    assert db.session.scalar(select(func.count()).select_from(BillCredit)) == 1 and differences(canteen) == []


def bill_next_month() -> str | None:
    with clock.at(next_month()):
        return "billed" if in_transaction(billing.bill_due) else None
