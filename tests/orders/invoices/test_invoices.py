"""Invoices: asked for by the buyer, issued by each grower and station for what was paid to them, told to the buyer."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from marketplace.orders import refunding, settlement
from marketplace.orders.invoices import requesting
from marketplace.orders.invoices.models import Invoice, InvoiceRequest
from marketplace.orders.invoices.requesting import Wanted
from marketplace.orders.invoices.states import InvoiceKind, InvoiceState as I, Issuer
from marketplace.orders.invoices.tax_numbers import is_possible
from marketplace.orders.states import ParcelState as S
from tests import factories
from tests.orders.conftest import JIXIAN, QINXIAN, get, post
from tests.orders.promotions.conftest import WHO, Counter
from tests.orders.promotions.promoting import line_of, move, pay, promotion

COMPANY = {
    "invoice_kind": "company",
    "invoice_title": "太原某某公司",
    "tax_number": "91350100M000100Y43",
    "invoice_email": "a@b.cn",
}
PERSON = Wanted(InvoiceKind.PERSONAL, "郭晓芸", "guo@example.test")


def found(number: str) -> dict[tuple[str, str], Invoice]:
    db.session.rollback()
    mine = select(Invoice).join(InvoiceRequest).where(InvoiceRequest.order_number == number)
    return {(row.issuer_kind.value, row.issuer): row for row in db.session.scalars(mine)}


def remembered(client: FlaskClient, number: str) -> FlaskClient:
    post(client, "/orders/find", {"number": number, "phone": WHO.phone})
    return client


def seller_client(app: Flask, number: str) -> FlaskClient:
    client = app.test_client()
    whose = line_of(number).seller_public_id
    factories.sign_in_as(client, db.session.scalars(select(Person).where(Person.public_id == whose)).one())
    return client


@pytest.fixture
def paid(counter: Counter) -> str:
    """Three boxes of apples with ¥10.00 off and one of millet; shipping ¥10.00 and ¥6.00."""
    promotion()
    number = counter.order(code="XINQIU", apples=3, millet=1)
    pay(number)
    return number


@pytest.mark.parametrize(
    ("number", "is_right"),
    [
        ("91350100M000100Y43", True),  # the example of GB 32100-2015
        ("91350100M000100Y42", False),
        ("91350100M000100I43", False),  # I is not used
        ("140100123456789", True),
        ("14010012345678", False),
        ("14010012345678901234", True),
        ("140100123456789012345", False),
        ("140100-12345678", False),
    ],
)
def test_tax_numbers(number: str, is_right: bool) -> None:
    assert is_possible(number) is is_right


def test_each_issuer_sees_what_was_paid_for_their_part_and_the_buyer_is_told(
    app: Flask, client: FlaskClient, paid: str
) -> None:
    buyer = remembered(client, paid)
    assert post(buyer, f"/orders/{paid}/invoice", COMPANY | {"tax_number": "123"}).status_code == 422
    form = COMPANY | {"idempotency_key": "k"}
    assert [post(buyer, f"/orders/{paid}/invoice", form).status_code for _twice in range(2)] == [303, 303]
    assert post(buyer, f"/orders/{paid}/invoice", COMPANY | {"idempotency_key": "other"}).status_code == 409
    seller = line_of(paid).seller_public_id
    assert len(found(paid)) == 4 and {("station", JIXIAN), ("station", QINXIAN), ("seller", seller)} <= set(found(paid))

    desk = seller_client(app, paid)
    page = desk.get("/seller/invoices").text
    assert paid in page and "91350100M000100Y43" in page and "¥54.89" in page  # 59.97 less its part of the ten yuan
    mine = found(paid)["seller", seller].public_id
    assert post(desk, f"/seller/invoices/{mine}/issue", {"number": "no"}).status_code == 422
    assert post(desk, f"/seller/invoices/{mine}/issue", {"number": "26142000000012345678"}).status_code == 303
    row = found(paid)["seller", seller]
    assert (row.state, row.number, row.fen) == (I.ISSUED, "26142000000012345678", 5489)
    assert "26142000000012345678" in buyer.get(f"/orders/{paid}/invoice").text
    assert any("26142000000012345678" in each for each in db.session.scalars(select(Message.text)))

    station = app.test_client()
    factories.signed_in(station, "station_manager", station=JIXIAN)
    page = station.get("/station/invoices").text
    assert "¥10.00" in page and "¥54.89" not in page
    theirs = found(paid)["station", JIXIAN].public_id
    assert post(station, f"/station/invoices/{mine}/issue", {"number": "26142000000012345678"}).status_code == 404
    assert post(station, f"/station/invoices/{theirs}/refusal", {"reason": "快递公司开"}).status_code == 303
    assert found(paid)["station", JIXIAN].state is I.DECLINED
    clerk = app.test_client()
    factories.signed_in(clerk, "station_clerk", station=JIXIAN)
    assert clerk.get("/station/invoices").status_code == 403


def test_after_a_refund_the_invoice_is_void_and_issued_anew(app: Flask, paid: str) -> None:
    in_transaction(requesting.request, number=paid, wanted=PERSON, actor="guest")
    seller, desk = line_of(paid).seller_public_id, seller_client(app, paid)
    mine = found(paid)["seller", seller].public_id
    post(desk, f"/seller/invoices/{mine}/issue", {"number": "26142000000000000001"})
    move(paid, S.DELIVERED)
    line = line_of(paid)
    given: dict[str, Any] = {"parcel": line.parcel.public_id, "units": {line.public_id: 1}, "with_shipping": False}
    in_transaction(refunding.refund_units, **given, station=None, reason="坏了", actor="clerk")

    assert "请把这张作废，重开一张 ¥36.59" in desk.get("/seller/invoices").text
    post(desk, f"/seller/invoices/{mine}/annulment", {"reason": "退了一箱"})
    post(desk, f"/seller/invoices/{mine}/issue", {"number": "26142000000000000002"})
    row = found(paid)["seller", seller]
    assert (row.state, row.number, row.fen, row.reason) == (I.ISSUED, "26142000000000000002", 3659, "")
    answer = post(desk, f"/seller/invoices/{mine}/refusal", {"reason": "不开了"})
    assert answer.status_code == 303 and found(paid)["seller", seller].state is I.ISSUED

    in_transaction(
        refunding.refund_units, **given | {"units": {line.public_id: 2}}, station=None, reason="都坏了", actor="clerk"
    )
    page = desk.get("/seller/invoices").text
    assert "后来全退了，请把这张作废。" in page and "¥0.00。" not in page
    post(desk, f"/seller/invoices/{mine}/annulment", {"reason": "都退了"})
    page = desk.get("/seller/invoices").text
    assert "钱全退了，不用开票。" in page and f"/seller/invoices/{mine}/issue" not in page


def test_names_are_encrypted(paid: str) -> None:
    in_transaction(requesting.request, number=paid, wanted=PERSON, actor="guest")
    kept = db.session.execute(text("SELECT title, tax_number, email FROM invoice_request")).one()
    assert not any("郭晓芸" in each or "guo@" in each for each in kept)
    read = db.session.scalars(select(InvoiceRequest)).one()
    assert (read.title, read.tax_number, read.email) == ("郭晓芸", "", "guo@example.test")


def test_not_before_it_is_paid_and_not_for_ever(app: Flask, counter: Counter) -> None:
    number = counter.order(apples=3)
    in_transaction(requesting.request, number=number, wanted=PERSON, actor="guest")
    assert number not in seller_client(app, number).get("/seller/invoices").text

    later = counter.order(apples=3, phone="13935172046")
    pay(later)
    in_transaction(settlement.confirm, number=later, parcel=move(later, S.DELIVERED), actor="buyer")
    with time_machine.travel(clock.now() + timedelta(days=29), tick=False):
        assert requesting.may_be_requested(db.session(), get(later))
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False), pytest.raises(requesting.TooLateForInvoice):
        in_transaction(requesting.request, number=later, wanted=PERSON, actor="guest")
    assert found(later) == {} and Issuer.SELLER.value == "seller"


def test_presents_have_their_card_and_their_mark(app: Flask, client: FlaskClient, counter: Counter) -> None:
    number = counter.order(apples=3)
    order = get(number)
    order.is_gift, order.gift_message = True, "姥姥生日快乐"
    db.session.commit()
    pay(number)
    parcel = move(number, S.COLLECTING)
    factories.signed_in(client, "station_clerk", station=JIXIAN)
    assert "姥姥生日快乐" in client.get("/station/gift-cards").text
    assert "送人的：不放价钱" in client.get("/station/sheets/seller").text
    labels = client.get("/station/labels").text
    assert "送人的：不放价钱" in labels and "¥" not in labels and parcel
    assert "姥姥" not in str(db.session.scalar(text('SELECT gift_message FROM "order"')))
