"""Something else instead: taken, declined or never answered. Nobody pays more, and the audit agrees."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from listings.customer_reviews.models import CustomerReview
from listings.models import Listing, Variant
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from marketplace.orders import fulfilment
from marketplace.orders.receiving import offered as offered_to, substituting
from marketplace.orders.receiving.models import Rest, Substitute
from marketplace.orders.receiving.states import SubstituteState as T
from marketplace.orders.states import ParcelState as S
from marketplace.payments.models import Refund
from tests import factories
from tests.api.conftest import Program
from tests.orders.access_to import order_page
from tests.orders.conftest import JIXIAN, Shop, balances, differences, get, parcels, post, stock_of
from tests.orders.promotions.promoting import promotion
from tests.orders.refunding import Box, ask, box, clerk_of
from tests.receiving.conftest import bring, packs


def other_pack(shop: Shop, price_fen: int = 3000, **given: Any) -> str:
    """Another pack of the apples' seller."""
    listing = db.session.scalars(select(Listing).join(Variant).where(Variant.code == shop.apples)).one()
    return factories.make_variant(listing, price_fen=price_fen, unit_zh="4斤箱", unit_en="2 kg box", **given).code


def offered(shop: Shop, price_fen: int = 3000, came: int = 1) -> tuple[str, str, str]:
    """An order for two packs of which one is replaced: number, offer, the other pack."""
    instead = other_pack(shop, price_fen)
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=2)
    in_transaction(fulfilment.accept, parcel=box(number).public_id, station=JIXIAN, actor="clerk")
    bring(shop, came=came, rest=Rest.SUBSTITUTE, instead=instead)
    return number, substitute().public_id, instead


def substitute() -> Substitute:
    db.session.rollback()
    return db.session.scalars(select(Substitute).order_by(Substitute.id.desc()).limit(1)).one()


def replaced(number: str) -> list[int]:
    return [line.replaced_quantity for parcel in parcels(number) for line in parcel.lines]


def test_it_is_held_until_the_buyer_takes_it_and_what_it_costs_less_goes_back(shop: Shop) -> None:
    number, offer, instead = offered(shop)
    assert packs(number) == [(1, 0, 0)] and replaced(number) == [1]
    assert parcels(number)[0].state is S.ACCEPTED and stock_of(instead) == (100, 1)
    assert balances(number)["gateway_clearing"] == 8560 and "refund_in_transit" not in balances(number)
    assert differences(shop) == []

    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")

    assert parcels(number)[0].state is S.COLLECTING and stock_of(instead) == (99, 0)
    # 9.80 less; of the fee of 3.18 stay 2.39 (2.397)
    assert balances(number) == {
        "gateway_clearing": 8560,
        "refund_in_transit": -980,
        "seller_held": -(7324 - (980 - 79)),
        "station_held": -(1236 - 79),
    }
    with pytest.raises(substituting.TooLateToAnswer):
        in_transaction(substituting.decline, number=number, substitute=offer, actor="buyer")
    shop.work()
    assert differences(shop) == []


def test_a_program_that_packs_is_told_what_goes_in(shop: Shop) -> None:
    number, offer, instead = offered(shop)
    clerk = Program(shop.browser(), factories.make_token(factories.make_person("station_clerk", station=JIXIAN)))

    def inside() -> tuple[list[tuple[int, int, int]], list[dict[str, Any]]]:
        parcel = clerk.get(f"/parcels/{number}-1").get_json()
        counted = ("quantity", "refunded_quantity", "replaced_quantity")
        return [tuple(line[name] for name in counted) for line in parcel["lines"]], parcel["instead"]

    assert inside() == ([(2, 0, 1)], [])
    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    told = {"sku": instead, "ordered_sku": shop.apples, "title": "吉县红富士苹果", "unit": "4斤箱"}
    assert inside() == ([(1, 0, 0), (1, 0, 1)], [told | {"quantity": 1, "unit_price_fen": 3000}])


@pytest.mark.full
def test_what_is_dearer_costs_nothing_more(shop: Shop) -> None:
    number, offer, _instead = offered(shop, price_fen=9900)
    assert substitute().unit_price_fen == 3980
    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    assert balances(number) == {"gateway_clearing": 8560, "seller_held": -7324, "station_held": -1236}
    assert differences(shop) == []


@pytest.mark.full
def test_who_declines_gets_the_money_and_the_rest_is_packed(shop: Shop) -> None:
    number, offer, instead = offered(shop)

    in_transaction(substituting.decline, number=number, substitute=offer, actor="buyer")

    assert packs(number) == [(1, 1, 1)] and replaced(number) == [0] and stock_of(instead) == (100, 0)
    assert balances(number)["refund_in_transit"] == -4280 and parcels(number)[0].state is S.COLLECTING
    shop.work()
    assert differences(shop) == []


