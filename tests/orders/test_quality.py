"""How often goods come back: counted from what arrived, said in whole words, never of a handful."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask_babel import force_locale
from sqlalchemy import select

from marketplace import duties
from marketplace.accounts.models import Person
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment, undelivered
from marketplace.orders.cases import appealing, deciding, exchanging, quality, returning
from marketplace.orders.cases.blame import Cause
from marketplace.orders.cases.models import QualityCount
from marketplace.orders.cases.quality import Quality
from marketplace.orders.cases.rules import Bearer, Condition, Wish
from marketplace.orders.models import OrderLine
from marketplace.stations.models import Seller
from tests import factories
from tests.orders.casework import appeal, bought, do, open_case, ship
from tests.orders.conftest import JIXIAN, Shop, differences
from tests.orders.refunding import ask, bounce, box
from tests.statements import gathered


@pytest.fixture(autouse=True)
def cheap_boxes(shop: Shop) -> None:
    listing = factories.make_listing(return_policy="7d_no_reason")
    shop.apples = factories.make_variant(listing, price_fen=1999, stock_on_hand=500).code


def counted(kind: str = "seller") -> tuple[dict[str, int], tuple[int, int]]:
    """What fell on whom in the last half year, beside `sold`; and what was sold and refunded ever."""
    duties.count_quality()
    row = db.session.scalars(select(QualityCount).where(QualityCount.owner_kind == kind)).one()
    causes = {column.key: getattr(row, column.key) for column in quality.CAUSES.values()}
    assert sum(causes.values()) == row.refunded_lately
    return {"sold": row.sold_lately} | {cause: packs for cause, packs in causes.items() if packs}, (row.sold, row.refunded)


def seller() -> str:
    return db.session.scalars(select(OrderLine.seller_public_id).limit(1)).one()


def test_every_refund_counts_and_says_on_whom_it_fell(shop: Shop) -> None:
    order = bought(shop, 9)
    ask(order.parcel, 1)
    do(deciding.refund, open_case(order, 2))
    bounce(shop, ask(order.parcel, 3))
    assert counted() == counted("station") == ({"sold": 9, "on_seller": 3}, (9, 3))

    for bearer in (Bearer.SELLER, Bearer.PLATFORM, Bearer.STATION):
        case = open_case(order)
        do(deciding.reject, case)
        appeal(case)
        in_transaction(appealing.grant, case=case, bearer=bearer, why="看过", actor="person:9")
    laid = {"on_seller": 4, "on_station": 1, "on_province": 1}
    assert counted() == counted("station") == ({"sold": 9, **laid}, (9, 6))

    refused, lost = box(shop.paid_order(shop.browser(), apples=2)), ship(shop.paid_order(shop.browser(), apples=1))
    in_transaction(fulfilment.refuse, parcel=refused.public_id, station=None, actor="clerk", reason="霜")
    in_transaction(undelivered.lose, parcel=lost.public_id, station=None, actor="clerk", reason="车翻了")
    everything = {"sold": 12, **laid, "on_station": 2, "not_sent": 2}
    assert counted() == counted("station") == (everything, (12, 9))
    shop.paid_order(shop.browser(), apples=1)  # on its way: neither sold nor refunded yet
    assert counted() == (everything, (12, 9))
    with time_machine.travel(clock.now() + timedelta(days=181), tick=False):
        assert counted() == ({"sold": 0}, (12, 9))
    assert differences(shop) == []


def test_what_is_called_off_and_what_is_replaced_count_once(shop: Shop) -> None:
    called_off = shop.paid_order(shop.browser(), apples=1)
    in_transaction(undelivered.cancel_paid, number=called_off, actor="guest")
    order = bought(shop, 4)
    case = open_case(order, 2, wish=Wish.EXCHANGE)
    do(deciding.approve, case)
    do(returning.witness, case, quantity=2, condition=Condition.BAD)
    number = do(exchanging.exchange, case)
    assert counted() == counted("station") == ({"sold": 5, "called_off": 1, "replaced": 2}, (5, 3))

    in_transaction(undelivered.lose, parcel=ship(number).public_id, station=None, actor="clerk", reason="车翻了")
    while outbox.deliver():
        pass
    assert counted() == counted("station") == ({"sold": 5, "called_off": 1, "on_station": 2}, (5, 3))
    assert differences(shop) == []


def test_it_is_one_statement_for_each_kind_of_owner_and_one_for_a_page(shop: Shop) -> None:
    ask(bought(shop, 20).parcel, 1)
    with gathered() as statements:
        quality.counted(db.session())
    assert len(statements) == 2
    duties.count_quality()
    with gathered() as statements:
        found = quality.of_owner(db.session(), "seller", seller())
    assert found is not None and (found.sold, found.refunded) == (20, 1) and len(statements) == 2  # and the line's seller


@pytest.mark.full
def test_it_stands_beside_the_goods_and_at_the_station_once_it_says_something(shop: Shop) -> None:
    order = bought(shop, 19)
    person, code = seller(), shop.apples.partition("-")[0]
    row = db.session.scalars(select(Person).where(Person.public_id == person)).one()
    words: dict[str, Any] = {"name_zh": "冯建国家", "name_en": "Feng", "village_zh": "川庄", "story_zh": "", "story_en": ""}
    factories.make(Seller, {"person_id": row.id, "station_code": JIXIAN, "kind": "household", "since": 2019} | words, {})
    counted()
    pages = [f"/listings/{code}", f"/stations/{JIXIAN}"]
    assert not any("近半年" in shop.browser().get(page).text for page in pages)

    bought(shop, 1)
    ask(order.parcel, 2)
    counted()
    for page, times in zip(pages, (1, 2), strict=True):
        assert shop.browser().get(page).text.count("近半年卖出 20 件，退换 2 件：种养户承担 2 件。") == times, page
    assert "pages.changed" in [topic for _id, topic, _payload in in_transaction(waiting)]


def waiting(session: Any) -> list[Any]:
    return outbox.take_effects(session, outbox.due(outbox.OutboxRow, outbox.OutboxRow.topic == "pages.changed"), 10)


def test_the_words_say_both_figures_who_bore_what_and_no_percentage(shop: Shop) -> None:
    none = dict.fromkeys(Cause, 0)
    with shop.app.test_request_context(), force_locale("zh_Hans_CN"):
        assert Quality(1312, 0, 2050, 9, none).words == "近半年卖出 1,312 件，没有退换。总共 2,050 件，退换 9 件。"
        every = {cause: number for number, cause in enumerate(Cause, start=1)}
        assert Quality(312, 36, 312, 36, every).words == (
            "近半年卖出 312 件，退换 36 件：种养户承担 1 件，站点承担 2 件，省里承担 3 件，没能送来或发出 4 件，"
            "发货前取消或没人取 5 件，换货 6 件，重量不足退差价 7 件，坏了一部分、赔了一部分 8 件。"
        )
