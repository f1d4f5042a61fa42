"""The pages: who applies, decides, orders, checks, answers and pays; twice, late, as the wrong person, with rubbish."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.core.db import db
from marketplace.orders.institutions.models import GoodsCheck, Institution, InstitutionMember
from marketplace.orders.institutions.states import CheckState, InstitutionState, StatementState
from marketplace.orders.states import OrderState
from marketplace.payments.models import Attempt
from tests import factories
from tests.factories import sign_in_as, signed_in
from tests.institutions.conftest import Canteen, code, facts
from tests.orders.conftest import JIXIAN, QINXIAN, RECIPIENT, Shop, get, hidden, latest, parcels, post, put
from tests.orders.promotions.promoting import promotion, row_of


@pytest.fixture
def payer(canteen: Canteen) -> FlaskClient:
    client = canteen.shop.browser()
    sign_in_as(client, canteen.payer)
    return client


@pytest.fixture
def operator(canteen: Canteen) -> FlaskClient:
    client = canteen.shop.browser()
    sign_in_as(client, canteen.operator)
    return client


def somebody(shop: Shop, *roles: str, station: str = JIXIAN) -> FlaskClient:
    client = shop.browser()
    signed_in(client, *roles, station=station)
    return client


def count(kind: type[Any]) -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.count()).select_from(kind)) or 0)


def test_an_institution_is_applied_for_admitted_and_given_a_limit(canteen: Canteen, operator: FlaskClient) -> None:
    applicant = somebody(canteen.shop)
    page = applicant.get("/institutions/new")
    data = facts(name="示例县医院", credit_code=code(1).lower()) | {"idempotency_key": hidden(page, "idempotency_key")}
    wrong = post(applicant, "/institutions", data | {"credit_code": code(1)[:-1] + ("A" if code(1)[-1] != "A" else "B")})
    assert wrong.status_code == 422 and "代码有误" in wrong.text and "示例县医院" in wrong.text
    assert post(applicant, "/institutions", data | {"credit_code": "91"}).status_code == 422
    assert post(applicant, "/institutions", data | {"kind": "palace"}).status_code == 422
    taken = post(applicant, "/institutions", data | {"credit_code": code()})
    assert taken.status_code == 422 and "已经有了" in taken.text

    answers = [post(applicant, "/institutions", data) for _time in range(2)]

    assert {answer.status_code for answer in answers} == {303} and len({answer.location for answer in answers}) == 1
    path = answers[0].location
    assert count(Institution) == 2 and "等待审批" in applicant.get(path).text
    desk = f"/operator{path}"
    assert "示例县医院" in operator.get("/operator/institutions").text
    assert post(applicant, f"{desk}/decisions/admission", {}).status_code == 403
    assert post(operator, f"{desk}/decisions/refusal", {"refusal-why": ""}).status_code == 422
    assert post(operator, f"{desk}/decisions/nonsense", {}).status_code == 404
    for _time in range(2):
        assert post(operator, f"{desk}/decisions/admission", {"admission-why": ""}).status_code == 303
    terms = {"limit_yuan": "5000", "statement_day": "5", "days_to_pay": "20"}
    for bad in ({"limit_yuan": "-1"}, {"limit_yuan": "x"}, {"statement_day": "29"}, {"days_to_pay": ""}):
        assert post(operator, f"{desk}/terms", terms | bad).status_code == 422
    assert post(operator, f"{desk}/terms", terms).status_code == 303
    row = db.session.scalars(select(Institution).where(Institution.credit_code == code(1))).one()
    assert (row.state, row.limit_fen, row.statement_day, row.days_to_pay) == (InstitutionState.ACTIVE, 500_000, 5, 20)
    assert "¥5,000.00" in applicant.get(path).text


def test_nobody_decides_about_their_own(canteen: Canteen, operator: FlaskClient) -> None:
    page = operator.get("/institutions/new")
    data = facts(credit_code=code(2)) | {"idempotency_key": hidden(page, "idempotency_key")}
    path = f"/operator{post(operator, '/institutions', data).location}"

    assert post(operator, f"{path}/decisions/admission", {}).status_code == 303
    assert "不能定自己单位的事" in operator.get(path).text

    row = db.session.scalars(select(Institution).where(Institution.credit_code == code(2))).one()
    assert (row.state, row.limit_fen) == (InstitutionState.APPLIED, 0)


def test_a_member_orders_on_account_at_the_checkout(canteen: Canteen, payer: FlaskClient) -> None:
    put(payer, canteen.shop.apples, 2)
    page = payer.get("/checkout")
    assert "单位月结：示例小学食堂" in page.text and "还能月结 ¥1,000.00" in page.text
    assert "提交订单</button>" in page.text and "去付款" not in page.text and "现在付的话，提交后 15 分钟" in page.text
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}
    assert post(payer, "/checkout", data | {"account": "nobody"}).status_code == 404

    answers = [post(payer, "/checkout", data | {"account": canteen.public_id}) for _time in range(2)]

    number = latest().number
    assert {answer.location for answer in answers} == {f"/orders/{number}"}
    assert (get(number).state, count(Attempt)) == (OrderState.PLACED_ON_ACCOUNT, 0)
    shown = payer.get(f"/orders/{number}").text
    assert "记在 示例小学食堂 账上" in shown and "立即支付" not in shown
    assert number in payer.get(f"/institutions/{canteen.public_id}").text
    assert post(payer, f"/orders/{number}/withdrawal", {}).status_code == 303
    assert get(number).state is OrderState.CANCELLED and "没有扣钱" in payer.get(f"/orders/{number}").text


def test_beyond_the_limit_the_checkout_says_so_and_keeps_what_was_typed(canteen: Canteen, payer: FlaskClient) -> None:
    put(payer, canteen.shop.apples, 60)
    page = payer.get("/checkout")
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}

    answer = post(payer, "/checkout", data | {"account": canteen.public_id})

    assert answer.status_code == 409 and "超出了月结额度" in answer.text and RECIPIENT["street"] in answer.text
    assert canteen.row.outstanding_fen == 0
    assert post(payer, "/checkout", data).status_code == 303  # paying at once is always possible


def test_a_code_comes_off_what_is_on_account_and_no_invoice_of_its_own_goes_with_it(
    canteen: Canteen, payer: FlaskClient
) -> None:
    made = promotion()
    put(payer, canteen.shop.apples, 2)
    page = payer.get("/checkout")
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}
    data |= {"account": canteen.public_id, "street": "学府街 66 号"}
    assert "优惠和优惠码只用在现在付款的订单上" not in payer.get("/checkout").text
    unknown = post(payer, "/checkout", data | {"coupon": "XINGQIU"})
    assert unknown.status_code == 422 and "没有这个券码" in unknown.text and 'value="XINGQIU"' in unknown.text
    code = post(payer, "/checkout", data | {"coupon": "XINQIU"})
    assert code.status_code == 409 and "−¥10.00" in code.text and 'value="XINQIU"' in code.text
    wanted = {"invoice_title": "示例小学", "invoice_email": "a@b.cn"}
    invoice = post(payer, "/checkout", data | wanted)
    assert invoice.status_code == 422 and "随月结账单开发票" in invoice.text and 'value="示例小学"' in invoice.text
    assert "学府街 66 号" in code.text and "学府街 66 号" in invoice.text and canteen.row.outstanding_fen == 0

    agreed = data | {"coupon": "XINQIU", "shown_total": hidden(code, "shown_total")}
    assert post(payer, "/checkout", agreed).status_code == 303
    number = latest().number
    assert (get(number).discount_fen, row_of(made).used_fen, row_of(made).spent_fen) == (1000, 1000, 0)
    assert canteen.row.outstanding_fen == get(number).total_fen and "−¥10.00" in payer.get(f"/orders/{number}").text
    assert post(payer, f"/orders/{number}/invoice", wanted | {"idempotency_key": "k"}).status_code == 409
    canteen.deliver(number)
    canteen.accept_all(number)
    canteen.pay(canteen.bill().public_id)
    assert get(number).paid_at and f"/orders/{number}/invoice" not in payer.get(f"/orders/{number}").text


def test_every_page_of_it_leads_back_to_what_is_ones_own(canteen: Canteen, payer: FlaskClient) -> None:
    mine = f"/institutions/{canteen.public_id}"
    above = {"/institutions": ["/account"], "/institutions/new": ["/account", "/institutions"], "/orders": ["/account"]}
    for path, trail in {**above, mine: ["/account", "/institutions"]}.items():
        page = payer.get(path).text
        crumbs = re.findall(r'<a href="([^"]+)"', page[page.index('class="crumbs"') : page.index("</ol></nav>")])
        assert crumbs == trail, path


def test_strangers_are_offered_no_account(canteen: Canteen) -> None:
    stranger = canteen.shop.browser()
    canteen.shop.fill(stranger, apples=1)
    page = stranger.get("/checkout")
    assert "单位月结" not in page.text and "提交订单，去付款</button>" in page.text
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}
    assert post(stranger, "/checkout", data | {"account": canteen.public_id}).status_code == 404
    assert canteen.row.outstanding_fen == 0


def test_the_desk_promises_nobody_money_that_was_never_paid(canteen: Canteen, payer: FlaskClient) -> None:
    number = canteen.order(apples=2, millet=1)
    clerk = somebody(canteen.shop, "station_clerk")
    refused = parcels(number)[0]
    desk = f"/station/parcels/{refused.public_id}"
    sum_of = "¥85.60"

    page = clerk.get(desk).text
    assert f"{sum_of} 不记进账单，货放回架上" in page and f"拒单，账单里减 {sum_of}" in page and "从账单里扣减" in page
    assert "收到退款" not in page and "退款 ¥" not in page
    assert "每样有几件不记账？" in clerk.get(f"{desk}/refunds").text

    assert post(clerk, f"{desk}/refusal", {"reason": "霜打坏了"}).status_code == 303
    told = payer.get(f"/orders/{number}").text
    assert "这个不记账。" in told and "退回" not in told


def test_the_desk_works_on_it_and_its_institution_checks_it(canteen: Canteen, payer: FlaskClient) -> None:
    number = canteen.order(apples=3)
    clerk = somebody(canteen.shop, "station_clerk")
    (parcel,) = parcels(number)
    assert f"{number}-1" in clerk.get("/station/queues/acceptance").text
    assert "示例小学食堂 月结的单" in clerk.get(f"/station/parcels/{parcel.public_id}").text
    canteen.deliver(number)
    path = f"/institutions/{canteen.public_id}/parcels/{parcel.public_id}"
    (line,) = get(number).parcels[0].lines
    rejected, grams = f"rejected-{line.public_id}", f"grams-{line.public_id}"
    key = hidden(payer.get(path), "idempotency_key")
    claim: dict[str, Any] = {"action": "claim", rejected: "1", grams: "", f"reason-{line.public_id}": "damaged"}
    claim |= {"words": "一箱压烂了", "idempotency_key": key}
    for bad in ({rejected: "0"}, {rejected: "4"}, {rejected: "x"}, {grams: "5000"}, {f"reason-{line.public_id}": "x"}):
        assert post(payer, path, claim | bad).status_code == 422, bad
    for slip in ({grams: "0"}, {grams: "2499"}):  # silence would agree to it
        assert "还不到订的一半" in post(payer, path, claim | slip).text
    enter = post(payer, path, claim | {"action": "accept"})  # the first button of the form, which Enter presses too
    assert enter.status_code == 422 and "要么交给站里，要么删掉" in enter.text and "一箱压烂了" in enter.text
    assert count(GoodsCheck) == 0

    for _time in range(2):
        assert post(payer, path, claim).status_code == 303

    check = db.session.scalars(select(GoodsCheck)).one()
    assert check.state is CheckState.CLAIMED and "等站里答复" in payer.get(path).text
    desk = f"/station/checks/{check.public_id}"
    assert "单位验货" in clerk.get("/station").text and f"{number}-1" in clerk.get("/station/checks").text
    assert "一箱压烂了" in clerk.get(desk).text and "从账单里扣掉 ¥39.80" in clerk.get(desk).text
    elsewhere = somebody(canteen.shop, "station_clerk", station=QINXIAN)
    assert elsewhere.get(desk).status_code == 404 and post(elsewhere, f"{desk}/agreement", {}).status_code == 404
    assert post(payer, f"{desk}/agreement", {}).status_code == 403
    assert post(clerk, f"{desk}/rejection", {"rejection-why": ""}).status_code == 422
    assert post(clerk, f"{desk}/nonsense", {}).status_code == 404
    for _time in range(2):
        assert post(clerk, f"{desk}/agreement", {"agreement-why": "对不起，下次多垫一层"}).status_code == 303
    assert canteen.row.outstanding_fen == 2 * 3980 and "下次多垫一层" in payer.get(path).text
    assert "从账单扣减" in payer.get(f"/orders/{number}").text


def test_a_statement_is_read_invoiced_and_paid(canteen: Canteen, payer: FlaskClient, operator: FlaskClient) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    check = f"/institutions/{canteen.public_id}/parcels/{parcel.public_id}"
    assert post(payer, check, {"action": "accept", "idempotency_key": "k"}).status_code == 303
    statement = canteen.bill().public_id
    path = f"/institutions/{canteen.public_id}/statements/{statement}"

    page = payer.get(path).text
    assert statement in page and "¥85.60" in page and f"{number}-1" in page and code() in page and "还没开" in page
    table = payer.get(f"{path}.csv")
    assert table.status_code == 200 and f"{number}-1" in table.text and "85.60" in table.text
    paper = payer.get(f"{path}.pdf")
    assert paper.status_code == 200 and paper.data.startswith(b"%PDF")
    desk = f"/operator/institutions/{canteen.public_id}"
    invoice = {f"{statement}-number": "24142000000012345678", f"{statement}-invoiced_on": "2026-12-02"}
    noted = f"{desk}/statements/{statement}/invoice"
    assert post(operator, noted, invoice | {f"{statement}-invoiced_on": "x"}).status_code == 422
    assert post(operator, noted, invoice).status_code == 303
    assert "24142000000012345678" in payer.get(path).text
    purchaser = factories.make_person(address="cook@example.test")
    members = f"/institutions/{canteen.public_id}/members"
    assert post(payer, members, {"address": "nobody@example.test", "role": "purchaser"}).status_code == 422
    assert post(payer, members, {"address": "cook@example.test", "role": "purchaser"}).status_code == 303
    cook = canteen.shop.browser()
    sign_in_as(cook, purchaser)
    assert "由单位的付款人来付" in cook.get(path).text and post(cook, f"{path}/payment", {}).status_code == 404

    first, second = (post(payer, f"{path}/payment", {}) for _time in range(2))

    assert first.status_code == second.status_code == 303 and first.location == second.location
    canteen.shop.pay(statement)
    canteen.shop.work()
    assert canteen.statements()[0].state is StatementState.PAID and "已付款" in payer.get(path).text
    assert post(payer, f"{path}/payment", {}).location == path
    assert canteen.row.outstanding_fen == 0


def test_the_last_payer_stays_and_others_go(canteen: Canteen, payer: FlaskClient) -> None:
    other = factories.make_person(address="boss@example.test")
    base = f"/institutions/{canteen.public_id}/members"
    assert post(payer, f"{base}/{canteen.payer.public_id}/removal", {}).status_code == 303
    assert count(InstitutionMember) == 1
    assert post(payer, base, {"address": "boss@example.test", "role": "payer"}).status_code == 303
    assert post(payer, f"{base}/nobody/removal", {}).status_code == 404
    assert post(payer, f"{base}/{other.public_id}/removal", {}).status_code == 303
    assert count(InstitutionMember) == 1


def test_what_belongs_to_an_institution_does_not_exist_for_others(canteen: Canteen) -> None:
    number = canteen.order(apples=1)
    canteen.deliver(number)
    canteen.accept_all(number)
    statement, (parcel,) = canteen.bill().public_id, parcels(number)
    base = f"/institutions/{canteen.public_id}"
    stranger = somebody(canteen.shop)
    for path in ("", f"/parcels/{parcel.public_id}", f"/statements/{statement}", f"/statements/{statement}.csv"):
        assert stranger.get(f"{base}{path}").status_code == 404
    for path in ("/members", f"/parcels/{parcel.public_id}", f"/statements/{statement}/payment"):
        assert post(stranger, f"{base}{path}", {}).status_code == 404
    assert stranger.get("/operator/institutions").status_code == stranger.get("/station/checks").status_code == 403
    assert canteen.shop.browser().get(base).status_code == 302
    auditor = somebody(canteen.shop, "auditor")
    assert auditor.get(f"/operator{base}").status_code == 200
    assert post(auditor, f"/operator{base}/terms", {}).status_code == 403
