"""Goods in several packs: a row a pack. What they are stands in the row of the first; each pack says what is its own."""

import csv
import io
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Listing, Variant
from listings.sheets.states import ImportState as I
from listings.states import ListingState as L
from tests import factories
from tests.sheets.conftest import Trader, as_csv, latest, listed, rows, wrong


def offer_two(trader: Trader, state: L = L.DRAFT) -> Listing:
    """Ten packs of each, the second a larger one."""
    first = trader.offer("GA", state=state, article_number="A001")
    large: dict[str, Any] = {"code": "GA-2", "position": 2, "unit_zh": "10斤袋", "net_weight_grams": 5000, "price_fen": 7500}
    factories.make_variant(first.listing, stock_on_hand=10, **large)
    return first.listing


def exported(trader: Trader) -> list[list[str]]:
    text = trader.client.get("/seller/imports/goods.csv").data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def put(lines: list[list[str]], row: int, heading: str, text: str) -> None:
    lines[row][lines[0].index(heading)] = text


def test_what_they_are_is_exported_once_and_changed_once(trader: Trader, session: Session) -> None:
    offer_two(trader)
    lines = exported(trader)
    assert [line[lines[0].index("品名")] for line in lines[1:]] == ["小米GA", ""]
    assert [line[lines[0].index("状态")] for line in lines[1:]] == ["草稿", "草稿"]
    put(lines, 1, "品名", "武乡小米")
    sheet = as_csv(*lines)

    trader.done(sheet)

    assert latest().state is I.APPLIED and listed(session)[0].title_zh == "武乡小米"
    trader.compared(sheet)
    assert [row.verdict for row in rows(session)] == ["same", "same"]


def test_each_pack_of_a_draft_says_how_it_is_packed(trader: Trader, session: Session) -> None:
    offer_two(trader)
    lines = exported(trader)
    put(lines, 2, "包装", "8斤袋")
    put(lines, 2, "单价（元）", "60.00")
    put(lines, 2, "库存", "7")

    row = trader.done(as_csv(*lines))

    packs = session.scalars(select(Variant).order_by(Variant.code)).all()
    said = [(pack.unit_zh, pack.net_weight_grams, pack.price_fen, pack.on_hand) for pack in packs]
    assert said[1:] == [("8斤袋", 4000, 6000, 7)] and said[0][2:] == (3980, 10)
    trader.undo(row)
    session.expire_all()
    assert [(pack.unit_zh, pack.net_weight_grams, pack.price_fen, pack.on_hand) for pack in packs][1:] == [
        ("10斤袋", 5000, 7500, 10)
    ]


def test_what_they_are_cannot_be_said_twice(trader: Trader, session: Session) -> None:
    offer_two(trader)
    lines = exported(trader)
    put(lines, 2, "品名", "别的东西")
    trader.compared(as_csv(*lines))
    assert wrong(session) == [(3, "title", "said_by_first")]


def test_another_order_of_packs_since_the_export_changes_nothing(trader: Trader, session: Session) -> None:
    listing = offer_two(trader)
    lines = exported(trader)
    for pack in session.scalars(select(Variant)):
        pack.position = 3 - pack.position
    session.commit()

    trader.compared(as_csv(*lines))

    assert wrong(session) == [] and [row.verdict for row in rows(session)] == ["same", "same"]
    assert session.get_one(Listing, listing.id).article_number == "A001"


def tiers_of(session: Session, code: str) -> list[tuple[int, int]]:
    session.expire_all()
    pack = session.scalars(select(Variant).where(Variant.code == code)).one()
    return [(tier.from_quantity, tier.price_fen) for tier in pack.tiers]


def test_another_first_lower_price_keeps_those_for_more(trader: Trader, session: Session) -> None:
    trader.offer("GA", tiers=((10, 3680), (20, 3480), (50, 3280)))
    sheet = as_csv(("code", "满几份优惠", "优惠价"), ("GA", "20", "33.00"))

    row = trader.done(sheet)

    assert tiers_of(session, "GA-1") == [(20, 3300), (50, 3280)]
    trader.compared(sheet)
    assert [each.verdict for each in rows(session)] == ["same"]
    trader.undo(row)
    assert tiers_of(session, "GA-1") == [(10, 3680), (20, 3480), (50, 3280)]


def test_a_lower_price_is_for_more_than_the_least(trader: Trader, session: Session) -> None:
    trader.offer("GA", pack={"minimum_quantity": 5})
    trader.compared(as_csv(("code", "满几份优惠", "优惠价"), ("GA", "5", "33.00")))
    assert wrong(session) == [(2, "tier_from", "tier_of_least")] and "5 份起卖" in trader.page(latest())
    trader.done(as_csv(("code", "满几份优惠", "优惠价"), ("GA", "6", "33.00")))
    assert tiers_of(session, "GA-1") == [(6, 3300)]


def test_a_price_below_the_lower_price_beside_it_is_a_mistake_each_time(trader: Trader, session: Session) -> None:
    """Without the columns of the lower price it simply goes, as on the list of prices."""
    trader.offer("GA", tiers=((10, 3680),))
    for _again in range(2):
        trader.compared(as_csv(("code", "单价", "满几份优惠", "优惠价"), ("GA", "36.00", "10", "36.80")))
        assert wrong(session) == [(2, "tier_price", "tier_not_lower")]
    trader.done(as_csv(("code", "单价"), ("GA", "36.00")))
    assert tiers_of(session, "GA-1") == []
