"""Promotions on the desks of sellers and of the province: made, approved by another, paused, ended."""

from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.orders.promotions.models import Promotion
from marketplace.orders.promotions.states import PromotionState as S, Scope
from tests import factories
from tests.orders.conftest import hidden, post
from tests.orders.promotions.conftest import Counter
from tests.orders.promotions.promoting import line_of, promotion, row_of

FORM: dict[str, Any] = {
    "name": "秋苹果",
    "code": "pingguo",
    "kind": "percent",
    "percent": "10",
    "most": "20",
    "threshold": "50",
    "budget": "300",
    "uses_each": "1",
    "where": "category",
    "listings": "fruit-apple",
    "platform_percent": "60",
}


def typed(**changes: Any) -> dict[str, Any]:
    today = clock.today()
    return FORM | {"first_day": today.isoformat(), "last_day": (today + timedelta(days=6)).isoformat()} | changes


def only() -> Promotion:
    db.session.rollback()
    return db.session.scalars(select(Promotion)).one()


def test_the_provinces_is_approved_by_another_operator(app: Flask, counter: Counter, client: FlaskClient) -> None:
    factories.signed_in(client, "operator")
    key = hidden(client.get("/operator/promotions/new"), "idempotency_key")
    for _twice in range(2):
        answer = post(client, "/operator/promotions", typed(idempotency_key=key))
        assert answer.status_code == 303
    row = only()
    assert (row.code, row.percent, row.most_fen, row.threshold_fen, row.budget_fen) == ("PINGGUO", 10, 2000, 5000, 30_000)
    assert (row.scope, row.scope_values, row.platform_bps) == (Scope.CATEGORY, ["fruit-apple"], 6000)
    here = f"/operator/promotions/{row.public_id}"
    post(client, f"{here}/submission", {})
    post(client, f"{here}/approval", {})
    assert only().state is S.SUBMITTED and "自己做的不能自己批" in client.get(here).text

    other = app.test_client()
    factories.signed_in(other, "operator")
    assert post(other, f"{here}/return", {"why": ""}).status_code == 422
    post(other, f"{here}/return", {"why": "预算太大"})
    assert only().state is S.DRAFT and "预算太大" in other.get(here).text
    post(client, f"{here}/submission", {})
    post(other, f"{here}/approval", {})
    assert only().state is S.LIVE
    for step, state in (("pause", S.PAUSED), ("resumption", S.LIVE), ("end", S.ENDED), ("resumption", S.ENDED)):
        assert post(other, f"{here}/{step}", {}).status_code == 303
        assert only().state is state
    assert post(other, f"{here}/rubbish", {}).status_code == 404
    assert "秋苹果" in client.get("/operator/promotions").text


def test_a_draft_is_written_anew_and_whoever_did_that_does_not_approve_it(
    app: Flask, counter: Counter, client: FlaskClient
) -> None:
    maker, other = factories.signed_in(client, "operator"), app.test_client()
    changer = factories.signed_in(other, "operator")
    post(client, "/operator/promotions", typed(idempotency_key="k"))
    here = f"/operator/promotions/{only().public_id}"
    page = other.get(f"{here}/terms").text
    for shown in (
        'value="秋苹果"',
        'value="PINGGUO"',
        'value="20.00"',
        'value="300.00"',
        'value="60"',
        "fruit-apple</textarea>",
    ):
        assert shown in page, shown
    assert "已经用了多少单" in other.get(here).text
    promotion()
    refused = post(other, f"{here}/terms", typed(code="xinqiu", name="冬苹果"))
    assert refused.status_code == 422 and "已经有了" in refused.text and 'value="冬苹果"' in refused.text
    assert post(other, f"{here}/terms", typed(listings="nothing")).status_code == 422
    assert post(other, f"{here}/terms", typed(percent="")).status_code == 422
    assert (named("PINGGUO").name_zh, named("PINGGUO").made_by) == ("秋苹果", maker.id)

    for _twice in range(2):
        assert post(other, f"{here}/terms", typed(percent="15", most="", where="all", listings="")).status_code == 303

    row = named("PINGGUO")
    assert (row.percent, row.most_fen, row.scope, row.scope_values, row.made_by) == (15, None, Scope.ALL, [], changer.id)
    post(client, f"{here}/submission", {})
    assert post(other, f"{here}/terms", typed(percent="90")).location.endswith(here)
    assert other.get(f"{here}/terms").status_code == 303 and "只有草稿能改" in other.get(here).text
    post(other, f"{here}/approval", {})
    assert (named("PINGGUO").state, named("PINGGUO").percent) == (S.SUBMITTED, 15)
    post(client, f"{here}/approval", {})
    assert named("PINGGUO").state is S.LIVE