def test_who_does_not_answer_gets_the_money_and_a_parcel_of_nothing_is_refused(shop: Shop) -> None:
    number, offer, instead = offered(shop, came=0)
    in_transaction(substituting.end, substitute=offer)
    assert substitute().state is T.OFFERED

    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1), tick=False):
        with pytest.raises(substituting.TooLateToAnswer):
            in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
        for _time in range(2):
            substituting.lapse(substitute=offer)

    assert substitute().state is T.LAPSED and packs(number) == [(0, 2, 2)] and stock_of(instead) == (100, 0)
    assert parcels(number)[0].state is S.REFUSED and balances(number)["refund_in_transit"] == -8560
    assert stock_of(shop.apples) == (98, 0)
    shop.work()
    assert differences(shop) == []


@pytest.mark.full
def test_a_parcel_that_is_refused_meanwhile_ends_the_offer(shop: Shop) -> None:
    number, offer, instead = offered(shop)
    in_transaction(fulfilment.refuse, parcel=box(number).public_id, station=JIXIAN, actor="clerk", reason="压坏了")

    with pytest.raises(substituting.TooLateToAnswer):
        in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    in_transaction(substituting.decline, number=number, substitute=offer, actor="buyer")

    assert balances(number)["refund_in_transit"] == -8560 and stock_of(instead) == (100, 0)
    assert stock_of(shop.apples) == (99, 0)
    shop.work()
    assert differences(shop) == []


@pytest.mark.full
def test_too_few_are_offered_by_payment_and_the_rest_is_refunded(shop: Shop) -> None:
    instead = other_pack(shop, stock_on_hand=3)
    numbers = [shop.paid_order(shop.browser(), apples=2) for _number in range(2)]
    for number in numbers:
        in_transaction(fulfilment.accept, parcel=box(number).public_id, station=JIXIAN, actor="clerk")

    bring(shop, came=0, rest=Rest.SUBSTITUTE, instead=instead)

    assert [replaced(number) for number in numbers] == [[2], [1]]
    assert [packs(number) for number in numbers] == [[(0, 0, 0)], [(0, 1, 1)]]
    shop.work()
    assert differences(shop) == []


@pytest.mark.full
def test_the_buyer_reads_it_and_answers_on_the_orders_page(shop: Shop) -> None:
    number, offer, _instead = offered(shop)
    while outbox.deliver():
        pass
    db.session.rollback()
    texts = list(db.session.scalars(select(Message.text)))
    assert any("想换成吉县红富士苹果，再退你 ¥9.80" in text for text in texts)
    buyer, stranger = order_page(shop, number), shop.browser()
    page = buyer.get(f"/orders/{number}").text
    assert "换成这个要不要" in page and "退你 ¥9.80" in page
    assert "等买家回话" in clerk_of(shop).get(f"/station/parcels/{box(number).public_id}").text
    assert in_phone(shop, number)["note"].startswith("先别打包")
    there = f"/orders/{number}/substitutes/{offer}/acceptance"

    assert post(stranger, there, {}).status_code == 404 and substitute().state is T.OFFERED
    other = shop.paid_order(shop.browser(), apples=1)
    assert post(order_page(shop, other), f"/orders/{other}/substitutes/{offer}/acceptance", {}).status_code == 404
    for _press in range(2):
        assert post(buyer, there, {}).status_code == 303

    assert substitute().state is T.ACCEPTED and get(number).number == number
    page = buyer.get(f"/orders/{number}").text
    assert "换成这个要不要" not in page and "4斤箱 × 1" in page
    clerk = clerk_of(shop)
    for path in ("sheets/buyer", "labels", "queues/packing", "pick-list"):
        page = clerk.get(f"/station/{path}").text
        assert "5斤箱 × 1" in page and "4斤箱 × 1" in page and "× 2" not in page, path
    assert clerk.get("/station/sheets/buyer").text.count(f"<h2>{number}  ") == 1
    listed = in_phone(shop, number)
    assert [(line["unit"], line["left"]) for line in listed["lines"]] == [("5斤箱", 1), ("4斤箱", 1)]
    assert listed["note"] == ""


def sent(shop: Shop, number: str) -> Box:
    """Packed and given to the courier."""
    shop.work()
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **told)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="EY123456", **told)
    return box(number)


def goes_back(parcel: Box, line: int, units: int) -> int:
    """Fen that a clerk gives back for units of one of its lines, with their shipping."""
    refund = ask(parcel, *[0] * line, units)
    return db.session.scalars(select(Refund.fen).where(Refund.public_id == refund)).one()


def test_what_is_taken_has_a_price_of_its_own_and_so_has_the_rest(shop: Shop) -> None:
    number, offer, _instead = offered(shop)
    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    parcel = sent(shop, number)

    assert goes_back(parcel, 1, 1) == 3000 + 300  # what came instead
    assert goes_back(parcel, 0, 1) == 3980 + 300
    assert balances(number) == {"gateway_clearing": 8560, "refund_in_transit": -8560}
    shop.work()
    assert differences(shop) == []


