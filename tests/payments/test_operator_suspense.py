"""Operators look through what is in suspense, and send it back with a reason."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.payments import sweeping
from marketplace.payments.models import Refund
from marketplace.payments.operator import parked as looking
from tests.factories import signed_in
from tests.payments.conftest import Till
from tests.payments.operators import audited, posted, send
from tests.payments.test_suspense import parked

Gathered = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def browser(quick_till: Till) -> FlaskClient:
    return quick_till.app.test_client()


def test_money_in_suspense_is_sent_back_with_a_reason(quick_till: Till, browser: FlaskClient) -> None:
    remote = parked(quick_till)
    signed_in(browser, "finance_operator")
    assert "现在共有 ¥39.80 待处理" in browser.get("/operator/suspense").text
    path = f"/operator/suspense/{remote}/refund"

    assert send(browser, path, why=" ") == 422
    assert db.session.scalar(select(func.count()).select_from(Refund)) == 0
    for _time in range(2):
        assert send(browser, path, why="少收了一分", idempotency_key="k1") == 303
    assert send(browser, path, why="再来一次", idempotency_key="k2") == 409
    assert send(browser, "/operator/suspense/pay_nobody/refund", why="x", idempotency_key="k3") == 404

    sweeping.send_refund()
    db.session.rollback()
    (refund,) = db.session.scalars(select(Refund)).all()
    assert (refund.fen, refund.remote_payment, refund.reason) == (3980, remote, "少收了一分")
    assert audited("suspense.sent_back") == [(f"refund:{refund.public_id}", "少收了一分")]
    assert "在途" in browser.get("/operator/suspense").text
    assert "少收了一分" in browser.get("/operator/refunds").text


@pytest.fixture
def in_suspense(quick_till: Till) -> tuple[str, str]:
    """Two payments: one of a wrong sum, and one that came too late and did not arrive when it went back."""
    wrong = parked(quick_till)
    quick_till.uses_money = False
    late = quick_till.pay(quick_till.start("SX-LATE", 500))
    quick_till.work()
    quick_till.cashier.fail_refund(quick_till.cashier.refunds_of(late)[0].remote_id)
    quick_till.work()
    return wrong, late


def test_suspense_is_looked_through(browser: FlaskClient, in_suspense: tuple[str, str]) -> None:
    wrong, late = in_suspense
    signed_in(browser, "operator")

    def payments(query: str) -> list[str]:
        found = browser.get(f"/operator/suspense?{query}")
        assert found.status_code == 200, found.text
        return re.findall(r"<code>(pay_[^<]+)</code>", found.text)

    assert payments("") == [late, wrong]
    assert payments("kind=mismatch") == payments(f"text={wrong}") == payments("text=7f3kq2") == [wrong]
    assert payments("kind=surplus") == payments("text=sx-late") == [late]
    assert payments("book=test") == payments(f"since={clock.today()}&until={clock.today()}") == [late, wrong]
    assert payments("book=live") == payments(f"until={clock.today() - timedelta(days=1)}") == payments("text=%25") == []
    assert "没有找到" in browser.get("/operator/suspense?book=live").text
    page = browser.get("/operator/suspense").text
    assert "和我们要收的对不上" in page and "多付或付晚了" in page


@pytest.mark.parametrize("query", ["kind=x", "book=gold", "since=soon", "text=" + "9" * 101])
def test_suspense_is_not_looked_through_for_rubbish(browser: FlaskClient, query: str) -> None:
    signed_in(browser, "operator")
    assert browser.get(f"/operator/suspense?{query}").status_code == 422
    assert send(browser, f"/operator/suspense.csv?{query}") == 422
    assert audited("suspense.exported") == []


def test_suspense_goes_page_by_page(
    browser: FlaskClient, in_suspense: tuple[str, str], monkeypatch: pytest.MonkeyPatch, count_statements: Gathered
) -> None:
    monkeypatch.setattr(looking, "PAGE", 1)
    signed_in(browser, "operator")
    browser.get("/operator/suspense")
    seen, url, costs = [], "/operator/suspense?book=test", set()
    while url:
        with count_statements() as sent:
            page = browser.get(url).text
        costs.add(len(sent))
        seen += re.findall(r"<code>(pay_[^<]+)</code>", page)
        further = re.search(r'rel="next" href="([^"]+)"', page)
        url = further[1].replace("&amp;", "&") if further else ""
    assert seen == list(reversed(in_suspense))
    assert costs == {5}


def test_a_refused_reason_stays_by_its_payment(
    browser: FlaskClient, in_suspense: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "PAGE", 1)
    wrong, late = in_suspense
    signed_in(browser, "operator")
    page = browser.get(f"/operator/suspense?book=test&before={late}").text
    action = re.search(r'action="(/operator/suspense/[^"]+)"', page)
    assert action
    refused = posted(browser, action[1].replace("&amp;", "&"), why=" ")
    assert refused.status_code == 422 and wrong in refused.text and "请写明原因" in refused.text


def test_suspense_as_a_table(browser: FlaskClient, in_suspense: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "EXPORTED", 1)
    wrong, late = in_suspense
    signed_in(browser, "finance_operator")
    rows = posted(browser, "/operator/suspense.csv").get_data(as_text=True).split("\r\n")
    assert rows[0] == "\ufeffpayment,at,kind,reference,fen,currency,book,attempt,refund,refund_state,reason"
    assert rows[1].startswith(f"{late},") and ",surplus,SX-LATE,500,CNY,test," in rows[1]
    assert rows[1].endswith(",failed,surplus")
    assert rows[2].startswith(f"{wrong},") and ",mismatch,SX-7F3KQ2MD,3980,CNY,test," in rows[2]
    assert rows[3:] == [""]
    one = posted(browser, "/operator/suspense.csv?kind=mismatch&text=SX").get_data(as_text=True)
    assert late not in one and wrong in one
    assert audited("suspense.exported") == [("suspense", ""), ("suspense", "kind=mismatch")]
