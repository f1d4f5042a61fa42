"""A sheet from the seller's hand to the shop: looked at first, done as a whole, and the same sheet again changes nothing."""

import io
from datetime import timedelta

import pytest
import python_calamine
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings import stock
from listings.models import Listing, StockMovement, Variant
from listings.sheets import exporting, storing, working
from listings.sheets.columns import COLUMNS
from listings.sheets.models import ListingImport
from listings.sheets.states import ImportState as I
from listings.states import ListingState as L
from marketplace.core import clock, ids
from marketplace.core.db import in_transaction
from marketplace.core.outbox import OutboxRow
from marketplace.core.transitions import EventRow
from marketplace.stations.models import Seller
from tests import factories
from tests.sheets.conftest import (
    HEADINGS,
    MILLET,
    STORY,
    Trader,
    as_csv,
    as_xlsx,
    changed,
    latest,
    listed,
    make_trader,
    rows,
    work,
    wrong,
)


def of_imports(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ListingImport)) or 0


def test_new_goods_are_shown_first_and_then_become_drafts(trader: Trader, session: Session) -> None:
    eggs = changed(MILLET, number="A002", category="Eggs", title="土鸡蛋", unit="3斤箱", price="￥３６.５", stock="１２")

    row = trader.compared(as_csv(HEADINGS, MILLET, eggs))

    assert row.state is I.READY and listed(session) == []
    page = trader.page(row)
    assert "2 种新货" in page and "沁州黄小米" in page and "第 3 行" in page and "36.50" in page
    trader.confirm(row)
    assert latest().state is I.APPLIED
    millet, hens = listed(session, L.DRAFT)
    assert (millet.article_number, millet.title_zh, millet.category_code) == ("A001", "沁州黄小米", "grain-millet")
    assert (millet.story_zh, millet.origin_village_zh, millet.seller_name) == (STORY, "次村乡次村", "次村合作社")
    (pack,) = hens.variants
    assert (pack.unit_zh, pack.price_fen, pack.on_hand, pack.net_weight_grams, pack.measure) == (
        "3斤箱",
        3650,
        12,
        1500,
        "weight",
    )
    moved = session.execute(select(StockMovement.variant_code, StockMovement.on_hand_change, StockMovement.reference)).all()
    assert sorted(moved) == sorted(
        [(f"{millet.code}-1", 40, f"import:{row.public_id}"), (pack.code, 12, f"import:{row.public_id}")]
    )
    traced = select(EventRow.to_state).where(EventRow.subject == f"listing:{millet.code}")
    assert session.scalars(traced).all() == ["draft"]


def test_the_same_sheet_again_changes_nothing(trader: Trader, session: Session) -> None:
    sheet = as_csv(HEADINGS, MILLET)
    trader.done(sheet)
    before = session.scalar(select(func.count()).select_from(StockMovement))

    again = trader.compared(sheet)

    assert [row.verdict for row in rows(session)] == ["same"]
    assert "都和表里一样" in trader.page(again)
    answer = trader.post(f"/seller/imports/{again.public_id}/confirmation")
    assert answer.status_code == 303 and latest().state is I.READY
    assert session.scalar(select(func.count()).select_from(StockMovement)) == before and len(listed(session)) == 1


def test_new_goods_may_go_straight_to_the_station(trader: Trader, session: Session) -> None:
    trader.done(as_csv(HEADINGS, MILLET), then="submit")

    (millet,) = listed(session, L.SUBMITTED)
    assert millet.submitted_at is not None
    traced = select(EventRow.to_state).where(EventRow.subject == f"listing:{millet.code}").order_by(EventRow.id)
    assert session.scalars(traced).all() == ["draft", "submitted"]


def test_price_and_stock_of_goods_for_sale_change_at_once(trader: Trader, session: Session) -> None:
    trader.offer("GA", tiers=((10, 3680), (20, 3480)))
    sheet = as_csv(("平台编号", "价格", "数量"), ("GA", "35.00", "25"))

    row = trader.compared(sheet)

    assert "39.80" in trader.page(row) and "35.00" in trader.page(row)
    trader.confirm(row)
    pack = session.scalars(select(Variant)).one()
    assert (pack.price_fen, pack.on_hand) == (3500, 25)
    assert [(tier.from_quantity, tier.price_fen) for tier in pack.tiers] == [(20, 3480)]
    assert session.scalars(select(OutboxRow.payload).where(OutboxRow.topic == "listing.changed")).all()[-1] == {"code": "GA"}
    assert rows(session)[0].stock_change == 15


