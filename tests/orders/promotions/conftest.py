"""A small shop on the database that is rolled back: apples at ¥19.99, millet of another station and seller at ¥58.00."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from listings import offers
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import carts, placing, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.placing import Recipient
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.quoting import Quote, quote
from tests import factories
from tests.orders.conftest import JIXIAN, QINXIAN

WHO = Recipient("郭晓芸", "13835172045", "140000", "太原 小店区", "平阳路 128 号")


@dataclass
class Counter:
    """Places orders by the commands themselves."""

    apples: str
    millet: str
    placed: int = 0
    sack: str = ""  # a test's own goods
    others: str = ""

    def quoted(self, *, code: str = "", person_id: int | None = None, **goods: int) -> Quote:
        owner = CartOwner(None, f"counter-{self.placed}-{sorted(goods.items())}")
        session = db.session()
        in_transaction(self.fill, owner=owner, goods=goods)
        return reckon(session, owner, code=code, buyer=Buyer(person_id, WHO.phone))

    def fill(self, session: Session, *, owner: CartOwner, goods: dict[str, int]) -> None:
        for name, packs in goods.items():
            carts.put(session, owner=owner, variant=getattr(self, name), quantity=packs)
        session.flush()

    def order(self, *, code: str = "", phone: str = WHO.phone, shown: int | None = None, **goods: int) -> str:
        self.placed += 1
        owner = CartOwner(None, f"counter-{self.placed}")
        return in_transaction(self.place, owner=owner, code=code, phone=phone, shown=shown, goods=goods)

    def place(self, session: Session, *, owner: CartOwner, code: str, phone: str, shown: int | None, goods: Any) -> str:
        self.fill(session, owner=owner, goods=goods)
        if shown is None:
            shown = reckon(session, owner, code=code, buyer=Buyer(None, phone)).total_fen
        who = Recipient(WHO.name, phone, WHO.province, WHO.city, WHO.street)
        given: dict[str, Any] = {"recipient": who, "pickup": (), "shown_total_fen": shown, "language": "zh_CN"}
        return placing.place(session, owner=owner, coupon=code, **given)


def reckon(session: Session, owner: CartOwner, *, code: str, buyer: Buyer) -> Quote:
    contents = carts.contents(session, owner)
    found = offers.find(session, [variant for variant, _quantity, _seen in contents])
    plain = quote(contents, found, tariff=shipping.tariff(session, WHO.province, clock.today()))
    return choosing.reduced(session, plain, code=code, buyer=buyer)


@pytest.fixture
def counter(app: Flask) -> Counter:
    return build()


def build() -> Counter:
    factories.make_station(JIXIAN)
    factories.make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_category()
    factories.make_category(code="grain", name_zh="粮", name_en="Grain")
    factories.make_category(code="grain-millet", parent_code="grain", name_zh="小米", name_en="Millet")
    factories.make_shipping()
    apples = factories.make_variant(factories.make_listing(), price_fen=1999)
    sack = factories.make_listing(title_zh="沁州黄小米", station_code=QINXIAN, category_code="grain-millet")
    return Counter(apples.code, factories.make_variant(sack, price_fen=5800).code)
