"""What is bad in part is paid for by weight (坏果按斤赔) or by the piece: to the fen, once, and never more than it cost."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st
from sqlalchemy import update

from marketplace import duties
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.settings import settings
from marketplace.orders import refunding
from marketplace.orders.cases import appealing, automatic, deciding, opening, quality, spoiling
from marketplace.orders.cases.blame import Cause
from marketplace.orders.cases.models import QualityCount
from marketplace.orders.cases.rules import Bearer, Kind, Wish
from marketplace.orders.cases.states import CaseState as C
from marketplace.orders.models import OrderLine
from marketplace.orders.promotions.states import Kind as OffBy
from marketplace.payments.models import Refund
from tests import factories
from tests.examples import enough
from tests.orders.casework import (
    DAMAGED,
    PAID,
    Bought,
    appeal,
    arrive,
    bought,
    case_of,
    delivered,
    do,
    everything,
    open_case,
    picture,
    small_boxes,
)
from tests.orders.conftest import OURS, Shop, balances, differences, get, hidden
from tests.orders.promotions.promoting import promotion
from tests.orders.refunding import bounce, clerk_of

__all__ = ["delivered", "small_boxes"]

Claim = Callable[..., str]
JIN = 500  # grams, of boxes of 2,500 that cost 19.99
ONE_JIN_BACK = {
    "gateway_clearing": 6997,
    "seller_held": -3 * 1839 + 368,
    "station_held": -3 * 160 - 1000 + 31,
    "refund_in_transit": -399,
}


@pytest.fixture
def asked_of_the_station(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = replace(settings(), after_sales_limit_fen=0)
    monkeypatch.setattr(automatic, "settings", lambda: nothing)


def spoiled(of: Bought, grams: int = JIN, quantity: int = 1, **given: Any) -> str:
    return open_case(of, quantity, **{**DAMAGED, "spoiled_grams": grams, **given})


def broken(of: Bought, pieces: int, quantity: int = 1, **given: Any) -> str:
    return open_case(of, quantity, **{**DAMAGED, "spoiled_pieces": pieces, **given})


def sold_as(unit: str) -> None:
    db.session.execute(update(OrderLine).values(unit_zh=unit))
    db.session.commit()


def test_a_jin_is_paid_for_at_once_and_the_boxes_stay_bought(shop: Shop, delivered: Bought) -> None:
    row = case_of(spoiled(delivered))
    assert (row.state, row.is_automatic, row.spoiled_grams) == (C.REFUNDED, True, JIN)
    assert balances(delivered.number) == ONE_JIN_BACK
    assert db.session.scalars(db.select(OrderLine.refunded_quantity)).one() == 0
    arrive(shop)
    assert differences(shop) == []
    duties.count_quality()
    found = db.session.scalars(db.select(QualityCount).where(QualityCount.owner_kind == "seller")).one()
    assert (found.sold, found.refunded, found.spoiled, found.on_seller) == (3, 1, 1, 0)
    assert quality.SAID[Cause.SPOILED] % {"packs": 1} == "坏了一部分、赔了一部分 1 件"


def test_all_of_the_weight_is_the_box_with_its_shipping(delivered: Bought) -> None:
    row = case_of(spoiled(delivered, 2500))
    assert (row.state, row.spoiled_grams) == (C.REFUNDED, None)
    assert db.session.scalars(db.select(Refund.fen)).one() == 1999 + 333


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"grams": 2501}, spoiling.TooHeavy),
        ({"grams": 0}, spoiling.TooLight),
        ({"grams": -5}, spoiling.TooLight),
        ({"kind": Kind.WRONG}, spoiling.NotByWeight),
        ({"wish": Wish.EXCHANGE}, spoiling.NotByWeight),
        ({"pictures": []}, opening.PictureNeeded),
        ({"quantity": 4}, opening.TooManyUnits),
    ],
)
def test_what_cannot_be_paid_for_by_weight_changes_nothing(delivered: Bought, changed: Any, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        spoiled(delivered, **changed)
    assert everything() == (0, 0) and balances(delivered.number) == PAID


@pytest.mark.parametrize("unit", ["1枚箱", "礼盒", "500ml×2瓶"])
def test_what_is_sold_neither_by_weight_nor_by_the_piece_is_asked_about_by_packs(delivered: Bought, unit: str) -> None:
    sold_as(unit)
    page = delivered.client.get(f"/orders/{delivered.number}/cases/new?line={delivered.line}").text
    assert 'name="quantity"' in page and 'name="spoiled' not in page
    with pytest.raises(spoiling.NotByWeight):
        spoiled(delivered)
    with pytest.raises(spoiling.NotByPiece):
        broken(delivered, 1)
    assert everything() == (0, 0)


def test_eggs_are_paid_for_by_the_piece_and_the_boxes_stay_bought(shop: Shop, delivered: Bought) -> None:
    """Two of thirty that cost 19.99, then three of what is left; the fee that goes back is the station's share of them."""
    sold_as("30枚箱")
    row = case_of(broken(delivered, 2))
    assert (row.state, row.is_automatic, row.spoiled_pieces, row.pieces_of_pack) == (C.REFUNDED, True, 2, 30)
    assert db.session.scalars(db.select(Refund.fen)).all() == [133]  # 1999 * 2 // 30
    assert case_of(broken(delivered, 3)).state is C.REFUNDED
    assert sorted(db.session.scalars(db.select(Refund.fen))) == [133, 199]
    assert db.session.scalars(db.select(OrderLine.refunded_quantity)).one() == 0
    page = delivered.client.get(f"/orders/{delivered.number}/cases/{row.public_id}").text
    assert "坏了</dt><dd>2枚" in page and "¥1.33" in page
    arrive(shop)
    assert differences(shop) == []
    duties.count_quality()
    found = db.session.scalars(db.select(QualityCount).where(QualityCount.owner_kind == "seller")).one()
    assert (found.sold, found.refunded, found.spoiled, found.on_seller) == (3, 2, 2, 0)