def named(code: str) -> Promotion:
    db.session.rollback()
    return db.session.scalars(select(Promotion).where(Promotion.code == code)).one()


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": ""}, "写上买家看到的名字"),
    ({"percent": ""}, "写上减多少"),
    ({"percent": "91"}, "1 到 90"),
    ({"kind": "amount"}, "写上减多少"),
    ({"kind": "free_shipping"}, "免运费只能省里全部承担"),
    ({"listings": "no-such"}, "查不到：no-such"),
    ({"listings": ""}, "写上编号"),
    ({"code": "a b!c"}, "字母和数字"),
    ({"budget": "abc"}, "39.80"),
    ({"last_day": "2020-01-01"}, "最后一天在第一天前面"),
    ({"last_day": "2199-01-01"}, "最长一年"),
    ({"platform_percent": "101"}, "0 到 100"),
    ({"code": "XINQIU"}, "已经有了"),
)


def test_what_is_wrong_is_said_and_nothing_is_made(counter: Counter, client: FlaskClient) -> None:
    promotion()
    factories.signed_in(client, "operator")
    for changes, said in WRONG:
        answer = post(client, "/operator/promotions", typed(idempotency_key="k") | changes)
        assert answer.status_code == 422 and said in answer.text, changes
    assert only().code == "XINQIU"


def test_a_sellers_own_goes_live_at_once_and_nobody_else_sees_it(app: Flask, counter: Counter, client: FlaskClient) -> None:
    seller = factories.signed_in(client, "seller")
    mine = factories.make_listing(seller_id=seller.id).code
    theirs = line_of(counter.order(apples=1)).listing_code
    form = typed(idempotency_key="k", listings=theirs, where="all", platform_percent="100")
    assert f"查不到：{theirs}" in post(client, "/seller/promotions", form).text
    answer = post(client, "/seller/promotions", form | {"listings": mine})
    row = only()
    assert answer.location.endswith(f"/seller/promotions/{row.public_id}")
    assert (row.seller_public_id, row.seller_bps, row.scope_values) == (seller.public_id, 10_000, [mine])
    assert post(client, f"/seller/promotions/{row.public_id}/terms", form | {"listings": theirs}).status_code == 422
    assert (
        post(client, f"/seller/promotions/{row.public_id}/terms", form | {"listings": mine, "percent": "7"}).status_code
        == 303
    )
    assert (only().percent, only().platform_bps, only().scope_values) == (7, 0, [mine])
    post(client, f"/seller/promotions/{row.public_id}/submission", {})
    assert only().state is S.LIVE
    assert post(client, f"/seller/promotions/{row.public_id}/approval", {}).status_code == 404

    other = app.test_client()
    factories.signed_in(other, "seller")
    assert other.get(f"/seller/promotions/{row.public_id}").status_code == 404
    assert post(other, f"/seller/promotions/{row.public_id}/end", {}).status_code == 404
    assert other.get(f"/seller/promotions/{row.public_id}/terms").status_code == 404
    assert post(other, f"/seller/promotions/{row.public_id}/terms", form | {"listings": ""}).status_code == 404
    assert other.get("/operator/promotions").status_code == 403
    reader = app.test_client()
    factories.signed_in(reader, "auditor")
    assert "秋苹果" in reader.get(f"/operator/promotions/{row.public_id}").text
    assert post(reader, f"/operator/promotions/{row.public_id}/end", {}).status_code == 403
    assert row_of(row.public_id).state is S.LIVE
