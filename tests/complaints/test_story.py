"""Goods are pointed out, the province decides, whoever spoke is told; a seller mends what is off sale and asks again."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from listings.complaints.models import Complaint, SecondLook
from listings.complaints.states import ComplaintState as C, LookState
from listings.models import Listing, Revision
from listings.states import ListingState as L, RevisionState as R
from marketplace.auditing import lives
from marketplace.auditing.checks import Difference, run
from marketplace.auditing.feedback import FEEDBACK
from marketplace.core import outbox
from marketplace.core.db import db
from marketplace.notifications.models import Message
from tests import factories
from tests.listings.selling import CONTENT, House, build, fresh
from tests.listings.test_offering import QINXIAN, post
from tests.orders.conftest import hidden
from tests.undone import Undone

SAID = {"fault": "untrue", "words": "包装上写的是去年的米"}


@pytest.fixture
def house(app: Flask) -> Iterator[House]:
    yield build(app)


def address(house: House) -> str:
    return f"/listings/{house.millet}/complaint"


def point_out(house: House, who: FlaskClient, **typed: str) -> TestResponse:
    key = hidden(who.get(address(house)), "idempotency_key")
    return post(who, address(house), {**SAID, "idempotency_key": key, **typed})


def operator(house: House) -> FlaskClient:
    client = house.browser()
    factories.signed_in(client, "operator")
    return client


def decide(house: House, who: FlaskClient, what: str, reason: str = "看过了") -> TestResponse:
    """Press the button of this decision as its page stands."""
    page = f"/operator/listings/{house.millet}"
    form = re.search(rf'action="{page}/{what}".*?name="seen" value="([^"]*)"', who.get(page).text, re.DOTALL)
    return post(who, f"{page}/{what}", {"seen": form[1] if form else "", "reason": reason})


def letters(fact: str) -> list[tuple[str, str]]:
    db.session.rollback()
    while outbox.deliver():
        pass
    db.session.rollback()
    rows = db.session.scalars(select(Message).where(Message.fact.like(f"{fact}%")).order_by(Message.id))
    return [(row.address, row.text) for row in rows]


def state(house: House) -> L:
    listing: Listing = fresh(Listing, code=house.millet)[0]
    return listing.state


def differences() -> list[Difference]:
    db.session.rollback()
    return found_now()


def found_now() -> list[Difference]:
    read = [*run(db.session.connection(), FEEDBACK), *lives.differences(db.session.connection())]
    return [each for each in read if not isinstance(each, str)]


def test_a_guest_and_a_buyer_point_out_the_province_takes_it_off_sale_and_both_are_told(house: House) -> None:
    guest, buyer = house.browser(), house.browser()
    person = factories.signed_in(buyer)
    phone = person.email
    assert f'href="{address(house)}"' in guest.get(f"/listings/{house.millet}").text
    assert point_out(house, guest, contact="Li@Example.cn").status_code == 303
    assert point_out(house, buyer, fault="unsafe").status_code == 303
    assert "你已经反映了这件货" in guest.get(address(house)).text and "你已经反映了这件货" in buyer.get(address(house)).text

    province = operator(house)
    queue = province.get("/operator/complaints").text
    assert "2 人反映" in queue and queue.count(house.millet) >= 1
    page = province.get(f"/operator/listings/{house.millet}").text
    assert page.count(SAID["words"]) == 2 and "不安全或变质" in page
    assert decide(house, province, "suspension", "陈米当新米卖").status_code == 303

    assert state(house) is L.SUSPENDED and [row.state for row in fresh(Complaint)] == [C.UPHELD] * 2
    told = "你反映的“沁州黄小米 当年新米”，省里已经下架。原因：陈米当新米卖。谢谢你留心。"
    assert letters("complaint_decided") == [("li@example.cn", told), (phone, told)]
    ((_to, seller_letter),) = letters("listing_suspended")
    assert f"/seller/listings/{house.millet}/suspension" in seller_letter and "包装" not in seller_letter
    assert "没有" in province.get("/operator/complaints").text and differences() == []


def test_nobody_points_the_same_goods_out_twice_while_the_province_looks(house: House) -> None:
    guest, buyer, other = house.browser(), house.browser(), house.browser()
    factories.signed_in(buyer)
    for who in (guest, buyer):
        key = hidden(who.get(address(house)), "idempotency_key")
        for _twice in range(2):  # one form sent twice is one word
            assert post(who, address(house), {**SAID, "idempotency_key": key}).status_code == 303
        with Undone().attempt() as seen_after:
            again = post(who, address(house), {**SAID, "idempotency_key": "another", "words": "再说一遍"})
        assert again.status_code == 422 and "你已经反映过了" in again.text and "再说一遍" in again.text
        assert seen_after.changed == set()
    assert len(fresh(Complaint)) == 2
    assert point_out(house, other, contact="13800138009").status_code == 303
    elsewhere = point_out(house, house.browser(), contact="138 0013 8009")
    assert elsewhere.status_code == 422 and len(fresh(Complaint)) == 3

    assert decide(house, operator(house), "dismissal", "确是新米").status_code == 303
    assert state(house) is L.PUBLISHED and {row.state for row in fresh(Complaint)} == {C.DISMISSED}
    told = "你反映的“沁州黄小米 当年新米”，省里看过了，不作处理。原因：确是新米"
    assert ("13800138009", told) in letters("complaint_decided")
    assert point_out(house, buyer).status_code == 303 and differences() == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"fault": ""}, "请选一项哪里不对"),
        ({"fault": "ugly"}, "请在这几个里选一个"),
        ({"words": " "}, "请写下你看到的情况"),
        ({"words": "米" * 501}, "500"),
        ({"contact": "li@"}, "不是"),
    ],
)
def test_what_is_missing_is_said_by_the_field_and_nothing_typed_is_lost(
    house: House, typed: dict[str, str], said: str
) -> None:
    guest = house.browser()
    answer = point_out(house, guest, **typed)
    assert answer.status_code == 422 and said in answer.text and fresh(Complaint) == []
    assert all(value in answer.text for name, value in {**SAID, **typed}.items() if name != "fault")


def test_a_guest_may_do_so_ten_times_an_hour(house: House) -> None:
    for _one in range(10):
        assert point_out(house, house.browser()).status_code == 303
    answer = point_out(house, house.browser())
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0 and SAID["words"] in answer.text
    assert len(fresh(Complaint)) == 10


def test_what_is_not_for_sale_and_ones_own_goods_cannot_be_pointed_out(house: House) -> None:
    own = point_out(house, house.seller)
    assert own.status_code == 422 and "这是你自己的货" in own.text
    assert house.browser().get("/listings/GNOTHING/complaint").status_code == 404
    fresh(Listing, code=house.millet)[0].state = L.SUSPENDED
    db.session.commit()
    assert post(house.browser(), address(house), SAID).status_code == 404 and fresh(Complaint) == []


def test_a_manager_points_out_at_the_desk_and_reads_what_was_decided(house: House) -> None:
    page = house.colleague.get("/station/complaints")
    assert "还没有" in page.text or "暂无" in page.text or page.status_code == 200
    typed = {**SAID, "idempotency_key": hidden(page, "idempotency_key")}
    wrong = post(house.colleague, "/station/complaints", {**typed, "goods": "G404"})
    assert wrong.status_code == 422 and "没有在卖的货是这个编号" in wrong.text and SAID["words"] in wrong.text
    said = post(house.colleague, "/station/complaints", {**typed, "goods": house.millet.lower()})
    assert said.status_code == 303
    again = post(house.colleague, "/station/complaints", {**typed, "goods": house.millet, "idempotency_key": "b"})
    assert again.status_code == 422 and "你已经反映过了" in again.text
    assert house.clerk.get("/station/complaints").status_code == 403

    province = operator(house)
    assert f"站点 {QINXIAN} 反映" in province.get(f"/operator/listings/{house.millet}").text
    decide(house, province, "dismissal", "看过样品")
    assert "看过样品" in house.colleague.get("/station/complaints").text
    for page_of in ("/seller", f"/seller/listings/{house.millet}/preview"):
        assert SAID["words"] not in house.seller.get(page_of).text


def test_the_province_dismisses_only_what_it_has_read(house: House) -> None:
    province = operator(house)
    point_out(house, house.browser())
    seen = fresh(Complaint)[0].public_id
    point_out(house, house.browser())
    post(province, f"/operator/listings/{house.millet}/dismissal", {"seen": seen, "reason": "看过了"})
    assert [row.state for row in fresh(Complaint)] == [C.DISMISSED, C.OPEN]
    for stale in (seen, "", "rubbish"):
        with Undone().attempt() as seen_after:
            post(province, f"/operator/listings/{house.millet}/dismissal", {"seen": stale, "reason": "看过了"})
        assert seen_after.changed == set()
    no_reason = post(province, f"/operator/listings/{house.millet}/dismissal", {"seen": seen, "reason": ""})
    assert no_reason.status_code == 422 and "写上原因" in no_reason.text


def test_a_seller_mends_suspended_goods_and_the_province_puts_them_back_as_mended(house: House) -> None:
    province = operator(house)
    decide(house, province, "suspension", "年份写错了")
    page = f"/seller/listings/{house.millet}/suspension"
    assert page in house.seller.get("/seller").text and "年份写错了" in house.seller.get(page).text
    assert house.edit(title="沁州黄小米 2025年米").status_code == 303
    shown = house.seller.get(page).text
    assert "沁州黄小米 2025年米" in shown
    assert (
        house.millet not in house.clerk.get("/station/listings").text
    )  # the station does not decide what the province keeps

    assert post(house.seller, f"/seller/listings/{house.millet}/second-look", {"words": ""}).status_code == 422
    assert post(house.seller, f"/seller/listings/{house.millet}/second-look", {"words": "年份改了"}).status_code == 303
    with Undone().attempt() as seen_after:
        post(house.seller, f"/seller/listings/{house.millet}/second-look", {"words": "再问"})
    assert seen_after.changed == set()
    assert "卖家申请复看" in province.get("/operator/complaints").text
    operators = province.get(f"/operator/listings/{house.millet}").text
    assert "年份改了" in operators and "沁州黄小米 2025年米" in operators

    assert decide(house, province, "second-look/refusal", "还要检测报告").status_code == 303
    assert fresh(SecondLook)[0].state is LookState.DECLINED and state(house) is L.SUSPENDED
    assert "还要检测报告" in house.seller.get(page).text and "还要检测报告" in letters("listing_kept_off_sale")[0][1]
    post(house.seller, f"/seller/listings/{house.millet}/second-look", {"words": "报告拿来了"})

    seen = re.search(
        r'/clearance".*?name="seen" value="([^"]*)"', province.get(f"/operator/listings/{house.millet}").text, re.S
    )
    house.edit(title="沁州黄小米 偷偷改的")  # after the province had read
    with Undone().attempt() as seen_after:
        post(province, f"/operator/listings/{house.millet}/clearance", {"seen": seen[1] if seen else "", "reason": "行"})
    assert seen_after.changed == set() and state(house) is L.SUSPENDED
    house.edit(title="沁州黄小米 2025年米")
    decide(house, province, "clearance", "报告看过")

    listing = fresh(Listing, code=house.millet)[0]
    assert (listing.state, listing.title_zh) == (L.PUBLISHED, "沁州黄小米 2025年米")
    assert [row.state for row in fresh(Revision)] == [R.ACCEPTED]
    assert [row.state for row in fresh(SecondLook)] == [LookState.DECLINED, LookState.GRANTED]
    assert "沁州黄小米 2025年米" in house.browser().get(f"/listings/{house.millet}").text
    assert house.seller.get(page).status_code == 404 and differences() == []


def test_a_seller_gives_suspended_goods_up(house: House) -> None:
    decide(house, operator(house), "suspension", "无证")
    house.edit(title=f"{CONTENT['title']}二")
    post(house.seller, f"/seller/listings/{house.millet}/second-look", {"words": "看看"})
    assert post(house.seller, f"/seller/listings/{house.millet}/suspended-removal", {}).status_code == 303
    assert state(house) is L.ARCHIVED and fresh(SecondLook)[0].state is LookState.DROPPED
    assert fresh(Revision)[0].state is R.REJECTED
    with Undone().attempt() as seen_after:
        post(house.seller, f"/seller/listings/{house.millet}/second-look", {"words": "看看"})
    assert seen_after.changed == set() and differences() == []


@pytest.mark.parametrize(
    ("check", "sql"),
    [
        ("what is pointed out is decided by the province", "UPDATE listing_complaint SET answer = 'x'"),
        ("what is pointed out is decided by the province", "UPDATE listing_second_look SET answer = 'x'"),
        (
            "only a seller asks for a second look at suspended goods",
            "UPDATE listing SET seller_id = 1 + (SELECT MIN(id) FROM person)",
        ),
        ("states have traces", "UPDATE listing_complaint SET state = 'dismissed'"),
        ("states have traces", "UPDATE listing_second_look SET state = 'granted'"),
    ],
)
def test_the_audit_finds_what_was_tampered_with(house: House, check: str, sql: str) -> None:
    province = operator(house)
    point_out(house, house.browser())
    decide(house, province, "suspension")
    post(house.seller, f"/seller/listings/{house.millet}/second-look", {"words": "看看"})
    decide(house, province, "second-look/refusal")
    assert differences() == []
    db.session.execute(text(sql))
    assert check in {each.check for each in found_now()}
    db.session.rollback()


def test_the_database_itself_refuses_a_second_open_word_of_one_person(house: House) -> None:
    buyer = house.browser()
    factories.signed_in(buyer)
    point_out(house, buyer)
    row = fresh(Complaint)[0]
    same = {
        column.key: getattr(row, column.key)
        for column in Complaint.__table__.columns
        if column.key not in {"id", "public_id"}
    }
    db.session.add(Complaint(**same))
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()
