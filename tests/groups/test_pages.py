"""The pages of groups: the product's, the group's own, a place in it, what is offered, and the API."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from listings.models import Consent, Variant
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders.access import link_key
from marketplace.orders.groups import offering
from marketplace.orders.groups.models import GroupBuy, GroupMember, GroupOffer
from marketplace.orders.groups.offering import Keeper
from marketplace.orders.models import Order
from tests import factories
from tests.groups.conftest import Market, after_the_deadline
from tests.orders.access_to import add_address
from tests.orders.conftest import JIXIAN, RECIPIENT, hidden, latest, parcels, post

OFFER = {"price": "30", "threshold_packs": "3", "most_packs": "6", "most_per_member": "3"}
OFFER |= {"days": "2", "tolerance_percent": "0", "prolong_days": "0"}


def listing_of(market: Market) -> str:
    return market.shop.apples.rpartition("-")[0]


def filled(page: Any, **changes: Any) -> dict[str, Any]:
    kept = {name: hidden(page, name) for name in ("idempotency_key", "shown_total")}
    return RECIPIENT | kept | {"packs": "1"} | changes


def test_from_the_product_to_a_paid_place_and_on_to_a_complete_group(market: Market) -> None:
    buyer = market.shop.browser()
    product = buyer.get(f"/listings/{listing_of(market)}").text
    assert "¥30.00" in product.replace("<small>", "").replace("</small>", "") and "3 件成团" in product
    start = f"/group-offers/{market.offer}/groups"
    page = buyer.get(f"{start}/new?packs=2")
    assert page.status_code == 200 and "¥66.00" in page.text.replace("<small>", "").replace("</small>", "")
    answer = post(buyer, start, filled(page, packs="2"))
    assert answer.status_code == 303 and "/sandbox-cashier/pay/" in answer.location
    first = latest().number
    market.pay(first)
    group = market.group_of(first)
    assert "付好了，等拼团凑齐" in buyer.get(f"/orders/{first}").text

    product = buyer.get(f"/listings/{listing_of(market)}").text
    assert f'href="/groups/{group}"' in product and "再来 1 件就成团" in product
    friend = market.shop.browser()
    assert "还没付款：" not in buyer.get(f"/groups/{group}/members/new").text
    shown = friend.get(f"/groups/{group}").text
    assert "郭**" in shown and "郭晓芸" not in shown and "已付 2 件，共要 3 件" in shown and "<svg" in shown
    page = friend.get(f"/groups/{group}/members/new?packs=1")
    answer = post(friend, f"/groups/{group}/members", filled(page, phone="13835172099"))
    second = latest().number
    assert answer.status_code == 303 and second != first
    back, elsewhere = (each.get(f"/groups/{group}/members/new").text for each in (friend, buyer))
    assert f"你的订单 {second} 还没付款：" in back and f'href="/orders/{second}"' in back and second not in elsewhere
    market.pay(second)
    assert market.group(group).state == "reached"
    assert "已成团" in friend.get(f"/groups/{group}").text
    assert "付好了，等站里接单" in buyer.get(f"/orders/{first}").text


def test_the_same_form_twice_is_one_place(market: Market) -> None:
    buyer = market.shop.browser()
    page = buyer.get(f"/group-offers/{market.offer}/groups/new")
    sent = filled(page)
    first, second = (post(buyer, f"/group-offers/{market.offer}/groups", sent) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert db.session.scalar(select(func.count()).select_from(GroupMember)) == 1
    again = post(buyer, f"/group-offers/{market.offer}/groups", sent | {"street": "别处"})
    assert again.status_code == 303 and again.location == f"/orders/{latest().number}"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"packs": "4"}, "超过了每个人在这个团里能买的件数"),
        ({"packs": "0"}, "填 1 到 200 之间的数"),
        ({"packs": "两"}, "请填整数，比如 2"),
        ({"packs": ""}, "填上要几件"),
        ({"packs": "2"}, "总价和你看到的不一样了"),
        ({"phone": "12"}, "手机号"),
        ({"street": ""}, "写上街道和门牌号"),
        ({"shown_total": "x"}, "总价和你看到的不一样了"),
        ({"province": "999999"}, "请在这几个里选一个"),
        ({"is_pickup": "y"}, "总价和你看到的不一样了"),
    ],
)
def test_bad_input_is_told_by_its_field_and_kept(market: Market, changes: dict[str, str], says: str) -> None:
    buyer = market.shop.browser()
    page = buyer.get(f"/group-offers/{market.offer}/groups/new")
    answer = post(buyer, f"/group-offers/{market.offer}/groups", filled(page, **changes))
    assert answer.status_code in {409, 422} and says in answer.text
    assert 'value="郭晓芸"' in answer.text
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0 == db.session.query(GroupBuy).count()


def test_who_asks_for_more_places_than_are_left_is_told_how_many(market: Market) -> None:
    group, _first = market.open(3)
    market.join(group, 2, "13835172002")
    buyer = market.shop.browser()
    wanted = RECIPIENT | {"packs": "2", "phone": "13835172009"}
    page = post(buyer, f"/groups/{group}/members", wanted | {"action": "quote"})
    wanted |= {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}

    answer = post(buyer, f"/groups/{group}/members", wanted)

    assert answer.status_code == 422 and "这个团只剩 1 件了" in answer.text and 'value="郭晓芸"' in answer.text
    market.join(group, 1, "13835172003")
    assert "这个团满了" in post(buyer, f"/groups/{group}/members", wanted).text
    assert market.members(group) == [("held", 3), ("held", 2), ("held", 1)]


def test_another_address_of_theirs_is_filled_in_and_the_number_of_packs_stays(market: Market) -> None:
    buyer = market.shop.browser()
    known = add_address(factories.signed_in(buyer).id, street="学府街 66 号")
    page = post(buyer, f"/group-offers/{market.offer}/groups", RECIPIENT | {"packs": "3", "address": known})
    assert 'value="学府街 66 号"' in page.text and 'value="3"' in page.text and page.status_code == 200


def test_reckoning_anew_orders_nothing(market: Market) -> None:
    buyer = market.shop.browser()
    answer = post(buyer, f"/group-offers/{market.offer}/groups", RECIPIENT | {"packs": "3", "action": "quote"})
    assert answer.status_code == 200 and hidden(answer, "shown_total") == "10000"
    fetched = RECIPIENT | {"packs": "3", "action": "quote", "is_pickup": "y"}
    answer = post(buyer, f"/group-offers/{market.offer}/groups", fetched)
    assert hidden(answer, "shown_total") == "9000"
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_group_that_is_over_says_so_and_leads_on(market: Market) -> None:
    group, first = market.open(1)
    market.pay(first)
    buyer = market.shop.browser()
    page = buyer.get(f"/groups/{group}/members/new")
    after_the_deadline(market, group)
    shown = buyer.get(f"/groups/{group}").text
    assert "没拼成" in shown and f"/group-offers/{market.offer}/groups/new" in shown and 'name="packs"' not in shown
    assert "共要" not in shown  # what was paid is on its way back, and not "0 of 3"
    mine = buyer.get(f"/orders/{first}?key={link_key(first)}", follow_redirects=True).text
    assert "没拼成。付了钱的，全额退回。" in mine and "共要" not in mine
    assert buyer.get(f"/groups/{group}/members/new").location == f"/groups/{group}"
    answer = post(buyer, f"/groups/{group}/members", filled(page))
    assert answer.status_code == 303 and answer.location == f"/groups/{group}"
    for address in ("/groups/nothing", "/groups/nothing/members/new", "/group-offers/nothing/groups/new"):
        assert buyer.get(address).status_code == 404


def test_in_english(market: Market) -> None:
    group, first = market.open(1)
    market.pay(first)
    reader = market.shop.browser()
    reader.set_cookie("lang", "en")
    page = reader.get(f"/groups/{group}").text
    assert "2 more packs and the group is complete" in page and "1 of 3 packs paid" in page


def seller_of(market: Market) -> FlaskClient:
    client = market.shop.browser()
    factories.sign_in_as(client, db.session.get_one(Person, market.seller))
    return client


def test_a_seller_offers_and_ends(market: Market) -> None:
    seller = seller_of(market)
    shown = seller.get("/seller/group-offers").text
    assert "¥30.00" in shown
    assert "都已经开放拼团" in seller.get("/seller/group-offers/new").text
    assert post(seller, f"/seller/group-offers/{market.offer}/end", {}).status_code == 303
    assert post(seller, f"/seller/group-offers/{market.offer}/end", {}).status_code == 303
    page = seller.get("/seller/group-offers/new")
    sent = OFFER | {"variant": market.shop.apples, "idempotency_key": hidden(page, "idempotency_key")}
    for _again in range(2):
        assert post(seller, "/seller/group-offers", sent).status_code == 303
    standing = db.session.scalars(select(GroupOffer).where(GroupOffer.ended_at.is_(None))).all()
    assert [(each.price_fen, each.threshold_packs, each.days) for each in standing] == [(3000, 3, 2)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"price": "39.80"}, "拼团价要比单买便宜"),
        ({"price": ""}, "请填拼团价"),
        ({"price": "abc"}, "填多少元，比如 39.80"),
        ({"threshold_packs": "1"}, "填 2 到 200 之间的数"),
        ({"most_packs": "2"}, "上限不能少于成团件数"),
        ({"most_per_member": "7"}, "一个人不能买得比整个团还多"),
        ({"days": "15"}, "填 1 到 14 之间的数"),
        ({"tolerance_percent": "51"}, "填 0 到 50 之间的数"),
        ({"prolong_days": "8"}, "填 0 到 7 之间的数"),
        ({"variant": "nothing"}, "请在这几个里选一个"),
        ({"variant": "no\0thing"}, "请在这几个里选一个"),
    ],
)
def test_what_a_seller_types_wrong_is_told_and_kept(market: Market, changes: dict[str, str], says: str) -> None:
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    seller = seller_of(market)
    page = seller.get("/seller/group-offers/new")
    sent = OFFER | {"variant": market.shop.apples, "idempotency_key": hidden(page, "idempotency_key")} | changes
    answer = post(seller, "/seller/group-offers", sent)
    assert answer.status_code == 422 and says in answer.text
    assert all(f'value="{value}"' in answer.text for name, value in (sent | changes).items() if name in OFFER and value)
    assert db.session.scalar(select(func.count()).select_from(GroupOffer).where(GroupOffer.ended_at.is_(None))) == 0


def test_others_goods_are_not_there(market: Market) -> None:
    other = market.shop.browser()
    factories.signed_in(other, "seller")
    assert post(other, f"/seller/group-offers/{market.offer}/end", {}).status_code == 404
    assert "¥30.00" not in other.get("/seller/group-offers").text
    buyer = market.shop.browser()
    factories.signed_in(buyer)
    assert buyer.get("/seller/group-offers").status_code == 403
    assert market.shop.browser().get("/station/group-offers").status_code == 302


def test_a_clerk_offers_for_a_farmer_who_agreed(market: Market) -> None:
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    clerk = market.shop.browser()
    person = factories.signed_in(clerk, "station_clerk", station=JIXIAN)
    sent = OFFER | {"variant": market.shop.apples}
    key = "k" * 16
    assert post(clerk, "/station/group-offers", sent | {"idempotency_key": key}).status_code == 422
    listing = market_listing(market)
    db.session.add(
        Consent(listing_id=listing, seller_id=market.seller, clerk_id=person.id, way="by_phone", words="x", at=clock.now())
    )
    db.session.commit()
    assert post(clerk, "/station/group-offers", sent | {"idempotency_key": key}).status_code == 303
    standing = db.session.scalars(select(GroupOffer).where(GroupOffer.ended_at.is_(None))).one()
    far = market.shop.browser()
    factories.signed_in(far, "station_clerk", station="140430")
    assert post(far, f"/station/group-offers/{standing.public_id}/end", {}).status_code == 404
    assert post(clerk, f"/station/group-offers/{standing.public_id}/end", {}).status_code == 303


def market_listing(market: Market) -> int:
    return db.session.scalars(select(Variant.listing_id).where(Variant.code == market.shop.apples)).one()


def test_the_desk_marks_what_belongs_to_a_group_and_sees_nothing_before(market: Market) -> None:
    group, first = market.open(2)
    market.pay(first)
    clerk = market.shop.browser()
    factories.signed_in(clerk, "station_manager", station=JIXIAN)
    code = parcels(first)[0].public_id
    addresses = ("/station", "/station/queues/acceptance", "/station/sheets", "/station/shelf", "/station/pick-list")
    assert all(first not in clerk.get(each).text for each in addresses)
    for hidden_ in (f"/station/parcels/{code}", f"/station/parcels/{code}/refunds", f"/station/parcels/{code}/label"):
        assert clerk.get(hidden_).status_code == 404, hidden_
    assert post(clerk, f"/station/parcels/{code}/acceptance", {}).status_code == 404
    market.pay(market.join(group))
    assert "拼团" in re.sub(r"<nav.*?</nav>", "", clerk.get("/station/queues/acceptance").text, flags=re.S)
    assert clerk.get(f"/station/parcels/{code}").status_code == 200


def test_the_api_tells_the_same_figures_and_nobodys_name(market: Market) -> None:
    group, first = market.open(2)
    market.pay(first)
    client = market.shop.browser()
    found = client.get(f"/api/v1/groups/{group}")
    assert found.json is not None and "郭" not in found.text
    told = {name: found.json[name] for name in ("state", "price_fen", "threshold_packs", "paid_packs", "left_packs")}
    assert told == {"state": "open", "price_fen": 3000, "threshold_packs": 3, "paid_packs": 2, "left_packs": 4}
    listed = client.get(f"/api/v1/listings/{listing_of(market)}/groups").json
    assert listed == {"total": 1, "items": [found.json]}
    assert (
        client.get("/api/v1/groups/nothing").status_code == client.get("/api/v1/listings/nothing/groups").status_code == 404
    )
