"""Operators look for payments, follow a fen, send back what is in suspense, stop the comparing; auditors only look."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.payments.models import Attempt, GatewayEvent, Refund
from marketplace.payments.operator import queries, words
from marketplace.payments.reconciliation import running, switch
from marketplace.payments.reconciliation.models import ReconciliationRun, ReconciliationSwitch
from marketplace.payments.sandbox import storage
from marketplace.payments.states import AttemptState, RefundState
from tests.factories import signed_in
from tests.payments.conftest import Till
from tests.payments.operators import audited, paid, posted, send
from tests.payments.test_suspense import parked

Gathered = Callable[[], AbstractContextManager[list[str]]]
LISTS = tuple(f"/operator/{name}" for name in ("payments", "refunds", "disputes", "suspense", "reconciliation"))
FILES = ("/operator/payments.csv", "/operator/refunds.csv", "/operator/disputes.csv", "/operator/suspense.csv")


@pytest.fixture
def browser(quick_till: Till) -> FlaskClient:
    return quick_till.app.test_client()


@pytest.mark.parametrize("path", [*LISTS, "/operator/payments/x"])
def test_nobody_else_comes_in(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 302
    signed_in(browser, "seller", "station_manager", "charity_officer")
    assert browser.get(path).status_code == 403


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_taken_by_a_press_alone_and_not_by_everybody(browser: FlaskClient, path: str) -> None:
    """Whoever takes it is written down, so nothing that only looks ahead may fetch it."""
    assert browser.get(path).status_code == 405
    signed_in(browser, "seller", "station_manager", "charity_officer")
    assert send(browser, path) == 403
    signed_in(browser, "auditor")
    assert browser.get(path).status_code == 405 and browser.head(path).status_code == 405
    name = path.removeprefix("/operator/").removesuffix(".csv")
    assert audited(f"{name}.exported") == []
    assert f'method="post" action="{path}"' in browser.get(f"/operator/{name}").text
    assert send(browser, path) == 200
    assert audited(f"{name}.exported") == [(name, "")]


@pytest.mark.parametrize("role", ["operator", "finance_operator", "auditor"])
def test_the_province_looks(quick_till: Till, browser: FlaskClient, role: str) -> None:
    attempt = paid(quick_till)
    running.reconcile(quick_till.cashier, actor="test")
    signed_in(browser, role)
    for path in (*LISTS, f"/operator/payments/{attempt}"):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert page.headers["Cache-Control"] == "no-store"
    assert browser.get("/operator/payments/nobody").status_code == 404


def test_an_auditor_touches_nothing(quick_till: Till, browser: FlaskClient) -> None:
    remote = parked(quick_till)
    signed_in(browser, "auditor")
    assert '<form class="stack" method="post"' not in browser.get("/operator/suspense").text
    assert 'name="to"' not in browser.get("/operator/reconciliation").text
    assert send(browser, f"/operator/suspense/{remote}/refund", why="x") == 403
    assert send(browser, "/operator/reconciliation/switch", why="x", to="off") == 403
    assert send(browser, "/operator/reconciliation/grants") == 403
    assert db.session.scalar(select(func.count()).select_from(Refund)) == 0
    assert switch.is_on(db.session())


def test_payments_are_found_by_whatever_one_knows(quick_till: Till, browser: FlaskClient) -> None:
    first, second = paid(quick_till), paid(quick_till, "SX-OTHER", 12000)
    quick_till.start("SX-OPEN", 500)
    signed_in(browser, "operator")

    def numbers(query: str) -> list[str]:
        found = browser.get(f"/operator/payments?{query}")
        assert found.status_code == 200, found.text
        return re.findall(r">(SX-[A-Z0-9]+)</a>", found.text)

    assert numbers("") == ["SX-OPEN", "SX-OTHER", "SX-7F3KQ2MD"]
    assert numbers("number=SX-OTHER") == numbers(f"number={second}") == ["SX-OTHER"]
    assert numbers(f"number={quick_till.remote_of(first)}") == ["SX-7F3KQ2MD"]
    assert numbers("state=succeeded") == ["SX-OTHER", "SX-7F3KQ2MD"]
    assert numbers("purpose=contribution") == []
    assert numbers("least=39.80&most=119.99") == ["SX-7F3KQ2MD"]
    assert numbers(f"since={clock.today()}&until={clock.today()}") == ["SX-OPEN", "SX-OTHER", "SX-7F3KQ2MD"]
    assert numbers(f"until={clock.today() - timedelta(days=1)}") == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("least=many", "最多两位小数"),
        ("since=soon", "2026-10-09"),
        ("state=nowhere", "请在这几个里选一个"),
        ("number=" + "9" * 101, "101"),
    ],
)
def test_a_filter_that_cannot_be_read_says_so(browser: FlaskClient, query: str, words: str) -> None:
    signed_in(browser, "operator")
    for refused in (browser.get(f"/operator/payments?{query}"), posted(browser, f"/operator/payments.csv?{query}")):
        assert refused.status_code == 422 and words in refused.text
    assert audited("payments.exported") == []


def test_pages_go_on_where_the_last_one_ended(
    quick_till: Till, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, count_statements: Gathered
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    for number in range(5):
        quick_till.start(f"SX-{number}", 100)
    signed_in(browser, "operator")
    browser.get("/operator/payments")
    seen, url, costs = [], "/operator/payments?least=1", set()
    while url:
        with count_statements() as sent:
            page = browser.get(url).text
        costs.add(len(sent))
        seen += re.findall(r">(SX-[0-9])</a>", page)
        further = re.search(r'rel="next" href="([^"]+)"', page)
        url = further[1].replace("&amp;", "&") if further else ""
        quick_till.start(f"SX-NEW{len(seen)}", 100)  # moves no page
    assert seen == ["SX-4", "SX-3", "SX-2", "SX-1", "SX-0"]
    assert costs == {4}  # with what waits, for the rail


def test_an_attempt_shows_all_that_ever_happened_to_its_money(
    quick_till: Till, browser: FlaskClient, count_statements: Gathered
) -> None:
    attempt = paid(quick_till)
    running.reconcile(quick_till.cashier, actor="test")
    db.session.execute(update(GatewayEvent).values(raw=b'{"id": "<script>alert(1)</script>"}'))
    db.session.commit()
    signed_in(browser, "operator")

    with count_statements() as sent:
        page = browser.get(f"/operator/payments/{attempt}").text

    assert "¥39.80" in page and "手续费 ¥0.24" in page and "账上已记" in page
    for key in (f"capture:{attempt}", "allocate:SX-7F3KQ2MD", "gwfee:txn_"):
        assert key in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script>alert" not in page
    assert "payment_intent.succeeded" in page and quick_till.remote_of(attempt) in page
    assert len(sent) == 10


def test_the_table_holds_everything_and_no_formula(quick_till: Till, browser: FlaskClient) -> None:
    attempt = paid(quick_till, "=SUM(A1)")
    quick_till.start("SX-OPEN", 500)
    signed_in(browser, "auditor")

    answer = posted(browser, "/operator/payments.csv?state=succeeded&least=1")

    head, row, rest = answer.get_data(as_text=True).split("\r\n")
    assert head.removeprefix("\ufeff").startswith(
        "public_id,created_at,purpose,reference,state,is_surplus,fen,currency,book"
    )
    assert row.startswith(f"{attempt},") and ",order,'=SUM(A1),succeeded,False,3980,CNY,test,sandbox,pay_" in row
    assert rest == ""
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=payments-")
    assert audited("payments.exported") == [("payments", "least=1 state=succeeded")]
    assert posted(browser, "/operator/refunds.csv").get_data(as_text=True).count("\r\n") == 1


def test_what_takes_too_long_is_marked(quick_till: Till, browser: FlaskClient) -> None:
    attempt = quick_till.start()
    db.session.execute(update(Attempt).values(state=AttemptState.PROCESSING))
    db.session.add(Refund(attempt_id=db.session.scalars(select(Attempt.id)).one(), reason_key="r", fen=1, shares=[]))
    db.session.execute(update(Refund).values(state=RefundState.PENDING))
    db.session.commit()
    for days, marked in ((2, 0), (4, 1), (11, 2)):
        with time_machine.travel(clock.now() + timedelta(days=days)):
            signed_in(browser, "operator")
            pages = browser.get("/operator/payments").text + browser.get(f"/operator/refunds?number={attempt}").text
        assert pages.count("拖得太久") == marked


def test_the_programs_own_words_are_the_readers(quick_till: Till, browser: FlaskClient) -> None:
    attempt = paid(quick_till)
    signed_in(browser, "operator")
    page = browser.get(f"/operator/payments/{attempt}").text
    assert "系统自动 · 付款人去付款" in page and "系统自动 · 已向支付机构发出" in page
    assert "system ·" not in page and "· started" not in page
    english = browser.get(f"/operator/payments/{attempt}?lang=en", follow_redirects=True).text
    assert "by itself · the payer went on to pay" in english
    assert "sandbox · evt_" in english  # what nobody has words for is shown as it is


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("amount 3980 CNY", "实收 ¥39.80"),
        ("amount 3980 USD", "实收 3980 USD"),
        ("live money", "真钱"),
        ("amount 1 CNY, live money", "实收 ¥0.01，真钱"),
        ("surplus", "多付或付晚了"),
        ("frost", "frost"),
        ("", ""),
    ],
)
def test_why_a_state_moved_has_words(app: Flask, kept: str, shown: str) -> None:
    with app.test_request_context("/"):
        assert words.why(kept) == shown


def test_what_nobody_can_explain_is_red_and_closes_payouts(quick_till: Till, browser: FlaskClient) -> None:
    paid(quick_till)
    running.reconcile(quick_till.cashier, actor="test")
    signed_in(browser, "operator")
    fine = browser.get("/operator/reconciliation").text
    assert "对外付款开放" in fine and "¥39.56" in fine and "有差异" not in fine
    with quick_till.cashier.writing() as connection:
        connection.execute(update(storage.movement).values(gross=4000))
    running.reconcile(quick_till.cashier, actor="test")

    red = browser.get("/operator/reconciliation").text

    assert "对外付款已关闭" in red and "¥0.20" in red and "4000 CNY there, 3980 in the books" in red


def test_the_switch_wants_a_reason(quick_till: Till, browser: FlaskClient) -> None:
    signed_in(browser, "operator")
    path = "/operator/reconciliation/switch"
    assert send(browser, path, to="off", why="") == 422
    assert send(browser, path, to="sideways", why="x") == 422
    assert switch.is_on(db.session())

    assert send(browser, path, to="off", why="支付机构在迁移") == 303
    assert send(browser, path, to="off", why="再关一次") == 303

    assert "支付机构在迁移" in browser.get("/operator/reconciliation").text
    assert send(browser, path, to="on", why="迁完了") == 303
    assert [row.is_on for row in db.session.scalars(select(ReconciliationSwitch).order_by(ReconciliationSwitch.id))] == [
        False,
        True,
    ]
    assert audited("reconciliation.switched") == [("reconciliation", "支付机构在迁移"), ("reconciliation", "迁完了")]


def test_the_fees_of_last_month_are_covered_once(quick_till: Till, browser: FlaskClient) -> None:
    paid(quick_till)
    running.reconcile(quick_till.cashier, actor="test")
    with time_machine.travel(clock.now().replace(day=1) + timedelta(days=40)):
        signed_in(browser, "operator")
        assert "用运营补助金承担 ¥0.24" in browser.get("/operator/reconciliation").text
        for key in ("k1", "k1", "k2"):
            assert send(browser, "/operator/reconciliation/grants", idempotency_key=key) == 303
        page = browser.get("/operator/reconciliation").text
    assert "已由运营补助金承担" in page
    assert len(audited("gateway_fees.covered")) == 1


def test_a_list_costs_the_same_however_long_it_is(
    quick_till: Till, browser: FlaskClient, count_statements: Gathered
) -> None:
    def costs() -> list[int]:
        found = []
        for path in LISTS:
            with count_statements() as sent:
                browser.get(path)
            found.append(len(sent))
        return found

    signed_in(browser, "operator")
    parked(quick_till)
    running.reconcile(quick_till.cashier, actor="test")
    browser.get("/operator/payments")
    few = costs()
    attempt_id = db.session.scalars(select(Attempt.id)).one()
    for number in range(3):
        db.session.add(Refund(attempt_id=attempt_id, reason_key=f"r{number}", fen=1, shares=[]))
        db.session.commit()
        quick_till.start(f"SX-{number}", 100)
        running.reconcile(quick_till.cashier, actor="test")
    assert costs() == few
    assert db.session.scalar(select(func.count()).select_from(ReconciliationRun)) == 4
    assert db.session.scalar(select(func.count()).select_from(Attempt)) == 4
