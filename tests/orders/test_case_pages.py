"""The four doors of a case, as people go through them: what was typed is kept, others' cases do not exist."""

import html
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.accounts.models import Person
from marketplace.core import clock, outbox
from marketplace.core.db import db
from marketplace.notifications.models import Message
from marketplace.orders.cases import deciding, queries
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.models import AfterSalesCase, CasePicture
from marketplace.orders.cases.states import CaseState as C
from marketplace.orders.models import OrderLine
from marketplace.payments.models import Refund
from tests.factories import sign_in_as, signed_in
from tests.orders.casework import Bought, appeal, bought, case_of, do, open_case, picture
from tests.orders.conftest import JIXIAN, OURS, QINXIAN, Shop, differences, hidden, post
from tests.orders.refunding import clerk_of

SAID = {"kind": "damaged", "wish": "refund", "quantity": "1", "words": "四个苹果烂了"}


@pytest.fixture
def delivered(shop: Shop) -> Bought:
    return bought(shop, 2)


def report(of: Bought, client: FlaskClient | None = None, **changed: Any) -> TestResponse:
    client = client or of.client
    page = client.get(f"/orders/{of.number}/cases/new?line={of.line}")
    key = hidden(page, "idempotency_key") if page.status_code == 200 and "idempotency_key" in page.text else "k"
    data = {**SAID, "line": of.line, "idempotency_key": key, **changed}
    return client.post(f"/orders/{of.number}/cases", data=data, headers=OURS, content_type="multipart/form-data")


def cases() -> list[AfterSalesCase]:
    db.session.rollback()
    return list(db.session.scalars(select(AfterSalesCase).order_by(AfterSalesCase.id)))


def letters() -> list[str]:
    while outbox.deliver() or outbox.deliver_slow():
        pass
    db.session.rollback()
    return list(db.session.scalars(select(Message.text).order_by(Message.id)))


def test_a_picture_and_the_money_is_on_its_way(shop: Shop, delivered: Bought) -> None:
    page = delivered.client.get(f"/orders/{delivered.number}").text
    assert "反映问题" in page

    answer = report(delivered, pictures=[picture(), picture("green")])

    assert answer.status_code == 303, answer.text
    page = delivered.client.get(answer.headers["Location"]).text
    assert "当场退款" in page and "四个苹果烂了" in page and "¥42.80 退回你付款的地方" in page
    small = re.findall(r'src="([^"]+-320\.webp)"', page)
    assert len(small) == 2
    shown = delivered.client.get(small[0])
    assert (shown.status_code, shown.mimetype) == (200, "image/webp") and "private" in shown.headers["Cache-Control"]
    (kept,) = db.session.scalars(select(CasePicture.public_id).where(CasePicture.position == 1))
    stranger, other, clerk = shop.browser(), shop.browser(), clerk_of(shop)
    signed_in(other, "station_clerk", "seller", station=QINXIAN)
    case = cases()[0].public_id
    for client, door, status in (
        (stranger, f"/orders/{delivered.number}", 404),
        (stranger, "/station", 302),
        (stranger, "/operator", 302),
        (other, "/station", 404),
        (other, "/seller", 404),
        (other, "/operator", 403),
        (clerk, "/station", 200),
    ):
        assert client.get(f"{door}/cases/{case}/pictures/{kept}-320.webp").status_code == status, door
    assert clerk.get(f"/station/cases/{case}/pictures/{kept}-321.webp").status_code == 404
    assert stranger.get(f"/media/{kept}-320.webp").status_code == 404
    shop.work()
    assert "¥42.80" in letters()[-1] and differences(shop) == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "请加一张照片"),
    ({"kind": "wrong", "quantity": "3"}, "最多 2 件"),
    ({"kind": "wrong", "quantity": "0"}, "1"),
    ({"kind": "wrong", "quantity": "许多"}, "请填整数"),
    ({"kind": "wrong", "words": "\u3000"}, "写一句话"),
    ({"kind": "unwanted"}, "请在这几个里选一个"),
    ({"kind": "missing", "wish": "exchange"}, "才能换"),
    ({"wish": "'; DROP TABLE"}, "请在这几个里选一个"),
]


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(delivered: Bought) -> None:
    for changed, says in WRONG:
        answer = report(delivered, **changed)
        page = html.unescape(answer.text)
        assert answer.status_code == 422 and says in page, changed
        assert {**SAID, **changed}["words"].strip() in page
    assert cases() == []


