"""The desk's form of a refund: looked at before it is sent, and whatever is wrong is said beside what was typed."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from marketplace.orders import fulfilment, refunded, settlement
from marketplace.orders.forms import refund_form
from marketplace.payments.models import Refund
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, balances, differences, hidden, parcels, post
from tests.orders.refunding import Box, address, ask, bounce, box, clerk_of, deliver, form_for, lines_of, refund

GIVEN_BACK = {"gateway_clearing": 8560, "refund_in_transit": -4280, "seller_held": -3662, "station_held": -618}


def refunds() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Refund)) or 0


def told() -> list[str]:
    while outbox.deliver() or outbox.deliver_slow():
        pass
    db.session.rollback()
    return list(db.session.scalars(select(Message.text).order_by(Message.id)))


@pytest.fixture
def delivered(shop: Shop) -> Box:
    return deliver(shop, clerk_of(shop), shop.paid_order(shop.browser(), apples=2))


def test_the_sum_is_said_then_it_is_sent_once_and_the_buyer_reads_why(shop: Shop) -> None:
    buyer, clerk = shop.browser(), clerk_of(shop)
    parcel = deliver(shop, clerk, number := shop.paid_order(buyer, apples=2))
    assert f'href="{address(parcel)}"' in clerk.get(f"/station/parcels/{parcel.public_id}").text
    page = clerk.get(address(parcel)).text
    assert "每件 ¥39.80，还能退 2 件" in page and "剩下的全退：¥85.60" in page and "退款不会把货放回架上" in page

    data = form_for(clerk, parcel, 1, with_shipping="y")
    check = post(clerk, address(parcel), data)
    assert check.status_code == 200 and refunds() == 0
    assert "退款 ¥42.80，对吗？" in check.text and "其中农户出</th><td>¥36.62" in check.text
    assert "其中站里出</th><td>¥6.18" in check.text and "买家会看到：两箱冻坏了" in check.text
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', check.text))
    for _press in range(2):
        assert post(clerk, address(parcel), carried | {"action": "send"}).status_code == 303

    assert refunds() == 1 and balances(number) == GIVEN_BACK
    page = clerk.get(f"/station/parcels/{parcel.public_id}").text
    assert "2 件里退了 1 件" in page
    assert "退款在路上" in clerk.get("/station/refunds").text
    page = buyer.get(f"/orders/{number}").text
    assert "退款 ¥42.80" in page and "5斤箱 × 1</span>、运费 ¥3.00" in page and "两箱冻坏了" in page and "钱正在退回" in page
    shop.work()
    assert told() == [f"订单 {number}：退给你 ¥42.80（吉县红富士苹果 × 1、运费 ¥3.00），钱已经在路上。原因：两箱冻坏了"]
    assert differences(shop) == []


def test_the_buyer_is_told_in_their_language_whichever_the_clerk_speaks(shop: Shop) -> None:
    buyer, clerk = shop.browser(), clerk_of(shop)
    buyer.set_cookie("lang", "en")
    parcel = deliver(shop, clerk, number := shop.paid_order(buyer, apples=2))

    assert refund(clerk, parcel, 1, with_shipping="y").status_code == 303
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        letters = told()

    goods = "Jixian Fuji apples × 1, shipping ¥3.00"
    assert letters == [
        f"Order {number}: ¥42.80 is on its way back to you, for {goods}. Reason: 两箱冻坏了",
        f"Order {number}: ¥42.80 was refunded to where you paid from, for {goods}.",
    ]
    assert "It was refunded to where you paid from." in buyer.get(f"/orders/{number}").text


def test_what_arrived_and_what_did_not_is_said_to_both(shop: Shop) -> None:
    buyer, clerk = shop.browser(), clerk_of(shop)
    parcel = deliver(shop, clerk, number := shop.paid_order(buyer, apples=2))
    bounce(shop, ask(parcel, 1))

    assert "有 1 笔退款没退成" in clerk.get("/station").text
    assert "钱又退回到我们这里了" in clerk.get("/station/refunds").text
    assert "没退成，我们在查，你不用管" in buyer.get(f"/orders/{number}").text
    assert told()[-1] == f"订单 {number}：退款 ¥42.80 没退成，我们在查。"

    assert refund(clerk, parcel, 1, with_shipping="y").status_code == 303
    assert "没退成，请看一下" not in clerk.get("/station").text and refunds() == 2


def test_what_fails_after_another_refund_of_its_line_was_asked_for_waits_as_well(shop: Shop) -> None:
    clerk = clerk_of(shop)
    parcel = deliver(shop, clerk, shop.paid_order(shop.browser(), apples=3))
    first, second = ask(parcel, 1), ask(parcel, 1)
    bounce(shop, first)

    assert "有 1 笔退款没退成" in clerk.get("/station").text
    found = refunded.lately(db.session(), JIXIAN).rows
    assert [(each.public_id, each.waits) for each in found] == [(first, True), (second, False)]
    assert refund(clerk, parcel, 1).status_code == 303
    assert "没退成" not in clerk.get("/station").text
    other = deliver(shop, clerk, shop.paid_order(shop.browser(), apples=1))
    bounce(shop, ask(other, 1))  # what fails later elsewhere brings nothing back
    assert [each.waits for each in refunded.lately(db.session(), JIXIAN).rows] == [True, False, False, False]


def test_refunds_go_on_where_the_page_ended(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunded, "PAGE", 2)
    clerk = clerk_of(shop)
    parcel = deliver(shop, clerk, shop.paid_order(shop.browser(), apples=4))
    made = [ask(parcel, 1)]
    bounce(shop, made[0])
    other = deliver(shop, clerk, shop.paid_order(shop.browser(), apples=4))
    made += [ask(other, 1) for _time in range(3)]

    first = refunded.lately(db.session(), JIXIAN)
    second = refunded.lately(db.session(), JIXIAN, first.next)

    assert [each.public_id for each in first.rows] == [made[0], made[3]]  # what waits for a person comes first
    assert ([each.public_id for each in second.rows], second.next) == ([made[2], made[1]], "")
    assert [each.public_id for each in refunded.lately(db.session(), None, first.next).rows] == [made[2], made[1]]
    assert refunded.lately(db.session(), QINXIAN).rows == []
    page = clerk.get("/station/refunds").text
    assert f'href="/station/refunds?before={first.next}"' in page
    assert "看更早的" in page and "看更早的" not in clerk.get(f"/station/refunds?before={first.next}").text


WRONG = {
    "3": "填 0 到 2 之间的数",
    "-1": "填 0 到 2 之间的数",
    "九": "请填整数，比如 2",
    "1.5": "请填整数，比如 2",
    "9" * 5000: "请填整数，比如 2",
    "": "写清楚要退几件",
    "0": "写清楚要退几件",
}


def test_what_is_no_number_of_units_is_said_beside_it(shop: Shop, delivered: Box) -> None:
    clerk = clerk_of(shop)
    for units, said in WRONG.items():
        answer = post(clerk, address(delivered), form_for(clerk, delivered, units))

        assert answer.status_code == 422 and said in answer.text
        assert f'value="{units}"' in answer.text and 'value="两箱冻坏了"' in answer.text
    assert refunds() == 0


def test_a_reason_is_needed_and_fits(shop: Shop, delivered: Box) -> None:
    clerk = clerk_of(shop)
    for reason, said in (("", "写清楚为什么退"), ("坏" * 121, "最多")):
        answer = post(clerk, address(delivered), form_for(clerk, delivered, 1, reason=reason))
        assert answer.status_code == 422 and said in answer.text and 'value="1"' in answer.text
        assert (
            post(clerk, address(delivered), form_for(clerk, delivered, 1, reason=reason, action="send")).status_code == 422
        )
    assert refunds() == 0


def test_who_decided_on_an_older_page_looks_again(shop: Shop, delivered: Box) -> None:
    """Two tabs: the second would refund the same box once more."""
    clerk = clerk_of(shop)
    first, second = (form_for(clerk, delivered, 1) for _tab in range(2))
    assert post(clerk, address(delivered), first | {"action": "send"}).status_code == 303

    for action in ("send", "check"):
        answer = post(clerk, address(delivered), second | {"action": action})
        assert answer.status_code == 409 and "刚才又退过一笔" in answer.text and "还能退 1 件" in answer.text
    assert refunds() == 1
    seen = hidden(answer, "seen")
    assert post(clerk, address(delivered), second | {"action": "send", "seen": seen}).status_code == 303
    assert refunds() == 2 and "剩下的全退：¥6.00" in clerk.get(address(delivered)).text


def test_the_same_form_changed_and_sent_again_is_the_first_one(shop: Shop, delivered: Box) -> None:
    clerk = clerk_of(shop)
    data = form_for(clerk, delivered, 2, action="send")
    for _press in range(2):
        assert post(clerk, address(delivered), data).status_code == 303
    assert "后来改的没算进去" not in clerk.get(address(delivered)).text

    assert post(clerk, address(delivered), data | {"reason": "另一个"}).status_code == 303
    assert "后来改的没算进去" in clerk.get(address(delivered)).text and refunds() == 1


def test_everything_that_is_left_and_a_change_of_mind(shop: Shop, delivered: Box) -> None:
    clerk = clerk_of(shop)
    data = form_for(clerk, delivered, 0, action="everything")
    check = post(clerk, address(delivered), data)
    assert "退款 ¥85.60，对吗？" in check.text
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', check.text))

    page = post(clerk, address(delivered), carried | {"action": "change"})
    assert page.status_code == 200 and 'value="两箱冻坏了"' in page.text and 'name="everything"' not in page.text
    assert (
        "退款 ¥39.80，对吗？"
        in post(clerk, address(delivered), data | {f"units-{lines_of(delivered)[0]}": 1, "action": "check"}).text
    )
    for _press in range(2):
        assert post(clerk, address(delivered), carried | {"action": "send"}).status_code == 303

    assert refunds() == 1
    assert balances(delivered.order) == {"gateway_clearing": 8560, "refund_in_transit": -8560}
    in_transaction(settlement.confirm, number=delivered.order, parcel=delivered.public_id, actor="buyer")
    assert differences(shop) == []


def test_it_is_for_the_parcels_own_station_and_the_province(shop: Shop, delivered: Box) -> None:
    stranger, seller, other, operator = (shop.browser() for _each in range(4))
    signed_in(seller, "seller")
    signed_in(other, "station_manager", station=QINXIAN)
    signed_in(operator, "operator")
    data = form_for(operator, delivered, 1, action="send")
    assert "全省" in operator.get("/station/refunds").text

    assert "/sign-in" in stranger.get(address(delivered)).headers["Location"]
    assert seller.get(address(delivered)).status_code == post(seller, address(delivered), data).status_code == 403
    assert other.get(address(delivered)).status_code == post(other, address(delivered), data).status_code == 404
    assert refunds() == 0
    assert post(operator, address(delivered), data).status_code == 303
    assert refunds() == 1 and f"{delivered.order}-1" in operator.get("/station/refunds").text
    assert f"{delivered.order}-1" not in other.get("/station/refunds").text
    for client, status in ((operator, 302), (other, 404)):
        answer = client.get("/station/refunds", query_string={"code": f"{delivered.order}-1"})
        assert answer.status_code == status
        assert answer.headers.get("Location") == (address(delivered) if status == 302 else None)
    assert "没有这个号码的包裹" in answer.text


def test_what_stays_behind_is_not_packed(shop: Shop) -> None:
    clerk = clerk_of(shop)
    parcel = box(shop.paid_order(shop.browser(), apples=3))
    assert "这样就没有东西可发了" in refund(clerk, parcel, 3).text
    assert refund(clerk, parcel, 1).status_code == 303
    in_transaction(fulfilment.accept, parcel=parcel.public_id, station=None, actor="clerk")

    assert "× 2" in clerk.get("/station/pick-list").text and "× 3" not in clerk.get("/station/pick-list").text
    assert "拒单，退款 ¥79.60" in clerk.get(f"/station/parcels/{parcel.public_id}").text
    assert parcels(parcel.order)[0].lines[0].refunded_quantity == 1


def test_what_the_page_carries_of_many_lines_is_not_too_long(app: Flask) -> None:
    """Twenty lines of a canteen's parcel: nobody could mend a hidden field by hand."""
    seen = ".".join(["12-120000-1500"] * 20)
    with app.test_request_context():
        form = refund_form([], MultiDict({"seen": seen, "reason": "运输中压坏"}), seen="")
        form.validate()
        assert (form.seen.errors, form.seen.data) == ([], seen)