def test_one_mistake_keeps_all_rows_back_unless_the_good_ones_are_asked_for(trader: Trader, session: Session) -> None:
    bad = changed(MILLET, number="A002", price="abc", stock="-1")
    row = trader.compared(as_csv(HEADINGS, MILLET, bad))
    assert wrong(session) == [(3, "price", "not_a_sum"), (3, "stock", "out_of_range")]

    trader.post(f"/seller/imports/{row.public_id}/confirmation")
    work()
    assert latest().state is I.READY and listed(session) == []

    trader.confirm(row, only_good="1")
    assert [listing.article_number for listing in listed(session)] == ["A001"]


def test_what_goods_are_changes_on_drafts_alone(trader: Trader, session: Session) -> None:
    trader.done(as_csv(HEADINGS, MILLET))
    trader.offer("GA")
    names = ("货号", "平台编号", "品名", "包装")
    sheet = as_csv(names, ("A001", "", "武乡小米", "5斤袋"), ("", "GA", "小米GA", "3斤袋"))

    row = trader.compared(sheet)

    assert {(row_, code) for row_, _column, code in wrong(session)} == {(3, "not_a_draft")}
    trader.confirm(row, only_good="1")
    assert [listing.title_zh for listing in listed(session)] == ["武乡小米", "小米GA"]


def test_rejected_goods_become_drafts_again(trader: Trader, session: Session) -> None:
    trader.offer("GA", state=L.REJECTED)

    trader.done(as_csv(("code", "品名"), ("GA", "武乡小米")))

    assert [(each.title_zh, each.state) for each in listed(session)] == [("武乡小米", L.DRAFT)]
    traced = select(EventRow.from_state, EventRow.to_state).where(EventRow.subject == "listing:GA")
    assert session.execute(traced).all() == [("rejected", "draft")]


@pytest.mark.parametrize("state", [L.SUBMITTED, L.SUSPENDED])
def test_others_are_left_alone(trader: Trader, session: Session, state: L) -> None:
    trader.offer("GA", state=state)
    trader.compared(as_csv(("code", "单价"), ("GA", "1.00")))
    assert [code for _row, _column, code in wrong(session)] == ["with_the_station" if state is L.SUBMITTED else "suspended"]


def test_what_moved_meanwhile_is_shown_again_before_anything_is_done(trader: Trader, session: Session) -> None:
    pack = trader.offer("GA")
    row = trader.compared(as_csv(("code", "单价", "库存"), ("GA", "35.00", "25")))
    pack.price_fen = 4100
    session.commit()

    trader.confirm(row)

    assert latest().state is I.READY and latest().notes["moved"] == [2]
    assert "第 2 行" in trader.page(row) and "41.00" in trader.page(row)
    assert session.scalars(select(Variant.price_fen)).one() == 4100
    trader.confirm(row)
    session.expire_all()
    assert session.execute(select(Variant.price_fen, Variant.on_hand)).one() == (3500, 25)


def test_nobody_confirms_a_difference_that_they_have_not_seen(trader: Trader, session: Session) -> None:
    """A page that was open since before something moved says yes to what it shows."""
    pack = trader.offer("GA")
    row = trader.compared(as_csv(("code", "单价"), ("GA", "35.00")))
    pack.price_fen = 4100
    session.commit()
    trader.confirm(row)

    trader.post(f"/seller/imports/{row.public_id}/confirmation", {"again": "0"})
    work()

    assert latest().state is I.READY and session.scalars(select(Variant.price_fen)).one() == 4100
    trader.confirm(row)
    session.expire_all()
    assert session.scalars(select(Variant.price_fen)).one() == 3500


