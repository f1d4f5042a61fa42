"""Taking goods in at the desk: one press where all came, three where not; and what the grower has said beforehand."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from listings import stock
from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from marketplace.orders.receiving.models import Arrival, Substitute
from tests.factories import make_person, sign_in_as, signed_in
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, hidden, post
from tests.orders.refunding import clerk_of
from tests.receiving.conftest import accepted, delivery, packs
from tests.receiving.test_substitutes import other_pack

LIST = "/station/receiving"


def arrivals() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Arrival)) or 0


def address() -> str:
    return f"{LIST}/{delivery().seller}"


def entered(clerk: FlaskClient, **typed: str) -> dict[str, str]:
    """The form as a browser sends it, with what is typed for the one pack."""
    page = clerk.get(address())
    code = delivery().packs[0].code
    carried = {name: hidden(page, name) for name in ("seen", "unit", "idempotency_key")}
    usual = {"came": "2", "damaged": "0", "weight": "", "rest": "later"} | typed
    return {**carried, "action": "check", **{f"{name}-{code}": value for name, value in usual.items()}}


def test_all_came_is_one_press_and_a_second_one_changes_nothing(shop: Shop) -> None:
    clerk, number = clerk_of(shop), accepted(shop, apples=2)
    page = clerk.get(LIST)
    assert "冯建国家" in page.text and "全到了" in page.text and "到齐了，每户点一下" in clerk.get("/station").text
    data = {"action": "all", "seen": hidden(page, "seen"), "idempotency_key": hidden(page, "idempotency_key")}
    there = f"{address()}/arrivals"

    for _press in range(2):
        assert post(clerk, there, data).headers["Location"] == LIST

    assert arrivals() == 1 and packs(number) == [(2, 0, 0)]
    after = clerk.get(LIST).text
    assert "现在没有谁要送货来" in after and "今天到的" in after and "× 2" in after


def test_what_it_means_is_shown_then_it_is_done(shop: Shop) -> None:
    clerk, first, second = clerk_of(shop), accepted(shop, apples=2), accepted(shop, apples=2)
    there = f"{address()}/arrivals"

    check = post(clerk, there, entered(clerk, came="4", damaged="1", rest="refund"))

    assert check.status_code == 200 and arrivals() == 0
    assert "先付钱的先有货" in check.text and "2 件得 1 件" in check.text and f"{second}-1" in check.text
    assert f"{first}-1" not in check.text and "收下，退款 ¥42.80" in check.text
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', check.text))
    assert post(clerk, there, carried | {"action": "change"}).status_code == 200
    for _press in range(2):
        assert post(clerk, there, carried | {"action": "send"}).status_code == 303
    assert arrivals() == 1 and packs(second) == [(1, 1, 1)] and packs(first) == [(2, 0, 0)]
    assert "坏 1 件" in clerk.get(LIST).text


@pytest.mark.full
def test_what_is_wrong_is_said_by_the_field_and_stays_there(shop: Shop) -> None:
    clerk = clerk_of(shop)
    accepted(shop, apples=2)
    there = f"{address()}/arrivals"
    for typed, said in (
        ({"came": "x"}, "填整数"),
        ({"came": "-1"}, "0 到 100000"),
        ({"came": ""}, "填个数"),
        ({"damaged": "3"}, "坏的不会比到的多"),
        ({"weight": "九斤"}, "重量填数字"),
        ({"weight": "1"}, "不到一半"),
        ({"weight": "0"}, "重量填数字"),
        ({"rest": "gone"}, "请在这几个里选一个"),
        ({"came": "0"}, "填到了多少"),
    ):
        answer = post(clerk, there, entered(clerk, **typed))
        assert answer.status_code == 422 and said in answer.text, (typed, answer.text)
        (value,) = typed.values()
        assert f'value="{value}"' in answer.text or value == "gone"
    old = entered(clerk)
    accepted(shop, apples=1)
    answer = post(clerk, there, old)
    assert answer.status_code == 409 and "刚才变了" in answer.text
    assert arrivals() == 0


@pytest.mark.full
def test_only_the_station_it_is_brought_to_takes_it_in(shop: Shop) -> None:
    clerk, other, seller, stranger = clerk_of(shop), clerk_of(shop, QINXIAN), shop.browser(), shop.browser()
    signed_in(seller, "seller")
    accepted(shop, apples=2)
    data = entered(clerk) | {"action": "send"}

    assert stranger.get(LIST).status_code == 302
    assert seller.get(LIST).status_code == post(seller, f"{address()}/arrivals", data).status_code == 403
    assert other.get(address()).status_code == post(other, f"{address()}/arrivals", data).status_code == 404
    assert "冯建国家" not in other.get(LIST).text and arrivals() == 0


@pytest.mark.full
def test_a_grower_says_it_beforehand_and_the_station_decides(shop: Shop) -> None:
    clerk, seller = clerk_of(shop), shop.browser()
    number = accepted(shop, apples=3)
    whose = db.session.scalars(select(Person).where(Person.public_id == delivery().seller)).one()
    sign_in_as(seller, whose)
    code = delivery().packs[0].code
    page = seller.get("/seller/shortages")
    assert "要 3 件" in page.text

    shown = {"unit": "jin", "seen": hidden(page, "seen")}
    wrong = post(seller, "/seller/shortages", shown | {f"packs-{code}": "x", f"weight-{code}": "y"})
    assert wrong.status_code == 422 and 'value="x"' in wrong.text and 'value="y"' in wrong.text
    more = post(seller, "/seller/shortages", shown | {f"packs-{code}": "4"})
    assert more.status_code == 422 and 'value="4"' in more.text and "0 到 3" in more.text
    said = shown | {f"packs-{code}": "2", f"weight-{code}": "9.5"}
    assert post(seller, "/seller/shortages", said).status_code == 303

    assert 'value="2"' in seller.get("/seller/shortages").text and packs(number) == [(0, 0, 0)]
    assert "农户说货不全" in clerk.get(LIST).text
    page = clerk.get(address())
    assert "农户说：能送 2 件" in page.text and 'value="9.5"' in page.text and hidden(page, "unit") == "jin"
    check = post(clerk, f"{address()}/arrivals", entered(clerk, came="2", weight="9.5", rest="refund"))
    assert "一共 9.5斤" in check.text


def test_all_that_was_ordered_when_the_page_was_opened_is_not_less_than_what_is_ordered_now(shop: Shop) -> None:
    """A grower who says "all three" has not said that the two of the next order will not come."""
    seller = shop.browser()
    accepted(shop, apples=3)
    sign_in_as(seller, db.session.scalars(select(Person).where(Person.public_id == delivery().seller)).one())
    code = delivery().packs[0].code
    page = seller.get("/seller/shortages")
    said = {"unit": "jin", "seen": hidden(page, "seen"), f"packs-{code}": "3", f"weight-{code}": "14"}
    accepted(shop, apples=2)

    late = post(seller, "/seller/shortages", said)

    assert late.status_code == 409 and "你要送的货刚才变了" in late.text and "要 5 件" in late.text
    assert 'value="3"' in late.text and 'value="14"' in late.text
    assert "农户说货不全" not in clerk_of(shop).get(LIST).text
    again = post(
        seller, "/seller/shortages", said | {"seen": hidden(late, "seen"), f"packs-{code}": "5", f"weight-{code}": ""}
    )
    assert again.status_code == 303 and "农户说货不全" not in clerk_of(shop).get(LIST).text


def test_a_word_of_yesterday_says_nothing_of_what_was_ordered_since(shop: Shop) -> None:
    """Two of three, and then five more: seven are likely to come, and one press gives back one, not six."""
    seller, clerk = shop.browser(), clerk_of(shop)
    accepted(shop, apples=3)
    sign_in_as(seller, db.session.scalars(select(Person).where(Person.public_id == delivery().seller)).one())
    code = delivery().packs[0].code
    shown = {"unit": "jin", "seen": hidden(seller.get("/seller/shortages"), "seen")}
    assert post(seller, "/seller/shortages", shown | {f"packs-{code}": "2"}).status_code == 303
    assert field(clerk.get(address()), f"came-{code}") == "2"

    accepted(shop, apples=5)

    assert field(clerk.get(address()), f"came-{code}") == "7"
    assert field(seller.get("/seller/shortages"), f"packs-{code}") == "7"


def field(page: TestResponse, name: str) -> str:
    """What stands in a field."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page.text)
    return found[1] if found else ""


