"""Packing sheets and labels: what is to go into each parcel, in a fixed number of statements."""

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from marketplace.core.db import db, in_transaction
from marketplace.orders import desk, fulfilment, refunding
from marketplace.orders.papers import labels, packing
from marketplace.orders.papers.packing import By
from marketplace.orders.states import ParcelState as S
from tests import factories
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, parcels
from tests.orders.refunding import box, clerk_of
from tests.receiving.conftest import accepted, bring

Counter = Callable[[], AbstractContextManager[list[str]]]


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_sheets_say_what_goes_where(shop: Shop) -> None:
    clerk, first = clerk_of(shop), accepted(shop, apples=3, millet=1)
    second = accepted(shop, apples=1)
    in_transaction(refunding.refund_units, parcel=(mine := box(first)).public_id, station=JIXIAN, actor="clerk",
                   units={parcels(first)[0].lines[0].public_id: 1}, with_shipping=False, reason="少一箱")  # fmt: skip
    assert mine.order == first
    bring(shop, came=2)

    by_seller = clerk.get("/station/sheets/seller")
    assert by_seller.status_code == 200 and "冯建国家" in by_seller.text and "× <strong>3</strong>" in by_seller.text
    assert "沁州黄小米" not in by_seller.text and "郭" not in by_seller.text
    by_buyer = clerk.get("/station/sheets/buyer").text
    assert f"{first}  郭** 138****2045" in by_buyer and second in by_buyer and "13835172045" not in by_buyer
    by_shelf = clerk.get("/station/sheets/station").text
    assert by_shelf.count("还没到") == 1
    heads, one, two = rows_of(clerk.get("/station/sheets/seller.csv").text)
    assert heads[:4] == ["分组", "包裹", "货架", "农户"] and len(heads) == 9
    assert [one[1], one[6], two[1], two[6]] == [f"{first}-1", "2", f"{second}-1", "1"]
    assert clerk.get("/station/sheets/colour").status_code == clerk.get("/station/sheets/colour.csv").status_code == 404
    assert first not in clerk_of(shop, QINXIAN).get("/station/sheets/seller.csv").text.replace(f"{first}-2", "")


def test_two_growers_of_one_name_are_two_on_the_sheet(shop: Shop) -> None:
    """What each has to bring is added up for each."""
    clerk, _first = clerk_of(shop), accepted(shop, apples=3)
    namesake = factories.make_person("seller").id
    shop.apples = factories.make_variant(factories.make_listing(seller_id=namesake)).code
    accepted(shop, apples=1)

    found = packing.groups(db.session(), JIXIAN, By.SELLER)

    assert [group.heading for group in found] == ["冯建国家"] * 2
    assert sorted(packs for group in found for _title, _unit, packs in group.totals) == [1, 3]
    assert clerk.get("/station/sheets/seller").text.count("<h2>冯建国家</h2>") == 2


@pytest.mark.full
def test_sheets_and_labels_take_the_same_statements_for_any_number(shop: Shop, count_statements: Counter) -> None:
    clerk_of(shop)
    for _number in range(2):
        accepted(shop, apples=1)
    sent_for: list[list[int]] = []
    for _round in range(2):
        db.session.rollback()
        counted = []
        for read in (
            lambda: packing.groups(db.session(), JIXIAN, By.BUYER),
            lambda: labels.to_print(db.session(), JIXIAN, (S.ACCEPTED,)),
        ):
            with count_statements() as sent:
                read()
            counted.append(len(sent))
        sent_for.append(counted)
        accepted(shop, apples=2)
    assert sent_for[0] == sent_for[1] == [2, 7]


@pytest.mark.full
def test_labels_of_all_that_are_being_packed(shop: Shop) -> None:
    clerk, other = clerk_of(shop), clerk_of(shop, QINXIAN)
    assert "这里没有等着的" in clerk.get("/station/labels").text
    assert clerk.get("/station/labels.pdf").status_code == 404
    numbers = [accepted(shop, apples=1) for _number in range(2)]
    bring(shop)
    in_transaction(fulfilment.pack, parcel=box(numbers[0]).public_id, station=JIXIAN, actor="person:1", shelf="B-03")

    page = clerk.get("/station/labels").text

    assert page.count('class="slip"') == 2 == page.count("<svg") and all(f"{number}-1" in page for number in numbers)
    assert "B-03" in page and "平阳路 128 号" in page and "郭晓芸" in page and "138****2045" in page
    assert 'class="slip"' not in other.get("/station/labels").text
    one = clerk.get(f"/station/parcels/{box(numbers[1]).public_id}/label").text
    assert one.count('class="slip"') == 1 and f"{numbers[1]}-1" in one


def test_no_label_is_missing_where_there_are_more_than_fit_one_print(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = clerk_of(shop)
    assert "/station/labels" not in clerk.get("/station/sheets").text
    numbers = [accepted(shop, apples=1) for _number in range(3)]
    bring(shop)
    monkeypatch.setattr(labels, "MOST", 2)

    prints = re.findall(r'href="(/station/labels\?first=[^"]*)"', clerk.get("/station/sheets").text)

    pages = [clerk.get(path).text for path in prints]
    assert [page.count('class="slip"') for page in pages] == [2, 1] and "第 3 到 3 张，共 3 张" in pages[1]
    assert all(f"{number}-1" in "".join(pages) for number in numbers)
    assert {clerk.get(f"/station/labels?first={first}").status_code for first in ("0", "2", "９", "1e9", "9" * 30)} == {404}


def test_a_queue_says_what_it_leaves_out_and_the_pick_list_leaves_out_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, numbers = clerk_of(shop), [accepted(shop, apples=1) for _number in range(3)]
    assert "最急的" not in clerk.get("/station/queues/collection").text
    monkeypatch.setattr(desk, "LONGEST", 2)

    queue = clerk.get("/station/queues/collection").text

    assert "一共 3 件，这里是最急的 2 件" in queue and f"{numbers[2]}-1" not in queue
    assert all(f"{number}-1" in clerk.get("/station/pick-list").text for number in numbers)


@pytest.mark.full
def test_labels_are_typeset(shop: Shop) -> None:
    clerk = clerk_of(shop)
    accepted(shop, apples=1)
    bring(shop)

    answer = clerk.get("/station/labels.pdf")

    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF-")