def test_a_station_answers_and_the_buyer_reads_it(shop: Shop, delivered: Bought) -> None:
    clerk, case = clerk_of(shop), open_case(delivered, 2)
    assert "售后" in clerk.get("/station").text
    assert "confirmation" not in delivered.client.get(f"/orders/{delivered.number}").text
    assert "吉县红富士苹果" in clerk.get("/station/cases").text
    address = f"/station/cases/{case}"
    refused = post(clerk, f"{address}/rejection", {"rejection-why": " "})
    assert refused.status_code == 422 and "写清楚为什么" in refused.text
    assert post(clerk, f"{address}/nonsense", {}).status_code == 404

    post(clerk, f"{address}/approval", {"approval-why": "请带原包装"})
    assert "请带原包装" in delivered.client.get(f"/orders/{delivered.number}/cases/{case}").text
    for quantity in ("3", "0", "二", ""):
        answer = post(clerk, f"{address}/return", {"return-quantity": quantity, "return-condition": "as_sold"})
        assert answer.status_code == 422, quantity
    post(clerk, f"{address}/return", {"return-quantity": "1", "return-condition": "bad", "return-why": "箱底湿了"})
    twice = post(clerk, f"{address}/return", {"return-quantity": "1", "return-condition": "bad"})
    assert twice.status_code == 303
    post(clerk, f"{address}/refund", {})
    assert case_of(case).state is C.REFUNDED and case_of(case).returned_quantity == 1
    for reader, page in ((delivered.client, f"/orders/{delivered.number}/cases/{case}"), (clerk, address)):
        assert all(words in reader.get(page).text for words in ("请带原包装", "箱底湿了"))  # each stays, whatever came after
    told = letters()
    assert any("退到吉县站" in text for text in told) and any("¥42.80" in text for text in told)
    assert differences(shop) == []


def test_the_province_is_asked_and_decides_for_all_to_read(shop: Shop, delivered: Bought) -> None:
    clerk, operator, auditor, seller = shop.browser(), shop.browser(), shop.browser(), shop.browser()
    signed_in(operator, "operator")
    signed_in(auditor, "auditor")
    case = open_case(delivered)
    whose = db.session.scalars(select(OrderLine.seller_public_id)).one()
    sign_in_as(seller, db.session.scalars(select(Person).where(Person.public_id == whose)).one())
    do(deciding.reject, case, why="看不出坏")
    mine = f"/orders/{delivered.number}/cases/{case}"
    assert "看不出坏" in delivered.client.get(mine).text
    assert post(delivered.client, f"{mine}/appeal", {"words": ""}).status_code == 422
    for _time in range(2):
        assert post(delivered.client, f"{mine}/appeal", {"words": "照片里很清楚"}).status_code == 303

    theirs = f"/operator/cases/{case}"
    assert "照片里很清楚" in operator.get(theirs).text and "吉县红富士苹果" in operator.get("/operator/cases").text
    assert "照片里很清楚" in auditor.get(theirs).text and "judgement" not in auditor.get(theirs).text
    judged = {"decision": "platform", "why": "照片看得出"}
    assert post(auditor, f"{theirs}/judgement", judged).status_code == 403
    assert post(operator, f"{theirs}/judgement", {"decision": "platform", "why": ""}).status_code == 422
    assert post(operator, f"{theirs}/judgement", {"decision": "me", "why": "?"}).status_code == 422
    for _time in range(2):
        assert post(operator, f"{theirs}/judgement", judged).status_code == 303
    for client, address in ((delivered.client, mine), (seller, f"/seller/cases/{case}"), (operator, theirs)):
        page = client.get(address).text
        assert "照片看得出" in page and "这笔退款由省里承担" in page
    assert "坏了、烂了" not in seller.get("/seller/cases").text and "不是我订的" in seller.get(f"/seller/cases/{case}").text
    assert clerk.get(f"/operator/cases/{case}").status_code == 302
    assert db.session.scalar(select(func.count()).select_from(Refund)) == 1
    assert "照片看得出" in letters()[-1] and differences(shop) == []


