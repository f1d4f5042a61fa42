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
from marketplace.orders.cases import appealing, deciding
from marketplace.orders.cases.models import QualityCount
from marketplace.orders.cases.quality import Quality
from marketplace.orders.cases.rules import Bearer
from marketplace.orders.models import OrderLine
from marketplace.stations.models import Seller
from tests import factories
from tests.orders.casework import appeal, bought, do, open_case, ship
from tests.orders.conftest import JIXIAN, Shop, differences
from tests.orders.refunding import ask, bounce, box


@pytest.fixture(autouse=True)
def cheap_boxes(shop: Shop) -> None:
    listing = factories.make_listing(return_policy="7d_no_reason")
    shop.apples = factories.make_variant(listing, price_fen=1999, stock_on_hand=500).code


def counted(kind: str = "seller") -> tuple[int, int, int, int]:
    duties.count_quality()
    row = db.session.scalars(select(QualityCount).where(QualityCount.owner_kind == kind)).one()
    return row.delivered_lately, row.refunded_lately, row.delivered, row.refunded


def seller() -> str:
    return db.session.scalars(select(OrderLine.seller_public_id).limit(1)).one()


def test_every_refund_of_what_arrived_counts_but_what_others_answer_for(shop: Shop) -> None:
    order = bought(shop, 9)
    ask(order.parcel, 1)
    do(deciding.refund, open_case(order, 2))
    bounce(shop, ask(order.parcel, 3))
    assert counted() == counted("station") == (9, 3, 9, 3)

    for bearer in (Bearer.SELLER, Bearer.PLATFORM, Bearer.STATION):
        case = open_case(order)
        do(deciding.reject, case)
        appeal(case)
        in_transaction(appealing.grant, case=case, bearer=bearer, why="看过", actor="person:9")
    assert (counted(), counted("station")) == ((9, 4, 9, 4), (9, 6, 9, 6))

    refused, lost = box(shop.paid_order(shop.browser(), apples=1)), ship(shop.paid_order(shop.browser(), apples=1))
    in_transaction(fulfilment.refuse, parcel=refused.public_id, station=None, actor="clerk", reason="霜")
    in_transaction(undelivered.lose, parcel=lost.public_id, station=None, actor="clerk", reason="车翻了")
    assert (counted(), counted("station")) == ((9, 4, 9, 4), (9, 6, 9, 6))
    with time_machine.travel(clock.now() + timedelta(days=181), tick=False):
        assert counted() == (0, 0, 9, 4)
    assert differences(shop) == []


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
        assert shop.browser().get(page).text.count("近半年 20 件，退了 2 件。") == times, page
    assert "pages.changed" in [topic for _id, topic, _payload in in_transaction(waiting)]


def waiting(session: Any) -> list[Any]:
    return outbox.take_effects(session, outbox.due(outbox.OutboxRow, outbox.OutboxRow.topic == "pages.changed"), 10)


def test_the_words_say_both_figures_and_no_percentage(shop: Shop) -> None:
    with shop.app.test_request_context(), force_locale("zh_Hans_CN"):
        assert Quality(312, 4, 312, 4).words == "近半年 312 件，退了 4 件。"
        assert Quality(1312, 0, 2050, 9).words == "近半年 1,312 件，退了 0 件。总共 2,050 件，退了 9 件。"
