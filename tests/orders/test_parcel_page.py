"""What a parcel tells whoever holds it: its label, its public page, when it is late, until when something bad is paid."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from listings.models import Listing
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.orders.models import Parcel
from marketplace.orders.states import ParcelState as S
from tests.factories import make_person, sign_in_as, signed_in
from tests.orders.conftest import JIXIAN, QINXIAN, RECIPIENT, Shop, parcels, post


def packed(shop: Shop) -> Parcel:
    """A parcel that 白建伟 of Jixian packed."""
    clerk = shop.browser()
    sign_in_as(clerk, make_person("station_clerk", station=JIXIAN, name="白建伟"))
    (parcel,) = parcels(shop.paid_order(shop.browser(), apples=2))
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "B-03"})):
        assert post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data).status_code == 303
    return parcels(parcel.order.number)[0]


def test_a_stranger_learns_where_it_comes_from_and_nothing_of_whom_it_is_for(shop: Shop) -> None:
    db.session.execute(update(Listing).values(origin_village_zh="东城乡柏东村"))
    db.session.commit()
    parcel = packed(shop)

    page = shop.browser().get(f"/parcels/{parcel.public_id}")

    assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
    assert "这箱从吉县站来" in page.text and "东城乡柏东村" in page.text and "0351-555-0100" in page.text
    assert "48 小时内拍张照" in page.text
    number = parcel.order.number
    told = [number, *RECIPIENT.values(), "1383517", "2045", "小店区", "平阳路"]
    assert not [words for words in told if words in page.text and words != "140000"]


def test_staff_of_the_station_go_on_to_its_next_step_and_others_do_not(shop: Shop) -> None:
    parcel = packed(shop)
    here, there = shop.browser(), shop.browser()
    signed_in(here, "station_clerk", station=JIXIAN)
    signed_in(there, "station_clerk", station=QINXIAN)

    assert here.get(f"/parcels/{parcel.public_id}").headers["Location"] == f"/station/parcels/{parcel.public_id}"
    assert there.get(f"/parcels/{parcel.public_id}").status_code == 200
    scanned = here.get(f"/station/parcels?code=http://shop.example/parcels/{parcel.public_id}")
    assert scanned.headers["Location"] == f"/station/parcels/{parcel.public_id}"


@pytest.mark.parametrize("way", ["/station/parcels", "/station/refunds"])
def test_a_label_is_found_as_chinese_keyboards_type_it(shop: Shop, way: str) -> None:
    parcel, clerk = packed(shop), shop.browser()
    signed_in(clerk, "station_manager", station=JIXIAN)
    label = f"{parcel.order.number}-1"
    wide = "".join("－" if letter == "-" else chr(ord(letter) + 0xFEE0) for letter in label)

    for typed in (label, label.lower(), wide, f"　{wide[:5]} {wide[5:]} "):
        answer = clerk.get(way, query_string={"code": typed})
        assert answer.status_code == 302 and parcel.public_id in answer.headers["Location"], typed


def test_the_buyer_is_led_to_the_order(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=1)
    page = buyer.get(f"/parcels/{parcels(number)[0].public_id}").text

    assert f'href="/orders/{number}"' in page


@pytest.mark.parametrize("code", ["0123456789abcdef", "%00", "x" * 200])
def test_a_code_of_no_parcel_is_not_found(shop: Shop, code: str) -> None:
    assert shop.browser().get(f"/parcels/{code}").status_code == 404


def test_a_parcel_nobody_paid_for_has_no_page(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    (parcel,) = parcels(shop.order(buyer))

    assert buyer.get(f"/parcels/{parcel.public_id}").status_code == 404


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_label_is_whole_and_in_chinese_whoever_prints_it(shop: Shop, language: str) -> None:
    parcel = packed(shop)
    clerk = shop.browser()
    signed_in(clerk, "station_manager", station=JIXIAN)
    clerk.set_cookie("lang", language)

    page = clerk.get(f"/station/parcels/{parcel.public_id}/label").text

    day = clock.today()
    assert 'lang="zh-CN"' in page and f'<span>吉县站</span><span class="nowrap">{parcel.order.number}-1</span>' in page
    assert "净重 5 kg</p>" in page and f"批次 {JIXIAN}-{day:%y%m%d}" in page
    assert re.search(rf"打包 {day.month}月{day.day}日 \d\d:\d\d 白</p>", page)
    assert "郭晓芸" in page and "138****2045" in page and "山西省 太原 小店区 平阳路 128 号" in page
    assert "坏了？48 小时内拍照，打 0351-555-0100，按斤赔。" in page
    drawn = re.search(r"<svg[^>]*>", page)
    assert drawn and 'viewBox="0 0 ' in drawn[0] and "width" not in drawn[0]
    assert "Shelf" not in page and "Packed" not in page


def test_something_bad_can_be_claimed_for_48_hours(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=1)
    arrived = clock.now()
    db.session.execute(update(Parcel).values(state=S.DELIVERED, delivered_at=arrived))
    db.session.commit()

    for hours, says in ((0.5, "还有 47 小时"), (47.5, "不到 1 小时了"), (48.5, "")):
        with time_machine.travel(arrived + timedelta(hours=hours), tick=False):
            page = buyer.get(f"/orders/{number}").text
        assert ("<h3>坏了要赔</h3>" in page) is bool(says) and says in page
    assert 'href="tel:03515550100"' in page and "/cases/new" not in page


@pytest.mark.parametrize(
    ("state", "says"),
    [(S.ACCEPTED, "发不了的全额退"), (S.SHIPPED, "站里向快递查这一单"), (S.DELIVERED, ""), (S.READY_FOR_PICKUP, "")],
)
def test_what_is_late_says_what_happens_next(shop: Shop, state: S, says: str) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=1)
    db.session.execute(update(Parcel).values(state=state, promised_by=clock.today() - timedelta(days=1)))
    db.session.commit()
    late = buyer.get(f"/orders/{number}").text
    db.session.execute(update(Parcel).values(promised_by=clock.today()))
    db.session.commit()

    assert ("晚了" in late) is bool(says) and says in late
    assert "晚了" not in buyer.get(f"/orders/{number}").text