def test_a_whole_box_is_worth_what_it_cost_though_another_was_bad_in_part(
    shop: Shop, delivered: Bought, asked_of_the_station: None
) -> None:
    """The box of which 29 eggs were paid for is the last to go back, with what the thirtieth cost."""
    sold_as("30枚箱")
    do(deciding.refund, broken(delivered, 29))
    for _box in range(3):
        do(deciding.refund, open_case(delivered, 1, **DAMAGED))
    fen = db.session.scalars(db.select(Refund.fen).order_by(Refund.id)).all()
    assert fen == [1932, 1999 + 333, 1999 + 333, 67 + 334]
    assert balances(delivered.number) == {"gateway_clearing": 6997, "refund_in_transit": -6997}
    arrive(shop)
    assert differences(shop) == [] and balances(delivered.number) == {}


def test_of_so_many_pieces_no_more_packs_count_as_bad(delivered: Bought) -> None:
    sold_as("30枚箱")
    broken(delivered, 2, quantity=3)
    duties.count_quality()
    found = db.session.scalars(db.select(QualityCount).where(QualityCount.owner_kind == "seller")).one()
    assert (found.sold, found.refunded, found.spoiled) == (3, 2, 2)


def test_all_pieces_are_the_box_with_its_shipping(delivered: Bought) -> None:
    sold_as("30枚箱")
    row = case_of(broken(delivered, 30))
    assert (row.state, row.spoiled_pieces, row.pieces_of_pack) == (C.REFUNDED, None, None)
    assert db.session.scalars(db.select(Refund.fen)).one() == 1999 + 333


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"pieces": 31}, spoiling.TooManyPieces),
        ({"pieces": 0}, spoiling.TooLight),
        ({"kind": Kind.WRONG}, spoiling.NotByPiece),
        ({"wish": Wish.EXCHANGE}, spoiling.NotByPiece),
        ({"spoiled_grams": 100}, spoiling.NotByWeight),
        ({"pictures": []}, opening.PictureNeeded),
    ],
)
def test_what_cannot_be_paid_for_by_the_piece_changes_nothing(
    delivered: Bought, changed: Any, refusal: type[Refusal]
) -> None:
    sold_as("30枚箱")
    with pytest.raises(refusal):
        broken(delivered, **{"pieces": 2, **changed})
    assert everything() == (0, 0) and balances(delivered.number) == PAID


