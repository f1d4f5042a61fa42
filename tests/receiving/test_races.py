"""Two clerks at once: a delivery is taken in once, a day is closed once, an offer is answered once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import fulfilment
from marketplace.orders.closing import ending
from marketplace.orders.receiving import arriving, substituting
from marketplace.orders.receiving.models import Rest
from marketplace.orders.receiving.planning import Count
from tests.orders.conftest import JIXIAN, Shop, differences
from tests.orders.refunding import box
from tests.receiving.conftest import accepted, bring, delivery, packs
from tests.receiving.test_substitutes import other_pack, substitute

pytestmark = pytest.mark.full
CLERKS = 4


def at_once(shop: Shop, act: Callable[[int], object]) -> list[str]:
    """How each of them fared."""
    start = Barrier(CLERKS)

    def one(number: int) -> str:
        with shop.app.app_context():
            start.wait()
            try:
                act(number)
            except Refusal as refusal:
                return type(refusal).__name__
            finally:
                db.session.remove()
            return "done"

    db.session.remove()
    with ThreadPoolExecutor(CLERKS) as pool:
        return sorted(pool.map(one, range(CLERKS)))


def test_a_delivery_is_taken_in_once(shop: Shop) -> None:
    first, second = accepted(shop, apples=2), accepted(shop, apples=2)
    found = delivery()
    told: dict[str, Any] = {"station": JIXIAN, "seller": found.seller, "seen": found.mark}
    counts = {found.packs[0].code: Count(3, rest=Rest.REFUND)}

    fared = at_once(shop, lambda who: in_transaction(arriving.receive, counts=counts, actor=f"clerk {who}", **told))

    assert fared.count("done") == 1 and set(fared) <= {"done", "NotFound", "OwedOtherwise"}
    assert (packs(first), packs(second)) == ([(2, 0, 0)], [(1, 1, 1)])
    shop.work()
    assert differences(shop) == []


def test_a_refusal_and_an_arrival_of_the_same_parcel(shop: Shop) -> None:
    number = accepted(shop, apples=2)
    found, parcel = delivery(), box(number).public_id
    told: dict[str, Any] = {"station": JIXIAN, "seller": found.seller, "seen": found.mark, "counts": None}

    def act(who: int) -> None:
        if who % 2:
            in_transaction(fulfilment.refuse, parcel=parcel, station=JIXIAN, actor="clerk", reason="霜打了")
        else:
            in_transaction(arriving.receive, actor="clerk", **told)

    at_once(shop, act)
    shop.work()
    assert differences(shop) == []


def test_an_offer_is_answered_once(shop: Shop) -> None:
    number = accepted(shop, apples=2)
    bring(shop, came=1, rest=Rest.SUBSTITUTE, instead=other_pack(shop))
    told = {"number": number, "substitute": substitute().public_id, "actor": "buyer"}

    fared = at_once(shop, lambda who: in_transaction((substituting.accept, substituting.decline)[who % 2], **told))

    assert fared == ["TooLateToAnswer"] * (CLERKS - 1) + ["done"]
    shop.work()
    assert differences(shop) == []


def test_a_day_is_closed_once(shop: Shop) -> None:
    accepted(shop, apples=2)
    fared = at_once(shop, lambda who: in_transaction(ending.close, station=JIXIAN, book="test", actor=f"{who}"))
    assert fared == ["AlreadyClosed"] * (CLERKS - 1) + ["done"]
    assert differences(shop) == []
