"""A sheet undone within a day: everything stands as before, but nothing that happened since is lost."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings as how, strategies as some
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import editing, offering, stock
from listings.models import StockMovement, Variant
from listings.packs import Pack
from listings.sheets.models import ListingImport, ListingImportRow
from listings.sheets.states import IMPORT, ImportState as I
from listings.states import ListingState as L
from marketplace.core import clock
from marketplace.core.db import in_transaction
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, changed, latest, listed, rows, work


def pack_of(session: Session, code: str) -> Variant:
    session.expire_all()
    return session.scalars(select(Variant).where(Variant.code == code)).one()


def test_drafts_are_removed_and_their_numbers_free_again(trader: Trader, session: Session) -> None:
    sheet = as_csv(HEADINGS, MILLET)
    row = trader.done(sheet)

    trader.undo(row)

    assert latest().state is I.UNDONE and [each.state for each in listed(session)] == [L.ARCHIVED]
    assert [each.outcome for each in rows(session)] == ["undone"]
    trader.done(sheet)
    assert [each.article_number for each in listed(session, L.DRAFT)] == ["A001"]


def test_prices_tiers_and_stock_go_back_and_what_was_sold_stays_sold(trader: Trader, session: Session) -> None:
    trader.offer("GA", tiers=((10, 3680),))
    row = trader.done(as_csv(("code", "单价", "库存"), ("GA", "35.00", "25")))
    in_transaction(stock.reserve, {"GA-1": 3}, reference="SX-1")
    in_transaction(stock.sell, {"GA-1": 3}, reference="SX-1")

    trader.undo(row)

    pack = pack_of(session, "GA-1")
    assert (pack.price_fen, pack.on_hand, pack.reserved) == (3980, 7, 0)
    assert [(tier.from_quantity, tier.price_fen) for tier in pack.tiers] == [(10, 3680)]
    moved = select(StockMovement.on_hand_change, StockMovement.reference).where(StockMovement.kind == "counted")
    assert session.execute(moved.order_by(StockMovement.id)).all()[1:] == [
        (15, f"import:{row.public_id}"),
        (-15, f"import-undone:{row.public_id}"),
    ]


def test_what_buyers_hold_is_not_taken_from_them(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    trader.offer("GB")
    row = trader.done(as_csv(("code", "库存"), ("GA", "25"), ("GB", "25")))
    in_transaction(stock.reserve, {"GA-1": 12}, reference="SX-1")

    trader.undo(row)

    assert latest().state is I.UNDONE
    assert [pack_of(session, code).on_hand for code in ("GA-1", "GB-1")] == [25, 10]
    assert [(each.outcome, [p["code"] for p in each.problems]) for each in rows(session)] == [
        ("kept", ["bought_since"]),
        ("undone", []),
    ]
    page = trader.page(row)
    assert "撤销了 1 行" in page and "有 1 行后来有变化" in page and "后来卖掉了一些：还剩 25 份" in page


def test_what_somebody_changed_since_stays(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    row = trader.done(as_csv(("code", "单价"), ("GA", "35.00")))
    change: dict[str, Any] = {
        "code": "GA",
        "person_id": trader.person.id,
        "price_fen": 3600,
        "on_hand": 10,
        "seen_on_hand": 10,
    }
    in_transaction(offering.change_price_and_stock, **change)

    trader.undo(row)

    assert latest().state is I.APPLIED and pack_of(session, "GA-1").price_fen == 3600
    assert "有 1 行后来有变化" in trader.page(row) and "自己动手改" in trader.page(row)
    assert [each.outcome for each in rows(session)] == ["kept"]


def test_what_the_station_has_is_not_removed(trader: Trader, session: Session) -> None:
    row = trader.done(as_csv(HEADINGS, MILLET), then="submit")
    trader.undo(row)
    assert latest().state is I.APPLIED and [each.state for each in listed(session)] == [L.SUBMITTED]


@pytest.mark.parametrize(("state", "why"), [(L.SUBMITTED, "with_the_station"), (L.SUSPENDED, "suspended")])
def test_what_no_sheet_may_change_no_undoing_changes(trader: Trader, session: Session, state: L, why: str) -> None:
    pack = trader.offer("GA", state=L.DRAFT)
    row = trader.done(as_csv(("code", "单价", "库存"), ("GA", "35.00", "4")))
    pack.listing.state = state
    session.commit()

    trader.undo(row)

    assert latest().state is I.APPLIED and [each.problems[0]["code"] for each in rows(session)] == [why]
    assert (pack_of(session, "GA-1").price_fen, pack_of(session, "GA-1").on_hand) == (3500, 4)


def test_an_edited_draft_is_as_it_was(trader: Trader, session: Session) -> None:
    trader.done(as_csv(HEADINGS, MILLET))
    other = changed(MILLET, category="鸡蛋", title="土鸡蛋", unit="30枚", story="散养的鸡，吃虫吃草，蛋黄发红。")
    row = trader.done(as_csv((*HEADINGS, "净重", "收获月份"), (*other, "1800", "5")))
    (eggs,) = listed(session)
    assert (eggs.category_code, eggs.harvest_months, eggs.variants[0].net_weight_grams) == ("meat-egg", [5], 1800)

    trader.undo(row)

    (millet,) = listed(session)
    assert (millet.category_code, millet.title_zh, millet.harvest_months) == ("grain-millet", "沁州黄小米", [])
    pack = millet.variants[0]
    assert (pack.unit_zh, pack.unit_en, pack.net_weight_grams, pack.measure) == ("5斤袋", "2.5 kg bag", 2500, "weight")


def test_a_day_later_it_is_too_late(trader: Trader, session: Session) -> None:
    row = trader.done(as_csv(HEADINGS, MILLET))
    assert "撤销这张表" in trader.page(row)
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1), tick=False):
        assert "撤销这张表" not in trader.page(row)
        trader.post(f"/seller/imports/{row.public_id}/undoing")
        work()
    assert latest().state is I.APPLIED and len(listed(session, L.DRAFT)) == 1


def test_it_is_undone_once(trader: Trader, session: Session) -> None:
    row = trader.done(as_csv(HEADINGS, MILLET))
    trader.undo(row)
    trader.undo(row)
    assert latest().state is I.UNDONE and len(listed(session)) == 1


@pytest.mark.parametrize("state", [state for state in I if I.DROPPED not in IMPORT[state]])
def test_only_what_is_not_done_can_be_dropped(trader: Trader, session: Session, state: I) -> None:
    trader.compared(as_csv(HEADINGS, MILLET))
    session.get_one(ListingImport, latest().id).state = state
    session.commit()
    trader.post(f"/seller/imports/{latest().public_id}/removal")
    assert latest().state is state


@how(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.integers(0, 40), some.integers(0, 10), some.integers(0, 10), some.integers(0, 10))
def test_stock_adds_up_whatever_happens_between(
    trader: Trader, session: Session, written: int, held: int, sold: int, sold_later: int
) -> None:
    """Counted by a sheet, undone by a difference: never below what is held, and the movements say the same."""
    code = f"G{session.query(Variant).count()}X"
    trader.offer(code)
    row = trader.compared(as_csv(("code", "库存"), (code, str(written))))
    if latest().state is I.READY and written != 10:
        trader.confirm(row)
    took = min(sold, pack_of(session, f"{code}-1").on_hand)
    for quantity in (took, min(sold_later, pack_of(session, f"{code}-1").on_hand - took)):
        if quantity:
            in_transaction(stock.reserve, {f"{code}-1": quantity}, reference="SX-1")
            in_transaction(stock.sell, {f"{code}-1": quantity}, reference="SX-1")
    still = min(held, pack_of(session, f"{code}-1").on_hand)
    if still:
        in_transaction(stock.reserve, {f"{code}-1": still}, reference="SX-2")
    before = pack_of(session, f"{code}-1").on_hand
    if written != 10:
        trader.undo(row)
    pack = pack_of(session, f"{code}-1")
    possible = before - (written - 10) >= still
    assert pack.on_hand == (before - (written - 10) if possible else before)
    moved = select(StockMovement).where(StockMovement.variant_code == pack.code)
    assert sum(each.on_hand_change for each in session.scalars(moved)) == pack.on_hand
    assert pack.reserved == still <= pack.on_hand


def test_a_draft_that_somebody_went_on_with_stays(trader: Trader, session: Session) -> None:
    """Another pack, a paper, a picture: what a hand put there is not taken away with what the sheet began."""
    row = trader.done(as_csv(HEADINGS, MILLET))
    (millet,) = listed(session)
    whose: dict[str, Any] = {"code": millet.code, "person_id": trader.person.id}
    in_transaction(editing.add_pack, **whose, pack=Pack("10斤袋", 5000, 11000, 3))

    trader.undo(row)

    assert latest().state is I.APPLIED and [each.state for each in listed(session)] == [L.DRAFT]
    assert [(each.outcome, each.problems[0]["code"]) for each in rows(session)] == [("kept", "changed_since")]


def test_a_number_that_other_goods_have_by_now_is_not_taken_from_them(trader: Trader, session: Session) -> None:
    trader.offer("GA", article_number="A001")
    trader.offer("GB")
    row = trader.done(as_csv(("code", "货号", "单价"), ("GA", "A002", "35.00"), ("GB", "", "36.00")))
    trader.done(as_csv(HEADINGS, MILLET))

    trader.undo(row)

    session.expire_all()
    assert session.get_one(ListingImport, row.id).state is I.UNDONE
    numbers = {each.code: each.article_number for each in listed(session)}
    assert numbers["GA"] == "A002" and pack_of(session, "GB-1").price_fen == 3980
    mine = select(ListingImportRow).where(ListingImportRow.import_id == row.id).order_by(ListingImportRow.number)
    assert [(each.outcome, [said["code"] for said in each.problems]) for each in session.scalars(mine)] == [
        ("kept", ["number_taken"]),
        ("undone", []),
    ]