def test_the_page_takes_pieces_and_says_by_the_field_what_is_wrong(delivered: Bought) -> None:
    sold_as("30枚箱")
    for typed, says in (("31", "最多 30枚。"), ("两个", "整数"), ("0", "1"), ("1.5", "整数")):
        answer = report(delivered, spoiled_pieces=typed)
        page = html.unescape(answer.text)
        assert answer.status_code == 422 and says in page and f'value="{typed}"' in page and "烂了四个" in page, typed
        assert 'href="#spoiled_pieces"' in page
    (field,) = re.findall(r'<input[^>]*name="spoiled_pieces"[^>]*>', page)
    assert 'type="text"' in field  # of 2枚 a field of numbers sends nothing, and nothing means the whole pack
    assert everything() == (0, 0)
    assert report(delivered, spoiled_pieces="2", spoiled="1").status_code == 303  # a weight is not asked for here
    assert db.session.scalars(db.select(Refund.fen)).one() == 133


@pytest.mark.parametrize(
    ("unit", "claim", "of_pack", "refusal", "said"),
    [("5斤箱", spoiled, 2500, spoiling.TooHeavy, "grams"), ("30枚箱", broken, 30, spoiling.TooManyPieces, "pieces")],
)
def test_what_was_paid_for_in_part_is_not_paid_for_again(
    shop: Shop, unit: str, claim: Claim, of_pack: int, refusal: type[Refusal], said: str
) -> None:
    """Of one box all but a fifth; of more than that fifth nothing then but the whole box, for what is left of its price."""
    order, fifth = bought(shop, 1), of_pack // 5
    sold_as(unit)
    claim(order, 4 * fifth)
    with pytest.raises(refusal) as refused:
        claim(order, fifth + 1)
    assert getattr(refused.value, said) == fifth and everything() == (1, 1)
    claim(order, of_pack)
    assert db.session.scalars(db.select(Refund.fen).order_by(Refund.id)).all() == [1599, 1999 - 1599 + 600]


def test_less_than_a_fen_is_nothing(shop: Shop) -> None:
    with pytest.raises(spoiling.TooLight):
        spoiled(bought(shop), 1)
    assert everything() == (0, 0)


def test_the_station_refunds_it_or_does_not_but_wants_nothing_back(
    shop: Shop, delivered: Bought, asked_of_the_station: None
) -> None:
    case = spoiled(delivered)
    assert case_of(case).state is C.REQUESTED
    page = clerk_of(shop).get(f"/station/cases/{case}").text
    assert "要退的话</dt><dd>¥3.99" in page and "坏了</dt><dd>1斤" in page and "寄回来" not in page
    with pytest.raises(deciding.SpoiledStays):
        do(deciding.approve, case)
    assert case_of(case).state is C.REQUESTED and balances(delivered.number) == PAID
    do(deciding.refund, case)
    assert balances(delivered.number) == ONE_JIN_BACK
    arrive(shop)
    assert differences(shop) == []


def test_the_province_lays_it_on_whom_it_decides(shop: Shop, delivered: Bought, asked_of_the_station: None) -> None:
    case = spoiled(delivered)
    do(deciding.reject, case)
    appeal(case)
    in_transaction(appealing.grant, case=case, bearer=Bearer.STATION, why="看过", actor="person:9")
    found = balances(delivered.number)
    assert (found["seller_payable"], found["station_payable"]) == (-368, 368)
    arrive(shop)
    assert differences(shop) == []


def test_what_did_not_arrive_may_be_asked_for_again(shop: Shop, delivered: Bought, asked_of_the_station: None) -> None:
    case = spoiled(delivered)
    do(deciding.refund, case)
    bounce(shop, str(case_of(case).refund_public_id))
    assert balances(delivered.number) == PAID
    do(deciding.refund, spoiled(delivered))
    assert balances(delivered.number) == ONE_JIN_BACK