def test_what_was_sold_since_the_export_stays_sold(trader: Trader, session: Session) -> None:
    pack = trader.offer("GA")
    sheet = as_csv(("code", "单价", "库存", "导出时库存"), ("GA", "35.00", "10", "10"))
    pack.on_hand = 7
    session.commit()
    trader.compared(sheet)
    assert [row.entry for row in rows(session)] == [{"price": 3500}]

    trader.compared(as_csv(("code", "库存", "导出时库存"), ("GA", "20", "10")))
    assert wrong(session) == [(2, "stock", "stock_moved")] and "现在有 7" in trader.page(latest())


def test_no_fewer_than_are_held(trader: Trader, session: Session) -> None:
    pack = trader.offer("GA")
    pack.reserved = 4
    session.commit()
    trader.compared(as_csv(("code", "库存"), ("GA", "3")))
    assert wrong(session) == [(2, "stock", "held")]


def test_what_buyers_hold_since_the_seller_looked_is_shown_again(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    row = trader.compared(as_csv(("code", "库存"), ("GA", "4")))
    in_transaction(stock.reserve, {"GA-1": 6}, reference="SX-1")

    trader.confirm(row)

    assert latest().state is I.READY and wrong(session) == [(2, "stock", "held")]
    assert not latest().notes["failed"]


def test_an_export_sent_back_is_nothing_to_do(trader: Trader, session: Session) -> None:
    trader.done(
        as_csv(HEADINGS, changed(MILLET, story=f"{STORY}\n第二行，=1+1 也行"), changed(MILLET, number="-A2", title="'+x"))
    )
    trader.offer("GA", tiers=((10, 3680), (20, 3480)), harvest_months=[9, 10], shelf_life_days=30)
    several = trader.offer("GB", pack={"unit_zh": "礼盒", "net_weight_grams": 1800})
    session.add(
        Variant(code="GB-2", listing_id=several.listing_id, position=2, unit_zh="10斤", net_weight_grams=5000, price_fen=1)
    )
    session.commit()
    for kind in ("csv", "xlsx"):
        sheet = trader.client.get(f"/seller/imports/goods.{kind}").data
        trader.compared(sheet, name=f"goods.{kind}")
        assert [(row.verdict, row.problems) for row in rows(session)] == [("same", [])] * 5, kind


def test_a_form_sent_twice_is_one_import(trader: Trader, session: Session) -> None:
    sheet = as_csv(HEADINGS, MILLET)
    first, second = (trader.send(sheet, idempotency_key="k1") for _time in range(2))
    assert first.headers["Location"] == second.headers["Location"] and of_imports(session) == 1
    assert trader.send(as_csv(HEADINGS), idempotency_key="k1").status_code == 409


def test_somebody_elses_import_is_not_there(trader: Trader, session: Session) -> None:
    row = trader.compared(as_csv(HEADINGS, MILLET))
    other = make_trader(trader.app)
    for path in ("", "/errors.csv"):
        assert other.client.get(f"/seller/imports/{row.public_id}{path}").status_code == 404
    for step in ("confirmation", "removal", "undoing"):
        assert other.post(f"/seller/imports/{row.public_id}/{step}").status_code == 404
    assert latest().state is I.READY


def test_only_sellers_may(app: Flask, session: Session) -> None:
    client = app.test_client()
    assert client.get("/seller/imports").headers["Location"].startswith("/sign-in")
    factories.signed_in(client)
    for path in ("/seller/imports", "/seller/imports/goods.csv", "/seller/imports/0"):
        assert client.get(path).status_code == 403


def test_without_a_station_nothing_is_taken(trader: Trader, session: Session) -> None:
    session.delete(session.get_one(Seller, trader.person.id))
    session.commit()
    answer = trader.send(as_csv(HEADINGS, MILLET))
    assert answer.status_code == 403 and of_imports(session) == 0


def test_five_sheets_may_be_open(trader: Trader, session: Session) -> None:
    for _time in range(5):
        trader.compared(as_csv(HEADINGS, MILLET))
    answer = trader.send(as_csv(HEADINGS, MILLET))
    assert answer.status_code == 409 and "已经有五张表没办完" in answer.text and of_imports(session) == 5


def test_a_dropped_sheet_does_nothing(trader: Trader, session: Session) -> None:
    row = trader.compared(as_csv(HEADINGS, MILLET))
    trader.post(f"/seller/imports/{row.public_id}/removal")
    trader.confirm(row)
    assert latest().state is I.DROPPED and listed(session) == []


EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def files() -> int:
    return len(list(storing.folder().iterdir())) if storing.folder().is_dir() else 0


def test_no_file_lies_there_longer_than_anybody_needs_it(trader: Trader, session: Session) -> None:
    """Done with, dropped before it was read, unreadable, or sent under a key that another sheet had."""
    before = files()
    trader.compared(as_csv(HEADINGS, MILLET))
    trader.compared(b"\0\1\2")
    key = ids.public_id()
    trader.send(as_csv(HEADINGS, MILLET), pictures=EMPTY_ZIP, idempotency_key=key)
    assert trader.send(as_csv(HEADINGS, changed(MILLET, price="1")), idempotency_key=key).status_code == 409
    assert files() == before + 2
    assert trader.post(f"/seller/imports/{latest().public_id}/removal").status_code == 303
    assert (latest().state, files()) == (I.DROPPED, before)


def test_what_stood_in_a_dropped_sheet_is_forgotten_after_a_week(trader: Trader, session: Session) -> None:
    row = trader.compared(as_csv(HEADINGS, MILLET))
    trader.post(f"/seller/imports/{row.public_id}/removal")
    working.sweep()
    assert len(rows(session)) == 1
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        working.sweep()
    assert rows(session) == []


def test_the_code_of_another_seller_is_unknown(trader: Trader, session: Session) -> None:
    factories.make_variant(factories.make_listing(code="GZ", category_code="grain-millet"))
    trader.compared(as_csv(("code", "单价"), ("GZ", "1.00")))
    assert wrong(session) == [(2, "code", "no_such_code")]
    assert session.scalar(select(func.count()).select_from(Listing).where(Listing.code == "GZ")) == 1


def test_xlsx_says_the_same_as_csv(trader: Trader, session: Session) -> None:
    trader.compared(as_xlsx(HEADINGS, (*MILLET[:4], 58.0, 40, *MILLET[6:])), name="货.xlsx")
    described = {
        "title": "沁州黄小米",
        "unit": "5斤袋",
        "village": "次村乡次村",
        "story": STORY,
        "storage": "",
        "months": [],
        "certificates": [],
    }
    figures = {
        "number": "A001",
        "minimum": 1,
        "category": "grain-millet",
        "price": 5800,
        "stock": 40,
        "weight": None,
        "shelf_life": None,
    }
    assert rows(session)[0].entry == described | figures | {"tiers": []}


def test_two_sheets_with_the_same_new_goods_make_them_once(trader: Trader, session: Session) -> None:
    first, second = (trader.compared(as_csv(HEADINGS, MILLET)) for _time in range(2))
    trader.confirm(first)
    trader.confirm(second)
    assert latest().state is I.READY and latest().notes["moved"] == [2] and len(listed(session)) == 1
    assert [row.verdict for row in rows(session)] == ["same"]


@pytest.mark.parametrize(
    ("language", "heading", "sheet"), [("zh", "货号", "怎么填"), ("en", "Article number", "What may stand here")]
)
def test_the_template_says_what_may_stand_where(trader: Trader, language: str, heading: str, sheet: str) -> None:
    trader.client.get(f"/help?lang={language}")
    answer = trader.client.get("/seller/imports/template.xlsx")
    assert answer.content_type == exporting.KIND_XLSX and "template-" in answer.headers["Content-Disposition"]
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert book.get_sheet_by_index(0).to_python()[0][0] == heading and book.sheet_names[1] == sheet
    explained = book.get_sheet_by_index(1).to_python()
    assert len(explained) == len(COLUMNS) + 1 and [row[3] for row in explained[1:3]] == ["小米", "鸡蛋"]
    plain = trader.client.get("/seller/imports/template.csv").data.decode("utf-8-sig")
    assert plain.startswith(heading) and plain.count("\n") == 1


def test_an_empty_template_has_nothing_to_do(trader: Trader) -> None:
    row = trader.compared(trader.client.get("/seller/imports/template.xlsx").data, name="空.xlsx")
    assert row.state is I.UNREADABLE and "每样货填一行" in trader.page(row)
