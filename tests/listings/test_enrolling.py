"""A station lets somebody sell whom it has seen: once, told to them, and by nobody for themselves."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from listings import enrolling
from marketplace.accounts import people
from marketplace.accounts.models import Grant, Person
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from marketplace.stations.models import Seller
from tests import factories
from tests.listings.selling import House, build, fresh
from tests.listings.test_offering import QINXIAN, post

PHONE = "13935801177"
ASKED: dict[str, Any] = {
    "person": "王秀英",
    "phone": "139 3580 1177",
    "kind": "household",
    "name": "王秀英家果园",
    "village": "次村乡次村",
    "story": "",
    "has_seen": "y",
    "idempotency_key": "once",
}


@pytest.fixture
def house(app: Flask) -> House:
    return build(app)


def test_a_stranger_sells_from_the_station_on_and_is_told(house: House) -> None:
    assert "/station/sellers/new" in house.colleague.get("/station/sellers").text
    for _each in range(2):  # a phone that sends twice
        assert post(house.colleague, "/station/sellers", ASKED).headers["Location"] == "/station/sellers"

    found = people.find(db.session(), PHONE)
    assert found is not None and found.name == "王秀英"
    (row,) = fresh(Seller, person_id=found.id)
    assert (row.station_code, row.kind, row.name_zh, row.name_en) == (QINXIAN, "household", "王秀英家果园", "王秀英家果园")
    assert [(each.role, each.scope_kind) for each in fresh(Grant, person_id=found.id)] == [("seller", "own")]
    (told,) = fresh(Message, person_id=found.id)
    assert told.text.startswith("沁县站给你开好店了。") and told.text.endswith("/seller")
    actions = [each.action for each in fresh(AuditRecord, subject=f"person:{found.public_id}")]
    assert actions == ["account.opened", "role.granted", "seller.enrolled"]

    browser = house.browser()
    factories.sign_in_as(browser, found)
    assert "王秀英家果园" in browser.get("/seller").text
    begun = post(browser, "/seller/listings", {"category": "grain-millet", "idempotency_key": "first"})
    assert begun.status_code == 303
    assert "王秀英家果园" in house.clerk.get("/station/sellers").text


def test_an_account_of_before_keeps_its_name(house: House) -> None:
    before = in_transaction(people.register, address=PHONE, name="秀英").id
    assert post(house.colleague, "/station/sellers", ASKED).status_code == 303
    assert fresh(Person, id=before)[0].name == "秀英"


def test_nobody_sells_at_two_stations_or_vouches_for_themselves_or_without_a_card_seen(house: House) -> None:
    assert post(house.colleague, "/station/sellers", ASKED).status_code == 303
    head = db.session.scalars(select(Grant.person_id).where(Grant.role == "station_manager")).one()
    own = db.session.get_one(Person, head)
    in_transaction(lambda session: people.set_address(session, session.get_one(Person, own.id), "13935801188"))

    before = [len(fresh(kind)) for kind in (Person, Seller, Grant, Message, AuditRecord)]
    for change, status, words in (
        ({}, 409, "已经在这里或别的站卖货了"),
        ({"phone": "13935801188"}, 403, "自己不能给自己担保"),
        ({"phone": "1393580118"}, 422, "手机号是 11 位数字"),
        ({"has_seen": ""}, 422, "先看过证件"),
        ({"kind": "bank"}, 422, "王秀英家果园"),
    ):
        answer = post(house.colleague, "/station/sellers", ASKED | change | {"idempotency_key": f"key {status} {change}"})
        assert answer.status_code == status and words in answer.text
    assert post(house.clerk, "/station/sellers", ASKED).status_code == 403  # a clerk does not vouch
    assert [len(fresh(kind)) for kind in (Person, Seller, Grant, Message, AuditRecord)] == before
    assert "/station/sellers/new" not in house.clerk.get("/station/sellers").text


def test_a_closed_account_stays_closed(house: House) -> None:
    def close(session: Any) -> None:
        people.register(session, address=PHONE).is_active = False

    in_transaction(close)
    given = {"person": "王秀英", "phone": PHONE, "kind": "household", "name": "果园", "village": "次村"}
    with pytest.raises(enrolling.ClosedAccount):
        in_transaction(enrolling.enrol, station=QINXIAN, by=house.clerk_person.id, **given)
    assert fresh(Seller, name_zh="果园") == []