@pytest.mark.full
@pytest.mark.parametrize("quantity", [2, 3, 7])
@pytest.mark.parametrize("first", [0, 1])
def test_with_a_discount_everything_that_was_paid_goes_back_whatever_first(shop: Shop, quantity: int, first: int) -> None:
    promotion(code="", amount_fen=777, platform_bps=4000)
    instead = other_pack(shop, 2999)
    number = shop.paid_order(shop.browser(), apples=quantity)
    assert get(number).discount_fen == 777
    paid = get(number).total_fen
    in_transaction(fulfilment.accept, parcel=box(number).public_id, station=JIXIAN, actor="clerk")
    bring(shop, came=quantity - 1, rest=Rest.SUBSTITUTE, instead=instead)
    (shown,) = offered_to.of_order(db.session(), number)
    in_transaction(substituting.accept, number=number, substitute=shown.public_id, actor="buyer")
    assert -balances(number)["refund_in_transit"] == shown.less_fen

    parcel = sent(shop, number)
    back = sum(goes_back(parcel, line, [quantity - 1, 1][line]) for line in (first, 1 - first))

    assert back + shown.less_fen == paid
    shop.work()
    assert differences(shop) == []


@pytest.mark.full
def test_what_was_refunded_of_it_is_not_packed(shop: Shop) -> None:
    instead = other_pack(shop, net_weight_grams=2000)
    number = shop.paid_order(shop.browser(), apples=3)
    in_transaction(fulfilment.accept, parcel=box(number).public_id, station=JIXIAN, actor="clerk")
    bring(shop, came=1, rest=Rest.SUBSTITUTE, instead=instead)
    in_transaction(substituting.accept, number=number, substitute=substitute().public_id, actor="buyer")

    assert goes_back(box(number), 1, 1) == 3000  # three packs are sent for nothing

    clerk = clerk_of(shop)
    for path in ("sheets/buyer", "labels", "queues/packing", "pick-list"):
        page = clerk.get(f"/station/{path}").text
        assert "5斤箱 × 1" in page and "4斤箱 × 1" in page and "× 2" not in page, path
    assert "净重 4.5 kg" in clerk.get("/station/labels").text  # of the three boxes of 2.5 kg that were ordered one is there
    assert " · 4.5 kg</p>" in clerk.get(f"/station/parcels/{box(number).public_id}").text
    assert [(line["unit"], line["left"]) for line in in_phone(shop, number)["lines"]] == [("5斤箱", 1), ("4斤箱", 1)]
    page = clerk.get(f"/station/parcels/{box(number).public_id}/refunds").text
    assert "5斤箱" in page and "4斤箱" in page
    shop.work()
    assert differences(shop) == []


def in_phone(shop: Shop, number: str) -> dict[str, Any]:
    """The order's parcel in the list that a phone works with when there is no network."""
    of_day: dict[str, Any] = clerk_of(shop).get("/station/offline/day").json or {}
    (listed,) = [each for each in of_day["parcels"] if each["label"].startswith(number)]
    return dict(listed)


@pytest.mark.parametrize("came", [0, 1])
def test_who_took_something_else_says_how_that_is(shop: Shop, came: int) -> None:
    """Never how what did not come is; what did come beside it has a review of its own."""
    apples = db.session.scalars(select(Listing).join(Variant).where(Variant.code == shop.apples)).one()
    pears = factories.make_listing(title_zh="吉县酥梨", title_en="Jixian pears", seller_id=apples.seller_id, drawing="pear")
    ordered, instead = apples.code, pears.code
    other = factories.make_variant(pears, price_fen=3000, unit_zh="4斤箱", unit_en="2 kg box").code
    number = shop.paid_order(shop.browser(), apples=2)
    told: dict[str, Any] = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.accept, **told)
    bring(shop, came=came, rest=Rest.SUBSTITUTE, instead=other)
    in_transaction(substituting.accept, number=number, substitute=substitute().public_id, actor="buyer")
    in_transaction(fulfilment.pack, **told, shelf="A")
    in_transaction(fulfilment.ship, **told, carrier="邮政", tracking_number="123456")
    in_transaction(fulfilment.deliver, **told)
    buyer, lines = order_page(shop, number), [line.public_id for line in parcels(number)[0].lines]

    for line in lines:
        path = f"/orders/{number}/reviews/{line}"
        title = "吉县酥梨" if line == lines[-1] else "吉县红富士苹果"
        assert f">{title}<" in buyer.get(path).text
        answer = post(buyer, path, {"stars": "4", "words": "个头匀。", "idempotency_key": line})
        assert answer.status_code == 303, answer.text

    kept = select(CustomerReview.order_line, Listing.code, CustomerReview.unit_zh).order_by(CustomerReview.id)
    found = [tuple(row) for row in db.session.execute(kept.join(Listing, Listing.id == CustomerReview.listing_id))]
    assert found == [(line, ordered, "5斤箱") for line in lines[:-1]] + [(lines[-1], instead, "4斤箱")]
    assert len(found) == came + 1 and differences(shop) == []