def pay_back_in_parts_and_then_the_rest(shop: Shop, claim: Claim, of_pack: int, parts: list[int], packs: int) -> None:
    """`parts`: grams, or pieces, of which a pack holds `of_pack`."""
    order = bought(shop)
    paid = 0
    for bad in parts:
        try:
            case = claim(order, bad, 2)
        except (spoiling.TooLight, spoiling.TooHeavy, spoiling.TooManyPieces):
            continue
        do(deciding.refund, case)
        row = case_of(case)
        fen = db.session.scalars(db.select(Refund.fen).where(Refund.public_id == row.refund_public_id)).one()
        assert not row.is_in_part or 0 < fen <= 1999 * bad // of_pack
        paid += fen
        if not row.is_in_part:
            break
    free = db.select(OrderLine.quantity - OrderLine.refunded_quantity).where(OrderLine.public_id == order.line)
    units = min(packs, db.session.scalars(free).one())
    given: dict[str, Any] = {"parcel": order.parcel.public_id, "station": None, "reason": "坏了", "actor": "person:9"}
    if units:
        in_transaction(refunding.refund_units, units={order.line: units}, with_shipping=True, **given)
    if db.session.scalars(free).one():
        in_transaction(refunding.refund_rest, **given)
    off = get(order.number).discount_fen
    borne = {"promotion_funding": off, "operating_grant": -off} if off else {}
    assert balances(order.number) == {"gateway_clearing": 6997 - off, "refund_in_transit": off - 6997} | borne


@pytest.mark.parametrize(
    ("unit", "claim", "of_pack", "percent"),
    [("5斤箱", spoiled, 2500, 0), ("30枚箱", broken, 30, 0), ("30枚箱", broken, 30, 37)],
)
def test_by_whatever_way_all_that_was_paid_goes_back(
    shop: Shop, asked_of_the_station: None, pytestconfig: pytest.Config, unit: str, claim: Claim, of_pack: int, percent: int
) -> None:
    if percent:
        promotion(code="", kind=OffBy.PERCENT, amount_fen=0, percent=percent, uses_each=None, budget_fen=10_000_000)
    listing = factories.make_listing(return_policy="7d_no_reason")
    shop.apples = factories.make_variant(listing, price_fen=1999, stock_on_hand=100_000, unit_zh=unit).code

    @hypothesis_settings(
        max_examples=enough(4, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.lists(st.integers(1, 2 * of_pack), min_size=1, max_size=5), st.integers(0, 2))
    def live(parts: list[int], packs: int) -> None:
        pay_back_in_parts_and_then_the_rest(shop, claim, of_pack, parts, packs)

    live()


def report(of: Bought, **changed: Any) -> Any:
    address = f"/orders/{of.number}/cases"
    page = of.client.get(f"{address}/new?line={of.line}")
    sent: dict[str, Any] = {
        "kind": "damaged",
        "wish": "refund",
        "quantity": "1",
        "words": "烂了四个",
    }
    if 'name="unit"' in page.text:
        sent["unit"] = hidden(page, "unit")
    sent |= {"line": of.line, "idempotency_key": hidden(page, "idempotency_key"), "pictures": [picture()], **changed}
    return of.client.post(address, data=sent, headers=OURS, content_type="multipart/form-data")


def test_the_page_takes_jin_and_says_by_the_field_what_is_wrong(delivered: Bought) -> None:
    for typed, says in (
        ("5.1", "最多5斤"),
        ("许多", "重量填数字"),
        ("0", "重量填数字"),
        ("0.002", "还不值一分钱"),
        ("0.001", "还不值一分钱"),
    ):
        answer = report(delivered, spoiled=typed)
        page = html.unescape(answer.text)
        assert answer.status_code == 422 and says in page and f'value="{typed}"' in page and "烂了四个" in page, typed
    assert everything() == (0, 0)
    answer = report(delivered, spoiled="1")
    assert answer.status_code == 303 and balances(delivered.number) == ONE_JIN_BACK
    page = delivered.client.get(answer.headers["Location"]).text
    assert "1斤" in page and "¥3.99" in page


def test_english_pages_take_kilograms(delivered: Bought) -> None:
    delivered.client.get("/?lang=en")
    answer = report(delivered, spoiled="0.5", unit="kg")
    assert answer.status_code == 303 and balances(delivered.number) == ONE_JIN_BACK
