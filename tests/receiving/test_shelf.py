"""The pickup shelf: the buyer's code finds their parcel at this station only, one press hands it over."""

import pytest

from marketplace.core.db import in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.states import ParcelState as S
from marketplace.orders.views import shelf
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, parcels, post
from tests.orders.refunding import clerk_of
from tests.receiving.conftest import bring

THERE = "/station/shelf"


def shelved(shop: Shop, shelf: str) -> str:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    told = {"parcel": parcels(number)[0].public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.accept, **told)
    bring(shop)
    in_transaction(fulfilment.pack, shelf=shelf, **told)
    in_transaction(fulfilment.make_ready, **told)
    return number


def test_the_code_finds_the_parcel_and_one_press_hands_it_over(shop: Shop) -> None:
    clerk, far, near = clerk_of(shop), shelved(shop, "A-11"), shelved(shop, "A-2")
    page = clerk.get(THERE).text
    assert page.index(f"{near}-1") < page.index(f"{far}-1") and "郭**" in page and "13835172045" not in page
    code = parcels(far)[0].pickup_code or ""
    assert code not in page

    found = post(clerk, THERE, {"code": code})

    assert found.status_code == 200
    assert f"/station/parcels/{parcels(far)[0].public_id}/pickup" in found.text
    assert parcels(far)[0].state is S.READY_FOR_PICKUP
    post(clerk, f"/station/parcels/{parcels(far)[0].public_id}/pickup", {"code": code})
    assert parcels(far)[0].state is S.PICKED_UP and parcels(near)[0].state is S.READY_FOR_PICKUP
    assert f"{far}-1" not in clerk.get(THERE).text


@pytest.mark.full
def test_a_wrong_code_finds_nothing_and_elsewhere_there_is_nothing(shop: Shop) -> None:
    clerk, other, number = clerk_of(shop), clerk_of(shop, QINXIAN), shelved(shop, "A-1")
    code = parcels(number)[0].pickup_code or ""
    wrong = "000000" if code != "000000" else "111111"
    for client, typed, said in ((clerk, wrong, "没有这个取货码"), (clerk, "12", "6"), (other, code, "没有这个取货码")):
        answer = post(client, THERE, {"code": typed})
        assert answer.status_code == 422 and said in answer.text
    assert f"{number}-1" not in other.get(THERE).text


def test_the_code_is_known_however_much_waits_before_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk, first, second = clerk_of(shop), shelved(shop, "A-1"), shelved(shop, "A-2")
    monkeypatch.setattr(shelf, "MOST", 1)
    page = clerk.get(THERE).text
    assert f"{first}-1" in page and f"{second}-1" not in page
    assert "一共 2 个，这里列的是等得最久的 1 个。报取货码，哪个都找得到。" in page
    monkeypatch.setattr(shelf, "MOST", 2)
    assert "等得最久" not in clerk.get(THERE).text

    found = post(clerk, THERE, {"code": parcels(second)[0].pickup_code or ""})

    assert found.status_code == 200 and f"{second}-1" in found.text


def test_who_comes_late_with_their_code_is_led_to_what_has_to_be_done_first(shop: Shop) -> None:
    clerk, number = clerk_of(shop), shelved(shop, "A-1")
    parcel, code = parcels(number)[0].public_id, parcels(number)[0].pickup_code or ""
    post(clerk, f"/station/parcels/{parcel}/no-show", {})

    found = post(clerk, THERE, {"code": code})

    assert found.status_code == 200 and f"/station/parcels/{parcel}/second-shelving" in found.text
    assert f"/station/parcels/{parcel}/pickup" not in found.text and "先点" in found.text
    post(clerk, f"/station/parcels/{parcel}/second-shelving", {})
    post(clerk, f"/station/parcels/{parcel}/pickup", {"code": code})
    assert parcels(number)[0].state is S.PICKED_UP
