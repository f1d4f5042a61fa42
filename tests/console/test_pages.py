"""Whoever works for the province comes in and finds things; a page costs the same however much there is; nobody is named."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import g
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.accounts import desks
from marketplace.core.encryption import fingerprint
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests import factories
from tests.console.conftest import HOURS, JIXIAN, NOON, PHONE, QINXIAN, a_parcel, an_order, heard, sold
from tests.factories import signed_in

Gathered = Callable[[], AbstractContextManager[list[str]]]
PAGES = ("", "/work", "/orders", "/parcels", "/gifts", "/goods-in-review", "/search?q=SX-1")


@pytest.mark.parametrize("role", ["seller", "station_manager", "charity_approver", "bank_officer"])
def test_nobody_else_comes_in(province: Session, client: FlaskClient, role: str) -> None:
    assert client.get("/operator").status_code == 302
    signed_in(client, role)
    assert {client.get(f"/operator{page}").status_code for page in PAGES} == {403}


@pytest.mark.parametrize("role", ["operator", "finance_operator", "auditor"])
def test_the_province_comes_in(province: Session, client: FlaskClient, role: str) -> None:
    signed_in(client, role)
    for path in PAGES:
        page = client.get(f"/operator{path}")
        assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store"), path
        english = client.get(f"/operator{path}{'&' if '?' in path else '?'}lang=en", follow_redirects=True).text
        assert re.search("Desk of the province", english)
        client.get("/operator?lang=zh")


def test_nothing_yet_is_said_in_words(province: Session, client: FlaskClient) -> None:
    signed_in(client, "operator")
    page = client.get("/operator").text
    for words in ("10月18日 周日", "没有要你处理的了。", "没有到点的", "昨天此时 0", "其余"):
        assert (words in page) == (words != "其余"), words  # two stations are not more than the table shows
    assert 'href="/operator/work"' not in page
    assert "这段时间没有订单。" in client.get("/operator/orders").text
    assert "一件也没有。" in client.get("/operator/parcels?which=late").text


def test_the_page_costs_the_same_however_much_there_is(
    province: Session, client: FlaskClient, count_statements: Gathered
) -> None:
    signed_in(client, "operator", "finance_operator")
    client.get("/operator")

    def costs() -> list[int]:
        found = []
        for path in PAGES:
            with count_statements() as sent:
                assert client.get(f"/operator{path}").status_code == 200
            found.append(len(sent))
        return found

    few = costs()
    factories.make_station("140927", county_zh="神池县", name_zh="神池站", name_en="Shenchi Station")
    for number in range(20):
        station = (JIXIAN, QINXIAN, "140927")[number % 3]
        sold(province, NOON - (number * 4 + 1) * HOURS, HOURS if number % 2 else None, station)
    heard(province, QINXIAN, NOON - HOURS)
    assert costs() == few and few[0] <= 24, few


def test_the_table_begins_with_the_worst(province: Session, client: FlaskClient) -> None:
    sold(province, NOON - 30 * HOURS, HOURS, JIXIAN)
    sold(province, NOON - 30 * HOURS, HOURS, QINXIAN)
    sold(province, NOON - 29 * HOURS, None, QINXIAN)
    heard(province, QINXIAN, NOON - 12 * timedelta(minutes=1))
    signed_in(client, "operator")
    table = re.findall(r'<th scope="row">.*?</tr>', client.get("/operator").text, re.DOTALL)
    texts = [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in table]
    assert texts == ["沁 沁县站 0 0 50.0% 12 分钟前", "吉 吉县站 0 0 100.0% 从没"]
    assert "近 12 天每天发出：0，0，0，0，0，0，0，0，0，0，1，0" in table[0]


def test_the_map_tells_the_same_as_the_list(province: Session, client: FlaskClient) -> None:
    sold(province, NOON - 60 * HOURS, None, QINXIAN)
    sold(province, NOON - 2 * HOURS, HOURS, JIXIAN)
    signed_in(client, "operator")
    page = client.get("/operator").text
    assert 'aria-label="沁县站：1 件超 48 小时"' in page and 'aria-label="吉县站，在发货"' in page
    for words in ("在发货 1", "没发货 0", "要处理 1"):
        assert words in page
    assert re.search(r'沁县站</a> <span class="note">发了 0 件，1 件超 48 小时', page)
    assert "style=" not in page


def test_an_order_is_found_by_whatever_an_operator_was_told(province: Session, client: FlaskClient) -> None:
    mine, other = an_order(province, NOON - HOURS), an_order(province, NOON - 2 * HOURS, phone="13900009999")
    a_parcel(province, mine, number=1)
    old = an_order(province, NOON - timedelta(days=31))
    paid = {"purpose": "order", "reference": mine.number, "fen": 3980, "currency": "CNY", "gateway": "sandbox"}
    province.add(Attempt(**paid, book="test", state=AttemptState.SUCCEEDED, remote_id="cs_1"))
    province.commit()
    signed_in(client, "operator")

    def found(typed: str) -> list[str]:
        return re.findall(r">(SX-[A-Z0-9]+)</a>", client.get("/operator/search", query_string={"q": typed}).text)

    assert found(mine.number) == found(mine.number.lower()) == found(f" {mine.number}-1 ") == [mine.number]
    assert found("2045") == found("５１７２０４５") == [mine.number] and found("9999") == [other.number]
    assert found(PHONE) == found("+86 138-3517-2045") == [mine.number, old.number]
    assert fingerprint(PHONE, "order.phone") == old.phone_fingerprint
    for typed, way in (("沁县", "/operator/parcels?which=open&amp;station=140430"), ("jixian", f"station={JIXIAN}")):
        assert way in client.get("/operator/search", query_string={"q": typed}).text
    assert "/operator/payments/" in client.get("/operator/search?q=cs_1").text
    for nothing in ("SX-NOSUCH", "0000", "%", "_", "郭晓芸", "' OR 1=1"):
        page = client.get("/operator/search", query_string={"q": nothing})
        assert page.status_code == 200 and "没找到。" in page.text, nothing


@pytest.mark.parametrize("typed", ["", "  ", "x" * 101])
def test_what_cannot_be_looked_for_is_told_at_the_field(province: Session, client: FlaskClient, typed: str) -> None:
    signed_in(client, "operator")
    page = client.get("/operator/search", query_string={"q": typed})
    assert page.status_code == 422 and 'aria-invalid="true"' in page.text
    assert not typed.strip() or f'value="{typed}"' in page.text


def test_nobody_is_named(province: Session, client: FlaskClient) -> None:
    order = an_order(province, NOON - 60 * HOURS)
    a_parcel(province, order)
    signed_in(client, "operator")
    for path in ("", "/work", "/orders?period=week", "/parcels?which=late", f"/search?q={order.number}", "/search?q=2045"):
        page = client.get(f"/operator{path}").text
        assert not [secret for secret in ("郭晓芸", PHONE, "5172045", "平阳路") if secret in page], path


def test_a_long_list_goes_on(province: Session, client: FlaskClient) -> None:
    for number in range(53):
        a_parcel(province, an_order(province, NOON - HOURS - number // 3 * HOURS / 100))
    signed_in(client, "operator")
    for path in ("/operator/orders?endpoint=x&_scheme=ftp", "/operator/parcels?which=open"):
        first = client.get(path).text
        url = re.search(r'rel="next" href="([^"]+)"', first)
        assert url
        second = client.get(url[1].replace("&amp;", "&")).text
        assert 'rel="next"' not in second
        numbers = [re.findall(r">(SX-[A-Z0-9]+)[-0-9]*</a>", page) for page in (first, second)]
        assert [len(page) for page in numbers] == [50, 3] and len({*numbers[0], *numbers[1]}) == 53
    assert client.get("/operator/orders?before=nobody").status_code == 200
    assert client.get("/operator/gifts?before=x").status_code == 200


def test_who_signs_in_comes_here_first(province: Session, client: FlaskClient) -> None:

    person = signed_in(client, "operator", "finance_operator")
    with client:
        client.get("/operator")

        assert desks.first_page(province, g.person) == "/operator" and g.person.id == person.id