@pytest.mark.full
def test_a_stranger_and_another_buyer_see_nothing(shop: Shop, delivered: Bought) -> None:
    case, other = open_case(delivered), bought(shop, 1)
    for client in (shop.browser(), other.client):
        for path in ("new", case):
            assert client.get(f"/orders/{delivered.number}/cases/{path}").status_code == 404
        assert post(client, f"/orders/{delivered.number}/cases/{case}/appeal", {"words": "?"}).status_code == 404
    assert other.client.get(f"/orders/{other.number}/cases/{case}").status_code == 404
    assert report(other, line=delivered.line).status_code in {404, 409} and len(cases()) == 1


@pytest.mark.full
def test_pages_cost_the_same_however_many_cases(
    shop: Shop, delivered: Bought, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    clerk, costs = clerk_of(shop), []
    for _case in range(2):
        open_case(delivered)
        db.session.remove()
        with count_statements() as mine:
            delivered.client.get(f"/orders/{delivered.number}")
        db.session.remove()  # whatever a row is still known from
        with count_statements() as theirs:
            clerk.get("/station/cases")
        costs.append((len(mine), len(theirs)))
    assert costs[0] == costs[1]


@pytest.mark.full
def test_cases_go_on_where_the_page_ended_and_who_waits_stands_first(
    shop: Shop, delivered: Bought, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    other = bought(shop, 2)
    made = [open_case(each) for each in (delivered, delivered, other, other)]
    do(deciding.reject, made[3])
    here = Reach(station=JIXIAN)

    first = queries.page(db.session(), here)
    second = queries.page(db.session(), here, first.next)

    assert [each.public_id for each in first.rows] == [made[2], made[1]]
    assert ([each.public_id for each in second.rows], second.next) == ([made[0], made[3]], "")
    assert queries.page(db.session(), Reach(station=QINXIAN)).rows == []
    assert queries.page(db.session(), Reach(), asked_only=True).rows == []
    appeal(made[3])
    assert [each.public_id for each in queries.page(db.session(), Reach(), asked_only=True).rows] == [made[3]]


@pytest.mark.full
def test_a_picture_is_chosen_once_whatever_else_is_wrong(delivered: Bought) -> None:
    answer = report(delivered, words="", pictures=[picture(), (io.BytesIO(b"no picture"), "letter.doc")])
    kept = re.findall(r'name="pictures_kept" value="([^"]+)" checked', answer.text)
    assert answer.status_code == 422 and len(kept) == 1 and "letter.doc" in answer.text and cases() == []

    again = report(delivered, words="", pictures_kept=kept)
    assert again.text.count('name="pictures_kept"') == 1 and cases() == []
    for forged in ("x", kept[0][:-1], kept[0][1:]):
        assert report(delivered, pictures_kept=forged).status_code == 422 and cases() == []
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False):
        assert report(delivered, pictures_kept=kept).status_code == 422 and cases() == []

    assert report(delivered, pictures_kept=[*kept, *kept]).status_code == 303
    assert len(cases()) == 1 and db.session.scalar(select(func.count()).select_from(CasePicture)) == 1


def test_what_is_no_picture_is_named_what_is_sent_twice_is_one_case_and_late_is_late(delivered: Bought) -> None:
    answer = report(delivered, pictures=[(io.BytesIO(b"no picture"), "letter.doc")])
    assert answer.status_code == 422 and "letter.doc" in answer.text and cases() == []
    with time_machine.travel(clock.now() + timedelta(hours=49), tick=False):
        page = delivered.client.get(f"/orders/{delivered.number}/cases/new")
    assert page.status_code == 200 and "时间过了" in page.text
    assert report(delivered, line="nothing", kind="wrong").status_code == 404

    answers = [report(delivered, idempotency_key="same", quantity="2", pictures=[picture()]) for _time in range(2)]

    assert [each.status_code for each in answers] == [303, 303] and len({each.headers["Location"] for each in answers}) == 1
    assert len(cases()) == 1