@pytest.mark.full
def test_nobody_foretells_for_another(shop: Shop) -> None:
    accepted(shop, apples=3)
    other, code = shop.browser(), delivery().packs[0].code
    sign_in_as(other, make_person("seller", station=JIXIAN))
    assert "现在没有要送的货" in other.get("/seller/shortages").text

    post(other, "/seller/shortages", {"unit": "jin", f"packs-{code}": "0"})

    assert "农户说货不全" not in clerk_of(shop).get(LIST).text
    clerk = clerk_of(shop)
    assert clerk.get("/seller/shortages").status_code == 403


@pytest.mark.full
def test_something_else_is_offered_from_the_form(shop: Shop) -> None:
    clerk, number = clerk_of(shop), accepted(shop, apples=2)
    there, code = f"{address()}/arrivals", delivery().packs[0].code
    assert "换别的" not in clerk.get(address()).text
    instead = other_pack(shop)
    data = entered(clerk, came="1", rest="substitute")
    assert "换别的" in clerk.get(address()).text
    nothing = post(clerk, there, data)
    assert nothing.status_code == 422 and "选一样换给买家的货" in nothing.text

    check = post(clerk, there, data | {f"instead-{code}": instead})

    assert "1 件问换货" in check.text and "换成：吉县红富士苹果 4斤箱" in check.text
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', check.text))
    assert post(clerk, there, carried | {"action": "send"}).status_code == 303
    assert packs(number) == [(1, 0, 0)] and db.session.scalars(select(Substitute)).one().packs == 1
    unknown = post(clerk, there, data | {f"instead-{code}": "P9999-1"})
    assert unknown.status_code == 303


@pytest.mark.full
def test_what_was_not_shown_is_not_done(shop: Shop) -> None:
    """The other pack is sold between the look and the press: more would go back than the page said."""
    clerk, number = clerk_of(shop), accepted(shop, apples=2)
    there, code = f"{address()}/arrivals", delivery().packs[0].code
    instead = other_pack(shop, stock_on_hand=2)
    check = post(clerk, there, entered(clerk, came="0", rest="substitute") | {f"instead-{code}": instead})
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', check.text))
    in_transaction(stock.reserve, {instead: 1}, reference="another buyer")

    answer = post(clerk, there, carried | {"action": "send"})

    assert answer.status_code == 409 and "刚才变了" in answer.text
    assert arrivals() == 0 and packs(number) == [(0, 0, 0)]
    assert post(clerk, there, entered(clerk) | {"action": "send"}).status_code == 409
